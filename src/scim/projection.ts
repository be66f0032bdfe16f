/** `attributes` and `excludedAttributes` (RFC 7644 §3.9). */
import { Problem } from '../errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { textLength } from '../limits.ts'
import type { AttributeDefinition, ResourceSchema } from './attribute.ts'
import { provisioningUrn } from './attribute.ts'
import { resolveName } from './names.ts'

export interface Projection {
  /** Nothing was asked for: the resource goes out as it is stored. */
  readonly isWhole: boolean
  /** Whether any part of these is in the answer; what is not need not be read. */
  readonly wantsMembers: boolean
  readonly wantsGroups: boolean
  readonly wantsProvisioning: boolean
  /** A copy with what was asked for, in the document's order. What is never returned is not in it. */
  project(document: JsonObject): JsonObject
}

/** Named attributes by canonical name: all of one, or some of its sub-attributes. */
type Named = Map<string, 'all' | Set<string>>

/** The named ones of the core schema and, by canonical URN, of each extension. */
interface Selection {
  readonly isExclusion: boolean
  readonly core: Named | 'all'
  readonly extensions: ReadonlyMap<string, Named | 'all'>
}

/** Nearly every request wants the whole resource. */
const wholes = new WeakMap<ResourceSchema, Projection>()

/**
 * Unknown names are ignored; empty text is as absent. Throws 400 `invalidValue` when both are given, or one is too long.
 */
export function parseProjection(
  schema: ResourceSchema,
  attributes: string | undefined,
  excludedAttributes: string | undefined,
): Projection {
  const wanted = (attributes ?? '').trim()
  const unwanted = (excludedAttributes ?? '').trim()
  if (wanted !== '' || unwanted !== '') return projectionOf(schema, wanted, unwanted)
  const whole = wholes.get(schema) ?? projectionOf(schema, '', '')
  wholes.set(schema, whole)
  return whole
}

function projectionOf(schema: ResourceSchema, wanted: string, unwanted: string): Projection {
  if (wanted !== '' && unwanted !== '') {
    throw new Problem(400, 'invalidValue', 'attributes and excludedAttributes cannot be used together.')
  }
  if (wanted.length > textLength || unwanted.length > textLength) {
    throw new Problem(400, 'invalidValue', `attributes and excludedAttributes take ${textLength} characters at most.`)
  }
  const selection = select(schema, unwanted === '' ? wanted : unwanted, wanted === '')
  const wants = (attribute: AttributeDefinition | undefined) =>
    attribute !== undefined && keepOf(selection.core, attribute.name, selection.isExclusion) !== 'none'
  return {
    isWhole: wanted === '' && unwanted === '',
    wantsMembers: wants(schema.core.get('members')),
    wantsGroups: wants(schema.core.get('groups')),
    wantsProvisioning:
      schema.extensions.has(provisioningUrn.toLowerCase()) && keepsExtension(selection, provisioningUrn),
    project: (document) => projectDocument(schema, selection, document),
  }
}

function select(schema: ResourceSchema, text: string, isExclusion: boolean): Selection {
  let core: Named | 'all' = new Map()
  const extensions = new Map<string, Named | 'all'>()
  for (const part of text.split(',')) {
    const name = isExclusion ? part.trim() : withoutFilter(part.trim())
    if (name.toLowerCase() === schema.urn.toLowerCase()) core = 'all'
    const resolved = resolveName(schema, name)
    if (resolved === undefined) continue
    const { extension, attribute, sub } = resolved
    if (extension === undefined) {
      if (attribute !== undefined && core !== 'all') add(core, attribute.name, sub?.name)
      continue
    }
    const named = extensions.get(extension.urn) ?? new Map()
    if (attribute === undefined || named === 'all') extensions.set(extension.urn, 'all')
    else extensions.set(extension.urn, add(named, attribute.name, sub?.name))
  }
  return { isExclusion, core, extensions }
}

/**
 * `emails[type eq "work"].value` → `emails.value`. RFC 7644 §3.10 has no filters here, but Microsoft's tests send them:
 * an answer that has more than was asked for serves them.
 */
function withoutFilter(name: string): string {
  const open = name.indexOf('[')
  if (open === -1) return name
  const close = name.lastIndexOf(']')
  return name.slice(0, open) + (close < open ? '' : name.slice(close + 1))
}

function add(named: Named, attribute: string, sub: string | undefined): Named {
  const before = named.get(attribute)
  if (before === 'all') return named
  return named.set(attribute, sub === undefined ? 'all' : new Set([...(before ?? []), sub]))
}

/** What stays of one attribute: nothing, everything, or a choice of its parts. */
function keepOf(named: Named | 'all', attribute: string, isExclusion: boolean): 'all' | 'none' | ReadonlySet<string> {
  const found = named === 'all' ? 'all' : named.get(attribute)
  if (found === undefined) return isExclusion ? 'all' : 'none'
  if (found === 'all') return isExclusion ? 'none' : 'all'
  return found
}

function keepsExtension({ extensions, isExclusion }: Selection, urn: string): boolean {
  const named = extensions.get(urn)
  return isExclusion ? named !== 'all' : named !== undefined
}

function projectDocument(schema: ResourceSchema, selection: Selection, document: JsonObject): JsonObject {
  const kept: [string, Json][] = []
  for (const [name, value] of Object.entries(document)) {
    const key = name.toLowerCase()
    const extension = schema.extensions.get(key)
    if (extension !== undefined) {
      if (!keepsExtension(selection, extension.urn) || !isJsonObject(value)) continue
      const named = selection.extensions.get(extension.urn) ?? new Map()
      const inner = projectAttributes(extension.attributes, named, selection.isExclusion, value)
      if (Object.keys(inner).length > 0) kept.push([name, inner])
      continue
    }
    const projected = projectAttribute(schema.core.get(key), selection.core, selection.isExclusion, value)
    if (projected !== undefined) kept.push([name, projected])
  }
  return Object.fromEntries(kept)
}

function projectAttributes(
  definitions: ReadonlyMap<string, AttributeDefinition>,
  named: Named | 'all',
  isExclusion: boolean,
  object: JsonObject,
): JsonObject {
  const kept: [string, Json][] = []
  for (const [name, value] of Object.entries(object)) {
    const projected = projectAttribute(definitions.get(name.toLowerCase()), named, isExclusion, value)
    if (projected !== undefined) kept.push([name, projected])
  }
  return Object.fromEntries(kept)
}

function projectAttribute(
  definition: AttributeDefinition | undefined,
  named: Named | 'all',
  isExclusion: boolean,
  value: Json,
): Json | undefined {
  // What the tables do not know (an extension that is no longer declared) nobody can name, neither to have nor to leave it.
  if (definition === undefined) return isExclusion ? value : undefined
  if (definition.returned === 'never') return undefined
  if (definition.returned === 'always') return value
  const keep = keepOf(named, definition.name, isExclusion)
  if (keep === 'none') return undefined
  if (keep === 'all') return value
  const keepsSub = (name: string) => keep.has(definition.sub?.get(name.toLowerCase())?.name ?? name) !== isExclusion
  return projectParts(value, keepsSub)
}

/** Values of which nothing is left are left out. */
function projectParts(value: Json, keepsSub: (name: string) => boolean): Json | undefined {
  if (Array.isArray(value)) {
    const values = value.flatMap((entry) => projectParts(entry, keepsSub) ?? [])
    return values.length === 0 ? undefined : values
  }
  if (!isJsonObject(value)) return undefined
  const parts = Object.entries(value).filter(([name]) => keepsSub(name))
  return parts.length === 0 ? undefined : Object.fromEntries(parts)
}
