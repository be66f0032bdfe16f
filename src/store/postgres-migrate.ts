import { migrationStatementMs } from '../limits.ts'
import { knownMigrations, newerSchemaText, storeMigrations } from './migrate.ts'
import { NewerSchema } from './newer-schema.ts'
import { begin, type PostgresSession } from './postgres.ts'
import { lockOf } from './postgres-transactions.ts'

export interface MigrationList {
  /** That tells which were made. */
  readonly table: string
  readonly folder: URL
  /** Where SQLite's words are not PostgreSQL's: what the file of the same number says here of a thing is made instead. */
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
  await session.query(begin)
  // What a request's statement may take is too little for an index over a large table, and for whoever waits for that one. Locks on
  // tables are waited for as ever: who waits for one, behind a dump, keeps every bridge from its rows.
  const patient = (text: string, values?: readonly unknown[]) => session.query(text, values, migrationStatementMs)
  const { rows: settings } = await session.query<{ lock_timeout: string }>('show lock_timeout')
  await session.query(`set local statement_timeout = ${migrationStatementMs}`)
  await session.query(`set local lock_timeout = ${migrationStatementMs}`)
  await patient(`select ${lockOf('$1')}`, [table])
  await session.query("select set_config('lock_timeout', $1, true)", [settings[0]?.lock_timeout])
  await session.query(`create table if not exists ${table} (number bigint primary key, at bigint not null)`)
  const { rows } = await session.query<{ number: number | null }>(`select max(number) as number from ${table}`)
  const present = rows[0]?.number ?? 0
  const own = new Map(knownMigrations(list.own).map(({ number, text }) => [number, text]))
  const migrations = knownMigrations(list.folder)
  const newest = migrations.at(-1)?.number ?? 0
  if (present > newest) throw new NewerSchema(newerSchemaText(present, newest))
  for (const { number, text } of migrations) {
    if (number <= present) continue
    await patient(postgresText(text, own.get(number)))
    await session.query(`insert into ${table} (number, at) values ($1, $2)`, [number, now])
  }
  await session.query('commit')
}

/**
 * The migration as PostgreSQL makes it. A statement of `own` takes the place of the one about the same table, index, column or
 * rows; the others of `own` come last. Texts are equal and ordered by their bytes, as in SQLite, whatever the database was made with.
 */
export function postgresText(text: string, own = ''): string {
  const others = new Map(statementsOf(own).map((statement) => [subjectOf(statement), statement]))
  const shared = statementsOf(text).map((statement) => {
    const subject = subjectOf(statement)
    const other = others.get(subject)
    others.delete(subject)
    return other ?? statement
  })
  const statements = [...shared, ...others.values()].map((statement) => `${statement};\n`)
  return statements.join('').replace(/\btext\b/g, 'text collate "C"')
}

/** Each ends a line with its semicolon; comments go. */
export function statementsOf(text: string): readonly string[] {
  return text
    .replace(/--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

/** What a statement is about: `create table member`, `alter table link add column grants`, `update resource`. */
export function subjectOf(statement: string): string {
  const found = /^(create (?:unique )?(?:table|index)|alter table \S+ add column|update|insert into) \S+/.exec(
    statement,
  )
  return (found?.[0] ?? statement).replace('unique ', '')
}
