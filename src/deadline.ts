/**
 * Limits in real time that leave nothing behind. `AbortSignal.timeout()` and `AbortSignal.any()` keep all that has listened to
 * them in memory until the time is up, whatever has come of the work: tens of kilobytes for every request, for half a minute.
 */
export interface Deadline {
  readonly signal: AbortSignal
  /** The work is over: the signal will not be aborted any more. */
  end(): void
}

/** Its signal is aborted after `ms` milliseconds with a `TimeoutError`, or together with one of `others`. */
export function startDeadline(ms: number, others: readonly AbortSignal[] = []): Deadline {
  const controller = new AbortController()
  const late = () => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
  const timer = setTimeout(late, ms).unref()
  const follow = () => controller.abort(others.find(({ aborted }) => aborted)?.reason)
  for (const other of others) other.addEventListener('abort', follow, { once: true })
  if (others.some(({ aborted }) => aborted)) follow()
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer)
      for (const other of others) other.removeEventListener('abort', follow)
    },
  }
}

/** Does the work with such a signal, and ends the deadline with it. */
export async function withDeadline<Result>(
  ms: number,
  others: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const deadline = startDeadline(ms, others)
  try {
    return await work(deadline.signal)
  } finally {
    deadline.end()
  }
}
