/**
 * The parts of Kysely that write statements down. Its index loads builders, schemas and other databases as well: 120 files that
 * nothing here uses, a tenth of what a start has to load. The version is pinned, and every statement fails when a path is another
 * one.
 */
import { createRequire } from 'node:module'
import type * as kysely from 'kysely'

export type { QueryCompiler, RawBuilder, RawNode } from 'kysely'

const require = createRequire(import.meta.resolve('kysely'))

export const { sql }: Pick<typeof kysely, 'sql'> = require('./raw-builder/sql.js')
export const {
  SqliteQueryCompiler,
}: Pick<typeof kysely, 'SqliteQueryCompiler'> = require('./dialect/sqlite/sqlite-query-compiler.js')
export const {
  PostgresQueryCompiler,
}: Pick<typeof kysely, 'PostgresQueryCompiler'> = require('./dialect/postgres/postgres-query-compiler.js')
