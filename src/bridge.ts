/** The composition root: configuration → store → connections → HTTP application. */
import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { alarmWays } from './alarm-ways.ts'
import { createAlarms } from './alarms/alarms.ts'
import { alarmKinds } from './alarms/conditions.ts'
import { platformCertificates, serverCertificate } from './certificates.ts'
import { type Clock, repeat, setBack } from './clock.ts'
import type { Config, ConnectionConfig } from './config/config.ts'
import { loadConfig } from './config/load.ts'
import { createSecretWatch } from './config/secret-watch.ts'
import { createApp } from './http/app.ts'
import { closedConnections, createAuthentication } from './http/authentication/create-authentication.ts'
import { createMetrics } from './http/metrics.ts'
import { createWebServer, type SocketTimes } from './http/server.ts'
import { storedState } from './http/stored-state.ts'
import { answerReserveMs, requestBudgetMs } from './limits.ts'
import { alarmsOf, type Log } from './log.ts'
import { readMappingFile } from './mapping/read.ts'
import { createOperatorPages } from './operator-pages.ts'
import { addressRule } from './platforms/address.ts'
import { hostProblem } from './platforms/host.ts'
import { createPace, type Slots } from './platforms/pace.ts'
import { platforms } from './platforms/registry.ts'
import type { ProvisionedConnection } from './provision/connection.ts'
import { createProvision } from './provision/provision.ts'
import { createReconcile } from './provision/reconcile.ts'
import { createEraseOld } from './provision/retention.ts'
import type { ScimConnection } from './scim/context.ts'
import { importedDocument } from './scim/import.ts'
import { compileSchemas } from './scim/schema.ts'
import { scimConnection } from './scim-connection.ts'
import type { Credentials } from './store/credentials.ts'
import { openCredentialsOf, openForBridge } from './store/open-location.ts'
import { newResourceId } from './store/resource-id.ts'
import { createSealer, plainSealer, type Sealer } from './store/sealing.ts'
import type { Store } from './store/store.ts'
import { openTraces } from './telemetry/open.ts'
import { tracedStore } from './telemetry/traced-store.ts'
import type { Tracer } from './tracing.ts'
import { version } from './version.ts'

/** What is in work at the end may finish so long; the rest is durable and goes on with the next start. */
const stopGraceMs = 5_000
/** How often files of secrets and certificates are looked at. */
const lookMs = 1_000
/** How often it is looked for what is too old. */
const retentionMs = 86_400_000

/** `mappings/` of this package: one file a platform. */
export const builtInMappings = join(dirname(dirname(fileURLToPath(import.meta.url))), 'mappings')

/** `bridge.yaml` with the settings of every platform checked. Throws `FileProblems`. */
export function readConfig(file: string, environment: Readonly<Record<string, string | undefined>>): Config {
  return loadConfig(file, {
    environment,
    settingsOf: (platform) => platforms.get(platform)?.settings,
    platforms: [...platforms.keys()],
    hostProblem,
  })
}

/** How this configuration's store keeps values of people. */
export function sealerOf({ encryption: { key } }: Config): Sealer {
  return key === undefined ? plainSealer : createSealer(key)
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
  readonly socketTimes?: Partial<SocketTimes>
  /** Another process has taken the store: this bridge does nothing more, and is to be stopped. */
  readonly onTakenOver?: () => void
}

