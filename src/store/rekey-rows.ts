/** The rows of one table after the other, taken from one sealer to another: what `rekey.ts` puts into transactions. */
import { type RawBuilder, sql } from './kysely.ts'
import { emailRows, keyColumns } from './resources.ts'
import { type SealedColumn, type SealedTable, sealedTables } from './sealed-columns.ts'
import type { RowName, Sealer } from './sealing.ts'
import { atMost, type Dialect, type Query, type Run, statement, type Value } from './statement.ts'
import type { ResourceKeys, ResourceType } from './store.ts'

export const tablesInOrder: readonly SealedTable[] = [
  'resource',
  'link',
  'group_link',
  'operation',
  'watch',
  'finding',
  'scim_request',
]

/** Values of a row's name, in the order of its columns. */
export type RowPlace = readonly (string | number)[]

/** The values by which a resource is looked for, out of its document (JSON text). */
export type KeysOfDocument = (type: ResourceType, json: string) => ResourceKeys

export interface RowPass {
  count(run: Run, table: SealedTable): Promise<number>
  /** Reads the rows after `after`, opens them with `from`, writes them as `to` seals them. Answers how many, and the last. */
  reseal(run: Run, table: SealedTable, keys: Keys, after: RowPlace | undefined, limit: number): Promise<Passed>
  /** Opens them with the sealer of `run`; throws `StoreUnsealable` for the first that does not open. */
  verify(run: Run, table: SealedTable, after: RowPlace | undefined, limit: number): Promise<Passed>
}

interface Keys {
  readonly from: Sealer
  readonly to: Sealer
}
interface Passed {
  readonly rows: number
  readonly last: RowPlace | undefined
}
type Row = Readonly<Record<string, Value>>
type RowQuery = (values: Readonly<Record<string, Value>>) => Query<Row>
interface TableStatements {
  readonly count: RowQuery
  readonly first: RowQuery
  readonly next: RowQuery
  readonly update: RowQuery
}

export function createRowPass(dialect: Dialect, keysOf: KeysOfDocument): RowPass {
  const texts = new Map(tablesInOrder.map((table) => [table, tableStatements(dialect, table)]))
  const emails = emailStatements(dialect)
  const of = (table: SealedTable): TableStatements => {
    const found = texts.get(table)
    if (found === undefined) throw new Error(`${table} has no sealed columns`)
    return found
  }

  async function read(
    run: Run,
    table: SealedTable,
    after: RowPlace | undefined,
    limit: number,
  ): Promise<readonly Row[]> {
    const { first, next } = of(table)
    const { rows } = await run(
      after === undefined ? first({ limit }) : next({ limit, ...Object.fromEntries(after.map(afterEntry)) }),
    )
    return rows
  }

  async function storeKeys(run: Run, row: Row, json: string, to: Sealer): Promise<Row> {
    const [connection, id] = [text(row.connection), text(row.id)]
    const type: ResourceType = row.type === 'Group' ? 'Group' : 'User'
    const keys = keysOf(type, json)
    await run(emails.forget({ connection, id }))
    for (const email of emailRows(to, connection, keys)) await run(emails.insert({ connection, id, ...email }))
    const { userNameKey, displayKey, externalId } = keyColumns(to, connection, { type, id, keys })
    return { user_name_key: userNameKey, display_key: displayKey, external_id: externalId }
  }

  return {
    async count(run, table) {
      const { rows } = await run(of(table).count({}))
      return Number(rows[0]?.count ?? 0)
    },
    async reseal(run, table, { from, to }, after, limit) {
      const rows = await read(run, table, after, limit)
      for (const row of rows) {
        const opened = openRow(from, table, row)
        const sealed = Object.fromEntries(
          Object.entries(opened).map(([column, value]) => [
            column,
            to.seal(columnOf(table, column), nameOf(table, row), value),
          ]),
        )
        const keys = table === 'resource' ? await storeKeys(run, row, text(opened.json), to) : {}
        await run(of(table).update({ ...placeValues(table, row), ...sealed, ...keys }))
      }
      return passed(table, rows)
    },
    async verify(run, table, after, limit) {
      const rows = await read(run, table, after, limit)
      for (const row of rows) openRow(run.sealer, table, row)
      return passed(table, rows)
    },
  }
}

