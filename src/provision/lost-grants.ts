/** Whether the platform may have taken away what the ledger says was given. */
import type { Account } from '../facts.ts'
import type { JsonObject } from '../json.ts'
import { isActive } from '../mapping/evaluate.ts'
import type { ProvisionedConnection } from './connection.ts'

/**
 * Told by what was applied last, and not by what this attempt has written: the write may be that of an attempt whose answer
 * was lost, and this one finds the account as wanted already.
 */
export function mayHaveLostGrants(
  { mapping }: Pick<ProvisionedConnection, 'mapping'>,
  applied: JsonObject | undefined,
  account: Account,
): boolean {
  if (applied === undefined) return false
  const before = new Map(Object.entries(applied))
  // Whether roles outlive a time of being off differs from platform to platform.
  return !isActive(mapping, before) && isActive(mapping, account.attributes)
}
