/** A bridge with every way in on its figshare connection. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { Role } from '../../../src/access.ts'
import { isJsonObject, type JsonObject } from '../../../src/json.ts'
import { createLog } from '../../../src/log.ts'
import { type Credentials, credentialFile, openCredentials } from '../../../src/store/credentials.ts'
import { type BridgeWorld, startBridgeWorld } from '../../bridge-world.ts'
import { type IssuerKey, type IssuerServer, rsaKey, signed, startIssuer } from './issuer-server.ts'

export const tenant = 'ce5f061f-abe6-4e40-9615-301f87bcb7f0'
export const entraAudience = '8adf8e6e-67b2-4cf2-a259-e3dc5476c621'
export const clientSecret = 'client-secret-number-one'
export const secondSecret = 'client-secret-number-two'
export const basicPassword = 'a-password-of-okta'

export interface AccessWorld {
  readonly world: BridgeWorld
  readonly issuer: IssuerServer
  readonly key: IssuerKey
  /** As `scim-bridge token` opens them, beside the bridge. */
  readonly credentials: Credentials
  /** Makes a token in the store, and answers it. */
  token(name: string, options?: { role?: Role; connection?: string; expiresAt?: number }): Promise<string>
  /** Status and the rest of `GET /figshare/scim/v2/Users`. */
  users(headers: Record<string, string>, connection?: string): Promise<Seen>
  bearer(token: string, connection?: string): Promise<Seen>
  basic(user: string, password: string): Promise<Seen>
  /** `POST /figshare/oauth2/token`. */
  ask(form: Record<string, string> | string, headers?: Record<string, string>, connection?: string): Promise<Seen>
  /** A token of Entra's own, as it should be but for the changes. */
  entraToken(claims?: JsonObject, header?: JsonObject, key?: IssuerKey): string
  oidcToken(claims?: JsonObject, header?: JsonObject, key?: IssuerKey): string
  assertion(claims?: JsonObject, header?: JsonObject): string
  /** Seconds since 1970, by the bridge's clock. */
  now(): number
  /** Lines of the log about callers who were not let in. */
  failures(): JsonObject[]
  close(): Promise<void>
}

export interface Seen {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: JsonObject
}

export const clientForm = { grant_type: 'client_credentials', client_id: 'entra', client_secret: clientSecret }
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Each issuer's own: to make one takes as long as to start several bridges. */
const key = rsaKey()

export async function startAccessWorld(change: (config: JsonObject) => void = () => {}): Promise<AccessWorld> {
  const issuer = await startIssuer([key])
  const world = await startBridgeWorld((config) => {
    const figshare = connectionOf(config, 'figshare')
    figshare.basic = [{ user: 'okta', password: basicPassword }]
    figshare.oauth = {
      clients: [
        { id: 'entra', secrets: [clientSecret, secondSecret] },
        { id: 'reader', secrets: [clientSecret], role: 'read' },
        {
          id: 'workload',
          federation: { issuer: issuer.url, subject: 'sync', audience: 'api://bridge', allowHttp: true },
        },
      ],
    }
    figshare.entra = {
      tenant,
      issuer: 'https://sts.windows.net/tenant/',
      jwks: `${issuer.url}/entra-keys`,
      allowHttp: true,
    }
    figshare.oidc = [
      {
        issuer: issuer.url,
        audience: 'scim',
        claims: { scope: 'provisioning' },
        algorithms: ['RS256', 'ES256'],
        allowHttp: true,
      },
    ]
    const dspace = connectionOf(config, 'dspace')
    dspace.oauth = { clients: [{ id: 'entra', secrets: ['another-client-secret'] }] }
    change(config)
  })
  const credentials = openCredentials(credentialFile(join(world.directory, 'bridge.sqlite')), {
    log: createLog('silent'),
    now: world.clock.now(),
  })
  const now = () => Math.floor(world.clock.now() / 1_000)
  const users = (headers: Record<string, string>, connection = 'figshare') =>
    seen(`${world.url}/${connection}/scim/v2/Users?count=1`, { headers })
  const life = () => ({ iat: now(), nbf: now(), exp: now() + 3_600 })
  return {
    world,
    issuer,
    key,
    credentials,
    async token(name, { role = 'provision', connection = 'figshare', expiresAt } = {}) {
      const token = `scimb_${crypto.randomUUID()}`
      const sha256 = hash('sha256', token)
      await credentials.addToken({ connection, name, role, sha256, createdAt: world.clock.now(), expiresAt })
      return token
    },
    users,
    bearer: (token, connection) => users({ Authorization: `Bearer ${token}` }, connection),
    basic: (user, password) => users({ Authorization: basicHeader(user, password) }),
    ask: (form, headers = {}, connection = 'figshare') =>
      seen(`${world.url}/${connection}/oauth2/token`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
        body: typeof form === 'string' ? form : String(new URLSearchParams(form)),
      }),
    entraToken: (claims, header = {}, by = key) =>
      signed(by, header, { iss: 'https://sts.windows.net/tenant/', aud: entraAudience, ...life(), ...claims }),
    oidcToken: (claims, header = {}, by = key) =>
      signed(by, header, { iss: issuer.url, aud: 'scim', scope: 'openid provisioning', ...life(), ...claims }),
    assertion: (claims, header = {}) =>
      signed(key, header, { iss: issuer.url, sub: 'sync', aud: 'api://bridge', ...life(), ...claims }),
    now,
    failures: () =>
      world.logLines
        .map((line) => JSON.parse(line))
        .filter((line) => isJsonObject(line) && line.msg === 'not authenticated'),
    async close() {
      credentials.close()
      await world.stop()
      await issuer.close()
    },
  }
}

export function connectionOf(config: JsonObject, name: string): JsonObject {
  const { connections } = config
  const connection = isJsonObject(connections) ? connections[name] : undefined
  if (!isJsonObject(connection)) throw new Error('no such connection')
  return connection
}

export function basicHeader(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

export async function seen(url: string, init: RequestInit): Promise<Seen> {
  const answer = await fetch(url, { redirect: 'manual', ...init })
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.includes('json') === true
  return { status: answer.status, headers: answer.headers, text, json: isJson ? JSON.parse(text) : {} }
}

/** `reason` is the one in the log. */
export async function assertRefused(access: AccessWorld, token: string, reason?: string): Promise<void> {
  const answer = await access.bearer(token)
  assert.equal(answer.status, 401, answer.text)
  if (reason !== undefined) assert.equal(access.failures().at(-1)?.reason, reason)
}

export async function assertAccepted(access: AccessWorld, token: string): Promise<void> {
  const answer = await access.bearer(token)
  assert.equal(answer.status, 200, answer.text)
}

/** An error of the token endpoint (RFC 6749 §5.2). */
export function assertError(answer: Seen, status: number, error: string): void {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.json.error, error)
  assert.equal(answer.headers.get('content-type'), 'application/json')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.equal(answer.headers.get('pragma'), 'no-cache')
  // Its section names the characters that a description may have.
  assert.match(String(answer.json.error_description), /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/)
}

export function tokenOf(answer: Seen): string {
  return String(answer.json.access_token)
}
