/** Roles of an account, per group. */
import { Absent, Broken, Denied, Refused } from '../../errors.ts'
import type { AccountId, Grant } from '../../facts.ts'
import { parseAnswer } from '../answer.ts'
import type { Client, PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import { createReadAhead } from '../read-ahead.ts'
import { rolesByGroup } from './answers.ts'
import { expect } from './api.ts'
import { saysBadValue, toError } from './refusals.ts'

interface Role {
  readonly group_id: number
  readonly role_id: number
}

const roles = ['account', 'institution', 'roles']
const keyOf = (role: Role) => `${role.group_id}/${role.role_id}`

const readAhead = createReadAhead<readonly Role[]>()

/** `isThere` proves whether an account that answers 404 still exists. */
export async function readRoles(
  client: Client,
  call: Call,
  id: AccountId,
  isThere: () => Promise<boolean>,
): Promise<readonly Role[]> {
  const request: PlatformRequest = { method: 'GET', path: [...roles, id] }
  const answer = await expect(client, call, request, [200, 404])
  if (answer.status !== 404) {
    const byGroup = Object.entries(parseAnswer(rolesByGroup, request, answer))
    const held = byGroup.flatMap(([group, members]) =>
      members.map((role) => ({ group_id: Number(group), role_id: role.id })),
    )
    return readAhead.keep(call, id, held)
  }
  if (await isThere()) throw new Denied(`the roles of account ${id} are out of the token's sight`, { isOfOne: true })
  throw new Absent(`account ${id} is gone`)
}

/** Gives before it takes: a person who moves between roles is never without one. Returns the roles as read afterwards. */
export async function writeRoles(
  client: Client,
  call: Call,
  id: AccountId,
  give: readonly Grant[],
  take: readonly Grant[],
  rolesPost: 'add' | 'replace',
  isThere: () => Promise<boolean>,
  /** Awaited before the first write, and not when there is none. */
  beforeWriting: () => Promise<void>,
): Promise<readonly Role[]> {
  const before = await readAhead.take(call, id, () => readRoles(client, call, id, isThere))
  const held = new Set(before.map(keyOf))
  const missing = unique(give.map(toRole)).filter((role) => !held.has(keyOf(role)))
  const surplus = unique(take.map(toRole)).filter((role) => held.has(keyOf(role)))
  if (missing.length === 0 && surplus.length === 0) return before
  await beforeWriting()

  const surplusKeys = new Set(surplus.map(keyOf))
  const kept = before.filter((role) => !surplusKeys.has(keyOf(role)))
  if (missing.length > 0) {
    const groups = new Set(missing.map((role) => role.group_id))
    const alongside = rolesPost === 'replace' ? before.filter((role) => groups.has(role.group_id)) : []
    await postRoles(client, call, id, [...alongside, ...missing])
  }
  for (const role of surplus) {
    const path = [...roles, id, String(role.group_id), String(role.role_id)]
    // 404: gone already.
    await expect(client, call, { method: 'DELETE', path }, [200, 204, 404])
  }

  const after = await readRoles(client, call, id, isThere)
  const lost = without(kept, after)
  // This portal's POST replaces: what was given by hand goes back before anybody notices.
  if (lost.length > 0) {
    await postRoles(client, call, id, [...kept, ...missing])
    throw new Broken(`POST roles of account ${id} took other roles away; set rolesPost: replace for this portal`)
  }
  const ungiven = without(missing, after)
  const untaken = surplus.length - without(surplus, after).length
  if (ungiven.length > 0 || untaken > 0) {
    throw new Broken(`account ${id}: ${ungiven.length} roles not given, ${untaken} not taken after the write`)
  }
  return after
}

async function postRoles(client: Client, call: Call, id: AccountId, wanted: readonly Role[]): Promise<void> {
  const body: Record<string, number[]> = {}
  for (const [group, members] of Map.groupBy(wanted, (role) => role.group_id)) {
    body[String(group)] = members.map((role) => role.role_id)
  }
  const request: PlatformRequest = { method: 'POST', path: [...roles, id], body }
  const answer = await client.send(call, request)
  if (answer.status === 201 || answer.status === 200) return
  // Role and group ids differ per portal, so a wrong one is the likely reason of both.
  if (saysBadValue(answer) || answer.status === 404) {
    const names = wanted.map((role) => `role ${role.role_id} in group ${role.group_id}`).join(', ')
    throw new Refused(
      `Figshare does not know one of these grants, or the account may not have it: ${names}. Correct the mapping.`,
      `POST /${roles.join('/')}/${id} answered ${answer.status}`,
    )
  }
  throw toError(request, answer)
}

function without(some: readonly Role[], others: readonly Role[]): Role[] {
  const keys = new Set(others.map(keyOf))
  return some.filter((role) => !keys.has(keyOf(role)))
}

function unique(some: readonly Role[]): Role[] {
  return [...new Map(some.map((role) => [keyOf(role), role])).values()]
}

function toRole(grant: Grant): Role {
  const { group_id, role_id } = grant
  if (typeof group_id === 'number' && typeof role_id === 'number') return { group_id, role_id }
  throw new Refused('A Figshare grant needs group_id and role_id, both numbers.', 'figshare: incomplete grant')
}
