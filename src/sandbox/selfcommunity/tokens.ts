/** JSON Web Tokens signed with the community's secret: whoever has the secret can speak for anybody. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { SimulatorRequest } from '../simulator.ts'
import { forbidden, type Refusal, unauthorized } from './answers.ts'
import { isRecord } from './input.ts'
import type { CommunityUser, SelfcommunityState } from './state.ts'

const badToken = 'Given token not valid for any token type'

/** Seconds since 1970 in `iat` and `exp`; milliseconds make the token look issued in the far future. */
export function mintToken(secret: string, claims: Readonly<Record<string, unknown>>): string {
  const signed = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`
  return `${signed}.${signature(secret, signed).toString('base64url')}`
}

/** What `jwt/verify_token/` asks: the signature alone, whoever the token speaks for. */
export function isSigned(secret: string, token: string): boolean {
  return readClaims(secret, token) !== undefined
}

/** Nobody without a header; throws 401 for a token that does not hold, even where none is needed. */
export function authenticate(
  state: SelfcommunityState,
  secret: string,
  request: SimulatorRequest,
): CommunityUser | undefined {
  const header = request.headers.authorization
  if (header === undefined) return undefined
  const token = /^Bearer +(\S+)$/i.exec(header)?.[1]
  const claims = token === undefined ? undefined : readClaims(secret, token)
  if (claims === undefined || !isTimely(state, claims) || claims.token_type !== 'access') throw unauthorized(badToken)
  const user = typeof claims.user_id === 'number' ? state.users.get(claims.user_id) : undefined
  if (user === undefined || user.status === 'u') throw unauthorized('User not found')
  const { blockedJwt, deletedJwt } = state.knobs
  if (user.status === 'b' && blockedJwt !== 200) throw refusalOf(blockedJwt)
  if (user.status === 'd' && deletedJwt !== 200) throw refusalOf(deletedJwt)
  return user
}

export function refusalOf(status: 401 | 403): Refusal {
  return status === 401 ? unauthorized('User is inactive') : forbidden('This account is not active.')
}

function isTimely(state: SelfcommunityState, claims: Readonly<Record<string, unknown>>): boolean {
  const now = state.now() / 1000
  const skew = state.knobs.clockSkewSeconds
  const { iat, exp } = claims
  return typeof iat === 'number' && typeof exp === 'number' && iat <= now + skew && exp > now - skew
}

function readClaims(secret: string, token: string): Readonly<Record<string, unknown>> | undefined {
  const [header, claims, signed, ...more] = token.split('.')
  if (header === undefined || claims === undefined || signed === undefined || more.length > 0) return undefined
  // A token that names another algorithm, or none, must not choose how it is checked.
  if (decoded(header)?.alg !== 'HS256') return undefined
  const expected = signature(secret, `${header}.${claims}`)
  const given = Buffer.from(signed, 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  return decoded(claims)
}

function signature(secret: string, text: string): Buffer {
  return createHmac('sha256', secret).update(text).digest()
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decoded(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}