/** Throws what the loaders throw when anything is in doubt: `ConfigProblems`, `MappingProblems`, `StoreUnavailable`, … */
export async function createBridge(config: Config, surroundings: Surroundings): Promise<Bridge> {
  const { clock, log, onTakenOver, workMs = requestBudgetMs - answerReserveMs, graceMs = stopGraceMs } = surroundings
  // Mappings and settings are checked before the store is opened; nothing is called before it is.
  let opened: Store | undefined
  const slotsOf = ({ name }: ConnectionConfig): Slots => {
    const setBackMs = setBack(clock)
    return {
      async reserve(intervalMs, delayMs) {
        if (opened === undefined) throw new Error('a platform was called before the store was open')
        const whole = { intervalMs: Math.ceil(intervalMs), delayMs: Math.ceil(delayMs) }
        const slot = { ...whole, now: clock.now(), setBackMs: setBackMs() }
        return opened.transaction((write) => write.reserveSlot(name, slot))
      },
    }
  }
  const traces = await openTraces(config.traces && { ...config.traces, serviceVersion: version }, surroundings)
  const tracer = traces?.tracer
  const provisioned = config.connections.map((connection) =>
    provisionedConnection(connection, config, clock, { slots: slotsOf(connection), tracer }),
  )
  const tls = serverCertificate(config)
  const ways = alarmWays(config, log)
  const plainStore = await openForBridge(config.store, { clock, log, onTakenOver, sealer: sealerOf(config) })
  const system = config.store.kind === 'sqlite' ? 'sqlite' : 'postgresql'
  const store = tracer === undefined ? plainStore : tracedStore(plainStore, system, { tracer, clock })
  opened = store
  const credentials = await openedCredentials(config, store, surroundings)
  const newId = () => newResourceId(clock.now())
  const world = { store, clock, log, random: Math.random, newId, attemptMs: workMs, tracer }
  const provisions = provisioned.map((connection) => createProvision(connection, world))
  const byName = new Map(provisions.map((provision) => [provision.connection.name, provision]))
  const reconciles = provisions.map((provision, index) => {
    const settings = config.connections[index]
    const everyHours = settings?.reconcile?.everyHours
    const everyMs = everyHours === undefined ? undefined : everyHours * 3_600_000
    const schemas = compileSchemas({ extensions: settings?.extensions ?? [] })
    return createReconcile(provision, world, { everyMs, toDocument: importedDocument(schemas) })
  })
  const requests = provisions.map((provision) => provision.requests)
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
  const watched = provisions.map(({ connection, suspension }) => ({ connection: connection.name, suspension }))
  const alarms = createAlarms(watched, world, { ...config.alarms, ways })
  const metrics = createMetrics({
    lasting: () => ({ kinds: alarmKinds, active: alarms.active(), deliveries: alarms.deliveries() }),
    alarms: () => alarmsOf(log),
    read: () =>
      Promise.all(
        provisions.map(async ({ connection: { name }, suspension }, index) => {
          return {
            connection: name,
            stored: await storedState(store, name),
            isSuspended: suspension() !== undefined,
            ignored: connections.get(name)?.ignored.count() ?? 0,
            reconcileEveryHours: config.connections[index]?.reconcile?.everyHours,
          }
        }),
      ),
  })
  const authentication = createAuthentication({
    ...config,
    metricsTokens: config.metrics.tokens,
    consoleTokens: config.console.tokens,
    consoleOidc: config.console.oidc,
    credentials,
    sessions: store.sessions,
    clock,
    log,
    metrics,
  })
  const pages = createOperatorPages(config, provisions, { store, clock, log, door: authentication.operatorAccess })
  const { limits } = config
  const app = createApp({
    connections,
    authentication,
    store,
    clock,
    log,
    metrics,
    workMs,
    limits,
    tracer,
    ...pages,
  })
  const server = createWebServer(app, { tls, log, times: surroundings.socketTimes })
  const secrets = createSecretWatch(config.connections, log)
  const stopping = new AbortController()
  const forget = createEraseOld(store, config.retention, { clock, log, signal: stopping.signal })
  const lookAtFiles = async () => {
    server.renewCertificate()
    for (const name of secrets.replaced()) byName.get(name)?.credentialsReplaced()
  }
  const close = async () => {
    await Promise.all(provisioned.map(({ platform }) => platform.close()))
    await store.close()
    await credentials.close()
    await traces?.stop()
  }
  return {
    async listen() {
      const address = await server.listen(config.listen).catch(async (error: unknown) => {
        // The store is given back: nobody on another host could take it for a minute.
        await close()
        throw error
      })
      for (const provision of provisions) provision.start()
      for (const reconcile of reconciles) reconcile.start()
      for (const request of requests) request.start()
      alarms.start()
      void repeat(clock, lookMs, stopping.signal, lookAtFiles)
      pages.start(stopping.signal)
      void forget().then(() => repeat(clock, retentionMs, stopping.signal, forget))
      return address
    },
    async stop() {
      stopping.abort()
      server.stopAccepting()
      await Promise.all([...reconciles, ...requests, alarms].map((work) => work.stop()))
      await Promise.all(provisions.map((provision) => provision.stop(graceMs)))
      await server.end()
      await pages.requestLog.flush()
      await close()
    },
  }
}

/** The store is given back when it cannot be: nobody else could take it for a minute. */
async function openedCredentials(config: Config, store: Store, { clock, log }: Surroundings): Promise<Credentials> {
  try {
    const now = clock.now()
    const credentials = await openCredentialsOf(config.store, { log, now })
    for (const connection of await closedConnections(config.connections, credentials, now)) {
      log.warn({ connection }, 'nobody can come in: make a token with scim-bridge token create')
    }
    return credentials
  } catch (error) {
    await store.close()
    throw error
  }
}

/** What a bridge has, and a command may have, around one connection. */
export interface ConnectionSurroundings {
  readonly slots?: Slots
  readonly tracer?: Tracer | undefined
  readonly noteDate?: (date: string) => void
}

/** Mapping loaded, examples run, module connected; nothing is called yet. */
export function provisionedConnection(
  connection: ConnectionConfig,
  config: Config,
  clock: Clock,
  { slots, tracer, noteDate }: ConnectionSurroundings = {},
): ProvisionedConnection {
  const platform = platforms.get(connection.platform)
  if (platform === undefined) throw new Error(`no platform '${connection.platform}'`)
  const file = connection.mapping ?? join(builtInMappings, `${connection.platform}.yaml`)
  const { mode: writeMode, extensions } = connection
  const { mapping } = readMappingFile(file, (name) => platforms.get(name)?.facts, { writeMode, extensions })
  const pace = createPace(connection.pace ?? platform.facts.pace, clock, slots)
  const maximumRetryMs = config.retry.maximumSeconds * 1_000
  return {
    name: connection.name,
    mode: connection.mode,
    mapping,
    facts: platform.facts,
    platform: platform.connect(connection.settings, {
      client: {
        baseUrl: connection.baseUrl,
        pace,
        mayConnect: addressRule(connection.allowPrivateAddresses),
        certificates: platformCertificates(connection),
        ...(noteDate === undefined ? {} : { noteDate }),
        trace: tracer && {
          tracer,
          connection: connection.name,
          pathWords: platform.pathWords,
          tellsPlatform: config.traces?.tellPlatforms === true,
        },
      },
      clock,
      secrets: new Map([...connection.secretFiles].map(([setting, secret]) => [setting, () => secret.text()])),
    }),
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
