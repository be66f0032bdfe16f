/** What the platform shows of people, tags and groups, and to whom. */
import type { CommunityGroup, CommunityTag, CommunityUser, ProviderLink, SelfcommunityState } from './state.ts'

/** What everybody sees: no e-mail, no status, no role. */
export function showUser(state: SelfcommunityState, user: CommunityUser) {
  return {
    id: user.id,
    username: user.username,
    real_name: user.real_name,
    avatar: user.avatar,
    ext_id: user.ext_id,
    date_joined: toDate(user.joinedAt),
    bio: user.bio,
    location: user.location,
    date_of_birth: user.date_of_birth,
    description: user.description,
    gender: user.gender,
    website: user.website,
    cover: user.cover,
    tags: tagsOf(state, user).filter(isPublic).map(showTag),
    reputation: 0,
    community_badge: false,
    reg_approved: true,
    deleted: user.status === 'd',
    ...(user.deletedAt === null ? {} : { deleted_at: toDate(user.deletedAt) }),
    ...Object.fromEntries(state.knobs.metadataFields.map((name) => [name, user.metadata.get(name) ?? null])),
  }
}

export function showAccount(state: SelfcommunityState, user: CommunityUser) {
  const { email, email_isvalid, status } = user
  return { ...showUser(state, user), email, email_isvalid, status }
}

export function showModerated(state: SelfcommunityState, user: CommunityUser) {
  const { email, status, blockedAt, blockExpiresAt } = user
  const more = {
    blocked_at: blockedAt === null ? null : toDate(blockedAt),
    days_blocked: daysBlocked(user),
    expire_at: blockExpiresAt === null ? null : toDate(blockExpiresAt),
    last_seen: null,
    flags_given: 0,
    flags_received: 0,
  }
  const row = { ...showUser(state, user), ...more }
  return state.knobs.moderationRows === 'full' ? { ...row, email, status } : row
}

function daysBlocked({ status, blockedAt, blockExpiresAt }: CommunityUser): number | 'forever' | null {
  if (status !== 'b' || blockedAt === null) return null
  return blockExpiresAt === null ? 'forever' : Math.round((blockExpiresAt - blockedAt) / 86_400_000)
}

export function showLight(user: CommunityUser) {
  const { id, username, real_name, ext_id, avatar } = user
  return { id, username, real_name, ext_id, avatar }
}

export function tagsOf(state: SelfcommunityState, user: CommunityUser): CommunityTag[] {
  return [...user.tags].flatMap((id) => state.tags.get(id) ?? [])
}

export function isPublic(tag: CommunityTag): boolean {
  return tag.visible && tag.active && !tag.deleted
}

export function showTag({ createdAt, ...tag }: CommunityTag) {
  return { ...tag, created_at: toDate(createdAt) }
}

export function showGroup(state: SelfcommunityState, caller: CommunityUser | undefined, group: CommunityGroup) {
  const creator = state.users.get(group.createdBy)
  const keeper = state.users.get(group.managedBy)
  return {
    id: group.id,
    name: group.name,
    description: group.description,
    slug: group.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'),
    color: group.color,
    privacy: group.privacy,
    visible: group.visible,
    active: group.active,
    subscription_status: (caller === undefined ? undefined : group.members.get(caller.id)) ?? null,
    subscribers_counter: [...group.members.values()].filter((standing) => standing === 'subscribed').length,
    created_at: toDate(group.createdAt),
    ...(creator === undefined ? {} : { created_by: showLight(creator) }),
    ...(keeper === undefined ? {} : { managed_by: showLight(keeper) }),
  }
}

export function showLink(user: CommunityUser, link: ProviderLink) {
  return { user_id: user.id, ...link }
}

function toDate(at: number): string {
  return new Date(at).toISOString()
}
