/** Grants of both kinds: roles, and membership in user groups where the connection's settings say that these are used. */
import { Absent, Broken, Immutable, PlatformError, Refused } from '../../errors.ts'
import type { AccountId, Grant } from '../../facts.ts'
import type { PlatformRequest } from '../client.ts'
import { isRefusal } from '../leaving.ts'
import type { Call } from '../platform.ts'
import { createReadAhead } from '../read-ahead.ts'
import { codesOf, toError } from './refusals.ts'
import { readRoles, writeRoles } from './roles.ts'
import type { Settings } from './settings.ts'
import type { SignedIn } from './sign-in.ts'
import {
  forgetMembers,
  groupsPath,
  hasMember,
  membershipsAt,
  readGroup,
  requireSettings,
  type Standing,
  standingsOf,
} from './user-groups.ts'
import { readUser } from './users.ts'

const readAhead = createReadAhead<readonly Standing[]>()

export async function readGrants(
  signedIn: SignedIn,
  call: Call,
  settings: Settings,
  id: AccountId,
): Promise<readonly Grant[]> {
  const roles = await readRoles(signedIn, call, id)
  if (settings.userGroups === undefined) return roles
  return [...roles, ...toGrants(readAhead.keep(call, id, await standingsOf(signedIn, call, id)))]
}

export async function heldGroups(signedIn: SignedIn, call: Call, id: AccountId): Promise<readonly Standing[]> {
  return readAhead.keep(call, id, await standingsOf(signedIn, call, id)).filter(({ isMember }) => isMember)
}

/** Names are compared as roles are, ignoring case; where two groups differ in nothing else, the very name counts. */
function groupOf(grant: Grant, standings: readonly Standing[]): Standing | undefined {
  if (grant.id !== undefined) return standings.find(({ id }) => id === grant.id)
  const asked = String(grant.group)
  const folded = asked.toLowerCase()
  return standings.find(({ name }) => name === asked) ?? standings.find(({ name }) => name.toLowerCase() === folded)
}

function toGrants(standings: readonly Standing[]): Grant[] {
  return standings.filter(({ isMember }) => isMember).map(({ name }) => ({ group: name }))
}

export async function writeGrants(
  signedIn: SignedIn,
  call: Call,
  settings: Settings,
  id: AccountId,
  give: readonly Grant[],
  take: readonly Grant[],
): Promise<readonly Grant[]> {
  const isRole = (grant: Grant) => grant.group === undefined
  const [giveRoles, takeRoles] = [give.filter(isRole), take.filter(isRole)]
  const [wanted, unwanted] = [give.filter((grant) => !isRole(grant)), take.filter((grant) => !isRole(grant))]
  if (wanted.length + unwanted.length > 0) requireSettings(settings)
  if (settings.userGroups === undefined) return writeRoles(signedIn, call, id, giveRoles, takeRoles)

  const standings = await readAhead.take(call, id, () => standingsOf(signedIn, call, id))
  const asked = wanted.map((grant) => groupOf(grant, standings))
  if (asked.includes(undefined))
    throw new Refused(
      'group: OpenSpecimen has no user group with this name; make it first, or correct the mapping.',
      'no such user group',
    )
  const wantedIn = new Set(asked)
  const unwantedIn = new Set(unwanted.map((grant) => groupOf(grant, standings)))
  const joining = standings.filter((group) => wantedIn.has(group) && !group.isMember)
  const leaving = standings.filter((group) => unwantedIn.has(group) && !wantedIn.has(group) && group.isMember)
  const hasChanges = joining.length + leaving.length > 0
  if (hasChanges && id === signedIn.ownId)
    throw new Immutable("The account is the bridge's own and joins no groups.", `groups of own account ${id}`)
  const roles = await joinAnd(signedIn, call, id, joining, () => writeRoles(signedIn, call, id, giveRoles, takeRoles))
  for (const group of leaving) await changeMember(signedIn, call, group, 'REMOVE', id)
  const after = hasChanges ? await reread(signedIn, call, id, standings, [...joining, ...leaving]) : standings
  const [joined, left] = [joining, leaving].map((groups) => new Set(groups.map(({ id: group }) => group)))
  if (after.some((group) => (group.isMember ? left : joined)?.has(group.id)))
    throw new Broken(`user groups of account ${id} were read back otherwise than written`)
  return [...roles, ...toGrants(after)]
}

/** All or none: when a group or a role is refused, the groups just joined are left again. */
async function joinAnd<T>(
  signedIn: SignedIn,
  call: Call,
  id: AccountId,
  joining: readonly Standing[],
  next: () => Promise<T>,
): Promise<T> {
  const joined: Standing[] = []
  try {
    for (const group of joining) {
      await changeMember(signedIn, call, group, 'ADD', id)
      joined.push(group)
    }
    return await next()
  } catch (error) {
    if (error instanceof PlatformError && error.kind === 'refused')
      for (const group of joined) await changeMember(signedIn, call, group, 'REMOVE', id)
    throw error
  }
}

/**
 * Who moves to another institute is in no user group of the one before: these take nobody else's people, and with one of them
 * in it OpenSpecimen refuses every change of the group. Whose move is refused stays where they were.
 */
export async function outOfGroupsOf<T>(
  institute: string,
  signedIn: SignedIn,
  call: Call,
  id: AccountId,
  move: () => Promise<T>,
): Promise<T> {
  const left: Standing[] = []
  try {
    for (const group of await membershipsAt(signedIn, call, id, institute)) {
      await changeMember(signedIn, call, group, 'REMOVE', id)
      left.push(group)
    }
    return await move()
  } catch (error) {
    if (isRefusal(error)) for (const group of left) await changeMember(signedIn, call, group, 'ADD', id)
    throw error
  }
}

/** Idempotent both ways; the answer never lists the members. */
async function changeMember(
  signedIn: SignedIn,
  call: Call,
  group: Standing,
  op: 'ADD' | 'REMOVE',
  id: AccountId,
): Promise<void> {
  forgetMembers(call)
  const path = [...groupsPath, group.id, 'users']
  const request: PlatformRequest = { method: 'PUT', path, query: [['op', op]], body: [{ id: Number(id) }] }
  const answer = await signedIn.send(call, request)
  if (answer.status === 200 && !answer.isHtml) return
  const codes = codesOf(answer) ?? []
  if (codes.includes('USER_ONE_OR_MORE_NOT_FOUND') && (await readUser(signedIn, call, id)) === undefined)
    throw new Absent(`account ${id} is gone`)
  throw toError(request, answer)
}

async function reread(
  signedIn: SignedIn,
  call: Call,
  id: AccountId,
  standings: readonly Standing[],
  changed: readonly Standing[],
): Promise<readonly Standing[]> {
  const now = new Map(standings.map((group) => [group.id, group]))
  for (const group of changed) {
    const read = await readGroup(signedIn, call, group.id)
    now.set(group.id, { ...group, isMember: read !== undefined && hasMember(read, id) })
  }
  return [...now.values()]
}
