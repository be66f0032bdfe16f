/** SCIM Groups as user groups: made with the institute and description of the settings, renamed, deleted. */
import { Absent, Broken, Conflict, type PlatformError, Refused } from '../../errors.ts'
import { describeAnswer, parseAnswer } from '../answer.ts'
import type { PlatformAnswer, PlatformRequest } from '../client.ts'
import type { Call, PlatformGroup, PlatformGroups } from '../platform.ts'
import { userGroup } from './answers.ts'
import { facts } from './facts.ts'
import { heldGroups } from './membership.ts'
import { codesOf, toError } from './refusals.ts'
import type { Settings } from './settings.ts'
import type { SignedIn } from './sign-in.ts'
import {
  findGroup,
  forgetMembers,
  type GroupSettings,
  groupsPath,
  readGroup,
  requireSettings,
  saysGroupGone,
} from './user-groups.ts'

export function createGroups(signedIn: SignedIn, settings: Settings): PlatformGroups {
  return {
    async find(call, name) {
      requireSettings(settings)
      const found = await findGroup(signedIn, call, name)
      return found && toPlatformGroup(found)
    },
    async read(call, id) {
      requireSettings(settings)
      const found = await readGroup(signedIn, call, id)
      return found && toPlatformGroup(found)
    },
    async create(call, name) {
      const chosen = requireSettings(settings)
      forgetMembers(call)
      return create(signedIn, call, chosen, name)
    },
    async rename(call, id, name) {
      requireSettings(settings)
      forgetMembers(call)
      return rename(signedIn, call, id, name)
    },
    async remove(call, id) {
      requireSettings(settings)
      forgetMembers(call)
      return remove(signedIn, call, id)
    },
    grantOf: ({ name }) => ({ group: name }),
    async heldBy(call, id) {
      requireSettings(settings)
      return (await heldGroups(signedIn, call, id)).map(({ id: group, name }) => ({ id: group, name }))
    },
  }
}

function toPlatformGroup({ id, name }: { id: number; name: string }): PlatformGroup {
  return { id: String(id), name }
}

async function create(signedIn: SignedIn, call: Call, chosen: GroupSettings, name: string): Promise<PlatformGroup> {
  refuseUnfitName(name)
  if ((await findGroup(signedIn, call, name)) !== undefined) throw taken('user group name is taken')
  const body = { name, description: chosen.description, institute: chosen.institute }
  const request: PlatformRequest = { method: 'POST', path: groupsPath, body }
  const answer = await signedIn.send(call, request)
  if (answer.status !== 200) throw whyRefused(request, answer)
  const { id } = parseAnswer(userGroup.pick({ id: true }), request, answer)
  return requireNamed(signedIn, call, String(id), name)
}

async function rename(signedIn: SignedIn, call: Call, id: string, name: string): Promise<PlatformGroup> {
  const before = await readGroup(signedIn, call, id)
  if (before === undefined) throw new Absent(`user group ${id} is gone`, { what: 'group' })
  if (before.name === name) return toPlatformGroup(before)
  refuseUnfitName(name)
  // A PUT that merges: `users` is left out, because present it would replace the members.
  const request: PlatformRequest = { method: 'PUT', path: [...groupsPath, id], body: { name } }
  const answer = await signedIn.send(call, request)
  if (saysGroupGone(answer)) throw new Absent(describeAnswer(request, answer), { what: 'group' })
  if (answer.status !== 200) throw whyRefused(request, answer)
  return requireNamed(signedIn, call, id, name)
}

/** Hidden and renamed by OpenSpecimen, so that the name is free again. */
async function remove(signedIn: SignedIn, call: Call, id: string): Promise<void> {
  if ((await readGroup(signedIn, call, id)) === undefined) return
  const request: PlatformRequest = { method: 'DELETE', path: [...groupsPath, id] }
  const answer = await signedIn.send(call, request)
  if (answer.status !== 200 && !saysGroupGone(answer)) throw toError(request, answer)
  if ((await readGroup(signedIn, call, id)) !== undefined) throw new Broken(`DELETE /user-groups/${id} left the group`)
}

async function requireNamed(signedIn: SignedIn, call: Call, id: string, name: string): Promise<PlatformGroup> {
  const after = await readGroup(signedIn, call, id)
  if (after === undefined) throw new Absent(`user group ${id} is gone after a write`, { what: 'group' })
  if (after.name !== name) throw new Broken(`user group ${id} was read back with another name`)
  return toPlatformGroup(after)
}

function whyRefused(request: PlatformRequest, answer: PlatformAnswer): PlatformError {
  const isTaken = codesOf(answer)?.every((code) => code === 'USER_GROUP_DUP_NAME') ?? false
  return isTaken ? taken(describeAnswer(request, answer)) : toError(request, answer)
}

/** A longer name is a bare 500. */
function refuseUnfitName(name: string): void {
  const limit = facts.groups?.maxNameLength ?? 0
  if (name.trim() !== '' && [...name].length <= limit) return
  throw new Refused(
    `displayName: a user group of OpenSpecimen has a name of 1 to ${limit} characters.`,
    'user group name does not fit',
  )
}

function taken(detail: string): Conflict {
  return new Conflict(
    'displayName: OpenSpecimen has a user group with this name already (names are unique over all institutes); choose another one.',
    detail,
  )
}
