import type { Request } from 'express'
import type { Clock } from '../../clock.ts'
import { Problem } from '../../errors.ts'
import { guessesPerMinute, signInsPerMinute } from '../../limits.ts'
import type { Credentials } from '../../store/credentials.ts'
import { indexOfDigest, sha256 } from './digest.ts'
import type { LiveSecret } from './live-secret.ts'
import type { OidcSignIn } from './operator-oidc.ts'
import { NotAuthenticated } from './refusal.ts'
import { sourceKey } from './source-address.ts'
import { isUsable } from './stored-tokens.ts'
import { createThrottle } from './throttle.ts'
import type { Attempt, Watch } from './watch.ts'

/** Somebody who may see the operator's pages, and of which connections. */
export interface Operator {
  /** For audit and log: `console-1`, `token:night-shift`. */
  readonly name: string
  readonly connections: readonly string[]
}

/** Who may see the operator's pages: holders of `console.tokens`, and of stored tokens with the role `operate`. */
export interface OperatorAccess {
  /** Whether anybody could sign in. */
  isOpen(): Promise<boolean>
  /** `key` stands for the token in a session: it tells nothing of it. Throws a `Problem` (401, 429) or `StoreUnavailable`. */
  signIn(request: Request, token: string, requestId: string): Promise<{ operator: Operator; key: string }>
  /** Undefined: operators have tokens only. */
  readonly oidc: OperatorOidcDoor | undefined
  /** What the holder may see now; undefined: the token was revoked, has expired, or is gone. */
  operatorOf(key: string): Promise<Operator | undefined>
}

export interface OperatorOidcDoor {
  readonly host: string
  /** Throws a `Problem` (429, 503). */
  begin(request: Request): Promise<{ readonly address: string; readonly cookie: string }>
  /** As `signIn`. */
  finish(
    request: Request,
    cookie: string | undefined,
    answer: URLSearchParams,
    requestId: string,
  ): Promise<{ operator: Operator; key: string }>
}

/** No SHA-256 in hexadecimal digits begins like this. */
const oidcPrefix = 'oidc '
const tooManySeconds = 60

export function operatorAccess(options: {
  readonly oidc: OidcSignIn | undefined
  readonly connections: readonly string[]
  readonly tokens: readonly LiveSecret[]
  readonly credentials: Credentials
  readonly clock: Clock
  readonly watch: Watch
  readonly addressOf: (request: Request) => string
}): OperatorAccess {
  const { connections, tokens, credentials, clock, watch, addressOf, oidc } = options
  const guesses = createThrottle(clock, guessesPerMinute)
  const begun = createThrottle(clock, signInsPerMinute)

  async function operatorOf(key: string): Promise<Operator | undefined> {
    if (key.startsWith(oidcPrefix)) return oidcOperator(key)
    const digests = tokens.map((token) => token.digest())
    const index = indexOfDigest(digests, Buffer.from(key, 'hex'))
    if (index !== -1) return { name: `console-${index + 1}`, connections }
    const stored = (await credentials.tokens()).get(key)
    // A token that an identity provider has, whatever it may do there, opens no page.
    if (stored?.role !== 'operate' || !isUsable(stored, clock.now())) return undefined
    return { name: `token:${stored.name}`, connections: [stored.connection] }
  }

  /** A right token is not looked at either while too many wrong ones have come: a guesser would see which it was. */
  async function identify(token: string, key: string, source: string): Promise<Operator> {
    if (guesses.isOver(source)) throw new NotAuthenticated('throttled')
    const operator = token === '' ? undefined : await operatorOf(key)
    if (operator !== undefined) return operator
    guesses.count(source)
    throw new NotAuthenticated(token === '' ? 'missing' : 'unknown')
  }

  /** Nothing is kept of them here: the session has the name, and with what rights it was given. */
  function oidcOperator(key: string): Operator | undefined {
    const [fingerprint, name] = key.slice(oidcPrefix.length).split(' ', 2)
    if (oidc === undefined || name === undefined || fingerprint !== oidc.fingerprint()) return undefined
    return { name: decodeURIComponent(name), connections }
  }
  function signedInAs(name: string, { fingerprint }: OidcSignIn): { operator: Operator; key: string } {
    return { operator: { name, connections }, key: `${oidcPrefix}${fingerprint()} ${encodeURIComponent(name)}` }
  }
  function problemOf(error: unknown, attempt: Attempt, text?: string): unknown {
    return error instanceof NotAuthenticated ? signInProblem(watch.failed(attempt, error), text) : error
  }

  return {
    async isOpen() {
      const now = clock.now()
      if (tokens.length > 0 || oidc !== undefined) return true
      return [...(await credentials.tokens()).values()].some(
        (token) => token.role === 'operate' && isUsable(token, now),
      )
    },
    async signIn(request, token, requestId) {
      const address = addressOf(request)
      const key = sha256(token).toString('hex')
      try {
        return { operator: await identify(token, key, sourceKey(address)), key }
      } catch (error) {
        throw problemOf(error, { connection: undefined, requestId, address, door: 'console' })
      }
    },
    oidc: oidc && {
      host: oidc.host,
      async begin(request) {
        // Each is a row of the store, and nobody has proved anything yet.
        if (begun.count(sourceKey(addressOf(request)))) throw signInProblem(tooManySeconds)
        return oidc.begin()
      },
      async finish(request, cookie, answer, requestId) {
        try {
          return signedInAs(await oidc.finish(cookie, answer), oidc)
        } catch (error) {
          const attempt = { connection: undefined, requestId, address: addressOf(request), door: 'console/oidc' }
          throw problemOf(
            error,
            attempt,
            'The identity provider did not sign you in as an operator; ask for that right, or try again.',
          )
        }
      },
    },
    operatorOf,
  }
}

function signInProblem(
  retryAfterSeconds: number | undefined,
  text = 'This is no valid token of an operator.',
): Problem {
  if (retryAfterSeconds === undefined) return new Problem(401, undefined, text)
  return new Problem(429, undefined, 'Too many attempts to sign in; try again in a minute.', {
    headers: { 'Retry-After': String(retryAfterSeconds) },
  })
}
