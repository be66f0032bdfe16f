import { randomBytes } from 'node:crypto'
import { stringify } from 'yaml'

export const demoPlatforms = ['figshare', 'ethosce', 'openspecimen', 'selfcommunity', 'dspace'] as const
export type DemoPlatform = (typeof demoPlatforms)[number]

export interface DemoConnection {
  readonly platform: DemoPlatform
  /** Accepted by this connection alone. */
  readonly token: string
  /** Of the connection's OAuth client; without one there is no client. */
  readonly clientSecret?: string
  readonly baseUrl: string
  /** The simulator's administrator, in the words of the platform module's settings. */
  readonly credentials: Readonly<Record<string, string | number>>
}

export function newDemoToken(): string {
  return `scimb_${randomBytes(32).toString('base64url')}`
}

/** The OAuth client of a demo's connection. */
export function demoClientId(platform: DemoPlatform): string {
  return `demo-${platform}`
}

/** The one that Entra's documentation adds to an application, so that its steps can be tried as they are written. */
function demoExtensions() {
  return {
    'urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User': {
      attributes: { CustomAttribute: { type: 'string' } },
    },
  }
}

/** The whole `bridge.yaml` of a demo: real platforms need the same keys, with references instead of literal secrets. */
export function demoConfig(options: {
  readonly port: number
  readonly sharedToken: string | undefined
  /** Of operators; none: nobody can open the pages. */
  readonly consoleTokens?: readonly string[]
  readonly mappings: string
  readonly connections: readonly DemoConnection[]
}): string {
  const { port, sharedToken, connections, consoleTokens = [] } = options
  return stringify({
    publicUrl: `http://127.0.0.1:${port}`,
    listen: { host: '127.0.0.1', port },
    store: 'sqlite:bridge.sqlite',
    log: { level: 'info' },
    allowLiteralSecrets: true,
    retry: { maximumSeconds: 5 },
    ...(consoleTokens.length === 0 ? {} : { console: { tokens: consoleTokens } }),
    // For measuring how fast it is; a real bridge keeps its own limit.
    limits: { requestsPerSecond: 100_000, burst: 100_000 },
    connections: Object.fromEntries(
      connections.map((connection) => [
        connection.platform,
        {
          platform: connection.platform,
          mapping: `${options.mappings}/connections/demo-${connection.platform}.yaml`,
          mode: 'confirmed',
          baseUrl: connection.baseUrl,
          allowHttp: true,
          allowPrivateAddresses: true,
          tokens: sharedToken === undefined ? [connection.token] : [connection.token, sharedToken],
          ...(connection.clientSecret === undefined
            ? {}
            : { oauth: { clients: [{ id: demoClientId(connection.platform), secrets: [connection.clientSecret] }] } }),
          pace: 'off',
          retryAfterDeniedSeconds: 5,
          extensions: demoExtensions(),
          settings: { ...connection.credentials },
        },
      ]),
    ),
  })
}
