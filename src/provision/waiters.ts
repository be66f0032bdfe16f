import type { Clock } from '../clock.ts'
import { requestBudgetMs } from '../limits.ts'
import type { Settled } from './commit.ts'

interface Waiter {
  operationId: number
  readonly isAsker: boolean
  settle(settled: Settled): void
}

/** Requests that wait for what comes of an operation, by link. Each is settled, or gives up when its budget is spent. */
export interface Waiters {
  /**
   * For what comes of the operation, or of the one that has taken its place meanwhile. Rejects with the signal's reason.
   * `isAsker`: what the operation does to the account was asked for by who waits, and not its memberships alone.
   */
  wait(resourceId: string, operationId: number, signal: AbortSignal, isAsker: boolean): Promise<Settled>
  hasAsker(resourceId: string, operationId: number): boolean
  /** Whether anybody waits for the link, whichever operation it is. */
  hasAny(resourceId: string): boolean
  /** The operation is in work: whoever waits for it gets its own result, whatever takes its place. */
  begin(resourceId: string, operationId: number): void
  settle(resourceId: string, operationId: number, settled: Settled): void
  end(resourceId: string): void
  supersede(resourceId: string, oldId: number, newId: number): void
  /** No attempt at the link will come: nobody is left waiting for one. */
  settleRest(resourceId: string, settled: Settled): void
}

/** What has taken the place of a link's operations, and when that happened last. */
interface Successors {
  readonly at: number
  readonly ids: Map<number, number>
}

export function createWaiters(clock: Clock): Waiters {
  const waiting = new Map<string, Set<Waiter>>()
  const inWork = new Map<string, number>()
  /** Of operations that one commit made and replaced: who asked for the first may begin to wait after that. */
  const successors = new Map<string, Successors>()

  const forget = (resourceId: string, waiter: Waiter) => {
    const others = waiting.get(resourceId)
    others?.delete(waiter)
    if (others?.size === 0) waiting.delete(resourceId)
  }
  const latest = (resourceId: string, operationId: number): number => {
    const ids = successors.get(resourceId)?.ids
    let id = operationId
    for (let next = ids?.get(id); next !== undefined; next = ids?.get(id)) id = next
    return id
  }
  /** Where another process makes the attempts, none ends here; and no request begins to wait after its time is up. */
  const forgetOld = (now: number) => {
    for (const [resourceId, { at }] of successors) {
      if (now - at <= requestBudgetMs) return
      successors.delete(resourceId)
    }
  }
  const of = (resourceId: string, operationId: number) =>
    [...(waiting.get(resourceId) ?? [])].filter((waiter) => waiter.operationId === operationId)

  return {
    wait(resourceId, operationId, signal, isAsker) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const onAbort = () => {
          forget(resourceId, waiter)
          reject(signal.reason)
        }
        const waiter: Waiter = {
          operationId: latest(resourceId, operationId),
          isAsker,
          settle(settled) {
            signal.removeEventListener('abort', onAbort)
            forget(resourceId, waiter)
            resolve(settled)
          },
        }
        signal.addEventListener('abort', onAbort, { once: true })
        const others = waiting.get(resourceId)
        if (others === undefined) waiting.set(resourceId, new Set([waiter]))
        else others.add(waiter)
      })
    },
    hasAsker: (resourceId, operationId) => of(resourceId, operationId).some(({ isAsker }) => isAsker),
    hasAny: (resourceId) => waiting.has(resourceId),
    begin: (resourceId, operationId) => void inWork.set(resourceId, operationId),
    settle(resourceId, operationId, settled) {
      for (const waiter of of(resourceId, operationId)) waiter.settle(settled)
    },
    end(resourceId) {
      inWork.delete(resourceId)
      successors.delete(resourceId)
    },
    supersede(resourceId, oldId, newId) {
      if (inWork.get(resourceId) === oldId) return
      const at = clock.now()
      forgetOld(at)
      const ids = successors.get(resourceId)?.ids ?? new Map<number, number>()
      // To the end of the line, which is in the order of time.
      successors.delete(resourceId)
      successors.set(resourceId, { at, ids: ids.set(oldId, newId) })
      for (const waiter of of(resourceId, oldId)) waiter.operationId = newId
    },
    settleRest(resourceId, settled) {
      for (const waiter of [...(waiting.get(resourceId) ?? [])]) waiter.settle(settled)
    },
  }
}
