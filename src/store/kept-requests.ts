import type { KeptRequest, RequestWrites } from './console-store.ts'
import type { Counters } from './counters.ts'
import { sql } from './kysely.ts'
import type { Sealer } from './sealing.ts'
import { type Dialect, type Query, type Run, statement, type Value } from './statement.ts'

/** Rows of one statement, the largest first: each statement costs more than the row that it writes. */
const rowsAtOnce = [50, 10, 1] as const
const columns = sql.raw(
  'connection, id, at, request_id, caller, method, route, resource_id, query, status, ms, detail, sent, answered',
)
const columnCount = 14

export function createRequestWrites(dialect: Dialect, counters: Counters): (run: Run) => RequestWrites {
  const inserts = rowsAtOnce.map((many) => ({ many, insert: insertOf(dialect, many) }))
  const forget = statement(
    dialect,
    ['connection', 'before', 'lastId'],
    (slot) => sql<unknown>`
      delete from scim_request
      where connection = ${slot('connection')} and (id <= ${slot('lastId')} or at < ${slot('before')})`,
  )
  return (run) => ({
    async keepRequests(connection, requests) {
      const last = await counters.add(run, connection, 'request.id', requests.length)
      const first = last - requests.length + 1
      const rows = requests.map((request, index) => rowOf(run.sealer, connection, first + index, request))
      let place = 0
      for (const { many, insert } of inserts) {
        for (; place + many <= rows.length; place += many) await run.tell(insert(rows.slice(place, place + many)))
      }
    },
    async forgetRequests(connection, before, most) {
      const last = await counters.read(run, connection, 'request.id')
      await run.tell(forget({ connection, before, lastId: last - most }))
    },
  })
}

type Row = readonly Value[]

/** So many rows as one statement, compiled once. */
function insertOf(dialect: Dialect, rows: number): (values: readonly Row[]) => Query<unknown> {
  const names = Array.from({ length: rows * columnCount }, (_, index) => String(index))
  const insert = statement(dialect, names, (slot) => {
    const places = Array.from({ length: rows }, (_, index) => {
      const first = index * columnCount
      return sql`(${sql.join(names.slice(first, first + columnCount).map(slot))})`
    })
    return sql<unknown>`insert into scim_request (${columns}) values ${sql.join(places)}`
  })
  const template = insert(Object.fromEntries(names.map((name) => [name, null])))
  // The slots are in the order of the columns: their values are a row after the other.
  return (values) => ({ ...template, connection: values[0]?.[0] ?? null, parameters: values.flat() })
}

function rowOf(sealer: Sealer, connection: string, id: number, request: KeptRequest): Row {
  const { at, requestId, caller, method, route, resourceId, query, status, ms, detail, sent, answered } = request
  const seal = (column: 'query' | 'detail' | 'sent' | 'answered', value: string | undefined) =>
    sealer.seal(`scim_request.${column}`, [connection, String(id)], value ?? null)
  return [
    ...[connection, id, at, requestId, caller, method, route, resourceId ?? null, seal('query', query), status, ms],
    ...[seal('detail', detail), seal('sent', sent), seal('answered', answered)],
  ]
}
