import type { IncomingMessage } from 'node:http'
import { addressList, type ConnectionAccess, type OperatorOidc } from '../../access.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { Credentials } from '../../store/credentials.ts'
import type { SessionStore } from '../../store/session-store.ts'
import type { Metrics } from '../metrics.ts'
import { type AdminAccess, adminAccess } from './admin-access.ts'
import { createGate, type Gate } from './gate.ts'
import { liveSecret } from './live-secret.ts'
import { type MetricsAccess, metricsAccess } from './metrics-access.ts'
import { type OperatorAccess, operatorAccess } from './operator-access.ts'
import { oidcSignIn } from './operator-oidc.ts'
import { sourceAddress } from './source-address.ts'
import { isUsable } from './stored-tokens.ts'
import { createWatch, type Watch } from './watch.ts'

/** Everything that decides who may come in. */
export interface Authentication {
  readonly gates: ReadonlyMap<string, Gate>
  readonly watch: Watch
  readonly addressOf: (request: IncomingMessage) => string
  readonly metricsAccess: MetricsAccess
  readonly operatorAccess: OperatorAccess
  readonly adminAccess: AdminAccess
}

export interface AuthenticationOptions {
  readonly connections: readonly ConnectionAccess[]
  readonly metricsTokens: readonly string[]
  readonly consoleTokens: readonly string[]
  readonly consoleOidc: OperatorOidc | undefined
  readonly trustedProxies: readonly string[]
  readonly secretFiles: ReadonlyMap<string, string>
  readonly publicUrl: string
  readonly credentials: Credentials
  readonly sessions: SessionStore
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

const oidcSecret = 'console.oidc.clientSecret'

export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { credentials, clock, secretFiles } = options
  const gates = new Map(options.connections.map((access) => [access.name, createGate(access, options)]))
  const watch = createWatch(options)
  const trusted = addressList(options.trustedProxies)
  const addressOf = (request: IncomingMessage) => sourceAddress(request, trusted)
  const liveTokens = (tokens: readonly string[], door: 'metrics' | 'console') =>
    tokens.map((token, index) => liveSecret(token, `${door}.tokens.${index}`, { ...options, files: secretFiles }))
  const consoleTokens = liveTokens(options.consoleTokens, 'console')
  return {
    gates,
    watch,
    addressOf,
    metricsAccess: metricsAccess({
      gates,
      tokens: liveTokens(options.metricsTokens, 'metrics'),
      credentials,
      watch,
      addressOf,
    }),
    operatorAccess: operatorAccess({
      connections: options.connections.map(({ name }) => name),
      tokens: consoleTokens,
      oidc:
        options.consoleOidc &&
        oidcSignIn(options.consoleOidc, {
          ...options,
          secretFile: secretFiles.get(oidcSecret),
          clientSecret: liveSecret(options.consoleOidc.clientSecret, oidcSecret, { ...options, files: secretFiles }),
        }),
      credentials,
      clock,
      watch,
      addressOf,
    }),
    adminAccess: adminAccess({ gates, consoleTokens, watch, addressOf }),
  }
}

/** Names of those that nobody can come into: no way in is configured, and the store has no token for them. */
export async function closedConnections(
  connections: readonly ConnectionAccess[],
  credentials: Credentials,
  now: number,
): Promise<readonly string[]> {
  const usable = [...(await credentials.tokens()).values()].filter((token) => isUsable(token, now))
  const opened = new Set(usable.map(({ connection }) => connection))
  return connections
    .filter(({ tokens, basic, oauth, entra, oidc }) => [...tokens, ...basic, ...oidc, oauth, entra].every(isNothing))
    .map(({ name }) => name)
    .filter((name) => !opened.has(name))
}

function isNothing(value: unknown): boolean {
  return value === undefined
}
