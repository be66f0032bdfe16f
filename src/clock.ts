/** Time comes in as an argument, so that tests decide what it is. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Resolves after `ms` milliseconds, or rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }, ms)
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
}

/** Answers each time by how many milliseconds the clock was set back since the time before: what was planned comes so much sooner. */
export function setBack(clock: Clock): () => number {
  let latest = Number.NEGATIVE_INFINITY
  return () => {
    const now = clock.now()
    const ms = Math.max(0, latest - now)
    latest = now
    return ms
  }
}

/** A moment ahead, in milliseconds since 1970. A clock that is set back takes it along: nobody waits for it longer than was planned. */
export interface PlannedTime {
  get(): number | undefined
  set(at: number | undefined): void
}

export function createPlannedTime(clock: Clock): PlannedTime {
  const setBackMs = setBack(clock)
  let planned: number | undefined
  return {
    get() {
      const sooner = setBackMs()
      if (planned !== undefined) planned -= sooner
      return planned
    },
    set(at) {
      setBackMs()
      planned = at
    },
  }
}

/** Does the work again and again, `ms` after its end, until the signal is aborted. `work` deals with its own failures. */
export async function repeat(clock: Clock, ms: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(ms, signal)
    } catch {
      return
    }
    await work()
  }
}
