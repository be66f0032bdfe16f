/** restws' collections: filters, sorting, pages and their links. */
import type { SimulatorRequest } from '../simulator.ts'
import { crash, escapeHtml, json, Refusal, text } from './answers.ts'
import type { EthosceState } from './state.ts'

/** A column that can be filtered and sorted by. */
export interface Column<Row> {
  readonly isNumber: boolean
  read(row: Row): string | number | null
}

export interface Collection<Row> {
  readonly resource: string
  readonly columns: ReadonlyMap<string, Column<Row>>
  /** Properties that exist but have no column: a filter by one of them crashes the site. */
  readonly computed: ReadonlySet<string>
  /** Rows that can match an exact filter, when an index knows; undefined means all. */
  candidates(property: string, value: string): Iterable<Row> | undefined
  rows(): Iterable<Row>
  id(row: Row): number
  /** Order of an unfiltered list without `sort`; by id when absent. */
  readonly naturalOrder?: (a: Row, b: Row) => number
}

type Filter =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'many'; readonly values: Map<string, string> }
const controls = new Set(['limit', 'page', 'sort', 'direction', 'full'])
const operators = new Set(['gt', 'ge', 'lt', 'le', 'ne', 'eq', 'ct', 'sw'])

/** `mayFilter` throws for a property that the caller must not query. */
export function list<Row>(
  collection: Collection<Row>,
  request: SimulatorRequest,
  state: EthosceState,
  origin: string,
  full: (row: Row) => unknown,
  mayFilter: (property: string) => void,
) {
  const filters = new Map<string, Filter>()
  for (const [name, value] of parsePhpQuery(request.query)) {
    if (controls.has(name)) continue
    if (!collection.columns.has(name) && !collection.computed.has(name)) {
      throw new Refusal(text(412, `Not a valid filter: ${name}`))
    }
    mayFilter(name)
    if (collection.computed.has(name)) throw new Refusal(crash())
    filters.set(name, value)
  }
  const matches = sorted(collection, filtered(collection, filters, state), request.query, filters.size > 0, state)
  const limit = pageSize(request.query.get('limit'), state.knobs.pageLimit)
  const page = Math.max(0, Number.parseInt(request.query.get('page') ?? '0', 10) || 0)
  // One page too many when the count is a multiple of the limit: that page is empty.
  const lastPage = Math.floor(matches.length / limit)
  if (page > lastPage) throw new Refusal(text(404, "Page doesn't exist."))
  const shown = matches.slice(page * limit, (page + 1) * limit)
  const isFull = request.query.get('full') !== '0'
  const base = `${origin}/${collection.resource}`
  const links: [string, string][] = [
    ['self', link(base, request.query)],
    ['first', link(base, request.query, 0)],
    ['last', link(base, request.query, lastPage)],
  ]
  if (page > 0) links.push(['prev', link(base, request.query, page - 1)])
  if (page < lastPage) links.push(['next', link(base, request.query, page + 1)])
  const references = shown.map((row) => ({ uri: `${base}/${collection.id(row)}`, id: collection.id(row) }))
  if (request.path.endsWith('.xml')) return xml(collection.resource, links, references)
  const resource = collection.resource
  return json(200, {
    ...Object.fromEntries(links),
    list: isFull ? shown.map(full) : references.map((reference) => ({ ...reference, resource })),
  })
}

/** `uid[0]=1&uid[1]=2` is one property with many values, as PHP reads it. */
function parsePhpQuery(query: URLSearchParams): Map<string, Filter> {
  const parsed = new Map<string, Filter>()
  for (const [key, value] of query) {
    const parts = /^([^[]+)\[([^\]]*)\]$/.exec(key)
    const name = parts?.[1]
    if (name === undefined) {
      parsed.set(key, { kind: 'exact', value })
      continue
    }
    const before = parsed.get(name)
    const values = before?.kind === 'many' ? before.values : new Map<string, string>()
    values.set(parts?.[2] || String(values.size), value)
    parsed.set(name, { kind: 'many', values })
  }
  return parsed
}

function filtered<Row>(collection: Collection<Row>, filters: Map<string, Filter>, state: EthosceState): Row[] {
  let rows: Iterable<Row> | undefined
  for (const [name, filter] of filters) {
    if (filter.kind === 'exact') rows ??= collection.candidates(name, filter.value)
  }
  const tests = [...filters].map(([name, filter]) => test(collection.columns.get(name), filter, state))
  return [...(rows ?? collection.rows())].filter((row) => tests.every((passes) => passes(row)))
}

