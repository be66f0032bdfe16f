/** Pages by cursor (RFC 9865): each begins where another one ended, whatever has come and gone meanwhile. */
import type { Place } from '../store/queries.ts'
import type { StoredResource } from '../store/store.ts'
import type { ScimContext } from './context.ts'
import type { Cursor, CursorPlace } from './cursor.ts'
import { placeOf, scanAll } from './scan.ts'
import type { SortKey } from './sort.ts'
import { isIndexed, type TypeQuery } from './type-query.ts'

interface Found {
  readonly row: StoredResource
  readonly place: CursorPlace
}

export interface CursorPage {
  readonly total: number
  readonly rows: readonly Found[]
  readonly next: Cursor | undefined
  readonly previous: Cursor | undefined
}

/** Over several types one type comes after the other. */
export async function pageByCursor(
  context: ScimContext,
  queries: readonly TypeQuery[],
  { direction, place, count }: Cursor,
): Promise<CursorPage> {
  const isBack = direction === 'previous'
  const found: Found[] = []
  let total = 0
  const inDirection = [...queries.entries()].sort(([one], [other]) => (isBack ? other - one : one - other))
  for (const [type, query] of inDirection) {
    const isPassed = place !== undefined && (isBack ? type > place.type : type < place.type)
    // One more than asked for: it tells whether there is another page.
    const limit = isPassed || count === 0 ? 0 : count + 1 - found.length
    const stretch = { from: type === place?.type ? place : undefined, isBack, limit }
    const part = await (isIndexed(query) ? walkIndex : walkScan)(context, query, stretch)
    total += part.total
    for (const { row, key } of part.rows) found.push({ row, place: { type, key, seq: row.seq } })
  }
  const hasMore = found.length > count
  const page = found.slice(0, count)
  if (isBack) page.reverse()
  const [first, last] = [page[0]?.place, page.at(-1)?.place]
  const next: Cursor = { direction: 'next', place: last, count }
  const previous: Cursor = { direction: 'previous', place: first, count }
  return {
    total,
    rows: page,
    // Who comes back finds the way on; with nothing left before, that is the start.
    next: (isBack || hasMore) && count > 0 ? next : undefined,
    previous: first !== undefined && (isBack ? hasMore : place !== undefined) ? previous : undefined,
  }
}

interface Stretch {
  readonly from: { readonly key: SortKey; readonly seq: number } | undefined
  readonly isBack: boolean
  readonly limit: number
}
interface Part {
  readonly total: number
  /** In the direction of the walk. */
  readonly rows: readonly { readonly row: StoredResource; readonly key: SortKey }[]
}

async function walkIndex(context: ScimContext, query: TypeQuery, { from, isBack, limit }: Stretch): Promise<Part> {
  const { store, connection } = context
  const { type, filter, sort } = query
  const where = filter?.index
  const total = await store.count(connection.name, type, where)
  if (limit === 0) return { total, rows: [] }
  const rows = await store.walk(connection.name, {
    type,
    limit,
    order: { by: sort?.index ?? 'seq', descending: (sort?.descending ?? false) !== isBack },
    ...(where === undefined ? {} : { where }),
    ...(from === undefined ? {} : { from: toPlace(from) }),
  })
  return { total, rows: rows.map(({ resource, place }) => ({ row: resource, key: place.key ?? undefined })) }
}

function toPlace({ key, seq }: { readonly key: SortKey; readonly seq: number }): Place {
  return { key: typeof key === 'string' ? key : null, seq }
}

/** The whole is looked at for every page: the total needs that anyway. */
async function walkScan(context: ScimContext, query: TypeQuery, { from, isBack, limit }: Stretch): Promise<Part> {
  const compare = query.sort?.compare ?? ((one: { seq: number }, other: { seq: number }) => one.seq - other.seq)
  const isBeyond = (place: { readonly key: SortKey; readonly seq: number }) => {
    if (from === undefined) return true
    return isBack ? compare(place, from) < 0 : compare(place, from) > 0
  }
  let kept = 0
  const { total, matches } = await scanAll(context, query, (_nth, match) => {
    if (!isBeyond(placeOf(match))) return false
    kept += 1
    return isBack || kept <= limit
  })
  const beyond = matches.filter((match) => isBeyond(placeOf(match)))
  if (limit === 0) return { total, rows: [] }
  return { total, rows: isBack ? beyond.slice(-limit).reverse() : beyond.slice(0, limit) }
}
