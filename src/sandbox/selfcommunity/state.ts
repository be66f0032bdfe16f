/** The people, tags and groups of the imitated community, with the indices that keep many of them fast. */
import type { SelfcommunityKnobs } from './knobs.ts'

/** Active, blocked, soft deleted, unregistered (hard deleted). */
export const statuses = ['a', 'b', 'd', 'u'] as const
export type UserStatus = (typeof statuses)[number]

export const roles = ['admin', 'moderator', 'editor'] as const
export type Role = (typeof roles)[number]

export interface CommunityUser {
  readonly id: number
  username: string
  ext_id: string | null
  email: string | null
  email_isvalid: boolean
  password: string | null
  role: Role | null
  status: UserStatus
  real_name: string | null
  bio: string | null
  location: string | null
  description: string | null
  date_of_birth: string | null
  gender: string | null
  website: string | null
  avatar: string
  cover: string | null
  /** The community's own profile fields. */
  readonly metadata: Map<string, unknown>
  readonly joinedAt: number
  deletedAt: number | null
  blockedAt: number | null
  /** Null: for ever. */
  blockExpiresAt: number | null
  /** Ids, in the order in which they were given. */
  readonly tags: Set<number>
  readonly links: ProviderLink[]
  /** An e-mail change that waits for its code. */
  pendingEmail: { readonly email: string; readonly code: string } | null
}

/** `external` is any identity provider that SelfCommunity does not know by name. */
export interface ProviderLink {
  readonly provider: string
  readonly ext_id: string
  readonly profile_url: string | null
  readonly metadata: unknown
  readonly show_in_profile: boolean
}

export interface CommunityTag {
  readonly id: number
  type: 'user' | 'category' | 'contribution'
  name: string
  description: string | null
  color: string | null
  visible: boolean
  visibility_boost: boolean
  active: boolean
  deleted: boolean
  readonly createdAt: number
}

export interface CommunityGroup {
  readonly id: number
  name: string
  description: string | null
  color: string | null
  privacy: 'public' | 'private'
  visible: boolean
  active: boolean
  readonly createdAt: number
  readonly createdBy: number
  readonly managedBy: number
  /** User id → standing. */
  readonly members: Map<number, 'subscribed' | 'requested' | 'invited'>
}

export type NewUser = Pick<CommunityUser, 'username'> &
  Partial<
    Pick<
      CommunityUser,
      'ext_id' | 'email' | 'email_isvalid' | 'password' | 'role' | 'status' | 'real_name' | 'avatar' | 'cover'
    >
  > & { readonly id?: number; readonly tags?: Iterable<number> }
export type NewTag = Pick<CommunityTag, 'name'> & Partial<Omit<CommunityTag, 'id' | 'createdAt'>>
export type NewGroup = Pick<CommunityGroup, 'name' | 'managedBy'> &
  Partial<Pick<CommunityGroup, 'description' | 'color' | 'privacy' | 'visible' | 'active'>>

export interface SelfcommunityState {
  readonly knobs: SelfcommunityKnobs
  readonly users: ReadonlyMap<number, CommunityUser>
  readonly tags: Map<number, CommunityTag>
  readonly groups: Map<number, CommunityGroup>
  /** What was done to user 1, the creator of the community, whom nobody may touch: `PATCH /api/v2/user/1/`. */
  readonly touched: string[]
  now(): number
  byUsername(username: string): CommunityUser | undefined
  /** Ignoring case; several where e-mail addresses need not be unique. */
  byEmail(email: string): readonly CommunityUser[]
  byLink(provider: string, extId: string): CommunityUser | undefined
  /** Without any check; a taken user name is taken over. */
  addUser(user: NewUser): CommunityUser
  /** Later ids are so much higher, as on a platform that has had more accounts. */
  skipIds(count: number): void
  /** Without a trace, as if it had never been there. */
  removeUser(id: number): void
  setUsername(user: CommunityUser, username: string): void
  setEmail(user: CommunityUser, email: string | null): void
  link(user: CommunityUser, link: ProviderLink): void
  unlink(user: CommunityUser, link: ProviderLink): void
  addTag(tag: NewTag): CommunityTag
  addGroup(group: NewGroup): CommunityGroup
}

export const creatorId = 1

