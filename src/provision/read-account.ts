/** An account as it is on the platform now, for somebody who looks at it: read once, at the connection's pace, and not stored. */
import { startDeadline } from '../deadline.ts'
import { type ErrorKind, PlatformError } from '../errors.ts'
import type { Account, AccountId } from '../facts.ts'
import type { ProvisionedConnection, World } from './connection.ts'

export type FreshAccount =
  | { readonly kind: 'read'; readonly account: Account }
  /** The platform says for certain that there is none with this id. */
  | { readonly kind: 'gone' }
  /** Calls are suspended for this class of error: it was not asked. */
  | { readonly kind: 'suspended'; readonly reason: string }
  | { readonly kind: 'failed'; readonly errorKind: ErrorKind; readonly detail: string }
  | { readonly kind: 'late' }

interface Surroundings {
  readonly connection: ProvisionedConnection
  readonly world: Pick<World, 'attemptMs'>
  suspension(): string | undefined
  /** As after a failed attempt: calls may have to be suspended. */
  noteFailure(error: PlatformError): void
}

export async function readAccountNow(surroundings: Surroundings, id: AccountId): Promise<FreshAccount> {
  const { connection, world, suspension, noteFailure } = surroundings
  const reason = suspension()
  if (reason !== undefined) return { kind: 'suspended', reason }
  const refuse = () => Promise.reject(new Error('who looks writes nothing'))
  const deadline = startDeadline(world.attemptMs)
  const { signal } = deadline
  try {
    const account = await connection.platform.read({ signal, beforeWrite: refuse, created: refuse }, id)
    return account === undefined ? { kind: 'gone' } : { kind: 'read', account }
  } catch (error) {
    // Its turn at the pace may not have come: that says nothing of the platform.
    if (signal.aborted) return { kind: 'late' }
    if (!(error instanceof PlatformError)) throw error
    noteFailure(error)
    return { kind: 'failed', errorKind: error.kind, detail: error.detail }
  } finally {
    deadline.end()
  }
}
