import { withDeadline } from '../deadline.ts'
import { Absent, Busy, Denied, PlatformError, Unknown } from '../errors.ts'
import { type Operation, StoreUnavailable } from '../store/store.ts'
import { type Breaker, createBreaker } from './breaker.ts'
import type { Settled } from './commit.ts'
import type { ProvisionedConnection, World } from './connection.ts'

/** Whether calls to the platform of one connection are suspended: after failures they are, until it answers when it is asked. */
export interface Suspension {
  readonly breaker: Breaker
  noteSuccess(): void
  noteFailure(error: PlatformError): void
  /** Whether it is back. */
  probe(): Promise<boolean>
  /** The operation waits until the platform is asked next. */
  putOff(operation: Operation): Promise<Settled>
}

/** `stopping`: what fails from then on says nothing about the platform. */
export function createSuspension(connection: ProvisionedConnection, world: World, stopping: AbortSignal): Suspension {
  const { store, clock, log } = world
  const { name, platform, maximumRetryMs, deniedWaitMs } = connection
  const breaker = createBreaker({ clock, maximumWaitMs: maximumRetryMs, deniedWaitMs })
  return {
    breaker,
    noteSuccess() {
      if (breaker.isClosed()) breaker.succeeded()
    },
    noteFailure(error) {
      const isOurs = error.kind === 'fault' || error.cause instanceof StoreUnavailable || stopping.aborted
      // Said to be gone where a search, or we, know better: an answer that is behind its time.
      const isBehind = error instanceof Unknown && error.cause instanceof Absent
      const isOfOne = isBehind || (error instanceof Denied && error.isOfOne)
      // What began before the calls were suspended says nothing new about the platform.
      if (isOurs || !(breaker.isClosed() || (error.kind === 'denied' && !isOfOne))) return
      const wasClosed = breaker.isClosed()
      // A refusal is an answer: the platform is there. So is one that is about this account alone.
      if (error.rule.retry === 'stop' || isOfOne) breaker.succeeded()
      else breaker.failed(error)
      if (!wasClosed || breaker.isClosed()) return
      const line = { connection: name, reason: breaker.reason(), detail: error.detail, alarm: true }
      log.error(line, 'calls to the platform are suspended')
    },
    async probe() {
      const nothing = () => Promise.resolve()
      try {
        await withDeadline(world.attemptMs, [stopping], (signal) =>
          platform.check({ signal, beforeWrite: nothing, created: nothing }),
        )
      } catch (cause) {
        breaker.failed(cause instanceof PlatformError ? cause : new Unknown(`${name}: the probe failed`, { cause }))
        return false
      }
      breaker.succeeded()
      log.info({ connection: name }, 'the platform is back')
      return true
    },
    async putOff({ id, dueAt: planned }) {
      const dueAt = Math.max(planned, breaker.nextProbeAt() ?? clock.now() + maximumRetryMs)
      await store.transaction((write) => write.updateOperation(name, id, { dueAt, state: 'waiting' }))
      return { kind: 'waiting', error: new Busy(`${name}: calls are suspended (${breaker.reason()})`), dueAt }
    },
  }
}
