import { knownMigrations, newerSchemaText, storeMigrations } from './migrate.ts'
import { NewerSchema } from './newer-schema.ts'
import type { PostgresSession } from './postgres.ts'
import { lockOf } from './postgres-transactions.ts'

export interface MigrationList {
  /** That tells which were made. */
  readonly table: string
  readonly folder: URL
  /** Where SQLite's words are not PostgreSQL's: a file here replaces the one of the same number. */
  readonly own: URL
}

const ofStore: MigrationList = {
  table: 'migration',
  folder: storeMigrations,
  own: new URL('./postgres-migrations/', import.meta.url),
}

/**
 * Brings the schema up to date in one transaction; of several starters one does it, the others wait. Throws `NewerSchema`, or
 * what PostgreSQL says; nothing is left behind then.
 */
export async function migratePostgres(
  session: PostgresSession,
  now: number,
  list: MigrationList = ofStore,
): Promise<void> {
  const { table } = list
  await session.query('begin')
  await session.query(`select ${lockOf}`, [table])
  await session.query(`create table if not exists ${table} (number bigint primary key, at bigint not null)`)
  const { rows } = await session.query<{ number: number | null }>(`select max(number) as number from ${table}`)
  const present = rows[0]?.number ?? 0
  const own = new Map(knownMigrations(list.own).map(({ number, text }) => [number, text]))
  const migrations = knownMigrations(list.folder)
  const newest = migrations.at(-1)?.number ?? 0
  if (present > newest) throw new NewerSchema(newerSchemaText(present, newest))
  for (const { number, text } of migrations) {
    if (number <= present) continue
    await session.query(postgresText(own.get(number) ?? text))
    await session.query(`insert into ${table} (number, at) values ($1, $2)`, [number, now])
  }
  await session.query('commit')
}

/** Texts are equal and ordered by their bytes, as in SQLite, whatever the database was made with. */
function postgresText(text: string): string {
  return text.replace(/--.*$/gm, '').replace(/\btext\b/g, 'text collate "C"')
}
