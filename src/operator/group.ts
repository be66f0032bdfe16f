/** A group of the identity provider: what membership in it gives, and its members page by page. */
import { isJsonObject } from '../json.ts'
import { type GroupGifts, giftsOf } from '../provision/group-gifts.ts'
import type { OperatedConnection, OperatedStore } from './connection.ts'
import { type FoundPerson, personOf } from './people-search.ts'
import type { Person } from './person.ts'

export interface GroupMember extends FoundPerson {
  /** How many of the gifts the account holds, whatever for. */
  readonly held: number
}

export interface GroupPage {
  readonly gifts: GroupGifts
  readonly count: number
  readonly members: readonly GroupMember[]
  /** Where the next page goes on; undefined: this is the end. */
  readonly next: string | undefined
}

/** Members in the order of their ids. */
export async function readGroup(
  store: OperatedStore,
  { name, provision }: Pick<OperatedConnection, 'name' | 'provision'>,
  { id, document }: Pick<Person, 'id' | 'document'>,
  after: string,
  limit: number,
): Promise<GroupPage> {
  const link = await store.getGroupLink(name, id)
  const gifts = giftsOf(provision.connection, id, document, link)
  const [count, found] = await Promise.all([store.countMembers(name, id), store.memberIds(name, id, after, limit + 1)])
  const shown = found.slice(0, limit)
  const members = await Promise.all(shown.map((member) => memberOf(store, name, member, gifts)))
  return { gifts, count, members, next: found.length > limit ? shown.at(-1) : undefined }
}

async function memberOf(
  store: OperatedStore,
  connection: string,
  id: string,
  { keys }: GroupGifts,
): Promise<GroupMember> {
  const [user, link] = await Promise.all([store.getUser(connection, id), store.getLink(connection, id)])
  const document: unknown = JSON.parse(user?.resource.json ?? '{}')
  if (!isJsonObject(document)) throw new TypeError('a stored document is not a JSON object')
  const held = (link?.grants ?? []).filter(({ key, origin }) => origin !== 'giving' && keys.has(key)).length
  return { ...personOf(document), id, provisioning: user?.provisioning, held }
}
