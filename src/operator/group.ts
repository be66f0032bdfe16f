/** A group of the identity provider: what membership in it gives, and its members page by page. */
import { parseDocument } from '../provision/document.ts'
import { type GroupGifts, giftsOf } from '../provision/group-gifts.ts'
import type { OperatedConnection, OperatedStore } from './connection.ts'
import { cut } from './page.ts'
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
  const { rows, last } = cut(found, limit)
  const members = await Promise.all(rows.map((member) => memberOf(store, name, member, gifts)))
  return { gifts, count, members, next: last }
}

async function memberOf(
  store: OperatedStore,
  connection: string,
  id: string,
  { keys }: GroupGifts,
): Promise<GroupMember> {
  const [user, link] = await Promise.all([store.getUser(connection, id), store.getLink(connection, id)])
  const document = parseDocument(user?.resource.json ?? '{}')
  const held = (link?.grants ?? []).filter(({ key, origin }) => origin !== 'giving' && keys.has(key)).length
  return { ...personOf(document), id, provisioning: user?.provisioning, held }
}
