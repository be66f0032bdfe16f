/** SCIM Groups as user tags: made, renamed, and marked as deleted. SelfCommunity removes no tag. */
import { Absent, Broken, Conflict, type PlatformError, Refused } from '../../errors.ts'
import { describeAnswer, parseAnswer, unexpectedAnswer } from '../answer.ts'
import type { PlatformAnswer, PlatformRequest } from '../client.ts'
import type { Call, PlatformGroup, PlatformGroups } from '../platform.ts'
import { type Tag, tag, userPage } from './answers.ts'
import { facts } from './facts.ts'
import { saysNone } from './refusals.ts'
import { isUserTag, readTag, readTags, tagPath, tagsNamed } from './tags.ts'
import type { Caller } from './tokens.ts'

export function createTagGroups(caller: Caller): PlatformGroups {
  return {
    async find(call, name) {
      const found = (await tagsNamed(caller, call, name)).find(isUserTag)
      return found && toPlatformGroup(found)
    },
    async read(call, id) {
      const found = await readTag(caller, call, id)
      return found && toPlatformGroup(found)
    },
    create: (call, name) => create(caller, call, name),
    rename: (call, id, name) => rename(caller, call, id, name),
    remove: (call, id) => remove(caller, call, id),
    grantOf: ({ name }) => ({ tag: name }),
    heldBy: async (call, id) => (await readTags(caller, call, id)).map(toPlatformGroup),
  }
}

function toPlatformGroup(found: Tag): PlatformGroup {
  return { id: String(found.id), name: found.name }
}

async function create(caller: Caller, call: Call, name: string): Promise<PlatformGroup> {
  refuseUnfitName(name)
  const namesakes = await tagsNamed(caller, call, name)
  if (namesakes.some(isUserTag)) throw taken('tag name is taken')
  const [deleted] = namesakes
  if (deleted !== undefined) return revive(caller, call, deleted)
  const request: PlatformRequest = { method: 'POST', path: tagPath, body: { name, type: 'user' } }
  const answer = await caller.asService(call, request)
  if (answer.status !== 201 && answer.status !== 200) throw await whyRefused(caller, call, name, request, answer)
  const { id } = parseAnswer(tag.pick({ id: true }), request, answer)
  return requireNamed(caller, call, String(id), name)
}

/** A deleted tag keeps its name for ever, so the group of this name can only be that tag again; but never with old members. */
async function revive(caller: Caller, call: Call, deleted: Tag): Promise<PlatformGroup> {
  const query = [
    ['tag_id', String(deleted.id)],
    ['limit', '1'],
  ] as const
  const request: PlatformRequest = { method: 'GET', path: [...tagPath, 'user'], query }
  const answer = await caller.asService(call, request)
  if (answer.status !== 200) throw unexpectedAnswer(request, answer)
  if (parseAnswer(userPage, request, answer).count > 0)
    throw new Conflict(
      'displayName: a deleted tag of SelfCommunity has this name, and people still carry it; choose another name, or take ' +
        'the tag from them in SelfCommunity.',
      `deleted tag ${deleted.id} has members`,
    )
  const id = String(deleted.id)
  await patch(caller, call, id, { active: true, deleted: false }, deleted.name)
  return requireNamed(caller, call, id, deleted.name)
}

async function rename(caller: Caller, call: Call, id: string, name: string): Promise<PlatformGroup> {
  const before = await readTag(caller, call, id)
  if (before === undefined) throw new Absent(`tag ${id} is gone`, { what: 'group' })
  if (before.name === name) return toPlatformGroup(before)
  refuseUnfitName(name)
  if ((await tagsNamed(caller, call, name)).length > 0) throw taken(`name wanted for tag ${id} is taken`)
  await patch(caller, call, id, { name }, name)
  return requireNamed(caller, call, id, name)
}

async function remove(caller: Caller, call: Call, id: string): Promise<void> {
  const before = await readTag(caller, call, id)
  if (before === undefined) return
  await patch(caller, call, id, { active: false, deleted: true }, before.name)
  if ((await readTag(caller, call, id)) !== undefined) throw new Broken(`PATCH /tag/${id} left the tag`)
}

async function patch(caller: Caller, call: Call, id: string, body: object, name: string): Promise<void> {
  const request: PlatformRequest = { method: 'PATCH', path: [...tagPath, id], body }
  const answer = await caller.asService(call, request)
  if (answer.status === 200 || answer.status === 204) return
  if (saysNone(answer)) throw new Absent(describeAnswer(request, answer), { what: 'group' })
  throw await whyRefused(caller, call, name, request, answer)
}

async function requireNamed(caller: Caller, call: Call, id: string, name: string): Promise<PlatformGroup> {
  const after = await readTag(caller, call, id)
  if (after === undefined) throw new Absent(`tag ${id} is gone after a write`, { what: 'group' })
  if (after.name !== name) throw new Broken(`tag ${id} was read back with another name`)
  return toPlatformGroup(after)
}

/** There is no 409, and the code of a 400 is not documented: the tags themselves say whether the name is taken. */
async function whyRefused(
  caller: Caller,
  call: Call,
  name: string,
  request: PlatformRequest,
  answer: PlatformAnswer,
): Promise<PlatformError> {
  if (answer.status !== 400 || answer.isHtml) return unexpectedAnswer(request, answer)
  const detail = describeAnswer(request, answer)
  if ((await tagsNamed(caller, call, name)).length > 0) return taken(detail)
  return new Refused('displayName: SelfCommunity refuses this name for a tag; choose another one.', detail)
}

function refuseUnfitName(name: string): void {
  const limit = facts.groups?.maxNameLength ?? 0
  if (name.trim() !== '' && [...name].length <= limit) return
  throw new Refused(`displayName: a SelfCommunity tag has 1 to ${limit} characters.`, 'tag name does not fit')
}

function taken(detail: string): Conflict {
  return new Conflict('displayName: SelfCommunity has a tag with this name already; choose another one.', detail)
}
