/** PATCH (RFC 7644 §3.5.2): parse once, apply to the stored document as often as another request was faster. */
import { Problem } from '../errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { patchMembers } from '../limits.ts'
import type { MemberChange } from '../provision/member-change.ts'
import type { AttributeDefinition, ResourceSchema } from './attribute.ts'
import { readOnlyProblem } from './bad-value.ts'
import { type Assigned, composeDocument, decomposeDocument } from './canonical.ts'
import { byLowerCaseKey, isUnassigned } from './client-keys.ts'
import { mergeDuplicates } from './multi-value.ts'
import { applyStep, type PatchWork } from './patch-apply.ts'
import { readOperations } from './patch-message.ts'
import { stepsOf } from './patch-operation.ts'
import type { PatchStep } from './patch-step.ts'
import { isSameDocument, isSameValue } from './same-document.ts'
import { validateDocument } from './validate.ts'

export interface PatchRequest {
  readonly steps: readonly PatchStep[]
}

export interface PatchOptions {
  /** RFC 7644 to the letter, instead of what Entra means. */
  readonly strict: boolean
  /** Of the resource; a value that carries another one is refused. */
  readonly id: string
  /** The resource's `meta` and `groups` as they are answered, where the caller has them: what a value may repeat. */
  readonly readOnly?: JsonObject
}

export interface PatchResult {
  /** Canonical, and valid as a whole. It shares values with the document that it came from. */
  readonly document: JsonObject
  /** Whether the document differs; says nothing about members. */
  readonly changed: boolean
  /** As this patch set it explicitly; the last one wins. */
  readonly active: boolean | undefined
  /** Of a Group, in order. */
  readonly memberChanges: readonly MemberChange[]
}

/** Throws `Problem` 400: `invalidSyntax`, `invalidPath`, `invalidFilter`, `invalidValue`, `mutability`, `noTarget`, `tooMany`. */
export function parsePatch(
  schema: ResourceSchema,
  body: JsonObject,
  options: { readonly strict: boolean },
): PatchRequest {
  const spent = { characters: 0 }
  const steps = readOperations(body).flatMap((operation) => stepsOf(schema, operation, { ...options, spent }))
  let members = 0
  for (const step of steps) if (step.kind === 'members' && 'ids' in step.change) members += step.change.ids.length
  if (members > patchMembers) {
    throw new Problem(400, 'tooMany', `members: more than ${patchMembers} in one PATCH; send several requests.`)
  }
  return { steps }
}

/** All or nothing: throws a `Problem` 400 and leaves `document` as it is, or answers the whole new document. */
export function applyPatch(
  schema: ResourceSchema,
  document: JsonObject,
  patch: PatchRequest,
  options: PatchOptions,
): PatchResult {
  const { assigned, unknown } = decomposeDocument(schema, document)
  const work: PatchWork = { assigned, strict: options.strict, touched: new Map(), walked: 0 }
  const memberChanges: MemberChange[] = []
  let active: boolean | undefined
  for (const step of patch.steps) {
    if (step.kind === 'members') memberChanges.push(step.change)
    else if (step.kind === 'unchanged') checkUnchanged(schema, step.attribute, step.value, options)
    else if (!keepsOff(step, assigned)) applyStep(work, step)
    if (step.kind === 'set' && isActive(step) && typeof step.value === 'boolean') active = step.value
    if (step.kind === 'clear' && isActive(step) && active === true) active = undefined
  }
  for (const { extension, attribute } of work.touched.values()) {
    const values = assigned.get(extension)?.get(attribute)
    if (Array.isArray(values)) assigned.get(extension)?.set(attribute, mergeDuplicates(values))
  }
  const patched = composeDocument(schema, assigned, unknown)
  validateDocument(schema, patched)
  return { document: patched, changed: !isSameDocument(document, patched), active, memberChanges }
}

/** Without `active` a user counts as on: who is off stays so, and only an explicit `true` changes it. */
function keepsOff(step: PatchStep, assigned: Assigned): boolean {
  if (step.kind !== 'clear' || !isActive(step)) return false
  return assigned.get(step.place.extension)?.get(step.place.attribute) === false
}

function isActive({ place }: Extract<PatchStep, { kind: 'set' | 'clear' }>): boolean {
  return place.extension === undefined && place.attribute.name === 'active'
}

/** Okta puts the id of a group into the value that renames it; authentik repeats `schemas` and more. */
function checkUnchanged(
  schema: ResourceSchema,
  attribute: AttributeDefinition,
  value: Json,
  { id, readOnly }: PatchOptions,
): void {
  if (isUnassigned(value)) return
  const current = new Map(Object.entries({ meta: { resourceType: schema.type }, ...readOnly, id })).get(attribute.name)
  if (isSameValue(value, current)) return
  if (!isJsonObject(value) || !isJsonObject(current)) throw readOnlyProblem(attribute.name)
  const known = byLowerCaseKey(current)
  for (const [name, part] of byLowerCaseKey(value)) {
    // Without the resource's own `meta` only its type can be compared.
    const isUnknown = readOnly === undefined && !known.has(name)
    if (!isUnknown && !isSameValue(part, known.get(name))) throw readOnlyProblem(attribute.name)
  }
}
