/**
 * A parsed filter (RFC 7644 §3.4.2.2). Its names are resolved, its values fit their attributes, and lists of `and` and
 * `or` never contain a list of their own kind. Inside `[…]` the targets name parts of one value.
 */
import type { AttributeDefinition, ExtensionSchema } from './attribute.ts'

export type Operator = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le'

/** What a test looks at. For a complex attribute without a named part, `sub` is its `value` (except for `pr`). */
export interface Target {
  readonly extension: ExtensionSchema | undefined
  readonly attribute: AttributeDefinition
  readonly sub: AttributeDefinition | undefined
}

export interface Comparison {
  readonly kind: 'compare'
  readonly operator: Operator
  readonly target: Target
  /** Of the attribute's type: a quoted boolean or number has become one. Times stay text. */
  readonly value: string | number | boolean | null
}

export type Filter =
  | Comparison
  | { readonly kind: 'present'; readonly target: Target }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter }
  /** `emails[…]`: one and the same value passes `part`. */
  | { readonly kind: 'some'; readonly target: Target; readonly part: Filter }

/** The name of a simple multi-valued attribute's values inside `[…]` (RFC 7643 §2.4). */
export const implicitName = 'value'

/** The parts of a conjunction; a filter that is none is its own only part. */
export function conjuncts(filter: Filter): readonly Filter[] {
  return filter.kind === 'and' ? filter.parts : [filter]
}

/** How many tests of one value the filter may cost. */
export function comparisonsIn(filter: Filter): number {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.parts.reduce((sum, part) => sum + comparisonsIn(part), 0)
    case 'not':
    case 'some':
      return comparisonsIn(filter.part)
    default:
      return 1
  }
}

/** The definition that a test's value belongs to. */
export function definitionOf(target: Target): AttributeDefinition {
  return target.sub ?? target.attribute
}

/** The filter as text that parses to the same tree, whatever way the client wrote it. */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'compare':
      return `${printTarget(filter.target)} ${filter.operator} ${JSON.stringify(filter.value)}`
    case 'present':
      return `${printTarget(filter.target)} pr`
    case 'some':
      return `${printTarget(filter.target)}[${printFilter(filter.part)}]`
    case 'not':
      return `not (${printFilter(filter.part)})`
    default:
      return filter.parts.map((part) => printPart(part, filter.kind)).join(` ${filter.kind} `)
  }
}

function printPart(part: Filter, within: 'and' | 'or'): string {
  return part.kind === 'or' && within === 'and' ? `(${printFilter(part)})` : printFilter(part)
}

function printTarget({ extension, attribute, sub }: Target): string {
  return `${extension === undefined ? '' : `${extension.urn}:`}${attribute.name}${sub === undefined ? '' : `.${sub.name}`}`
}
