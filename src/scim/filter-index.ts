/** Which part of a filter an index of the store answers. */
import type { EqualCondition, IndexedCondition, TimeCondition } from '../store/queries.ts'
import { type Comparison, conjuncts, type Filter, type Target } from './filter-tree.ts'
import { formatInstant, parseInstant } from './instant.ts'

export interface IndexChoice {
  readonly condition: IndexedCondition
  /** The parts of the conjunction that the index leaves to be tested. */
  readonly rest: readonly Filter[]
}

/**
 * Best first. `member` before `id`: `id eq "X" and members eq "Y"`, Entra's reference check, then reads the few groups
 * of Y and never the 50,000 members of X.
 */
const preference: readonly IndexedCondition['attribute'][] = [
  'member',
  'id',
  'userName',
  'externalId',
  'email',
  'displayName',
  'anyOf',
  'prefix',
  'lastModified',
  'created',
  'active',
]

/** What the store's indexes know. */
export interface IndexKnowledge {
  /** Names only as wholes: neither how they begin nor their order. */
  readonly hasSealedNames: boolean
}

export const fullKnowledge: IndexKnowledge = { hasSealedNames: false }

/** Undefined when no index helps, as for every `not`. */
export function chooseIndex(filter: Filter, knowledge: IndexKnowledge = fullKnowledge): IndexChoice | undefined {
  const parts = conjuncts(filter)
  let best: { condition: IndexedCondition; isExact: boolean; part: Filter } | undefined
  for (const part of parts) {
    const found = indexed(part, knowledge)
    if (found === undefined) continue
    if (best === undefined || rank(found.condition) < rank(best.condition)) best = { ...found, part }
  }
  if (best === undefined) return undefined
  const { condition, isExact, part: answered } = best
  return { condition, rest: isExact ? parts.filter((part) => part !== answered) : parts }
}

function rank(condition: IndexedCondition): number {
  return preference.indexOf(condition.attribute)
}

function indexed(
  part: Filter,
  knowledge: IndexKnowledge,
): { condition: IndexedCondition; isExact: boolean } | undefined {
  if (part.kind === 'compare') return indexedComparison(part, part.target, knowledge)
  if (part.kind === 'or') return indexedAlternatives(part.parts, knowledge)
  if (part.kind !== 'some') return undefined
  const inner = conjuncts(part.part)
  const named = (name: string) =>
    inner.find((test) => test.kind === 'compare' && test.operator === 'eq' && test.target.attribute.name === name)
  const byValue = named('value')
  if (byValue?.kind !== 'compare') return undefined
  const found = indexedComparison(byValue, { ...part.target, sub: byValue.target.attribute }, knowledge)
  if (found === undefined) return undefined
  const byType = named('type')
  if (found.condition.attribute !== 'email' || byType?.kind !== 'compare' || !isText(byType.value)) {
    return { ...found, isExact: found.isExact && inner.length === 1 }
  }
  // `emails[type eq "work" and value eq "…"]`
  return { condition: { ...found.condition, type: byType.value }, isExact: inner.length === 2 }
}

/** `userName eq "a" or externalId eq "b"`: when an index finds each of them, it finds them together. */
function indexedAlternatives(
  parts: readonly Filter[],
  knowledge: IndexKnowledge,
): { condition: IndexedCondition; isExact: boolean } | undefined {
  const of: EqualCondition[] = []
  let isExact = true
  for (const part of parts) {
    const choice = chooseIndex(part, knowledge)
    if (choice === undefined) return undefined
    const { condition, rest } = choice
    if (condition.attribute === 'anyOf') of.push(...condition.of)
    else if ('equals' in condition && condition.attribute !== 'active') of.push(condition)
    else return undefined
    if (rest.length > 0 || (condition.attribute === 'email' && condition.type !== undefined)) isExact = false
  }
  return { condition: { attribute: 'anyOf', of }, isExact }
}

/** The store keeps no keys for empty texts and for nothing at all. */
function isText(value: Comparison['value']): value is string {
  return typeof value === 'string' && value !== ''
}

function indexedComparison(
  { operator, value }: Comparison,
  { extension, attribute, sub }: Target,
  { hasSealedNames }: IndexKnowledge,
): { condition: IndexedCondition; isExact: boolean } | undefined {
  if (extension !== undefined) return undefined
  const path = sub === undefined ? attribute.name : `${attribute.name}.${sub.name}`
  if (path === 'active' && operator === 'eq' && typeof value === 'boolean') {
    return { condition: { attribute: 'active', equals: value }, isExact: true }
  }
  if (!isText(value)) return undefined
  if (path === 'meta.lastModified') return indexedTime('lastModified', operator, value)
  if (path === 'meta.created') return indexedTime('created', operator, value)
  if (operator === 'sw') return hasSealedNames && path !== 'id' ? undefined : indexedPrefix(path, value)
  if (operator !== 'eq') return undefined
  switch (path) {
    case 'id':
    case 'userName':
    case 'externalId':
    case 'displayName':
      return { condition: { attribute: path, equals: value }, isExact: true }
    case 'emails.value':
      return { condition: { attribute: 'email', equals: value }, isExact: true }
    case 'members.value':
      return { condition: { attribute: 'member', equals: value }, isExact: true }
    default:
      return undefined
  }
}

function indexedPrefix(
  path: string,
  startsWith: string,
): { condition: IndexedCondition; isExact: boolean } | undefined {
  switch (path) {
    case 'id':
    case 'userName':
    case 'externalId':
    case 'displayName':
      // Half of a surrogate pair would be stored as another character, and nothing is beyond the last one.
      if (!startsWith.isWellFormed() || startsWith.startsWith('\u{10ffff}')) return undefined
      return { condition: { attribute: 'prefix', of: path, startsWith }, isExact: true }
    default:
      return undefined
  }
}

/** The store keeps milliseconds; a time between two of them is moved to the one that leaves the answer the same. */
function indexedTime(
  attribute: TimeCondition['attribute'],
  operator: Comparison['operator'],
  text: string,
): { condition: IndexedCondition; isExact: boolean } | undefined {
  const instant = parseInstant(text)
  if (instant === undefined) return undefined
  const bound = (name: 'ge' | 'gt' | 'le' | 'lt', rounding: 'down' | 'up', isExact = true) => {
    const value = formatInstant(instant, rounding)
    if (value === undefined) return undefined
    return { condition: { attribute, operator: name, value }, isExact }
  }
  switch (operator) {
    case 'ge':
      return bound('ge', 'up')
    case 'gt':
      return bound('gt', 'down')
    case 'le':
      return bound('le', 'down')
    case 'lt':
      return bound('lt', 'up')
    // Narrows the rows; the test finds the equal ones.
    case 'eq':
      return bound('ge', 'up', false)
    default:
      return undefined
  }
}
