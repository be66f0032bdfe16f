import type { Clock } from '../../clock.ts'
import { retryAfterMinimum, throttledKeys } from '../../limits.ts'

const windowMs = 60_000

/** Counts what went wrong, by key and minute. */
export interface Throttle {
  isOver(key: string): boolean
  /** Answers whether it is over the limit now. */
  count(key: string): boolean
  /** Seconds until the key's minute is over. */
  retryAfter(key: string): number
}

export function createThrottle(clock: Clock, limit: number, mostKeys = throttledKeys): Throttle {
  const windows = new Map<string, { readonly since: number; count: number }>()
  const present = (key: string) => {
    const window = windows.get(key)
    // A clock that was set back would keep people out for as long.
    return window === undefined || Math.abs(clock.now() - window.since) >= windowMs ? undefined : window
  }
  return {
    isOver: (key) => (present(key)?.count ?? 0) >= limit,
    count(key) {
      const window = present(key)
      if (window !== undefined) {
        window.count += 1
        return window.count > limit
      }
      // In again at the end: the first of the Map is the oldest.
      windows.delete(key)
      windows.set(key, { since: clock.now(), count: 1 })
      const [oldest] = windows.keys()
      if (windows.size > mostKeys && oldest !== undefined) windows.delete(oldest)
      return false
    },
    retryAfter(key) {
      const window = present(key)
      const leftMs = window === undefined ? 0 : Math.min(windowMs, window.since + windowMs - clock.now())
      return Math.max(retryAfterMinimum, Math.ceil(leftMs / 1_000))
    },
  }
}
