import { Problem } from '../errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { isSameValue } from './same-document.ts'

const hostileNames = new Set(['__proto__', 'constructor', 'prototype'])
const separators = new Set('.:[]/# ')

/**
 * Refuses a key of a client that names an object's internals in any of its parts (`urn:x:__proto__.p`). We look names up
 * in Maps only, so nothing could come of it; libraries that log or copy a body are less careful.
 */
export function refuseHostileKey(key: string): void {
  let start = 0
  for (let end = 0; end <= key.length; end += 1) {
    if (end < key.length && !separators.has(key.charAt(end))) continue
    if (hostileNames.has(key.slice(start, end))) {
      throw new Problem(400, 'invalidSyntax', 'The body has a key that is no attribute name; remove it.')
    }
    start = end + 1
  }
}

/** A client's object by lower-cased key: names are case-insensitive (RFC 7643 §2.1). Two spellings of one have to say the same. */
export function byLowerCaseKey(value: JsonObject): ReadonlyMap<string, Json> {
  const parts = new Map<string, Json>()
  for (const [name, part] of Object.entries(value)) {
    const key = name.toLowerCase()
    if (parts.has(key) && !isSameValue(parts.get(key), part)) {
      throw new Problem(
        400,
        'invalidSyntax',
        'The body has a name twice in one object, in different letters; send it once.',
      )
    }
    parts.set(key, part)
  }
  return parts
}

/** `null` and `[]` mean "unassigned" (RFC 7643 §2.5), and so does an object without anything in it. */
export function isUnassigned(value: Json): boolean {
  if (value === null) return true
  if (Array.isArray(value)) return value.length === 0
  return isJsonObject(value) && Object.keys(value).length === 0
}
