/**
 * Grants of an account: its roles, and the one group to which it belongs (`{ group_id }` alone). The association is
 * exclusive: giving another one moves the account, taking it moves it to the connection's default group.
 */
import { Absent, Broken, Denied, Immutable, PlatformError, Refused } from '../../errors.ts'
import type { AccountId, Grant } from '../../facts.ts'
import type { Client } from '../client.ts'
import type { Call } from '../platform.ts'
import type { FigshareAccount } from './answers.ts'
import * as api from './api.ts'
import { readRoles, writeRoles } from './grants.ts'
import type { FigshareSettings } from './settings.ts'

export interface Granting {
  readonly client: Client
  readonly settings: FigshareSettings
  /** `undefined` when the account's absence is proved. */
  readRaw(call: Call, id: AccountId): Promise<FigshareAccount | undefined>
  ownId(call: Call): Promise<AccountId>
}

/** One read; two where associations are grants too. */
export async function readGrants(granting: Granting, call: Call, id: AccountId): Promise<readonly Grant[]> {
  const group = usesAssociations(granting) ? await groupOf(granting, call, id) : undefined
  const roles = await readRoles(granting.client, call, id, isThere(granting, call, id))
  return [...associations(group), ...roles.map((role) => ({ ...role }))]
}

export async function writeGrants(
  granting: Granting,
  call: Call,
  id: AccountId,
  give: readonly Grant[],
  take: readonly Grant[],
): Promise<readonly Grant[]> {
  const { client, settings } = granting
  const [giveRoles, takeRoles] = [give, take].map((grants) => grants.filter((grant) => !isAssociation(grant)))
  const [giveGroups, takeGroups] = [give, take].map((grants) => grants.filter(isAssociation).map(toGroupId))
  if ((giveGroups?.length ?? 0) + (takeGroups?.length ?? 0) > 0 && !usesAssociations(granting)) throw noDefaultGroup()
  const before = usesAssociations(granting) ? await groupOf(granting, call, id) : undefined
  // Of several the first counts: the caller lists them in the order of the mapping.
  const target = giveGroups?.[0] ?? (takeGroups?.includes(before ?? 0) ? settings.defaultGroupId : undefined)
  const isMoving = target !== undefined && target !== before
  const refuseOwn = async () => {
    if (id !== (await granting.ownId(call))) return
    throw new Immutable("The account is the bridge's own and keeps its roles and its group.", `grants of account ${id}`)
  }
  if (isMoving) {
    await refuseOwn()
    await move(granting, call, id, target)
  }
  try {
    const there = isThere(granting, call, id)
    const roles = await writeRoles(
      client,
      call,
      id,
      giveRoles ?? [],
      takeRoles ?? [],
      settings.rolesPost,
      there,
      refuseOwn,
    )
    return [...associations(isMoving ? target : before), ...roles.map((role) => ({ ...role }))]
  } catch (error) {
    // All or nothing: an unknown role leaves the account where it was.
    if (isMoving && before !== undefined && error instanceof PlatformError && error.kind === 'refused')
      await move(granting, call, id, before)
    throw error
  }
}

function usesAssociations({ settings }: Granting): boolean {
  return settings.defaultGroupId !== undefined
}

function isAssociation(grant: Grant): boolean {
  return grant.role_id === undefined
}

function toGroupId({ group_id }: Grant): number {
  if (typeof group_id === 'number') return group_id
  throw new Refused('A Figshare grant needs group_id, a number.', 'figshare: incomplete grant')
}

function associations(group: number | undefined): Grant[] {
  return group === undefined ? [] : [{ group_id: group }]
}

async function groupOf(granting: Granting, call: Call, id: AccountId): Promise<number | undefined> {
  return (await requireRaw(granting, call, id)).group_id ?? undefined
}

async function requireRaw(granting: Granting, call: Call, id: AccountId): Promise<FigshareAccount> {
  const raw = await granting.readRaw(call, id)
  if (raw === undefined) throw new Absent(`account ${id} is gone`)
  return raw
}

function isThere(granting: Granting, call: Call, id: AccountId): () => Promise<boolean> {
  return async () => (await granting.readRaw(call, id)) !== undefined
}

/** The state goes along as it is now: a remembered one would switch somebody on or off. */
async function move({ client, ...granting }: Granting, call: Call, id: AccountId, group_id: number): Promise<void> {
  const { active } = await requireRaw({ client, ...granting }, call, id)
  const done = await api.putAccount(client, call, id, { group_id, is_active: active === 1 })
  const after = await requireRaw({ client, ...granting }, call, id)
  if (done === 'absent') throw new Denied(`account ${id} can be read but not written`, { isOfOne: true })
  if (after.group_id !== group_id) throw new Broken(`account ${id} was read back in another group than written`)
}

function noDefaultGroup(): Refused {
  return new Refused(
    "Figshare: a grant of group_id alone moves accounts between groups; the bridge's operator has to say " +
      'settings.defaultGroupId, the group of those who have no such grant.',
    'figshare: association without defaultGroupId',
  )
}
