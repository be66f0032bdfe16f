/** Whether the platform may have taken away what the ledger says was given. */
import type { Account, Attributes } from '../facts.ts'
import type { JsonObject } from '../json.ts'
import { isActive } from '../mapping/evaluate.ts'
import { isEqual } from '../mapping/values.ts'
import type { ProvisionedConnection } from './connection.ts'

/**
 * Told by what was applied last, and not by what this attempt has written: the write may be that of an attempt whose answer
 * was lost, and this one finds the account as wanted already.
 */
export function mayHaveLostGrants(
  { mapping, facts }: Pick<ProvisionedConnection, 'mapping' | 'facts'>,
  applied: JsonObject | undefined,
  account: Account,
): boolean {
  if (applied === undefined) return false
  const before: Attributes = new Map(Object.entries(applied))
  // Whether roles outlive a time of being off differs from platform to platform.
  if (!isActive(mapping, before) && isActive(mapping, account.attributes)) return true
  return [...facts.attributes].some(([name, { endsGrants = false, caseExact = true }]) => {
    const [held, holds] = [before.get(name) ?? null, account.attributes.get(name) ?? null]
    return endsGrants && !isEqual(held, holds, caseExact)
  })
}
