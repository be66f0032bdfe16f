/** Clients of one connection, and how they prove themselves at its token endpoint (RFC 6749 §2.3, RFC 7523 §2.2). */
import type { ConnectionAccess, OauthServer, Role } from '../../access.ts'
import type { Clock } from '../../clock.ts'
import { clockToleranceSeconds } from '../../limits.ts'
import type { Log } from '../../log.ts'
import type { Credentials } from '../../store/credentials.ts'
import type { AccessTokens } from './access-tokens.ts'
import { indexOfDigest, sha256 } from './digest.ts'
import { assertionVerifier } from './issuer.ts'
import { type ReadToken, readToken } from './jwt.ts'
import type { LiveSecret } from './live-secret.ts'
import { NotAuthenticated } from './refusal.ts'
import { sourceKey } from './source-address.ts'
import type { Throttle } from './throttle.ts'

export interface Client {
  readonly id: string
  readonly role: Role
}

/** What a client shows; several texts are readings of one secret. */
export type ClientProof =
  | { readonly kind: 'secret'; readonly secrets: readonly string[] }
  | { readonly kind: 'assertion'; readonly assertion: string }

export interface OauthDoor {
  readonly lifetimeSeconds: number
  readonly accessTokens: AccessTokens
  /** Throws `NotAuthenticated`, `StoreUnavailable`, or a `Problem` when an issuer's keys cannot be had. */
  identify(id: string, proof: ClientProof, address: string): Promise<Client>
}

interface KnownClient extends Client {
  readonly secrets: readonly LiveSecret[]
  readonly verifyAssertion: ((token: ReadToken) => Promise<void>) | undefined
}

export function createOauthDoor(
  { name }: Pick<ConnectionAccess, 'name'>,
  server: OauthServer,
  surroundings: {
    readonly clock: Clock
    readonly log: Log
    readonly credentials: Credentials
    readonly accessTokens: AccessTokens
    readonly guesses: Throttle
    readonly secretAt: (text: string, ...place: readonly (string | number)[]) => LiveSecret
  },
): OauthDoor {
  const { clock, credentials, accessTokens, guesses, secretAt } = surroundings
  const clients = new Map<string, KnownClient>()
  for (const [index, { id, role, secrets = [], federation }] of server.clients.entries()) {
    clients.set(id, {
      id,
      role,
      secrets: secrets.map((secret, place) => secretAt(secret, 'oauth', 'clients', index, 'secrets', place)),
      verifyAssertion: federation && assertionVerifier(federation, surroundings),
    })
  }
  // For whoever is not there: the same work is done, so that the time does not tell which clients exist.
  const nobody: KnownClient = {
    id: '',
    role: 'read',
    secrets: [secretAt(crypto.randomUUID(), 'nobody')],
    verifyAssertion: undefined,
  }

  async function verify(client: KnownClient, proof: ClientProof): Promise<void> {
    if (proof.kind === 'secret') {
      const known = client.secrets.map((secret) => secret.digest())
      const found = proof.secrets.map((secret) => indexOfDigest(known, sha256(secret)))
      if (found.every((index) => index === -1)) throw new NotAuthenticated('unknown')
      return
    }
    const token = readToken(proof.assertion)
    if (token === undefined || client.verifyAssertion === undefined) throw new NotAuthenticated('malformed')
    await client.verifyAssertion(token)
    await useOnce(token)
  }

  /** RFC 7523 §3: `jti` is optional; an assertion that has one is good once. */
  async function useOnce({ claims }: ReadToken): Promise<void> {
    const { jti, iss, exp } = claims
    if (jti === undefined) return
    const expiresAt = (Number(exp) + clockToleranceSeconds) * 1_000
    const key = sha256(JSON.stringify([name, iss, jti])).toString('hex')
    if (!(await credentials.useAssertion(key, expiresAt, clock.now()))) throw new NotAuthenticated('replayed')
  }

  return {
    lifetimeSeconds: server.lifetimeSeconds,
    accessTokens,
    async identify(id, proof, address) {
      const client = clients.get(id)
      const key = `${sourceKey(address)} client ${sha256(id).toString('hex')}`
      const caller = client === undefined ? {} : { caller: `client:${client.id}` }
      if (guesses.isOver(key)) throw new NotAuthenticated('throttled', caller)
      try {
        await verify(client ?? nobody, proof)
      } catch (error) {
        if (!(error instanceof NotAuthenticated)) throw error
        guesses.count(key)
        throw new NotAuthenticated(error.reason, { ...caller, cause: error })
      }
      if (client === undefined) throw new NotAuthenticated('unknown')
      return { id: client.id, role: client.role }
    },
  }
}
