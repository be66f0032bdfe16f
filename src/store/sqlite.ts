import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { type CompiledQuery, Kysely, SqliteDialect } from 'kysely'
import type { Dialect } from './statement.ts'

/** The closed set of statements is far smaller; the bound is for what we have not thought of. */
const maxStatements = 500

export interface SqliteConnection {
  readonly database: DatabaseSync
  readonly dialect: Dialect
  /**
   * The rows of a compiled query, at once: SQLite answers synchronously, and Kysely's queue for the one connection costs
   * more than most reads. The caller's row type is trusted, as it is in `executeQuery`.
   */
  select<Row>(query: CompiledQuery<Row>): Row[]
  close(): void
}

/** One handle on the file, with Kysely in front of it. `lockWaitMs` blocks the process: keep it for the start. */
export function connectSqlite(file: string, options: { readOnly: boolean; lockWaitMs: number }): SqliteConnection {
  const database = new DatabaseSync(file, {
    readOnly: options.readOnly,
    timeout: options.lockWaitMs,
    enableForeignKeyConstraints: true,
  })
  // 16 MiB of pages; the system caches the file. Memory-mapped reads were no faster, and a file cut short would kill us.
  database.exec('pragma mmap_size = 0; pragma cache_size = -16384; pragma temp_store = memory')
  const statements = new Map<string, ReturnType<typeof prepared>>()
  const prepare = (text: string) => {
    const known = statements.get(text)
    if (known !== undefined) return known
    const made = prepared(database.prepare(text))
    if (statements.size >= maxStatements) statements.clear()
    statements.set(text, made)
    return made
  }
  const close = () => database.close()
  const dialect: Dialect = new Kysely({ dialect: new SqliteDialect({ database: { prepare, close } }) })
  const select = <Row>({ sql, parameters }: CompiledQuery<Row>) => prepare(sql).all(parameters) as Row[]
  return { database, dialect, select, close }
}

function prepared(statement: StatementSync) {
  const names = statement.columns().map(({ name }) => name)
  // Of objects made by the driver each is a dictionary with its names looked up anew: twice as dear as these.
  statement.setReturnArrays(true)
  const toRow = (values: unknown) => {
    const row: Record<string, unknown> = {}
    if (!Array.isArray(values)) throw new TypeError('a row without its columns')
    let index = 0
    for (const name of names) {
      row[name] = values[index]
      index += 1
    }
    return row
  }
  return {
    reader: names.length > 0,
    all: (values: readonly unknown[]) => statement.all(...values.map(asInput)).map(toRow),
    run: (values: readonly unknown[]) => statement.run(...values.map(asInput)),
    *iterate(values: readonly unknown[]) {
      for (const row of statement.iterate(...values.map(asInput))) yield toRow(row)
    },
  }
}

function asInput(value: unknown): SQLInputValue {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  throw new TypeError(`a statement cannot take a value of type ${typeof value}`)
}
