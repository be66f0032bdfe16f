import type { Clock } from '../../clock.ts'
import { failedAttemptsPerMinute } from '../../limits.ts'
import type { Log } from '../../log.ts'
import type { Metrics } from '../metrics.ts'
import type { NotAuthenticated } from './refusal.ts'
import { sourceKey } from './source-address.ts'
import { createThrottle } from './throttle.ts'

export interface Attempt {
  /** Undefined: there is none of the name that was asked for. */
  readonly connection: string | undefined
  readonly requestId: string
  readonly address: string
  /** Where: `scim`, `oauth2/token`, `metrics`. */
  readonly door: string
}

/** Sees everybody who was not let in: counts them, writes them down, and says when it is too much. */
export interface Watch {
  /** Seconds to wait, when this attempt was one too many from its address; undefined: it is refused as any other. */
  failed(attempt: Attempt, failure: NotAuthenticated): number | undefined
}

/** Shorter than the minute: whoever guesses is told to come back when some of it is over. */
const guessRetrySeconds = 60

export function createWatch({ clock, log, metrics }: { clock: Clock; log: Log; metrics: Metrics }): Watch {
  const addresses = createThrottle(clock, failedAttemptsPerMinute)
  return {
    failed({ connection, requestId, address, door }, { reason, caller }) {
      metrics.countFailedAuthentication(connection ?? '-', reason)
      const key = sourceKey(address)
      const wasOver = addresses.isOver(key)
      const isOver = addresses.count(key)
      // A flood must not fill the disk: one line says that the rest of the minute is left out.
      if (!isOver) log.warn({ requestId, connection, address, door, reason, caller }, 'not authenticated')
      else if (!wasOver)
        log.warn({ address, door }, 'too many failed attempts from one address: the rest is counted only')
      if (reason === 'throttled') return guessRetrySeconds
      return isOver ? addresses.retryAfter(key) : undefined
    },
  }
}
