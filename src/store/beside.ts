/**
 * The store beside the process that holds it: a command asks the running bridge for a walk and reads what it found. The
 * lease guards everything that the holder writes; a command adds one row to `walk` or `operator_request`, in a transaction of
 * its own.
 */
import { resolve } from 'node:path'
import { type Clock, systemClock } from '../clock.ts'
import { createWalkReads, createWalkWrites } from './account-walks.ts'
import { createCounters } from './counters.ts'
import { asStoreError, isBusy, StoreRefused } from './failures.ts'
import { createFindingReads } from './findings.ts'
import { sql } from './kysely.ts'
import { leaseMs } from './lease.ts'
import type { SqliteLocation } from './location.ts'
import { newestMigration } from './migrate.ts'
import { createOperatorWrites } from './operator-requests.ts'
import { createReads } from './reads.ts'
import { asRefusal } from './refusal.ts'
import { createResourceWrites } from './resources.ts'
import { plainSealer, type Sealer } from './sealing.ts'
import { assertSealer } from './sealing-state.ts'
import { connectSqlite, type SqliteConnection, sqliteDialect } from './sqlite.ts'
import { runWith, statement } from './statement.ts'
import type { StoreReader, StoreWriter } from './store.ts'
import type { NewWalk, WalkReader } from './walk-store.ts'

/** The holder's transactions are short. */
const lockPolls = 100
const lockPollMs = 50

export interface StoreBeside
  extends Pick<WalkReader, 'getWalk' | 'currentWalk' | 'findings'>,
    Pick<StoreReader, 'getLink' | 'getOperation' | 'getOperatorRequest' | 'stoppedOperations'>,
    Pick<StoreWriter, 'addOperatorRequest' | 'withdrawOperatorRequest' | 'getAnyResource' | 'findByUniqueName'> {
  addWalk(connection: string, walk: NewWalk): Promise<number>
  /** Takes a request back that nobody has taken up yet; false when somebody has. */
  withdrawWalk(connection: string, number: number): Promise<boolean>
  /** Whether the process that holds the store still lives. */
  isHeld(): boolean | Promise<boolean>
  close(): void | Promise<void>
}

/** Throws `StoreRefused` when the store is of another version, or sealed with another key. */
export function openBeside(location: SqliteLocation, clock: Clock, sealer: Sealer = plainSealer): StoreBeside {
  const file = resolve(location.file)
  const { database, select, close } = connected(file, sealer)
  const run = runWith(sealer, async (query) => {
    for (let polls = 0; ; polls += 1) {
      try {
        return { rows: select(query) }
      } catch (error) {
        if (!isBusy(error) || polls >= lockPolls) throw asStoreError(error)
      }
      await systemClock.sleep(lockPollMs)
    }
  })
  const { getWalk, currentWalk } = createWalkReads(sqliteDialect)(run)
  const counters = createCounters(sqliteDialect)
  const { getLink, getOperation, getOperatorRequest, stoppedOperations } = createReads(sqliteDialect, counters)(run)
  const { getAnyResource, findByUniqueName } = createResourceWrites(sqliteDialect, counters)(run)
  const { addOperatorRequest, withdrawOperatorRequest } = createOperatorWrites(sqliteDialect)(run)
  const withdraw = statement(
    sqliteDialect,
    ['connection', 'number'],
    (slot) => sql<{ number: number }>`
      delete from walk where connection = ${slot('connection')} and number = ${slot('number')} and phase = 'asked'
      returning number`,
  )
  const holder = database.prepare("select renewed_at from lease where name = 'writer'")
  return {
    getWalk,
    currentWalk,
    getLink,
    getOperation,
    getOperatorRequest,
    stoppedOperations,
    getAnyResource,
    findByUniqueName,
    addOperatorRequest,
    withdrawOperatorRequest,
    ...createFindingReads(sqliteDialect)(run),
    addWalk: (connection, walk) => createWalkWrites(sqliteDialect)(run).addWalk(connection, walk),
    withdrawWalk: async (connection, number) => (await run(withdraw({ connection, number }))).rows.length > 0,
    isHeld() {
      const row = holder.get()
      return row !== undefined && clock.now() - Number(row.renewed_at) <= leaseMs
    },
    close,
  }
}

function connected(file: string, sealer: Sealer): SqliteConnection {
  let connection: SqliteConnection | undefined
  try {
    connection = connectSqlite(file, { readOnly: false, lockWaitMs: 0 })
    const { database } = connection
    const present = Number(database.prepare('select max(number) as number from migration').get()?.number ?? 0)
    if (present !== newestMigration()) {
      throw new StoreRefused(`${file} is in use by another version of the bridge: use the command of that version`)
    }
    assertSealer(database, sealer, file)
    return connection
  } catch (error) {
    connection?.close()
    throw asRefusal(error, file)
  }
}
