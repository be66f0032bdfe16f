/** Comparing wanted values with an account as read, by the platform's facts. */
import { isDeepStrictEqual } from 'node:util'
import { Broken } from '../errors.ts'
import type { Account, AttributeFact, Attributes, Json, PlatformFacts } from '../facts.ts'
import { factOf } from './fitting.ts'
import type { Changes } from './platform.ts'

function isSame(fact: AttributeFact | undefined, one: Json | undefined, other: Json | undefined): boolean {
  if (fact?.caseExact === false && typeof one === 'string' && typeof other === 'string')
    return one.toLowerCase() === other.toLowerCase()
  return isDeepStrictEqual(one ?? null, other ?? null)
}

/** Those of the changes that the account does not show already; attributes that cannot be written are left out. */
export function remainingChanges(facts: PlatformFacts, account: Attributes, changes: Changes): Map<string, Json> {
  const remaining = new Map<string, Json>()
  for (const [name, value] of changes) {
    const fact = factOf(facts, name)
    if (fact !== undefined && fact.write !== 'read' && !isSame(fact, value, account.get(name)))
      remaining.set(name, value)
  }
  return remaining
}

/** Throws `Broken`, naming the attributes, when the account as read does not show what was written. */
export function requireWritten(facts: PlatformFacts, account: Account, written: Changes): void {
  const missing = [...remainingChanges(facts, account.attributes, written).keys()]
  if (missing.length === 0) return
  throw new Broken(`account ${account.id} was read back with another value of ${missing.join(', ')}`)
}
