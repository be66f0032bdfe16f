import { withDeadline } from '../deadline.ts'
import { type PlatformError, Unknown } from '../errors.ts'
import { claimPollMs } from '../limits.ts'
import { type Operation, StoreUnavailable, type StoreWriter } from '../store/store.ts'
import { attempt, type Start } from './attempt.ts'
import { attemptGroup, type GroupStart } from './attempt-group.ts'
import type { Breaker } from './breaker.ts'
import { ClaimLost, type Claims, claimLink, createClaims, keepLink, releaseLink, storeOfClaim } from './claims.ts'
import type { Settled } from './commit.ts'
import type { ProvisionedConnection, World } from './connection.ts'
import { createOutbox } from './outbox.ts'
import { readStart } from './start.ts'
import { createSuspension } from './suspension.ts'
import { inAttemptSpan } from './traced-attempt.ts'
import { park, tryLater } from './unrecorded.ts'
import { createWaiters } from './waiters.ts'

export interface Runner {
  readonly breaker: Breaker
  /**
   * The operation has been replaced by a newer one of the same link: who waits for the old one gets the new one's result,
   * unless the old one is in work already.
   */
  supersede(resourceId: string, oldId: number, newId: number): void
  /**
   * Inside the transaction that accepts the operation: begins its attempt, so that no transaction of its own is needed for that.
   * Undefined where another attempt comes first. Whoever gets one says whether it goes on; until then the link's others wait.
   */
  begin(write: StoreWriter, operation: AcceptedOperation): Promise<Begun | undefined>
  /** Attempts the link's operation at once and answers what came of operation `id`; rejects with the signal's reason. */
  runNow(operation: AcceptedOperation, signal: AbortSignal, begun?: Begun): Promise<Settled>
  /** The same for a request that has not asked for what the operation does to the account: that was promised to another one, and stays so. */
  runAlongside(operation: AcceptedOperation, signal: AbortSignal, begun?: Begun): Promise<Settled>
  /** Runs `work` when no attempt at the link is in work, and none begins before its end. */
  alone<Result>(resourceId: string, work: () => Promise<Result>): Promise<Result>
  /** As `Claims`: for an account that is taken over outside of an attempt. */
  readonly claims: Claims
  /** Looks at the outbox soon. */
  wake(): void
  /** Whether anything is in work. */
  isBusy(): boolean
  /** A call outside of any operation failed: it counts as much as one of an attempt. */
  noteFailure(error: PlatformError): void
  start(): void
  /** Starts nothing more; what is running may finish within `graceMs`, then its requests are aborted and it stays durable. */
  stop(graceMs: number): Promise<void>
}

interface AcceptedOperation {
  readonly id: number
  readonly resourceId: string
}

/** An attempt that has what it starts from. */
export interface Begun {
  goOn(): void
  /** What it would start from was not stored. */
  giveUp(): void
}

