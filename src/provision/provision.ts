import { PlatformError } from '../errors.ts'
import type { AccountId } from '../facts.ts'
import type { StoreWriter } from '../store/store.ts'
import { acceptCreate, acceptDelete, acceptUpdate, type ComputeUser, type WantedUser } from './accept.ts'
import { createAnswers } from './answers.ts'
import type { Settled } from './commit.ts'
import type { Asked, ProvisionedConnection, World } from './connection.ts'
import { createProvisionedGroups, type ProvisionedGroups } from './groups.ts'
import type { AcceptContext, Accepted } from './intent.ts'
import { createOperator, type OperatorActions, type Workplace } from './operator.ts'
import { createOperatorRequests, type OperatorRequests } from './operator-requests.ts'
import { type FreshAccount, readAccountNow } from './read-account.ts'
import { type Begun, createRunner } from './runner.ts'

/** A human has to look at it first: identity providers need not ask more often. */
const heldRetryMs = 3_600_000

/** What the SCIM layer asks of one connection. Everything thrown is a `Problem`, or a failure of the store. */
export interface Provision {
  readonly connection: ProvisionedConnection
  /** Answers the user's id when it is applied (`confirmed`) or durable (`deferred`). 400, 409, 429 else. */
  createUser(asked: Asked, user: WantedUser): Promise<string>
  /** `compute` runs in the transaction that stores its result; `changed` false: nothing is stored. False: there is no such user. */
  updateUser(asked: Asked, id: string, compute: ComputeUser): Promise<boolean>
  /** False: there is no such user. */
  deleteUser(asked: Asked, id: string, isExpected: (version: number) => boolean): Promise<boolean>
  readonly groups: ProvisionedGroups
  /** What the bridge's operator may do. */
  readonly operator: OperatorActions
  /** What operators ask for beside the bridge. */
  readonly requests: OperatorRequests
  /** The answer of a create has reached the socket. */
  noteFlushed(id: string): void
  /** Whether calls to the platform are suspended, and why. */
  suspension(): string | undefined
  /** The platform's credentials are others now: a refusal of the old ones counts no more. */
  credentialsReplaced(): void
  /** Looks at the outbox soon. */
  wake(): void
  /** Whether operations are in work. */
  isBusy(): boolean
  /** As it is on the platform now. */
  readAccount(id: AccountId): Promise<FreshAccount>
  /** A call outside of any operation failed: calls may have to be suspended. */
  noteFailure(error: PlatformError): void
  start(): void
  /** See `Runner.stop`. */
  stop(graceMs: number): Promise<void>
}

/** Until then a mark is in memory only; those of many POSTs share a commit. Real milliseconds. */
const flushMarkMs = 50

