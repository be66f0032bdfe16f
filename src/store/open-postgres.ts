import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { claimRenewalMs, storeWriterShare } from '../limits.ts'
import type { Log } from '../log.ts'
import { type AuditReads, createAuditReads } from './audit.ts'
import { createConsoleReads } from './console-reads.ts'
import type { ConsoleReads } from './console-store.ts'
import { createCounters } from './counters.ts'
import { createErasureWrites } from './erasure.ts'
import { asStoreError, StoreRefused } from './failures.ts'
import { refuseHalfCopied } from './half-copied.ts'
import { createRequestWrites } from './kept-requests.ts'
import { type PostgresLocation, placeOf } from './location.ts'
import { NewerSchema } from './newer-schema.ts'
import { createWrites, type Eraser, type RequestKeeper } from './open.ts'
import { begin, createPostgresPool, type PostgresPool, type PostgresSession, postgresDialect } from './postgres.ts'
import { createPostgresClaims, databaseNow } from './postgres-claims.ts'
import { sqlState } from './postgres-failures.ts'
import { migratePostgres } from './postgres-migrate.ts'
import { admitPostgresSealer, assertPostgresSealer } from './postgres-sealing.ts'
import { tlsProblem } from './postgres-tls.ts'
import { createPostgresTransactions } from './postgres-transactions.ts'
import { createReads } from './reads.ts'
import { plainSealer, type Sealer } from './sealing.ts'
import { createSessionStore, type SessionKeeper } from './session-store.ts'
import { createSlotWrites } from './slots.ts'
import { type Run, runWith } from './statement.ts'
import type { Store, StoreWriter } from './store.ts'

const counters = createCounters(postgresDialect)
const reads = createReads(postgresDialect, counters)
const audit = createAuditReads(postgresDialect, counters)
const erasures = createErasureWrites(postgresDialect, counters)
const consoleReads = createConsoleReads(postgresDialect)
const keptRequests = createRequestWrites(postgresDialect, counters)
const sessions = createSessionStore(postgresDialect)
const slots = createSlotWrites(postgresDialect, databaseNow)

export type PostgresStore = Store & AuditReads & Eraser & ConsoleReads & RequestKeeper & SessionKeeper

export interface PostgresOptions {
  readonly clock: Clock
  readonly log: Log
  /** This process works on the outbox: commands ask it instead of doing the work themselves. */
  readonly isBridge?: boolean
  /** How values of people lie in the store; as they are by default. */
  readonly sealer?: Sealer
}

/**
 * Opens the database and brings its schema up to date. Any number of processes may have it open. Throws `StoreRefused` (cannot be
 * reached, no right) or `NewerSchema`.
 */
export async function openPostgres(location: PostgresLocation, options: PostgresOptions): Promise<PostgresStore> {
  const { log, isBridge = false, sealer = plainSealer } = options
  const pool = await migratedPool(location, options, async (session) => {
    await refuseHalfCopied(session, placeOf(location))
    await admitPostgresSealer(session, sealer, placeOf(location))
  })
  const writers = Math.max(1, Math.floor(location.connections * storeWriterShare))
  const transactions = createPostgresTransactions(pool, {
    writers,
    waitMs: location.statementMs,
    sealer,
    isFenced: true,
  })
  const read = runWith(sealer, (query) => pool.select(query))
  const { claims, claimAccepted, outbox, register, unregister } = createPostgresClaims(randomUUID())
  const allWrites = createWrites(postgresDialect, claims)
  const writes = (run: Run): StoreWriter => {
    const writer = allWrites(run)
    return {
      ...writer,
      ...outbox(run),
      ...slots(run),
      // Whoever accepted it has its caller waiting: others leave it alone until the claim ends.
      async putOperation(connection, operation) {
        const id = await writer.putOperation(connection, operation)
        await claimAccepted(run, connection, operation.resourceId)
        return id
      },
    }
  }
  const renew = () =>
    register(read).catch((error: unknown) => log.warn({ err: error }, 'the store was not told that a bridge runs here'))
  if (isBridge) {
    await renew()
    // Whoever changes the key, or copies a store into this one, has either seen that this one runs, or is seen here.
    await assertOurs(pool, location, sealer).catch(async (error: unknown) => {
      await unregister(read).catch(() => undefined)
      await pool.end()
      throw error
    })
  }
  const timer = isBridge ? setInterval(renew, claimRenewalMs).unref() : undefined
  let closing: Promise<void> | undefined
  return {
    hasSealedNames: sealer.keyId !== undefined,
    ...reads(read),
    ...audit(read),
    ...consoleReads(read),
    ...claims(read),
    ...outbox(read),
    transaction: (work) => transactions.run((run) => work(writes(run))),
    erase: (work) => transactions.run((run) => work({ ...writes(run), ...erasures(run) })),
    sessions: sessions(read, transactions.run),
    keep: (work) => transactions.run((run) => work(keptRequests(run))),
    async ping() {
      await reads(read).countOperations('')
    },
    close() {
      closing ??= end()
      return closing
    },
  }

  async function end(): Promise<void> {
    clearInterval(timer)
    await transactions.end()
    if (isBridge) {
      await unregister(read).catch((error: unknown) => log.warn({ err: error }, 'the store was not told of the end'))
    }
    await pool.end()
  }
}

