/** Two bridges in this process on one PostgreSQL, in front of one simulated Figshare. Time is the test's, and the same for both. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { type Bridge, builtInMappings, createBridge, readConfig } from '../src/bridge.ts'
import { demoConfig, newDemoToken } from '../src/cli/demo-config.ts'
import { isJsonObject, type JsonObject } from '../src/json.ts'
import { createLog } from '../src/log.ts'
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts'
import type { ClaimKind } from '../src/store/claim-store.ts'
import type { PostgresLocation } from '../src/store/location.ts'
import { openPostgres, type PostgresStore } from '../src/store/open-postgres.ts'
import { type ScimClient, scimClient } from './bridge-world.ts'
import { eventually } from './eventually.ts'
import { ManualClock } from './manual-clock.ts'
import { type PostgresServer, postgresStore, startPostgres } from './postgres-server.ts'

export interface ReplicaBridges {
  readonly clock: ManualClock
  readonly sandbox: Sandbox
  readonly urls: readonly [string, string]
  /** The connection `figshare` of each. */
  readonly scim: readonly [ScimClient, ScimClient]
  readonly location: PostgresLocation
  /** As a third process sees it. */
  readonly store: PostgresStore
  /** By hand, past all of them; answers the rows. */
  execute(statements: string): Promise<readonly Record<string, unknown>[]>
  /** A claim of `figshare` as a replica leaves it that dies over its work, once nobody has it. Answers how its time ends. */
  leaveClaim(kind: ClaimKind, name: string): Promise<() => Promise<unknown>>
  stop(): Promise<void>
}

/** `change` edits the configuration that both read. */
export async function startReplicaBridges(
  change: (config: JsonObject, figshare: JsonObject) => void = () => {},
  clock = new ManualClock(),
): Promise<ReplicaBridges> {
  const directory = mkdtempSync(join(tmpdir(), 'replica-bridges-'))
  const token = newDemoToken()
  const ends: (() => Promise<unknown> | unknown)[] = [() => rmSync(directory, { recursive: true, force: true })]
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    const server: PostgresServer = await startPostgres()
    ends.push(() => server.end())
    const sandbox = await startSandbox({ now: () => clock.now() })
    ends.push(() => sandbox.close())
    const location: PostgresLocation = server.location()
    const file = join(directory, 'bridge.yaml')
    writeFileSync(file, stringify(configOf(sandbox, token, location, change)))
    const start = async () => {
      const bridge: Bridge = await createBridge(readConfig(file, {}), { clock, log: createLog('silent') })
      ends.push(() => bridge.stop())
      const { host, port } = await bridge.listen()
      return `http://${host}:${port}`
    }
    const urls = [await start(), await start()] as const
    const store = await openPostgres(location, { clock, log: createLog('silent') })
    ends.push(() => store.close())
    const execute = async (statements: string) => (await server.execute(location, statements)).rows
    return {
      clock,
      sandbox,
      urls,
      scim: [scimClient(urls[0], 'figshare', token), scimClient(urls[1], 'figshare', token)],
      location,
      store,
      execute,
      async leaveClaim(kind, name) {
        // What has just been done is seen a little before it is let go of.
        const isFree = async () => (await execute(`select 1 from claim where kind = '${kind}'`)).length === 0
        await eventually('nobody has the claim', isFree)
        await execute(
          `insert into claim (connection, kind, name, holder, claimed_until)
            values ('figshare', '${kind}', '${name}', 'gone/${kind}/${name}', 9000000000000000)`,
        )
        return () => execute(`update claim set claimed_until = 0 where kind = '${kind}'`)
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function configOf(
  sandbox: Sandbox,
  token: string,
  location: PostgresLocation,
  change: (config: JsonObject, figshare: JsonObject) => void,
): JsonObject {
  const { baseUrl, credentials } = sandbox.figshare
  const connections = [{ platform: 'figshare', token, baseUrl, credentials }] as const
  const config: JsonObject = parse(
    demoConfig({ port: 0, sharedToken: undefined, mappings: builtInMappings, connections }),
  )
  config.store = postgresStore(location)
  if (!isJsonObject(config.connections) || !isJsonObject(config.connections.figshare)) throw new Error('no connection')
  change(config, config.connections.figshare)
  return config
}
