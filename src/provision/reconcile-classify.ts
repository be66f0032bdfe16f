/** What an account as read is to the bridge. Pure: everything that is known comes in as an argument. */
import type { Account, PlatformFacts } from '../facts.ts'
import type { JsonObject } from '../json.ts'
import { compare, isActive, protectedBecause, toPlatform } from '../mapping/evaluate.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { Finding, Situation } from '../store/walk-store.ts'
import { grantsAttribute } from './reconcile-grants.ts'

export interface Choices {
  readonly mapping: Mapping
  readonly facts: PlatformFacts
}

/** What the store knows of an account with a proposed or live link. */
export interface Held {
  readonly resourceId: string
  /** Undefined while there is no document. */
  readonly document: JsonObject | undefined
  /** An operation is unfinished, or ended after the account was read: the account is on its way to what is wanted. */
  readonly isInMotion: boolean
  /** Its managed grants are not those that the user's memberships ask for. */
  readonly hasOtherGrants: boolean
}

/** A resource that an account without a link fits. */
export interface Candidate {
  readonly resourceId: string
  /** The account that its link holds. */
  readonly heldAccount: string | undefined
  /** Accounts without a link that fit it, too. */
  readonly rivals: readonly string[]
  /** Why the platform forbids to link the two. */
  readonly refusal: string | undefined
}

/** What the store knows of an account without a link. */
export interface Free {
  /** Resources that want a value by which accounts are matched. */
  readonly matching: readonly Candidate[]
  /** Resources that want a value that only one account may have. */
  readonly rivalled: readonly Candidate[]
  readonly isTombstone: boolean
}

export function classifyHeld(account: Account, held: Held, { mapping, facts }: Choices): Finding {
  const { resourceId, document, isInMotion, hasOtherGrants } = held
  if (isProtected(account, mapping)) return finding(account, 'protected', { resourceId })
  if (document === undefined || isInMotion) return finding(account, 'linked', { resourceId })
  const wanted = toPlatform(mapping, facts, document, { activeDefault: true })
  const { changes, drift, refusals } = compare(mapping, facts, wanted, account.attributes)
  const refused = refusals.map(({ attribute }) => attribute)
  const grants = hasOtherGrants ? [grantsAttribute] : []
  const attributes = [...new Set([...changes.keys(), ...drift, ...refused, ...grants])]
  if (attributes.length === 0) return finding(account, 'linked', { resourceId })
  const isOn = isActive(mapping, account.attributes)
  if (!wanted.active) {
    // The edits of somebody who has left wait for a return; the account must not.
    return finding(account, 'drifted', { resourceId, attributes, remedy: isOn ? 'switch_off' : undefined })
  }
  // Nothing but an explicit `active: true` switches an account on, a repair least of all.
  const isWritable = hasOtherGrants || [...changes.keys()].some((name) => !facts.statusAttributes.includes(name))
  return finding(account, 'drifted', { resourceId, attributes, remedy: isWritable ? 'write' : undefined })
}

export function classifyFree(account: Account, free: Free, { mapping }: Choices): Finding {
  if (isProtected(account, mapping)) return finding(account, 'protected', {})
  const [first, ...others] = free.matching
  if (first === undefined) return classifyStranger(account, free, mapping)
  if (others.length > 0) {
    const otherResources = others.map(({ resourceId }) => resourceId)
    return finding(account, 'disputed', { resourceId: first.resourceId, otherResources })
  }
  const { resourceId, heldAccount, rivals, refusal } = first
  const otherAccounts = heldAccount === undefined ? rivals : [heldAccount, ...rivals]
  if (otherAccounts.length > 0) return finding(account, 'disputed', { resourceId, otherAccounts })
  if (refusal !== undefined) return finding(account, 'disputed', { resourceId, done: refusal })
  return finding(account, 'unlinked', { resourceId, remedy: 'link' })
}

function classifyStranger(account: Account, { rivalled, isTombstone }: Free, mapping: Mapping): Finding {
  if (isTombstone) {
    if (!isActive(mapping, account.attributes)) return finding(account, 'former', {})
    return finding(account, 'revived', { remedy: 'switch_off' })
  }
  const [rival] = rivalled
  if (rival === undefined) return finding(account, 'unmatched', {})
  const { resourceId, heldAccount } = rival
  return finding(account, 'disputed', { resourceId, otherAccounts: heldAccount === undefined ? [] : [heldAccount] })
}

/** The linked account is gone, for certain. */
export function deletedFinding(accountId: string, resourceId: string, isWanted: boolean): Finding {
  return finding({ id: accountId }, 'deleted', { resourceId, remedy: isWanted ? 'create' : undefined })
}

function isProtected(account: Account, mapping: Mapping): boolean {
  return (account.protectedBecause ?? protectedBecause(mapping, account.attributes)) !== undefined
}

function finding(account: Pick<Account, 'id'>, situation: Situation, more: Partial<Finding>): Finding {
  return {
    accountId: account.id,
    situation,
    resourceId: undefined,
    attributes: [],
    otherAccounts: [],
    otherResources: [],
    remedy: undefined,
    done: undefined,
    ...more,
  }
}
