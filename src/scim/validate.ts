/** The rules for a whole canonical document; the types of its values were checked when they came in. */
import { Problem } from '../errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { documentBytes, textLength, valuesPerAttribute } from '../limits.ts'
import type { AttributeDefinition, ResourceSchema } from './attribute.ts'
import { badValue, tooManyValues, twoPrimaries } from './bad-value.ts'

/** Names that people read to tell users apart; nothing in them may hide or reorder what is read. */
const names = new Set(['userName', 'displayName', 'name'])

/** Throws `Problem` 400 `invalidValue` that names the first attribute at fault. */
export function validateDocument(schema: ResourceSchema, document: JsonObject): void {
  for (const [name, value] of Object.entries(document)) {
    if (name === 'schemas') continue
    const attribute = schema.core.get(name.toLowerCase())
    if (attribute !== undefined) {
      checkValue(attribute, value, name, names.has(name))
      continue
    }
    const extension = schema.extensions.get(name.toLowerCase())
    if (extension === undefined || !isJsonObject(value)) continue
    for (const [inner, part] of Object.entries(value)) {
      const extended = extension.attributes.get(inner.toLowerCase())
      if (extended !== undefined) checkValue(extended, part, inner, false)
    }
  }
  checkRequired(schema, document)
  if (Buffer.byteLength(JSON.stringify(document)) > documentBytes) {
    throw new Problem(
      400,
      'invalidValue',
      `The ${schema.type} is larger than ${documentBytes / 1024} kB; send fewer or shorter values.`,
    )
  }
}

function checkRequired(schema: ResourceSchema, document: JsonObject): void {
  const present = new Map(Object.entries(document))
  for (const attribute of schema.core.values()) {
    if (!attribute.required || attribute.name === 'schemas') continue
    const value = present.get(attribute.name)
    if (value !== undefined && !(typeof value === 'string' && value.trim() === '')) continue
    throw badValue(attribute.name, `is required and must not be blank; every ${schema.type} needs one.`)
  }
  const userName = present.get('userName')
  // RFC 8265: a name to log in with has no control characters.
  if (typeof userName === 'string' && hasControl(userName)) {
    throw badValue('userName', 'has a control character; remove it.')
  }
}

function checkValue(attribute: AttributeDefinition, value: Json, where: string, isName: boolean): void {
  if (Array.isArray(value)) {
    if (value.length > valuesPerAttribute) throw tooManyValues(where)
    let primaries = 0
    for (const one of value) {
      checkSingle(attribute, one, where, isName)
      if (isJsonObject(one) && one.primary === true) primaries += 1
    }
    if (primaries > 1) throw twoPrimaries(where)
    return
  }
  checkSingle(attribute, value, where, isName)
}

function checkSingle(attribute: AttributeDefinition, value: Json, where: string, isName: boolean): void {
  if (typeof value === 'string') checkText(value, where, isName)
  if (!isJsonObject(value)) return
  for (const [name, part] of Object.entries(value)) {
    const sub = attribute.sub?.get(name.toLowerCase())
    if (sub !== undefined) checkValue(sub, part, `${where}.${name}`, isName)
  }
}

function checkText(text: string, where: string, isName: boolean): void {
  if (text.length > textLength) throw badValue(where, `is longer than ${textLength} characters; shorten it.`)
  if (!text.isWellFormed())
    throw badValue(where, 'is not valid Unicode (half of a surrogate pair); send whole characters.')
  if (text.includes('\0')) throw badValue(where, 'has a NUL character; remove it.')
  if (isName && hasDirectionControl(text)) {
    throw badValue(where, 'has an invisible character that changes the reading direction; remove it.')
  }
}

/** C0, DEL and C1. */
function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true
  }
  return false
}

/** Embeddings, overrides and isolates; the plain marks (U+200E, U+200F) are part of ordinary names. */
function hasDirectionControl(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) return true
  }
  return false
}
