/** Pages by `limit` and `offset`, with absolute links to the next and the previous one. */
import type { SimulatorAnswer } from '../simulator.ts'
import { json } from './answers.ts'
import type { Call } from './call.ts'

export function page<Row>(call: Call, rows: readonly Row[], show: (row: Row) => unknown): SimulatorAnswer {
  const { defaultPageSize, maxPageSize } = call.state.knobs
  const { query } = call.request
  const limit = Math.min(toCount(query.get('limit')) || defaultPageSize, maxPageSize)
  const offset = toCount(query.get('offset'))
  return json(200, {
    count: rows.length,
    next: offset + limit < rows.length ? pageUrl(call, limit, offset + limit) : null,
    previous: offset > 0 ? pageUrl(call, limit, Math.max(0, offset - limit)) : null,
    results: rows.slice(offset, offset + limit).map(show),
  })
}

/** 0 for what is no number: the platform then takes its default. */
function toCount(value: string | null): number {
  return value !== null && /^\d{1,9}$/.test(value) ? Number(value) : 0
}

function pageUrl({ request }: Call, limit: number, offset: number): string {
  const query = new URLSearchParams(request.query)
  query.set('limit', String(limit))
  if (offset > 0) query.set('offset', String(offset))
  else query.delete('offset')
  return `http://${request.headers.host ?? '127.0.0.1'}${request.path}?${query}`
}

export type SortKey<Row> = (row: Row) => string | number | null
export type Order<Row> = ReadonlyMap<string, SortKey<Row>>

/** By the field that the text names, a minus sign for descending; the first known when the text names none of them. */
export function sorted<Row extends { readonly id: number }>(
  rows: readonly Row[],
  wanted: string | null,
  fallback: string,
  order: Order<Row>,
): Row[] {
  const known = wanted !== null && order.has(wanted.replace(/^-/, '')) ? wanted : fallback
  const key: SortKey<Row> = order.get(known.replace(/^-/, '')) ?? ((row) => row.id)
  const sign = known.startsWith('-') ? -1 : 1
  return [...rows].sort((one, other) => sign * (compare(key(one), key(other)) || one.id - other.id))
}

function compare(one: string | number | null, other: string | number | null): number {
  if (one === other) return 0
  if (one === null) return -1
  if (other === null) return 1
  return one < other ? -1 : 1
}

export function contains(text: string | null, part: string): boolean {
  return text?.toLowerCase().includes(part.toLowerCase()) ?? false
}
