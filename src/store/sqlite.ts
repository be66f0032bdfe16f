import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { SqliteQueryCompiler } from './kysely.ts'
import { createDialect, type Query } from './statement.ts'

export const sqliteDialect = createDialect(new SqliteQueryCompiler())

/** The closed set of statements is far smaller; the bound is for what we have not thought of. */
const maxStatements = 500

export interface SqliteConnection {
  readonly database: DatabaseSync
  /** The rows, at once: SQLite answers synchronously. That they are of the caller's type is trusted. */
  select<Row>(query: Query<Row>): Row[]
  close(): void
}

/** One handle on the file. `lockWaitMs` blocks the process: keep it for the start. */
export function connectSqlite(file: string, options: { readOnly: boolean; lockWaitMs: number }): SqliteConnection {
  const database = new DatabaseSync(file, {
    readOnly: options.readOnly,
    timeout: options.lockWaitMs,
    enableForeignKeyConstraints: true,
  })
  // KiB of pages; the system caches the file. What only reads loses them with each commit of another handle: more would lie idle.
  // Memory-mapped reads were no faster, and a file cut short would kill us.
  const cacheKib = options.readOnly ? 2_048 : 16_384
  database.exec(`pragma mmap_size = 0; pragma cache_size = -${cacheKib}; pragma temp_store = memory`)
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
  const select = <Row>({ sql, parameters }: Query<Row>) => prepare(sql).all(parameters) as Row[]
  return { database, select, close }
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
  return { all: (values: readonly unknown[]) => statement.all(...values.map(asInput)).map(toRow) }
}

function asInput(value: unknown): SQLInputValue {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  throw new TypeError(`a statement cannot take a value of type ${typeof value}`)
}
