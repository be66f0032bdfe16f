/** One person, attribute by attribute: what SCIM says, what the mapping makes of it, and what the account was last read to have. */
import type { Grant } from '../facts.ts'
import type { Json, JsonObject } from '../json.ts'
import { compare, toPlatform } from '../mapping/evaluate.ts'
import { type AttributeExplanation, type Explanation, explain } from '../mapping/explain.ts'
import type { Membership } from '../store/grant-store.ts'
import type { ProvisionedConnection } from './connection.ts'
import { namedGroup } from './group-name.ts'

export interface ComparedAttribute {
  readonly attribute: string
  readonly wanted: Json | undefined
  readonly held: Json | undefined
  /** `kept`: differs, and is left as it is. */
  readonly state: 'same' | 'differs' | 'kept'
  /** Undefined: the attribute says whether the account is on, which no rule writes. */
  readonly explanation: AttributeExplanation | undefined
}

/** What a mapping makes of a person; pure, reads and writes nothing. */
export function explainUser(
  { mapping, facts }: ProvisionedConnection,
  document: JsonObject,
  memberships: readonly Pick<Membership, 'displayName' | 'externalId'>[],
): Explanation {
  return explain(mapping, facts, document, memberships.map(namedGroup))
}

/** `applied`: the account as last read back. */
export function compareUser(
  { mapping, facts }: ProvisionedConnection,
  document: JsonObject,
  applied: JsonObject,
): readonly ComparedAttribute[] {
  const wanted = toPlatform(mapping, facts, document, { activeDefault: true })
  const held = new Map(Object.entries(applied))
  const { changes, drift, refusals } = compare(mapping, facts, wanted, held)
  const kept = new Set([...drift, ...refusals.map(({ attribute }) => attribute)])
  const explained = new Map(
    explain(mapping, facts, document, []).attributes.map((one): [string, AttributeExplanation] => [one.attribute, one]),
  )
  const names = new Set([...facts.statusAttributes, ...mapping.rules.keys(), ...held.keys()])
  return [...names].map((attribute) => ({
    attribute,
    wanted: wanted.attributes.get(attribute),
    held: held.get(attribute),
    state: changes.has(attribute) ? 'differs' : kept.has(attribute) ? 'kept' : 'same',
    explanation: explained.get(attribute),
  }))
}

export type { AttributeExplanation, Explanation, Grant }
