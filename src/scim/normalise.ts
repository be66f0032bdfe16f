/** A POST or PUT body, in any provider's dialect → the canonical document (RFC 7643, with what Okta and Entra really send). */
import { Problem } from '../errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { attributeNameLength } from '../limits.ts'
import { type Assignment, assignmentsOf } from './assignments.ts'
import type { AttributeDefinition, ResourceSchema } from './attribute.ts'
import { badValue, sentTwice } from './bad-value.ts'
import { type Assigned, composeDocument } from './canonical.ts'
import { memberIds } from './member-ids.ts'
import { isSameValue } from './same-document.ts'
import { validateDocument } from './validate.ts'
import { normaliseValue, type ValueRules } from './value.ts'

export interface NormalisedResource {
  /** Canonical, without `id`, `meta`, `groups`, `members`, `password` and Provisioning. */
  readonly document: JsonObject
  /** As sent; undefined when the client said nothing about it. */
  readonly active: boolean | undefined
  /** Of a Group: ids of users, each once; undefined when the client said nothing about them. */
  readonly members: readonly string[] | undefined
  /** Names that the schema does not have, at most 20. */
  readonly ignored: readonly string[]
}

const ignoredShown = 20

/** Throws `Problem` 400 `invalidSyntax` or `invalidValue` that names the attribute. */
export function normaliseResource(
  schema: ResourceSchema,
  body: JsonObject,
  mode: 'create' | 'replace',
): NormalisedResource {
  checkSchemas(schema, Object.entries(body).find(([name]) => name.toLowerCase() === 'schemas')?.[1])
  const ignored = new Set<string>()
  const noteUnknown = (name: string) => {
    if (ignored.size < ignoredShown) ignored.add(name.slice(0, attributeNameLength).toWellFormed())
  }
  const sent = gather(assignmentsOf(schema, body), noteUnknown)
  const members = takeMembers(schema, sent)
  const rules: ValueRules = { quotedBooleans: true, emptyText: 'kept', noteUnknown }
  const assigned: Assigned = new Map()
  for (const [extension, values] of sent) {
    const normal = new Map<AttributeDefinition, Json>()
    for (const [attribute, raw] of values) {
      const value = normaliseValue(attribute, raw, attribute.name, rules)
      if (value !== undefined) normal.set(attribute, value)
    }
    assigned.set(extension, normal)
  }
  const document = composeDocument(schema, assigned)
  if (mode === 'replace') checkReplacement(schema, document)
  validateDocument(schema, document)
  return {
    document,
    active: typeof document.active === 'boolean' ? document.active : undefined,
    members,
    ignored: [...ignored],
  }
}

/** RFC 7643 §3: required, not empty. Unknown URNs are accepted (Entra names its own), but not only unknown ones. */
function checkSchemas(schema: ResourceSchema, schemas: Json | undefined): void {
  if (!Array.isArray(schemas) || schemas.length === 0 || !schemas.every((urn) => typeof urn === 'string')) {
    throw new Problem(400, 'invalidSyntax', `schemas is missing or empty; it must name ${schema.urn}.`)
  }
  const isOurs = (urn: string) =>
    urn.toLowerCase() === schema.urn.toLowerCase() || schema.extensions.has(urn.toLowerCase())
  if (schemas.some((urn) => typeof urn === 'string' && isOurs(urn))) return
  throw new Problem(400, 'invalidSyntax', `schemas does not fit a ${schema.type}; it must name ${schema.urn}.`)
}

/** The values as sent, dotted names put into their attribute. What a client cannot write is left out (RFC 7644 §3.3, §3.5.1). */
function gather(assignments: readonly Assignment[], noteUnknown: (name: string) => void): Assigned {
  const sent: Assigned = new Map()
  for (const { name, resolved, value } of assignments) {
    if (resolved === undefined) {
      noteUnknown(name)
      continue
    }
    const { extension, attribute, sub } = resolved
    if (attribute === undefined || !isWritable(attribute)) continue
    const values = sent.get(extension) ?? new Map<AttributeDefinition, Json>()
    sent.set(extension, values)
    const added = sub === undefined ? value : { [sub.name]: value }
    values.set(attribute, unite(values.get(attribute), added, attribute.name))
  }
  return sent
}

/** `schemas` is computed; a password (Okta sends one with every create) is dropped at the door. */
function isWritable(attribute: AttributeDefinition): boolean {
  return attribute.name !== 'schemas' && (attribute.mutability === 'readWrite' || attribute.mutability === 'immutable')
}

/** An attribute may come in several pieces (`name.givenName` beside `name.familyName`), never with two different values. */
function unite(before: Json | undefined, added: Json, where: string): Json {
  if (before === undefined || before === null) return added
  if (added === null || isSameValue(before, added)) return before
  if (!isJsonObject(before) || !isJsonObject(added)) throw sentTwice(where)
  const known = new Map(Object.entries(before))
  for (const [key, value] of Object.entries(added)) {
    if (known.has(key) && !isSameValue(known.get(key), value)) throw sentTwice(`${where}.${key}`)
  }
  return { ...before, ...added }
}

function takeMembers(schema: ResourceSchema, sent: Assigned): readonly string[] | undefined {
  const attribute = schema.type === 'Group' ? schema.core.get('members') : undefined
  const core = sent.get(undefined)
  const raw = attribute === undefined ? undefined : core?.get(attribute)
  if (attribute === undefined || raw === undefined) return undefined
  core?.delete(attribute)
  return memberIds(raw)
}

/** A client that meant PATCH sends only what changes; say so, instead of only "required". */
function checkReplacement(schema: ResourceSchema, document: JsonObject): void {
  const required = schema.type === 'User' ? 'userName' : 'displayName'
  if (Object.hasOwn(document, required)) return
  throw badValue(required, `is missing; PUT replaces the whole ${schema.type}, so send all of it (or use PATCH).`)
}
