/** What a client asks of a list, in the query of a GET or in the body of a `/.search` (RFC 7644 §3.4.2, §3.4.3; RFC 9865). */
import { Problem, type ScimType } from '../errors.ts'
import type { Json, JsonObject } from '../json.ts'
import { maxPageSize, pageSize } from '../limits.ts'

const searchUrn = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest'

export interface ListRequest {
  readonly filter: string | undefined
  readonly sortBy: string | undefined
  readonly sortOrder: string | undefined
  readonly attributes: string | undefined
  readonly excludedAttributes: string | undefined
  readonly paging: IndexPaging | CursorPaging
}

export interface IndexPaging {
  readonly kind: 'index'
  /** 1-based; values below 1 mean 1 (RFC 7644 §3.4.2.4). */
  readonly startIndex: number
  /** 0: totals only. */
  readonly count: number
}

export interface CursorPaging {
  readonly kind: 'cursor'
  /** Empty for the first page. */
  readonly cursor: string
  /** Undefined: as on the page before. */
  readonly count: number | undefined
}

/** One parameter as it was sent: always text in a query, any JSON in a body. Undefined: not sent. */
type Sent = (name: string) => Json | undefined

export function requestFromQuery(query: ReadonlyMap<string, string>): ListRequest {
  // An empty number is as absent; an empty filter or cursor is not.
  const sent: Sent = (name) => {
    const text = query.get(name.toLowerCase())
    return text === '' && (name === 'count' || name === 'startIndex') ? undefined : text
  }
  return readRequest(sent, (text) => (typeof text === 'string' ? Number(text) : text))
}

/** Throws 400 `invalidSyntax` when the body is no SearchRequest. */
export function requestFromBody(body: JsonObject): ListRequest {
  const parameters = new Map<string, Json>()
  for (const [name, value] of Object.entries(body)) {
    if (value !== null) parameters.set(name.toLowerCase(), value)
  }
  const schemas = parameters.get('schemas')
  const isSearch = (urn: Json) => typeof urn === 'string' && urn.toLowerCase() === searchUrn.toLowerCase()
  if (!Array.isArray(schemas) || !schemas.some(isSearch)) {
    throw new Problem(400, 'invalidSyntax', `schemas has to name ${searchUrn}.`)
  }
  return readRequest(
    (name) => parameters.get(name.toLowerCase()),
    (value) => value,
  )
}

function readRequest(sent: Sent, toNumber: (value: Json) => Json): ListRequest {
  const whole = (name: string, wrong: ScimType) => {
    const value = sent(name)
    if (value === undefined) return undefined
    const number = toNumber(value)
    if (typeof number === 'number' && Number.isSafeInteger(number)) return number
    throw new Problem(400, wrong, `${name} has to be a whole number.`)
  }
  return {
    filter: text(sent, 'filter'),
    sortBy: text(sent, 'sortBy'),
    sortOrder: text(sent, 'sortOrder'),
    attributes: names(sent, 'attributes'),
    excludedAttributes: names(sent, 'excludedAttributes'),
    paging: readPaging(sent('cursor'), whole),
  }
}

function readPaging(
  cursor: Json | undefined,
  whole: (name: string, wrong: ScimType) => number | undefined,
): ListRequest['paging'] {
  const startIndex = whole('startIndex', 'invalidValue')
  if (cursor === undefined) {
    const count = boundedCount(whole('count', 'invalidValue') ?? pageSize)
    return { kind: 'index', startIndex: Math.max(1, startIndex ?? 1), count }
  }
  if (typeof cursor !== 'string') throw new Problem(400, 'invalidCursor', 'cursor has to be text.')
  if (startIndex !== undefined && startIndex > 1) {
    throw new Problem(400, 'invalidValue', 'cursor and startIndex are two ways of paging; use one of them.')
  }
  const count = whole('count', 'invalidCount')
  return { kind: 'cursor', cursor, count: count === undefined ? undefined : boundedCount(count) }
}

function boundedCount(count: number): number {
  return Math.min(Math.max(count, 0), maxPageSize)
}

function text(sent: Sent, name: string): string | undefined {
  const value = sent(name)
  if (value === undefined || typeof value === 'string') return value
  throw new Problem(400, 'invalidValue', `${name} has to be text.`)
}

function names(sent: Sent, name: string): string | undefined {
  const value = sent(name)
  if (value === undefined || typeof value === 'string') return value
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value.join(',')
  throw new Problem(400, 'invalidValue', `${name} has to be a list of attribute names.`)
}
