/**
 * Grants that are groups of the community, where the connection's settings say so: only those that the service user manages,
 * because only a manager may put people in and out.
 */
import { Broken, Fault, Refused } from '../../errors.ts'
import type { AccountId, Grant } from '../../facts.ts'
import { describeAnswer, unexpectedAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import { createReadAhead } from '../read-ahead.ts'
import { type CommunityGroup, communityGroupPage, communityGroupRows } from './answers.ts'
import { pages } from './pages.ts'
import { saysNone } from './refusals.ts'
import type { Caller } from './tokens.ts'
import { whyNotShown } from './users.ts'

/** What a write does; made before anything is written, so that an unknown group leaves the old set whole. */
export interface GroupPlan {
  readonly joining: readonly CommunityGroup[]
  readonly leaving: readonly CommunityGroup[]
  readonly held: readonly CommunityGroup[]
}

function isManaged(caller: Caller, group: CommunityGroup): boolean {
  return (group.managed_by?.id ?? caller.serviceUserId) === caller.serviceUserId
}

const readAhead = createReadAhead<readonly CommunityGroup[]>()

/** Groups of the person that we manage; others are neither ours to give nor to take. */
export async function heldGroups(caller: Caller, call: Call, id: AccountId): Promise<readonly CommunityGroup[]> {
  const request: PlatformRequest = { method: 'GET', path: ['api', 'v2', 'user', id, 'groups'] }
  const answer = await caller.asService(call, request)
  const reason = saysNone(answer) ? await whyNotShown(caller, call, id, 'groups') : undefined
  if (reason !== undefined) throw reason
  if (answer.status !== 200) throw unexpectedAnswer(request, answer)
  // An array on paper, a page in the official client.
  const all = communityGroupRows.safeParse(answer.json)
  const rows = all.success ? all.data : await pagedGroups(caller, call, request.path)
  return readAhead.keep(
    call,
    id,
    rows.filter((group) => isManaged(caller, group)),
  )
}

async function pagedGroups(caller: Caller, call: Call, path: readonly string[]): Promise<readonly CommunityGroup[]> {
  const found: CommunityGroup[] = []
  for await (const rows of pages(caller, call, path, [], communityGroupPage)) found.push(...rows)
  return found
}

/** Without a filter: the groups of the caller, invisible ones too, which the search hides from strangers. */
export async function managedGroups(caller: Caller, call: Call): Promise<readonly CommunityGroup[]> {
  return (await pagedGroups(caller, call, ['api', 'v2', 'group'])).filter((group) => isManaged(caller, group))
}

export async function planGroups(
  caller: Caller,
  call: Call,
  id: AccountId,
  give: readonly string[],
  take: readonly string[],
): Promise<GroupPlan> {
  const held = await readAhead.take(call, id, () => heldGroups(caller, call, id))
  const missing = [...new Set(give)].filter((name) => !held.some((group) => group.name === name))
  const leaving = held.filter(({ name }) => take.includes(name) && !give.includes(name))
  if (missing.length === 0) return { joining: [], leaving, held }
  const ours = await managedGroups(caller, call)
  const joining = missing.map((name) => {
    const found = ours.find((group) => group.name === name)
    if (found !== undefined) return found
    throw new Refused(
      'group: SelfCommunity has no group with this name that the service user manages; make it first, hand it over to the ' +
        'service user, or correct the mapping.',
      'no such managed group',
    )
  })
  return { joining, leaving, held }
}

/** Returns the groups as read afterwards. */
export async function applyGroups(
  caller: Caller,
  call: Call,
  id: AccountId,
  plan: GroupPlan,
): Promise<readonly CommunityGroup[]> {
  const { joining, leaving, held } = plan
  if (joining.length + leaving.length === 0) return held
  for (const group of joining) await subscribe(caller, call, group, userNumber(id))
  for (const group of leaving) await unsubscribe(caller, call, group, userNumber(id))
  const after = await heldGroups(caller, call, id)
  const now = new Set(after.map((group) => group.id))
  if (joining.some((group) => !now.has(group.id)) || leaving.some((group) => now.has(group.id)))
    throw new Broken(`groups of account ${id} were read back otherwise than written`)
  return after
}

export function toGroupGrants(groups: readonly CommunityGroup[]): Grant[] {
  return [...new Set(groups.map(({ name }) => name))].map((name) => ({ group: name }))
}

/** Both calls change the *service user's own* membership when they name nobody: so they are never sent without a number. */
function userNumber(id: AccountId): number {
  if (/^[1-9]\d{0,14}$/.test(id)) return Number(id)
  throw new Fault('a SelfCommunity account id is not a number')
}

async function subscribe(caller: Caller, call: Call, group: CommunityGroup, userId: number): Promise<void> {
  const request: PlatformRequest = { method: 'POST', path: pathOf(group), body: { users: [userId] } }
  const answer = await caller.asService(call, request)
  if ([200, 201, 204].includes(answer.status)) return
  if (answer.status === 400 && !answer.isHtml)
    throw new Refused('group: SelfCommunity does not add the account to this group.', describeAnswer(request, answer))
  throw unexpectedAnswer(request, answer)
}

async function unsubscribe(caller: Caller, call: Call, group: CommunityGroup, userId: number): Promise<void> {
  const query = [['user', String(userId)]] as const
  const request: PlatformRequest = { method: 'DELETE', path: pathOf(group), query }
  const answer = await caller.asService(call, request)
  // Gone already, as the reading afterwards has to confirm.
  if (answer.status !== 200 && answer.status !== 204 && !saysNone(answer)) throw unexpectedAnswer(request, answer)
}

function pathOf(group: CommunityGroup): readonly string[] {
  return ['api', 'v2', 'group', String(group.id), 'subscribe']
}
