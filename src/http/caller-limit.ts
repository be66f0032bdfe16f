import type { RequestHandler } from 'express'
import type { Clock } from '../clock.ts'
import { Problem } from '../errors.ts'
import { concurrentRequests, requestBurst, requestsPerSecond, retryAfterMinimum } from '../limits.ts'
import { stateOf, whenClosed } from './request-state.ts'

export interface CallerLimits {
  /** Of one caller, on the average. */
  readonly requestsPerSecond: number
  /** So many at once after a rest. */
  readonly burst: number
  /** In work at once, of one connection. */
  readonly concurrentRequests: number
}

const defaults: CallerLimits = { requestsPerSecond, burst: requestBurst, concurrentRequests }

/** One caller never takes all of the process: bounds what is in work at once, and how much comes in. */
export function callerLimit(clock: Clock, limits: CallerLimits = defaults): RequestHandler {
  const inWork = new Map<string, number>()
  const take = rateLimit(clock, limits)
  return (_request, response, next) => {
    const { connection: name = '', caller = '' } = stateOf(response)
    const count = inWork.get(name) ?? 0
    if (count >= limits.concurrentRequests) {
      throw tooMany('Too many requests of this connection are in work; try again.', retryAfterMinimum)
    }
    const waitMs = take(`${name} ${caller}`)
    if (waitMs > 0) {
      throw tooMany('Too many requests in a short time; go slower.', Math.max(1, Math.ceil(waitMs / 1_000)))
    }
    inWork.set(name, count + 1)
    whenClosed(response, () => {
      const left = (inWork.get(name) ?? 1) - 1
      if (left === 0) inWork.delete(name)
      else inWork.set(name, left)
    })
    next()
  }
}

/**
 * Takes a place for one request of this caller and answers 0, or how long it has to wait for one. Callers have proved who they
 * are, so there are no more of them than the configuration has.
 */
function rateLimit(clock: Clock, { requestsPerSecond, burst }: CallerLimits): (caller: string) => number {
  const places = new Map<string, { left: number; at: number }>()
  return (caller) => {
    const now = clock.now()
    const known = places.get(caller) ?? { left: burst, at: now }
    // A clock that was set back gives nothing and takes nothing.
    const passedMs = Math.max(0, now - known.at)
    known.left = Math.min(burst, known.left + (passedMs * requestsPerSecond) / 1_000)
    known.at = now
    places.set(caller, known)
    if (known.left < 1) return ((1 - known.left) * 1_000) / requestsPerSecond
    known.left -= 1
    return 0
  }
}

function tooMany(text: string, seconds: number): Problem {
  return new Problem(429, undefined, text, { headers: { 'Retry-After': String(seconds) } })
}
