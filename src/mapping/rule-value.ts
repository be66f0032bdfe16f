/** One rule applied to one resource, step by step: source, transforms, table, default, required, the platform's facts. */
import type { Json } from '../json.ts'
import { textLength } from '../limits.ts'
import type { Path, Refusal, Rule, ScimLookup, Source, Table, Test } from './mapping.ts'
import { isEqual, isNothing, shown, unfit } from './values.ts'

/** Told after every step, for `explain`. `value` is undefined where there is none. */
export type OnStep = (step: string, value: Json | undefined) => void

export interface RuleValue {
  readonly value: Json | undefined
  readonly refusal: Refusal | undefined
  /** What is refused is a value that there is, and not that there is none. */
  readonly isUnfit: boolean
  /** The platform requires a value, there is none, and the rule says neither `required` nor a default. */
  readonly isMissing: boolean
}

interface Origin {
  readonly value: Json | undefined
  readonly path: Path | undefined
}

export function applyRule(rule: Rule, platform: string, scim: ScimLookup, onStep?: OnStep): RuleValue {
  const origin = originOf(rule.source, scim)
  onStep?.(rule.source.kind, origin.value)
  const refuse = (what: string, isUnfit = true): RuleValue => ({
    value: undefined,
    refusal: refusalOf(rule, 'invalidValue', `${what} (${sourceText(rule.source, origin.path)})`, origin.path),
    isUnfit,
    isMissing: false,
  })
  const worked = workOn(rule, origin.value, scim, onStep)
  if ('wrong' in worked) return refuse(worked.wrong)
  let { value } = worked
  if (value === undefined && rule.default !== undefined) {
    value = rule.default
    onStep?.('default', value)
  }
  if (value === undefined) {
    if (rule.required) return refuse('required value is missing', false)
    return { value, refusal: undefined, isUnfit: false, isMissing: rule.fact.required === true }
  }
  const wrong = unfit(value, rule.fact, platform)
  return wrong === undefined ? { value, refusal: undefined, isUnfit: false, isMissing: false } : refuse(wrong)
}

/** Transforms and table. `wrong`: what one of them does not take. */
export function workOn(
  { transforms, table }: Pick<Rule, 'transforms' | 'table'>,
  start: Json | undefined,
  scim: ScimLookup,
  onStep?: OnStep,
): { readonly value: Json | undefined } | { readonly wrong: string } {
  let value = start
  for (const transform of transforms) {
    if (value === undefined) break
    if (isTooLong(value)) return { wrong: tooLong(value) }
    const next = transform.run(value, scim)
    if (next === undefined) return { wrong: `'${transform.name}' does not take ${shown(value)}` }
    value = isNothing(next) ? undefined : next
    onStep?.(transform.name, value)
  }
  if (value === undefined) return { value }
  if (isTooLong(value)) return { wrong: tooLong(value) }
  if (table === undefined) return { value }
  const looked = lookUp(table, value)
  if ('wrong' in looked) return looked
  value = isNothing(looked.value) ? undefined : looked.value
  onStep?.(`table ${table.name}`, value)
  return { value }
}

/** What refuses a new account when `isMissing`. */
export function missingAtCreation(rule: Rule): Refusal {
  return refusalOf(rule, 'invalidValue', `required value is missing (${sourceText(rule.source, undefined)})`, undefined)
}

export function refusalOf(rule: Rule, kind: Refusal['kind'], what: string, path: Path | undefined): Refusal {
  return {
    attribute: rule.attribute,
    scimPath: (path ?? pathsOf(rule.source)[0])?.text,
    kind,
    message: `user.attributes.${rule.attribute}: ${what}`,
  }
}

function originOf(source: Source, scim: ScimLookup): Origin {
  if (source.kind === 'const') return { value: isNothing(source.value) ? undefined : source.value, path: undefined }
  if (source.kind === 'from') {
    for (const path of source.paths) {
      const value = scim(path)
      if (value !== undefined) return { value, path }
    }
    return { value: undefined, path: undefined }
  }
  if (source.kind === 'join') return { value: joined(source.parts, scim), path: undefined }
  const branch = source.branches.find(({ if: test }) => holds(test, scim))
  const value = branch === undefined ? source.else : branch.value
  return { value: isNothing(value) ? undefined : value, path: branch?.if.path }
}

/**
 * A text between two values stands only when both are there, so that a missing middle name leaves no second space. Texts
 * before the first path and after the last one belong to their value.
 */
function joined(parts: (Source & { kind: 'join' })['parts'], scim: ScimLookup): string | undefined {
  let front = ''
  let text: string | undefined
  let between = ''
  let previous: 'none' | 'absent' | 'present' = 'none'
  for (const part of parts) {
    if ('text' in part) {
      if (previous === 'none') front += part.text
      if (previous === 'present') between += part.text
      continue
    }
    const value = scim(part.path)
    const present = typeof value === 'object' || value === undefined ? '' : String(value).trim()
    previous = present === '' ? 'absent' : 'present'
    if (present === '') continue
    text = text === undefined ? present : text + between + present
    between = ''
  }
  if (text === undefined) return undefined
  return (front + text + (previous === 'present' ? between : '')).trim()
}

export function holds(test: Test, scim: ScimLookup): boolean {
  const value = scim(test.path)
  switch (test.kind) {
    case 'present':
      return (value !== undefined) === test.value
    case 'equals':
      return value !== undefined && isEqual(value, test.value, true)
    case 'one_of':
      return value !== undefined && test.values.some((one) => isEqual(value, one, true))
    case 'starts_with':
      return typeof value === 'string' && value.startsWith(test.value)
    case 'ends_with':
      return typeof value === 'string' && value.endsWith(test.value)
  }
}

function lookUp(table: Table, value: Json): { value: Json | undefined } | { wrong: string } {
  if (typeof value === 'object') return { wrong: `${shown(value)} is not a key of a table` }
  const found = table.values.get(String(value))
  if (found !== undefined) return { value: found }
  if (table.unknown === 'pass') return { value }
  return table.unknown === 'omit' ? { value: undefined } : { wrong: `${shown(value)} is not in table '${table.name}'` }
}

function isTooLong(value: Json): boolean {
  return typeof value === 'string' && value.length > textLength
}

function tooLong(value: Json): string {
  return `${String(value).length} characters, at most ${textLength} are taken`
}

/** The SCIM paths that a source reads. */
export function pathsOf(source: Source): readonly Path[] {
  if (source.kind === 'from') return source.paths
  if (source.kind === 'join') return source.parts.flatMap((part) => ('path' in part ? [part.path] : []))
  return source.kind === 'when' ? source.branches.map((branch) => branch.if.path) : []
}

function sourceText(source: Source, used: Path | undefined): string {
  if (used !== undefined) return `from ${used.text}`
  if (source.kind === 'const') return 'const'
  return `from ${[...new Set(pathsOf(source).map((path) => path.text))].join(', ')}`
}
