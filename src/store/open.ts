import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../clock.ts'
import { checkedAtStartBytes } from '../limits.ts'
import type { Log } from '../log.ts'
import { createWalkWrites } from './account-walks.ts'
import { createAlarmWrites } from './alarms.ts'
import { type AuditReads, createAuditReads, createAuditWrites } from './audit.ts'
import type { BulkTarget } from './bulk.ts'
import { checkBeside } from './check.ts'
import { type ClaimStore, soleClaims } from './claim-store.ts'
import { createConsoleReads } from './console-reads.ts'
import type { ConsoleReads, RequestWrites } from './console-store.ts'
import { createCounters } from './counters.ts'
import { createDepartureWrites } from './departures.ts'
import { createErasureWrites, type ErasureWrites } from './erasure.ts'
import { asStoreError, isBusy, StoreRefused } from './failures.ts'
import { createFindingWrites } from './findings.ts'
import { createGrantOperationWrites } from './grant-operations.ts'
import { createGroupLinkWrites } from './group-links.ts'
import { createRequestWrites } from './kept-requests.ts'
import { type Lease, renewalMs, takeLease } from './lease.ts'
import { createLinkWrites } from './links.ts'
import type { SqliteLocation } from './location.ts'
import { createMatchKeyWrites } from './match-keys.ts'
import { createMembershipWrites } from './memberships.ts'
import { migrate } from './migrate.ts'
import { createOperationWrites } from './operations.ts'
import { createOperatorWrites } from './operator-requests.ts'
import { prepareFile } from './prepare-file.ts'
import { createReads } from './reads.ts'
import { asRefusal, damagedText } from './refusal.ts'
import { createRequestSpanWrites } from './request-spans.ts'
import { createResourceWrites } from './resources.ts'
import { plainSealer, type Sealer } from './sealing.ts'
import { admitSealer } from './sealing-state.ts'
import { createSecretWrites } from './secrets.ts'
import { createSessionStore, type SessionKeeper } from './session-store.ts'
import { createSlotWrites } from './slots.ts'
import { connectSqlite, type SqliteConnection, sqliteDialect } from './sqlite.ts'
import { type Dialect, type Query, type Run, runWith } from './statement.ts'
import { type Store, StoreUnavailable, type StoreWriter } from './store.ts'
import { createTransactionQueue } from './transactions.ts'
import { createWatchWrites } from './watches.ts'

export interface StoreOptions {
  readonly clock: Clock
  readonly log: Log
  /** How long a lock of another program (a backup) is waited for; default 5 s. */
  readonly lockWaitMs?: number
  /** How values of people lie in it; default: as they are. A store that is sealed otherwise is refused. */
  readonly sealer?: Sealer
  /** Told once another process has taken the lease: from then on nothing is written, and nothing new is accepted. */
  readonly onTakenOver?: (() => void) | undefined
  /** Larger files are looked through for damage while they are in use. */
  readonly checkedAtStartBytes?: number
}

class TakenOver extends StoreUnavailable {}

/** Forgets, atomically. What is deleted is overwritten in the file. */
export interface Eraser {
  erase<Result>(work: (write: StoreWriter & ErasureWrites) => Promise<Result>): Promise<Result>
}

/** Keeps requests for the operator's pages. Never waits for a lock: whoever asks for something real would wait behind it. */
export interface RequestKeeper {
  keep<Result>(work: (write: RequestWrites) => Promise<Result>): Promise<Result>
}

export type OpenedStore = Store & BulkTarget & AuditReads & Eraser & ConsoleReads & RequestKeeper & SessionKeeper

/**
 * Opens the file, brings its schema up to date and takes the lease on it. Throws `StoreRefused` (in use, not writable,
 * damaged, not a database) or `NewerSchema`.
 */
export async function openStore(location: SqliteLocation, options: StoreOptions): Promise<OpenedStore> {
  const { clock, log, lockWaitMs = 5_000, sealer = plainSealer } = options
  const file = resolve(location.file)
  const prepared = prepareFile(file, log)
  const isLarge = prepared.size > (options.checkedAtStartBytes ?? checkedAtStartBytes)
  const { writer, reader, lease } = openFile(file, {
    lockWaitMs,
    now: clock.now(),
    isChecked: !isLarge,
    admit: (database) => admitSealer(database, sealer, file),
  })
  const check = isLarge ? checkBeside(file, log) : undefined

  const assertInPlace = () => {
    if (check?.isDamaged() === true) throw new StoreUnavailable('the store is unavailable: its file is damaged')
    const present = statSync(file, { throwIfNoEntry: false })
    if (present?.ino === prepared.ino && present.dev === prepared.dev) return
    // SQLite would go on writing to a file that nobody will find again.
    throw new StoreUnavailable('the store is unavailable: its file was removed or replaced')
  }
  const mayWrite = () => {
    assertInPlace()
    if (!lease.isHeld()) throw new TakenOver('the store is unavailable: another process has taken it over')
  }
  const transactions = createTransactionQueue(writer, { clock, lockWaitMs, mayWrite, sealer })
  const read = runWith(sealer, async (query) => {
    try {
      return { rows: selectBeside(writer, reader, query) }
    } catch (error) {
      throw asReadError(error, reader)
    }
  })
  const renew = () =>
    transactions
      .run(async () => lease.renew(clock.now()))
      .catch((error: unknown) => {
        if (!(error instanceof TakenOver)) {
          log.error({ err: error, alarm: true }, 'the lease on the store could not be renewed')
          return
        }
        clearInterval(timer)
        log.error({ alarm: true }, 'another process has taken the store over: this one ends')
        options.onTakenOver?.()
      })
  const timer = setInterval(renew, renewalMs).unref()

  const counters = createCounters(sqliteDialect)
  const reads = createReads(sqliteDialect, counters)
  // Made once: there are many of them, and each knows by itself whose transaction it is in.
  const writes = createWrites(sqliteDialect)(transactions.inside)
  const erasures = createErasureWrites(sqliteDialect, createCounters(sqliteDialect))(transactions.inside)
  const keptRequests = createRequestWrites(sqliteDialect, createCounters(sqliteDialect))(transactions.inside)
  let closing: Promise<void> | undefined
  return {
    hasSealedNames: sealer.keyId !== undefined,
    ...reads(read),
    ...createConsoleReads(sqliteDialect)(read),
    ...createAuditReads(sqliteDialect, counters)(read),
    ...soleClaims,
    sessions: createSessionStore(sqliteDialect)(read, transactions.run),
    transaction: (work) => transactions.run(() => work(writes)),
    erase: (work) => transactions.run(() => work({ ...writes, ...erasures })),
    keep: (work) => transactions.run(() => work(keptRequests), false),
    withDatabase: (work) => transactions.run(async () => work(writer.database, sealer)),
    async ping() {
      await reads(read).countOperations('')
      mayWrite()
    },
    close() {
      closing ??= end()
      return closing
    },
  }

  async function end(): Promise<void> {
    clearInterval(timer)
    await check?.end()
    // First in the queue's last place, so that it follows what was asked before.
    await transactions
      .run(async () => lease.release())
      .catch((error: unknown) => log.warn({ err: error }, 'the lease was not released'))
    await transactions.end()
    // The writer last: the last handle to close folds the write-ahead log into the file.
    reader.close()
    writer.close()
  }
}

