/** Lists (RFC 7644 §3.4.2), of one resource type or, in a search at the root, of both, one after the other. */
import { Problem } from '../errors.ts'
import { pageSize } from '../limits.ts'
import type { ResourceType } from '../store/store.ts'
import { bodyOf, type ScimContext } from './context.ts'
import { type Cursor, createCursors } from './cursor.ts'
import { pageByCursor } from './cursor-page.ts'
import { pageByIndex } from './index-page.ts'
import {
  type CursorPaging,
  type IndexPaging,
  type ListRequest,
  requestFromBody,
  requestFromQuery,
} from './list-request.ts'
import { renderPage } from './render-page.ts'
import { compileQueries, type TypeQuery } from './type-query.ts'

const listUrn = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

export function listResources(context: ScimContext, type: ResourceType): Promise<string> {
  return list(context, [type], requestFromQuery(context.query))
}

/** RFC 7644 §3.4.3: the parameters of a list, from a body. */
export async function search(context: ScimContext, types: readonly ResourceType[]): Promise<string> {
  return list(context, types, requestFromBody(bodyOf(context)))
}

async function list(context: ScimContext, types: readonly ResourceType[], request: ListRequest): Promise<string> {
  const queries = compileQueries(context, types, request)
  const { paging } = request
  return paging.kind === 'index'
    ? listByIndex(context, queries, paging, request.filter ?? '')
    : listByCursor(context, queries, paging, [types, request.filter, request.sortBy, request.sortOrder])
}

async function listByIndex(
  context: ScimContext,
  queries: readonly TypeQuery[],
  { startIndex, count }: IndexPaging,
  filterText: string,
): Promise<string> {
  const texts: string[] = []
  let total = 0
  for (const query of queries) {
    // What earlier types have filled is not asked for again; totals count every type.
    const wanted = { startIndex: Math.max(1, startIndex - total), count: Math.max(0, count - texts.length), filterText }
    const page = await pageByIndex(context, query, wanted)
    texts.push(...(await renderPage(context, query, page.rows)))
    total += page.total
  }
  return listText(`"totalResults":${total},"startIndex":${startIndex}`, texts)
}

async function listByCursor(
  context: ScimContext,
  queries: readonly TypeQuery[],
  paging: CursorPaging,
  walk: readonly unknown[],
): Promise<string> {
  const { connection, clock } = context
  const cursors = createCursors(connection.cursorKey, [connection.name, ...walk], clock.now())
  const start: Cursor = { direction: 'next', place: undefined, count: paging.count ?? pageSize }
  const cursor = paging.cursor === '' ? start : cursors.read(paging.cursor)
  if (paging.count !== undefined && paging.count !== cursor.count) {
    throw new Problem(400, 'invalidCount', `count has to stay ${cursor.count} from the first page to the last.`)
  }
  const { total, rows, next, previous } = await pageByCursor(context, queries, cursor)
  const texts: string[] = []
  for (const [type, query] of queries.entries()) {
    const ofType = rows.filter(({ place }) => place.type === type)
    texts.push(
      ...(await renderPage(
        context,
        query,
        ofType.map(({ row }) => ({ resource: row })),
      )),
    )
  }
  const link = (name: string, to: Cursor | undefined) => (to === undefined ? '' : `,"${name}":"${cursors.write(to)}"`)
  return listText(`"totalResults":${total}${link('previousCursor', previous)}${link('nextCursor', next)}`, texts)
}

function listText(fields: string, texts: readonly string[]): string {
  let text = `{"schemas":["${listUrn}"],${fields},"itemsPerPage":${texts.length},"Resources":[`
  // `join` would copy every one of them first.
  for (const [index, resource] of texts.entries()) text += index === 0 ? resource : `,${resource}`
  return `${text}]}`
}
