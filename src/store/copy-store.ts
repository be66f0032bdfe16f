import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { type CopiedTable, copyTables } from './copy.ts'
import { credentialFile, openCredentials } from './credentials.ts'
import { StoreInUse, StoreRefused } from './failures.ts'
import type { PostgresLocation, SqliteLocation } from './location.ts'
import { openStore } from './open.ts'
import { migratedPool } from './open-postgres.ts'
import { createPostgresPool, type PostgresSession } from './postgres.ts'
import { openPostgresBeside } from './postgres-beside.ts'
import { openPostgresCredentials } from './postgres-credentials.ts'
import type { Sealer } from './sealing.ts'

interface Surroundings {
  readonly clock: Clock
  readonly log: Log
  /** Of the source; what is encrypted stays so, with the same key. */
  readonly sealer: Sealer
}

/**
 * Copies store and credentials, both brought up to date first. Neither may be in use: the source is held meanwhile, and the target
 * may have no bridge. Can be asked again after it was interrupted. Throws `StoreInUse`, `StoreRefused` or `NewerSchema`.
 */
export async function copyStore(
  from: SqliteLocation,
  to: PostgresLocation,
  surroundings: Surroundings,
  progress: (table: string, rows: number) => void,
): Promise<readonly CopiedTable[]> {
  if (!existsSync(from.file)) throw new StoreRefused(`${from.file} does not exist: there is nothing to copy`)
  const source = await openStore(from, surroundings)
  try {
    await makeTarget(to, surroundings)
    const tables = await between(from.file, to, surroundings, progress)
    const file = credentialFile(from.file)
    if (!existsSync(file)) return tables
    const options = { log: surroundings.log, now: surroundings.clock.now() }
    await openCredentials(file, options).close()
    await (await openPostgresCredentials(to, options)).close()
    return [...tables, ...(await between(file, to, surroundings, progress, afterCredentials))]
  } finally {
    await source.close()
  }
}

/** With its schema, and without a bridge. */
async function makeTarget(to: PostgresLocation, surroundings: Surroundings): Promise<void> {
  await (await migratedPool(to, surroundings)).end()
  const beside = await openPostgresBeside(to, { clock: surroundings.clock, log: surroundings.log })
  try {
    if (await beside.isHeld()) throw new StoreInUse('a bridge is running on the target: stop it first')
  } finally {
    await beside.close()
  }
}

async function between(
  file: string,
  to: PostgresLocation,
  { log }: Surroundings,
  progress: (table: string, rows: number) => void,
  finish: (session: PostgresSession) => Promise<void> = () => Promise.resolve(),
): Promise<readonly CopiedTable[]> {
  const database = new DatabaseSync(file, { readOnly: true })
  const pool = createPostgresPool(to, log)
  try {
    const session = await pool.session()
    try {
      const tables = await copyTables(database, session, progress)
      await finish(session)
      return tables
    } finally {
      session.release(true)
    }
  } finally {
    database.close()
    await pool.end()
  }
}

/** Numbers of new tokens go on after those that were copied, and whoever has read them before reads again. */
async function afterCredentials(session: PostgresSession): Promise<void> {
  await session.query(
    "select setval(pg_get_serial_sequence('token', 'id'), (select coalesce(max(id), 0) + 1 from token), false)",
  )
  await session.query('update credential_version set version = version + 1')
}
