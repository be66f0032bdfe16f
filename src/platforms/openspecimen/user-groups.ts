/** User groups: lists of people of one institute, without rights. OpenSpecimen cannot say in which groups a person is. */
import { Broken, Refused } from '../../errors.ts'
import type { AccountId } from '../../facts.ts'
import { parseAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import { type UserGroup, type UserGroupRow, userGroup, userGroupRows } from './answers.ts'
import { codesOf, toError } from './refusals.ts'
import type { Settings } from './settings.ts'
import type { SignedIn } from './sign-in.ts'
import { longestPlainRun } from './users.ts'

export const groupsPath = ['user-groups'] as const
const pageSize = 100
const maxPages = 100
/** Each group that has members costs a call to see who they are. */
const maxGroups = 500

export type GroupSettings = NonNullable<Settings['userGroups']>

/** Throws `Refused` where the connection's settings say nothing of user groups: their institute cannot be guessed. */
export function requireSettings(settings: Settings): GroupSettings {
  if (settings.userGroups !== undefined) return settings.userGroups
  throw new Refused(
    'group: the user groups of OpenSpecimen are not set up for this connection; its operator has to say ' +
      'settings.userGroups.institute.',
    'openspecimen: settings.userGroups is missing',
  )
}

async function listGroups(
  signedIn: SignedIn,
  call: Call,
  query: string,
  institute?: string,
): Promise<readonly UserGroupRow[]> {
  const rows = new Map<number, UserGroupRow>()
  for (let page = 0; page < maxPages; page++) {
    const request: PlatformRequest = {
      method: 'GET',
      path: groupsPath,
      query: [
        ...(query === '' ? [] : [['query', query] as const]),
        ...(institute === undefined ? [] : [['institute', institute] as const]),
        ['listAll', 'true'],
        ['includeStats', 'true'],
        // Groups say `startAt` where users say `start`.
        ['startAt', String(page * pageSize)],
        ['maxResults', String(pageSize)],
      ],
    }
    const answer = await signedIn.send(call, request)
    if (answer.status !== 200) throw toError(request, answer)
    const read = parseAnswer(userGroupRows, request, answer)
    for (const row of read) rows.set(row.id, row)
    if (read.length < pageSize) return [...rows.values()]
  }
  throw new Broken('GET /user-groups does not come to an end')
}

/** OpenSpecimen finds names that contain the text, in any letter case; a name is unique over all institutes. */
export async function findGroup(signedIn: SignedIn, call: Call, name: string): Promise<UserGroupRow | undefined> {
  if (name === '') return undefined
  const rows = await listGroups(signedIn, call, longestPlainRun(name))
  return rows.find((row) => row.name === name)
}

/** With its members; `undefined` when it is gone. */
export async function readGroup(signedIn: SignedIn, call: Call, id: string): Promise<UserGroup | undefined> {
  // Ids are numbers; OpenSpecimen would call anything else a malformed request.
  if (!/^\d{1,15}$/.test(id)) return undefined
  const query = [['includeUsers', 'true']] as const
  const request: PlatformRequest = { method: 'GET', path: [...groupsPath, id], query }
  const answer = await signedIn.send(call, request)
  if (saysGroupGone(answer)) return undefined
  if (answer.status !== 200) throw toError(request, answer)
  const read = parseAnswer(userGroup, request, answer)
  if (String(read.id) !== id) throw new Broken(`user group ${id} was asked for, another one answered`)
  return read.activityStatus === 'Disabled' ? undefined : read
}

export function saysGroupGone(answer: Parameters<typeof codesOf>[0]): boolean {
  return codesOf(answer)?.includes('USER_GROUP_NOT_FOUND') ?? false
}

export function hasMember(group: UserGroup, id: AccountId): boolean {
  return group.users?.some((member) => String(member.id) === id) ?? false
}

export interface Standing {
  readonly id: string
  readonly name: string
  readonly isMember: boolean
}

/** Every group, and whether the person is in it: one call, and one more for each group that has members. */
export async function standingsOf(signedIn: SignedIn, call: Call, id: AccountId): Promise<readonly Standing[]> {
  const groups = known.get(call) ?? (await readMembers(signedIn, call, await listGroups(signedIn, call, '')))
  known.set(call, groups)
  return groups.map((group) => standingIn(group, id))
}

/** The groups of one institute that the person is in. */
export async function membershipsAt(
  signedIn: SignedIn,
  call: Call,
  id: AccountId,
  institute: string,
): Promise<readonly Standing[]> {
  const rows = await listGroups(signedIn, call, '', institute)
  const there = rows.filter((row) => row.institute?.toLowerCase() === institute.toLowerCase())
  const groups = await readMembers(signedIn, call, there)
  return groups.map((group) => standingIn(group, id)).filter(({ isMember }) => isMember)
}

interface Members extends Omit<Standing, 'isMember'> {
  readonly users: ReadonlySet<AccountId>
}

function standingIn({ users, ...group }: Members, id: AccountId): Standing {
  return { ...group, isMember: users.has(id) }
}

/** A walk asks about everybody on a page: read for each of them, many groups would never let it come to the end of one. */
const known = new WeakMap<Call, readonly Members[]>()

/** For whoever writes: what was read before is stale. */
export function forgetMembers(call: Call): void {
  known.delete(call)
}

async function readMembers(signedIn: SignedIn, call: Call, rows: readonly UserGroupRow[]): Promise<readonly Members[]> {
  const filled = rows.filter((row) => row.noOfUsers !== 0)
  if (filled.length > maxGroups) throw new Broken(`OpenSpecimen has more than ${maxGroups} user groups with members`)
  const groups: Members[] = []
  for (const row of rows) {
    const group = row.noOfUsers === 0 ? undefined : await readGroup(signedIn, call, String(row.id))
    const users = new Set((group?.users ?? []).map((member) => String(member.id)))
    groups.push({ id: String(row.id), name: row.name, users })
  }
  return groups
}
