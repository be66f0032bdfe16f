import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { implicitName, type Target } from './filter-tree.ts'

/** The target's assigned values in a document: each value of a multi-valued attribute, or the one of a single-valued. */
export function valuesOf(document: JsonObject, { extension, attribute, sub }: Target): readonly Json[] {
  const home = extension === undefined ? document : own(document, extension.urn)
  if (!isJsonObject(home)) return []
  const values = toList(own(home, attribute.name))
  if (sub === undefined) return values
  return values.flatMap((value) => (isJsonObject(value) ? toList(own(value, sub.name)) : []))
}

/** One value as an object with parts: the values of a simple multi-valued attribute get their implicit name. */
export function asParts(value: Json): JsonObject {
  return isJsonObject(value) ? value : { [implicitName]: value }
}

/** RFC 7644 §3.4.2.2 `pr`: not empty, or with a part that is not empty. */
export function isPresent(value: Json): boolean {
  if (value === null || value === '') return false
  if (typeof value !== 'object') return true
  return Object.values(value).some(isPresent)
}

/** RFC 7643 §2.5: null is the same as unassigned. */
function toList(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value.filter((entry) => entry !== null) : [value]
}

/** Never what an object inherits: a document without `valueOf` has no value of that name. */
function own(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}
