/**
 * Runs `work` under a signal that is aborted after so many real milliseconds, or with `stopping`. `AbortSignal.timeout` would
 * hold what the work has listened with until its time is over: some 20 seconds of attempts that ended long ago.
 */
export async function withDeadline<Result>(
  ms: number,
  stopping: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new DOMException(`not done within ${ms} ms`, 'TimeoutError')), ms)
  timer.unref()
  try {
    return await work(AbortSignal.any([late.signal, stopping]))
  } finally {
    clearTimeout(timer)
  }
}
