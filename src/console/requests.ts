import { consoleRows } from '../limits.ts'
import { findRequests, type RequestSearch } from '../operator/requests.ts'
import type { ConsoleOptions } from './console.ts'
import { type Page, queryText } from './view.ts'
import { chosenConnection, numberOf, type Visit, visibleTo } from './visit.ts'

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
    const { requests, next } = await findRequests(store, name, searchOf(wanted), numberOf(wanted.before), consoleRows)
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
        requests,
        older: next === undefined ? undefined : queryText({ connection: name, ...wanted, before: next }),
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

function searchOf({ person, request, status, from, to }: Wanted): RequestSearch {
  const exact = numberOf(status)
  return {
    person: person === '' ? undefined : person,
    requestId: request === '' ? undefined : request,
    statuses: statuses.get(status) ?? (exact === undefined ? undefined : [exact, exact]),
    from: timeOf(from),
    to: timeOf(to),
  }
}

/** As a field for date and time writes it, in UTC; undefined: none. */
function timeOf(text: string): number | undefined {
  const at = Date.parse(`${text}Z`)
  return text === '' || Number.isNaN(at) ? undefined : at
}
