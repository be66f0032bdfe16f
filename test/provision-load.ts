/**
 * Everything below HTTP under load: people come, change, leave, return and are deleted, on a real store in front of a real
 * platform. What stays in memory afterwards is what the bridge holds.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { builtInMappings, provisionedConnection, readConfig } from '../src/bridge.ts'
import { demoConfig, newDemoToken } from '../src/cli/demo-config.ts'
import { systemClock } from '../src/clock.ts'
import type { AccountId } from '../src/facts.ts'
import type { JsonObject } from '../src/json.ts'
import { createLog } from '../src/log.ts'
import type { Call } from '../src/platforms/platform.ts'
import type { Asked } from '../src/provision/connection.ts'
import { createProvision } from '../src/provision/provision.ts'
import { openStore } from '../src/store/open.ts'
import { newResourceId } from '../src/store/resource-id.ts'
import { aUser } from './bridge-world.ts'

/** What one person goes through. */
const operationsOfPerson = 5
/** Nothing here takes so long: what the bridge held until then would be seen. */
const attemptMs = 3_600_000

export interface ProvisionLoad {
  /** So many people go through everything, some of them at the same time. `seen`: of each request, its document, its calls. */
  people(count: number, seen?: (held: object) => void): Promise<void>
  readonly operations: number
  stop(): Promise<void>
}

export async function startProvisionLoad(atOnce: number): Promise<ProvisionLoad> {
  const platform = new Worker(new URL('./simulator-worker.ts', import.meta.url))
  const [{ baseUrl, credentials }] = await once(platform, 'message')
  const directory = mkdtempSync(join(tmpdir(), 'scim-bridge-test-'))
  const file = join(directory, 'bridge.yaml')
  const connections = [{ platform: 'figshare' as const, token: newDemoToken(), baseUrl, credentials }]
  writeFileSync(file, demoConfig({ port: 1, sharedToken: undefined, mappings: builtInMappings, connections }))
  const config = readConfig(file, {})
  const [settings] = config.connections
  assert.ok(settings)
  const clock = systemClock
  const log = createLog('silent')
  const store = await openStore({ kind: 'sqlite', file: join(directory, 'bridge.sqlite') }, { clock, log })
  const made = provisionedConnection(settings, config, clock)
  let seenOfCalls: (held: object) => void = () => {}
  const read = (call: Call, id: AccountId) => {
    seenOfCalls(call)
    seenOfCalls(call.signal)
    return made.platform.read(call, id)
  }
  const connection = { ...made, platform: { ...made.platform, read } }
  const newId = () => newResourceId(clock.now())
  const provision = createProvision(connection, { store, clock, log, random: Math.random, newId, attemptMs })
  provision.start()
  let operations = 0

  async function person(seen: (held: object) => void): Promise<void> {
    const asked = (): Asked => {
      operations += 1
      const request = { requestId: `request ${operations}`, caller: 'test', signal: new AbortController().signal }
      seen(request)
      return request
    }
    const wanted = (change: JsonObject) => {
      const document = { ...user, ...change }
      seen(document)
      return { document, active: document.active === true }
    }
    const user = aUser()
    const id = await provision.createUser(asked(), wanted({}))
    provision.noteFlushed(id)
    const changes: readonly JsonObject[] = [{ title: 'Dean' }, { active: false }, { title: 'Countess' }]
    for (const change of changes)
      await provision.updateUser(asked(), id, () => ({ ...wanted({ id, ...change }), changed: true }))
    assert.ok(await provision.deleteUser(asked(), id, () => true))
  }

  return {
    async people(count, seen = () => {}) {
      seenOfCalls = seen
      let begun = 0
      const lane = async () => {
        while (begun < count) {
          begun += 1
          await person(seen)
        }
      }
      await Promise.all(Array.from({ length: atOnce }, lane))
      assert.equal(operations % operationsOfPerson, 0)
      assert.equal(await store.countOperations(connection.name), 0, 'nothing is left to do')
    },
    get operations() {
      return operations
    },
    async stop() {
      await provision.stop(1_000)
      await connection.platform.close()
      await store.close()
      await platform.terminate()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Once is not enough: what a first collection has found to be finished lets go of more. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  assert.ok(typeof collect === 'function')
  for (let round = 0; round < 4; round += 1) {
    collect()
    await turn()
  }
}
