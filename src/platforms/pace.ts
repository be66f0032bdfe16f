/** How fast one connection calls its platform. Slots may come from the store, so that a restart or another replica keeps the pace, too. */
import { type Clock, createPlannedTime } from '../clock.ts'
import type { Pace } from './client.ts'

export interface PaceLimit {
  readonly requestsPerSecond: number
  /** Requests in flight at once. */
  readonly concurrency: number
}

/** Gives out the times at which requests may start. */
export interface Slots {
  /** The next slot: `intervalMs` after the one before it, and not before `delayMs` have passed. Answers how long it is until then. */
  reserve(intervalMs: number, delayMs: number): Promise<number>
}

/** A platform that asked for patience is asked half as often for a while. */
const slowMs = 300_000
const slowFactor = 2
/** So many failures in a row are an outage. What waited for its end must not fall upon the platform at once. */
const outageFailures = 5
const climbMs = 60_000
const climbFrom = 0.25

const noPace: Pace = {
  async acquire(signal) {
    signal.throwIfAborted()
    return () => {}
  },
  hold: () => {},
  noteAnswer: () => {},
}

/** Slots of this process alone. */
export function createSlots(clock: Clock): Slots {
  const next = createPlannedTime(clock)
  return {
    async reserve(intervalMs, delayMs) {
      const now = clock.now()
      const at = Math.max(next.get() ?? now, now + delayMs)
      next.set(at + intervalMs)
      return at - now
    },
  }
}

function createSpan(clock: Clock) {
  const end = createPlannedTime(clock)
  const leftMs = () => Math.max(0, (end.get() ?? 0) - clock.now())
  return {
    leftMs,
    extendTo(ms: number) {
      end.set(clock.now() + Math.max(leftMs(), ms))
    },
  }
}

/** `'off'` lets everything through at once, for platforms of one's own. Slots are given in the order asked. */
export function createPace(limit: PaceLimit | 'off', clock: Clock, slots: Slots = createSlots(clock)): Pace {
  if (limit === 'off') return noPace
  const turns = createTurns(limit.concurrency)
  const held = createSpan(clock)
  const slow = createSpan(clock)
  let failures = 0
  let climbSince = Number.NEGATIVE_INFINITY

  const intervalMs = () => {
    const sinceMs = Math.max(0, clock.now() - climbSince)
    const climbed = Math.min(1, climbFrom + ((1 - climbFrom) * sinceMs) / climbMs)
    return (1000 / limit.requestsPerSecond) * (slow.leftMs() > 0 ? slowFactor : 1) * (1 / climbed)
  }

  return {
    async acquire(signal) {
      await turns.take(signal)
      try {
        // A hold may come while we sleep for a slot that was given before it. Those who slept do not begin at its end all at once.
        do {
          const ms = await slots.reserve(intervalMs(), held.leftMs())
          if (ms > 0) await clock.sleep(ms, signal)
        } while (held.leftMs() > 0)
      } catch (error) {
        turns.give()
        throw error
      }
      let isFreed = false
      return () => {
        if (isFreed) return
        isFreed = true
        turns.give()
      }
    },
    hold(ms) {
      held.extendTo(ms)
      slow.extendTo(ms + slowMs)
    },
    noteAnswer(isThere) {
      if (isThere && failures >= outageFailures) climbSince = clock.now()
      failures = isThere ? 0 : failures + 1
    },
  }
}

/** Places for requests in flight; who waits longest is next. */
function createTurns(places: number) {
  const waiting: (() => void)[] = []
  let free = places
  return {
    take: (signal: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        if (free > 0) {
          free -= 1
          return resolve()
        }
        const onTurn = () => {
          signal.removeEventListener('abort', onAbort)
          resolve()
        }
        const onAbort = () => {
          waiting.splice(waiting.indexOf(onTurn), 1)
          reject(signal.reason)
        }
        waiting.push(onTurn)
        signal.addEventListener('abort', onAbort, { once: true })
      }),
    // The place in flight is handed on rather than freed, so that nobody can slip in between.
    give() {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    },
  }
}
