import { consoleRows } from '../limits.ts'
import type { RequestQuery } from '../store/console-store.ts'
import type { ConsoleOptions } from './console.ts'
import { searchPeople } from './people-search.ts'
import { type Page, queryText } from './view.ts'
import { type ConsoleStore, chosenConnection, numberOf, type Visit, visibleTo } from './visit.ts'

const statuses: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['2xx', [200, 299]],
  ['3xx', [300, 399]],
  ['4xx', [400, 499]],
  ['5xx', [500, 599]],
])
const searchLength = 256

/** What the identity provider sent and was answered, newest first. */
export function createRequests({ connections, store, flushRequests }: ConsoleOptions): (visit: Visit) => Promise<Page> {
  return async (visit) => {
    const { name, keptRequests } = chosenConnection(visit, connections)
    const wanted = wantedOf(visit)
    await flushRequests()
    const query = await queryOf(store, name, wanted)
    const found = await store.requests(name, { ...query, limit: consoleRows + 1 })
    const shown = found.slice(0, consoleRows)
    const older = found.length > consoleRows ? shown.at(-1)?.id : undefined
    return {
      title: 'Requests',
      template: 'requests',
      section: 'requests',
      content: {
        connection: name,
        names: visibleTo(visit, connections).map((one) => one.name),
        kept: keptRequests,
        wanted,
        choices: [...statuses.keys()],
        requests: shown,
        older: older === undefined ? undefined : queryText({ connection: name, ...wanted, before: older }),
      },
    }
  }
}

interface Wanted {
  readonly person: string
  readonly request: string
  readonly status: string
  readonly from: string
  readonly to: string
  readonly before: string
}

function wantedOf({ query }: Visit): Wanted {
  const text = (name: string) => (query.get(name) ?? '').trim().slice(0, searchLength)
  return {
    person: text('person'),
    request: text('request'),
    status: text('status'),
    from: text('from'),
    to: text('to'),
    before: text('before'),
  }
}

async function queryOf(store: ConsoleStore, name: string, wanted: Wanted): Promise<Omit<RequestQuery, 'limit'>> {
  const exact = numberOf(wanted.status)
  return {
    beforeId: numberOf(wanted.before),
    // Somebody who was deleted is known by the SCIM id only.
    resourceIds: wanted.person === '' ? undefined : [wanted.person, ...(await idsOf(store, name, wanted.person))],
    requestId: wanted.request === '' ? undefined : wanted.request,
    statuses: statuses.get(wanted.status) ?? (exact === undefined ? undefined : [exact, exact]),
    from: timeOf(wanted.from),
    to: timeOf(wanted.to),
  }
}

async function idsOf(store: ConsoleStore, name: string, text: string): Promise<readonly string[]> {
  return (await searchPeople(store, name, text)).people.map(({ id }) => id)
}

/** As a field for date and time writes it, in UTC; undefined: none. */
function timeOf(text: string): number | undefined {
  const at = Date.parse(`${text}Z`)
  return text === '' || Number.isNaN(at) ? undefined : at
}