/** Everything that a transaction may do, in the words of a dialect. */
export function createWrites(
  dialect: Dialect,
  claims: (run: Run) => ClaimStore = () => soleClaims,
): (run: Run) => StoreWriter {
  const counters = createCounters(dialect)
  const parts = [
    createReads(dialect, counters),
    createResourceWrites(dialect, counters),
    createMembershipWrites(dialect),
    createLinkWrites(dialect),
    createOperationWrites(dialect),
    createGrantOperationWrites(dialect, counters),
    createGroupLinkWrites(dialect),
    createDepartureWrites(dialect),
    createSlotWrites(dialect),
    createAuditWrites(dialect),
    createSecretWrites(dialect),
    createWalkWrites(dialect),
    createFindingWrites(dialect),
    createMatchKeyWrites(dialect),
    createWatchWrites(dialect),
    createOperatorWrites(dialect),
    createAlarmWrites(dialect),
    createRequestSpanWrites(dialect),
  ] as const
  const [
    reads,
    resources,
    memberships,
    links,
    operations,
    grants,
    groupLinks,
    departures,
    slots,
    audit,
    secrets,
    walks,
    findings,
    keys,
    watches,
    requests,
    alarms,
    requestSpans,
  ] = parts
  return (run) => ({
    ...reads(run),
    ...resources(run),
    ...memberships(run),
    ...links(run),
    ...operations(run),
    ...grants(run),
    ...groupLinks(run),
    ...departures(run),
    ...slots(run),
    ...audit(run),
    ...secrets(run),
    ...walks(run),
    ...findings(run),
    ...keys(run),
    ...watches(run),
    ...claims(run),
    ...requests(run),
    ...alarms(run),
    ...requestSpans(run),
  })
}

export interface OpenedFile {
  readonly writer: SqliteConnection
  /** Readers never wait for a writer, and see only what is committed. */
  readonly reader: SqliteConnection
  readonly lease: Lease
}

interface OpeningOptions {
  readonly lockWaitMs: number
  readonly now: number
  readonly isChecked: boolean
  /** Asked inside the transaction that takes the lease; refuses by throwing. */
  readonly admit: (database: DatabaseSync) => void
}

export function openFile(file: string, { lockWaitMs, now, isChecked, admit }: OpeningOptions): OpenedFile {
  let writer: SqliteConnection | undefined
  try {
    writer = connectSqlite(file, { readOnly: false, lockWaitMs })
    const { database } = writer
    const found = isChecked ? database.prepare('pragma quick_check(1)').get()?.quick_check : 'ok'
    if (found !== 'ok') throw new StoreRefused(damagedText(file))
    // What is deleted is also overwritten: nobody is left to be read from free pages.
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on')
    // One transaction for schema and lease: of two starters one migrates, and the other one finds the lease taken.
    database.exec('begin immediate')
    migrate(database, now)
    const lease = takeLease(database, file, now)
    admit(database)
    database.exec('commit')
    // From now on locks are waited for without blocking the process.
    database.exec('pragma busy_timeout = 0')
    const reader = connectSqlite(file, { readOnly: true, lockWaitMs: Math.min(lockWaitMs, 250) })
    return { writer, reader, lease }
  } catch (error) {
    writer?.close()
    throw asRefusal(error, file)
  }
}

/**
 * What is committed. The writer has in memory what it wrote, which another handle has to read from the file again after each
 * commit; but its open transaction is nobody else's business, and it does not wait for locks.
 */
function selectBeside<Row>(writer: SqliteConnection, reader: SqliteConnection, query: Query<Row>): Row[] {
  if (!writer.database.isOpen || writer.database.isTransaction) return reader.select(query)
  try {
    return writer.select(query)
  } catch (error) {
    if (isBusy(error)) return reader.select(query)
    throw error
  }
}

function asReadError(error: unknown, reader: SqliteConnection): unknown {
  if (!reader.database.isOpen) return new StoreUnavailable('the store is unavailable: closed', { cause: error })
  return asStoreError(error)
}
