import { Problem } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { maxPageSize, pageSize, scanBatch, scanMs, scanRows, sortRows } from '../limits.ts'
import type { IndexedCondition, ListQuery, Member, ResourceType, StoredResource } from '../store/store.ts'
import type { ResourceSchema } from './attribute.ts'
import type { ScimContext } from './context.ts'
import { type CompiledFilter, compileFilter } from './filter-compile.ts'
import { parseFilter } from './filter-parse.ts'
import { type Projection, parseProjection } from './projection.ts'
import { groupsValue, membersValue, metaValue, renderGroup, renderUser } from './render.ts'
import { parseSort, type Sort } from './sort.ts'
import { fromStored } from './stored.ts'

const listUrn = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

export interface ListRequest {
  readonly type: ResourceType
  readonly filter: string | undefined
  readonly sortBy: string | undefined
  readonly sortOrder: string | undefined
  readonly attributes: string | undefined
  readonly excludedAttributes: string | undefined
  /** 1-based; values below 1 mean 1 (RFC 7644 §3.4.2.4). */
  readonly startIndex: number
  /** 0 and below: totals only. */
  readonly count: number
}

export interface FoundPage {
  readonly total: number
  readonly rows: readonly StoredResource[]
}

/** RFC 7644 §3.4.2. */
export async function listResources(context: ScimContext, type: ResourceType): Promise<Buffer> {
  const request = requestFromQuery(type, context.query)
  const { projection, page } = await findPage(context, request)
  const texts = await renderPage(context, type, page.rows, projection)
  return listText(page.total, request.startIndex, texts)
}

export function listText(total: number, startIndex: number, texts: readonly string[]): Buffer {
  return Buffer.from(
    `{"schemas":["${listUrn}"],"totalResults":${total},"startIndex":${startIndex},"itemsPerPage":${texts.length},"Resources":[${texts.join(',')}]}`,
  )
}

export function requestFromQuery(type: ResourceType, query: ReadonlyMap<string, string>): ListRequest {
  return {
    type,
    filter: query.get('filter'),
    sortBy: query.get('sortby'),
    sortOrder: query.get('sortorder'),
    attributes: query.get('attributes'),
    excludedAttributes: query.get('excludedattributes'),
    startIndex: Math.max(1, wholeNumber('startIndex', query.get('startindex'), 1)),
    count: boundedCount(wholeNumber('count', query.get('count'), pageSize)),
  }
}

export function boundedCount(count: number): number {
  return Math.min(Math.max(count, 0), maxPageSize)
}

function wholeNumber(name: string, text: string | undefined, absent: number): number {
  if (text === undefined || text === '') return absent
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new Problem(400, 'invalidValue', `${name} has to be a whole number.`)
  return value
}

/** The page, and what of each resource was asked for. */
export async function findPage(
  context: ScimContext,
  request: ListRequest,
): Promise<{ projection: Projection; page: FoundPage }> {
  const { schemas } = context.connection
  const schema = request.type === 'User' ? schemas.user : schemas.group
  const projection = parseProjection(schema, request.attributes, request.excludedAttributes)
  const sort = parseSort(schema, request.sortBy, request.sortOrder)
  const filter = request.filter === undefined ? undefined : compileFilter(parseFilter(request.filter, schema), schema)
  const isIndexed = (filter === undefined || filter.indexIsExact) && (sort === undefined || sort.index !== undefined)
  const page = isIndexed
    ? await pageByIndex(context, request, filter, sort)
    : await pageByScan(context, request, schema, filter, sort)
  return { projection, page }
}

async function pageByIndex(
  context: ScimContext,
  request: ListRequest,
  filter: CompiledFilter | undefined,
  sort: Sort | undefined,
): Promise<FoundPage> {
  const { store } = context
  const { name, pageMemory } = context.connection
  const where = filter?.index
  if (where !== undefined && isUnique(where, request.type)) return pageOfOne(context, request, where)
  const total = await store.count(name, request.type, where)
  const offset = request.startIndex - 1
  if (request.count === 0 || offset >= total) return { total, rows: [] }
  const base: ListQuery = { type: request.type, limit: request.count, ...(where === undefined ? {} : { where }) }
  if (sort?.index !== undefined) {
    const order = { by: sort.index, descending: sort.descending }
    return { total, rows: await store.list(name, { ...base, order, offset }) }
  }
  const place = [request.type, request.filter ?? '']
  const afterSeq = offset === 0 ? undefined : pageMemory.recall(place, offset)
  const rows = await store.list(name, afterSeq === undefined ? { ...base, offset } : { ...base, afterSeq })
  const last = rows.at(-1)
  if (last !== undefined) pageMemory.remember(place, offset + rows.length, last.seq)
  return { total, rows }
}

