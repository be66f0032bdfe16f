import type { Request } from 'express'
import type { Clock } from '../../clock.ts'
import { Problem } from '../../errors.ts'
import { guessesPerMinute } from '../../limits.ts'
import type { Credentials } from '../../store/credentials.ts'
import { indexOfDigest, sha256 } from './digest.ts'
import type { LiveSecret } from './live-secret.ts'
import { NotAuthenticated } from './refusal.ts'
import { sourceKey } from './source-address.ts'
import { isUsable } from './stored-tokens.ts'
import { createThrottle } from './throttle.ts'
import type { Watch } from './watch.ts'

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
  /** What the holder may see now; undefined: the token was revoked, has expired, or is gone. */
  operatorOf(key: string): Promise<Operator | undefined>
}

export function operatorAccess(options: {
  readonly connections: readonly string[]
  readonly tokens: readonly LiveSecret[]
  readonly credentials: Credentials
  readonly clock: Clock
  readonly watch: Watch
  readonly addressOf: (request: Request) => string
}): OperatorAccess {
  const { connections, tokens, credentials, clock, watch, addressOf } = options
  const guesses = createThrottle(clock, guessesPerMinute)

  async function operatorOf(key: string): Promise<Operator | undefined> {
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

  return {
    async isOpen() {
      const now = clock.now()
      if (tokens.length > 0) return true
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
        if (!(error instanceof NotAuthenticated)) throw error
        const seconds = watch.failed({ connection: undefined, requestId, address, door: 'console' }, error)
        throw signInProblem(seconds)
      }
    },
    operatorOf,
  }
}

function signInProblem(retryAfterSeconds: number | undefined): Problem {
  if (retryAfterSeconds === undefined) return new Problem(401, undefined, 'This is no valid token of an operator.')
  return new Problem(429, undefined, 'Too many attempts to sign in; try again in a minute.', {
    headers: { 'Retry-After': String(retryAfterSeconds) },
  })
}