/** Runs the operations of one connection: one at a time per link, in the order accepted, those that somebody waits for at once. */
export function createRunner(connection: ProvisionedConnection, world: World): Runner {
  const { store, clock, log } = world
  const running = new Map<string, Promise<void>>()
  const waiters = createWaiters(clock)
  const claims = createClaims()
  /** Nothing new is begun. */
  const ending = new AbortController()
  /** What is in work is given up. */
  const stopping = new AbortController()
  const suspension = createSuspension(connection, world, stopping.signal)
  const { breaker } = suspension
  const outbox = createOutbox(connection, world, {
    suspension,
    isRunning: (resourceId) => running.has(resourceId),
    running: () => running.size,
    run: runLink,
  })
  let isStopping = false

  /** One attempt at whatever the link's operation is now, unless another process is at it. `begun`: it has begun already. */
  async function attemptLink(resourceId: string, begun?: Start | GroupStart): Promise<void> {
    let operation = begun?.operation
    let isClaimed = begun !== undefined
    try {
      const begin = () =>
        store.transaction(async (write): Promise<Start | GroupStart | 'elsewhere' | undefined> => {
          const found = await takeUp(write, resourceId)
          operation = found.operation
          isClaimed = found.isOurs
          if (!isToBeAttempted(operation)) return undefined
          if (!isClaimed) return 'elsewhere'
          const read = await readStart(write, connection.name, operation)
          waiters.begin(resourceId, operation.id)
          return read
        })
      let start = begun ?? (await begin())
      while (start === 'elsewhere' && waiters.hasAny(resourceId) && !isStopping) {
        await clock.sleep(claimPollMs, ending.signal).catch(() => undefined)
        start = await begin()
      }
      if (start === undefined || start === 'elsewhere') return
      const settled = await attemptOperation(start)
      waiters.settle(resourceId, start.operation.id, settled)
    } catch (error) {
      // What was asked is durable; what was reached is not known to us, and the next attempt finds it.
      log.error(
        { connection: connection.name, operation: operation?.id, err: error, alarm: true },
        'an attempt could not be recorded',
      )
      if (operation === undefined || error instanceof ClaimLost) return
      if (error instanceof StoreUnavailable) {
        outbox.pause()
        await tryLater(connection, world, operation)
      } else {
        await park(connection, world, operation)
      }
    } finally {
      waiters.end(resourceId)
      // Who waits for the next one gets it from here.
      if (isClaimed && !waiters.hasAny(resourceId)) await releaseLink(store, connection.name, resourceId)
    }
  }

  async function attemptOperation(start: Start | GroupStart): Promise<Settled> {
    const { operation } = start
    if (!breaker.isClosed()) return suspension.putOff(operation)
    const isAwaited = () => waiters.hasAsker(operation.resourceId, operation.id)
    const { resourceId } = operation
    const claimed = {
      ...world,
      store: storeOfClaim(store, (write) => keepLink(write, connection.name, resourceId)),
    }
    const settled = await inAttemptSpan(world, operation, () =>
      withDeadline(world.attemptMs, [stopping.signal], (signal) =>
        'link' in start
          ? attempt({ connection, world: claimed, claims, isAwaited }, start, signal)
          : attemptGroup({ connection, world: claimed, isAwaited }, start, signal),
      ),
    )
    if (settled.kind === 'applied') suspension.noteSuccess()
    else suspension.noteFailure(settled.error)
    return settled
  }

  /** Attempts of one link never overlap; a request that arrives meanwhile gets its own attempt afterwards. */
  function runLink(resourceId: string): Promise<void> {
    const before = running.get(resourceId) ?? Promise.resolve()
    return follow(
      resourceId,
      before.then(() => attemptLink(resourceId)),
    )
  }

  /** Answers the end of the work, when nobody is told of it any more. */
  function follow(resourceId: string, work: Promise<void>): Promise<void> {
    const mine = work.finally(() => {
      if (running.get(resourceId) !== mine) return
      running.delete(resourceId)
      if (!waiters.hasAny(resourceId)) return
      const error = new Unknown(`${connection.name}: the outcome was not seen`)
      waiters.settleRest(resourceId, { kind: 'waiting', error, dueAt: clock.now() })
    })
    running.set(resourceId, mine)
    return mine
  }

  /** The link's operation, and whether this process may be at it. */
  async function takeUp(write: StoreWriter, resourceId: string) {
    const [operation, isOurs] = await Promise.all([
      write.getOperation(connection.name, resourceId),
      claimLink(write, connection.name, resourceId),
    ])
    return { operation, isOurs }
  }

  async function beginAccepted(
    write: StoreWriter,
    { id, resourceId }: AcceptedOperation,
  ): Promise<Start | GroupStart | undefined> {
    const { operation, isOurs } = await takeUp(write, resourceId)
    if (!isOurs || operation?.id !== id || !isToBeAttempted(operation)) return undefined
    return readStart(write, connection.name, operation)
  }

  function alone<Result>(resourceId: string, work: () => Promise<Result>): Promise<Result> {
    const before = running.get(resourceId)
    const result = before === undefined ? work() : before.then(work)
    follow(
      resourceId,
      result.then(
        () => undefined,
        () => undefined,
      ),
    )
    return result
  }

  function runFor(
    { id, resourceId }: AcceptedOperation,
    signal: AbortSignal,
    begun: Begun | undefined,
    isAsker: boolean,
  ): Promise<Settled> {
    const settled = waiters.wait(resourceId, id, signal, isAsker)
    if (begun === undefined) void runLink(resourceId)
    else begun.goOn()
    return settled
  }

  return {
    breaker,
    supersede: (resourceId, oldId, newId) => waiters.supersede(resourceId, oldId, newId),
    async begin(write, accepted) {
      const { id, resourceId } = accepted
      if (isStopping || running.has(resourceId) || !breaker.isClosed()) return undefined
      const { promise: ended, resolve: end } = Promise.withResolvers<void>()
      // From now on: another request about the link, which this very commit may serve, comes after this one.
      follow(resourceId, ended)
      // What cannot be read is the attempt's misfortune: it says so itself, and what was asked stays asked.
      const begun = await beginAccepted(write, accepted).catch(() => undefined)
      if (begun === undefined) {
        end()
        return undefined
      }
      waiters.begin(resourceId, id)
      const giveUp = () => {
        waiters.end(resourceId)
        end()
      }
      // Called outside of the transaction, of which the attempt is no part.
      return { goOn: () => end(attemptLink(resourceId, begun)), giveUp }
    },
    runNow: (operation, signal, begun) => runFor(operation, signal, begun, true),
    runAlongside: (operation, signal, begun) => runFor(operation, signal, begun, false),
    alone,
    claims,
    wake: outbox.wake,
    isBusy: () => running.size > 0,
    noteFailure: suspension.noteFailure,
    start: outbox.start,
    async stop(graceMs) {
      isStopping = true
      ending.abort()
      const grace = setTimeout(() => stopping.abort(new Error('the bridge is stopping')), graceMs)
      await outbox.end()
      while (running.size > 0) await Promise.allSettled([...running.values()])
      clearTimeout(grace)
    },
  }
}

function isToBeAttempted(operation: Operation | undefined): operation is Operation {
  return operation !== undefined && operation.state !== 'failed' && operation.state !== 'held'
}
