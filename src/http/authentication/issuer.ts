import type { EntraTenant, Federation, OidcIssuer, Role } from '../../access.ts'
import type { Clock } from '../../clock.ts'
import { assertionLifetimeSeconds } from '../../limits.ts'
import type { Log } from '../../log.ts'
import type { Caller } from './caller.ts'
import { type ReadToken, type TokenRules, verifyToken } from './jwt.ts'
import { remoteKeys } from './remote-keys.ts'

/** Somebody whose tokens are taken. */
export interface Issuer {
  readonly issuer: string
  readonly role: Role
  /** Throws `NotAuthenticated`; a `Problem` (503) when the issuer's keys cannot be had. */
  verify(token: ReadToken): Promise<Caller>
}

interface Surroundings {
  readonly clock: Clock
  readonly log: Log
}

/** Some issuers write `at+jwt` (RFC 9068), some `JWT`, some nothing. */
const types = ['', 'jwt', 'at+jwt']

export function oidcIssuer(settings: OidcIssuer, { clock, log }: Surroundings): Issuer {
  const findKey = remoteKeys(settings, { clock, log })
  const name = `oidc:${new URL(settings.issuer).host}`
  return {
    issuer: settings.issuer,
    role: settings.role,
    async verify(token) {
      await verifyToken(token, { ...settings, types }, findKey, clock)
      return { name, role: settings.role }
    },
  }
}

/** Tokens of version 1.0: their issuer is not the address where their keys are. */
export function entraIssuer(settings: EntraTenant, { clock, log }: Surroundings): Issuer {
  const { tenant, audience, claims, role, allowHttp } = settings
  const issuer = settings.issuer ?? `https://sts.windows.net/${tenant.toLowerCase()}/`
  const jwks = settings.jwks ?? `https://login.microsoftonline.com/${tenant.toLowerCase()}/discovery/keys`
  const rules: TokenRules = { issuer, audience, claims, algorithms: ['RS256'], types: ['jwt'] }
  const findKey = remoteKeys({ issuer, jwks, algorithms: rules.algorithms, allowHttp }, { clock, log })
  return {
    issuer,
    role,
    async verify(token) {
      await verifyToken(token, rules, findKey, clock)
      return { name: 'entra', role }
    },
  }
}

/** RFC 7523 §3: an assertion that stands for a client's secret. Resolves when it is one. */
export function assertionVerifier(
  settings: Federation,
  { clock, log }: Surroundings,
): (token: ReadToken) => Promise<void> {
  const { subject, ...source } = settings
  const findKey = remoteKeys(settings, { clock, log })
  const rules = { ...source, types, claims: { sub: subject }, longestLifeSeconds: assertionLifetimeSeconds }
  return (token) => verifyToken(token, rules, findKey, clock)
}
