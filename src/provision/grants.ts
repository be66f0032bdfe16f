/** Which grants memberships ask for, and what that means for an account: pure functions of what is known. */
import type { AccountId, Grant, PlatformFacts } from '../facts.ts'
import { grantsOf } from '../mapping/evaluate.ts'
import { grantKey } from '../mapping/grants.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { Call, PlatformGroup, PlatformGroups } from '../platforms/platform.ts'
import { groupIdOf, groupKey, type LedgerEntry, type Membership } from '../store/grant-store.ts'
import type { ProvisionedConnection } from './connection.ts'
import { namedGroup } from './group-name.ts'

export interface WantedGrant {
  /** As `LedgerEntry.key`. */
  readonly key: string
  readonly grant: Grant
}

export interface GrantRules {
  readonly mapping: Mapping
  readonly facts: PlatformFacts
  readonly groups: PlatformGroups | undefined
}

export function grantRules({
  mapping,
  facts,
  platform,
}: Pick<ProvisionedConnection, 'mapping' | 'facts' | 'platform'>): GrantRules {
  return { mapping, facts, groups: platform.groups }
}

/** What the ledger calls those that the memberships ask for. */
export function wantedKeys(rules: GrantRules, memberships: readonly Membership[]): ReadonlySet<string> {
  return new Set(wantedGrants(rules, memberships).map(({ key }) => key))
}

/** The union over all groups, each grant once. Where groups are groups, one that is not on the platform yet gives nothing. */
export function wantedGrants(
  { mapping, facts, groups }: GrantRules,
  memberships: readonly Membership[],
): WantedGrant[] {
  switch (mapping.groups.as) {
    case 'none':
      return []
    case 'grants':
      return grantsOf(mapping, memberships.map(namedGroup)).map((grant) => ({ key: identityOf(grant, facts), grant }))
    case 'groups':
      return memberships.flatMap(({ groupId, platformGroup }) =>
        platformGroup === undefined || groups === undefined
          ? []
          : [{ key: groupKey(groupId), grant: membershipIn(groups, platformGroup) }],
      )
  }
}

/** The name says which group it is, the id decides: the platform may know the group by another name by now. */
export function membershipIn(groups: PlatformGroups, group: PlatformGroup): Grant {
  return { ...groups.grantOf(group), id: group.id }
}

/** What the account holds, in the form of what is wanted for it and of what the ledger has. */
export async function heldGrants(
  call: Call,
  { mapping, platform, facts }: Pick<ProvisionedConnection, 'mapping' | 'platform' | 'facts'>,
  id: AccountId,
  ledger: readonly LedgerEntry[],
): Promise<readonly Grant[]> {
  const { groups } = platform
  if (mapping.groups.as !== 'groups' || groups === undefined) return platform.readGrants(call, id)
  const memberships = (await groups.heldBy(call, id)).map((group) => membershipIn(groups, group))
  // What was given when the groups section said `as: grants` may be no membership.
  if (ledger.every(({ key }) => groupIdOf(key) !== undefined)) return memberships
  const named = new Set(memberships.map((grant) => namedIdentityOf(grant, facts)))
  const others = await platform.readGrants(call, id)
  return [...memberships, ...others.filter((grant) => !named.has(identityOf(grant, facts)))]
}

/** Equal for grants that are the same to the platform. */
export function identityOf(grant: Grant, { grantsCaseExact = true }: Pick<PlatformFacts, 'grantsCaseExact'>): string {
  if (grant.id !== undefined) return `id ${grant.id}`
  const text = grantKey(grant)
  return grantsCaseExact ? text : text.toLowerCase()
}

function namedIdentityOf({ id: _, ...named }: Grant, facts: PlatformFacts): string {
  return identityOf(named, facts)
}

/** Given when the groups section said another `as`: what was known by its name alone has an id now, or the reverse. */
function asHeld(grant: Grant, held: readonly Grant[], facts: PlatformFacts): Grant {
  const name = namedIdentityOf(grant, facts)
  const isSame = (other: Grant) =>
    (other.id === undefined) !== (grant.id === undefined) && namedIdentityOf(other, facts) === name
  return held.find(isSame) ?? grant
}

/** The memberships ask for just what the ledger says is given: nothing has to be read. */
export function isSettled(wanted: readonly WantedGrant[], ledger: readonly LedgerEntry[]): boolean {
  if (wanted.length !== ledger.length) return false
  const known = new Map(ledger.map((entry) => [entry.key, entry.origin]))
  return wanted.every(({ key }) => (known.get(key) ?? 'giving') !== 'giving')
}

export interface GrantPlan {
  readonly give: readonly Grant[]
  readonly take: readonly Grant[]
  /** Durable before the platform is asked. */
  readonly before: readonly LedgerEntry[]
  /** When what was asked has been read back. */
  readonly after: readonly LedgerEntry[]
}

export interface GrantState {
  /** Where groups are groups: the grants of all that belong to this connection. */
  readonly ofGroups: readonly Grant[]
  readonly wanted: readonly WantedGrant[]
  readonly ledger: readonly LedgerEntry[]
  /** As read in this attempt. */
  readonly held: readonly Grant[]
}

/**
 * Only managed grants are taken: those that the ledger says we gave, and with `manage: listed` every one that the mapping
 * file names, or that is membership in one of our groups. What was held before a membership asked for it is `found`, and survives leaving the group.
 */
export function planGrants({ mapping, facts }: GrantRules, state: GrantState): GrantPlan {
  const { wanted, held, ofGroups } = state
  const identity = (grant: Grant) => identityOf(grant, facts)
  const holds = new Map(held.map((grant) => [identity(grant), grant]))
  const ledger = state.ledger.map((entry) =>
    holds.has(identity(entry.grant)) ? entry : { ...entry, grant: asHeld(entry.grant, held, facts) },
  )
  const isListed = mapping.groups.manage === 'listed'
  const ours = new Set(ledger.filter((entry) => entry.origin !== 'found').map((entry) => identity(entry.grant)))
  const wantedNow = new Set(wanted.map(({ grant }) => identity(grant)))

  const give: Grant[] = []
  const before: LedgerEntry[] = []
  const after: LedgerEntry[] = []
  for (const { key, grant } of wanted) {
    const isHeld = holds.has(identity(grant))
    if (!isHeld && !give.some((other) => identity(other) === identity(grant))) give.push(grant)
    const isOurs = !isHeld || isListed || ours.has(identity(grant))
    before.push({ key, grant, origin: !isHeld ? 'giving' : isOurs ? 'given' : 'found' })
    after.push({ key, grant, origin: isOurs ? 'given' : 'found' })
  }
  const take = new Map<string, Grant>()
  const wantedKeys = new Set(wanted.map(({ key }) => key))
  for (const entry of ledger) {
    const id = identity(entry.grant)
    if (wantedKeys.has(entry.key) || entry.origin === 'found' || wantedNow.has(id) || !holds.has(id)) continue
    take.set(id, entry.grant)
    // Uncertain from now on: whoever asks for it again before this is over has to look.
    before.push({ ...entry, origin: 'giving' })
  }
  if (isListed) {
    for (const grant of [...mapping.groups.listed.keys(), ...ofGroups]) {
      const id = identity(grant)
      if (holds.has(id) && !wantedNow.has(id)) take.set(id, grant)
    }
  }
  return { give, take: [...take.values()], before, after }
}
