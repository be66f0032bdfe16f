/** JSON Web Tokens (RFC 7519, and RFC 8725 on what goes wrong with them). */
import type { CryptoKey } from 'jose'
import * as errors from 'jose/errors'
import { jwtVerify } from 'jose/jwt/verify'
import type { Algorithm } from '../../access.ts'
import type { Clock } from '../../clock.ts'
import type { Json, JsonObject } from '../../json.ts'
import { authorizationBytes, clockToleranceSeconds } from '../../limits.ts'
import { parseBody } from '../body.ts'
import { NotAuthenticated } from './refusal.ts'

/** Said by a token itself: nothing of it is believed before its signature is checked. */
export interface ReadToken {
  readonly text: string
  readonly algorithm: string
  readonly kid: string | undefined
  readonly type: string
  readonly claims: JsonObject
}

/** Header parameters that bring along the key to check with, or say where it is. */
const keyBearers = ['jku', 'jwk', 'x5u']
/** What only ID tokens have (OpenID Connect Core §2): they are for a person's browser, not for us. */
const idTokenClaims = ['nonce', 'at_hash', 'c_hash']

/** Undefined: not three parts with an object in each of the first two, or a name twice in one of them. */
export function readToken(text: string): ReadToken | undefined {
  if (text.length > authorizationBytes || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return undefined
  const [first = '', second = ''] = text.split('.')
  try {
    // As strict as with bodies: of a name that comes twice, another reader may have kept the other one.
    const header = parseBody(Buffer.from(first, 'base64url'))
    const claims = parseBody(Buffer.from(second, 'base64url'))
    if (typeof header.alg !== 'string' || keyBearers.some((name) => Object.hasOwn(header, name))) return undefined
    const kid = typeof header.kid === 'string' ? header.kid : undefined
    const type = typeof header.typ === 'string' ? header.typ.toLowerCase().replace(/^application\//, '') : ''
    return { text, algorithm: header.alg, kid, type, claims }
  } catch {
    return undefined
  }
}

export interface TokenRules {
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly Algorithm[]
  /** Words of `typ`; the empty text stands for a token without one. */
  readonly types: readonly string[]
  readonly claims: Readonly<Record<string, string>>
  /** Between `iat` and `exp`. */
  readonly longestLifeSeconds?: number
}

export type FindKey = (token: ReadToken) => Promise<CryptoKey | undefined>

/** Throws `NotAuthenticated`, or what `findKey` throws. */
export async function verifyToken(token: ReadToken, rules: TokenRules, findKey: FindKey, clock: Clock): Promise<void> {
  if (!rules.algorithms.some((algorithm) => algorithm === token.algorithm)) throw new NotAuthenticated('signature')
  if (!rules.types.includes(token.type)) throw new NotAuthenticated('claims')
  const key = await findKey(token)
  if (key === undefined) throw new NotAuthenticated('signature')
  const now = clock.now()
  try {
    await jwtVerify(token.text, key, {
      algorithms: [...rules.algorithms],
      issuer: rules.issuer,
      audience: rules.audience,
      requiredClaims: ['exp'],
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(now),
    })
  } catch (error) {
    throw new NotAuthenticated(reasonOf(error), { cause: error })
  }
  const { iat, exp } = token.claims
  const latest = now / 1_000 + clockToleranceSeconds
  if (typeof iat === 'number' && iat > latest) throw new NotAuthenticated('claims')
  if (rules.longestLifeSeconds !== undefined) {
    const end = now / 1_000 + rules.longestLifeSeconds + clockToleranceSeconds
    if (typeof exp !== 'number' || exp > end) throw new NotAuthenticated('claims')
  }
  if (idTokenClaims.some((name) => Object.hasOwn(token.claims, name))) throw new NotAuthenticated('claims')
  if (!hasClaims(token, rules.claims)) throw new NotAuthenticated('claims')
}

/** Each claim has the wanted value, or contains it. */
export function hasClaims({ claims }: Pick<ReadToken, 'claims'>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) =>
    contains(name, Object.hasOwn(claims, name) ? claims[name] : undefined, value),
  )
}

/** A list contains its entries; `scope` and Entra's `scp` are lists in one text (RFC 8693 §4.2). */
function contains(name: string, value: Json | undefined, wanted: string): boolean {
  if (Array.isArray(value)) return value.includes(wanted)
  if (typeof value !== 'string') return value !== undefined && value !== null && String(value) === wanted
  return value === wanted || ((name === 'scope' || name === 'scp') && value.split(' ').includes(wanted))
}

function reasonOf(error: unknown): NotAuthenticated['reason'] {
  if (error instanceof errors.JWTExpired) return 'expired'
  if (error instanceof errors.JWTClaimValidationFailed) return 'claims'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature'
  return 'malformed'
}
