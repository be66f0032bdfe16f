import type { AccountId } from '../facts.ts'

/**
 * Accounts that attempts in work are about to take over. The store learns of it only at their end, and two users who fit
 * one account at the same time would both write to it before.
 */
export interface Claims {
  /** False when another resource has claimed the account. */
  claim(account: AccountId, resourceId: string): boolean
  /** Gives back everything that the resource has claimed. */
  release(resourceId: string): void
}

export function createClaims(): Claims {
  const holders = new Map<AccountId, string>()
  return {
    claim(account, resourceId) {
      const holder = holders.get(account) ?? resourceId
      if (holder !== resourceId) return false
      holders.set(account, resourceId)
      return true
    },
    release(resourceId) {
      for (const [account, holder] of holders) if (holder === resourceId) holders.delete(account)
    },
  }
}
