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
  const enterprise = schema.extensions.get(enterpriseKey)
  return (
    resolvePath(schema.core, undefined, name) ?? (enterprise && resolvePath(enterprise.attributes, enterprise, name))
  )
}

function resolveQualified(schema: ResourceSchema, name: string): ResolvedName | undefined {
  const whole = schema.extensions.get(name)
  if (whole !== undefined) return { extension: whole, attribute: undefined, sub: undefined }
  const homes = [undefined, ...schema.extensions.values()]
  // One URN can begin like another (`urn:x:User`, `urn:x:User:Staff`): the one that has the attribute is meant.
  for (const extension of homes) {
    const rest = afterUrn(name, (extension ?? schema).urn.toLowerCase())
    const resolved = rest === undefined ? undefined : resolvePath(extension?.attributes ?? schema.core, extension, rest)
    if (resolved !== undefined) return resolved
  }
  return undefined
}

/** What follows the URN and a colon or a dot. */
function afterUrn(name: string, urn: string): string | undefined {
  const separator = name[urn.length]
  return name.startsWith(urn) && (separator === ':' || separator === '.') ? name.slice(urn.length + 1) : undefined
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
