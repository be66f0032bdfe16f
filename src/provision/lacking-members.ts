/** Members of a group who were off when they came in, or whom the platform refused it, and who lack what it gives. */
import type { StoredResource, StoreWriter } from '../store/store.ts'
import type { ProvisionedConnection } from './connection.ts'
import { isActiveDocument, parseDocument } from './document.ts'
import { giftsOf } from './group-gifts.ts'

/**
 * Of those whom a request names once more: who is active in SCIM, lacks what the group gives by their ledger, and has nothing
 * unfinished. Somebody may have switched the account on since, so no answer is true that does not look.
 */
export async function lackingMembers(
  write: StoreWriter,
  connection: ProvisionedConnection,
  group: StoredResource,
  named: readonly string[],
): Promise<readonly string[]> {
  const { name } = connection
  const platformGroup = await write.getGroupLink(name, group.id)
  const keys = [...giftsOf(connection, group.id, parseDocument(group.json), platformGroup).keys]
  if (keys.length === 0 || named.length === 0) return []
  const ledgers = await write.ledgersOf(name, named)
  const suspects = named.filter((id) => {
    const had = new Set(ledgers.get(id)?.flatMap(({ key, origin }) => (origin === 'giving' ? [] : [key])))
    return keys.some((key) => !had.has(key))
  })
  if (suspects.length === 0) return []
  const unfinished = new Set((await write.operationsOf(name, suspects)).map(({ resourceId }) => resourceId))
  const memberships = await write.membershipsOf(name, suspects)
  const lacking: string[] = []
  for (const id of suspects) {
    const isMember = memberships.get(id)?.some(({ groupId }) => groupId === group.id) === true
    if (isMember && !unfinished.has(id) && (await hasAccount(write, name, id))) lacking.push(id)
  }
  return lacking
}

/** Somebody who is off in SCIM gets what the memberships give with their return. */
async function hasAccount(write: StoreWriter, connection: string, userId: string): Promise<boolean> {
  const link = await write.getLink(connection, userId)
  if (link?.state !== 'live' || link.accountId === undefined) return false
  const user = await write.getResource(connection, 'User', userId)
  return user !== undefined && isActiveDocument(parseDocument(user.json))
}
