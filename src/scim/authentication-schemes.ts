import { type AuthenticationScheme, bearerScheme } from './discovery.ts'

const basicScheme: AuthenticationScheme = Object.freeze({
  type: 'httpbasic',
  name: 'HTTP Basic',
  description: 'A user and a password of this connection in the Authorization header',
  specUri: 'https://www.rfc-editor.org/info/rfc7617',
})

const oauthScheme: AuthenticationScheme = Object.freeze({
  type: 'oauth2',
  name: 'OAuth 2.0',
  description:
    'An access token in the Authorization header, from the token endpoint of this connection or an issuer that it trusts',
  specUri: 'https://www.rfc-editor.org/info/rfc6749',
})

/** RFC 7643 §5: the ways into one connection. Bearer tokens always: the store can have some at any time. */
export function authenticationSchemes(ways: {
  readonly takesBasic: boolean
  readonly takesOauth: boolean
}): readonly AuthenticationScheme[] {
  return [bearerScheme, ...(ways.takesBasic ? [basicScheme] : []), ...(ways.takesOauth ? [oauthScheme] : [])]
}
