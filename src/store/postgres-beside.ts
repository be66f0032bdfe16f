import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { createWalkReads, createWalkWrites } from './account-walks.ts'
import { type AuditReads, createAuditReads } from './audit.ts'
import type { StoreBeside } from './beside.ts'
import { createCounters } from './counters.ts'
import { StoreRefused } from './failures.ts'
import { createFindingReads } from './findings.ts'
import { sql } from './kysely.ts'
import { type PostgresLocation, placeOf } from './location.ts'
import { newestMigration } from './migrate.ts'
import { prepared } from './open-postgres.ts'
import { createOperatorWrites } from './operator-requests.ts'
import { createPostgresPool, postgresDialect } from './postgres.ts'
import { isBridgeRunning } from './postgres-claims.ts'
import { assertPostgresSealer } from './postgres-sealing.ts'
import { createPostgresTransactions } from './postgres-transactions.ts'
import { createReads } from './reads.ts'
import { createResourceWrites } from './resources.ts'
import { plainSealer, type Sealer } from './sealing.ts'
import { runWith, statement } from './statement.ts'

const connections = 2
const walkReads = createWalkReads(postgresDialect)
const walkWrites = createWalkWrites(postgresDialect)
const findingReads = createFindingReads(postgresDialect)
const counters = createCounters(postgresDialect)
const auditReads = createAuditReads(postgresDialect, counters)
const reads = createReads(postgresDialect, counters)
const resources = createResourceWrites(postgresDialect, counters)
const operatorWrites = createOperatorWrites(postgresDialect)
const withdraw = statement(
  postgresDialect,
  ['connection', 'number'],
  (slot) => sql<{ number: number }>`
    delete from walk where connection = ${slot('connection')} and number = ${slot('number')} and phase = 'asked'
    returning number`,
)

/** The store beside the bridges that use it, as it is. Throws `StoreRefused` when it is of another version, or sealed otherwise. */
export async function openPostgresBeside(
  location: PostgresLocation,
  { log, sealer }: { readonly clock: Clock; readonly log: Log; readonly sealer?: Sealer | undefined },
): Promise<StoreBeside & AuditReads & { close(): Promise<void> }> {
  const pool = createPostgresPool({ ...location, schema: location.schema, connections }, log)
  await prepared(pool, location, async (session) => {
    const { rows } = await session.query<{ is_there: boolean }>(
      "select to_regclass('migration') is not null as is_there",
    )
    if (rows[0]?.is_there !== true)
      throw new StoreRefused(`${placeOf(location)} has no store yet: start the bridge once`)
    const found = await session.query<{ number: number | null }>('select max(number) as number from migration')
    if (found.rows[0]?.number !== newestMigration())
      throw new StoreRefused(
        `${placeOf(location)} is of another version of the bridge: use the command of that version`,
      )
    if (sealer !== undefined) await assertPostgresSealer(session, sealer, placeOf(location))
  })
  const transactions = createPostgresTransactions(pool, {
    writers: 1,
    waitMs: location.statementMs,
    sealer: sealer ?? plainSealer,
    isFenced: sealer !== undefined,
  })
  const read = runWith(sealer ?? plainSealer, (query) => pool.select(query))
  const { getWalk, currentWalk } = walkReads(read)
  const { getLink, getOperation, getOperatorRequest, stoppedOperations } = reads(read)
  const { getAnyResource, findByUniqueName } = resources(read)
  const { withdrawOperatorRequest } = operatorWrites(read)
  return {
    getWalk,
    currentWalk,
    getLink,
    getOperation,
    getOperatorRequest,
    stoppedOperations,
    getAnyResource,
    findByUniqueName,
    withdrawOperatorRequest,
    addOperatorRequest: (connection, request) =>
      transactions.run((run) => operatorWrites(run).addOperatorRequest(connection, request)),
    ...findingReads(read),
    ...auditReads(read),
    addWalk: (connection, walk) => transactions.run((run) => walkWrites(run).addWalk(connection, walk)),
    withdrawWalk: async (connection, number) => (await read(withdraw({ connection, number }))).rows.length > 0,
    isHeld: () => isBridgeRunning(read),
    async close() {
      await transactions.end()
      await pool.end()
    },
  }
}
