/** One operation of a PATCH, in any provider's dialect → steps. Needs the schema, not the document. */
import { Problem } from '../errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { patchPathLength } from '../limits.ts'
import { assignmentsOf } from './assignments.ts'
import type { AttributeDefinition, ResolvedName, ResourceSchema } from './attribute.ts'
import { badValue, readOnlyProblem, sentTwice } from './bad-value.ts'
import { isUnassigned } from './client-keys.ts'
import { memberChange } from './patch-members.ts'
import type { PatchOperation } from './patch-message.ts'
import { invalidPath, type PatchPath, parsePatchPath } from './patch-path.ts'
import type { PatchStep, Place } from './patch-step.ts'
import { isSameValue } from './same-document.ts'
import { isServers, normaliseList, normaliseParts, normaliseValue, type Parts, type ValueRules } from './value.ts'

export interface StepOptions {
  readonly strict: boolean
  /** Over all operations of one PATCH. */
  readonly spent: { characters: number }
}

/** Throws `Problem` 400 with the scimType of RFC 7644 Table 9. */
export function stepsOf(schema: ResourceSchema, operation: PatchOperation, options: StepOptions): readonly PatchStep[] {
  const { op, path, value } = operation
  if (op === 'remove') {
    if (path === undefined) throw new Problem(400, 'noTarget', 'A remove needs a path.')
    return removalSteps(schema, readPath(schema, path, options), value, options)
  }
  if (path === undefined) {
    if (!isJsonObject(value)) {
      throw new Problem(
        400,
        'invalidValue',
        `value of an operation without path must be an object with attributes; op is ${op}.`,
      )
    }
    return bodySteps(schema, op, value, options)
  }
  const parsed = readPath(schema, path, options)
  if (value === undefined) throw badValue(parsed.attribute?.name ?? 'value', `needs a value in a ${op}.`)
  if (parsed.attribute !== undefined) return assignmentSteps(schema, op, parsed, parsed.attribute, value, options)
  if (parsed.extension === undefined) throw invalidPath('names no attribute')
  if (parsed.extension.isReadOnly) throw readOnlyProblem(parsed.extension.urn)
  return bodySteps(schema, op, { [parsed.extension.urn]: value }, options)
}

/** One path is bounded; hundreds of them, each as long as it may be, would stop the process for a second. */
function readPath(schema: ResourceSchema, text: string, { spent }: StepOptions): PatchPath {
  const path = parsePatchPath(schema, text)
  spent.characters += text.length
  if (spent.characters <= patchPathLength) return path
  throw new Problem(400, 'tooMany', 'The paths of this PATCH are too long together; send several requests.')
}

/** A value without a path: each of its names is as good as a path of its own. */
function bodySteps(
  schema: ResourceSchema,
  op: 'add' | 'replace',
  body: JsonObject,
  options: StepOptions,
): readonly PatchStep[] {
  const said = new Map<string, Json>()
  return assignmentsOf(schema, body).flatMap(({ name, resolved, value }): readonly PatchStep[] => {
    if (resolved !== undefined) refuseSecond(said, resolved, value)
    const path: PatchPath =
      resolved === undefined ? readPath(schema, name, options) : { ...resolved, filter: undefined }
    const { extension, attribute, sub } = path
    // Ours alone, and changing by itself: an echo of it means nothing.
    if (extension?.isReadOnly) return []
    if (attribute === undefined) {
      return extension !== undefined && op === 'replace' ? [{ kind: 'removeExtension', extension }] : []
    }
    if (attribute.mutability === 'readOnly' && extension === undefined) {
      return [{ kind: 'unchanged', attribute, value: sub === undefined ? value : { [sub.name]: value } }]
    }
    return assignmentSteps(schema, op, path, attribute, value, options)
  })
}

/** In other letters, or with its URN: of two values one would be lost, and the answer would be a success. */
function refuseSecond(said: Map<string, Json>, { extension, attribute, sub }: ResolvedName, value: Json): void {
  const name = sub === undefined ? attribute?.name : `${attribute?.name}.${sub.name}`
  const key = `${extension?.urn ?? ''} ${name ?? ''}`
  if (said.has(key) && !isSameValue(said.get(key), value)) throw sentTwice(name ?? extension?.urn ?? '')
  said.set(key, value)
}

function assignmentSteps(
  schema: ResourceSchema,
  op: 'add' | 'replace',
  path: PatchPath,
  attribute: AttributeDefinition,
  value: Json,
  options: StepOptions,
): readonly PatchStep[] {
  if (isDropped(attribute)) return []
  refuseReadOnly(path)
  if (isMembers(schema, attribute)) return optional(memberChange({ op, value }, path, options))
  return assign(op, { extension: path.extension, attribute }, path, value, options)
}

