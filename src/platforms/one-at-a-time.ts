/** Runs tasks one after the other: one log-in at a time, one membership write at a time. */
export type OneAtATime = <T>(signal: AbortSignal, task: () => Promise<T>) => Promise<T>

export function createOneAtATime(): OneAtATime {
  let last: Promise<unknown> = Promise.resolve()
  return (signal, task) => {
    const start = async () => {
      // Whoever gave up while waiting must not delay those behind.
      signal.throwIfAborted()
      return task()
    }
    const result = last.then(start)
    last = result.catch(() => undefined)
    return Promise.race([result, whenAborted(signal, result)])
  }
}

/** Rejects when the signal is aborted before `result` is settled: a waiter's own time may end before its turn comes. */
function whenAborted(signal: AbortSignal, result: Promise<unknown>): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    const forget = () => signal.removeEventListener('abort', onAbort)
    result.then(forget, forget)
  })
}
