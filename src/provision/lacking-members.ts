/** Members of a group who were off when they came in, or whom the platform refused it, and who lack what it gives. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { StoredResource, StoreWriter } from '../store/store.ts'
import type { ProvisionedConnection } from './connection.ts'
import { isActiveDocument, parseDocument } from './document.ts'
import { giftsOf } from './group-gifts.ts'

/** To read what so many were given takes a few milliseconds. */
const membersAtOnce = 1_000

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
  if (named.length === 0) return []
  const { name } = connection
  const platformGroup = await write.getGroupLink(name, group.id)
  const keys = [...giftsOf(connection, group.id, parseDocument(group.json), platformGroup).keys]
  if (keys.length === 0) return []
  const lacking: string[] = []
  for (let from = 0; from < named.length; from += membersAtOnce) {
    // Lists are long where groups are large: others are answered meanwhile.
    if (from > 0) await nextTurn()
    const ids = named.slice(from, from + membersAtOnce)
    const ledgers = await write.ledgersOf(name, ids)
    const without = ids.filter((id) => {
      const had = new Set(ledgers.get(id)?.flatMap(({ key, origin }) => (origin === 'giving' ? [] : [key])))
      return keys.some((key) => !had.has(key))
    })
    const unfinished = new Set((await write.operationsOf(name, without)).map(({ resourceId }) => resourceId))
    const settled = without.filter((id) => !unfinished.has(id))
    const memberships = await write.membershipsOf(name, settled)
    for (const id of settled) {
      const isMember = memberships.get(id)?.some(({ groupId }) => groupId === group.id) === true
      if (isMember && (await hasAccount(write, name, id))) lacking.push(id)
    }
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
