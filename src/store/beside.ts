/**
 * The store beside the process that holds it: a command asks the running bridge for a walk and reads what it found. The
 * lease guards everything that the holder writes; a command adds one row to `walk`, in a transaction of its own.
 */
import { resolve } from 'node:path'
import type { Clock } from '../clock.ts'
import { asStoreError, isBusy, StoreRefused } from './failures.ts'
import { createFindingReads } from './findings.ts'
import { leaseMs } from './lease.ts'
import { newestMigration } from './migrate.ts'
import type { StoreLocation } from './open.ts'
import { connectSqlite } from './sqlite.ts'
import type { Run } from './statement.ts'
import type { NewWalk, WalkReader } from './walk-store.ts'
import { createWalkReads, createWalkWrites } from './walks.ts'

/** A command may wait for the holder's transactions, and blocks nobody but itself. */
const lockWaitMs = 5_000

export interface StoreBeside extends Pick<WalkReader, 'getWalk' | 'currentWalk' | 'findings'> {
  addWalk(connection: string, walk: NewWalk): Promise<number>
  /** Takes a request back that nobody has taken up yet; false when somebody has. */
  withdrawWalk(connection: string, number: number): Promise<boolean>
  /** Whether the process that holds the store still lives. */
  isHeld(): boolean
  close(): void
}

/** Throws `StoreRefused` when the store is of another version. */
export function openBeside(location: StoreLocation, clock: Clock): StoreBeside {
  const file = resolve(location.file)
  const { database, dialect, close } = connectSqlite(file, { readOnly: false, lockWaitMs })
  const present = Number(database.prepare('select max(number) as number from migration').get()?.number ?? 0)
  if (present !== newestMigration()) {
    close()
    throw new StoreRefused(`${file} is in use by another version of the bridge: use the command of that version`)
  }
  const run: Run = async (query) => {
    try {
      return await dialect.executeQuery(query)
    } catch (error) {
      throw isBusy(error)
        ? new StoreRefused(`${file} is locked: try again`, { cause: error })
        : asStoreError(error)
    }
  }
  const { getWalk, currentWalk } = createWalkReads(dialect)(run)
  const withdraw = database.prepare("delete from walk where connection = ? and number = ? and phase = 'asked'")
  const holder = database.prepare("select renewed_at from lease where name = 'writer'")
  return {
    getWalk,
    currentWalk,
    ...createFindingReads(dialect)(run),
    addWalk: (connection, walk) => createWalkWrites(dialect)(run).addWalk(connection, walk),
    withdrawWalk: async (connection, number) => withdraw.run(connection, number).changes > 0,
    isHeld() {
      const row = holder.get()
      return row !== undefined && clock.now() - Number(row.renewed_at) <= leaseMs
    },
    close,
  }
}
