import { type Clock, createPlannedTime } from '../clock.ts'
import type { PlatformError } from '../errors.ts'

/** Waits between two probes of a platform that is away; the last one repeats. */
const probeWaitsMs = [30_000, 60_000, 120_000, 300_000, 600_000, 900_000]
const failuresToOpen = 5

export interface BreakerOptions {
  readonly clock: Clock
  /** Upper bound of any wait between two probes. */
  readonly maximumWaitMs: number
  /** Wait before the platform is asked again after it refused our credentials; undefined: only an operator or new credentials end it. */
  readonly deniedWaitMs: number | undefined
}

export interface Breaker {
  /** False: nothing may be called now. */
  isClosed(): boolean
  /** Open, and the time for one careful call has come. */
  isProbeDue(): boolean
  /** When the next probe is due; milliseconds since 1970, `undefined` when closed or when no probe will come by itself. */
  nextProbeAt(): number | undefined
  succeeded(): void
  /** There are new credentials: after a refusal of the old ones the platform is asked at once. */
  renewed(): void
  /** An operator wants the platform to be asked at once, whatever it was suspended for. */
  resume(): void
  failed(error: PlatformError): void
  /** Why it is open: the class of the last error. */
  reason(): string | undefined
}

/**
 * Stops calling a platform that is away or refuses us: after 5 `Unreachable` or `Unknown` in a row, or at the first `Denied`.
 * Some platforms lock an account after a few wrong log-ins, so after `Denied` repetition does harm.
 */
export function createBreaker(options: BreakerOptions): Breaker {
  let failures = 0
  let openReason: string | undefined
  let probes = 0
  const probeAt = createPlannedTime(options.clock)

  const schedule = () => {
    const wait = probeWaitsMs[Math.min(probes, probeWaitsMs.length - 1)] ?? 900_000
    const bounded = openReason === 'denied' ? options.deniedWaitMs : Math.min(wait, options.maximumWaitMs)
    probeAt.set(bounded === undefined ? undefined : options.clock.now() + bounded)
    probes += 1
  }
  return {
    isClosed: () => openReason === undefined,
    isProbeDue: () => openReason !== undefined && (probeAt.get() ?? Number.POSITIVE_INFINITY) <= options.clock.now(),
    nextProbeAt: () => (openReason === undefined ? undefined : probeAt.get()),
    reason: () => openReason,
    succeeded() {
      failures = 0
      probes = 0
      openReason = undefined
      probeAt.set(undefined)
    },
    resume() {
      if (openReason !== undefined) probeAt.set(options.clock.now())
    },
    renewed() {
      if (openReason === 'denied') probeAt.set(options.clock.now())
    },
    failed(error) {
      if (error.kind === 'denied') openReason = 'denied'
      else if (error.kind === 'unreachable' || error.kind === 'unknown') {
        failures += 1
        if (failures >= failuresToOpen && openReason === undefined) openReason = error.kind
      }
      if (openReason !== undefined) schedule()
    },
  }
}
