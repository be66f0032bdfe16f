/** Finding people: by what the store has an index for, and by parts of their names, as far as a bounded look goes. */
import { isJsonObject, type JsonObject } from '../json.ts'
import { consoleRows, consoleScanRows } from '../limits.ts'
import type { IndexedCondition } from '../store/queries.ts'
import type { ProvisioningView, StoredResource } from '../store/store.ts'
import type { OperatedStore } from './connection.ts'
import { cut } from './page.ts'

export interface FoundPerson {
  readonly id: string
  readonly userName: string
  readonly name: string
  readonly email: string
  readonly active: boolean
  readonly provisioning: ProvisioningView | undefined
}

export interface FoundPeople {
  readonly people: readonly FoundPerson[]
  /** Where the next page of all people begins; undefined: this is the end, or a search. */
  readonly nextSeq: number | undefined
  /** More fit than are shown, or not all were looked at. */
  readonly isCut: boolean
}

const batch = 1_000

/** All people, in the order in which they came. */
export async function listPeople(
  store: OperatedStore,
  connection: string,
  afterSeq: number,
  limit = consoleRows,
): Promise<FoundPeople> {
  const { rows, last } = cut(await store.list(connection, { type: 'User', afterSeq, limit: limit + 1 }), limit)
  return { people: await people(store, connection, rows), nextSeq: last?.seq, isCut: false }
}

/** `text`: a name, userName, e-mail address, externalId, account id or SCIM id, or the beginning of some of them. */
export async function searchPeople(store: OperatedStore, connection: string, text: string): Promise<FoundPeople> {
  const found = new Map<string, StoredResource>()
  const link = await store.findLinkByAccount(connection, text)
  if (link !== undefined) {
    const resource = await store.getResource(connection, 'User', link.resourceId)
    if (resource !== undefined) found.set(resource.id, resource)
  }
  const limit = consoleRows + 1
  for (const where of conditions(text)) {
    for (const one of await store.list(connection, { type: 'User', where, limit })) found.set(one.id, one)
  }
  const isAllSeen = found.size > consoleRows || (await scanNames(store, connection, text, found))
  const shown = [...found.values()].slice(0, consoleRows)
  return {
    people: await people(store, connection, shown),
    nextSeq: undefined,
    isCut: found.size > consoleRows || !isAllSeen,
  }
}

function conditions(text: string): readonly IndexedCondition[] {
  return [
    {
      attribute: 'anyOf',
      of: [
        { attribute: 'id', equals: text },
        { attribute: 'externalId', equals: text },
        { attribute: 'email', equals: text },
      ],
    },
    { attribute: 'prefix', of: 'userName', startsWith: text },
    { attribute: 'prefix', of: 'displayName', startsWith: text },
  ]
}

/** Adds those whose names have the text somewhere. False: there were more people than one search looks at. */
async function scanNames(
  store: OperatedStore,
  connection: string,
  text: string,
  found: Map<string, StoredResource>,
): Promise<boolean> {
  const wanted = text.normalize('NFKC').toLowerCase()
  let afterSeq = 0
  for (let looked = 0; looked < consoleScanRows; looked += batch) {
    const resources = await store.list(connection, { type: 'User', afterSeq, limit: batch })
    for (const resource of resources) {
      if (namesOf(JSON.parse(resource.json)).includes(wanted)) found.set(resource.id, resource)
      afterSeq = resource.seq
    }
    if (resources.length < batch || found.size > consoleRows) return true
    await new Promise((resolve) => setImmediate(resolve))
  }
  return false
}

function namesOf(document: JsonObject): string {
  const { givenName = '', familyName = '', formatted = '' } = isJsonObject(document.name) ? document.name : {}
  return [givenName, familyName, formatted, document.displayName ?? ''].join(' ').normalize('NFKC').toLowerCase()
}

async function people(
  store: OperatedStore,
  connection: string,
  resources: readonly StoredResource[],
): Promise<readonly FoundPerson[]> {
  const states = await store.provisioningOf(
    connection,
    resources.map(({ id }) => id),
  )
  return resources.map(({ id, json }) => ({ ...personOf(JSON.parse(json)), id, provisioning: states.get(id) }))
}

/** What a person is called, out of the stored document. */
export function personOf(document: JsonObject): Omit<FoundPerson, 'id' | 'provisioning'> {
  const { name, displayName, userName, emails } = document
  const { givenName, familyName, formatted } = isJsonObject(name) ? name : {}
  const parts = [givenName, familyName].filter((part) => typeof part === 'string').join(' ')
  const list = Array.isArray(emails) ? emails.filter(isJsonObject) : []
  const email = list.find(({ primary }) => primary === true) ?? list[0]
  return {
    userName: text(userName),
    name: text(displayName) || text(formatted) || parts,
    email: text(email?.value),
    active: document.active !== false,
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
