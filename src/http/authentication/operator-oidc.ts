/** Operators sign in at their identity provider: OpenID Connect Core §3.1, an authorization code with PKCE (RFC 7636). */
import { createHmac, hash, randomBytes } from 'node:crypto'
import { jwtVerify } from 'jose/jwt/verify'
import type { OperatorOidc } from '../../access.ts'
import type { Clock } from '../../clock.ts'
import { Problem } from '../../errors.ts'
import type { JsonObject } from '../../json.ts'
import { clockToleranceSeconds, consoleSessions, oidcSignInMs } from '../../limits.ts'
import type { Log } from '../../log.ts'
import type { SessionStore } from '../../store/session-store.ts'
import { watchFile } from '../../watched-file.ts'
import { fetchJson } from './fetch-json.ts'
import { hasClaims, type ReadToken, readToken } from './jwt.ts'
import type { LiveSecret } from './live-secret.ts'
import { openIdConfiguration } from './openid-configuration.ts'
import { NotAuthenticated } from './refusal.ts'
import { remoteKeys } from './remote-keys.ts'

export interface OidcSignIn {
  /** Of the identity provider, for the page. */
  readonly host: string
  /** `cookie` is for the browser that begins, so that nobody else's sign-in can be put upon it. Throws a `Problem` (503). */
  begin(): Promise<{ readonly address: string; readonly cookie: string }>
  /** Changes with whoever may sign in, and with the client's secret. */
  fingerprint(): string
  /** The operator's name. Throws `NotAuthenticated`, or a `Problem` (503) when the identity provider cannot be asked. */
  finish(cookie: string | undefined, answer: URLSearchParams): Promise<string>
}

interface Begun {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

export function oidcSignIn(
  settings: OperatorOidc,
  surroundings: {
    readonly clock: Clock
    readonly log: Log
    readonly publicUrl: string
    /** Sign-ins that have begun, for all replicas: the browser may come back to another one. */
    readonly sessions: SessionStore
    /** Where the client's secret comes from a file, that file. */
    readonly secretFile: string | undefined
    readonly clientSecret: LiveSecret
  },
): OidcSignIn {
  const { clock, log, publicUrl, sessions, secretFile, clientSecret } = surroundings
  const { issuer, clientId, allowHttp } = settings
  const findKey = remoteKeys(settings, { clock, log })
  const secretNow = secretFile === undefined ? () => settings.clientSecret : watchFile(secretFile).text
  const redirectUri = `${publicUrl}/console/sign-in/oidc/callback`

  async function configuration(): Promise<{ readonly authorization: string; readonly token: string }> {
    try {
      const { authorization_endpoint: authorization, token_endpoint: token } = await openIdConfiguration(settings)
      if (typeof authorization !== 'string' || typeof token !== 'string') throw new Error('it names no endpoints')
      if (!allowHttp && new URL(authorization).protocol !== 'https:') throw new Error('its endpoint is not https')
      return { authorization, token }
    } catch (cause) {
      throw unavailable(cause)
    }
  }

  async function idTokenFor(code: string, { verifier }: Begun): Promise<string> {
    const { token } = await configuration()
    const form = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: redirectUri })
    form.set('code_verifier', verifier)
    // RFC 6749 §2.3.1: both are form-encoded before they are put together.
    const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(secretNow())}`
    const authorization = `Basic ${Buffer.from(pair).toString('base64')}`
    let answer: JsonObject
    try {
      answer = await fetchJson(token, settings, { form, authorization })
    } catch (cause) {
      log.warn({ issuer, err: cause }, 'an operator could not sign in: the token endpoint gave no token')
      throw new NotAuthenticated('unknown', { cause })
    }
    if (typeof answer.id_token !== 'string') throw new NotAuthenticated('malformed')
    return answer.id_token
  }

  return {
    host: new URL(issuer).host,
    fingerprint: () =>
      digest(JSON.stringify([issuer, clientId, settings.claims, clientSecret.digest().toString('hex')])),
    async begin() {
      const { authorization } = await configuration()
      const cookie = randomBytes(32).toString('base64url')
      const { state, nonce, verifier } = begunWith(cookie)
      const now = clock.now()
      const bounds = { beganBefore: now - oidcSignInMs, most: consoleSessions }
      await sessions.beginSignIn(digest(cookie), now, bounds)
      const address = new URL(authorization)
      const parameters = {
        ...{ response_type: 'code', client_id: clientId, redirect_uri: redirectUri, scope: 'openid profile email' },
        ...{ state, nonce, code_challenge: digest(verifier), code_challenge_method: 'S256' },
      }
      for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value)
      return { address: address.href, cookie }
    },
    async finish(cookie, answer) {
      const one = begunWith(cookie ?? '')
      // Good for one answer, whatever it is.
      const beganAt = await sessions.finishSignIn(digest(cookie ?? ''))
      const isBegun = beganAt !== undefined && clock.now() - beganAt < oidcSignInMs
      const isOurs = isBegun && answer.get('state') === one.state
      // RFC 9207: who answers says who it is, where it can.
      const isIssuer = (answer.get('iss') ?? issuer) === issuer
      const code = answer.get('code')
      if (!isOurs || !isIssuer || code === null) throw new NotAuthenticated('unknown')
      const token = readToken(await idTokenFor(code, one))
      if (token === undefined) throw new NotAuthenticated('malformed')
      await verifyIdToken(token, one.nonce)
      if (!hasClaims(token, settings.claims)) throw new NotAuthenticated('claims')
      return nameOf(token)
    },
  }

  /** OpenID Connect Core §3.1.3.7. */
  async function verifyIdToken(token: ReadToken, nonce: string): Promise<void> {
    if (!settings.algorithms.some((algorithm) => algorithm === token.algorithm)) throw new NotAuthenticated('signature')
    const key = await findKey(token)
    if (key === undefined) throw new NotAuthenticated('signature')
    const options = {
      algorithms: [...settings.algorithms],
      issuer,
      audience: clientId,
      requiredClaims: ['exp', 'iat', 'sub'],
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(clock.now()),
    }
    await jwtVerify(token.text, key, options).catch((cause: unknown) => {
      throw new NotAuthenticated('claims', { cause })
    })
    const { nonce: said, azp = clientId } = token.claims
    if (said !== nonce || azp !== clientId) throw new NotAuthenticated('claims')
  }
}

/** One line, short: it goes into the audit. */
function nameOf({ claims }: ReadToken): string {
  const { preferred_username: userName, email, sub } = claims
  const name = [userName, email, sub].find((one): one is string => typeof one === 'string' && one !== '') ?? 'operator'
  // Half a character, cut or sent, could not be written into the session's key.
  return `oidc:${name
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
    .slice(0, 80)
    .toWellFormed()}`
}

/** All of them come from the browser's cookie, which nobody else has: the store need not keep a secret. */
function begunWith(cookie: string): Begun {
  const derived = (purpose: string) => createHmac('sha256', cookie).update(purpose).digest('base64url')
  return { state: derived('state'), nonce: derived('nonce'), verifier: derived('verifier') }
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url')
}

function unavailable(cause: unknown): Problem {
  return new Problem(503, undefined, 'The identity provider cannot be asked now; try again, or use a token.', { cause })
}
