/** SCIM paths, as far as mappings need them: one filter (`eq`) or one index, on one multi-valued attribute. */
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import { listed, nearest } from '../yaml/suggest.ts'
import { pathLength } from './bounds.ts'
import type { Path, PathStep, ScimLookup, ValueType } from './mapping.ts'
import {
  computedNames,
  coreUrn,
  type DeclaredNames,
  enterpriseNames,
  enterpriseUrn,
  type ScimName,
  userNames,
} from './scim-names.ts'
import { isNothing } from './values.ts'

/** Prefix (`ent`) → extension URN. */
export type Prefixes = ReadonlyMap<string, string>

/** What stands before the last colon of a path. */
export interface Qualifiers {
  readonly prefixes: Prefixes
  /** Undefined: which connection the mapping is for is not known, and so neither are its extensions. */
  readonly declared?: DeclaredNames | undefined
}

export type ParsedPath = { readonly path: Path } | { readonly problem: string }

const notAPath = 'not a SCIM path (try userName, name.givenName or emails[type eq "work"].value)'
const word = '[A-Za-z$][A-Za-z0-9_$-]*'
const literal = '"(?:[^"\\\\]|\\\\["\\\\])*"|true|false|-?\\d{1,15}'
const grammar = new RegExp(
  `^(?:([A-Za-z][^\\[\\]" ]*):)?(${word})(?:\\[(?:(\\d{1,2})|(${word}) eq (${literal}))\\])?(?:\\.(${word}))?$`,
  'i',
)

/** A path that ends in one simple value. `problem` says what to write instead. */
export function parsePath(text: string, qualifiers: Qualifiers): ParsedPath {
  return parse(text, qualifiers, false)
}

/** A path that may also end in something whole (`emails`, `name`), of which only the presence can be asked. */
export function parseAnyPath(text: string, qualifiers: Qualifiers): ParsedPath {
  return parse(text, qualifiers, true)
}

function parse(text: string, qualifiers: Qualifiers, mayBeWhole: boolean): ParsedPath {
  const parts = text.length > pathLength ? null : grammar.exec(text)
  if (parts === null) return { problem: notAPath }
  const [, qualifier, first = '', index, filterName, filterValue, last] = parts
  const extension = extensionOf(qualifier, qualifiers)
  if ('problem' in extension) return extension
  const { urn, names } = extension
  const known = names?.get(first.toLowerCase())
  if (names !== undefined && known === undefined) return { problem: unknownName(qualifier, first, names) }
  const sub = last === undefined ? undefined : subName(known, last)
  if (last !== undefined && sub === undefined) {
    const parts = known?.sub?.values()
    return { problem: parts === undefined ? notAPath : `not a SCIM path (parts of ${known?.name}: ${listed(parts)})` }
  }
  const hasSelector = index !== undefined || filterName !== undefined
  if (known !== undefined) {
    if (hasSelector && !known.isMultiValued) return { problem: `not a SCIM path (${known.name} has only one value)` }
    if (!mayBeWhole && known.isMultiValued && !hasSelector) {
      const one = known.sub === undefined ? `${text}[0]` : `${known.name}[primary eq true].value`
      return { problem: `not a SCIM path (say which of the ${known.name}, as in ${one})` }
    }
    if (!mayBeWhole && known.sub !== undefined && sub === undefined) {
      const some = known.sub.keys().next().value ?? 'value'
      return { problem: `not a SCIM path (say which part, as in ${text}.${known.sub.get(some) ?? some})` }
    }
  }
  const steps: PathStep[] = []
  if (urn !== undefined) steps.push(named(urn))
  steps.push(named(known?.name ?? first))
  if (index !== undefined) steps.push({ kind: 'index', index: Number(index) })
  if (filterName !== undefined && filterValue !== undefined) {
    const name = subName(known, filterName)
    if (name === undefined) return { problem: notAPath }
    const equals = literalValue(filterValue)
    const wrong = known && neverEqual(name, name === 'primary' ? 'boolean' : 'string', equals)
    if (wrong !== undefined) return { problem: `not a SCIM path (${wrong})` }
    steps.push({ kind: 'filter', name, key: name.toLowerCase(), equals })
  }
  if (sub !== undefined) steps.push(named(sub))
  return { path: { text, steps, type: typeOf(known, sub) } }
}

/** Undefined for something whole, and where the schema is not known. */
function typeOf(known: ScimName | undefined, sub: string | undefined): ValueType | undefined {
  if (known === undefined || (known.sub !== undefined && sub === undefined)) return undefined
  return sub === 'primary' ? 'boolean' : known.type
}

function named(name: string): PathStep {
  return { kind: 'name', name, key: name.toLowerCase() }
}

function extensionOf(
  qualifier: string | undefined,
  { prefixes, declared }: Qualifiers,
): { urn: string | undefined; names: ReadonlyMap<string, ScimName> | undefined } | { problem: string } {
  if (qualifier === undefined) return { urn: undefined, names: userNames }
  const urn = qualifier.toLowerCase().startsWith('urn:') ? qualifier : prefixes.get(qualifier)
  if (urn === undefined) {
    const near = nearest(qualifier, prefixes.keys())
    const hint = near === undefined ? `have ${listed(prefixes.keys())}` : `did you mean ${near}?`
    return { problem: `no prefix named '${qualifier}' (${hint}): declare it under prefixes` }
  }
  if (urn.toLowerCase() === coreUrn.toLowerCase()) return { urn: undefined, names: userNames }
  if (urn.toLowerCase() === enterpriseUrn.toLowerCase()) return { urn: enterpriseUrn, names: enterpriseNames }
  if (declared === undefined) return { urn, names: undefined }
  const names = declared.get(urn.toLowerCase())
  // Undeclared, the bridge leaves it out of what it is sent: the rule would never find a value.
  return names === undefined
    ? { problem: `the connection declares no extension ${urn}: add it to its extensions` }
    : { urn, names }
}