export function createState(knobs: SelfcommunityKnobs, now: () => number): SelfcommunityState {
  const users = new Map<number, CommunityUser>()
  const tags = new Map<number, CommunityTag>()
  const groups = new Map<number, CommunityGroup>()
  const usernames = new Map<string, CommunityUser>()
  const emails = new Map<string, CommunityUser[]>()
  const owners = new Map<string, CommunityUser>()
  let lastUserId = creatorId

  const setUsername = (user: CommunityUser, username: string) => {
    if (usernames.get(user.username) === user) usernames.delete(user.username)
    user.username = username
    usernames.set(username, user)
  }
  const setEmail = (user: CommunityUser, email: string | null) => {
    const before = user.email?.toLowerCase()
    if (before !== undefined) {
      const rest = (emails.get(before) ?? []).filter((other) => other !== user)
      if (rest.length === 0) emails.delete(before)
      else emails.set(before, rest)
    }
    user.email = email
    if (email === null) return
    const key = email.toLowerCase()
    emails.set(key, [...(emails.get(key) ?? []), user])
  }
  const link = (user: CommunityUser, added: ProviderLink) => {
    user.links.push(added)
    owners.set(linkKey(added.provider, added.ext_id), user)
  }
  const unlink = (user: CommunityUser, removed: ProviderLink) => {
    user.links.splice(user.links.indexOf(removed), 1)
    owners.delete(linkKey(removed.provider, removed.ext_id))
    if (removed.provider === 'external' && user.ext_id === removed.ext_id) user.ext_id = null
  }

  return {
    knobs,
    users,
    tags,
    groups,
    touched: [],
    now,
    byUsername: (username) => usernames.get(username),
    byEmail: (email) => emails.get(email.toLowerCase()) ?? [],
    byLink: (provider, extId) => owners.get(linkKey(provider, extId)),
    setUsername,
    setEmail,
    link,
    unlink,
    skipIds(count) {
      lastUserId += count
    },
    addUser(wanted) {
      const id = wanted.id ?? lastUserId + 1
      lastUserId = Math.max(lastUserId, id)
      const status = wanted.status ?? 'a'
      const user: CommunityUser = {
        id,
        username: wanted.username,
        ext_id: wanted.ext_id ?? null,
        email: null,
        email_isvalid: wanted.email_isvalid ?? knobs.emailValidAfterSignup,
        password: wanted.password ?? null,
        role: wanted.role ?? null,
        status,
        real_name: wanted.real_name ?? null,
        bio: null,
        location: null,
        description: null,
        date_of_birth: null,
        gender: null,
        website: null,
        avatar: wanted.avatar ?? pictureUrl('avatar', id, 0),
        cover: wanted.cover ?? null,
        metadata: new Map(),
        joinedAt: now(),
        deletedAt: status === 'd' ? now() : null,
        blockedAt: status === 'b' ? now() : null,
        blockExpiresAt: null,
        tags: new Set(wanted.tags),
        links: [],
        pendingEmail: null,
      }
      users.set(id, user)
      usernames.set(user.username, user)
      setEmail(user, wanted.email ?? null)
      if (user.ext_id !== null) link(user, externalLink(user.ext_id))
      return user
    },
    removeUser(id) {
      const user = users.get(id)
      if (user === undefined) return
      users.delete(id)
      if (usernames.get(user.username) === user) usernames.delete(user.username)
      setEmail(user, null)
      for (const held of [...user.links]) unlink(user, held)
      for (const group of groups.values()) group.members.delete(id)
    },
    addTag(wanted) {
      const tag: CommunityTag = {
        type: 'user',
        description: null,
        color: null,
        visible: true,
        visibility_boost: false,
        active: true,
        deleted: false,
        ...wanted,
        id: tags.size + 1,
        createdAt: now(),
      }
      tags.set(tag.id, tag)
      return tag
    },
    addGroup(wanted) {
      const group: CommunityGroup = {
        description: null,
        color: null,
        privacy: 'public',
        visible: true,
        active: true,
        ...wanted,
        id: Math.max(0, ...groups.keys()) + 1,
        createdAt: now(),
        createdBy: wanted.managedBy,
        members: new Map([[wanted.managedBy, 'subscribed']]),
      }
      groups.set(group.id, group)
      return group
    },
  }
}

function linkKey(provider: string, extId: string): string {
  return `${provider}\u0000${extId}`
}

export function externalLink(extId: string): ProviderLink {
  return { provider: 'external', ext_id: extId, profile_url: null, metadata: null, show_in_profile: false }
}

/** Where an uploaded picture is shown; the version changes with each upload. */
export function pictureUrl(kind: 'avatar' | 'cover', userId: number, version: number): string {
  return `https://media.community.example/${kind}/${userId}/${version}.png`
}
