/**
 * `bulkId:x` stands for the id that the operation with this bulkId makes (RFC 7644 §3.7.2): in members, in manager, in the
 * path of another operation and in the filter of a PATCH path. Elsewhere it is a text like any other.
 */
import { isJsonObject, type Json } from '../json.ts'
import type { BulkOperation } from './bulk-message.ts'

const prefix = 'bulkId:'

/** The operation with every reference replaced. */
export function resolveReferences(operation: BulkOperation, idOf: (bulkId: string) => string): BulkOperation {
  const { path, data } = operation
  return {
    ...operation,
    path: typeof path === 'string' ? resolvePath(path, idOf) : path,
    data: data === undefined ? undefined : resolveValue(data, false, idOf),
  }
}

export function referencesIn(operation: BulkOperation): ReadonlySet<string> {
  const found = new Set<string>()
  resolveReferences(operation, (bulkId) => {
    found.add(bulkId)
    return ''
  })
  return found
}

export interface BulkOrder {
  /** Every operation once, as sent, but for creates that an earlier one refers to: these come before it. */
  readonly order: readonly number[]
  /** Operations that refer to themselves in the end, and those that refer to one of them: they have no order. */
  readonly circular: ReadonlySet<number>
}

/** With a stack of its own: a chain may be as long as the request. */
export function orderOf(operations: readonly BulkOperation[]): BulkOrder {
  const creators = new Map<string, number>()
  for (const [index, { method, bulkId }] of operations.entries()) {
    if (method === 'POST' && bulkId !== undefined) creators.set(bulkId, index)
  }
  const needs = operations.map((operation) => [...referencesIn(operation)].flatMap((name) => creators.get(name) ?? []))
  const order: number[] = []
  const circular = new Set<number>()
  const state = new Map<number, 'open' | 'done'>()
  for (const start of operations.keys()) {
    const stack = state.has(start) ? [] : [start]
    while (stack.length > 0) {
      const index = stack.at(-1) ?? 0
      state.set(index, 'open')
      const next = (needs[index] ?? []).find((needed) => !state.has(needed))
      if (next !== undefined) {
        stack.push(next)
        continue
      }
      stack.pop()
      // Still open, it waits for this one; circular, this one waits for ever with it.
      const isCircular = (needed: number) => state.get(needed) === 'open' || circular.has(needed)
      if ((needs[index] ?? []).some(isCircular)) circular.add(index)
      state.set(index, 'done')
      order.push(index)
    }
  }
  return { order, circular }
}

/** `/Users/bulkId:x` */
function resolvePath(path: string, idOf: (bulkId: string) => string): string {
  const at = path.lastIndexOf('/') + 1
  return path.startsWith(prefix, at) ? path.slice(0, at) + idOf(path.slice(at + prefix.length)) : path
}

function resolveValue(value: Json, isReference: boolean, idOf: (bulkId: string) => string): Json {
  if (typeof value === 'string') {
    return isReference && value.startsWith(prefix) ? idOf(value.slice(prefix.length)) : value
  }
  if (Array.isArray(value)) return value.map((entry) => resolveValue(entry, isReference, idOf))
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value).map(([key, part]): [string, Json] => [key.toLowerCase(), part])
  const path = entries.find(([key]) => key === 'path')?.[1]
  const isNamed = isReference || (typeof path === 'string' && isReferenceName(path))
  return Object.fromEntries(
    Object.entries(value).map(([key, part]): [string, Json] => {
      const lower = key.toLowerCase()
      if (lower === 'path' && typeof part === 'string') return [key, resolveFilter(part, idOf)]
      return [key, resolveValue(part, lower === 'value' ? isNamed : isReferenceName(lower), idOf)]
    }),
  )
}

/** `members`, `members[…]`, `manager`, `manager.value`, `urn:…:User:manager`, `urn:…:User.manager` */
function isReferenceName(text: string): boolean {
  const bracket = text.indexOf('[')
  const whole = (bracket === -1 ? text : text.slice(0, bracket)).toLowerCase()
  const name = whole.endsWith('.value') ? whole.slice(0, -'.value'.length) : whole
  return ['members', 'manager'].some(
    (known) => name === known || name.endsWith(`:${known}`) || name.endsWith(`.${known}`),
  )
}

/** `members[value eq "bulkId:x"]` */
function resolveFilter(path: string, idOf: (bulkId: string) => string): string {
  if (!isReferenceName(path)) return path
  return path
    .split('"')
    .map((part, index) => (index % 2 === 1 && part.startsWith(prefix) ? idOf(part.slice(prefix.length)) : part))
    .join('"')
}
