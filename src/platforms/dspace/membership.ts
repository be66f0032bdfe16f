/** Grants: direct membership in groups, by exact name. */
import { Broken, Conflict, Immutable, Refused } from '../../errors.ts'
import type { AccountId, Grant } from '../../facts.ts'
import { describeAnswer, parseAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { OneAtATimeEach } from '../one-at-a-time.ts'
import type { Call } from '../platform.ts'
import { createReadAhead } from '../read-ahead.ts'
import { administrators } from './accounts.ts'
import { requireAnotherAdministrator } from './administrators.ts'
import { epersonPage, type Group } from './answers.ts'
import { allGroups, findGroup, groupsPath, readGroup, requireGroupsOf, whyProtected } from './groups.ts'
import type { Nesting } from './nesting.ts'
import { toError } from './refusals.ts'
import type { Session } from './session.ts'

export interface Membership {
  readonly session: Session
  /** Members are named to groups by their address: `<base>/api/eperson/epersons`. */
  readonly membersUrl: string
  /** By group: the same membership written twice at once ends in a database error. */
  readonly oneAtATime: OneAtATimeEach
  readonly nesting: Nesting
  /** Protected groups that the connection's settings name: their membership may be given. */
  readonly roleGroups: ReadonlySet<string>
}

const readAhead = createReadAhead<readonly Group[]>()

export async function readGroups(session: Session, call: Call, id: AccountId): Promise<readonly Group[]> {
  return readAhead.keep(call, id, await requireGroupsOf(session, call, id))
}

export function toGrants(groups: readonly Group[]): readonly Grant[] {
  return groups.flatMap(({ name }) => (name ? [{ group: name }] : []))
}

export async function writeGroups(
  membership: Membership,
  call: Call,
  id: AccountId,
  give: readonly Grant[],
  take: readonly Grant[],
): Promise<readonly Grant[]> {
  const { session, membersUrl } = membership
  const held = await readAhead.take(call, id, () => requireGroupsOf(session, call, id))
  if (id === session.ownId)
    throw new Immutable("The account is the bridge's own and keeps its groups.", `groups of own account ${id}`)
  const missing = give.filter((grant) => !held.some((group) => isMembershipIn(grant, group)))
  const leaving = held.filter((group) => take.some((grant) => isMembershipIn(grant, group)))
  if (missing.length === 0 && leaving.length === 0) return toGrants(held)
  // Everything is looked up before the first is given: an unknown group leaves the old set whole.
  const found = new Map<string, Group>()
  for (const grant of missing) {
    const group = await requireGroup(session, call, grant)
    found.set(group.uuid, group)
  }
  const joining = [...found.values()]
  for (const group of [...joining, ...leaving]) requireOrdinary(membership, group)
  for (const group of joining) await membership.nesting.ensure(call, group)
  for (const { uuid } of joining)
    await membership.oneAtATime(uuid, call.signal, () => join(session, call, uuid, `${membersUrl}/${id}`))
  for (const group of leaving)
    await membership.oneAtATime(group.uuid, call.signal, () => leave(session, call, group, id))
  const after = await requireGroupsOf(session, call, id)
  const now = new Set(after.map(({ uuid }) => uuid))
  if (joining.some(({ uuid }) => !now.has(uuid)) || leaving.some(({ uuid }) => now.has(uuid)))
    throw new Broken(`groups of account ${id} were read back otherwise than written`)
  return toGrants(after)
}

/** Not: administrators, everybody, and the groups that carry the rights of a community or collection, unless named. */
export function mayBeGiven({ roleGroups }: Pick<Membership, 'roleGroups'>, candidate: Group): boolean {
  return whyProtected(candidate) === undefined || roleGroups.has(candidate.name ?? '')
}

function requireOrdinary(membership: Membership, candidate: Group): void {
  if (mayBeGiven(membership, candidate)) return
  throw new Immutable(
    'group: this group of DSpace is protected (a built-in one, or the role of a community or collection). Use a group of ' +
      "your own and nest it, or have the bridge's operator name the group in settings.roleGroups.",
    `membership of protected group ${candidate.uuid}`,
  )
}

function isMembershipIn(grant: Grant, { uuid, name }: Group): boolean {
  return grant.id === undefined ? Boolean(name) && grant.group === name : grant.id === uuid
}

export async function requireGroup(session: Session, call: Call, { id, group: name }: Grant): Promise<Group> {
  const found = await (id === undefined ? findGroup(session, call, String(name)) : readGroup(session, call, String(id)))
  if (found !== undefined) return found
  throw new Refused(
    'group: DSpace has no group with this name; make it first, or correct the mapping.',
    'no such group',
  )
}

async function join(session: Session, call: Call, groupId: string, memberUri: string): Promise<void> {
  const path = [...groupsPath, groupId, 'epersons']
  const request: PlatformRequest = { method: 'POST', path, body: memberUri, contentType: 'text/uri-list' }
  const answer = await session.send(call, request)
  if (answer.status === 204 || answer.status === 200) return
  if (answer.status === 422 || answer.status === 400)
    throw new Refused('group: DSpace does not add the account to this group.', describeAnswer(request, answer))
  throw toError(request, answer)
}

async function leave(session: Session, call: Call, group: Group, id: AccountId): Promise<void> {
  if (group.name === administrators) await requireAnotherAdministrator(session, call, group, id)
  const path = [...groupsPath, group.uuid, 'epersons', id]
  const request: PlatformRequest = { method: 'DELETE', path }
  let answer = await session.send(call, request)
  // 10 says 400 to the last member of a workflow group, 7 to 9 say 500 without a reason, as to whatever else may pass by itself:
  // that is no refusal before it is said twice.
  const isDoubtful = answer.status === 500 && (await isAlone(session, call, group, id))
  if (isDoubtful) answer = await session.send(call, request)
  if (answer.status === 204 || answer.status === 200) return
  if (answer.status === 400 || answer.status === 422 || (isDoubtful && answer.status === 500))
    throw new Conflict(
      'group: the account is the last member of a workflow group that has open tasks; put somebody else into it first.',
      describeAnswer(request, answer),
    )
  throw toError(request, answer)
}

/** Whether nobody else is in the group, neither a person nor a group. */
async function isAlone(session: Session, call: Call, group: Group, id: AccountId): Promise<boolean> {
  const path = [...groupsPath, group.uuid]
  const request: PlatformRequest = { method: 'GET', path: [...path, 'epersons'], query: [['size', '2']] }
  const answer = await session.send(call, request)
  if (answer.status !== 200) throw toError(request, answer)
  const { page, _embedded } = parseAnswer(epersonPage, request, answer)
  if (page.totalElements !== 1 || _embedded?.epersons?.[0]?.uuid !== id) return false
  return (await allGroups(session, call, [...path, 'subgroups']))?.length === 0
}
