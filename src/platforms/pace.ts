/** Pace within one process. Replicas that share a platform share their pace through the store instead. */
import type { Clock } from '../clock.ts'
import type { Pace } from './client.ts'

export interface PaceLimit {
  readonly requestsPerSecond: number
  /** Requests in flight at once. */
  readonly concurrency: number
}

const noPace: Pace = {
  async acquire(signal) {
    signal.throwIfAborted()
    return () => {}
  },
  hold: () => {},
}

/** `'off'` lets everything through at once, for platforms of one's own. Slots are given in the order asked. */
export function createPace(limit: PaceLimit | 'off', clock: Clock): Pace {
  if (limit === 'off') return noPace
  const intervalMs = 1000 / limit.requestsPerSecond
  const waiting: (() => void)[] = []
  let free = limit.concurrency
  let nextAt = 0
  let heldUntil = 0

  const takeTurn = (signal: AbortSignal): Promise<void> =>
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
    })

  // The place in flight is handed on rather than freed, so that nobody can slip in between.
  const giveTurn = () => {
    const next = waiting.shift()
    if (next === undefined) free += 1
    else next()
  }

  return {
    async acquire(signal) {
      await takeTurn(signal)
      try {
        const at = Math.max(nextAt, clock.now())
        nextAt = at + intervalMs
        // A hold may come while we sleep for a slot that was given before it.
        for (let until = at; until > clock.now(); until = Math.max(until, heldUntil)) {
          await clock.sleep(until - clock.now(), signal)
        }
      } catch (error) {
        giveTurn()
        throw error
      }
      let isFreed = false
      return () => {
        if (isFreed) return
        isFreed = true
        giveTurn()
      }
    },
    hold(ms) {
      heldUntil = Math.max(heldUntil, clock.now() + ms)
      nextAt = Math.max(nextAt, heldUntil)
    },
  }
}
