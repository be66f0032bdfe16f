import type { Attributes, PlatformFacts } from '../facts.ts'
import type { JsonObject } from '../json.ts'
import { toPlatform } from '../mapping/evaluate.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { ProvisionedConnection } from './connection.ts'

/** What accounts are matched by, as texts that are equal exactly where the platform's own search would find the account. */
export interface MatchKeys {
  readonly match: readonly string[]
  readonly distinct: readonly string[]
}

export function keysOfAccount(mapping: Mapping, facts: PlatformFacts, attributes: Attributes): MatchKeys {
  return {
    match: keysBy(mapping.match, facts, attributes),
    distinct: keysBy(mapping.distinct, facts, attributes),
  }
}

/** In platform terms: what the search before a create would look for. */
export function keysOfDocument(mapping: Mapping, facts: PlatformFacts, document: JsonObject): MatchKeys {
  return keysOfAccount(mapping, facts, toPlatform(mapping, facts, document, { activeDefault: true }).attributes)
}

/** Whether a search by `match` for the one would find the other's account. */
export function isFoundAlike(
  { mapping, facts }: Pick<ProvisionedConnection, 'mapping' | 'facts'>,
  one: JsonObject,
  other: JsonObject,
): boolean {
  const keys = new Set(keysOfDocument(mapping, facts, one).match)
  return keysOfDocument(mapping, facts, other).match.some((key) => keys.has(key))
}

function keysBy(names: readonly string[], facts: PlatformFacts, attributes: Attributes): string[] {
  return names.flatMap((name) => {
    const value = textOf(name, facts, attributes)
    if (value === undefined) return []
    const companion = facts.attributes.get(name)?.companion
    return [JSON.stringify([name, value, companion === undefined ? null : attributes.get(companion)])]
  })
}

function textOf(name: string, facts: PlatformFacts, attributes: Attributes): string | undefined {
  const value = attributes.get(name)
  if ((typeof value !== 'string' && typeof value !== 'number') || value === '') return undefined
  return facts.attributes.get(name)?.caseExact === false ? String(value).toLowerCase() : String(value)
}
