/** Why somebody was not let in. For log and metrics: the answer is the same for all of them. */
export type Reason =
  | 'missing'
  | 'malformed'
  | 'unknown'
  | 'expired'
  | 'revoked'
  | 'signature'
  | 'claims'
  | 'replayed'
  | 'address'
  | 'throttled'

/** Thrown by whoever looks at credentials; never shown to the caller. */
export class NotAuthenticated extends Error {
  override readonly name = 'NotAuthenticated'
  readonly reason: Reason
  /** Of whoever it claims to be, when it is one that we know: never text of a stranger. */
  readonly caller: string | undefined
  constructor(reason: Reason, options?: ErrorOptions & { caller?: string }) {
    super(reason, options)
    this.reason = reason
    this.caller = options?.caller
  }
}
