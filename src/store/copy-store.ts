import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { type CopiedTable, copyTables, isEmptyTarget } from './copy.ts'
import { credentialFile, openCredentials } from './credentials.ts'
import { StoreInUse, StoreRefused } from './failures.ts'
import { markHalfCopied, unmarkHalfCopied } from './half-copied.ts'
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
    await (await migratedPool(to, surroundings)).end()
    const tables = await between(from.file, to, surroundings, async (database, session) => {
      await claimTarget(database, session, to, surroundings)
      return copyTables(database, session, progress)
    })
    const file = credentialFile(from.file)
    const credentials = existsSync(file) ? await copyCredentials(file, to, surroundings, progress) : []
    await between(from.file, to, surroundings, (_database, session) => unmarkHalfCopied(session))
    return [...tables, ...credentials]
  } finally {
    await source.close()
  }
}

/** From here on no bridge starts there, and none is there. */
async function claimTarget(
  source: DatabaseSync,
  session: PostgresSession,
  to: PostgresLocation,
  { clock, log }: Surroundings,
): Promise<void> {
  const isNew = await isEmptyTarget(source, session)
  // First: a bridge that starts at this moment either sees it, or is seen.
  if (isNew) await markHalfCopied(session)
  const beside = await openPostgresBeside(to, { clock, log })
  try {
    if (!(await beside.isHeld())) return
    if (isNew) await unmarkHalfCopied(session)
    throw new StoreInUse('a bridge is running on the target: stop it first')
  } finally {
    await beside.close()
  }
}

async function copyCredentials(
  file: string,
  to: PostgresLocation,
  surroundings: Surroundings,
  progress: (table: string, rows: number) => void,
): Promise<readonly CopiedTable[]> {
  const options = { log: surroundings.log, now: surroundings.clock.now() }
  await openCredentials(file, options).close()
  await (await openPostgresCredentials(to, options)).close()
  return between(file, to, surroundings, async (database, session) => {
    const tables = await copyTables(database, session, progress)
    await afterCredentials(session)
    return tables
  })
}

async function between<Result>(
  file: string,
  to: PostgresLocation,
  { log }: Surroundings,
  work: (database: DatabaseSync, session: PostgresSession) => Promise<Result>,
): Promise<Result> {
  const database = new DatabaseSync(file, { readOnly: true })
  const pool = createPostgresPool(to, log)
  try {
    const session = await pool.session()
    try {
      return await work(database, session)
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