function assign(
  op: 'add' | 'replace',
  place: Place,
  path: PatchPath,
  value: Json,
  options: StepOptions,
): readonly PatchStep[] {
  const { attribute } = place
  const { filter, sub } = path
  const isEmpty = isUnassigned(value) || value === ''
  // Adding nothing adds nothing, in a part as in the whole; an empty text is a value that takes the place of the old one.
  const addsNothing = op === 'add' && isUnassigned(value)
  const { rules, refuseUnknown } = patchRules(options)
  if (sub !== undefined) {
    if (addsNothing) return []
    const parts: Parts = new Map([[sub, normaliseValue(sub, value, `${attribute.name}.${sub.name}`, rules)]])
    return [
      attribute.multiValued ? { kind: 'each', place, filter, isWhole: false, parts } : { kind: 'merge', place, parts },
    ]
  }
  if (filter !== undefined) {
    if (attribute.sub === undefined) {
      throw invalidPath(`has a filter on ${attribute.name}, whose values cannot be changed but only removed`)
    }
    if (isEmpty) return op === 'replace' ? [{ kind: 'removeWhere', place, filter }] : []
    const sent = assigned(op, single(value, attribute.name))
    if (op === 'add' && isUnassigned(sent)) return []
    return [
      { kind: 'each', place, filter, isWhole: op === 'replace', parts: partsOf(attribute, sent, rules, refuseUnknown) },
    ]
  }
  if (attribute.multiValued) {
    const values = isEmpty ? [] : (normaliseList(attribute, value, attribute.name, rules) ?? [])
    refuseUnknown(values.length)
    if (values.length === 0 && op === 'add') return []
    return [{ kind: 'list', place, isAdd: op === 'add', values }]
  }
  if (addsNothing) return []
  if (attribute.sub === undefined) return assignSimple(place, value, rules)
  if (isEmpty) return [{ kind: 'clear', place }]
  const sent = assigned(op, single(value, attribute.name))
  if (op === 'add' && isUnassigned(sent)) return []
  return [{ kind: 'merge', place, parts: partsOf(attribute, sent, rules, refuseUnknown) }]
}

/** The parts that an operation says anything about: `null` in an add is nothing to add. */
function assigned(op: 'add' | 'replace', value: Json): Json {
  if (op === 'replace' || !isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, part]) => !isUnassigned(part)))
}

function assignSimple(place: Place, value: Json, rules: ValueRules): readonly PatchStep[] {
  const { attribute } = place
  const normal = normaliseValue(attribute, value, attribute.name, rules)
  // Without `active` an account would be on; only an explicit `true` may switch one on.
  if (normal === undefined && isActive(place)) return []
  return [{ kind: 'set', place, value: normal }]
}

function removalSteps(
  schema: ResourceSchema,
  path: PatchPath,
  value: Json | undefined,
  options: StepOptions,
): readonly PatchStep[] {
  const { extension, attribute, filter, sub } = path
  if (attribute === undefined) {
    if (extension === undefined) throw invalidPath('names no attribute')
    if (extension.isReadOnly) throw readOnlyProblem(extension.urn)
    return [{ kind: 'removeExtension', extension }]
  }
  if (attribute.name === 'password') return []
  refuseReadOnly(path)
  if (isMembers(schema, attribute)) return optional(memberChange({ op: 'remove', value }, path, options))
  if (attribute.required) throw new Problem(400, 'mutability', `${attribute.name} is required and cannot be removed.`)
  const place = { extension, attribute }
  if (sub !== undefined) {
    const parts: Parts = new Map([[sub, undefined]])
    return [
      attribute.multiValued ? { kind: 'each', place, filter, isWhole: false, parts } : { kind: 'merge', place, parts },
    ]
  }
  if (filter !== undefined) return [{ kind: 'removeWhere', place, filter }]
  if (!attribute.multiValued || value === undefined || value === null || value === '') return [{ kind: 'clear', place }]
  if (options.strict) throw badValue(attribute.name, 'takes no value in a remove; use a filter in the path.')
  const { rules } = patchRules(options)
  return [{ kind: 'removeNamed', place, values: normaliseList(attribute, value, attribute.name, rules) ?? [] }]
}

function partsOf(
  attribute: AttributeDefinition,
  value: Json,
  rules: ValueRules,
  refuseUnknown: (known: number) => void,
): Parts {
  const parts = normaliseParts(attribute, value, attribute.name, rules)
  refuseUnknown(parts.size)
  if (parts.size === 0) throw readOnlyProblem(`${attribute.name}'s sub-attribute`)
  return parts
}

/** Unknown sub-attributes beside known ones are left out (Entra's roles have some); alone they are a mistake. */
function patchRules({ strict }: StepOptions): {
  readonly rules: ValueRules
  readonly refuseUnknown: (known: number) => void
} {
  let unknown = false
  return {
    rules: {
      quotedBooleans: !strict,
      emptyText: 'unassigned',
      noteUnknown: () => {
        unknown = true
      },
    },
    refuseUnknown: (known) => {
      if (unknown && known === 0) throw invalidPath('has a value whose sub-attributes are all unknown')
    },
  }
}

/** Entra sends one value in a list of one. */
function single(value: Json, where: string): Json {
  if (!Array.isArray(value)) return value
  const [one] = value
  if (one === undefined || value.length > 1) throw badValue(where, `takes one value here, not several.`)
  return one
}

function refuseReadOnly({ extension, attribute, sub }: PatchPath): void {
  if (extension?.isReadOnly) throw readOnlyProblem(extension.urn)
  if (attribute === undefined) return
  if (isServers(attribute)) throw readOnlyProblem(attribute.name)
  if (sub !== undefined && isServers(sub)) throw readOnlyProblem(`${attribute.name}.${sub.name}`)
}

/** `schemas` follows from the content; a password is never kept. */
function isDropped(attribute: AttributeDefinition): boolean {
  return attribute.name === 'schemas' || attribute.name === 'password'
}

function isMembers(schema: ResourceSchema, attribute: AttributeDefinition): boolean {
  return schema.type === 'Group' && attribute.name === 'members'
}

function isActive({ extension, attribute }: Place): boolean {
  return extension === undefined && attribute.name === 'active'
}

function optional(change: ReturnType<typeof memberChange>): readonly PatchStep[] {
  return change === undefined ? [] : [{ kind: 'members', change }]
}
