/** Access tokens that the bridge issues itself (RFC 9068): one connection's are signed with its own keys, and good there only. */
import type { CryptoKey, JWK } from 'jose'
import { SignJWT } from 'jose/jwt/sign'
import { exportJWK } from 'jose/key/export'
import { generateKeyPair } from 'jose/key/generate/keypair'
import { importJWK } from 'jose/key/import'
import type { OauthServer, Role } from '../../access.ts'
import type { Clock } from '../../clock.ts'
import type { JsonObject } from '../../json.ts'
import { clockToleranceSeconds, signingKeyMs } from '../../limits.ts'
import type { Credentials, SigningKey } from '../../store/credentials.ts'
import { type Caller, covers } from './caller.ts'
import { type ReadToken, verifyToken } from './jwt.ts'
import { NotAuthenticated } from './refusal.ts'
import { roleOfScope, scopeOf } from './scope.ts'

export const accessTokenType = 'at+jwt'
/** The longest life that a token can have been given, whatever the configuration says today. */
const longestLifeMs = (21_600 + 2 * clockToleranceSeconds) * 1_000

export interface AccessTokens {
  readonly issuer: string
  issue(client: { readonly id: string }, role: Role): Promise<string>
  /** Throws `NotAuthenticated`. */
  verify(token: ReadToken): Promise<Caller>
  /** RFC 7517: the public halves. */
  keySet(): Promise<{ readonly keys: readonly JWK[] }>
}

interface ImportedKey {
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly publicJwk: JWK
}

export function createAccessTokens(options: {
  readonly connection: string
  /** Public address of the connection, without a slash at the end. */
  readonly address: string
  readonly server: OauthServer
  readonly credentials: Credentials
  readonly clock: Clock
}): AccessTokens {
  const { connection, address, server, credentials, clock } = options
  const clients = new Map(server.clients.map((client) => [client.id, client]))
  const audience = `${address}/scim/v2`
  const imported = new Map<string, Promise<ImportedKey>>()
  let making: Promise<SigningKey> | undefined

  /** Those whose tokens may still be around, newest first. */
  async function presentKeys(): Promise<readonly SigningKey[]> {
    return stillUsed(await credentials.signingKeys(connection), clock.now())
  }
  async function signingKey(): Promise<SigningKey> {
    const [newest] = await credentials.signingKeys(connection)
    const isFit = newest?.algorithm === server.algorithm && clock.now() - newest.createdAt < signingKeyMs
    if (newest !== undefined && isFit) return newest
    making ??= makeSigningKey(credentials, connection, server.algorithm, clock.now()).finally(() => {
      making = undefined
    })
    return making
  }
  function use(key: SigningKey): Promise<ImportedKey> {
    const known = imported.get(key.kid)
    if (known !== undefined) return known
    const made = importSigningKey(key)
    imported.set(key.kid, made)
    return made
  }

  return {
    issuer: address,
    async issue(client, role) {
      const key = await signingKey()
      const { privateKey } = await use(key)
      const now = Math.floor(clock.now() / 1_000)
      return new SignJWT({ client_id: client.id, scope: scopeOf(role) })
        .setProtectedHeader({ alg: key.algorithm, typ: accessTokenType, kid: key.kid })
        .setIssuer(address)
        .setSubject(client.id)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(now + server.lifetimeSeconds)
        .setJti(crypto.randomUUID())
        .sign(privateKey)
    },
    async verify(token) {
      const known = (await presentKeys()).find((key) => key.kid === token.kid)
      const findKey = async () => (known?.algorithm === token.algorithm ? (await use(known)).publicKey : undefined)
      const rules = {
        issuer: address,
        audience,
        algorithms: ['ES256', 'RS256'],
        types: [accessTokenType],
        claims: {},
      } as const
      await verifyToken(token, rules, findKey, clock)
      const { client_id: id, scope } = token.claims
      // A client that was taken out of the configuration is out at once, whatever it holds.
      const client = typeof id === 'string' ? clients.get(id) : undefined
      const role = typeof scope === 'string' ? roleOfScope(scope) : undefined
      if (client === undefined || role === undefined || !covers(client.role, role)) throw new NotAuthenticated('claims')
      return { name: `client:${client.id}`, role }
    },
    async keySet() {
      await signingKey()
      const keys = await Promise.all((await presentKeys()).map(use))
      return { keys: keys.map(({ publicJwk }) => publicJwk) }
    },
  }
}

/**
 * The next tokens are signed with it. The keys before it stay as long as a token of theirs can be valid, unless all that
 * they have signed is to end `atOnce`.
 */
export async function makeSigningKey(
  credentials: Credentials,
  connection: string,
  algorithm: OauthServer['algorithm'],
  now: number,
  atOnce = false,
): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const privateJwk: JsonObject = JSON.parse(JSON.stringify(await exportJWK(privateKey)))
  const key: SigningKey = { connection, kid: crypto.randomUUID(), algorithm, privateJwk, createdAt: now }
  const kept = stillUsed(await credentials.signingKeys(connection), now)
  const forgetBefore = atOnce ? now + 1 : (kept.at(-1)?.createdAt ?? now)
  await credentials.addSigningKey(key, forgetBefore)
  return key
}

/** `keys` are newest first: one is used until no token can be left that was signed before its successor came. */
function stillUsed(keys: readonly SigningKey[], now: number): readonly SigningKey[] {
  return keys.filter((_, index) => index === 0 || (keys[index - 1]?.createdAt ?? 0) > now - longestLifeMs)
}

async function importSigningKey({ kid, algorithm, privateJwk }: SigningKey): Promise<ImportedKey> {
  const { kty, n, e, crv, x, y } = privateJwk
  const publicJwk: JWK = JSON.parse(JSON.stringify({ kty, n, e, crv, x, y, kid, alg: algorithm, use: 'sig' }))
  const [privateKey, publicKey] = await Promise.all([
    importJWK(JSON.parse(JSON.stringify(privateJwk)), algorithm),
    importJWK(publicJwk, algorithm),
  ])
  if (privateKey instanceof Uint8Array || publicKey instanceof Uint8Array) throw new Error('not a pair of keys')
  return { privateKey, publicKey, publicJwk }
}
