import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import { asStoreError, isBusy } from './failures.ts'
import type { Sealer } from './sealing.ts'
import type { SqliteConnection } from './sqlite.ts'
import { type Query, type Run, runWith } from './statement.ts'
import { StoreUnavailable } from './store.ts'

/** How often a lock held by another program is tried again. */
const lockPollMs = 50
/** Transactions that one commit makes durable: all that waited while the one before was flushed, within reason. */
const together = 64

const beginImmediate: Query<never> = { sql: 'begin immediate', parameters: [] }
const commit: Query<never> = { sql: 'commit', parameters: [] }
const rollback: Query<never> = { sql: 'rollback', parameters: [] }

interface Scope {
  isOpen: boolean
  /** The first that says the transaction is not to be trusted. */
  failure?: StoreUnavailable
}

export interface TransactionQueue {
  /** Executes in the transaction that its caller is in, and throws where there is none (any more). */
  readonly inside: Run
  /** Runs `work` between `begin immediate` and `commit`; one at a time, in the order asked. `mayWait` false: not for a lock. */
  run<Result>(work: (run: Run) => Promise<Result>, mayWait?: boolean): Promise<Result>
  /** Takes no more work and waits for what has been asked. */
  end(): Promise<void>
}

interface Asked {
  /** For a lock of another program. */
  readonly mayWait: boolean
  /** Answers what is to be done once all is durable. Throws what its own caller alone is to hear. */
  attempt(): Promise<() => void>
  fail(error: unknown): void
}

/**
 * Serves writers one at a time. A lock of another program is waited for without blocking the process, `lockWaitMs` in all.
 * `mayWrite` is asked before each commit's work and throws when this process has lost the store.
 *
 * A flush to the disk takes longer than all else, so those who wait share one: each in a savepoint of its own, so that one
 * that fails takes nobody along, and all of them answered after the commit that makes them durable.
 */
export function createTransactionQueue(
  writer: SqliteConnection,
  options: { clock: Clock; lockWaitMs: number; mayWrite: () => void; sealer: Sealer },
): TransactionQueue {
  const { database, select } = writer
  const current = new AsyncLocalStorage<Scope>()
  let waiting: Asked[] = []
  let serving: Promise<void> | undefined
  let hasEnded = false

  const inside = runWith(options.sealer, async <Row>(query: Query<Row>) => {
    const scope = current.getStore()
    if (scope?.isOpen !== true) throw new Error('a transaction was used after its end')
    try {
      return { rows: select(query) }
    } catch (error) {
      const stored = asStoreError(error)
      if (stored instanceof StoreUnavailable) scope.failure ??= stored
      throw stored
    }
  })

  /** Who is in the transaction. Those who may not wait are told so at the first sight of a lock, the others go on alone. */
  async function begin(group: readonly Asked[]): Promise<readonly Asked[]> {
    let staying = group
    for (let waitedMs = 0; ; waitedMs += lockPollMs) {
      try {
        select(beginImmediate)
        return staying
      } catch (error) {
        if (!isBusy(error) || waitedMs >= options.lockWaitMs) throw error
        for (const asked of staying) if (!asked.mayWait) asked.fail(asStoreError(error))
        staying = staying.filter(({ mayWait }) => mayWait)
        if (staying.length === 0) return staying
      }
      await options.clock.sleep(lockPollMs)
    }
  }

  async function perform<Result>(work: (run: Run) => Promise<Result>): Promise<Result> {
    const scope: Scope = { isOpen: true }
    let result: Result
    try {
      result = await current.run(scope, () => work(inside))
    } catch (error) {
      throw scope.failure ?? error
    } finally {
      scope.isOpen = false
    }
    // Also when the work has swallowed it: what came after it is not to be trusted.
    if (scope.failure !== undefined) throw scope.failure
    return result
  }

  /** Everybody in `group` is told what became of it; those who were not begun any more wait for the next one. */
  async function serve(group: readonly Asked[]): Promise<void> {
    const done: { asked: Asked; answer: () => void }[] = []
    let members = group
    let next = 0
    try {
      members = await begin(group)
      if (members.length === 0) return
      options.mayWrite()
      for (const asked of members) {
        next += 1
        const answer = await inSavepoint(asked, members.length > 1)
        if (answer !== undefined) done.push({ asked, answer })
      }
      select(commit)
      for (const { answer } of done) answer()
    } catch (error) {
      undo()
      const failed = asStoreError(error)
      for (const { asked } of done) asked.fail(failed)
      // None was begun: the lock, or the store itself, is gone for all of them.
      if (next === 0) for (const asked of members) asked.fail(failed)
      else waiting.unshift(...members.slice(next))
    }
  }

  function undo(): void {
    try {
      if (database.isOpen && database.isTransaction) select(rollback)
    } catch {
      // What made the transaction fail is told already; a store that cannot even roll back fails the next one's begin.
    }
  }

  /** Undefined: it has failed alone. Throws when the whole transaction is lost. */
  async function inSavepoint(asked: Asked, isShared: boolean): Promise<(() => void) | undefined> {
    if (isShared) database.exec('savepoint one')
    try {
      const answer = await asked.attempt()
      // SQLite rolls back by itself after some errors; what came later would be outside of any transaction.
      if (!database.isTransaction) throw new StoreUnavailable('the store is unavailable: the transaction was lost')
      if (isShared) database.exec('release one')
      return answer
    } catch (error) {
      const failed = asStoreError(error)
      asked.fail(failed)
      if (failed instanceof StoreUnavailable || !isShared) throw failed
      if (!database.isTransaction) throw new StoreUnavailable('the store is unavailable: the transaction was lost')
      database.exec('rollback to one; release one')
      return undefined
    }
  }

  async function serveAll(): Promise<void> {
    while (waiting.length > 0) {
      // Requests that came in meanwhile get to ask first, and share the commit; as long as more of them do.
      let known: number
      do {
        known = waiting.length
        await nextTurn()
      } while (waiting.length > known && waiting.length < together)
      const group = waiting.slice(0, together)
      waiting = waiting.slice(together)
      await serve(group)
    }
    serving = undefined
  }

  return {
    inside,
    async run(work, mayWait = true) {
      if (hasEnded) throw new StoreUnavailable('the store is unavailable: closed')
      // It would wait for itself for ever.
      if (current.getStore()?.isOpen === true) throw new Error('a transaction was asked for inside a transaction')
      return new Promise((resolve, reject) => {
        waiting.push({
          mayWait,
          async attempt() {
            const result = await perform(work)
            return () => resolve(result)
          },
          fail: reject,
        })
        // Outside of whoever asks: the next one's work must not run in this one's context.
        serving ??= current.run({ isOpen: false }, serveAll)
      })
    },
    async end() {
      hasEnded = true
      await serving
    },
  }
}
