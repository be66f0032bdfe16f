/** What becomes of an operation whose attempt has failed, whether it is about a user or a group: it waits, or it is set aside. */
import type { PlatformError } from '../errors.ts'
import type { Operation, StoreWriter } from '../store/store.ts'
import type { CommitContext, Settled } from './commit.ts'
import { retryWaitMs } from './retry.ts'

function failureOf({ attempts }: Operation, { kind, message }: PlatformError) {
  return { attempts: attempts + 1, errorKind: kind, errorMessage: message }
}

/** It is tried again at its time, or at `dueAt`. */
export async function putOff(
  write: StoreWriter,
  { connection: { name, maximumRetryMs: maximumMs }, world }: CommitContext,
  operation: Operation,
  error: PlatformError,
  at?: number,
): Promise<Settled> {
  const failure = failureOf(operation, error)
  const now = world.clock.now()
  const { random } = world
  const dueAt = at ?? now + retryWaitMs(failure.attempts, { maximumMs, toldMs: error.retryAfterMs, random })
  await write.updateOperation(name, operation.id, { ...failure, state: 'waiting', dueAt })
  return { kind: 'waiting', error, dueAt }
}

/** It stays visible until an operator, or the next request, takes it up. */
export async function setAside(
  write: StoreWriter,
  { connection }: CommitContext,
  operation: Operation,
  error: PlatformError,
  change: Partial<Operation> = {},
): Promise<Settled> {
  const failure = failureOf(operation, error)
  await write.updateOperation(connection.name, operation.id, { ...failure, ...change, state: 'failed' })
  return { kind: 'refused', error }
}
