/** The one form of a document: canonical names, `schemas` first, then core, then extensions, each in the schema's order. */
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import type { AttributeDefinition, ExtensionSchema, ResourceSchema } from './attribute.ts'

/** Attribute → value, by where it belongs; `undefined` is the core schema. */
export type Assigned = Map<ExtensionSchema | undefined, Map<AttributeDefinition, Json>>

/** `schemas` names the core and the extensions that are in use, and no others. `unknown` is kept as it is, at the end. */
export function composeDocument(schema: ResourceSchema, assigned: Assigned, unknown: JsonObject = {}): JsonObject {
  const extensions = [...schema.extensions.values()].flatMap((extension) => {
    const values = ordered(extension.attributes, assigned.get(extension))
    return Object.keys(values).length === 0 ? [] : [{ urn: extension.urn, values }]
  })
  const urns = [...extensions.map(({ urn }) => urn), ...Object.keys(unknown).filter((name) => name.startsWith('urn:'))]
  const document: JsonObject = { schemas: [schema.urn, ...urns], ...ordered(schema.core, assigned.get(undefined)) }
  for (const { urn, values } of extensions) document[urn] = values
  return { ...document, ...unknown }
}

/** The inverse. `unknown` is what the schema does not have: an extension that is no longer declared must not cost its values. */
export function decomposeDocument(
  schema: ResourceSchema,
  document: JsonObject,
): { readonly assigned: Assigned; readonly unknown: JsonObject } {
  const core = new Map<AttributeDefinition, Json>()
  const assigned: Assigned = new Map([[undefined, core]])
  const unknown: [string, Json][] = []
  for (const [name, value] of Object.entries(document)) {
    const key = name.toLowerCase()
    const attribute = schema.core.get(key)
    if (attribute !== undefined) {
      if (attribute.name !== 'schemas') core.set(attribute, value)
      continue
    }
    const extension = schema.extensions.get(key)
    if (extension === undefined || !isJsonObject(value)) unknown.push([name, value])
    else assigned.set(extension, pick(extension.attributes, value))
  }
  return { assigned, unknown: Object.fromEntries(unknown) }
}

function ordered(
  table: ReadonlyMap<string, AttributeDefinition>,
  values: ReadonlyMap<AttributeDefinition, Json> | undefined,
): JsonObject {
  const object: JsonObject = {}
  for (const attribute of table.values()) {
    const value = values?.get(attribute)
    if (value !== undefined) object[attribute.name] = value
  }
  return object
}

function pick(table: ReadonlyMap<string, AttributeDefinition>, value: JsonObject): Map<AttributeDefinition, Json> {
  const picked = new Map<AttributeDefinition, Json>()
  for (const [name, part] of Object.entries(value)) {
    const attribute = table.get(name.toLowerCase())
    if (attribute !== undefined) picked.set(attribute, part)
  }
  return picked
}
