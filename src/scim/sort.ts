/** Sorting of lists (RFC 7644 §3.4.2.3). */
import { Problem } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { ListQuery } from '../store/store.ts'
import type { ResourceSchema } from './attribute.ts'
import { valuesOf } from './document-values.ts'
import { definitionOf, type Target } from './filter-tree.ts'
import { fold } from './fold.ts'
import { parseInstant } from './instant.ts'
import { resolveName } from './names.ts'

type IndexName = NonNullable<ListQuery['order']>['by']
type Key = string | number | bigint | undefined

export interface Sort {
  /** The store's order that does it; undefined when documents have to be compared. */
  readonly index: IndexName | undefined
  readonly descending: boolean
  /** For `Array.sort`, direction included; 0 for a tie, which goes by `seq`. Documents without a value count as greatest. */
  compare(left: JsonObject, right: JsonObject): number
}

const indexes: ReadonlyMap<string, IndexName> = new Map<string, IndexName>([
  ['id', 'id'],
  ['userName', 'userName'],
  ['displayName', 'displayName'],
  ['externalId', 'externalId'],
  ['meta.created', 'created'],
  ['meta.lastModified', 'lastModified'],
])

/** Undefined without `sortBy`. Throws 400 `invalidValue` for an attribute that cannot be sorted by, or another order. */
export function parseSort(
  schema: ResourceSchema,
  sortBy: string | undefined,
  sortOrder: string | undefined,
): Sort | undefined {
  const order = (sortOrder ?? '').toLowerCase()
  if (order !== '' && order !== 'ascending' && order !== 'descending') {
    throw new Problem(400, 'invalidValue', 'sortOrder has to be ascending or descending.')
  }
  if (sortBy === undefined || sortBy === '') return undefined
  const target = toTarget(schema, sortBy)
  const descending = order === 'descending'
  const keys = new WeakMap<JsonObject, { readonly key: Key }>()
  // Each document is compared many times; its key is folded once.
  const keyOf = (document: JsonObject) => {
    const known = keys.get(document)
    if (known !== undefined) return known.key
    const key = toKey(document, target)
    keys.set(document, { key })
    return key
  }
  return {
    index: target.extension === undefined ? indexes.get(pathOf(target)) : undefined,
    descending,
    compare: (left, right) => {
      const ascending = compareKeys(keyOf(left), keyOf(right))
      return descending ? -ascending : ascending
    },
  }
}

function toTarget(schema: ResourceSchema, sortBy: string): Target {
  const resolved = resolveName(schema, sortBy)
  if (resolved?.attribute === undefined || resolved.attribute.returned === 'never') {
    throw new Problem(400, 'invalidValue', `sortBy has to name an attribute of ${schema.type}.`)
  }
  const { extension, attribute } = resolved
  const sub = resolved.sub ?? attribute.sub?.get('value')
  // Members and the state of provisioning are put together only for the resources that are returned.
  if (extension?.isReadOnly || (schema.type === 'Group' && attribute.name === 'members')) {
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

function toKey(document: JsonObject, target: Target): Key {
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

function compareKeys(left: Key, right: Key): number {
  if (left === right) return 0
  if (left === undefined) return 1
  if (right === undefined) return -1
  return left < right ? -1 : 1
}
