/** The composition root: configuration → store → connections → HTTP application. */
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Clock, systemClock } from './clock.ts'
import type { Config, ConnectionConfig } from './config/config.ts'
import { loadConfig } from './config/load.ts'
import { createApp } from './http/app.ts'
import { closedConnections, createAuthentication } from './http/authentication/create-authentication.ts'
import { createMetrics } from './http/metrics.ts'
import { answerReserveMs, requestBudgetMs } from './limits.ts'
import type { Log } from './log.ts'
import { readMappingFile } from './mapping/read.ts'
import { createPace, type Slots } from './platforms/pace.ts'
import { platforms } from './platforms/registry.ts'
import type { ProvisionedConnection } from './provision/connection.ts'
import { createProvision, type Provision } from './provision/provision.ts'
import { createReconcile } from './provision/reconcile.ts'
import { authenticationSchemes } from './scim/authentication-schemes.ts'
import type { ScimConnection } from './scim/context.ts'
import { type AuthenticationScheme, createDiscovery } from './scim/discovery.ts'
import { createIgnoredNames } from './scim/ignored-names.ts'
import { importedDocument } from './scim/import.ts'
import { createPageMemory } from './scim/page-memory.ts'
import { compileSchemas } from './scim/schema.ts'
import { type Credentials, credentialFile, openCredentials } from './store/credentials.ts'
import { openStore } from './store/open.ts'
import type { Store } from './store/store.ts'

/** Places of walks that one connection remembers. */
const rememberedPages = 10_000
/** Longer than the budget of any request: a slow sender, not a slow answer. */
const requestTimeoutMs = 60_000
const headersTimeoutMs = 15_000
/** Identity providers keep connections for minutes; a proxy in front closes first. */
const keepAliveMs = 75_000
/** What is in work at the end may finish so long; the rest is durable and goes on with the next start. */
const stopGraceMs = 5_000
/** And the last answers so long to leave. */
const lastAnswersMs = 1_000
const lastAnswersPollMs = 20

/** `mappings/` of this package: one file a platform. */
export const builtInMappings = join(dirname(dirname(fileURLToPath(import.meta.url))), 'mappings')

/** `bridge.yaml` with the settings of every platform checked. Throws `FileProblems`. */
export function readConfig(file: string, environment: Readonly<Record<string, string | undefined>>): Config {
  return loadConfig(file, {
    environment,
    settingsOf: (platform) => platforms.get(platform)?.settings,
    platforms: [...platforms.keys()],
  })
}

export interface Bridge {
  /** Resolves when the port is open, with the address in use. */
  listen(): Promise<{ host: string; port: number }>
  stop(): Promise<void>
}

export interface Surroundings {
  readonly clock: Clock
  readonly log: Log
  /** Real milliseconds that a request, and an attempt at a platform, may take; the budget less what the answer needs. */
  readonly workMs?: number
  /** Real milliseconds that what is in work may take at the end. */
  readonly graceMs?: number
}

/** Throws what the loaders throw when anything is in doubt: `ConfigProblems`, `MappingProblems`, `StoreUnavailable`, … */
export async function createBridge(config: Config, surroundings: Surroundings): Promise<Bridge> {
  const { clock, log, workMs = requestBudgetMs - answerReserveMs, graceMs = stopGraceMs } = surroundings
  // Mappings and settings are checked before the store is opened; nothing is called before it is.
  let opened: Store | undefined
  const slotsOf = ({ name }: ConnectionConfig): Slots => ({
    async reserve(intervalMs, notBefore) {
      if (opened === undefined) throw new Error('a platform was called before the store was open')
      return opened.transaction((write) => write.reserveSlot(name, Math.ceil(intervalMs), notBefore))
    },
  })
  const provisioned = config.connections.map((connection) =>
    provisionedConnection(connection, config, clock, slotsOf(connection)),
  )
  const store = await openStore(config.store, { clock, log })
  opened = store
  const credentials = await openedCredentials(config, store, surroundings)
  const world = { store, clock, log, random: Math.random, newId: () => crypto.randomUUID(), attemptMs: workMs }
  const provisions = provisioned.map((connection) => createProvision(connection, world))
  const reconciles = provisions.map((provision, index) => {
    const settings = config.connections[index]
    const everyHours = settings?.reconcile?.everyHours
    const everyMs = everyHours === undefined ? undefined : everyHours * 3_600_000
    const schemas = compileSchemas({ extensions: settings?.extensions ?? [] })
    return createReconcile(provision, world, { everyMs, toDocument: importedDocument(schemas) })
  })
  const connections = new Map<string, ScimConnection>()
  for (const [index, connection] of config.connections.entries()) {
    const provision = provisions[index]
    if (provision === undefined) continue
    const cursorKey = await store.transaction((write) =>
      write.keepSecret(connection.name, 'cursor', randomBytes(32).toString('base64')),
    )
    connections.set(
      connection.name,
      scimConnection(connection, config, provision, { ...surroundings, cursorKey: Buffer.from(cursorKey, 'base64') }),
    )
  }
  const metrics = createMetrics({
    read: () =>
      Promise.all(
        provisions.map(async ({ connection: { name }, suspension }) => {
          const walk = await store.lastFinishedWalk(name, 'reconcile')
          return {
            connection: name,
            waiting: await store.countOperations(name),
            isSuspended: suspension() !== undefined,
            ignored: connections.get(name)?.ignored.count() ?? 0,
            reconciled: walk && { at: walk.finishedAt ?? walk.askedAt, counts: walk.counts },
          }
        }),
      ),
  })
  const authentication = createAuthentication({
    ...config,
    metricsTokens: config.metrics.tokens,
    credentials,
    clock,
    log,
    metrics,
  })
  const app = createApp({ connections, authentication, store, clock, log, metrics, workMs })
  const server = createServer(
    { keepAliveTimeout: keepAliveMs, headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs },
    app,
  )
  return {
    async listen() {
      const address = await listening(server, config.listen)
      for (const provision of provisions) provision.start()
      for (const reconcile of reconciles) reconcile.start()
      return address
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      await Promise.all(reconciles.map((reconcile) => reconcile.stop()))
      await Promise.all(provisions.map((provision) => provision.stop(graceMs)))
      await answersSent(server, closed)
      server.closeAllConnections()
      await closed
      await Promise.all(provisioned.map(({ platform }) => platform.close()))
      await store.close()
      credentials.close()
    },
  }
}

