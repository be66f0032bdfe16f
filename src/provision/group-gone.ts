/** A SCIM group whose group somebody has removed from the platform: who is to come into it finds that out. */
import { Busy, PlatformError } from '../errors.ts'
import type { Grant } from '../facts.ts'
import type { Call, PlatformGroup } from '../platforms/platform.ts'
import { groupKey, type Membership } from '../store/grant-store.ts'
import type { Operation, StoreWriter } from '../store/store.ts'
import type { ProvisionedConnection, World } from './connection.ts'
import { platformNameOf } from './group-name.ts'
import { putOwnOperation, reconcileCaller } from './reconcile-operation.ts'

/** Whether the group is on its way to the platform now. `found`: the one that has its name there. */
export type AskForGroup = (membership: Membership, found: PlatformGroup | undefined) => Promise<boolean>

/**
 * After a refusal of `give`: where a group of it is gone, and the mapping lets the bridge make it or take it over, that is asked
 * for, and who is to come into it waits. Otherwise the refusal itself says that somebody has to make it.
 */
export async function bringBackGroups(
  call: Call,
  connection: ProvisionedConnection,
  memberships: readonly Membership[],
  give: readonly Grant[],
  ask: AskForGroup,
): Promise<void> {
  const { name, mapping } = connection
  const { groups } = connection.platform
  if (mapping.groups.as !== 'groups' || groups === undefined) return
  const given = new Set(give.map(({ id }) => id))
  for (const membership of memberships) {
    const { groupId, platformGroup } = membership
    if (platformGroup === undefined || !given.has(platformGroup.id)) continue
    try {
      if ((await groups.read(call, platformGroup.id)) !== undefined) continue
      const found = await groups.find(call, platformNameOf(mapping, membership))
      if (!mayBeHad(connection, found) || !(await ask(membership, found))) continue
    } catch (error) {
      if (error instanceof PlatformError && error.rule.retry === 'stop') continue
      throw error
    }
    throw new Busy(`${name}: ${groupKey(groupId)} is gone from the platform and is to come back`, {
      retryAfterMs: 5_000,
    })
  }
}

function mayBeHad({ mapping }: ProvisionedConnection, found: PlatformGroup | undefined): boolean {
  const { create, adopt, protect } = mapping.groups
  if (found === undefined) return create
  return adopt !== 'never' && found.protectedBecause === undefined && !protect.includes(found.name)
}

/** False when it cannot come, or has been tried in vain: an operator, or the next change of the group, takes that up. */
export async function askForGroup(
  write: StoreWriter,
  world: World,
  connection: string,
  { requestId }: Operation,
  { groupId, platformGroup }: Membership,
  found: PlatformGroup | undefined,
): Promise<boolean> {
  const unfinished = await write.getOperation(connection, groupId)
  if (unfinished !== undefined) return unfinished.state !== 'failed'
  if (found !== undefined && (await write.findGroupLink(connection, found.id)) !== undefined) return false
  const resource = await write.getResource(connection, 'Group', groupId)
  const link = await write.getGroupLink(connection, groupId)
  // Something else has come of it meanwhile: the next attempt sees what.
  if (resource === undefined || link?.state !== 'live' || link.groupId !== platformGroup?.id) return true
  await putOwnOperation(write, world, {
    connection,
    caller: reconcileCaller,
    requestId,
    resourceId: groupId,
    accountId: undefined,
    kind: 'update',
    about: 'group',
    isDeprovisioning: false,
    mayActivate: false,
    before: resource.json,
    version: resource.version,
    unknownSince: undefined,
  })
  return true
}
