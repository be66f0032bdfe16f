import { Absent, Busy, PlatformError, Unknown } from '../errors.ts'
import { answerReserveMs, requestBudgetMs } from '../limits.ts'
import type { Operation } from '../store/store.ts'
import { attempt, type Settled } from './attempt.ts'
import { type Breaker, createBreaker } from './breaker.ts'
import type { ProvisionedConnection, World } from './connection.ts'

/** How often the outbox looks for operations that have become due. */
const tickMs = 500
const batch = 32

export interface Runner {
  readonly breaker: Breaker
  /** The operation has been replaced by a newer one of the same link: who waits for the old one gets the new one's result. */
  supersede(oldId: number, newId: number): void
  /** Attempts the link's operation at once and answers what came of operation `id`; rejects with the signal's reason. */
  runNow(operation: { readonly id: number; readonly resourceId: string }, signal: AbortSignal): Promise<Settled>
  /** Looks at the outbox soon. */
  wake(): void
  start(): void
  /** Starts nothing more; what is running may finish within `graceMs`, then its requests are aborted and it stays durable. */
  stop(graceMs: number): Promise<void>
}

interface Waiter {
  resolve(settled: Settled): void
}

/** Runs the operations of one connection: one at a time per link, in the order accepted, those that somebody waits for at once. */
export function createRunner(connection: ProvisionedConnection, world: World): Runner {
  const { store, clock, log } = world
  const breaker = createBreaker({
    clock,
    maximumWaitMs: connection.maximumRetryMs,
    deniedWaitMs: connection.deniedWaitMs,
  })
  const running = new Map<string, Promise<void>>()
  const waiters = new Map<number, Waiter[]>()
  const stopping = new AbortController()
  let isStopping = false
  let loop: Promise<void> | undefined
  let nudge: (() => void) | undefined

  const settle = (id: number, settled: Settled) => {
    for (const waiter of waiters.get(id) ?? []) waiter.resolve(settled)
    waiters.delete(id)
  }

  /** One attempt at whatever the link's operation is now. */
  async function attemptLink(resourceId: string): Promise<void> {
    const operation = await store.getOperation(connection.name, resourceId)
    if (operation === undefined || operation.state === 'failed') return
    try {
      settle(operation.id, await attemptOperation(operation))
    } catch (error) {
      // The commit failed: what was asked is durable, what was reached is not known to us.
      log.error(
        { connection: connection.name, operation: operation.id, err: error },
        'an attempt could not be recorded',
      )
      const failure = new Unknown('the outcome could not be recorded', { cause: error })
      settle(operation.id, { kind: 'waiting', error: failure, dueAt: clock.now() + tickMs })
    }
  }

  async function attemptOperation(operation: Operation): Promise<Settled> {
    const { resourceId } = operation
    if (!breaker.isClosed()) return waitForPlatform(operation)
    const isAwaited = waiters.has(operation.id)
    const [resource, link] = await store.transaction(async (write) => [
      await write.getAnyResource(connection.name, 'User', resourceId),
      await write.getLink(connection.name, resourceId),
    ])
    if (resource === undefined || link === undefined) {
      log.error(
        { connection: connection.name, operation: operation.id, alarm: true },
        'an operation has no resource or link',
      )
      await store.transaction((write) => write.updateOperation(connection.name, operation.id, { state: 'failed' }))
      return { kind: 'refused', error: new Absent(`${connection.name}: the operation has no resource`) }
    }
    const signal = AbortSignal.any([AbortSignal.timeout(requestBudgetMs - answerReserveMs), stopping.signal])
    const settled = await attempt({ connection, world, isAwaited }, operation, link, resource, signal)
    if (settled.kind === 'applied') breaker.succeeded()
    else reportFailure(settled.error)
    return settled
  }

  function reportFailure(error: PlatformError): void {
    const wasClosed = breaker.isClosed()
    // A refusal is an answer: the platform is there.
    if (error.rule.retry === 'stop') breaker.succeeded()
    else breaker.failed(error)
    if (wasClosed && !breaker.isClosed()) {
      log.error(
        { connection: connection.name, reason: breaker.reason(), detail: error.detail, alarm: true },
        'calls to the platform are suspended',
      )
    }
  }

  async function waitForPlatform(operation: Operation): Promise<Settled> {
    const dueAt = Math.max(operation.dueAt, breaker.nextProbeAt() ?? clock.now() + connection.maximumRetryMs)
    await store.transaction((write) =>
      write.updateOperation(connection.name, operation.id, { dueAt, state: 'waiting' }),
    )
    return { kind: 'waiting', error: new Busy(`${connection.name}: calls are suspended (${breaker.reason()})`), dueAt }
  }

  /** Attempts of one link never overlap; a request that arrives meanwhile gets its own attempt afterwards. */
  function runLink(resourceId: string): Promise<void> {
    const before = running.get(resourceId) ?? Promise.resolve()
    const mine = before
      .then(() => attemptLink(resourceId))
      .catch((error: unknown) =>
        log.error({ connection: connection.name, err: error }, 'an attempt could not be finished'),
      )
    running.set(resourceId, mine)
    void mine.finally(() => {
      if (running.get(resourceId) === mine) running.delete(resourceId)
    })
    return mine
  }

  async function probe(): Promise<void> {
    const signal = AbortSignal.any([AbortSignal.timeout(requestBudgetMs), stopping.signal])
    const nothing = () => Promise.resolve()
    try {
      await connection.platform.check({ signal, beforeWrite: nothing, created: nothing })
      breaker.succeeded()
      log.info({ connection: connection.name }, 'the platform is back')
      await makeDue()
    } catch (error) {
      const failure =
        error instanceof PlatformError ? error : new Unknown(`${connection.name}: the probe failed`, { cause: error })
      breaker.failed(failure)
    }
  }

  /** After an outage, and at start: nothing waits longer than it must. */
  async function makeDue(): Promise<void> {
    const now = clock.now()
    const waiting = await store.dueOperations(connection.name, Number.MAX_SAFE_INTEGER, 1_000)
    await store.transaction(async (write) => {
      for (const operation of waiting) {
        if (operation.dueAt > now) await write.updateOperation(connection.name, operation.id, { dueAt: now })
      }
    })
  }

  async function turn(): Promise<void> {
    if (breaker.isProbeDue()) await probe()
    if (!breaker.isClosed()) return
    const places = Math.max(1, connection.facts.pace.concurrency) * 4 - running.size
    if (places <= 0) return
    const due = await store.dueOperations(connection.name, clock.now(), Math.min(places, batch))
    for (const operation of due) {
      if (!running.has(operation.resourceId)) void runLink(operation.resourceId)
    }
  }

  async function work(): Promise<void> {
    await makeDue().catch((error: unknown) =>
      log.error({ connection: connection.name, err: error }, 'the outbox cannot be read'),
    )
    while (!isStopping) {
      try {
        await turn()
      } catch (error) {
        log.error({ connection: connection.name, err: error }, 'the outbox could not be worked on')
      }
      const woken = new Promise<void>((resolve) => {
        nudge = resolve
      })
      const awake = new AbortController()
      await Promise.race([woken, clock.sleep(tickMs, awake.signal).catch(() => undefined)])
      awake.abort()
    }
  }

  return {
    breaker,
    supersede(oldId, newId) {
      const old = waiters.get(oldId)
      if (old === undefined || oldId === newId) return
      waiters.delete(oldId)
      waiters.set(newId, [...(waiters.get(newId) ?? []), ...old])
    },
    runNow({ id, resourceId }, signal) {
      return new Promise((resolve, reject) => {
        const onAbort = () => reject(signal.reason)
        if (signal.aborted) return onAbort()
        signal.addEventListener('abort', onAbort, { once: true })
        const waiter = {
          resolve: (settled: Settled) => {
            signal.removeEventListener('abort', onAbort)
            resolve(settled)
          },
        }
        waiters.set(id, [...(waiters.get(id) ?? []), waiter])
        void runLink(resourceId)
      })
    },
    wake: () => nudge?.(),
    start() {
      loop ??= work()
    },
    async stop(graceMs) {
      isStopping = true
      nudge?.()
      const grace = setTimeout(() => stopping.abort(new Error('the bridge is stopping')), graceMs)
      await loop
      while (running.size > 0) await Promise.allSettled([...running.values()])
      clearTimeout(grace)
    },
  }
}
