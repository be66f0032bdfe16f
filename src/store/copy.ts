/** Moves a grown store from SQLite to PostgreSQL: table by table, in the order of the keys, so that it can be gone on with. */
import { createHash, type Hash } from 'node:crypto'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { copyBatch } from '../limits.ts'
import { StoreRefused } from './failures.ts'
import type { PostgresSession } from './postgres.ts'

type Value = string | number | null
type Row = Readonly<Record<string, Value>>

export interface CopiedTable {
  readonly table: string
  readonly rows: number
  /** SHA-256 of all rows in the order of their keys, the same on both sides. */
  readonly sha256: string
}

interface Table {
  readonly name: string
  readonly columns: readonly string[]
  readonly key: readonly string[]
}

/** Of processes, not of what they know; the target has made its own migrations. */
const left = new Set(['migration', 'lease', 'claim'])

/**
 * Copies what is missing and compares everything. `progress` is told of every batch. Throws `StoreRefused` when the target holds
 * anything else than the beginning of a copy; nobody else may use either of them meanwhile.
 */
export async function copyTables(
  source: DatabaseSync,
  target: PostgresSession,
  progress: (table: string, rows: number) => void,
): Promise<readonly CopiedTable[]> {
  const copied: CopiedTable[] = []
  for (const table of tablesOf(source)) {
    const present = await digestOfTarget(target, table)
    const begun = digestOfSource(source, table, present.rows)
    if (begun.sha256 !== present.sha256 || begun.rows !== present.rows) {
      throw new StoreRefused(
        `the table ${table.name} of the target holds something else: copy into an empty database or schema`,
      )
    }
    let { last, rows } = present
    for (let batch = read(source, table, last); batch.length > 0; batch = read(source, table, last)) {
      await write(target, table, batch)
      last = batch.at(-1)
      rows += batch.length
      progress(table.name, rows)
    }
    const whole = digestOfSource(source, table)
    const arrived = await digestOfTarget(target, table)
    if (whole.sha256 !== arrived.sha256 || whole.rows !== arrived.rows) {
      throw new StoreRefused(
        `the table ${table.name} is not the same on both sides: ${whole.rows} rows, and ${arrived.rows}`,
      )
    }
    copied.push({ table: table.name, rows: arrived.rows, sha256: arrived.sha256 })
  }
  return copied
}

/** Whether nothing of a store is in the target yet. */
export async function isEmptyTarget(source: DatabaseSync, target: PostgresSession): Promise<boolean> {
  for (const { name } of tablesOf(source)) {
    const { rows } = await target.query(`select 1 from ${quoted(name)} limit 1`)
    if (rows.length > 0) return false
  }
  return true
}

/** Resources first: others refer to them. */
function tablesOf(source: DatabaseSync): readonly Table[] {
  const names = source
    .prepare(
      "select name from sqlite_schema where type = 'table' and name not like 'sqlite%' order by name <> 'resource', name",
    )
    .all()
    .map(({ name }) => String(name))
  return names
    .filter((name) => !left.has(name))
    .map((name) => {
      const columns = source.prepare('select name, pk from pragma_table_info(?)').all(name)
      const keys = columns.filter(({ pk }) => Number(pk) > 0).sort((a, b) => Number(a.pk) - Number(b.pk))
      return {
        name,
        columns: columns.map((column) => String(column.name)),
        key: keys.map((column) => String(column.name)),
      }
    })
}

function read(source: DatabaseSync, { name, columns, key }: Table, last: Row | undefined): Row[] {
  const keys = key.map(quoted).join(', ')
  const after = last === undefined ? '' : `where (${keys}) > (${key.map(() => '?').join(', ')})`
  const rows = source
    .prepare(
      `select ${columns.map(quoted).join(', ')} from ${quoted(name)} ${after} order by ${keys} limit ${copyBatch}`,
    )
    .all(...(last === undefined ? [] : key.map((column) => last[column] ?? null)))
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([column, value]) => [column, plain(value)])))
}

/** As PostgreSQL can hold it: no NUL in texts, no fractions of milliseconds. */
function plain(value: SQLOutputValue): Value {
  if (typeof value === 'string') return value.replaceAll('\0', '\ufffd')
  if (typeof value === 'number') return Math.round(value)
  if (value === null) return null
  throw new StoreRefused('the store holds a value that is neither text nor number: it cannot be copied by this release')
}

async function write(target: PostgresSession, { name, columns }: Table, rows: readonly Row[]): Promise<void> {
  const list = columns.map(quoted).join(', ')
  await target.query(
    `insert into ${quoted(name)} (${list}) select ${list} from json_populate_recordset(null::${quoted(name)}, $1::json)`,
    [JSON.stringify(rows)],
  )
}

interface Digest {
  readonly rows: number
  readonly sha256: string
  readonly last: Row | undefined
}

function digestOfSource(source: DatabaseSync, table: Table, limit = Number.POSITIVE_INFINITY): Digest {
  const hash = createHash('sha256')
  let rows = 0
  let last: Row | undefined
  for (let batch = read(source, table, last); batch.length > 0 && rows < limit; batch = read(source, table, last)) {
    const wanted = batch.slice(0, limit - rows)
    for (const row of wanted) add(hash, table, row)
    rows += wanted.length
    last = wanted.at(-1)
  }
  return { rows, sha256: hash.digest('hex'), last }
}

async function digestOfTarget(target: PostgresSession, table: Table): Promise<Digest> {
  const { name, columns, key } = table
  const hash = createHash('sha256')
  const keys = key.map(quoted).join(', ')
  let rows = 0
  let last: Row | undefined
  for (;;) {
    const after = last === undefined ? '' : `where (${keys}) > (${key.map((_, index) => `$${index + 1}`).join(', ')})`
    const found = await target.query<Row>(
      `select ${columns.map(quoted).join(', ')} from ${quoted(name)} ${after} order by ${keys} limit ${copyBatch}`,
      last === undefined ? [] : key.map((column) => last?.[column] ?? null),
    )
    if (found.rows.length === 0) return { rows, sha256: hash.digest('hex'), last }
    for (const row of found.rows) add(hash, table, row)
    rows += found.rows.length
    last = found.rows.at(-1)
  }
}

function add(hash: Hash, { columns }: Table, row: Row): void {
  hash.update(JSON.stringify(columns.map((column) => row[column] ?? null))).update('\n')
}

/** Names come from our own migrations. */
function quoted(name: string): string {
  return `"${name}"`
}
