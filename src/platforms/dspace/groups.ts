/** Reading DSpace's groups, and telling which of them nobody but an administrator of DSpace may change. */
import { Absent, Broken } from '../../errors.ts'
import type { AccountId } from '../../facts.ts'
import { parseAnswer } from '../answer.ts'
import type { PlatformAnswer, PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import { administrators } from './accounts.ts'
import { type Group, group, groupPage } from './answers.ts'
import { toError } from './refusals.ts'
import type { Session } from './session.ts'

export const groupsPath = ['api', 'eperson', 'groups'] as const
const pageSize = 100
const maxPages = 1_000
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

type Query = readonly (readonly [string, string])[]

/** Whether DSpace says, as itself, that there is no such resource: a page of a proxy proves nothing. */
export function saysNone(answer: PlatformAnswer): boolean {
  return answer.status === 404 && !answer.isHtml && answer.json !== undefined
}

/** All pages; `undefined` when there is no such resource. */
export async function allGroups(
  session: Session,
  call: Call,
  path: readonly string[],
  query: Query = [],
): Promise<readonly Group[] | undefined> {
  const found = new Map<string, Group>()
  for (let number = 0; number < maxPages; number++) {
    const paging: Query = [
      ['page', String(number)],
      ['size', String(pageSize)],
    ]
    const request: PlatformRequest = { method: 'GET', path, query: [...query, ...paging] }
    const answer = await session.send(call, request)
    if (saysNone(answer)) return undefined
    if (answer.status !== 200) throw toError(request, answer)
    const read = parseAnswer(groupPage, request, answer)
    // Members that are groups come under `subgroups`, or under `groups` as the contract's example says.
    for (const row of read._embedded?.groups ?? read._embedded?.subgroups ?? []) found.set(row.uuid, row)
    if (number + 1 >= read.page.totalPages) return [...found.values()]
  }
  throw new Broken(`GET /${path.join('/')} does not come to an end`)
}

/** Direct groups; `undefined` when the EPerson is gone. */
export function groupsOf(session: Session, call: Call, id: AccountId): Promise<readonly Group[] | undefined> {
  return allGroups(session, call, ['api', 'eperson', 'epersons', id, 'groups'])
}

export async function requireGroupsOf(session: Session, call: Call, id: AccountId): Promise<readonly Group[]> {
  const groups = await groupsOf(session, call, id)
  if (groups === undefined) throw new Absent(`account ${id} has no groups because it is gone`)
  return groups
}

/** DSpace finds names that contain the text, in any letter case; a name is unique and case-sensitive. */
export async function findGroup(session: Session, call: Call, name: string): Promise<Group | undefined> {
  if (name === '') return undefined
  // A text that looks like an id is looked up as one, and never found as a name: all groups are walked for it.
  const found = uuid.test(name)
    ? await allGroups(session, call, groupsPath)
    : await allGroups(session, call, [...groupsPath, 'search', 'byMetadata'], [['query', name]])
  return found?.find((candidate) => candidate.name === name)
}

export async function readGroup(session: Session, call: Call, id: string): Promise<Group | undefined> {
  if (!uuid.test(id)) return undefined
  const request: PlatformRequest = { method: 'GET', path: [...groupsPath, id] }
  const answer = await session.send(call, request)
  if (saysNone(answer)) return undefined
  if (answer.status !== 200) throw toError(request, answer)
  const read = parseAnswer(group, request, answer)
  if (read.uuid.toLowerCase() !== id.toLowerCase()) throw new Broken(`group ${id} was asked for, another one answered`)
  return read
}

/** Whether a group of this name carries the rights of a community or collection. DSpace makes them and keeps their names. */
export function isRoleName(name: string): boolean {
  return /^(COLLECTION|COMMUNITY)_/.test(name)
}

/** Why the group itself may not be renamed or deleted; whoever does it gets 422. */
export function whyProtected(candidate: Group): string | undefined {
  const name = candidate.name ?? ''
  if (candidate.permanent === true || name === administrators || name === 'Anonymous') return 'it is built into DSpace'
  return isRoleName(name) ? 'it carries a role of a community or collection' : undefined
}
