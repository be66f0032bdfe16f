/** What an attempt at a group has come to, in one transaction with the end of its operation or its next due time. */
import { type PlatformError, Refused } from '../errors.ts'
import type { GroupLink } from '../store/grant-store.ts'
import { AccountTaken, NameTaken, type Operation, type StoreWriter } from '../store/store.ts'
import type { CommitContext, Settled } from './commit.ts'
import type { World } from './connection.ts'
import { keysOf, parseDocument } from './document.ts'
import { putOff, setAside } from './put-off.ts'
import { putOwnOperation, reconcileCaller } from './reconcile-operation.ts'
import { hasEnded } from './retry.ts'

/** As on the platform now; undefined when it has been ended, or let go. `isNew`: made, or taken over, by this attempt. */
export type ReachedGroup =
  | (Pick<GroupLink, 'groupId' | 'name' | 'wasCreated'> & { readonly isNew: boolean })
  | undefined

/** `json`: the document that the attempt started from. */
export async function commitGroup(
  write: StoreWriter,
  { connection: { name: connection }, world }: CommitContext,
  operation: Operation,
  json: string | undefined,
  reached: ReachedGroup,
): Promise<void> {
  const { resourceId, requestId, caller } = operation
  await write.deleteOperation(connection, operation.id)
  // One that has taken its place finds by the link what has been made.
  await write.noteUnknown(connection, resourceId, undefined)
  if (reached === undefined) return
  // Deleted meanwhile: what is left of it is for its members' operations, and for its own end.
  const isThere = (await write.getAnyResource(connection, 'Group', resourceId)) !== undefined
  try {
    const deletedAt = isThere ? undefined : new Date(world.clock.now()).toISOString()
    const { isNew: _, ...group } = reached
    await write.putGroupLink({ connection, resourceId, state: isThere ? 'live' : 'tombstone', ...group, deletedAt })
  } catch (error) {
    if (!(error instanceof AccountTaken)) throw error
    throw new Refused(
      'Another group of this connection was linked to the group with this name at the same time.',
      `${connection}: group ${reached.groupId} is held by another link`,
      { cause: error },
    )
  }
  if (!isThere) return
  await write.showResource(connection, 'Group', resourceId)
  // A refusal of a newer request goes back to what has just been reached.
  const newer = await write.getOperation(connection, resourceId)
  if (newer !== undefined)
    await write.updateOperation(connection, newer.id, { kind: 'update', before: json, attempts: 0 })
  if (operation.kind !== 'create' && !reached.isNew) return
  // They may have been added before there was a group to be a member of, or were in one that is gone: that is looked at.
  const members = (await write.members(connection, resourceId)).map(({ id }) => id)
  const now = world.clock.now()
  const createdAt = new Date(now).toISOString()
  const asking = operation.kind === 'create' ? caller : reconcileCaller
  await write.putGrantOperations(connection, members, { dueAt: now, requestId, caller: asking, createdAt })
}

/** By the class of the error alone: the operation waits, is put aside, or what was asked is undone. */
export async function commitGroupFailure(
  write: StoreWriter,
  context: CommitContext,
  operation: Operation,
  error: PlatformError,
  mayHaveChanged: boolean,
): Promise<Settled> {
  const { connection, world, isAwaited } = context
  const now = world.clock.now()
  if (error.rule.retry !== 'stop') {
    const isOver = hasEnded(operation, error, operation.attempts + 1, now)
    // The platform may have done it: nothing is undone that nobody knows.
    return isOver ? setAside(write, context, operation, error) : putOff(write, context, operation, error)
  }
  const mayUndo = connection.mode === 'confirmed' && error.kind !== 'fault' && isAwaited()
  if (!mayUndo || !(await undo(write, connection.name, world, operation, mayHaveChanged)))
    return setAside(write, context, operation, error)
  return { kind: 'refused', error }
}

/** False, and nothing done, when the former name has been given to another group, or the group is to end. */
async function undo(
  write: StoreWriter,
  connection: string,
  world: World,
  operation: Operation,
  mayHaveChanged: boolean,
): Promise<boolean> {
  const { id, resourceId, kind, before } = operation
  if (kind === 'delete') return false
  const present = await write.getOperation(connection, resourceId)
  if (present?.id !== id) return true
  if (before === undefined) {
    const stored = await write.getAnyResource(connection, 'Group', resourceId)
    // Seen already: it stays, and its operation tells why it is not on the platform.
    if (stored?.visible === true) return false
    await write.deleteOperation(connection, id)
    await write.deleteResource(connection, 'Group', resourceId)
    return true
  }
  const current = await write.getAnyResource(connection, 'Group', resourceId)
  if (current !== undefined) {
    const keys = keysOf(parseDocument(before))
    const at = new Date(world.clock.now()).toISOString()
    try {
      const expectedVersion = current.version
      await write.updateResource(connection, {
        type: 'Group',
        id: resourceId,
        expectedVersion,
        json: before,
        keys,
        now: at,
      })
    } catch (error) {
      if (!(error instanceof NameTaken)) throw error
      return false
    }
  }
  // What has been written already is taken back: the group is called what it was.
  if (mayHaveChanged) {
    const own = { ...operation, connection, accountId: undefined, caller: reconcileCaller, createdAt: undefined }
    await putOwnOperation(write, world, own)
  } else await write.deleteOperation(connection, id)
  return true
}
