/** Brings the grants of an account to what its user's memberships ask for. */
import { Busy, PlatformError } from '../errors.ts'
import type { Account, AccountId, Grant } from '../facts.ts'
import type { Call } from '../platforms/platform.ts'
import { groupIdOf, groupKey, type LedgerEntry, type Membership } from '../store/grant-store.ts'
import type { Operation } from '../store/store.ts'
import type { ProvisionedConnection } from './connection.ts'
import {
  type GrantRules,
  grantRules,
  heldGrants,
  isSettled,
  membershipIn,
  planGrants,
  type WantedGrant,
  wantedGrants,
} from './grants.ts'
import { type AskForGroup, bringBackGroups } from './group-gone.ts'

/** What is known of the user's memberships at the start of the attempt. */
export interface GrantSituation {
  readonly memberships: readonly Membership[]
  readonly ledger: readonly LedgerEntry[]
  /** What was not taken from the account when its user was deleted. Of one that was just made: nothing. */
  leftOver(accountId: AccountId): Promise<readonly LedgerEntry[]>
  /** Makes the ledger durable before the platform is asked. */
  noteLedger(ledger: readonly LedgerEntry[]): Promise<void>
  /** The present name on the platform of the group that this SCIM group is or was. */
  platformGroupOf(groupId: string): Promise<{ readonly id: string; readonly name: string } | undefined>
  operationOf(resourceId: string): Promise<Operation | undefined>
  askForGroup: AskForGroup
  /** All groups of the platform that belong to this connection. */
  platformGroups(): Promise<readonly { readonly id: string; readonly name: string }[]>
}

export interface ReachedGrants {
  readonly ledger: readonly LedgerEntry[]
  /** Why the memberships could not be given or taken, though the rest of the account is as wanted. */
  readonly refusal: PlatformError | undefined
  /** SCIM groups that are not on the platform, for a reason that time will not mend. */
  readonly isIncomplete: boolean
}

/** `leaving`: off, the wish is kept. `gone`: deleted, everything that we gave is taken. */
export type Standing = 'active' | 'leaving' | 'gone'

export async function reachGrants(
  call: Call,
  connection: ProvisionedConnection,
  situation: GrantSituation,
  account: Account,
  standing: Standing,
  isSwitchedOn: boolean,
): Promise<ReachedGrants> {
  const rules = grantRules(connection)
  if (rules.mapping.groups.as === 'none') return { ledger: situation.ledger, refusal: undefined, isIncomplete: false }
  const ledger = await withPresentNames(rules, situation)
  const all = wantedGrants(rules, situation.memberships)
  const wanted = wantedBy(standing, rules, all, ledger)
  const isIncomplete = standing === 'active' && (await isMissingGroups(connection, situation))
  // Whether roles outlive a time of being off differs from platform to platform: who is switched on is looked at.
  const isUnsure = isSwitchedOn && wanted.length > 0
  const mayHoldListed = rules.mapping.groups.manage === 'listed'
  if (isSettled(wanted, ledger) && !isUnsure && !mayHoldListed) return { ledger, refusal: undefined, isIncomplete }

  let held: readonly Grant[]
  try {
    held = await heldGrants(call, connection, account.id, ledger)
  } catch (error) {
    // Nobody who leaves is kept by what cannot be looked at, such as the roles of a deleted account: the ledger knows what was given.
    if (standing === 'active' || !isFinalRefusal(error) || error.kind === 'fault') throw error
    return { ledger, refusal: error, isIncomplete }
  }
  const ofGroups = mayHoldListed ? await grantsOfGroups(rules, situation) : []
  const plan = planGrants(rules, { wanted, ledger, held, ofGroups })
  if (plan.give.length === 0 && plan.take.length === 0) return { ledger: plan.after, refusal: undefined, isIncomplete }
  await situation.noteLedger(plan.before)
  try {
    await connection.platform.writeGrants(call, account.id, plan.give, plan.take)
    return { ledger: plan.after, refusal: undefined, isIncomplete }
  } catch (error) {
    if (!isFinalRefusal(error)) throw error
    await bringBackGroups(call, connection, situation.memberships, plan.give, situation.askForGroup)
    return { ledger: plan.before, refusal: error, isIncomplete }
  }
}

/** Final, and about the grants: not that the account is gone. */
function isFinalRefusal(error: unknown): error is PlatformError {
  return error instanceof PlatformError && error.rule.retry === 'stop' && error.kind !== 'absent'
}

async function grantsOfGroups({ groups }: GrantRules, situation: GrantSituation): Promise<readonly Grant[]> {
  if (groups === undefined) return []
  return (await situation.platformGroups()).map((group) => membershipIn(groups, group))
}

function wantedBy(
  standing: Standing,
  { mapping }: GrantRules,
  all: readonly WantedGrant[],
  ledger: readonly LedgerEntry[],
): readonly WantedGrant[] {
  if (standing === 'active') return all
  if (standing === 'gone' || mapping.lifecycle.revokeOnDeactivate) return []
  // Nothing new for somebody who is off; what the memberships do not ask for any more goes.
  const known = new Set(ledger.map((entry) => entry.key))
  return all.filter(({ key }) => known.has(key))
}

/** Also what was written down without an id, or under a former name. What was given in a group that is gone is had no more. */
async function withPresentNames(rules: GrantRules, situation: GrantSituation): Promise<readonly LedgerEntry[]> {
  if (rules.mapping.groups.as !== 'groups') return situation.ledger
  const present: LedgerEntry[] = []
  for (const entry of situation.ledger) {
    const groupId = groupIdOf(entry.key)
    const group = groupId === undefined ? undefined : await situation.platformGroupOf(groupId)
    if (group !== undefined && entry.grant.id !== undefined && entry.grant.id !== group.id) continue
    const isKnown = group !== undefined && rules.groups !== undefined
    present.push(isKnown ? { ...entry, grant: membershipIn(rules.groups, group) } : entry)
  }
  return present
}

/** A group that is being made on the platform is waited for; one that cannot be made gives nothing. */
async function isMissingGroups(connection: ProvisionedConnection, situation: GrantSituation): Promise<boolean> {
  if (connection.mapping.groups.as !== 'groups') return false
  const missing = situation.memberships.filter(({ platformGroup }) => platformGroup === undefined)
  for (const { groupId } of missing) {
    const operation = await situation.operationOf(groupId)
    if (operation === undefined || operation.state === 'failed') continue
    throw new Busy(`${connection.name}: ${groupKey(groupId)} is not on the platform yet`, { retryAfterMs: 5_000 })
  }
  return missing.length > 0
}
