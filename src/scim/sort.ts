/** Sorting of lists (RFC 7644 §3.4.2.3). */
import { Problem } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { ListQuery } from '../store/queries.ts'
import type { ResourceSchema } from './attribute.ts'
import { valuesOf } from './document-values.ts'
import { fullKnowledge, type IndexKnowledge } from './filter-index.ts'
import { definitionOf, type Target } from './filter-tree.ts'
import { fold } from './fold.ts'
import { parseInstant } from './instant.ts'
import { resolveName } from './names.ts'

type IndexName = NonNullable<ListQuery['order']>['by']
/** What a document is sorted by; undefined: it has no such value. */
export type SortKey = string | number | bigint | undefined

export interface Sort {
  /** The store's order that does it; undefined when documents have to be compared. */
  readonly index: IndexName | undefined
  readonly descending: boolean
  keyOf(document: JsonObject): SortKey
  /** For `Array.sort`, direction included; ties go by `seq`. Documents without a value count as greatest. */
  compare(left: SortPlace, right: SortPlace): number
}

export interface SortPlace {
  readonly key: SortKey
  readonly seq: number
}

const indexes: ReadonlyMap<string, IndexName> = new Map<string, IndexName>([
  ['id', 'id'],
  ['userName', 'userName'],
  ['displayName', 'displayName'],
  ['externalId', 'externalId'],
  ['meta.created', 'created'],
  ['meta.lastModified', 'lastModified'],
])

/** In order only while they are not sealed. */
const nameIndexes: ReadonlySet<IndexName> = new Set<IndexName>(['userName', 'displayName', 'externalId'])

/** Undefined without `sortBy`. `others` are the schemas that are listed beside this one. Throws 400 `invalidValue` for an attribute that cannot be sorted by, or another order. */
export function parseSort(
  schema: ResourceSchema,
  sortBy: string | undefined,
  sortOrder: string | undefined,
  others: readonly ResourceSchema[] = [],
  { hasSealedNames }: IndexKnowledge = fullKnowledge,
): Sort | undefined {
  const order = (sortOrder ?? '').toLowerCase()
  if (order !== '' && order !== 'ascending' && order !== 'descending') {
    throw new Problem(400, 'invalidValue', 'sortOrder has to be ascending or descending.')
  }
  if (sortBy === undefined || sortBy === '') return undefined
  const target = toTarget(schema, sortBy, others)
  const descending = order === 'descending'
  const index = target.extension === undefined ? indexes.get(pathOf(target)) : undefined
  return {
    index: index !== undefined && hasSealedNames && nameIndexes.has(index) ? undefined : index,
    descending,
    keyOf: (document) => toKey(document, target),
    compare(left, right) {
      const ascending = compareKeys(left.key, right.key) || left.seq - right.seq
      return descending ? -ascending : ascending
    },
  }
}

function toTarget(schema: ResourceSchema, sortBy: string, others: readonly ResourceSchema[]): Target {
  const resolved = resolveName(schema, sortBy) ?? others.map((other) => resolveName(other, sortBy)).find(Boolean)
  if (resolved?.attribute === undefined || resolved.attribute.returned === 'never') {
    throw new Problem(400, 'invalidValue', `sortBy has to name an attribute of ${schema.type}.`)
  }
  const { extension, attribute } = resolved
  const sub = resolved.sub ?? attribute.sub?.get('value')
  // Members and the state of provisioning are put together only for the resources that are returned.
  if (extension?.isReadOnly || (extension === undefined && attribute.name === 'members')) {
    throw new Problem(400, 'invalidValue', `sortBy cannot name ${attribute.name}.`)
  }
  if (sub === undefined && attribute.type === 'complex') {
    throw new Problem(400, 'invalidValue', `sortBy has to name a part of ${attribute.name}.`)
  }
  return { extension, attribute, sub }
}

function pathOf({ attribute, sub }: Target): string {
  return sub === undefined ? attribute.name : `${attribute.name}.${sub.name}`
}

function toKey(document: JsonObject, target: Target): SortKey {
  const values = valuesOf(document, { ...target, sub: undefined })
  const chosen = values.find((value) => isJsonObject(value) && value.primary === true) ?? values[0]
  const part = { extension: undefined, sub: undefined }
  const value =
    target.sub === undefined || !isJsonObject(chosen) ? chosen : valuesOf(chosen, { ...part, attribute: target.sub })[0]
  const { type, caseExact } = definitionOf(target)
  if (typeof value === 'boolean') return Number(value)
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return undefined
  if (type === 'dateTime') return parseInstant(value)
  return caseExact ? value : fold(value)
}

function compareKeys(left: SortKey, right: SortKey): number {
  if (left === right) return 0
  if (left === undefined) return 1
  if (right === undefined) return -1
  return left < right ? -1 : 1
}
