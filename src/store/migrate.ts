import { readdirSync, readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { NewerSchema } from './newer-schema.ts'

/** Of the store itself. */
export const storeMigrations = new URL('./migrations/', import.meta.url)

interface Migration {
  readonly number: number
  readonly text: string
}

/** The numbered files, in order. */
export function knownMigrations(folder: URL): readonly Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}\.sql$/.test(name))
    .sort()
    .map((name) => ({ number: Number(name.slice(0, 4)), text: readFileSync(new URL(name, folder), 'utf8') }))
}

/** The number of the store's schema that this release writes. */
export function newestMigration(): number {
  return knownMigrations(storeMigrations).at(-1)?.number ?? 0
}

/** Brings the schema up to date, inside the caller's transaction. Throws `NewerSchema`. */
export function migrate(database: DatabaseSync, now: number, folder: URL = storeMigrations): void {
  database.exec('create table if not exists migration (number bigint primary key, at bigint not null)')
  const present = Number(database.prepare('select max(number) as number from migration').get()?.number ?? 0)
  const migrations = knownMigrations(folder)
  const newest = migrations.at(-1)?.number ?? 0
  if (present > newest) {
    throw new NewerSchema(newerSchemaText(present, newest))
  }
  for (const { number, text } of migrations) {
    if (number <= present) continue
    database.exec(text)
    database.prepare('insert into migration (number, at) values (?, ?)').run(number, now)
  }
}

export function newerSchemaText(present: number, newest: number): string {
  return (
    `the store was written by a newer release (schema ${present}; this release knows ${newest}): ` +
    'start that release, or restore the backup made before the upgrade'
  )
}
