import { AsyncLocalStorage } from 'node:async_hooks'
import { CompiledQuery } from 'kysely'
import type { Clock } from '../clock.ts'
import { asStoreError, isBusy } from './failures.ts'
import type { SqliteConnection } from './sqlite.ts'
import type { Run } from './statement.ts'
import { StoreUnavailable } from './store.ts'

/** How often a lock held by another program is tried again. */
const lockPollMs = 50

export interface TransactionQueue {
  /** Runs `work` between `begin immediate` and `commit`; one at a time, in the order asked. `mayWait` false: not for a lock. */
  run<Result>(work: (run: Run) => Promise<Result>, mayWait?: boolean): Promise<Result>
  /** Takes no more work and waits for what has been asked. */
  end(): Promise<void>
}

/**
 * Serves writers one at a time. A lock of another program is waited for without blocking the process, `lockWaitMs` in all.
 * `mayWrite` is asked inside each transaction and throws when this process has lost the store.
 */
export function createTransactionQueue(
  writer: SqliteConnection,
  options: { clock: Clock; lockWaitMs: number; mayWrite: () => void },
): TransactionQueue {
  const { database, dialect } = writer
  const current = new AsyncLocalStorage<{ isOpen: boolean }>()
  let last: Promise<unknown> = Promise.resolve()
  let hasEnded = false

  async function begin(lockWaitMs: number): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += lockPollMs) {
      try {
        return database.exec('begin immediate')
      } catch (error) {
        if (!isBusy(error) || waitedMs >= lockWaitMs) throw error
      }
      await options.clock.sleep(lockPollMs)
    }
  }

  async function once<Result>(work: (run: Run) => Promise<Result>, mayWait: boolean): Promise<Result> {
    const scope = { isOpen: true }
    let failure: unknown
    const run: Run = async (query) => {
      if (!scope.isOpen) throw new Error('a transaction was used after its end')
      try {
        return await dialect.executeQuery(query)
      } catch (error) {
        const stored = asStoreError(error)
        if (stored instanceof StoreUnavailable) failure ??= stored
        throw stored
      }
    }
    try {
      await begin(mayWait ? options.lockWaitMs : 0)
      options.mayWrite()
      const result = await current.run(scope, () => work(run))
      scope.isOpen = false
      if (failure !== undefined) throw failure
      // SQLite rolls back by itself after some errors; what came later would be outside of any transaction.
      if (!database.isTransaction) throw new StoreUnavailable('the store is unavailable: the transaction was lost')
      // Through the same queue as the statements: one that `work` did not await is still inside.
      await dialect.executeQuery(CompiledQuery.raw('commit'))
      return result
    } catch (error) {
      scope.isOpen = false
      if (database.isOpen && database.isTransaction) await dialect.executeQuery(CompiledQuery.raw('rollback'))
      throw asStoreError(error)
    }
  }

  return {
    async run(work, mayWait = true) {
      if (hasEnded) throw new StoreUnavailable('the store is unavailable: closed')
      // It would wait for itself for ever.
      if (current.getStore()?.isOpen === true) throw new Error('a transaction was asked for inside a transaction')
      const mine = last.then(() => once(work, mayWait))
      last = mine.catch(() => undefined)
      return mine
    },
    async end() {
      hasEnded = true
      await last
    },
  }
}
