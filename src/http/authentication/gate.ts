/** The ways into one connection, all of them at once: so each can be replaced while another one is used. */
import type { ConnectionAccess, Role } from '../../access.ts'
import { addressList } from '../../access.ts'
import type { Clock } from '../../clock.ts'
import { guessesPerMinute } from '../../limits.ts'
import type { Log } from '../../log.ts'
import type { Credentials } from '../../store/credentials.ts'
import { type AccessTokens, createAccessTokens } from './access-tokens.ts'
import type { Caller } from './caller.ts'
import { indexOfDigest, sha256 } from './digest.ts'
import { entraIssuer, oidcIssuer } from './issuer.ts'
import { readToken } from './jwt.ts'
import { liveSecret } from './live-secret.ts'
import { createOauthDoor, type OauthDoor } from './oauth-door.ts'
import type { Presented } from './presented.ts'
import { NotAuthenticated } from './refusal.ts'
import { isListed, sourceKey } from './source-address.ts'
import { storedTokens, tokenPrefix } from './stored-tokens.ts'
import { createThrottle } from './throttle.ts'

export interface Gate {
  readonly connection: string
  /** Some Okta applications send the token without `Bearer`. */
  readonly isSchemeOptional: boolean
  readonly takesBasic: boolean
  /** Undefined: no client may ask for tokens here. */
  readonly oauth: OauthDoor | undefined
  /** Roles that the configuration gives to somebody; tokens of the store come on top. */
  readonly roles: ReadonlySet<Role>
  isFrom(address: string): boolean
  /** Throws `NotAuthenticated`, `StoreUnavailable`, or a `Problem` when an issuer's keys cannot be had. */
  identify(presented: Presented, address: string): Caller | Promise<Caller>
}

export interface GateSurroundings {
  readonly clock: Clock
  readonly log: Log
  readonly credentials: Credentials
  readonly publicUrl: string
  readonly secretFiles: ReadonlyMap<string, string>
}

export function createGate(access: ConnectionAccess, surroundings: GateSurroundings): Gate {
  const { name, oauth, entra, oidc } = access
  const { clock, credentials, publicUrl } = surroundings
  const secretAt = (text: string, ...place: readonly (string | number)[]) =>
    liveSecret(text, ['connections', name, ...place].join('.'), { ...surroundings, files: surroundings.secretFiles })

  const tokens = access.tokens.map((token, index) => secretAt(token, 'tokens', index))
  const users = access.basic.map(({ user, password, role }, index) => ({
    user: sha256(user),
    password: secretAt(password, 'basic', index, 'password'),
    caller: { name: `basic:${user}`, role },
  }))
  const allowed = access.allowFrom === undefined ? undefined : addressList(access.allowFrom)
  const guesses = createThrottle(clock, guessesPerMinute)
  const identifyStored = storedTokens(surroundings)
  const server = oauth ?? { clients: [], lifetimeSeconds: 3_600, algorithm: 'ES256' }
  const accessTokens = createAccessTokens({
    connection: name,
    address: `${publicUrl}/${name}`,
    server,
    credentials,
    clock,
  })
  const issuers = [
    ...(oauth === undefined ? [] : [accessTokens]),
    ...(entra === undefined ? [] : [entraIssuer(entra, surroundings)]),
    ...oidc.map((issuer) => oidcIssuer(issuer, surroundings)),
  ]

  function identifyBearer(token: string): Caller | Promise<Caller> {
    const presented = sha256(token)
    const index = indexOfDigest(
      tokens.map((known) => known.digest()),
      presented,
    )
    if (index !== -1) return { name: `token-${index + 1}`, role: 'provision' }
    if (token.startsWith(tokenPrefix)) return identifyStored(name, token)
    return issuers.length > 0 && token.includes('.') ? identifyIssued(issuers, token) : refuse('unknown')
  }

  /** A right password is not looked at either while too many wrong ones have come: a guesser would see which it was. */
  function identifyUser(user: string, password: string, address: string): Caller {
    const key = `${sourceKey(address)} ${sha256(user).toString('hex')}`
    if (guesses.isOver(key)) return refuse('throttled')
    const presented = sha256(password)
    const named = indexOfDigest(
      users.map((known) => known.user),
      sha256(user),
    )
    const fits = users.map((known) => indexOfDigest([known.password.digest()], presented) === 0)
    const known = users[named]
    if (known !== undefined && fits[named] === true) return known.caller
    guesses.count(key)
    throw new NotAuthenticated('unknown', known === undefined ? {} : { caller: known.caller.name })
  }

  return {
    connection: name,
    isSchemeOptional: access.headerTokenWithoutScheme,
    takesBasic: users.length > 0,
    oauth: oauth && createOauthDoor(access, oauth, { ...surroundings, accessTokens, guesses, secretAt }),
    roles: new Set([
      ...access.basic.map(({ role }) => role),
      ...(oauth?.clients ?? []).map(({ role }) => role),
      ...(entra === undefined ? [] : [entra.role]),
      ...oidc.map(({ role }) => role),
    ]),
    isFrom: (address) => allowed === undefined || isListed(allowed, address),
    identify(presented, address) {
      if (presented.kind === 'bearer') return identifyBearer(presented.token)
      if (presented.kind === 'basic') return identifyUser(presented.user, presented.password, address)
      return refuse(presented.kind)
    },
  }
}

/** By the issuer that the token names; of several entries for one issuer, any that takes it. */
async function identifyIssued(
  issuers: readonly Pick<AccessTokens, 'issuer' | 'verify'>[],
  text: string,
): Promise<Caller> {
  const token = readToken(text)
  if (token === undefined) return refuse('malformed')
  let failure: unknown = new NotAuthenticated('claims')
  for (const issuer of issuers) {
    if (issuer.issuer !== token.claims.iss) continue
    try {
      return await issuer.verify(token)
    } catch (error) {
      // Whose keys cannot be had may be the one that takes it: that another does not is no reason for a 401.
      if (failure instanceof NotAuthenticated) failure = error
    }
  }
  throw failure
}

function refuse(reason: NotAuthenticated['reason']): never {
  throw new NotAuthenticated(reason)
}
