/** What becomes of an operation whose attempt could not be recorded. */
import { Fault } from '../errors.ts'
import type { Operation } from '../store/store.ts'
import type { ProvisionedConnection, World } from './connection.ts'
import { retryWaitMs } from './retry.ts'

const parkedLeaverRetryMs = 3_600_000

/** The store was away. */
export function tryLater(connection: ProvisionedConnection, world: World, operation: Operation): Promise<void> {
  const { maximumRetryMs: maximumMs } = connection
  const dueAt = world.clock.now() + retryWaitMs(operation.attempts + 1, { maximumMs, random: world.random })
  return note(connection, world, operation, { dueAt })
}

/** What fails through a defect of ours is put aside alone: its neighbours go on. A leaver's is tried again all the same. */
export function park(connection: ProvisionedConnection, world: World, operation: Operation): Promise<void> {
  const { message: errorMessage, kind: errorKind } = new Fault('the attempt failed before its first call')
  const state = operation.isDeprovisioning ? 'waiting' : 'failed'
  const dueAt = world.clock.now() + Math.min(parkedLeaverRetryMs, connection.maximumRetryMs)
  return note(connection, world, operation, { errorKind, errorMessage, state, dueAt })
}

/** Where the store does not take that either, the operation stays as it is. */
async function note(
  { name }: ProvisionedConnection,
  { store }: World,
  { id, attempts }: Operation,
  change: Partial<Operation>,
): Promise<void> {
  await store
    .transaction((write) => write.updateOperation(name, id, { ...change, attempts: attempts + 1 }))
    .catch(() => undefined)
}
