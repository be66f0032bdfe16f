/** A mapping file's own examples, run as tests. */
import type { Attributes, Grant, PlatformFacts } from '../facts.ts'
import type { Json, JsonObject } from '../json.ts'
import { compare, createAttributes, grantsOf, toPlatform, toScim, unmatchedGroups } from './evaluate.ts'
import type { Example } from './format.ts'
import { grantKey } from './grants.ts'
import type { LoadedMapping } from './load.ts'
import type { Mapping, Wanted } from './mapping.ts'
import { isEqual, shown } from './values.ts'

export interface ExampleResult {
  readonly name: string
  readonly ok: boolean
  /** What came out differently. */
  readonly message?: string
}

export function runExamples(loaded: LoadedMapping, facts: PlatformFacts): ExampleResult[] {
  return loaded.examples.map((example) => {
    const differences = differencesOf(example, loaded.mapping, facts)
    if (differences.length === 0) return { name: example.name, ok: true }
    return { name: example.name, ok: false, message: differences.join('; ') }
  })
}

function differencesOf(example: Example, mapping: Mapping, facts: PlatformFacts): string[] {
  const was = example.was && toPlatform(mapping, facts, example.was, { activeDefault: true })
  const wanted = example.scim && toPlatform(mapping, facts, example.scim, { activeDefault: was?.active ?? true })
  const comparison = was && wanted && compare(mapping, facts, wanted, createAttributes(mapping, was))
  const groups = (example.groups ?? []).map((name) => ({ displayName: name, externalId: name }))
  const errors = [
    ...refusalsOf(wanted, was === undefined),
    ...(comparison?.refusals ?? []).map((refusal) => refusal.message),
    ...(mapping.groups.unmatched === 'refuse' ? unmatchedGroups(mapping, groups) : []).map(
      (group) => `groups.grants: no line for group ${shown(group.displayName)}`,
    ),
  ]
  const error = errors.join('; ')
  if (example.error !== undefined) {
    return example.error === error ? [] : [`error is ${error === '' ? 'none' : error}`]
  }
  if (error !== '') return [error]
  const differences: string[] = []
  if (example.account !== undefined && wanted !== undefined) {
    differences.push(...objectDifferences('account', example.account, createAttributes(mapping, wanted)))
  }
  if (example.changes !== undefined && comparison !== undefined) {
    differences.push(...objectDifferences('changes', example.changes, comparison.changes))
  }
  if (example.grants !== undefined) differences.push(...grantDifferences(example.grants, grantsOf(mapping, groups)))
  if (example.read !== undefined) {
    const account: Attributes = wanted?.attributes ?? new Map(Object.entries(example.account ?? {}))
    const scim = new Map(Object.entries(toScim(mapping, facts, account)))
    differences.push(...objectDifferences('read', example.read, scim))
  }
  return differences
}

function refusalsOf(wanted: Wanted | undefined, isNew: boolean): string[] {
  if (wanted === undefined) return []
  return [...wanted.refusals, ...(isNew ? wanted.createRefusals : [])].map((refusal) => refusal.message)
}

/** `account.quota is 5, not 6`: one line for each key that differs. */
function objectDifferences(what: string, expected: JsonObject, actual: ReadonlyMap<string, Json>): string[] {
  const wanted = new Map(Object.entries(expected))
  return [...new Set([...wanted.keys(), ...actual.keys()])].flatMap((name) => {
    const [one, other] = [wanted.get(name), actual.get(name)]
    if (one !== undefined && other !== undefined && isEqual(one, other, true)) return []
    return [`${what}.${name} is ${text(other)}, not ${text(one)}`]
  })
}

function grantDifferences(expected: readonly Grant[], actual: readonly Grant[]): string[] {
  const [wanted, given] = [expected, actual].map((grants) => new Set(grants.map(grantKey)))
  const missing = [...(wanted ?? [])].filter((grant) => !given?.has(grant))
  const surplus = [...(given ?? [])].filter((grant) => !wanted?.has(grant))
  return [...missing.map((grant) => `grants has not ${grant}`), ...surplus.map((grant) => `grants has ${grant} too`)]
}

function text(value: Json | undefined): string {
  return value === undefined ? 'absent' : JSON.stringify(value)
}
