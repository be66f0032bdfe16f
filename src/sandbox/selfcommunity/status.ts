/** The life of an account: a active, b blocked, d soft deleted, u hard deleted. */
import { notFound, refusal } from './answers.ts'
import type { CommunityUser, SelfcommunityState, UserStatus } from './state.ts'

const dayMs = 86_400_000

/** By whatever way; throws nothing. */
export function setStatus(state: SelfcommunityState, user: CommunityUser, status: UserStatus, days?: number): void {
  const now = state.now()
  user.status = status
  user.blockedAt = status === 'b' ? now : null
  user.blockExpiresAt = status === 'b' && days !== undefined ? now + days * dayMs : null
  user.deletedAt = status === 'd' || status === 'u' ? (user.deletedAt ?? now) : null
  if (status === 'u') forget(state, user)
}

/** Nothing of a hard-deleted person stays, so name, e-mail and ext_id are free again. */
function forget(state: SelfcommunityState, user: CommunityUser): void {
  state.setUsername(user, `unregistered-${user.id}`)
  state.setEmail(user, null)
  for (const link of [...user.links]) state.unlink(user, link)
  user.ext_id = null
  user.real_name = null
  user.bio = null
  user.location = null
  user.description = null
  user.date_of_birth = null
  user.gender = null
  user.website = null
  user.metadata.clear()
  user.tags.clear()
  for (const group of state.groups.values()) group.members.delete(user.id)
}

/** Throws 400 for a second soft delete, 404 for what is already gone for good. */
export function remove(state: SelfcommunityState, user: CommunityUser, isHard: boolean): void {
  if (user.status === 'u') throw notFound()
  if (user.status === 'd' && !isHard) throw refusal(400, 'invalid', 'The user has already been soft deleted')
  setStatus(state, user, isHard ? 'u' : 'd')
}

/** To active or blocked; `days` absent means blocked for ever. Throws where the community knows no way back. */
export function moderate(state: SelfcommunityState, user: CommunityUser, status: 'a' | 'b', days?: number): void {
  const { restoreDeleted, restoreUnregistered } = state.knobs
  const isRefused =
    (user.status === 'd' && restoreDeleted === 400) || (user.status === 'u' && restoreUnregistered === 400)
  if (isRefused) throw refusal(400, 'invalid', 'The status of this user cannot be changed')
  setStatus(state, user, status, days)
}

/** A block of so many days ends by itself. */
export function endBlocks(state: SelfcommunityState): void {
  const now = state.now()
  for (const user of state.users.values()) {
    if (user.blockExpiresAt !== null && user.blockExpiresAt <= now) setStatus(state, user, 'a')
  }
}
