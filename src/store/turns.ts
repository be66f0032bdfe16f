import { StoreUnavailable } from './store.ts'

/** At most so many at once, the others in the order asked. */
export interface Turns {
  /** Resolves to what ends the turn; throws `StoreUnavailable` when it does not come in time. */
  take(): Promise<() => void>
}

export function createTurns(count: number, waitMs: number): Turns {
  const waiting = new Set<() => void>()
  let free = count
  function end(): void {
    const [next] = waiting
    if (next === undefined) free += 1
    else next()
  }
  return {
    async take() {
      if (free > 0) {
        free -= 1
        return end
      }
      await new Promise<void>((resolve, reject) => {
        const next = () => {
          waiting.delete(next)
          clearTimeout(timer)
          resolve()
        }
        const timer = setTimeout(() => {
          waiting.delete(next)
          reject(new StoreUnavailable('the store is unavailable: too many writers wait for it'))
        }, waitMs)
        waiting.add(next)
      })
      return end
    },
  }
}
