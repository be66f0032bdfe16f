/** SCIM Groups as DSpace groups: made, renamed and deleted. */
import { Absent, Broken, Conflict, Immutable, type PlatformError, Refused, Unknown } from '../../errors.ts'
import { describeAnswer, parseAnswer } from '../answer.ts'
import type { PlatformAnswer, PlatformRequest } from '../client.ts'
import type { Call, PlatformGroup, PlatformGroups } from '../platform.ts'
import { type Group, group } from './answers.ts'
import { facts } from './facts.ts'
import { findGroup, groupsPath, isRoleName, readGroup, saysNone, whyProtected } from './groups.ts'
import { readGroups } from './membership.ts'
import type { Nesting } from './nesting.ts'
import { toError } from './refusals.ts'
import type { Session } from './session.ts'

export function createGroups(session: Session, nesting: Nesting): PlatformGroups {
  return {
    async find(call, name) {
      const found = await findGroup(session, call, name)
      return found && toPlatformGroup(found)
    },
    async read(call, id) {
      const found = await readGroup(session, call, id)
      return found && toPlatformGroup(found)
    },
    create: (call, name) => create(session, nesting, call, name),
    rename: (call, id, name) => rename(session, nesting, call, id, name),
    remove: (call, id) => remove(session, call, id),
    grantOf: ({ name }) => ({ group: name }),
    heldBy: async (call, id) => (await readGroups(session, call, id)).map(toPlatformGroup),
  }
}

function toPlatformGroup(found: Group): PlatformGroup {
  const shown = { id: found.uuid, name: found.name ?? '' }
  const protectedBecause = whyProtected(found)
  return protectedBecause === undefined ? shown : { ...shown, protectedBecause }
}

async function create(session: Session, nesting: Nesting, call: Call, name: string): Promise<PlatformGroup> {
  refuseUnfitName(name)
  if ((await findGroup(session, call, name)) !== undefined) throw taken('group name is taken')
  const request: PlatformRequest = { method: 'POST', path: groupsPath, body: { name } }
  const answer = await session.send(call, request)
  // The name was free: whoever has it after a 500, it may be this very request that made the group.
  if (answer.status === 500) throw new Unknown(describeAnswer(request, answer))
  if (answer.status !== 201) throw await whyRefused(session, call, name, request, answer)
  const made = await requireNamed(session, call, parseAnswer(group, request, answer).uuid, name)
  await nesting.ensure(call, made)
  return toPlatformGroup(made)
}

async function rename(
  session: Session,
  nesting: Nesting,
  call: Call,
  id: string,
  name: string,
): Promise<PlatformGroup> {
  const before = await readGroup(session, call, id)
  if (before === undefined) throw new Absent(`group ${id} is gone`, { what: 'group' })
  if (before.name === name) return toPlatformGroup(before)
  refuseProtected(before)
  refuseUnfitName(name)
  const holder = await findGroup(session, call, name)
  if (holder !== undefined && holder.uuid !== before.uuid) throw taken(`name wanted for group ${id} is taken`)
  const request: PlatformRequest = {
    method: 'PATCH',
    path: [...groupsPath, id],
    body: [{ op: 'replace', path: '/name', value: name }],
    contentType: 'application/json-patch+json',
  }
  const answer = await session.send(call, request)
  if (saysNone(answer)) throw new Absent(describeAnswer(request, answer), { what: 'group' })
  const isDone = answer.status === 200 || answer.status === 204
  // The state decides, not the status: a 500 may come after the work was done.
  if (!isDone && (await readGroup(session, call, id))?.name !== name)
    throw await whyRefused(session, call, name, request, answer)
  const after = await requireNamed(session, call, id, name)
  await nesting.ensure(call, after)
  return toPlatformGroup(after)
}

async function remove(session: Session, call: Call, id: string): Promise<void> {
  const before = await readGroup(session, call, id)
  if (before === undefined) return
  refuseProtected(before)
  const request: PlatformRequest = { method: 'DELETE', path: [...groupsPath, id] }
  const answer = await session.send(call, request)
  if (answer.status === 422) throw protectedGroup(describeAnswer(request, answer))
  const isDone = answer.status === 204 || answer.status === 200
  // 500 is also the answer to the deletion of what somebody else has deleted meanwhile.
  if (!isDone && !saysNone(answer) && answer.status !== 500) throw toError(request, answer)
  if ((await readGroup(session, call, id)) === undefined) return
  throw isDone ? new Broken(`${describeAnswer(request, answer)} and left the group`) : toError(request, answer)
}

async function requireNamed(session: Session, call: Call, id: string, name: string): Promise<Group> {
  const after = await readGroup(session, call, id)
  if (after === undefined) throw new Absent(`group ${id} is gone after a write`, { what: 'group' })
  if (after.name !== name) throw new Broken(`group ${id} was read back with another name`)
  return after
}

/** A name that exists is a 500 here, elsewhere a 422 or 409: the groups themselves are asked. */
async function whyRefused(
  session: Session,
  call: Call,
  name: string,
  request: PlatformRequest,
  answer: PlatformAnswer,
): Promise<PlatformError> {
  const detail = describeAnswer(request, answer)
  const isDoubtful = answer.status === 422 || answer.status === 409 || answer.status === 500
  if (isDoubtful && (await findGroup(session, call, name)) !== undefined) return taken(detail)
  if (answer.status === 422) return new Refused('displayName: DSpace refuses this group name.', detail)
  return answer.status === 500 ? new Unknown(detail) : toError(request, answer)
}

/** Longer names end in a database error. Names of role groups are DSpace's own: it takes rights from them. */
function refuseUnfitName(name: string): void {
  const limit = facts.groups?.maxNameLength ?? 0
  if (name.trim() === '' || [...name].length > limit)
    throw new Refused(`displayName: a DSpace group's name has 1 to ${limit} characters.`, 'group name does not fit')
  if (isRoleName(name))
    throw new Refused(
      'displayName: names that begin with COLLECTION_ or COMMUNITY_ belong to the role groups of DSpace; choose another one.',
      'name of a role group',
    )
}

function refuseProtected(found: Group): void {
  if (whyProtected(found) !== undefined) throw protectedGroup(`group ${found.uuid} is protected`)
}

function protectedGroup(detail: string): Immutable {
  return new Immutable(
    'displayName: this group of DSpace is protected (built in, or the role of a community or collection); it is neither ' +
      'renamed nor deleted.',
    detail,
  )
}

function taken(detail: string): Conflict {
  return new Conflict('displayName: DSpace has a group with this name already; choose another one.', detail)
}
