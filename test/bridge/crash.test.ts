/** The real `serve` in a process of its own, killed without warning, in front of simulators that live on. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { builtInMappings } from '../../src/bridge.ts'
import { demoConfig, newDemoToken } from '../../src/cli/demo-config.ts'
import { systemClock } from '../../src/clock.ts'
import type { JsonObject } from '../../src/json.ts'
import { createLog } from '../../src/log.ts'
import { createFigshare, type FigshareSimulator } from '../../src/sandbox/figshare/figshare.ts'
import { startSimulator } from '../../src/sandbox/server.ts'
import type { FaultRequest, RunningSimulator } from '../../src/sandbox/simulator.ts'
import { openStore } from '../../src/store/open.ts'
import { aUser, scimType } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { emailOf, provisioningUrn } from '../figshare-bridge.ts'

const directory = mkdtempSync(join(tmpdir(), 'crash-'))
const token = newDemoToken()
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
let logic: FigshareSimulator
let figshare: RunningSimulator
let bridge: ChildProcess
let url = ''

before(async () => {
  logic = createFigshare()
  figshare = await startSimulator(logic)
  const { baseUrl } = figshare
  const connections = [{ platform: 'figshare', token, baseUrl, credentials: { ...logic.credentials } }] as const
  const config = demoConfig({ port: 0, sharedToken: undefined, mappings: builtInMappings, connections })
  writeFileSync(join(directory, 'bridge.yaml'), config.replace('maximumSeconds: 5', 'maximumSeconds: 1'))
  await start()
})
after(async () => {
  bridge.kill('SIGKILL')
  await figshare.close()
  rmSync(directory, { recursive: true, force: true })
})

async function start(): Promise<void> {
  const child = spawn(
    process.execPath,
    ['--disable-proto=delete', main, 'serve', '--config', join(directory, 'bridge.yaml')],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  bridge = child
  for await (const text of createInterface(child.stderr)) {
    const line: JsonObject = JSON.parse(text)
    if (line.msg !== 'serving') continue
    url = `http://${line.host}:${line.port}/figshare/scim/v2`
    child.stderr.resume()
    return
  }
  throw new Error('the bridge ended before it served')
}

async function end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const ended = once(bridge, 'exit')
  bridge.kill(signal)
  await ended
}

async function scim(method: string, path: string, body?: unknown): Promise<{ status: number; body: JsonObject }> {
  const answer = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': scimType, connection: 'close' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text) }
}

async function found(user: JsonObject): Promise<JsonObject | undefined> {
  const { body } = await scim('GET', `/Users?filter=${encodeURIComponent(`userName eq "${user.userName}"`)}`)
  return Array.isArray(body.Resources) ? (body.Resources[0] as JsonObject) : undefined
}

const stateOf = (user: JsonObject | undefined) => (user?.[provisioningUrn] as JsonObject | undefined)?.state
const accountsOf = (user: JsonObject) => logic.state.byEmail(emailOf(user))
const patch = (operations: unknown) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: operations,
})

interface Change {
  readonly what: string
  readonly isNew: boolean
  ask(user: JsonObject, id: string): Promise<unknown>
  /** What must be true in the end, however often the bridge died. */
  isDone(user: JsonObject): Promise<boolean>
}
const changes: readonly Change[] = [
  {
    what: 'create',
    isNew: true,
    ask: (user) => scim('POST', '/Users', user),
    isDone: async (user) => accountsOf(user)[0]?.active === true && stateOf(await found(user)) === 'applied',
  },
  {
    what: 'update',
    isNew: false,
    ask: (_user, id) => scim('PATCH', `/Users/${id}`, patch([{ op: 'replace', path: 'title', value: 'Countess' }])),
    isDone: async (user) =>
      accountsOf(user)[0]?.profile.job_title === 'Countess' && stateOf(await found(user)) === 'applied',
  },
  {
    what: 'deactivation',
    isNew: false,
    ask: (_user, id) => scim('PATCH', `/Users/${id}`, patch([{ op: 'replace', path: 'active', value: false }])),
    isDone: async (user) => accountsOf(user)[0]?.active === false && stateOf(await found(user)) === 'applied',
  },
  {
    what: 'deletion',
    isNew: false,
    ask: (_user, id) => scim('DELETE', `/Users/${id}`),
    isDone: async (user) => accountsOf(user)[0]?.active === false && (await found(user)) === undefined,
  },
]
interface Moment {
  readonly when: string
  readonly fault: FaultRequest
  readonly kinds: readonly string[]
}
const moments: readonly Moment[] = [
  { when: 'durable, and nothing written', fault: { mode: 'hang' }, kinds: ['create', 'deactivation'] },
  { when: 'not done by the platform yet', fault: { mode: 'hang', only: 'writes' }, kinds: ['create', 'deletion'] },
  {
    when: 'done by the platform and not answered',
    fault: { mode: 'hang-after', only: 'writes' },
    kinds: ['create', 'update', 'deactivation', 'deletion'],
  },
]

for (const { what, isNew, ask, isDone } of changes) {
  for (const { when, fault } of moments.filter(({ kinds }) => kinds.includes(what))) {
    test(`a bridge that is killed when a ${what} is ${when} finishes it after the next start`, async () => {
      const user = aUser()
      const made = isNew ? undefined : await scim('POST', '/Users', user)
      figshare.fault(fault)
      const asking = ask(user, String(made?.body.id)).catch(() => 'cut off')
      await eventually('the platform has heard of it', () => figshare.faultCount > 0)
      await end('SIGKILL')
      assert.equal(await asking, 'cut off')
      figshare.fault({ mode: 'ok' })
      await start()
      await eventually('it is done', () => isDone(user))
      assert.equal(accountsOf(user).length, 1)
      if (!isNew) return
      const repeated = await scim('POST', '/Users', user)
      assert.equal(repeated.status, 201, 'the first POST was never answered')
      assert.equal(accountsOf(user).length, 1)
    })
  }
}

test('a deactivation during an outage outlives two kills', async () => {
  const user = aUser()
  const { body } = await scim('POST', '/Users', user)
  figshare.fault({ mode: 'down' })
  const answer = await scim('PATCH', `/Users/${body.id}`, patch([{ op: 'replace', path: 'active', value: false }]))
  assert.equal(answer.status, 429)
  await end('SIGKILL')
  await start()
  await end('SIGKILL')
  figshare.fault({ mode: 'ok' })
  await start()
  await eventually('the account is off', () => accountsOf(user)[0]?.active === false)
})

test('after all of this nothing is unfinished, and the audit has no gap', async () => {
  await end('SIGTERM')
  assert.equal(bridge.exitCode, 0)
  const store = await openStore(
    { kind: 'sqlite', file: join(directory, 'bridge.sqlite') },
    { clock: systemClock, log: createLog('silent') },
  )
  try {
    assert.equal(await store.countOperations('figshare'), 0)
    const { rows, brokenAt } = await store.verifyAudit('figshare')
    assert.equal(brokenAt, undefined)
    assert.ok(rows > 50)
  } finally {
    await store.close()
  }
})
