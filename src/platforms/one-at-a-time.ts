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

/** As above, for each key on its own: writes to one group wait for each other, those to two groups do not. */
export type OneAtATimeEach = <T>(key: string, signal: AbortSignal, task: () => Promise<T>) => Promise<T>

export function createOneAtATimeEach(): OneAtATimeEach {
  const queues = new Map<string, { readonly oneAtATime: OneAtATime; waiting: number }>()
  return async (key, signal, task) => {
    const queue = queues.get(key) ?? { oneAtATime: createOneAtATime(), waiting: 0 }
    queues.set(key, queue)
    queue.waiting += 1
    const finished = () => {
      queue.waiting -= 1
      if (queue.waiting === 0) queues.delete(key)
    }
    // Counted until the task itself is over: whoever gave up must not let the next one start beside it.
    let isRunning = false
    const run = async () => {
      isRunning = true
      return task().finally(finished)
    }
    return queue.oneAtATime(signal, run).finally(() => isRunning || finished())
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
