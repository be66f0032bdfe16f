/** Steps of a PATCH on the values of one document. Values are replaced, never changed in place. */
import { Problem } from '../errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { patchComparisons } from '../limits.ts'
import type { AttributeDefinition } from './attribute.ts'
import { twoPrimaries } from './bad-value.ts'
import type { Assigned } from './canonical.ts'
import { compileValueTest } from './filter-compile.ts'
import { comparisonsIn, conjuncts, type Filter } from './filter-tree.ts'
import { isSameElement, keepNewPrimary, mergeInto } from './multi-value.ts'
import type { PatchStep, Place } from './patch-step.ts'
import { isSameValue } from './same-document.ts'
import { composeParts, isServers, type Parts } from './value.ts'

/** What one PATCH works on. */
export interface PatchWork {
  readonly assigned: Assigned
  readonly strict: boolean
  /** Lists that may hold a value twice now. */
  readonly touched: Map<AttributeDefinition, Place>
  /** Comparisons with values of lists so far. */
  walked: number
}

type DocumentStep = Exclude<PatchStep, { readonly kind: 'members' | 'unchanged' }>
type ListStep = Extract<PatchStep, { readonly kind: 'list' | 'each' | 'removeWhere' | 'removeNamed' }>

/** Throws `Problem` 400 `noTarget`, `invalidValue` or `tooMany`. */
export function applyStep(work: PatchWork, step: DocumentStep): void {
  if (step.kind === 'removeExtension') work.assigned.delete(step.extension)
  else if (step.kind === 'set') put(work, step.place, step.value)
  else if (step.kind === 'clear') put(work, step.place, undefined)
  else if (step.kind === 'merge') {
    put(work, step.place, mergeParts(step.place.attribute, read(work, step.place), step.parts))
  } else putList(work, step.place, listAfter(work, step))
}

function listAfter(work: PatchWork, step: ListStep): readonly Json[] {
  const value = read(work, step.place)
  const values = Array.isArray(value) ? value : []
  countWalk(work, step, values.length)
  switch (step.kind) {
    case 'list':
      return step.isAdd ? added(step.place.attribute, values, step.values) : step.values
    case 'each':
      return changeEach(values, step, work.strict)
    case 'removeWhere': {
      const passes = compileValueTest(step.filter)
      return values.filter((value) => !passes(value))
    }
    case 'removeNamed': {
      const isNamed = namedTest(step.values)
      return values.filter((value) => !isNamed(value))
    }
  }
}

function changeEach(
  old: readonly Json[],
  { place, filter, isWhole, parts }: Extract<PatchStep, { kind: 'each' }>,
  strict: boolean,
): readonly Json[] {
  const { attribute } = place
  const passes = filter === undefined ? () => true : compileValueTest(filter)
  const kept = strict ? undefined : equalities(filter)
  const changed = new Set<Json>()
  let isHit = false
  const values = old.flatMap((value) => {
    if (!passes(value)) return [value]
    isHit = true
    const next = isWhole
      ? compose(attribute, new Map([...(kept ?? []), ...parts]))
      : mergeParts(attribute, value, parts)
    if (next !== undefined) changed.add(next)
    return next === undefined ? [] : [next]
  })
  const created = isHit ? undefined : create(attribute, filter, parts, strict)
  if (created !== undefined) {
    changed.add(created)
    values.push(created)
  }
  return keepNewPrimary(values, (value) => changed.has(value))
}

/**
 * Entra adds and replaces `emails[type eq "work"].value` of people without an e-mail address. RFC 7644 §3.5.2.3 wants
 * `noTarget`; a filter of plain `eq` tells what the new value has to be like, others do not.
 */
function create(
  attribute: AttributeDefinition,
  filter: Filter | undefined,
  parts: Parts,
  strict: boolean,
): JsonObject | undefined {
  const isClearing = [...parts.values()].every((value) => value === undefined)
  if (isClearing) return undefined
  const wanted = equalities(filter)
  if (wanted === undefined || (strict && filter !== undefined)) {
    throw new Problem(
      400,
      'noTarget',
      `${attribute.name} has no value that fits the filter of the path; add one first.`,
    )
  }
  return composeParts(attribute, new Map([...wanted, ...parts]))
}

