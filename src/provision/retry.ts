import { retryAfterDefault, retryAfterMaximum, retryAfterMinimum } from '../limits.ts'

const second = 1_000
const minute = 60 * second
/** Wait after the n-th failed attempt; the last one repeats. */
const waitsMs = [5 * second, 15 * second, minute, 3 * minute, 10 * minute, 20 * minute, 40 * minute, 60 * minute]
const toldMaximumMs = 60 * minute

/**
 * Milliseconds until the next attempt: the table, ± 20 % so that many do not come back at once, bounded by the connection's
 * maximum; a platform's own Retry-After wins when it is later (at most an hour).
 */
export function retryWaitMs(
  attempts: number,
  options: { readonly maximumMs: number; readonly toldMs?: number | undefined; readonly random: () => number },
): number {
  const planned = waitsMs[Math.min(Math.max(attempts, 1), waitsMs.length) - 1] ?? 60 * minute
  const jittered = Math.min(planned, options.maximumMs) * (0.8 + 0.4 * options.random())
  const bounded = Math.min(jittered, options.maximumMs)
  return Math.round(Math.max(bounded, Math.min(options.toldMs ?? 0, toldMaximumMs)))
}

/** Whole seconds for the identity provider: Okta ignores dates and fractions. */
export function retryAfterSeconds(dueAt: number | undefined, now: number): number {
  if (dueAt === undefined) return retryAfterDefault
  return Math.min(Math.max(Math.ceil((dueAt - now) / second), retryAfterMinimum), retryAfterMaximum)
}
