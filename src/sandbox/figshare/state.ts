/** The accounts of the imitated portal, with the indices that keep 100,000 of them fast. */

/** Points of Figshare that nobody could verify. */
export interface FigshareKnobs {
  /** Answer to invalid values. Mixed paging is always 422. */
  invalidStatus: 400 | 422
  /** Answer to an e-mail or SSO key that is taken. */
  duplicateStatus: 400 | 422
  badTokenStatus: 401 | 403
  errorBody: 'json' | 'empty'
  errorCode: 'text' | 'number'
  acceptsBearer: boolean
  /** How list and search compare e-mail and SSO key. */
  filters: 'exact' | 'case' | 'prefix'
  /** A new account is seen by list and search only after so long; by id at once. */
  listLagMs: number
  /** Whether first and last name of the profile reach the account. */
  profileReachesAccount: boolean
  rolesPost: 'add' | 'replace'
  /** Answer to a PUT that changes nothing. */
  unchangedPut: 205 | 400
  extraFieldsInPut: 'ignored' | 400
  rolesOnDeactivation: 'kept' | 'dropped'
  /** Whether the 201 of a create carries the id. */
  createAnswers: 'account_id' | 'empty'
  /** Pages after the first repeat the row before, or miss their first. */
  pages: 'stable' | 'repeat' | 'miss'
  /** Calls a second that are answered; more get `throttleStatus`. */
  callsPerSecond: number
  throttleStatus: 429 | 403
  /** Added to each call. */
  latencyMs: number
  hrFeed: boolean
  /** From the upload of a feed to its effect. */
  hrFeedDelayMs: number
  /** From an upload until the next one is taken. */
  hrFeedLockMs: number
  hrFeedBusyStatus: number
  /** Element names of the feed, which differ from portal to portal. */
  hrFeedNames: HrFeedNames
}

export interface HrFeedNames {
  readonly uniqueId: string
  readonly firstName: string
  readonly lastName: string
  readonly title: string
  readonly email: string
  readonly isActive: string
  readonly quota: string
  readonly forceQuota: string
  readonly criteria: string
  readonly symplecticId: string
  readonly orcid: string
}

export const defaultKnobs: Readonly<FigshareKnobs> = Object.freeze({
  invalidStatus: 400,
  duplicateStatus: 400,
  badTokenStatus: 403,
  errorBody: 'json',
  errorCode: 'text',
  acceptsBearer: false,
  filters: 'exact',
  listLagMs: 0,
  profileReachesAccount: false,
  rolesPost: 'add',
  unchangedPut: 205,
  extraFieldsInPut: 'ignored',
  rolesOnDeactivation: 'kept',
  createAnswers: 'account_id',
  pages: 'stable',
  callsPerSecond: Number.POSITIVE_INFINITY,
  throttleStatus: 429,
  latencyMs: 0,
  hrFeed: true,
  hrFeedDelayMs: 60_000,
  hrFeedLockMs: 24 * 3_600_000,
  hrFeedBusyStatus: 400,
  hrFeedNames: {
    uniqueId: 'UniqueID',
    firstName: 'FirstName',
    lastName: 'LastName',
    title: 'Title',
    email: 'Email',
    isActive: 'IsActive',
    quota: 'UserQuota',
    forceQuota: 'ForceQuotaUpdate',
    criteria: 'UserAssociationCriteria',
    symplecticId: 'SymplecticUniqueID',
    orcid: 'Orcid',
  },
})

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
