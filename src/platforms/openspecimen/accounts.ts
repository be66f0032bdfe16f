/** OpenSpecimen's users as accounts. */
import type { Account, AccountId, Attributes, Json } from '../../facts.ts'
import type { User } from './answers.ts'
import { facts } from './facts.ts'

/** `ownId`: the service account. */
export function toAccount(user: User, ownId: AccountId | undefined): Account {
  const attributes = new Map<string, Json>()
  for (const [name, value] of Object.entries(user)) {
    // Blank is how OpenSpecimen says "none" of phoneNumber, address and primarySite.
    if (facts.attributes.has(name) && value !== undefined && value !== null && value !== '') attributes.set(name, value)
  }
  const id = String(user.id)
  const protectedBecause = whyProtected(user, id === ownId)
  return protectedBecause === undefined ? { id, attributes } : { id, attributes, protectedBecause }
}

function whyProtected(user: User, isOwn: boolean): string | undefined {
  if (isOwn) return "it is the bridge's own service account"
  if (user.loginName.toLowerCase() === '$system') return 'it is a built-in account of OpenSpecimen'
  if (user.type === 'SUPER') return 'it is a super administrator (type SUPER)'
  return user.apiUser === true ? 'it is an API user' : undefined
}

/** Members of a POST or PATCH. A blank clears; null is never sent: OpenSpecimen fails on it. */
export function toBody(changes: Attributes): Record<string, Json> {
  return Object.fromEntries([...changes].map(([name, value]) => [name, value ?? '']))
}
