import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import type { ExtensionSchema, ResolvedName, ResourceSchema } from './attribute.ts'
import { badValue, kindOf } from './bad-value.ts'
import { isUnassigned, refuseHostileKey } from './client-keys.ts'
import { resolveName } from './names.ts'

/** One name of a body with its value; `resolved` is undefined where the schema has no such name. */
export interface Assignment {
  readonly name: string
  readonly resolved: ResolvedName | undefined
  readonly value: Json
}

/**
 * What a body assigns, with extension objects opened: `{ "urn:…:User": { "department": "x" } }` and
 * `{ "urn:…:User:department": "x" }` give the same. An extension that is unassigned as a whole comes out as itself.
 */
export function assignmentsOf(schema: ResourceSchema, body: JsonObject): readonly Assignment[] {
  return Object.entries(body).flatMap(([name, value]): readonly Assignment[] => {
    refuseHostileKey(name)
    const resolved = resolveName(schema, name)
    if (resolved?.extension === undefined || resolved.attribute !== undefined) return [{ name, resolved, value }]
    return openExtension(schema, resolved.extension, name, value)
  })
}

function openExtension(
  schema: ResourceSchema,
  extension: ExtensionSchema,
  name: string,
  value: Json,
): readonly Assignment[] {
  const whole: Assignment = { name, resolved: { extension, attribute: undefined, sub: undefined }, value: null }
  if (isUnassigned(value) || value === '') return [whole]
  if (!isJsonObject(value)) throw badValue(extension.urn, `must be an object, not ${kindOf(value)}.`)
  return Object.entries(value).flatMap(([inner, part]) => {
    refuseHostileKey(inner)
    const qualified = `${extension.urn}:${inner}`
    const resolved = resolveName(schema, qualified)
    // Some libraries write `schemas` into the extension, too.
    if (resolved === undefined && inner.toLowerCase() === 'schemas') return []
    return [{ name: qualified, resolved, value: part }]
  })
}