async function assertOurs(pool: PostgresPool, location: PostgresLocation, sealer: Sealer): Promise<void> {
  const session = await pool.session()
  try {
    await refuseHalfCopied(session, placeOf(location))
    await assertPostgresSealer(session, sealer, placeOf(location))
  } finally {
    session.release(false)
  }
}

/** Connections to a database whose schema is up to date. Throws as `openPostgres`; `admit` may throw `StoreRefused`, too. */
export async function migratedPool(
  location: PostgresLocation,
  { clock, log }: Pick<PostgresOptions, 'clock' | 'log'>,
  admit: (session: PostgresSession) => Promise<void> = () => Promise.resolve(),
): Promise<PostgresPool> {
  const pool = createPostgresPool(location, log)
  await prepared(pool, location, async (session) => {
    await refuseLazyCommits(session)
    await migratePostgres(session, clock.now())
    await admit(session)
  })
  return pool
}

/** Does what has to be done before anything else, or ends the pool and throws `StoreRefused` or `NewerSchema`. */
export async function prepared(
  pool: PostgresPool,
  location: PostgresLocation,
  work: (session: PostgresSession) => Promise<void>,
): Promise<void> {
  let session: PostgresSession | undefined
  let isBroken = true
  try {
    session = await pool.session()
    await makeSchema(session, location)
    await work(session)
    isBroken = false
  } catch (error) {
    // What was begun is rolled back with its connection.
    session?.release(true)
    session = undefined
    await pool.end()
    throw asRefusal(error, location)
  } finally {
    session?.release(isBroken)
  }
}

/** The schema is ours to make when it is named; who named none has the user's own, or `public`. */
async function makeSchema(session: PostgresSession, location: PostgresLocation): Promise<void> {
  const { schema, user } = location
  if (schema === undefined) return
  await session.query(begin)
  // Two who make it at once would not both succeed.
  await session.query("select pg_advisory_xact_lock(hashtextextended('scim-bridge schema', 0))")
  const { rows } = await session.query('select 1 from pg_namespace where nspname = $1', [schema])
  if (rows.length === 0) await session.query(`create schema "${schema}"`)
  await session.query('commit')
  // A pooler between may keep settings of connections to itself: the tables would get into somebody else's schema.
  const found = await session.query<{ name: string | null }>('select current_schema() as name')
  if (found.rows[0]?.name === schema) return
  throw new StoreRefused(
    `${placeOf(location)}: the schema ${schema} is not used, though store.schema names it: a connection pooler drops that; ` +
      `write on the server: alter role ${user} set search_path = ${schema}`,
  )
}

/** What was accepted has to be there after a crash of the server. */
async function refuseLazyCommits(session: PostgresSession): Promise<void> {
  const { rows } = await session.query<{ synchronous_commit: string }>('show synchronous_commit')
  if (rows[0]?.synchronous_commit !== 'off') return
  throw new StoreRefused(
    "synchronous_commit is off: what the bridge has accepted could be lost; set it to on for the bridge's user",
  )
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: lock_not_available. */
const lockNotHad = '55P03'

function asRefusal(error: unknown, location: PostgresLocation): unknown {
  if (error instanceof NewerSchema || error instanceof StoreRefused) return error
  const failure = asStoreError(error)
  const cause = failure instanceof Error && failure.cause instanceof Error ? failure.cause : failure
  const reason = cause instanceof Error ? cause.message : 'error'
  const mend =
    tlsProblem(cause) ??
    (sqlState(cause) === lockNotHad
      ? 'another program holds its tables, a dump or a transaction that was left open: let it end, then start again'
      : "check that it runs, its name, the password and the user's rights")
  return new StoreRefused(`${placeOf(location)} cannot be used as the store (${reason}): ${mend}`, { cause: error })
}
