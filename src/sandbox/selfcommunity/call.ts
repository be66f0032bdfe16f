/** One call on its way through the platform, and who may make it. */
import type { SimulatorAnswer, SimulatorRequest } from '../simulator.ts'
import { forbidden, notFound, unauthorized } from './answers.ts'
import {
  type CommunityGroup,
  type CommunityTag,
  type CommunityUser,
  creatorId,
  type SelfcommunityState,
} from './state.ts'

export interface Call {
  readonly state: SelfcommunityState
  readonly secret: string
  /** Undefined without a token. */
  readonly caller: CommunityUser | undefined
  readonly request: SimulatorRequest
  /** The number in the path, 0 where there is none. */
  readonly id: number
}

export type Route = readonly [method: string, path: RegExp, answer: (call: Call) => SimulatorAnswer]

export function signedIn(call: Call): CommunityUser {
  if (call.caller === undefined) throw unauthorized('Authentication credentials were not provided.')
  return call.caller
}

const notAllowed = 'You do not have permission to perform this action.'

export function admin(call: Call): CommunityUser {
  const caller = signedIn(call)
  if (caller.role !== 'admin') throw forbidden(notAllowed)
  return caller
}

export function moderator(call: Call): CommunityUser {
  const caller = signedIn(call)
  const mayModerate = caller.role === 'moderator' || (caller.role === 'admin' && call.state.knobs.adminModerates)
  if (!mayModerate) throw forbidden(notAllowed)
  return caller
}

/** The account of the path, when the caller is that very person: an administrator is not enough. */
export function self(call: Call): CommunityUser {
  const caller = signedIn(call)
  if (caller.id !== call.id) throw forbidden(notAllowed)
  return caller
}

/** `self`, and not blocked: who is blocked reads and signs in, and changes nothing. */
export function selfUnblocked(call: Call): CommunityUser {
  const user = self(call)
  if (user.status !== 'a') throw forbidden('Your account has been blocked.')
  return user
}

export function adminOrSelf(call: Call): CommunityUser {
  const caller = signedIn(call)
  if (caller.id !== call.id) admin(call)
  return userOf(call)
}

/** The account of the path; one that was hard-deleted is gone. */
export function userOf(call: Call): CommunityUser {
  const user = call.state.users.get(call.id)
  if (user === undefined || user.status === 'u') throw notFound()
  return user
}

export function tagOf(call: Call): CommunityTag {
  const tag = call.state.tags.get(call.id)
  if (tag === undefined) throw notFound()
  return tag
}

/** The group of the path; to a stranger an invisible group does not exist. */
export function groupOf(call: Call): CommunityGroup {
  const group = call.state.groups.get(call.id)
  const isMember = call.caller !== undefined && group?.members.has(call.caller.id)
  if (group === undefined || !(group.visible || isMember)) throw notFound()
  return group
}

export function managedGroup(call: Call): CommunityGroup {
  const caller = signedIn(call)
  const group = groupOf(call)
  if (group.managedBy !== caller.id) throw forbidden('Only the manager of the group may do this.')
  return group
}

/** To be called at every change of an account: user 1 notices. */
export function touch(call: Call, userId: number): void {
  if (userId === creatorId) call.state.touched.push(`${call.request.method} ${call.request.path}`)
}
