import type { PlatformError } from '../errors.ts'
import { retryAfterDefault, retryAfterMaximum, retryAfterMinimum } from '../limits.ts'
import type { Operation } from '../store/store.ts'

const second = 1_000
const minute = 60 * second
/** Wait after the n-th failed attempt; the last one repeats. */
const waitsMs = [5 * second, 15 * second, minute, 3 * minute, 10 * minute, 20 * minute, 40 * minute, 60 * minute]
const toldMaximumMs = 60 * minute
/** So often an answer that breaks the contract is looked into. */
const brokenAttempts = 3
/** Longer than any outage that ends by itself; then an operator decides. */
const giveUpAfterMs = 30 * 24 * 60 * minute

/**
 * Another attempt is not expected to change anything; `attempts` counts the one that has just failed. One page of a proxy at
 * the end of a long outage is no broken contract: the attempt before has to have been answered so as well.
 */
export function hasEnded(
  { createdAt, errorKind }: Operation,
  error: PlatformError,
  attempts: number,
  now: number,
): boolean {
  const isBrokenAgain = error.kind === 'broken' && errorKind === 'broken'
  return (isBrokenAgain && attempts >= brokenAttempts) || now - Date.parse(createdAt) > giveUpAfterMs
}

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
