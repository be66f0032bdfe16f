import type { AccountId } from '../facts.ts'
import type { LedgerEntry } from '../store/grant-store.ts'
import type { StoreWriter } from '../store/store.ts'

/**
 * What the platform would not take from the user whose account it was last, and who was deleted: no gift of anybody else's, and
 * taken from whoever gets the account.
 */
export async function leftOverGrants(
  write: Pick<StoreWriter, 'tombstonesOf'>,
  connection: string,
  accountId: AccountId,
): Promise<readonly LedgerEntry[]> {
  const tombstones = await write.tombstonesOf(connection, [accountId])
  return tombstones.get(accountId)?.grants ?? []
}
