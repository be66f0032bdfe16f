/** The values of a multi-valued attribute among themselves: which are the same, which one is primary. */
import { isJsonObject, type Json } from '../json.ts'
import { isSameValue } from './same-document.ts'

/** Above so many new values an index is cheaper than comparing each with each. */
const indexFrom = 4

/** RFC 7643 §2.4: no (`type`, `value`) pair twice. Values without `value` (addresses) are compared whole. */
export function isSameElement(a: Json, b: Json): boolean {
  if (!isJsonObject(a) || !isJsonObject(b)) return isSameValue(a, b)
  if (a.value === undefined || b.value === undefined) return isSameValue(a, b)
  return a.value === b.value && a.type === b.type
}

/** One of each; a repeated value adds the sub-attributes that it brings. */
export function mergeDuplicates(values: readonly Json[]): Json[] {
  return mergeInto([], values)
}

/** The old values in their order, changed by the added ones, then the really new ones. */
export function mergeInto(old: readonly Json[], added: readonly Json[]): Json[] {
  const merged = [...old]
  const find =
    added.length > indexFrom ? indexed(merged) : (value: Json) => merged.findIndex((one) => isSameElement(one, value))
  for (const value of added) {
    const at = find(value)
    const before = merged[at]
    if (before === undefined) merged.push(value)
    else if (isJsonObject(before) && isJsonObject(value)) merged[at] = { ...before, ...value }
  }
  return merged
}

/** RFC 7644 §3.5.2: a new primary takes the mark from the old one. `isNew` says which values the request touched. */
export function keepNewPrimary(values: readonly Json[], isNew: (value: Json) => boolean): Json[] {
  const isPrimary = (value: Json) => isJsonObject(value) && value.primary === true
  if (!values.some((value) => isPrimary(value) && isNew(value))) return [...values]
  return values.map((value) =>
    isJsonObject(value) && isPrimary(value) && !isNew(value) ? { ...value, primary: false } : value,
  )
}

function indexed(merged: readonly Json[]): (value: Json) => number {
  const places = new Map<string, number>()
  let known = 0
  return (value) => {
    for (; known < merged.length; known += 1) {
      const key = keyOf(merged[known] ?? null)
      if (!places.has(key)) places.set(key, known)
    }
    return places.get(keyOf(value)) ?? -1
  }
}

function keyOf(value: Json): string {
  if (!isJsonObject(value)) return JSON.stringify(value)
  if (value.value !== undefined) return JSON.stringify([value.value, value.type ?? null])
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
