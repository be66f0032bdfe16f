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