function isUnique(where: IndexedCondition, type: ResourceType): boolean {
  return where.attribute === 'id' || (where.attribute === 'userName' && type === 'User')
}

/** What identity providers ask before every create: at most one can fit, so there is nothing to count. */
async function pageOfOne(
  { store, connection }: ScimContext,
  request: ListRequest,
  where: IndexedCondition,
): Promise<FoundPage> {
  const rows = await store.list(connection.name, { type: request.type, where, limit: 1 })
  const isAsked = request.startIndex === 1 && request.count > 0
  return { total: rows.length, rows: isAsked ? rows : [] }
}

async function pageByScan(
  context: ScimContext,
  request: ListRequest,
  schema: ResourceSchema,
  filter: CompiledFilter | undefined,
  sort: Sort | undefined,
): Promise<FoundPage> {
  const wanted = request.startIndex - 1 + request.count
  const matches: { row: StoredResource; document: JsonObject }[] = []
  let total = 0
  for await (const { row, document } of scan(context, schema, filter, sort !== undefined)) {
    total += 1
    if (sort === undefined && (total <= request.startIndex - 1 || total > wanted)) continue
    if (sort !== undefined && matches.length >= sortRows)
      throw tooMany(`more than ${sortRows} resources would have to be sorted`)
    matches.push({ row, document })
  }
  if (sort === undefined) return { total, rows: matches.map((match) => match.row) }
  const sorted = matches.sort(
    (one, other) =>
      sort.compare(one.document, other.document) || (one.row.seq - other.row.seq) * (sort.descending ? -1 : 1),
  )
  return { total, rows: sorted.slice(request.startIndex - 1, wanted).map((match) => match.row) }
}

/** Documents that pass the filter, batch by batch, with a turn of the event loop between; bounded in rows and time. */
async function* scan(
  context: ScimContext,
  schema: ResourceSchema,
  filter: CompiledFilter | undefined,
  needsAll: boolean,
) {
  const { store, clock, connection } = context
  const where = filter?.index
  const endsAt = clock.now() + scanMs
  let afterSeq = 0
  for (let seen = 0; ; ) {
    const rows = await store.list(connection.name, {
      type: schema.type,
      afterSeq,
      limit: scanBatch,
      ...(where === undefined ? {} : { where }),
    })
    if (rows.length === 0) return
    const documents = await documentsOf(context, schema.type, rows, filter, needsAll)
    for (const [index, row] of rows.entries()) {
      const document = documents[index]
      if (document !== undefined && (filter === undefined || filter.test(document))) yield { row, document }
    }
    seen += rows.length
    afterSeq = rows.at(-1)?.seq ?? afterSeq
    if (rows.length < scanBatch) return
    if (seen >= scanRows) throw tooMany(`this filter would have to look at more than ${scanRows} resources`)
    if (clock.now() > endsAt) throw tooMany('this filter takes too long')
    await new Promise((resolve) => setImmediate(resolve))
  }
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

/** The rows as they go out, each whole or cut by the projection. */
export async function renderPage(
  context: ScimContext,
  type: ResourceType,
  rows: readonly StoredResource[],
  projection: Projection,
): Promise<string[]> {
  const { store, connection } = context
  const ids = rows.map((row) => row.id)
  if (ids.length === 0) return []
  const cut = (text: string) => (projection.isWhole ? text : JSON.stringify(project(projection, text)))
  if (type === 'Group') {
    const none: readonly Member[] = []
    const members = projection.wantsMembers ? await store.membersOf(connection.name, ids) : undefined
    return rows.map((row) =>
      cut(renderGroup(connection.baseUrl, row, members === undefined ? undefined : (members.get(row.id) ?? none))),
    )
  }
  const [groups, provisioning] = await Promise.all([
    projection.wantsGroups ? store.groupsOf(connection.name, ids) : undefined,
    projection.wantsProvisioning ? store.provisioningOf(connection.name, ids) : undefined,
  ])
  return rows.map((row) =>
    cut(
      renderUser(connection.baseUrl, row, {
        groups: groups?.get(row.id) ?? [],
        provisioning: provisioning?.get(row.id),
      }),
    ),
  )
}

function project(projection: Projection, text: string): JsonObject {
  const parsed: unknown = JSON.parse(text)
  if (!isJsonObject(parsed)) throw new Error('a rendered resource is not a JSON object')
  return projection.project(parsed)
}