function unknownName(qualifier: string | undefined, name: string, names: ReadonlyMap<string, ScimName>): string {
  const instead = names === userNames ? computedNames.get(name.toLowerCase()) : undefined
  if (instead !== undefined) return `not a SCIM path (${instead})`
  const near = nearest(name, names.keys())
  if (near === undefined)
    return qualifier === undefined ? notAPath : `not a SCIM path (${qualifier} has ${namesOf(names)})`
  const canonical = names.get(near)?.name ?? near
  return `not a SCIM path (did you mean ${qualifier === undefined ? canonical : `${qualifier}:${canonical}`}?)`
}

function namesOf(names: ReadonlyMap<string, ScimName>): string {
  return listed([...names.values()].map(({ name }) => name))
}

/**
 * What no value of the attribute can be equal to never holds, and what is missing then can clear the account's: Entra's own
 * tables write `[primary eq "True"]`, and YAML takes `yes` for a text and 4711 for a number.
 */
export function neverEqual(attribute: string, type: ValueType, value: Json): string | undefined {
  if (typeof value === type) return undefined
  if (type === 'string') return `${attribute} is a text: put the value in quotes`
  return `${attribute} is ${type === 'boolean' ? 'true or false' : 'a number'}, without quotes`
}

/** Undefined when the schema is known and has no such sub-attribute. */
function subName(known: ScimName | undefined, name: string): string | undefined {
  return known === undefined ? name : known.sub?.get(name.toLowerCase())
}

function literalValue(text: string): string | number | boolean {
  if (text.startsWith('"')) return text.slice(1, -1).replace(/\\(["\\])/g, '$1')
  if (/^true$/i.test(text)) return true
  if (/^false$/i.test(text)) return false
  return Number(text)
}

/**
 * Reads paths of one resource. Names are compared without case, through Maps that are made once for each object of the
 * resource, so that a name can reach nothing but the resource's own properties.
 */
export function lookupIn(scim: JsonObject): ScimLookup {
  const indexes = new Map<JsonObject, Map<string, Json>>()
  const propertyOf = (object: JsonObject, key: string): Json | undefined => {
    let index = indexes.get(object)
    if (index === undefined) {
      index = new Map()
      for (const [name, value] of Object.entries(object)) {
        const lower = name.toLowerCase()
        if (!index.has(lower)) index.set(lower, value)
      }
      indexes.set(object, index)
    }
    return index.get(key)
  }
  const follow = (start: Json, steps: readonly PathStep[], from: number): Json | undefined => {
    let value: Json | undefined = start
    for (let position = from; position < steps.length; position++) {
      const step = steps[position]
      if (step === undefined || value === undefined) return undefined
      if (step.kind === 'name') value = isJsonObject(value) ? propertyOf(value, step.key) : undefined
      else if (step.kind === 'index') value = Array.isArray(value) ? value[step.index] : undefined
      else return firstMatch(value, step, steps, position + 1)
    }
    return value === undefined || isNothing(value) ? undefined : value
  }
  /** The first element that matches *and* has the value asked for: an element can be there without one. */
  const firstMatch = (
    value: Json,
    filter: PathStep & { kind: 'filter' },
    steps: readonly PathStep[],
    next: number,
  ): Json | undefined => {
    if (!Array.isArray(value)) return undefined
    for (const element of value) {
      if (!isJsonObject(element)) continue
      const compared = propertyOf(element, filter.key)
      if (compared === undefined || !isSame(compared, filter.equals)) continue
      const found = follow(element, steps, next)
      if (found !== undefined) return found
    }
    return undefined
  }
  return (path) => follow(scim, path.steps, 0)
}

/** RFC 7643 §2.4: `type` and the like are compared without case. */
function isSame(value: Json, equals: string | number | boolean): boolean {
  if (typeof value === 'string' && typeof equals === 'string') return value.toLowerCase() === equals.toLowerCase()
  return value === equals
}

/** Puts a value into a resource that is being built, making what is missing on the way; a place already taken stays. */
export function writePath(scim: JsonObject, path: Path, value: Json): void {
  let place: Json = scim
  for (const [position, step] of path.steps.entries()) {
    const next = path.steps[position + 1]
    const isLast = next === undefined
    const fresh = (): Json => (isLast ? value : next.kind === 'name' ? {} : [])
    if (step.kind === 'name') {
      if (!isJsonObject(place)) return
      if (!Object.hasOwn(place, step.name)) place[step.name] = fresh()
      place = place[step.name] ?? null
      continue
    }
    if (!Array.isArray(place)) return
    place = step.kind === 'index' ? elementAt(place, step.index, fresh) : elementWith(place, step, fresh)
  }
}

function elementAt(list: Json[], index: number, fresh: () => Json): Json {
  const existing = list[index]
  if (existing !== undefined) return existing
  // A list has no holes: with no third value there is no fourth.
  const element = fresh()
  list.push(element)
  return element
}

function elementWith(list: Json[], filter: PathStep & { kind: 'filter' }, fresh: () => Json): Json {
  for (const element of list) {
    if (!isJsonObject(element)) continue
    const compared = Object.hasOwn(element, filter.name) ? element[filter.name] : undefined
    if (compared !== undefined && isSame(compared, filter.equals)) return element
  }
  const element = fresh()
  if (isJsonObject(element)) element[filter.name] = filter.equals
  list.push(element)
  return element
}
