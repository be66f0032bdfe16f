/**
 * The closed list of what can go wrong. Platform modules throw only `PlatformError`s; everything that is answered to a
 * SCIM client is a `Problem`. Each carries two texts: `message` for the identity provider's administrator (what to
 * change), `detail` for our log (status, path without query, class; never a body, a token or a value).
 */

/** What an attempt knows about its effect. `applied` is never thrown: it means that the account was read as wanted. */
export type Outcome = 'not_applied' | 'unknown'

/** What the outbox does next: retry at its own time or a told one, find first, or stop for good. */
export type Retry = 'later' | 'told' | 'find' | 'stop'

export type ErrorKind =
  | 'unreachable'
  | 'unknown'
  | 'busy'
  | 'refused'
  | 'immutable'
  | 'conflict'
  | 'disputed'
  | 'absent'
  | 'denied'
  | 'broken'
  | 'fault'

export interface ErrorRule {
  readonly outcome: Outcome
  readonly retry: Retry
  /** The SCIM answer. */
  readonly status: number
  readonly scimType?: string
  /** Whether an operator has to be told. */
  readonly alarm: boolean
}

/** The table: one row a class. A platform's 401, 403 and 5xx never become ours; a 404 is ours only when absence is proved. */
export const errorRules: Readonly<Record<ErrorKind, ErrorRule>> = Object.freeze({
  unreachable: { outcome: 'not_applied', retry: 'later', status: 429, alarm: false },
  unknown: { outcome: 'unknown', retry: 'find', status: 429, alarm: false },
  busy: { outcome: 'not_applied', retry: 'told', status: 429, alarm: false },
  refused: { outcome: 'not_applied', retry: 'stop', status: 400, scimType: 'invalidValue', alarm: false },
  immutable: { outcome: 'not_applied', retry: 'stop', status: 400, scimType: 'mutability', alarm: false },
  conflict: { outcome: 'not_applied', retry: 'stop', status: 409, scimType: 'uniqueness', alarm: false },
  disputed: { outcome: 'not_applied', retry: 'stop', status: 409, scimType: 'uniqueness', alarm: true },
  absent: { outcome: 'not_applied', retry: 'stop', status: 404, alarm: true },
  denied: { outcome: 'not_applied', retry: 'later', status: 429, alarm: true },
  broken: { outcome: 'unknown', retry: 'find', status: 429, alarm: true },
  fault: { outcome: 'not_applied', retry: 'stop', status: 500, alarm: true },
})

/** Base of the classes below; never thrown itself. */
export class PlatformError extends Error {
  readonly kind: ErrorKind
  readonly detail: string
  /** Milliseconds that the platform asked us to wait, when it did. */
  readonly retryAfterMs: number | undefined
  constructor(kind: ErrorKind, message: string, detail: string, options?: ErrorOptions & { retryAfterMs?: number }) {
    super(message, options)
    this.name = new.target.name
    this.kind = kind
    this.detail = detail
    this.retryAfterMs = options?.retryAfterMs
  }
  get rule(): ErrorRule {
    return errorRules[this.kind]
  }
}

/** Nothing was sent: refused, DNS, TLS, no socket. */
export class Unreachable extends PlatformError {
  constructor(detail: string, options?: ErrorOptions) {
    super(
      'unreachable',
      'The platform cannot be reached; the change is kept and will be made when it is back.',
      detail,
      options,
    )
  }
}

/** Something was sent, and we cannot know whether it was done. Next step: find. */
export class Unknown extends PlatformError {
  constructor(detail: string, options?: ErrorOptions) {
    super('unknown', 'The platform did not confirm the change; it will be checked and finished.', detail, options)
  }
}

/** The platform asks for patience (429, or 503 with Retry-After) and has done nothing. */
export class Busy extends PlatformError {
  constructor(detail: string, options?: ErrorOptions & { retryAfterMs?: number }) {
    super('busy', 'The platform is busy; the change is kept and will be made later.', detail, options)
  }
}

/** The person was invited, and has made no account yet. We look again later. */
export class Invited extends PlatformError {
  constructor(detail: string, options?: ErrorOptions) {
    super(
      'busy',
      'The person has been invited; the change is kept until they have made their account.',
      detail,
      options,
    )
  }
}

