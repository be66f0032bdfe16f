import type { JsonObject } from '../json.ts'
import type { StoredResource, StoreWriter } from '../store/store.ts'
import type { ProvisionedConnection } from './connection.ts'
import { parseDocument } from './document.ts'
import { grantRules, wantedKeys } from './grants.ts'
import { giftsOf } from './group-gifts.ts'
import type { MemberChange } from './member-change.ts'

/**
 * Who was taken out of the group by an earlier request and holds what it gives, or gave `before`, still. A change that does not
 * name them, as one that says who stays, asks for that once more, and is no success before it is so.
 */
export async function leavingMembers(
  write: StoreWriter,
  connection: ProvisionedConnection,
  group: StoredResource,
  before: JsonObject,
  changes: readonly MemberChange[],
): Promise<readonly string[]> {
  const { name } = connection
  if (!changes.some(saysWhoStays)) return []
  const link = await write.getGroupLink(name, group.id)
  const keysOf = (document: JsonObject) => giftsOf(connection, group.id, document, link).keys
  const keys = new Set([...keysOf(before), ...keysOf(parseDocument(group.json))])
  if (keys.size === 0) return []
  const outside = await write.unfinishedOutside(name, group.id)
  const holding = outside.filter(({ ledger }) => ledger.some(({ key }) => keys.has(key)))
  const ids = holding.map(({ userId }) => userId)
  const memberships = await write.membershipsOf(name, ids)
  return holding.flatMap(({ userId, ledger }) => {
    // What another group gives, too, they may keep.
    const wanted = wantedKeys(grantRules(connection), memberships.get(userId) ?? [])
    const isLeaving = ledger.some(({ key }) => keys.has(key) && !wanted.has(key))
    return isLeaving && changes.some((change) => saysWhoStays(change) && isOut(change, userId)) ? [userId] : []
  })
}

function saysWhoStays({ kind }: MemberChange): boolean {
  return kind === 'replace' || kind === 'removeAll' || kind === 'removeWhere'
}

function isOut(change: MemberChange, userId: string): boolean {
  return change.kind !== 'removeWhere' || change.test(userId)
}
