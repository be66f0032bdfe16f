/** What becomes of an operation whose attempt could not be recorded. Where the store does not take that either, it stays as it is. */
import { Fault } from '../errors.ts'
import type { Operation } from '../store/store.ts'
import type { ProvisionedConnection, World } from './connection.ts'
import { retryWaitMs } from './retry.ts'

const parkedLeaverRetryMs = 3_600_000

/** The store was away. */
export async function putOff(
  connection: ProvisionedConnection,
  { store, clock, random }: World,
  { id, attempts }: Operation,
): Promise<void> {
  const { maximumRetryMs: maximumMs } = connection
  const dueAt = clock.now() + retryWaitMs(attempts + 1, { maximumMs, random })
  await store
    .transaction((write) => write.updateOperation(connection.name, id, { attempts: attempts + 1, dueAt }))
    .catch(() => undefined)
}

/** What fails through a defect of ours is put aside alone: its neighbours go on. A leaver's is tried again all the same. */
export async function park(
  connection: ProvisionedConnection,
  { store, clock }: World,
  { id, attempts, isDeprovisioning }: Operation,
): Promise<void> {
  const { message: errorMessage, kind: errorKind } = new Fault('the attempt failed before its first call')
  const state = isDeprovisioning ? 'waiting' : 'failed'
  const dueAt = clock.now() + Math.min(parkedLeaverRetryMs, connection.maximumRetryMs)
  await store
    .transaction((write) =>
      write.updateOperation(connection.name, id, { attempts: attempts + 1, errorKind, errorMessage, state, dueAt }),
    )
    .catch(() => undefined)
}
