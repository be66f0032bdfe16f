import { Problem } from '../errors.ts'
import { filterBytes } from '../limits.ts'
import type { AttributeDefinition, ExtensionSchema, ResourceSchema } from './attribute.ts'
import { parseValueFilter } from './filter-parse.ts'
import type { Filter } from './filter-tree.ts'
import { resolveName } from './names.ts'

export interface PatchPath {
  /** Undefined for the core schema. */
  readonly extension: ExtensionSchema | undefined
  /** Undefined when a whole extension is meant. */
  readonly attribute: AttributeDefinition | undefined
  /** Between the brackets of `emails[type eq "work"].value`; only of multi-valued attributes. */
  readonly filter: Filter | undefined
  readonly sub: AttributeDefinition | undefined
}

/**
 * RFC 7644 §3.5.2, `PATH = attrPath / valuePath [subAttr]`, names in any letter case and any of the forms of `resolveName`.
 * Throws `Problem` 400 `invalidPath`, or `invalidFilter` for what stands between the brackets.
 */
export function parsePatchPath(schema: ResourceSchema, text: string): PatchPath {
  if (text.length > filterBytes) throw invalidPath('is too long')
  const open = text.indexOf('[')
  const resolved = resolveName(schema, open === -1 ? text : text.slice(0, open))
  if (resolved === undefined) throw invalidPath(`names no attribute of a ${schema.type}`)
  const { extension, attribute, sub } = resolved
  if (open === -1) return { extension, attribute, filter: undefined, sub }
  if (attribute === undefined || sub !== undefined || !attribute.multiValued) {
    throw invalidPath('has a filter on an attribute that has one value only; leave the filter out')
  }
  const close = closingBracket(text, open + 1)
  if (close === -1) throw invalidPath("lacks the ']' of its filter")
  const filter = parseValueFilter(text.slice(open + 1, close), attribute)
  return { extension, attribute, filter, sub: parseSub(attribute, text.slice(close + 1)) }
}

/** 400 `invalidPath`. The path itself is the client's text and stays out of the message. */
export function invalidPath(what: string): Problem {
  return new Problem(400, 'invalidPath', `path of an operation ${what}.`)
}

function parseSub(attribute: AttributeDefinition, rest: string): AttributeDefinition | undefined {
  if (rest === '') return undefined
  const sub = rest.startsWith('.') ? attribute.sub?.get(rest.slice(1).toLowerCase()) : undefined
  if (sub === undefined) throw invalidPath(`names no sub-attribute of ${attribute.name}`)
  return sub
}

/** Where the filter ends: brackets inside quoted text do not count, nor does a quote after a backslash. */
function closingBracket(text: string, from: number): number {
  let isQuoted = false
  for (let at = from; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (isQuoted && character === '\\') at += 1
    else if (character === '"') isQuoted = !isQuoted
    else if (character === ']' && !isQuoted) return at
  }
  return -1
}