export function createProvision(connection: ProvisionedConnection, world: World): Provision {
  const { store, clock, log } = world
  const runner = createRunner(connection, world)
  const answers = createAnswers(connection, clock)
  const { problemOf, notYet } = answers
  const flushed = new Set<string>()
  const isFlushed = (id: string) => flushed.has(id)
  const workplace: Workplace = {
    alone: runner.alone,
    claims: runner.claims,
    resume() {
      runner.breaker.resume()
      runner.wake()
    },
    wake: runner.wake,
  }

  /** Answers what `work` answers, and the attempt where it has begun in the same transaction: `finish` has to hear of both. */
  async function accept<T extends Accepted | 'missing' | 'done' | undefined>(
    asked: Asked,
    work: (write: StoreWriter, context: AcceptContext) => Promise<T>,
  ): Promise<{ readonly accepted: T; readonly begun: Begun | undefined }> {
    let begun: Begun | undefined
    try {
      const accepted = await store.transaction(async (write) => {
        const accepted = await work(write, { connection, world, asked, isFlushed })
        if (typeof accepted === 'object') begun = await begin(write, accepted)
        return accepted
      })
      if (typeof accepted === 'object' && accepted.replacedId !== undefined) {
        runner.supersede(accepted.resourceId, accepted.replacedId, accepted.operationId)
      }
      return { accepted, begun }
    } catch (error) {
      begun?.giveUp()
      throw error instanceof PlatformError ? problemOf(error) : error
    }
  }

  async function begin(write: StoreWriter, accepted: Accepted): Promise<Begun | undefined> {
    const { operationId: id, resourceId, heldBecause } = accepted
    if (connection.mode === 'deferred' || heldBecause !== undefined) return undefined
    return runner.begin(write, { id, resourceId })
  }

  /** Confirmed mode: the platform has been read as wanted, or a `Problem` says what became of the request. */
  async function finish(asked: Asked, accepted: Accepted, begun: Begun | undefined): Promise<void> {
    const { notKeptBecause } = accepted
    if (connection.mode === 'deferred') {
      runner.wake()
      if (notKeptBecause !== undefined) throw notYet(notKeptBecause, undefined)
      return
    }
    if (accepted.heldBecause !== undefined) throw notYet(accepted.heldBecause, clock.now() + heldRetryMs)
    let settled: Settled
    try {
      const run = accepted.isAsker ? runner.runNow : runner.runAlongside
      settled = await run({ id: accepted.operationId, resourceId: accepted.resourceId }, asked.signal, begun)
    } catch (error) {
      // The budget is spent. The operation is durable, and the outbox finishes it.
      if (!asked.signal.aborted) throw error
      throw notYet('The platform has not confirmed the change in time; it is kept and will be finished.', undefined)
    }
    if (notKeptBecause !== undefined) throw notYet(notKeptBecause, undefined)
    // Kept: never a final answer, whatever the reason.
    if (settled.kind === 'waiting') throw notYet(settled.error.message, settled.dueAt, settled.error)
    if (settled.kind === 'refused') throw problemOf(settled.error)
  }

  /** Best effort: lost, a mark only makes a repeated POST answer 201 instead of 409. */
  function flushSoon(): void {
    setTimeout(() => void storeFlushed(), flushMarkMs).unref()
  }

  async function storeFlushed(): Promise<void> {
    const ids = [...flushed]
    if (ids.length === 0) return
    try {
      await store.transaction(async (write) => {
        for (const id of ids) await write.setFlushed(connection.name, id)
      })
    } catch (error) {
      log.warn({ connection: connection.name, err: error }, 'flush marks were not stored')
    } finally {
      // Not kept for another time: while the store is away they would only grow.
      for (const id of ids) flushed.delete(id)
      if (flushed.size > 0) flushSoon()
    }
  }

  return {
    connection,
    async createUser(asked, user) {
      const { accepted, begun } = await accept(asked, (write, context) => acceptCreate(write, context, user))
      await finish(asked, accepted, begun)
      return accepted.resourceId
    },
    async updateUser(asked, id, compute) {
      const { accepted, begun } = await accept(asked, (write, context) => acceptUpdate(write, context, id, compute))
      if (accepted === 'missing') return false
      if (accepted !== 'done') await finish(asked, accepted, begun)
      return true
    },
    async deleteUser(asked, id, isExpected) {
      const { accepted, begun } = await accept(asked, (write, context) => acceptDelete(write, context, id, isExpected))
      if (accepted === undefined) return false
      await finish(asked, accepted, begun)
      return true
    },
    operator: createOperator(connection, world, workplace),
    requests: createOperatorRequests(connection, world, workplace),
    groups: createProvisionedGroups(connection, world, runner, answers),
    noteFlushed(id) {
      flushed.add(id)
      if (flushed.size === 1) flushSoon()
    },
    readAccount(id) {
      const { noteFailure } = runner
      return readAccountNow({ connection, world, suspension: () => runner.breaker.reason(), noteFailure }, id)
    },
    suspension: () => runner.breaker.reason(),
    credentialsReplaced() {
      runner.breaker.renewed()
      runner.wake()
    },
    wake: () => runner.wake(),
    isBusy: () => runner.isBusy(),
    noteFailure: (error) => runner.noteFailure(error),
    start: () => runner.start(),
    async stop(graceMs) {
      await runner.stop(graceMs)
      await storeFlushed()
    },
  }
}
