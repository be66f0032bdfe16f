/** Attribute names as clients write them: any letter case, with or without the URN of their schema (RFC 7644 §3.10). */
import { attributeNameLength } from '../limits.ts'
import type { AttributeDefinition, ExtensionSchema, ResolvedName, ResourceSchema } from './attribute.ts'
import { enterpriseUrn } from './attribute.ts'

const enterpriseKey = enterpriseUrn.toLowerCase()

/**
 * `userName`, `NAME.givenname`, `urn:…:core:2.0:User:emails.value`, `urn:…:enterprise:2.0:User:department`, a whole
 * extension's URN, and two of Entra's forms: `urn:…:enterprise:2.0:User.manager` and the unqualified `department`.
 * Undefined when the schema has no such name.
 */
export function resolveName(schema: ResourceSchema, text: string): ResolvedName | undefined {
  if (text.length > attributeNameLength || !isAscii(text)) return undefined
  const name = text.toLowerCase()
  if (name.startsWith('urn:')) return resolveQualified(schema, name)
  const inCore = resolvePath(schema.core, undefined, name)
  if (inCore !== undefined) return inCore
  // Only where the core has no attribute of that name, not where the core's has no such sub-attribute.
  const enterprise = schema.extensions.get(enterpriseKey)
  if (enterprise === undefined || schema.core.has(firstPart(name))) return undefined
  return resolvePath(enterprise.attributes, enterprise, name)
}

function resolveQualified(schema: ResourceSchema, name: string): ResolvedName | undefined {
  const whole = schema.extensions.get(name)
  if (whole !== undefined) return { extension: whole, attribute: undefined, sub: undefined }
  let found: ResolvedName | undefined
  let foundLength = 0
  const look = (urn: string, attributes: ReadonlyMap<string, AttributeDefinition>, extension?: ExtensionSchema) => {
    // One URN can begin like another (`urn:x:User`, `urn:x:User:Staff`): the longest that has the attribute wins.
    if (urn.length <= foundLength || !name.startsWith(urn)) return
    const separator = name[urn.length]
    if (separator !== ':' && separator !== '.') return
    const resolved = resolvePath(attributes, extension, name.slice(urn.length + 1))
    if (resolved === undefined) return
    found = resolved
    foundLength = urn.length
  }
  look(schema.urn.toLowerCase(), schema.core)
  for (const [urn, extension] of schema.extensions) look(urn, extension.attributes, extension)
  return found
}

function resolvePath(
  attributes: ReadonlyMap<string, AttributeDefinition>,
  extension: ExtensionSchema | undefined,
  name: string,
): ResolvedName | undefined {
  const first = firstPart(name)
  const attribute = attributes.get(first)
  if (attribute === undefined) return undefined
  if (first.length === name.length) return { extension, attribute, sub: undefined }
  const sub = attribute.sub?.get(name.slice(first.length + 1))
  return sub === undefined ? undefined : { extension, attribute, sub }
}

function firstPart(name: string): string {
  const dot = name.indexOf('.')
  return dot === -1 ? name : name.slice(0, dot)
}

/** Lower-casing turns some other letters into ASCII ones (the Kelvin sign into `k`); a SCIM name has none of them. */
function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7e) return false
  return true
}
