/** RFC 6749 §5.2; the last two are for what it does not foresee. */
export type OauthError =
  | 'invalid_request'
  | 'invalid_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'temporarily_unavailable'
  | 'server_error'

/** An answer of the token endpoint that is not a token. `message` becomes `error_description`: ASCII, and never what was sent. */
export class OauthProblem extends Error {
  override readonly name = 'OauthProblem'
  readonly status: number
  readonly error: OauthError
  readonly headers: Readonly<Record<string, string>>
  constructor(status: number, error: OauthError, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.error = error
    this.headers = headers
  }
}
