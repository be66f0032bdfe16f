import { Problem } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { scanBatch, scanMs, scanRows, sortRows } from '../limits.ts'
import type { ResourceType, StoredResource } from '../store/store.ts'
import type { ScimContext } from './context.ts'
import type { CompiledFilter } from './filter-compile.ts'
import { groupsValue, membersValue, metaValue } from './render.ts'
import type { SortKey } from './sort.ts'
import { fromStored } from './stored.ts'
import type { TypeQuery } from './type-query.ts'

export interface Match {
  readonly row: StoredResource
  /** Undefined without sort, and of documents that lack the value. */
  readonly key: SortKey
}

/**
 * What no index answers: every document is looked at, batch by batch, with a turn of the event loop between. Calls
 * `onMatch` in the order of `seq`. Throws 400 `tooMany` when there would be too much to look at.
 */
export async function scan(context: ScimContext, query: TypeQuery, onMatch: (match: Match) => void): Promise<void> {
  const { store, clock, connection } = context
  const { type, filter, sort } = query
  const where = filter?.index
  const endsAt = clock.now() + scanMs
  let afterSeq = 0
  for (let seen = 0; ; ) {
    const rows = await store.list(connection.name, {
      type,
      afterSeq,
      limit: scanBatch,
      ...(where === undefined ? {} : { where }),
    })
    if (rows.length === 0) return
    const documents = await documentsOf(context, type, rows, filter, sort !== undefined)
    for (const [index, row] of rows.entries()) {
      const document = documents[index]
      if (document === undefined || !(filter === undefined || filter.test(document))) continue
      onMatch({ row, key: sort?.keyOf(document) })
    }
    seen += rows.length
    afterSeq = rows.at(-1)?.seq ?? afterSeq
    if (rows.length < scanBatch) return
    if (seen >= scanRows) throw tooMany(`this filter would have to look at more than ${scanRows} resources`)
    if (clock.now() > endsAt) throw tooMany('this filter takes too long')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** All matches, in order. Without sort only `keeps` ones are kept; with it there is no telling before the end. */
export async function scanAll(
  context: ScimContext,
  query: TypeQuery,
  keeps: (nth: number, match: Match) => boolean,
): Promise<{ readonly total: number; readonly matches: readonly Match[] }> {
  const { sort } = query
  const matches: Match[] = []
  let total = 0
  await scan(context, query, (match) => {
    total += 1
    if (sort === undefined && !keeps(total, match)) return
    if (sort !== undefined && matches.length >= sortRows)
      throw tooMany(`more than ${sortRows} resources would have to be sorted`)
    matches.push(match)
  })
  if (sort !== undefined) matches.sort((one, other) => sort.compare(placeOf(one), placeOf(other)))
  return { total, matches }
}

export function placeOf({ row, key }: Match): { readonly key: SortKey; readonly seq: number } {
  return { key, seq: row.seq }
}

function tooMany(why: string): Problem {
  return new Problem(
    400,
    'tooMany',
    `Too many results: ${why}; use eq on userName, externalId, id, emails.value or displayName.`,
  )
}

/** Whole documents, as a client sees them, so far as the filter looks at them. */
async function documentsOf(
  context: ScimContext,
  type: ResourceType,
  rows: readonly StoredResource[],
  filter: CompiledFilter | undefined,
  needsAll: boolean,
): Promise<JsonObject[]> {
  const { store, connection } = context
  const ids = rows.map((row) => row.id)
  const groups =
    type === 'User' && (needsAll || filter?.needs.groups) ? await store.groupsOf(connection.name, ids) : undefined
  const members = type === 'Group' && filter?.needs.members ? await store.membersOf(connection.name, ids) : undefined
  return rows.map((row) => {
    const document: JsonObject = { ...fromStored(row), id: row.id, meta: metaValue(connection.baseUrl, row) }
    const mine = groups?.get(row.id)
    if (mine !== undefined) document.groups = groupsValue(connection.baseUrl, mine)
    const theirs = members?.get(row.id)
    if (theirs !== undefined) document.members = membersValue(connection.baseUrl, theirs)
    return document
  })
}
