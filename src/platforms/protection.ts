import { Immutable } from '../errors.ts'
import type { Account, PlatformFacts } from '../facts.ts'

/** The last guard before a write: an account that the module protects is never changed, whoever asks. */
export function refuseProtected(facts: PlatformFacts, account: Account): void {
  if (account.protectedBecause === undefined) return
  throw new Immutable(
    `The account is protected: ${account.protectedBecause}. Change it in ${facts.title} itself.`,
    `${facts.platform}: account ${account.id} is protected`,
  )
}
