/** Points of SelfCommunity that nobody could verify. */
export interface SelfcommunityKnobs {
  /** How a signup or a link says that a value is taken; `none`: a message without a code. */
  duplicateCode: 'unique' | 'invalid' | 'none'
  /** Whether the error about a taken value names the field. */
  duplicateNamesField: boolean
  duplicateBody: 'json' | 'text'
  /** Whether `account/search/` finds soft-deleted accounts. */
  searchFindsDeleted: boolean
  /** Answer to status `a` or `b` for a soft-deleted account. */
  restoreDeleted: 204 | 400
  /** The same for a hard-deleted one. */
  restoreUnregistered: 204 | 400
  /** Answer to any call with the JWT of a blocked account; 200: as normal. */
  blockedJwt: 200 | 401 | 403
  deletedJwt: 200 | 401 | 403
  /** Answer to `sso/signin/` where the JWT itself is taken. */
  blockedSignIn: 200 | 401 | 403
  deletedSignIn: 200 | 401 | 403
  /** Whether the role admin carries the right to moderate. */
  adminModerates: boolean
  emailUnique: boolean
  emailValidAfterSignup: boolean
  emailValidAfterChange: boolean
  extIdMaxLength: number
  extIdIntegerOnly: boolean
  defaultPageSize: number
  maxPageSize: number
  usernameInPatch: 'accepted' | 'ignored' | 400
  /** Two official sources name two paths; the other one does not exist. */
  providerListPath: 'docs' | 'sdk'
  tagSearchPath: 'docs' | 'sdk'
  groupsOfUser: 'array' | 'page'
  /** Whether linking the provider `external` fills an empty `ext_id`. */
  linkFillsExtId: boolean
  /** Whether rows of `moderation/user/` carry e-mail and status. */
  moderationRows: 'full' | 'bare'
  /** Answer to a path without its last slash. */
  missingSlash: 404 | 301
  /** Calls that are answered in one second; more get 429. */
  callsPerSecond: number
  /** Text of `Retry-After` of a 429; undefined: no such header. */
  retryAfter: string | undefined
  /** How far `iat` may lie ahead and `exp` behind. */
  clockSkewSeconds: number
  /** Names of the community's own profile fields; other unknown names are dropped in silence. */
  metadataFields: readonly string[]
}

export const defaultKnobs: Readonly<SelfcommunityKnobs> = Object.freeze({
  duplicateCode: 'unique',
  duplicateNamesField: true,
  duplicateBody: 'json',
  searchFindsDeleted: true,
  restoreDeleted: 204,
  restoreUnregistered: 400,
  blockedJwt: 200,
  deletedJwt: 401,
  blockedSignIn: 200,
  deletedSignIn: 403,
  adminModerates: true,
  emailUnique: true,
  emailValidAfterSignup: true,
  emailValidAfterChange: true,
  extIdMaxLength: 255,
  extIdIntegerOnly: false,
  defaultPageSize: 20,
  maxPageSize: 100,
  usernameInPatch: 'ignored',
  providerListPath: 'sdk',
  tagSearchPath: 'docs',
  groupsOfUser: 'array',
  linkFillsExtId: true,
  moderationRows: 'full',
  missingSlash: 404,
  callsPerSecond: Number.POSITIVE_INFINITY,
  retryAfter: undefined,
  clockSkewSeconds: 5,
  metadataFields: ['company_name', 'company_role'],
})