/** What a filter of one `eq`, or several joined by `and`, says of a value that passes it. */
function equalities(filter: Filter | undefined): Parts | undefined {
  const known: Parts = new Map()
  for (const part of filter === undefined ? [] : conjuncts(filter)) {
    if (part.kind !== 'compare' || part.operator !== 'eq' || part.value === null) return undefined
    const { attribute } = part.target
    if (isServers(attribute) || (known.has(attribute) && known.get(attribute) !== part.value)) return undefined
    known.set(attribute, part.value)
  }
  return known
}

/** Undefined when nothing of the value is left. */
function mergeParts(attribute: AttributeDefinition, before: Json | undefined, parts: Parts): JsonObject | undefined {
  const merged: Parts = new Map()
  const old = new Map(isJsonObject(before) ? Object.entries(before) : [])
  for (const sub of attribute.sub?.values() ?? []) merged.set(sub, parts.has(sub) ? parts.get(sub) : old.get(sub.name))
  return compose(attribute, merged, parts)
}

/** Without its `value` the rest only says what kind of value there was: a manager, an e-mail address is gone with it. */
function compose(attribute: AttributeDefinition, wanted: Parts, changed = wanted): JsonObject | undefined {
  const composed = composeParts(attribute, wanted)
  const value = attribute.sub?.get('value')
  const isValueGone = value !== undefined && changed.has(value) && changed.get(value) === undefined
  const isNothing = isValueGone
    ? Object.keys(composed).every((name) => labels.has(name))
    : Object.keys(composed).length === 0
  return isNothing ? undefined : composed
}

const labels = new Set(['type', 'primary', 'display', 'displayName', '$ref'])

function added(attribute: AttributeDefinition, old: readonly Json[], values: readonly Json[]): readonly Json[] {
  const primaries = values.filter((value) => isJsonObject(value) && value.primary === true)
  if (primaries.length > 1) throw twoPrimaries(attribute.name)
  const [primary] = primaries
  const merged = mergeInto(old, values)
  return primary === undefined ? merged : keepNewPrimary(merged, (value) => isSameElement(value, primary))
}

/** Named by `value`, and by `type` where that is given; a value without `value` by all that is given. */
function namedTest(named: readonly Json[]): (value: Json) => boolean {
  const byValue = Map.groupBy(named, keyOf)
  return (value) => byValue.get(keyOf(value))?.some((one) => isNamedBy(value, one)) === true
}

function keyOf(value: Json): Json {
  return isJsonObject(value) ? (value.value ?? null) : value
}

function isNamedBy(value: Json, named: Json): boolean {
  if (!isJsonObject(value) || !isJsonObject(named)) return value === named
  if (named.value !== undefined) return named.type === undefined || named.type === value.type
  const own = new Map(Object.entries(value))
  return Object.entries(named).every(([name, part]) => isSameValue(own.get(name), part))
}

function read({ assigned }: PatchWork, { extension, attribute }: Place): Json | undefined {
  return assigned.get(extension)?.get(attribute)
}

/** Filters of 100 comparisons on 1,000 values in 1,000 operations would stop the process for seconds. */
function countWalk(work: PatchWork, step: ListStep, values: number): void {
  work.walked += values * Math.max(1, comparisonsOf(step))
  if (work.walked <= patchComparisons) return
  const { name } = step.place.attribute
  throw new Problem(400, 'tooMany', `${name}: this PATCH walks over too many values; send several requests.`)
}

/** How many comparisons one value of the list may cost. */
function comparisonsOf(step: ListStep): number {
  if (step.kind === 'list') return 1
  // Only values without `value` are compared with each other, one by one.
  if (step.kind === 'removeNamed') return step.values.filter((named) => keyOf(named) === null).length
  return step.filter === undefined ? 1 : comparisonsIn(step.filter)
}

function put({ assigned }: PatchWork, { extension, attribute }: Place, value: Json | undefined): void {
  const values = assigned.get(extension) ?? new Map<AttributeDefinition, Json>()
  assigned.set(extension, values)
  if (value === undefined) values.delete(attribute)
  else values.set(attribute, value)
}

function putList(work: PatchWork, place: Place, values: readonly Json[]): void {
  work.touched.set(place.attribute, place)
  put(work, place, values.length === 0 ? undefined : [...values])
}
