/** The two directions of a mapping, as pure functions of a resource or an account. None throws on data. */
import type { Account, Attributes, Grant, PlatformFacts } from '../facts.ts'
import type { Json, JsonObject } from '../json.ts'
import { groupNameKey } from './grants.ts'
import type { Comparison, Mapping, ProtectTest, Refusal, Rule, Wanted } from './mapping.ts'
import { lookupIn, writePath } from './paths.ts'
import { applyRule, missingAtCreation, refusalOf } from './rule-value.ts'
import { factOf, isEqual, isNothing } from './values.ts'

/**
 * What a SCIM User asks for, in platform terms. What cannot be expressed is collected as refusals.
 * @param options.activeDefault the state when the resource says nothing: `true` for a new one, the state as it is for a PUT.
 */
export function toPlatform(
  mapping: Mapping,
  facts: PlatformFacts,
  scim: JsonObject,
  options: { readonly activeDefault: boolean },
): Wanted {
  const lookup = lookupIn(scim)
  const attributes = new Map<string, Json>()
  const refusals: Refusal[] = []
  const createRefusals: Refusal[] = []
  for (const rule of mapping.rules.values()) {
    const { value, refusal, isUnfit, isMissing } = applyRule(rule, facts.platform, lookup)
    const use = isUnfit && !isSearchedBy(mapping, facts, rule.attribute) ? rule.write : 'always'
    if (refusal !== undefined) {
      if (use === 'create') createRefusals.push(refusal)
      else if (use !== 'never') refusals.push(refusal)
    } else if (value !== undefined) attributes.set(rule.attribute, value)
    else if (isMissing) createRefusals.push(missingAtCreation(rule))
  }
  const active = typeof scim.active === 'boolean' ? scim.active : options.activeDefault
  for (const [name, value] of statusFor(mapping, active)) attributes.set(name, value)
  return { attributes, active, refusals, createRefusals }
}

/** Needed whether or not it is written: without it another account would be taken for the person's, or none. */
function isSearchedBy({ match, distinct }: Mapping, facts: PlatformFacts, attribute: string): boolean {
  const names = [...match, ...distinct]
  return names.some((name) => name === attribute || factOf(facts, name)?.companion === attribute)
}

/** What a create sends: everything wanted except what the mapping only reads. */
export function createAttributes(mapping: Mapping, wanted: Wanted): Attributes {
  return new Map([...wanted.attributes].filter(([name]) => mapping.rules.get(name)?.write !== 'never'))
}

/**
 * The difference between what is wanted and an account as read. An attribute that was refused by `toPlatform` is left
 * alone: it is neither changed nor cleared.
 */
export function compare(mapping: Mapping, facts: PlatformFacts, wanted: Wanted, account: Attributes): Comparison {
  const changes = new Map<string, Json>()
  const drift: string[] = []
  const refusals: Refusal[] = []
  if (isActive(mapping, account) !== wanted.active) {
    const status = [...statusFor(mapping, wanted.active)]
    const different = status.filter(([name, value]) => !hasValue(account, name, value, facts))
    for (const [name, value] of different.length === 0 ? status : different) changes.set(name, value)
  }
  const refused = new Set(wanted.refusals.map((refusal) => refusal.attribute))
  for (const rule of mapping.rules.values()) {
    if (refused.has(rule.attribute)) continue
    const difference = differenceOf(rule, wanted.attributes.get(rule.attribute), account.get(rule.attribute))
    if (difference === undefined) continue
    if (difference.does === 'write') changes.set(rule.attribute, difference.value)
    else if (difference.does === 'keep') drift.push(rule.attribute)
    else refusals.push(refusalOf(rule, 'mutability', cannotChange(rule, facts), undefined))
  }
  return { changes, drift, refusals }
}

type Difference = { readonly does: 'write'; readonly value: Json } | { readonly does: 'keep' | 'refuse' }

function differenceOf(rule: Rule, wanted: Json | undefined, held: Json | undefined): Difference | undefined {
  if (rule.write === 'create' || rule.write === 'never') return undefined
  const isHeld = held !== undefined && !isNothing(held)
  if (wanted === undefined) {
    if (!isHeld || rule.empty === 'keep' || rule.write === 'if_empty') return undefined
    return rule.onChange === 'apply' ? { does: 'write', value: null } : { does: rule.onChange }
  }
  if (isHeld && isEqual(wanted, held, rule.fact.caseExact !== false)) return undefined
  if (isHeld && rule.write === 'if_empty') return undefined
  // Giving a value to an account that has none changes nothing that is there: a half-made account is completed so.
  const canBeAdded = !isHeld && (rule.fact.addable ?? rule.fact.write === 'always')
  if (canBeAdded || rule.onChange === 'apply') return { does: 'write', value: wanted }
  return { does: rule.onChange }
}

function cannotChange(rule: Rule, facts: PlatformFacts): string {
  return rule.fact.write === 'create'
    ? `${facts.platform} cannot change it after creation`
    : 'this mapping does not change it after creation'
}

function statusFor(mapping: Mapping, active: boolean): Attributes {
  return active ? mapping.lifecycle.reactivate : mapping.lifecycle.deactivate
}