/** The platform refuses our data. `message` names the attribute and what to change. */
export class Refused extends PlatformError {
  constructor(message: string, detail: string, options?: ErrorOptions) {
    super('refused', message, detail, options)
  }
}

/** The platform, the mapping or protection forbids this change. `message` says what to do instead. */
export class Immutable extends PlatformError {
  constructor(message: string, detail: string, options?: ErrorOptions) {
    super('immutable', message, detail, options)
  }
}

/** The value is taken by another account. A module may only *suspect* it; a find makes it certain. */
export class Conflict extends PlatformError {
  constructor(message: string, detail: string, options?: ErrorOptions) {
    super('conflict', message, detail, options)
  }
}

/** More than one account fits, or the one that fits is linked elsewhere. A human has to choose. */
export class Disputed extends PlatformError {
  constructor(message: string, detail: string, options?: ErrorOptions) {
    super('disputed', message, detail, options)
  }
}

/** The account (or the group) is gone, for certain. */
export class Absent extends PlatformError {
  constructor(detail: string, options?: ErrorOptions & { what?: 'account' | 'group' }) {
    super(
      'absent',
      options?.what === 'group'
        ? 'The group no longer exists on the platform; create the group again to make a new one.'
        : 'The account no longer exists on the platform; create the user again to make a new one.',
      detail,
      options,
    )
  }
}

/** The platform refuses our credentials or rights. Never relayed as 401 or 403. */
export class Denied extends PlatformError {
  /** Our credentials are good, and only this account is out of our reach: no reason to leave the others alone. */
  readonly isOfOne: boolean
  constructor(detail: string, options?: ErrorOptions & { isOfOne?: boolean }) {
    const isOfOne = options?.isOfOne === true
    super(
      'denied',
      isOfOne
        ? "The platform refuses the bridge's own account the right to this one; the bridge's operator has to see to it. The change is kept."
        : "The platform refuses the bridge's own credentials; the bridge's operator has to renew them. The change is kept.",
      detail,
      options,
    )
    this.isOfOne = isOfOne
  }
}

/** True as long as the work goes on; see `givenUpText`. */
const willBeChecked = 'The platform answered in an unexpected way; the change is kept and will be checked.'
const givenUp =
  "The platform answered in an unexpected way, again and again. What is not done is kept for the bridge's operator."

/** The platform broke its contract: 200 but unchanged, no id, wrong shape. `message`: where somebody can do something about it. */
export class Broken extends PlatformError {
  constructor(detail: string, options?: ErrorOptions & { message?: string }) {
    super('broken', options?.message ?? willBeChecked, detail, options)
  }
}

/** What is said of an error when nothing more is done about it by itself. */
export function givenUpText({ message }: PlatformError): string {
  return message === willBeChecked ? givenUp : message
}

/** A defect of ours. */
export class Fault extends PlatformError {
  constructor(detail: string, options?: ErrorOptions) {
    super(
      'fault',
      "The bridge could not handle this change; its operator finds the reason in the bridge's log.",
      detail,
      options,
    )
  }
}

/** RFC 7644 §3.12 and RFC 9865 §3. */
export type ScimType =
  | 'invalidFilter'
  | 'tooMany'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'
  | 'invalidVers'
  | 'sensitive'
  | 'invalidCursor'
  | 'expiredCursor'
  | 'invalidCount'

/** An answer to a SCIM client that is not a success. `message` becomes the `detail` of the SCIM error body. */
export class Problem extends Error {
  readonly status: number
  readonly scimType: ScimType | undefined
  /** Extra response headers, for example `Retry-After` or `Allow`. */
  readonly headers: Readonly<Record<string, string>>
  /** For our log only. */
  readonly detail: string | undefined
  constructor(
    status: number,
    scimType: ScimType | undefined,
    message: string,
    options?: ErrorOptions & { headers?: Readonly<Record<string, string>>; detail?: string },
  ) {
    super(message, options)
    this.name = 'Problem'
    this.status = status
    this.scimType = scimType
    this.headers = options?.headers ?? {}
    this.detail = options?.detail
  }
}
