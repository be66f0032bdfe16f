import { asPostgresFailure, isTakenThere } from './postgres-failures.ts'
import { StoreUnavailable } from './store.ts'

/** The store cannot be opened as it is. `message` names the file and what to do; for the operator. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused'
}

/** Another process holds the store, which may be just right: a command can ask it. */
export class StoreInUse extends StoreRefused {}

/** Primary result codes after which the store may work again, or another copy of it (https://sqlite.org/rescode.html). */
const unavailable = new Map([
  [5, 'locked'],
  [6, 'locked'],
  [7, 'out of memory'],
  [8, 'read-only'],
  [9, 'interrupted'],
  [10, 'input/output error'],
  [11, 'damaged'],
  [13, 'disk full'],
  [14, 'cannot be opened'],
  [15, 'locking protocol'],
  [23, 'access denied'],
  [26, 'not a database'],
])

/** SQLite's extended result code, when the error came from SQLite. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode
}

export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error)
  return code !== undefined && (code & 0xff) === 5
}

/** A unique index, not a primary key: SQLITE_CONSTRAINT_UNIQUE, or PostgreSQL's word for it. */
export function isTaken(error: unknown): boolean {
  return sqliteCode(error) === 2067 || isTakenThere(error)
}

/** What callers see: `StoreUnavailable` for what an operator can mend, anything else (our own mistakes) as it is. */
export function asStoreError(error: unknown): unknown {
  const code = sqliteCode(error)
  if (code === undefined) return asPostgresFailure(error) ?? error
  const reason = unavailable.get(code & 0xff)
  if (reason === undefined) return error
  return new StoreUnavailable(`the store is unavailable: ${reason} (SQLite ${code})`, { cause: error })
}
