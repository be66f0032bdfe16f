import type { GrantOperation } from '../store/grant-store.ts'
import type { StoreWriter } from '../store/store.ts'
import type { Asked, ProvisionedConnection, World } from './connection.ts'
import { grantRules, isSettled, wantedGrants } from './grants.ts'

interface Withdrawal {
  readonly connection: ProvisionedConnection
  readonly world: World
  readonly asked: Asked
}

interface Withdrawn {
  /** The group itself is gone: who was taken out of it stays out. */
  readonly isGroupGone: boolean
  readonly operations: readonly GrantOperation[]
}

/** Who came or went with a request that is refused goes or comes back. */
export async function withdrawMembers(
  write: StoreWriter,
  context: Withdrawal,
  groupId: string,
  { added, removed }: { readonly added: readonly string[]; readonly removed: readonly string[] },
): Promise<Withdrawn> {
  const { connection, world, asked } = context
  const { name } = connection
  const isGroupGone = (await write.getAnyResource(name, 'Group', groupId)) === undefined
  if (added.length > 0) await write.removeMembers(name, groupId, added)
  if (removed.length > 0 && !isGroupGone) {
    // Who was deleted meanwhile comes back to no group.
    const gone = new Set(await write.unknownUsers(name, removed))
    const present = removed.filter((id) => !gone.has(id))
    await write.addMembers(name, groupId, present)
  }
  const moved = [...added, ...removed]
  const now = world.clock.now()
  const createdAt = new Date(now).toISOString()
  await write.touchResources(name, 'User', moved, createdAt)
  await write.touchResources(name, 'Group', [groupId], createdAt)
  const { requestId, caller } = asked
  const unsettled = await unsettledOf(write, connection, moved)
  const operations = await write.putGrantOperations(name, unsettled, { dueAt: now, requestId, caller, createdAt })
  return { isGroupGone, operations }
}

/**
 * Some of what was asked may have been given or taken, by an attempt that was made for another request, too, or is in work at
 * this moment; and another membership may still wait for its part: they are looked at again.
 */
async function unsettledOf(
  write: StoreWriter,
  connection: ProvisionedConnection,
  userIds: readonly string[],
): Promise<readonly string[]> {
  const { name } = connection
  const rules = grantRules(connection)
  const [unfinished, ledgers, memberships] = await Promise.all([
    write.operationsOf(name, userIds),
    write.ledgersOf(name, userIds),
    write.membershipsOf(name, userIds),
  ])
  const operations = new Map(unfinished.map((operation) => [operation.resourceId, operation]))
  return userIds.filter((id) => {
    const operation = operations.get(id)
    // What is wrong with an account does not change with a membership: an operator, or the next request, takes it up.
    if (operation !== undefined) return operation.state !== 'failed' || operation.about === 'grants'
    return !isSettled(wantedGrants(rules, memberships.get(id) ?? []), ledgers.get(id) ?? [])
  })
}
