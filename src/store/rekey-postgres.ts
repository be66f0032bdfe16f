import { rekeyStatementMs } from '../limits.ts'
import type { Log } from '../log.ts'
import { asStoreError, StoreInUse, StoreRefused } from './failures.ts'
import { sql } from './kysely.ts'
import { type PostgresLocation, placeOf } from './location.ts'
import { prepared } from './open-postgres.ts'
import { createPostgresPool, type PostgresPool, postgresDialect } from './postgres.ts'
import { isBridgeRunning } from './postgres-claims.ts'
import { migratePostgres } from './postgres-migrate.ts'
import { createPostgresTransactions, writersLock } from './postgres-transactions.ts'
import { type Rekeyed, type RekeyOptions, rekey } from './rekey.ts'
import { indexedColumns, sealedTables } from './sealed-columns.ts'
import { runWith, statement } from './statement.ts'

/** One works, the other one reads. */
const connections = 2

/** Whoever has begun to write before this has ended once it is answered. */
const everyWriter = statement(postgresDialect, [], () => sql<unknown>`select ${sql.raw(writersLock('alone'))}`)

/** No bridge may run, nor starts meanwhile: `admitPostgresSealer` refuses it. Throws as `rekey`. */
export async function rekeyPostgres(
  location: PostgresLocation,
  options: RekeyOptions & { readonly log: Log },
): Promise<Rekeyed> {
  const { clock, log, to } = options
  const place = placeOf(location)
  // Whole tables are counted, and written anew.
  const pool = createPostgresPool({ ...location, connections, statementMs: rekeyStatementMs }, log)
  await prepared(pool, location, async (session) => {
    const { rows } = await session.query<{ is_there: boolean }>(
      "select to_regclass('migration') is not null as is_there",
    )
    if (rows[0]?.is_there !== true) throw new StoreRefused(`${place} has no store yet: start the bridge once`)
    await migratePostgres(session, clock.now())
  })
  // With the locks of writers, and without looking whether the store is sealed as it should be: it is not.
  const transactions = createPostgresTransactions(pool, {
    writers: 1,
    waitMs: rekeyStatementMs,
    sealer: to,
    isFenced: false,
  })
  const read = runWith(to, (query) => pool.select(query))
  try {
    return await rekey(
      {
        place,
        dialect: postgresDialect,
        transaction: (work) => transactions.run(work),
        read,
        async assertUnused() {
          if (await isBridgeRunning(read)) {
            throw new StoreInUse(
              'a bridge is running on the store: stop it first, every replica (one that was killed is forgotten after a minute)',
            )
          }
          await read(everyWriter({}))
        },
        rewrite: () => rewrite(pool),
      },
      options,
    )
  } finally {
    await transactions.end()
    await pool.end()
  }
}

/** Rows of before lie in the tables' files until these are written anew. */
async function rewrite(pool: PostgresPool): Promise<void> {
  const tables = new Set([...Object.keys(sealedTables), ...indexedColumns.map((column) => column.split('.')[0])])
  const session = await pool.session()
  let isBroken = true
  try {
    for (const table of tables) await session.query(`vacuum full ${table}`)
    isBroken = false
  } catch (error) {
    throw asStoreError(error)
  } finally {
    session.release(isBroken)
  }
}
