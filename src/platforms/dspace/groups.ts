/** Grants: direct membership in groups, by exact name. */
import { Absent, Broken, Conflict, Immutable, Refused, Unknown } from '../../errors.ts'
import type { AccountId, Grant } from '../../facts.ts'
import { describeAnswer, parseAnswer, unexpectedAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { OneAtATime } from '../one-at-a-time.ts'
import type { Call } from '../platform.ts'
import { type Group, group, groupPage } from './answers.ts'
import { facts } from './facts.ts'
import type { Session } from './session.ts'

const pageSize = 100
const maxPages = 1_000

type Query = readonly (readonly [string, string])[]

/** `undefined` when DSpace says, as itself, that there is no such resource. */
async function allGroups(
  session: Session,
  call: Call,
  path: readonly string[],
  query: Query,
): Promise<readonly Group[] | undefined> {
  const found = new Map<string, Group>()
  for (let number = 0; number < maxPages; number++) {
    const paging: Query = [
      ['page', String(number)],
      ['size', String(pageSize)],
    ]
    const request: PlatformRequest = { method: 'GET', path, query: [...query, ...paging] }
    const answer = await session.send(call, request)
    if (answer.status === 404 && !answer.isHtml && answer.json !== undefined) return undefined
    if (answer.status !== 200) throw unexpectedAnswer(request, answer)
    const read = parseAnswer(groupPage, request, answer)
    for (const row of read._embedded?.groups ?? []) found.set(row.uuid, row)
    if (number + 1 >= read.page.totalPages) return [...found.values()]
  }
  throw new Broken(`GET /${path.join('/')} does not come to an end`)
}

/** Direct groups; `undefined` when the EPerson is gone. */
export function groupsOf(session: Session, call: Call, id: AccountId): Promise<readonly Group[] | undefined> {
  return allGroups(session, call, ['api', 'eperson', 'epersons', id, 'groups'], [])
}

async function requireGroupsOf(session: Session, call: Call, id: AccountId): Promise<readonly Group[]> {
  const groups = await groupsOf(session, call, id)
  if (groups === undefined) throw new Absent(`account ${id} has no groups because it is gone`)
  return groups
}

/** DSpace finds names that contain the text, in any letter case; a name is unique and case-sensitive. */
export async function findGroup(session: Session, call: Call, name: string): Promise<Group | undefined> {
  if (name === '') return undefined
  const found = await allGroups(session, call, ['api', 'eperson', 'groups', 'search', 'byMetadata'], [['query', name]])
  return found?.find((candidate) => candidate.name === name)
}

export async function readGroups(session: Session, call: Call, id: AccountId): Promise<readonly Grant[]> {
  return toGrants(await requireGroupsOf(session, call, id))
}

function toGrants(groups: readonly Group[]): readonly Grant[] {
  return groups.flatMap(({ name }) => (name ? [{ group: name }] : []))
}

/** Administrators, everybody, and the groups that carry the rights of a community or collection. */
function requireOrdinary(candidate: Group): void {
  const name = candidate.name ?? ''
  const isPermanent = candidate.permanent === true || name === 'Administrator' || name === 'Anonymous'
  if (!isPermanent && !/^(COLLECTION|COMMUNITY)_/.test(name)) return
  throw new Immutable(
    'group: this group of DSpace is protected (a built-in one, or the role of a community or collection). Use a group of ' +
      'your own, and put that into it in DSpace.',
    `membership of protected group ${candidate.uuid}`,
  )
}

export async function writeGroups(
  session: Session,
  call: Call,
  oneAtATime: OneAtATime,
  membersUrl: string,
  id: AccountId,
  give: readonly Grant[],
  take: readonly Grant[],
): Promise<readonly Grant[]> {
  const held = await requireGroupsOf(session, call, id)
  if (id === session.ownId)
    throw new Immutable("The account is the bridge's own and keeps its groups.", `groups of own account ${id}`)
  const heldNames = new Set(held.map(({ name }) => name))
  const missing = [...new Set(give.map((grant) => String(grant.group)))].filter((name) => !heldNames.has(name))
  const unwanted = new Set(take.map((grant) => String(grant.group)))
  const leaving = held.filter(({ name }) => name && unwanted.has(name))
  if (missing.length === 0 && leaving.length === 0) return toGrants(held)
  // Everything is looked up before the first is given: an unknown group leaves the old set whole.
  const joining: Group[] = []
  for (const name of missing) joining.push(await requireGroup(session, call, name))
  for (const group of [...joining, ...leaving]) requireOrdinary(group)
  // The same membership written twice at once ends in a database error.
  await oneAtATime(call.signal, async () => {
    for (const { uuid } of joining) await join(session, call, uuid, `${membersUrl}/${id}`)
    for (const { uuid } of leaving) await leave(session, call, uuid, id)
  })
  const after = await requireGroupsOf(session, call, id)
  const now = new Set(after.map(({ uuid }) => uuid))
  if (joining.some(({ uuid }) => !now.has(uuid)) || leaving.some(({ uuid }) => now.has(uuid)))
    throw new Broken(`groups of account ${id} were read back otherwise than written`)
  return toGrants(after)
}

async function requireGroup(session: Session, call: Call, name: string): Promise<Group> {
  const found = await findGroup(session, call, name)
  if (found !== undefined) return found
  throw new Refused(
    'group: DSpace has no group with this name; make it first, or correct the mapping.',
    'no such group',
  )
}

async function join(session: Session, call: Call, groupId: string, memberUri: string): Promise<void> {
  const path = ['api', 'eperson', 'groups', groupId, 'epersons']
  const request: PlatformRequest = { method: 'POST', path, body: memberUri, contentType: 'text/uri-list' }
  const answer = await session.send(call, request)
  if (answer.status === 204 || answer.status === 200) return
  if (answer.status === 422 || answer.status === 400)
    throw new Refused('group: DSpace does not add the account to this group.', describeAnswer(request, answer))
  throw unexpectedAnswer(request, answer)
}

async function leave(session: Session, call: Call, groupId: string, id: AccountId): Promise<void> {
  const path = ['api', 'eperson', 'groups', groupId, 'epersons', id]
  const request: PlatformRequest = { method: 'DELETE', path }
  const answer = await session.send(call, request)
  if (answer.status === 204 || answer.status === 200) return
  // 10 says 400, 7 to 9 say 500 without a reason: only the latter may pass by itself.
  if (answer.status === 400 || answer.status === 422)
    throw new Conflict(
      'group: the account is the last member of a workflow group that has open tasks; put somebody else into it first.',
      describeAnswer(request, answer),
    )
  throw unexpectedAnswer(request, answer)
}

/** Makes a group when none has exactly this name. */
export async function createGroup(session: Session, call: Call, name: string): Promise<void> {
  const limit = facts.groups?.maxNameLength ?? 0
  if (name === '' || [...name].length > limit)
    throw new Refused(`displayName: a DSpace group's name has 1 to ${limit} characters.`, 'group name does not fit')
  if ((await findGroup(session, call, name)) !== undefined) return
  const request: PlatformRequest = { method: 'POST', path: ['api', 'eperson', 'groups'], body: { name } }
  const answer = await session.send(call, request)
  if (answer.status === 201) {
    if (parseAnswer(group, request, answer).name !== name) throw new Broken('a group was made with another name')
    return
  }
  // An existing name is a 500 or a 422: somebody was faster.
  const isDoubtful = answer.status === 422 || answer.status === 409 || answer.status === 500
  if (isDoubtful && (await findGroup(session, call, name)) !== undefined) return
  if (answer.status === 422)
    throw new Refused('displayName: DSpace refuses this group name.', describeAnswer(request, answer))
  throw answer.status === 500 ? new Unknown(describeAnswer(request, answer)) : unexpectedAnswer(request, answer)
}
