import { AsyncLocalStorage } from 'node:async_hooks'
import { storeConnectionWriters } from '../limits.ts'
import { asStoreError } from './failures.ts'
import { begin, escapeLiteral, type PostgresPool, type PostgresSession } from './postgres.ts'
import { createConversation, type Entrance } from './postgres-conversation.ts'
import type { Sealer } from './sealing.ts'
import { type Run, runWith } from './statement.ts'
import { StoreUnavailable } from './store.ts'
import { createTurns, type Turns } from './turns.ts'

export interface PostgresTransactions {
  /** Runs `work` between `begin` and `commit`; one at a time for each connection of the configuration, by all replicas. */
  run<Result>(work: (run: Run) => Promise<Result>): Promise<Result>
  /** Takes no more work and waits for what has been asked. */
  end(): Promise<void>
}

/** Replicas on one database and schema share it; another schema has its own. `name`: an expression. */
export function lockOf(name: string): string {
  return `pg_advisory_xact_lock(hashtextextended(current_schema() || '/' || ${name}, 0))`
}

/** All writers share it; who has it alone knows that whoever was writing has ended. */
export function writersLock(mode: 'alone' | 'shared'): string {
  const name = mode === 'alone' ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared'
  return `${name}(hashtextextended(current_schema() || ' writers', 0))`
}

export interface TransactionOptions {
  /** At most so many at once. */
  readonly writers: number
  /** What is waited for longer, another writer's end included, is given up. */
  readonly waitMs: number
  readonly sealer: Sealer
  /** Writes only while the store is sealed as `sealer` does: a process that slept through a change of the key spoils nothing. */
  readonly isFenced: boolean
}

/**
 * Who changes the key waits for all writers, after having written that it does. So it is looked at behind their lock, by a
 * statement of its own: a statement that waits sees what was there before it waited.
 */
const sealing = "select string_agg(name || ' ' || key_id, ', ') as sealing from sealing"

function sealingOf({ keyId }: Sealer): string {
  return keyId === undefined ? '' : `current ${keyId}`
}

/**
 * Writers of one connection are served one at a time, as SQLite serves all: the first statement about a connection takes its
 * lock, which ends with the transaction. Numbers that follow each other and decisions on what was read need that, and one
 * connection never waits for another.
 */
export function createPostgresTransactions(
  pool: PostgresPool,
  { writers, waitMs, sealer, isFenced }: TransactionOptions,
): PostgresTransactions {
  const places = createTurns(writers, waitMs)
  /** Others keep a place, too, while those of one connection wait for its lock. */
  const ofOne = Math.max(1, Math.min(storeConnectionWriters, writers - 1))
  const queues = new Map<string, Turns>()
  const current = new AsyncLocalStorage<{ isOpen: boolean }>()
  const inWork = new Set<Promise<unknown>>()
  let hasEnded = false

  const entrance: Entrance = {
    begin(connection) {
      const locks = connection === undefined ? [] : [lockOf(escapeLiteral(connection))]
      const select = `select ${[writersLock('shared'), ...locks].join(', ')}`
      return [begin, select, ...(isFenced ? [sealing] : [])]
    },
    lock: (connection) => `select ${lockOf(escapeLiteral(connection))}`,
    admit([, , found]) {
      if (isFenced && (found?.[0]?.sealing ?? '') !== sealingOf(sealer)) {
        throw new StoreUnavailable(
          'the store is unavailable: it is encrypted with another key now; start the bridge anew',
        )
      }
    },
  }

  function queueOf(connection: string): Turns {
    const queue = queues.get(connection) ?? createTurns(ofOne, waitMs)
    queues.set(connection, queue)
    return queue
  }

  /** Behind the others of the connection, and only then behind those of all. */
  async function held(connection: string | undefined): Promise<PostgresSession> {
    const leave: (() => void)[] = []
    try {
      if (connection !== undefined) leave.unshift(await queueOf(connection).take())
      leave.unshift(await places.take())
      const session = await pool.session()
      return {
        ...session,
        release(isBroken) {
          session.release(isBroken)
          for (const end of leave) end()
        },
      }
    } catch (error) {
      for (const end of leave) end()
      throw error
    }
  }

  async function once<Result>(work: (run: Run) => Promise<Result>): Promise<Result> {
    const scope = { isOpen: true }
    let session: PostgresSession | undefined
    const asked = createConversation(async (connection) => {
      session = await held(connection)
      return session
    }, entrance)
    const whileOpen = <Answer>(ask: () => Promise<Answer>): Promise<Answer> =>
      scope.isOpen ? ask() : Promise.reject(new Error('a transaction was used after its end'))
    const run = runWith(
      sealer,
      (query) => whileOpen(() => asked.ask(query)),
      (query) => whileOpen(() => asked.tell(query)),
    )
    let isBroken = true
    try {
      const result = await current.run(scope, () => work(run))
      scope.isOpen = false
      await asked.commit()
      isBroken = false
      return result
    } catch (error) {
      scope.isOpen = false
      const failed = asStoreError(error)
      isBroken = failed instanceof StoreUnavailable || !(await asked.rollback())
      throw failed
    } finally {
      await asked.end()
      session?.release(isBroken)
    }
  }

  return {
    async run(work) {
      if (hasEnded) throw new StoreUnavailable('the store is unavailable: closed')
      // It could wait for itself for ever.
      if (current.getStore()?.isOpen === true) throw new Error('a transaction was asked for inside a transaction')
      const mine = once(work)
      const settled = mine.catch(() => undefined).finally(() => inWork.delete(settled))
      inWork.add(settled)
      return mine
    },
    async end() {
      hasEnded = true
      await Promise.all(inWork)
    },
  }
}