function hasValue(account: Attributes, name: string, value: Json, facts: PlatformFacts): boolean {
  const held = account.get(name)
  return held !== undefined && isEqual(held, value, factOf(facts, name)?.caseExact !== false)
}

/** Whether an account as read is on, in the words of `lifecycle`. */
export function isActive(mapping: Mapping, attributes: Account['attributes']): boolean {
  const { activeWhen, deactivate } = mapping.lifecycle
  if (activeWhen !== undefined) {
    return [...activeWhen].every(([name, values]) => {
      const held = attributes.get(name)
      return held !== undefined && values.some((value) => isEqual(held, value, true))
    })
  }
  return ![...deactivate].every(([name, value]) => isEqual(attributes.get(name) ?? null, value, true))
}

/** Why the mapping forbids to touch this account; undefined when it does not. Attribute names, never values. */
export function protectedBecause(mapping: Mapping, attributes: Attributes): string | undefined {
  const hit = mapping.protect.find((test) => isProtectedBy(test, attributes.get(test.attribute)))
  return hit && `user.protect: ${hit.attribute}`
}

/** Without letter case on every platform: an account that is protected by mistake is a smaller harm than the reverse. */
function isProtectedBy(test: ProtectTest, held: Json | undefined): boolean {
  if (test.kind === 'present') return isNothing(held) !== test.value
  if (held === undefined || isNothing(held)) return false
  const values = Array.isArray(held) ? held : [held]
  const wanted = Array.isArray(test.value) ? test.value : [test.value]
  return values.some((value) => wanted.some((one) => fits(test.kind, value, one)))
}

function fits(kind: ProtectTest['kind'], value: Json, wanted: Json): boolean {
  if (kind === 'equals' || kind === 'one_of') return isEqual(value, wanted, false)
  if (typeof value !== 'string' || typeof wanted !== 'string') return isEqual(value, wanted, false)
  const [text, part] = [value.toLowerCase(), wanted.toLowerCase()]
  if (kind === 'starts_with') return text.startsWith(part)
  return kind === 'ends_with' ? text.endsWith(part) : text.includes(part)
}

/** A SCIM User out of an account as read; attributes whose value the rules cannot give are left out (see `readAccount`). */
export function toScim(mapping: Mapping, _facts: PlatformFacts, attributes: Attributes): JsonObject {
  return readAccount(mapping, attributes).scim
}

/** As `toScim`, and the attributes whose value no SCIM value would give: reported, not guessed. */
export function readAccount(
  mapping: Mapping,
  attributes: Attributes,
): { readonly scim: JsonObject; readonly unreadable: readonly string[] } {
  const scim: JsonObject = {}
  const unreadable: string[] = []
  for (const rule of mapping.rules.values()) {
    const held = attributes.get(rule.attribute)
    if (rule.read.length === 0 || held === undefined || isNothing(held)) continue
    const value = readBack(rule, held)
    if (value === undefined) {
      // The default stands for "no value", so that is how it is read.
      if (rule.default === undefined || !isEqual(held, rule.default, rule.fact.caseExact !== false)) {
        unreadable.push(rule.attribute)
      }
      continue
    }
    for (const path of rule.read) writePath(scim, path, value)
  }
  scim.active = isActive(mapping, attributes)
  return { scim, unreadable }
}

function readBack(rule: Rule, held: Json): Json | undefined {
  let value: Json | undefined = held
  if (rule.table !== undefined) {
    value = rule.table.inverse?.get(held) ?? (rule.table.unknown === 'pass' ? held : undefined)
  }
  for (const transform of rule.transforms.toReversed()) {
    if (value === undefined) return undefined
    value = transform.back?.(value)
  }
  return value
}

export interface NamedGroup {
  readonly displayName: string
  readonly externalId?: string
}

/**
 * What membership in these groups gives: each grant once, in the order of the file. Of grants of which an account has one
 * at a time, only the first of the file: somebody in two faculties belongs to the one that the file names first.
 */
export function grantsOf(mapping: Mapping, groups: readonly NamedGroup[]): Grant[] {
  const wanted = new Set<Grant>()
  for (const group of groups) for (const grant of grantsOfGroup(mapping, group)) wanted.add(grant)
  const { listed, exclusive } = mapping.groups
  const place = (grant: Grant) => listed.get(grant) ?? 0
  const sorted = [...wanted].sort((a, b) => place(a) - place(b))
  const first = sorted.find((grant) => exclusive.has(grant))
  return sorted.filter((grant) => grant === first || !exclusive.has(grant))
}

/** The groups that no line of `groups.grants` names; with `unmatched: refuse` they are 400 `invalidValue`. */
export function unmatchedGroups<Group extends NamedGroup>(mapping: Mapping, groups: readonly Group[]): Group[] {
  if (mapping.groups.as !== 'grants') return []
  return groups.filter((group) => grantsOfGroup(mapping, group).length === 0)
}

function grantsOfGroup(mapping: Mapping, group: NamedGroup): readonly Grant[] {
  const name = mapping.groups.match === 'externalId' ? group.externalId : group.displayName
  return (name === undefined ? undefined : mapping.groups.grants.get(groupNameKey(name))) ?? []
}