/** The store is given back when it cannot be: nobody else could take it for a minute. */
async function openedCredentials(config: Config, store: Store, { clock, log }: Surroundings): Promise<Credentials> {
  try {
    const now = clock.now()
    const credentials = openCredentials(credentialFile(config.store.file), { log, now })
    for (const connection of await closedConnections(config.connections, credentials, now)) {
      log.warn({ connection }, 'nobody can come in: make a token with scim-bridge token create')
    }
    return credentials
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Mapping loaded, examples run, module connected; nothing is called yet. */
export function provisionedConnection(
  connection: ConnectionConfig,
  config: Config,
  clock: Clock,
  slots?: Slots,
): ProvisionedConnection {
  const platform = platforms.get(connection.platform)
  if (platform === undefined) throw new Error(`no platform '${connection.platform}'`)
  const file = connection.mapping ?? join(builtInMappings, `${connection.platform}.yaml`)
  const { mapping } = readMappingFile(file, (name) => platforms.get(name)?.facts, { writeMode: connection.mode })
  const pace = createPace(connection.pace ?? platform.facts.pace, clock, slots)
  const maximumRetryMs = config.retry.maximumSeconds * 1_000
  return {
    name: connection.name,
    mode: connection.mode,
    mapping,
    facts: platform.facts,
    platform: platform.connect(connection.settings, { client: { baseUrl: connection.baseUrl, pace }, clock }),
    maximumRetryMs,
    deniedWaitMs: deniedWaitMs(connection, platform.facts.locksOnWrongCredentials),
    guardrails: connection.guardrails,
    unknownMembers: connection.unknownMembers,
    busyStatus: connection.busyStatus,
  }
}

/** Where wrong log-ins lock the service account, only a person tries again, unless the operator said otherwise. */
function deniedWaitMs(connection: ConnectionConfig, locksOnWrongCredentials: boolean): number | undefined {
  if (connection.retryAfterDeniedSeconds !== undefined) return connection.retryAfterDeniedSeconds * 1_000
  return locksOnWrongCredentials ? undefined : 3_600_000
}

function scimConnection(
  connection: ConnectionConfig,
  config: Config,
  provision: Provision,
  { clock, log, cursorKey }: Pick<Surroundings, 'clock' | 'log'> & { readonly cursorKey: Buffer },
): ScimConnection {
  const schemas = compileSchemas({ extensions: connection.extensions })
  const baseUrl = `${config.publicUrl}/${connection.name}/scim/v2`
  return {
    name: connection.name,
    baseUrl,
    schemas,
    discovery: createDiscovery({ baseUrl, schemas, authenticationSchemes: schemesOf(connection) }),
    patch: connection.patch,
    groupPatchAnswer: connection.groupPatchAnswer,
    provision,
    pageMemory: createPageMemory(rememberedPages, clock),
    cursorKey,
    ignored: createIgnoredNames(connection.name, log),
  }
}

function schemesOf({ basic, oauth, entra, oidc }: ConnectionConfig): readonly AuthenticationScheme[] {
  const takesOauth = oauth !== undefined || entra !== undefined || oidc.length > 0
  return authenticationSchemes({ takesBasic: basic.length > 0, takesOauth })
}

/** The last answers are on their way: a connection closes when its own is out, not before, and none is waited for long. */
async function answersSent(server: Server, closed: Promise<unknown>): Promise<void> {
  const stop = new AbortController()
  void closed.then(() => stop.abort())
  for (let waitedMs = 0; waitedMs < lastAnswersMs && !stop.signal.aborted; waitedMs += lastAnswersPollMs) {
    server.closeIdleConnections()
    await systemClock.sleep(lastAnswersPollMs, stop.signal).catch(() => undefined)
  }
}

function listening(
  server: Server,
  { host, port }: { host: string; port: number },
): Promise<{ host: string; port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const isTaken = 'code' in cause && cause.code === 'EADDRINUSE'
      if (!isTaken) return reject(cause)
      reject(
        new Error(`port ${port} of ${host} is in use: end the program that has it, or change listen.port`, { cause }),
      )
    })
    server.listen(port, host, () => {
      const address = server.address()
      resolve({ host, port: typeof address === 'object' && address !== null ? address.port : port })
    })
  })
}
