/** What a client sent → the canonical value of the schema's type, or `undefined` for "unassigned". */
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { valuesPerAttribute } from '../limits.ts'
import type { AttributeDefinition } from './attribute.ts'
import { badValue, kindOf, sentTwice, tooManyValues } from './bad-value.ts'
import { isUnassigned, refuseHostileKey } from './client-keys.ts'
import { parseInstant } from './instant.ts'
import { mergeDuplicates } from './multi-value.ts'
import { unpackRole } from './role.ts'
import { isSameValue } from './same-document.ts'

export interface ValueRules {
  /** Entra writes booleans as `"True"`; a strict PATCH takes only RFC 7643 §2.3.2's `true`. */
  readonly quotedBooleans: boolean
  /** PATCH clears with "" (Entra); a POST or PUT is kept as it was sent. */
  readonly emptyText: 'kept' | 'unassigned'
  /** Called with the name of each attribute that the schema does not have. */
  readonly noteUnknown: (name: string) => void
}

/** Sub-attribute → value, `undefined` where the client unassigned it. Read-only ones are left out. */
export type Parts = Map<AttributeDefinition, Json | undefined>

/** Throws `Problem` 400 `invalidValue`, naming `where`. */
export function normaliseValue(
  attribute: AttributeDefinition,
  value: Json,
  where: string,
  rules: ValueRules,
): Json | undefined {
  if (attribute.multiValued) return normaliseList(attribute, value, where, rules)
  if (isUnassigned(value) && !(isJsonObject(value) && attribute.sub === undefined)) return undefined
  return attribute.sub === undefined
    ? normaliseSimple(attribute, value, where, rules)
    : normaliseComplex(attribute, single(value, where), where, rules)
}

/** The values of a multi-valued attribute; one value without its list is accepted. No value twice. */
export function normaliseList(
  attribute: AttributeDefinition,
  value: Json,
  where: string,
  rules: ValueRules,
): Json[] | undefined {
  const sent = Array.isArray(value) ? value : [value]
  if (sent.length > valuesPerAttribute) throw tooManyValues(where)
  const values = sent.flatMap((one) => normaliseElement(attribute, one, where, rules) ?? [])
  return values.length === 0 ? undefined : mergeDuplicates(values)
}

/** One value of a multi-valued attribute. */
export function normaliseElement(
  attribute: AttributeDefinition,
  value: Json,
  where: string,
  rules: ValueRules,
): Json | undefined {
  if (value === null || value === '') return undefined
  if (attribute.sub === undefined) return normaliseSimple(attribute, value, where, rules)
  return normaliseComplex(attribute, value, where, rules)
}

/** The parts of a complex value. Text stands for its `value` (Entra's manager, roles and members). */
export function normaliseParts(attribute: AttributeDefinition, value: Json, where: string, rules: ValueRules): Parts {
  const parts: Parts = new Map()
  for (const [key, part] of Object.entries(asObject(attribute, value, where))) {
    refuseHostileKey(key)
    const sub = attribute.sub?.get(key.toLowerCase())
    if (sub === undefined) {
      rules.noteUnknown(`${attribute.name}.${key}`)
      continue
    }
    if (isServers(sub)) continue
    const normal = normaliseValue(sub, part, `${where}.${sub.name}`, rules)
    if (parts.has(sub) && !isSameValue(parts.get(sub), normal)) throw sentTwice(`${where}.${sub.name}`)
    parts.set(sub, normal)
  }
  return attribute.name === 'roles' ? unpackRole(attribute, parts) : parts
}

/** Read-only, or a `$ref`: addresses are computed by the server. */
export function isServers(attribute: AttributeDefinition): boolean {
  return attribute.mutability === 'readOnly' || attribute.name === '$ref'
}

/** The object of these parts in the schema's order, without unassigned ones. */
export function composeParts(
  attribute: AttributeDefinition,
  parts: ReadonlyMap<AttributeDefinition, Json | undefined>,
): JsonObject {
  const composed: JsonObject = {}
  for (const sub of attribute.sub?.values() ?? []) {
    const value = parts.get(sub)
    if (value !== undefined) composed[sub.name] = value
  }
  return composed
}

function normaliseComplex(
  attribute: AttributeDefinition,
  value: Json,
  where: string,
  rules: ValueRules,
): JsonObject | undefined {
  if (value === '') return undefined
  const composed = composeParts(attribute, normaliseParts(attribute, value, where, rules))
  // Entra removes a manager by sending { "value": "" }.
  if (!attribute.multiValued && composed.value === '') return undefined
  return Object.keys(composed).length === 0 ? undefined : composed
}

function asObject(attribute: AttributeDefinition, value: Json, where: string): JsonObject {
  if (isJsonObject(value)) return value
  if (typeof value === 'string' && attribute.sub?.has('value')) return { value }
  throw badValue(where, `must be an object with its sub-attributes, not ${kindOf(value)}.`)
}

/** Older Entra samples send a manager as a list of one. */
function single(value: Json, where: string): Json {
  if (!Array.isArray(value)) return value
  const [one] = value
  if (one === undefined || value.length > 1) throw badValue(where, 'takes one value, not several.')
  return one ?? ''
}

function normaliseSimple(
  attribute: AttributeDefinition,
  value: Json,
  where: string,
  rules: ValueRules,
): Json | undefined {
  // Entra clears whatever is mapped with "", numbers too. Cleared, `active` would mean "on": there it is no word at all.
  const isActive = attribute.type === 'boolean' && attribute.name === 'active'
  if (value === '' && rules.emptyText === 'unassigned' && !isActive) return undefined
  switch (attribute.type) {
    case 'boolean':
      return normaliseBoolean(value, where, rules)
    case 'integer':
    case 'decimal':
      if (typeof value !== 'number' || !Number.isFinite(value))
        throw badValue(where, `must be a number, not ${kindOf(value)}.`)
      if (attribute.type === 'integer' && !Number.isSafeInteger(value)) throw badValue(where, 'must be a whole number.')
      return value
    default:
      return normaliseText(attribute, value, where)
  }
}

function normaliseBoolean(value: Json, where: string, rules: ValueRules): boolean {
  if (typeof value === 'boolean') return value
  const word = typeof value === 'string' && rules.quotedBooleans ? value.toLowerCase() : undefined
  if (word === 'true') return true
  if (word === 'false') return false
  throw badValue(where, 'must be true or false.')
}

function normaliseText(attribute: AttributeDefinition, value: Json, where: string): string {
  if (typeof value !== 'string') throw badValue(where, `must be text, not ${kindOf(value)}.`)
  if (value === '') return value
  if (attribute.type === 'dateTime' && parseInstant(value) === undefined) {
    throw badValue(where, 'must be a date and time such as 2026-01-31T08:00:00Z.')
  }
  if (attribute.type === 'binary' && !isBase64(value)) throw badValue(where, 'must be base64.')
  return value
}

/** Both alphabets of RFC 4648, line breaks allowed as certificates have them. */
function isBase64(value: string): boolean {
  return /^[A-Za-z0-9+/_=\-\s]*$/.test(value)
}
