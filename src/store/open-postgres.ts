import type { Clock } from '../clock.ts'
import { storeWriterShare } from '../limits.ts'
import type { Log } from '../log.ts'
import { type AuditReads, createAuditReads } from './audit.ts'
import { createCounters } from './counters.ts'
import { createErasureWrites } from './erasure.ts'
import { asStoreError, StoreRefused } from './failures.ts'
import { type PostgresLocation, placeOf } from './location.ts'
import { NewerSchema } from './newer-schema.ts'
import { createWrites, type Eraser } from './open.ts'
import { createPostgresPool, type PostgresPool, postgresDialect } from './postgres.ts'
import { migratePostgres } from './postgres-migrate.ts'
import { createPostgresTransactions } from './postgres-transactions.ts'
import { createReads } from './reads.ts'
import type { Run } from './statement.ts'
import type { Store } from './store.ts'

const counters = createCounters(postgresDialect)
const reads = createReads(postgresDialect, counters)
const audit = createAuditReads(postgresDialect, counters)
const writes = createWrites(postgresDialect)
const erasures = createErasureWrites(postgresDialect, counters)

export type PostgresStore = Store & AuditReads & Eraser

/**
 * Opens the database and brings its schema up to date. Any number of processes may have it open. Throws `StoreRefused` (cannot be
 * reached, no right) or `NewerSchema`.
 */
export async function openPostgres(
  location: PostgresLocation,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<PostgresStore> {
  const pool = createPostgresPool(location, log)
  try {
    await prepare(pool, location, clock.now())
  } catch (error) {
    await pool.end()
    throw error
  }
  const transactions = createPostgresTransactions(
    pool,
    Math.max(1, Math.floor(location.connections * storeWriterShare)),
  )
  const read: Run = (query) => pool.select(query)
  let closing: Promise<void> | undefined
  return {
    ...reads(read),
    ...audit(read),
    transaction: (work) => transactions.run((run) => work(writes(run))),
    erase: (work) => transactions.run((run) => work({ ...writes(run), ...erasures(run) })),
    async ping() {
      await reads(read).countOperations('')
    },
    close() {
      closing ??= transactions.end().then(() => pool.end())
      return closing
    },
  }
}

async function prepare(pool: PostgresPool, location: PostgresLocation, now: number): Promise<void> {
  let session: Awaited<ReturnType<PostgresPool['session']>> | undefined
  try {
    session = await pool.session()
    // The schema is ours to make when it is named; who named none has the user's own, or `public`.
    if (location.schema !== undefined) await session.query(`create schema if not exists "${location.schema}"`)
    await migratePostgres(session, now)
  } catch (error) {
    throw asRefusal(error, location)
  } finally {
    // Whatever failed is rolled back with the connection.
    session?.release(true)
  }
}

function asRefusal(error: unknown, location: PostgresLocation): unknown {
  if (error instanceof NewerSchema) return error
  const failure = asStoreError(error)
  const cause = failure instanceof Error && failure.cause instanceof Error ? failure.cause : failure
  const reason = cause instanceof Error ? cause.message : 'error'
  return new StoreRefused(
    `${placeOf(location)} cannot be used as the store (${reason}): check that it runs, its name, the password and the user's rights`,
    { cause: error },
  )
}
