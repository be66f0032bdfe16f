/** Tree → a condition for the store's indexes and a test for what they leave open (RFC 7644 §3.4.2.2). */
import type { Json, JsonObject } from '../json.ts'
import type { IndexedCondition } from '../store/queries.ts'
import type { ResourceSchema } from './attribute.ts'
import { asParts, isPresent, valuesOf } from './document-values.ts'
import { chooseIndex, fullKnowledge, type IndexKnowledge } from './filter-index.ts'
import { type Comparison, definitionOf, type Filter, type Operator, type Target } from './filter-tree.ts'
import { fold } from './fold.ts'
import { parseInstant } from './instant.ts'

export interface CompiledFilter {
  /** What the store is asked; without it every resource of the type has to be tested. */
  readonly index: IndexedCondition | undefined
  /** The index alone answers the filter: nothing is left to test. */
  readonly indexIsExact: boolean
  /** What `test` looks at and the stored document does not hold: put it into the document before the test. */
  readonly needs: { readonly groups: boolean; readonly members: boolean }
  /** For the resources that the index found: whether they pass the rest of the filter. The document has `id` and `meta`. */
  test(document: JsonObject): boolean
}

export function compileFilter(
  filter: Filter,
  schema: ResourceSchema,
  knowledge: IndexKnowledge = fullKnowledge,
): CompiledFilter {
  const choice = chooseIndex(filter, knowledge)
  const rest = choice === undefined ? [filter] : choice.rest
  const tests = rest.map(compileTest)
  return {
    index: choice?.condition,
    indexIsExact: rest.length === 0,
    needs: {
      groups: schema.type === 'User' && rest.some((part) => looksAt(part, 'groups')),
      members: schema.type === 'Group' && rest.some((part) => looksAt(part, 'members')),
    },
    test: (document) => tests.every((test) => test(document)),
  }
}

/** The whole filter as a test of one document, indexes aside. An unassigned attribute compares like null. */
export function compileTest(filter: Filter): (document: JsonObject) => boolean {
  switch (filter.kind) {
    case 'and': {
      const tests = filter.parts.map(compileTest)
      return (document) => tests.every((test) => test(document))
    }
    case 'or': {
      const tests = filter.parts.map(compileTest)
      return (document) => tests.some((test) => test(document))
    }
    case 'not': {
      const test = compileTest(filter.part)
      return (document) => !test(document)
    }
    case 'some': {
      const test = compileValueTest(filter.part)
      return (document) => valuesOf(document, filter.target).some(test)
    }
    case 'present':
      return (document) => valuesOf(document, filter.target).some(isPresent)
    case 'compare': {
      const matches = compileComparison(filter)
      return (document) => {
        const values = valuesOf(document, filter.target)
        return values.length === 0 ? matches(null) : values.some(matches)
      }
    }
  }
}

/** A filter from `parseValueFilter` as a test of one value of the attribute. */
export function compileValueTest(filter: Filter): (value: Json) => boolean {
  const test = compileTest(filter)
  return (value) => test(asParts(value))
}

function compileComparison({ operator, target, value: wanted }: Comparison): (value: Json) => boolean {
  if (operator === 'ne') {
    const equals = compileComparison({ kind: 'compare', operator: 'eq', target, value: wanted })
    return (value) => !equals(value)
  }
  if (typeof wanted !== 'string') {
    return (value) => typeof value === typeof wanted && compare(operator, value, wanted)
  }
  const definition = definitionOf(target)
  if (definition.type === 'dateTime') {
    const instant = parseInstant(wanted)
    return (value) => {
      const stored = typeof value === 'string' ? parseInstant(value) : undefined
      return stored !== undefined && instant !== undefined && compare(operator, stored, instant)
    }
  }
  if (definition.caseExact) return (value) => typeof value === 'string' && compareTexts(operator, value, wanted)
  const folded = fold(wanted)
  return (value) => typeof value === 'string' && compareTexts(operator, fold(value), folded)
}

function compareTexts(operator: Operator, text: string, wanted: string): boolean {
  switch (operator) {
    case 'co':
      return text.includes(wanted)
    case 'sw':
      return text.startsWith(wanted)
    case 'ew':
      return text.endsWith(wanted)
    default:
      return compare(operator, text, wanted)
  }
}

/** Both are of one type; null and booleans reach only `eq`. */
function compare<T extends Json | bigint>(operator: Operator, value: T, wanted: T): boolean {
  if (operator === 'eq') return value === wanted
  if (value === null || wanted === null) return false
  switch (operator) {
    case 'gt':
      return value > wanted
    case 'ge':
      return value >= wanted
    case 'lt':
      return value < wanted
    case 'le':
      return value <= wanted
    default:
      return false
  }
}

function looksAt(filter: Filter, name: string): boolean {
  const isIt = ({ extension, attribute }: Target) => extension === undefined && attribute.name === name
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.parts.some((part) => looksAt(part, name))
    case 'not':
      return looksAt(filter.part, name)
    default:
      return isIt(filter.target)
  }
}