function openRow(sealer: Sealer, table: SealedTable, row: Row): Record<string, string | null> {
  const name = nameOf(table, row)
  return Object.fromEntries(
    sealedTables[table].columns.map((column) => {
      const stored = row[column] ?? null
      return [column, sealer.open(columnOf(table, column), name, stored === null ? null : text(stored))]
    }),
  )
}

function passed(table: SealedTable, rows: readonly Row[]): Passed {
  const last = rows.at(-1)
  return { rows: rows.length, last: last && sealedTables[table].row.map((column) => last[column] ?? '') }
}

function nameOf(table: SealedTable, row: Row): RowName {
  const [connection, ...rest] = sealedTables[table].row.map((column) => String(row[column]))
  return [connection ?? '', ...rest]
}

function columnOf(table: SealedTable, column: string): SealedColumn {
  const found = sealedColumnNames.get(`${table}.${column}`)
  if (found === undefined) throw new Error(`${table}.${column} is not sealed`)
  return found
}

const sealedColumnNames: ReadonlyMap<string, SealedColumn> = new Map(
  tablesInOrder.flatMap((table) =>
    sealedTables[table].columns.map((column) => {
      const name = `${table}.${column}` as SealedColumn
      return [name, name] as const
    }),
  ),
)

function placeValues(table: SealedTable, row: Row): Record<string, Value> {
  return Object.fromEntries(sealedTables[table].row.map((column, index) => [`at${index}`, row[column] ?? null]))
}

function afterEntry(value: string | number, index: number): [string, string | number] {
  return [`at${index}`, value]
}

function text(value: Value | undefined): string {
  if (typeof value !== 'string') throw new TypeError('a column of text holds something else')
  return value
}

/** Row values (SQL-92) keep to the primary key or a unique index, whatever the table's length. */
function tableStatements(dialect: Dialect, table: SealedTable): TableStatements {
  const { row, columns } = sealedTables[table]
  const places = row.map((_, index) => `at${index}`)
  const more = table === 'resource' ? ['user_name_key', 'display_key', 'external_id'] : []
  const read = table === 'resource' ? [...row, 'type', ...columns] : [...row, ...columns]
  const list = (names: readonly string[]) => sql.raw(names.join(', '))
  const slots = (slot: (name: string) => RawBuilder<unknown>) => sql.join(places.map((name) => slot(name)))
  const from = sql`select ${list(read)} from ${sql.raw(table)}`
  const written = [...columns, ...more]
  return {
    count: statement(dialect, [], () => sql<Row>`select count(*) as count from ${sql.raw(table)}`),
    first: statement(
      dialect,
      ['limit'],
      (slot) => sql<Row>`${from} order by ${list(row)} limit ${atMost(slot('limit'))}`,
    ),
    next: statement(
      dialect,
      ['limit', ...places],
      (slot) =>
        sql<Row>`${from} where (${list(row)}) > (${slots(slot)}) order by ${list(row)} limit ${atMost(slot('limit'))}`,
    ),
    update: statement(
      dialect,
      [...written, ...places],
      (slot) => sql<Row>`
        update ${sql.raw(table)} set ${sql.join(written.map((name) => sql`${sql.raw(name)} = ${slot(name)}`))}
        where (${list(row)}) = (${slots(slot)})`,
    ),
  }
}

function emailStatements(dialect: Dialect) {
  return {
    forget: statement(
      dialect,
      ['connection', 'id'],
      (slot) => sql<unknown>`
        delete from email_value where connection = ${slot('connection')} and resource_id = ${slot('id')}`,
    ),
    insert: statement(
      dialect,
      ['connection', 'id', 'valueKey', 'emailType'],
      (slot) => sql<unknown>`
        insert into email_value (connection, resource_id, value_key, email_type)
        values (${slot('connection')}, ${slot('id')}, ${slot('valueKey')}, ${slot('emailType')})`,
    ),
  }
}
