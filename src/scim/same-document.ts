import { isJsonObject, type Json, type JsonObject } from '../json.ts'

/** Whether a change changes anything: the order of keys does not matter, the order of values in a list does. */
export function isSameDocument(a: JsonObject, b: JsonObject): boolean {
  return isSameObject(a, b)
}

/** As `isSameDocument`, for any JSON. */
export function isSameValue(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => isSameValue(value, b[index]))
  }
  return isJsonObject(a) && isJsonObject(b) && isSameObject(a, b)
}

function isSameObject(a: JsonObject, b: JsonObject): boolean {
  const others = new Map(Object.entries(b))
  const own = Object.entries(a)
  return (
    own.length === others.size && own.every(([name, value]) => others.has(name) && isSameValue(value, others.get(name)))
  )
}