function test<Row>(column: Column<Row> | undefined, filter: Filter, state: EthosceState): (row: Row) => boolean {
  if (column === undefined) return () => false
  const key = (value: string | number | null) =>
    value === null ? undefined : column.isNumber ? mysqlNumber(value) : state.fold(String(value))
  if (filter.kind === 'exact') {
    const wanted = key(filter.value)
    return (row) => key(column.read(row)) === wanted
  }
  const isOperator = [...filter.values.keys()].every((name) => operators.has(name))
  if (!isOperator || state.knobs.operators === 'stock') {
    const wanted = new Set([...filter.values.values()].map(key))
    return (row) => wanted.has(key(column.read(row)))
  }
  const comparisons = [...filter.values].map(([operator, quoted]) => {
    const wanted = key(quoted.replace(/^'(.*)'$/s, '$1')) ?? ''
    return (value: string | number) => compare(operator, value, wanted)
  })
  return (row) => {
    const value = key(column.read(row))
    return value !== undefined && comparisons.every((passes) => passes(value))
  }
}

function compare(operator: string, value: string | number, wanted: string | number): boolean {
  if (operator === 'eq') return value === wanted
  if (operator === 'ne') return value !== wanted
  if (operator === 'gt') return value > wanted
  if (operator === 'ge') return value >= wanted
  if (operator === 'lt') return value < wanted
  if (operator === 'le') return value <= wanted
  if (operator === 'ct') return String(value).includes(String(wanted))
  return String(value).startsWith(String(wanted))
}

/** MySQL compares a number column with text by the text's leading digits: an empty text is 0. */
function mysqlNumber(value: string | number): number {
  return typeof value === 'number' ? value : Number.parseInt(value, 10) || 0
}

function sorted<Row>(
  collection: Collection<Row>,
  rows: Row[],
  query: URLSearchParams,
  isFiltered: boolean,
  state: EthosceState,
): Row[] {
  const byId = (a: Row, b: Row) => collection.id(a) - collection.id(b)
  const property = query.get('sort')
  if (property === null) return rows.sort(isFiltered ? byId : (collection.naturalOrder ?? byId))
  const column = collection.columns.get(property)
  if (column === undefined) throw new Refusal(text(500, 'Query failed.'))
  const sign = query.get('direction')?.toUpperCase() === 'DESC' ? -1 : 1
  const key = (row: Row) => {
    const value = column.read(row)
    return column.isNumber ? mysqlNumber(value ?? 0) : state.fold(String(value ?? ''))
  }
  return rows.sort((a, b) => {
    const [left, right] = [key(a), key(b)]
    return sign * (left < right ? -1 : left > right ? 1 : byId(a, b))
  })
}

/** Larger than the site's limit, 0 and nonsense all mean the limit. */
function pageSize(asked: string | null, most: number): number {
  const number = Number.parseInt(asked ?? '', 10)
  return Number.isInteger(number) && number > 0 ? Math.min(number, most) : most
}

/** The query as PHP writes it again; `page` keeps its place or comes last. */
function link(base: string, query: URLSearchParams, page?: number): string {
  const pairs: [string, string][] = [...query].map(([key, value]) => [
    key,
    key === 'page' && page !== undefined ? String(page) : value,
  ])
  if (page !== undefined && !query.has('page')) pairs.push(['page', String(page)])
  const text = pairs.map(([key, value]) => `${rawUrlEncode(key)}=${rawUrlEncode(value)}`).join('&')
  return text === '' ? base : `${base}?${text}`
}

function rawUrlEncode(value: string): string {
  return encodeURIComponent(value).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function xml(resource: string, links: [string, string][], references: { uri: string; id: number }[]) {
  const heads = links.map(([rel, href]) => `<link rel="${rel}" href="${escapeHtml(href)}"/>`).join('')
  const items = references
    .map(({ uri, id }) => `<${resource} resource="${resource}" id="${id}">${uri}</${resource}>`)
    .join('')
  const body = `<?xml version="1.0" encoding="utf-8"?>\n<list>${heads}${items}</list>\n`
  return { status: 200, headers: { 'content-type': 'application/xml' }, body }
}
