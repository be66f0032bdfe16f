/** Pages by `startIndex` and `count` (RFC 7644 §3.4.2.4). */
import type { IndexedCondition, ListQuery } from '../store/queries.ts'
import type { ResourceType, StoredResource } from '../store/store.ts'
import type { ScimContext } from './context.ts'
import type { PageRow } from './render-page.ts'
import { scanAll } from './scan.ts'
import { isIndexed, type TypeQuery } from './type-query.ts'

export interface IndexPage {
  readonly total: number
  readonly rows: readonly PageRow[]
}

interface Wanted {
  readonly startIndex: number
  readonly count: number
  /** The filter as it was sent: walks with the same one go on from each other's places. */
  readonly filterText: string
}

export function pageByIndex(context: ScimContext, query: TypeQuery, wanted: Wanted): Promise<IndexPage> {
  return isIndexed(query) ? pageFromIndex(context, query, wanted) : pageFromScan(context, query, wanted)
}

async function pageFromIndex(context: ScimContext, query: TypeQuery, wanted: Wanted): Promise<IndexPage> {
  const { store } = context
  const { name, pageMemory } = context.connection
  const { type, filter, sort } = query
  const where = filter?.index
  if (where !== undefined && isUnique(where, type)) return pageOfOne(context, query, where, wanted)
  const total = await store.count(name, type, where)
  const offset = wanted.startIndex - 1
  if (wanted.count === 0) return { total, rows: [] }
  const base: ListQuery = { type, limit: wanted.count, ...(where === undefined ? {} : { where }) }
  if (sort?.index !== undefined) {
    const order = { by: sort.index, descending: sort.descending }
    return { total, rows: offset >= total ? [] : (await store.list(name, { ...base, order, offset })).map(bare) }
  }
  const place = [type, wanted.filterText]
  const afterSeq = offset === 0 ? undefined : pageMemory.recall(place, offset)
  if (afterSeq === undefined && offset >= total) return { total, rows: [] }
  // Rows may have been deleted before the place: one more than asked for tells whether to go on, which the total then does not.
  const from = afterSeq === undefined ? { offset } : { afterSeq, limit: wanted.count + 1 }
  const found = await rowsBySeq(context, query, { ...base, ...from })
  const rows = found.slice(0, wanted.count)
  const last = rows.at(-1)
  if (last !== undefined) pageMemory.remember(place, offset + rows.length, last.resource.seq)
  return { total: Math.max(total, offset + found.length), rows }
}

/** Users come with all that is shown of them; one that is cut down may need none of it. */
async function rowsBySeq(
  { store, connection }: ScimContext,
  { type, projection }: TypeQuery,
  query: ListQuery,
): Promise<readonly PageRow[]> {
  if (type === 'User' && projection.isWhole) return store.listUsers(connection.name, query)
  return (await store.list(connection.name, query)).map(bare)
}

function bare(resource: StoredResource): PageRow {
  return { resource }
}

function isUnique(where: IndexedCondition, type: ResourceType): boolean {
  return where.attribute === 'id' || (where.attribute === 'userName' && type === 'User')
}

/** What identity providers ask before every create: at most one can fit, so there is nothing to count. */
async function pageOfOne(
  context: ScimContext,
  query: TypeQuery,
  where: IndexedCondition,
  { startIndex, count }: Wanted,
): Promise<IndexPage> {
  const rows = await rowsBySeq(context, query, { type: query.type, where, limit: 1 })
  return { total: rows.length, rows: startIndex === 1 && count > 0 ? rows : [] }
}

async function pageFromScan(context: ScimContext, query: TypeQuery, { startIndex, count }: Wanted): Promise<IndexPage> {
  const end = startIndex - 1 + count
  const { total, matches } = await scanAll(context, query, (nth) => nth >= startIndex && nth <= end)
  const page = query.sort === undefined ? matches : matches.slice(startIndex - 1, end)
  return { total, rows: page.map(({ row }) => bare(row)) }
}
