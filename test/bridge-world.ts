/** A whole bridge in this process, in front of real simulators, on a real store. Time is the test's. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Writable } from 'node:stream'
import supertest from 'supertest'
import { parse, stringify } from 'yaml'
import { type Bridge, builtInMappings, createBridge, readConfig, type Surroundings } from '../src/bridge.ts'
import { type DemoPlatform, demoConfig, demoPlatforms, newDemoToken } from '../src/cli/demo-config.ts'
import type { JsonObject } from '../src/json.ts'
import { createLog } from '../src/log.ts'
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts'
import { ManualClock } from './manual-clock.ts'
import { newStoreFolder } from './store-folder.ts'

export const scimType = 'application/scim+json'

export interface ScimClient {
  get(path: string, headers?: Record<string, string>): supertest.Test
  post(path: string, body: unknown, headers?: Record<string, string>): supertest.Test
  put(path: string, body: unknown, headers?: Record<string, string>): supertest.Test
  patch(path: string, operations: unknown, headers?: Record<string, string>): supertest.Test
  delete(path: string, headers?: Record<string, string>): supertest.Test
}

export interface BridgeWorld {
  readonly clock: ManualClock
  readonly sandbox: Sandbox
  readonly tokens: ReadonlyMap<DemoPlatform, string>
  readonly url: string
  /** Of configuration and store. */
  readonly directory: string
  /** Every line that the bridge has logged. */
  readonly logLines: readonly string[]
  scim(platform: DemoPlatform): ScimClient
  /** Stops this bridge and starts another one on the same store and configuration; `between` runs while none does. */
  restart(between?: () => void | Promise<void>): Promise<void>
  /**
   * As after `kill -9` at this very moment: another bridge starts on what the store had committed, whatever this one has done
   * since. Whoever kills it keeps it away from the platforms.
   */
  kill(): Promise<void>
  /** Stops this bridge, lets `work` do something with the store, and starts another one. */
  stopped(work: (database: DatabaseSync) => Promise<void>): Promise<void>
  stop(): Promise<void>
}

export interface BridgeWorldOptions extends Pick<Surroundings, 'workMs' | 'graceMs' | 'socketTimes'> {
  /** The store is encrypted with it. */
  readonly storeKey?: string
}

/** `change` edits the configuration before it is read. */
export async function startBridgeWorld(
  change: (config: JsonObject) => void = () => {},
  options: BridgeWorldOptions = {},
): Promise<BridgeWorld> {
  const directory = newStoreFolder()
  const clock = new ManualClock()
  const sandbox = await startSandbox({ now: () => clock.now() })
  const tokens = new Map(demoPlatforms.map((platform) => [platform, newDemoToken()]))
  const connections = demoPlatforms.map((platform) => ({
    platform,
    token: tokens.get(platform) ?? '',
    baseUrl: sandbox[platform].baseUrl,
    credentials: sandbox[platform].credentials,
  }))
  const config: JsonObject = parse(
    demoConfig({ port: 0, sharedToken: undefined, mappings: builtInMappings, connections }),
  )

  if (options.storeKey !== undefined) config.encryption = { key: options.storeKey }
  change(config)
  const file = join(directory, 'bridge.yaml')
  writeFileSync(file, stringify(config))
  const logLines: string[] = []
  const log = createLog(
    'debug',
    new Writable({
      write(chunk, _encoding, done) {
        logLines.push(String(chunk))
        done()
      },
    }),
  )
  let bridge: Bridge
  let url = ''
  const start = async () => {
    const { storeKey: _, ...surroundings } = options
    bridge = await createBridge(readConfig(file, {}), { clock, log, ...surroundings })
    const address = await bridge.listen()
    url = `http://${address.host}:${address.port}`
  }
  try {
    await start()
  } catch (error) {
    await sandbox.close()
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
  return {
    clock,
    sandbox,
    tokens,
    directory,
    logLines,
    get url() {
      return url
    },
    scim: (platform) => scimClient(url, platform, tokens.get(platform) ?? ''),
    async restart(between) {
      await bridge.stop()
      await between?.()
      await start()
    },
    async kill() {
      const store = join(directory, 'bridge.sqlite')
      const left = [store, `${store}-wal`].map((file) => [file, readFileSync(file)] as const)
      await bridge.stop()
      for (const suffix of ['-wal', '-shm']) rmSync(store + suffix, { force: true })
      for (const [file, bytes] of left) writeFileSync(file, bytes)
      await start()
    },
    async stopped(work) {
      await bridge.stop()
      const database = new DatabaseSync(join(directory, 'bridge.sqlite'))
      try {
        await work(database)
      } finally {
        database.close()
        await start()
      }
    },
    async stop() {
      await bridge.stop()
      await sandbox.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export function scimClient(url: string, connection: string, token: string): ScimClient {
  const base = `/${connection}/scim/v2`
  const agent = supertest(url)
  const send = (request: supertest.Test, headers: Record<string, string> = {}) =>
    request.set({ Authorization: `Bearer ${token}`, ...headers })
  const write = (request: supertest.Test, body: unknown, headers: Record<string, string> = {}) =>
    send(request, { 'Content-Type': scimType, ...headers }).send(typeof body === 'string' ? body : JSON.stringify(body))
  return {
    get: (path, headers) => send(agent.get(base + path), headers),
    post: (path, body, headers) => write(agent.post(base + path), body, headers),
    put: (path, body, headers) => write(agent.put(base + path), body, headers),
    patch: (path, operations, headers) =>
      write(
        agent.patch(base + path),
        { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations },
        headers,
      ),
    delete: (path, headers) => send(agent.delete(base + path), headers),
  }
}

let counter = 0
/** A person whom every platform takes; nobody else has the same names. */
export function aUser(change: JsonObject = {}): JsonObject {
  counter += 1
  const name = `person${counter}`
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: `${name}@uni.example`,
    externalId: `00u${counter}`,
    name: { givenName: 'Ada', familyName: `Lovelace${counter}` },
    emails: [{ type: 'work', primary: true, value: `${name}@uni.example` }],
    active: true,
    ...change,
  }
}
