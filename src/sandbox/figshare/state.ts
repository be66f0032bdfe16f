/** The accounts of the imitated portal, with the indices that keep 100,000 of them fast. */
import type { FigshareKnobs } from './knobs.ts'

/** The public author behind an account; its id is of another number space. */
export interface AuthorProfile {
  readonly user_id: number
  first_name: string
  last_name: string
  job_title: string
  orcid: string
  /** What else `PUT /account/profile` took: bio, location, links. */
  readonly more: Map<string, unknown>
}

export interface FigshareAccount {
  readonly id: number
  email: string
  first_name: string
  last_name: string
  group_id: number
  institution_user_id: string
  symplectic_user_id: string
  /** Bytes. */
  quota: number
  used_quota: number
  active: boolean
  readonly createdAt: number
  modifiedAt: number
  readonly profile: AuthorProfile
  /** Group id → role ids. */
  readonly roles: Map<number, Set<number>>
}

export interface FigshareGroup {
  readonly id: number
  readonly name: string
  /** 0 for the top level. */
  readonly parent_id: number
  readonly association_criteria: string
}

export interface FigshareRole {
  readonly id: number
  readonly name: string
  readonly category: 'institution' | 'group'
  readonly description: string
}

export interface SentMail {
  readonly kind: 'verification'
  readonly to: string
}

export interface NewAccount {
  readonly email: string
  readonly last_name: string
  readonly first_name?: string
  readonly group_id?: number
  readonly institution_user_id?: string
  readonly symplectic_user_id?: string
  readonly quota?: number
  readonly is_active?: boolean
  readonly job_title?: string
}

export interface FigshareState {
  readonly accounts: ReadonlyMap<number, FigshareAccount>
  /** Ascending. */
  readonly ids: readonly number[]
  readonly groups: ReadonlyMap<number, FigshareGroup>
  readonly roles: ReadonlyMap<number, FigshareRole>
  readonly mails: SentMail[]
  /** E-mail addresses of people outside the institution, in lower case: taken, and never seen. */
  readonly foreignEmails: Set<string>
  readonly knobs: FigshareKnobs
  now(): number
  byEmail(email: string): readonly FigshareAccount[]
  byUserId(institutionUserId: string): readonly FigshareAccount[]
  byAuthor(userId: number): FigshareAccount | undefined
  /** Without any check: by hand, twins are possible. */
  add(account: NewAccount): FigshareAccount
  /** Later ids are so much higher, as on a platform that has had more accounts. */
  skipIds(count: number): void
  remove(id: number): void
  setEmail(account: FigshareAccount, email: string): void
  /** The group itself or one below it. */
  isWithin(groupId: number, top: number): boolean
}

export const topGroupId = 100
const firstAccountId = 3_000_001
const firstAuthorId = 9_000_001

const groups: readonly FigshareGroup[] = [
  { id: topGroupId, name: 'Sandbox University', parent_id: 0, association_criteria: '' },
  { id: 101, name: 'Physics', parent_id: topGroupId, association_criteria: 'Physics' },
  { id: 102, name: 'Chemistry', parent_id: topGroupId, association_criteria: 'Chemistry' },
  { id: 110, name: 'Library', parent_id: topGroupId, association_criteria: 'Library' },
]

const roles: readonly FigshareRole[] = [
  { id: 2, name: 'Institutional administrator', category: 'institution', description: 'Manages the whole portal' },
  { id: 7, name: 'User', category: 'institution', description: 'Signs in and deposits' },
  { id: 11, name: 'Group member', category: 'group', description: 'Belongs to the group' },
  { id: 49, name: 'Reviewer', category: 'group', description: 'Reviews deposits of the group' },
]

export function createState(knobs: FigshareKnobs, now: () => number): FigshareState {
  const accounts = new Map<number, FigshareAccount>()
  const ids: number[] = []
  const emails = new Map<string, FigshareAccount[]>()
  const userIds = new Map<string, FigshareAccount[]>()
  const authors = new Map<number, FigshareAccount>()
  const groupsById = new Map(groups.map((group) => [group.id, group]))
  let count = 0

  const enter = (index: Map<string, FigshareAccount[]>, key: string, account: FigshareAccount) => {
    const present = index.get(key)
    if (present === undefined) index.set(key, [account])
    else present.push(account)
  }
  const leave = (index: Map<string, FigshareAccount[]>, key: string, account: FigshareAccount) => {
    const rest = (index.get(key) ?? []).filter((other) => other !== account)
    if (rest.length === 0) index.delete(key)
    else index.set(key, rest)
  }

  return {
    accounts,
    ids,
    groups: groupsById,
    roles: new Map(roles.map((role) => [role.id, role])),
    mails: [],
    foreignEmails: new Set(),
    knobs,
    now,
    byEmail: (email) => emails.get(email.toLowerCase()) ?? [],
    byUserId: (institutionUserId) => userIds.get(institutionUserId) ?? [],
    byAuthor: (userId) => authors.get(userId),
    add(wanted) {
      const id = firstAccountId + count
      const account: FigshareAccount = {
        id,
        email: wanted.email,
        first_name: wanted.first_name ?? '',
        last_name: wanted.last_name,
        group_id: wanted.group_id ?? topGroupId,
        institution_user_id: wanted.institution_user_id ?? '',
        symplectic_user_id: wanted.symplectic_user_id ?? '',
        quota: wanted.quota ?? 0,
        used_quota: 0,
        active: wanted.is_active ?? true,
        createdAt: now(),
        modifiedAt: now(),
        profile: {
          user_id: firstAuthorId + count,
          first_name: wanted.first_name ?? '',
          last_name: wanted.last_name,
          job_title: wanted.job_title ?? '',
          orcid: '',
          more: new Map(),
        },
        roles: new Map(),
      }
      count += 1
      accounts.set(id, account)
      ids.push(id)
      authors.set(account.profile.user_id, account)
      enter(emails, account.email.toLowerCase(), account)
      if (account.institution_user_id !== '') enter(userIds, account.institution_user_id, account)
      return account
    },
    remove(id) {
      const account = accounts.get(id)
      if (account === undefined) return
      accounts.delete(id)
      ids.splice(firstAtLeast(ids, id), 1)
      authors.delete(account.profile.user_id)
      leave(emails, account.email.toLowerCase(), account)
      leave(userIds, account.institution_user_id, account)
    },
    skipIds(skipped) {
      count += skipped
    },
    setEmail(account, email) {
      leave(emails, account.email.toLowerCase(), account)
      account.email = email
      enter(emails, email.toLowerCase(), account)
    },
    isWithin(groupId, top) {
      let group = groupsById.get(groupId)
      while (group !== undefined && group.id !== top) group = groupsById.get(group.parent_id)
      return group !== undefined
    },
  }
}

/** Index of the first id that is not smaller, in an ascending list. */
export function firstAtLeast(ids: readonly number[], wanted: number): number {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ids[middle] ?? Number.POSITIVE_INFINITY) < wanted) low = middle + 1
    else high = middle
  }
  return low
}
