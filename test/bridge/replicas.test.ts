/** Several `serve` processes on one PostgreSQL, in front of one simulator. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { builtInMappings } from '../../src/bridge.ts'
import { demoConfig, newDemoToken } from '../../src/cli/demo-config.ts'
import { systemClock } from '../../src/clock.ts'
import type { JsonObject } from '../../src/json.ts'
import { createLog } from '../../src/log.ts'
import { createFigshare, type FigshareSimulator } from '../../src/sandbox/figshare/figshare.ts'
import { startSimulator } from '../../src/sandbox/server.ts'
import type { RunningSimulator } from '../../src/sandbox/simulator.ts'
import type { PostgresLocation } from '../../src/store/location.ts'
import { openPostgres, type PostgresStore } from '../../src/store/open-postgres.ts'
import { aUser, scimType } from '../bridge-world.ts'
import { eventually as soon } from '../eventually.ts'
import { emailOf } from '../figshare-bridge.ts'
import { type PostgresServer, postgresStore, skipPostgres, startPostgres } from '../postgres-server.ts'

/** Several processes, whose own clocks tick, on a machine that may be busy: as `eventually`, with far more patience. */
async function eventually(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 1; ; round += 1) {
    try {
      return await soon(what, ask)
    } catch (error) {
      if (round === 20) throw error
    }
  }
}

interface Replica {
  readonly child: ChildProcess
  readonly url: string
}

describe('replicas on one PostgreSQL', { skip: skipPostgres }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'replicas-'))
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const token = newDemoToken()
  let server: PostgresServer
  let location: PostgresLocation
  let logic: FigshareSimulator
  let figshare: RunningSimulator
  let store: PostgresStore
  let replicas: Replica[] = []

  before(async () => {
    server = await startPostgres()
    location = server.location({ statementMs: 2_000 })
    logic = createFigshare()
    figshare = await startSimulator(logic)
    const { baseUrl } = figshare
    const connections = [{ platform: 'figshare', token, baseUrl, credentials: { ...logic.credentials } }] as const
    const config: JsonObject = parse(
      demoConfig({ port: 0, sharedToken: undefined, mappings: builtInMappings, connections }),
    )
    config.store = postgresStore(location)
    config.retry = { maximumSeconds: 1 }
    writeFileSync(join(directory, 'bridge.yaml'), stringify(config))
    replicas = await Promise.all([started(), started(), started()])
    store = await openPostgres(location, { clock: systemClock, log: createLog('silent') })
  })
  after(async () => {
    for (const { child } of replicas) child.kill('SIGKILL')
    await store?.close()
    await figshare?.close()
    await server?.end()
    rmSync(directory, { recursive: true, force: true })
  })

  async function started(): Promise<Replica> {
    const child = spawn(
      process.execPath,
      ['--disable-proto=delete', main, 'serve', '--config', join(directory, 'bridge.yaml')],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    for await (const text of createInterface(child.stderr)) {
      const line: JsonObject = JSON.parse(text)
      if (line.msg !== 'serving') continue
      child.stderr.resume()
      return { child, url: `http://${line.host}:${line.port}/figshare/scim/v2` }
    }
    throw new Error('the bridge ended before it served')
  }

  async function ended(index: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const [gone] = replicas.splice(index, 1)
    if (gone === undefined) return
    const exit = once(gone.child, 'exit')
    gone.child.kill(signal)
    await exit
  }

  async function scim(replica: number, method: string, path: string, body?: unknown) {
    const answer = await fetch((replicas[replica % replicas.length]?.url ?? '') + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': scimType, connection: 'close' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const json: JsonObject = text === '' ? {} : JSON.parse(text)
    return { status: answer.status, body: json }
  }

  const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp']
  const patch = (path: string, value: unknown) => ({ schemas, Operations: [{ op: 'replace', path, value }] })
  const accountsOf = (user: JsonObject) => logic.state.byEmail(emailOf(user))
  const isQuiet = async () => (await store.countOperations('figshare')) === 0
  /** As if the minute were over, and the time in which a request waits for its own operation. */
  const endClaims = () =>
    server.execute(location, "update claim set claimed_until = 0 where kind = 'link'; update operation set due_at = 0")

  test('PG 1 requests for one person at three replicas at once: nothing is lost, nothing is made twice, in order', async () => {
    const users = Array.from({ length: 8 }, () => aUser())
    await Promise.all(
      users.map(async (user, index) => {
        const made = await scim(index, 'POST', '/Users', user)
        assert.equal(made.status, 201, JSON.stringify(made.body))
        const path = `/Users/${made.body.id}`
        const answers = await Promise.all([
          scim(0, 'PATCH', path, patch('title', 'Countess')),
          scim(1, 'PATCH', path, patch('name.givenName', 'Augusta')),
          scim(2, 'PATCH', path, patch('name.familyName', 'King')),
        ])
        // 429: another replica was at it, and the change is stored.
        for (const { status, body } of answers) assert.ok([200, 429].includes(status), JSON.stringify(body))
      }),
    )
    await eventually('nothing is left to do', isQuiet)
    for (const user of users) {
      const accounts = accountsOf(user)
      assert.equal(accounts.length, 1)
      assert.equal(accounts[0]?.profile.job_title, 'Countess')
      const { body } = await scim(0, 'GET', `/Users?filter=${encodeURIComponent(`userName eq "${user.userName}"`)}`)
      // Figshare keeps names as they were; the resource has them as asked.
      const [resource] = body.Resources as JsonObject[]
      assert.deepEqual(resource?.name, { givenName: 'Augusta', familyName: 'King' })
    }
    assert.equal((await store.verifyAudit('figshare')).brokenAt, undefined)
    await assertOneAtATime()
  })

  /** Between the first call of an operation and its outcome no other operation of the same resource calls. */
  async function assertOneAtATime(): Promise<void> {
    const inWork = new Map<string, number>()
    for (const { event, resourceId = '', operationId = 0 } of await store.readAudit('figshare', 0, 100_000)) {
      if (event === 'calling') {
        assert.equal(inWork.get(resourceId) ?? operationId, operationId)
        inWork.set(resourceId, operationId)
      } else if (event === 'outcome') inWork.delete(resourceId)
    }
  }

  test('PG 9 who lost its claim during a call makes no further one, and the operation is finished by its next holder', async () => {
    const user = aUser()
    const { body } = await scim(0, 'POST', '/Users', user)
    figshare.fault({ mode: 'slow', delayMs: 1_500 })
    const asked = scim(0, 'PATCH', `/Users/${body.id}`, patch('title', 'Enchantress'))
    await eventually('the platform is being read', () => figshare.faultCount > 0)
    await server.execute(
      location,
      "update claim set holder = 'elsewhere', claimed_until = 9000000000000000 where kind = 'link'",
    )
    await asked
    figshare.fault({ mode: 'ok' })
    assert.notEqual(accountsOf(user)[0]?.profile.job_title, 'Enchantress')
    assert.equal(await isQuiet(), false)
    await endClaims()
    await eventually('another one has done it', () => accountsOf(user)[0]?.profile.job_title === 'Enchantress')
    await eventually('nothing is left to do', isQuiet)
  })

  test('PG 2 after kill -9 of a replica the others finish what it had in work, once its claims end, and nothing twice', async () => {
    const users = Array.from({ length: 6 }, () => aUser())
    figshare.fault({ mode: 'hang-after', only: 'writes' })
    const asked = users.map((user) => scim(0, 'POST', '/Users', user).catch(() => 'cut off'))
    await eventually('the platform has made one', () => figshare.faultCount > 0)
    await eventually('all are stored', async () => (await store.countOperations('figshare')) === users.length)
    await ended(0, 'SIGKILL')
    assert.deepEqual(new Set(await Promise.all(asked)), new Set(['cut off']))
    figshare.fault({ mode: 'ok' })
    const open = await server.execute(location, "select count(*)::int as claims from claim where kind = 'link'")
    assert.ok(open.rows[0]?.claims >= users.length, 'they are still claimed by the dead one')
    await endClaims()
    await eventually('nothing is left to do', isQuiet)
    for (const user of users) assert.equal(accountsOf(user).length, 1)
    await assertOneAtATime()
  })

  test('PG 4 a database that stands still for longer than every limit: 503 meanwhile, and nothing accepted is lost', async () => {
    const user = aUser()
    const { body } = await scim(0, 'POST', '/Users', user)
    server.freeze()
    try {
      const refused = await scim(0, 'PATCH', `/Users/${body.id}`, patch('title', 'Not now'))
      assert.equal(refused.status, 503)
      const health = (replicas[0]?.url ?? '').replace('/figshare/scim/v2', '')
      assert.equal((await fetch(`${health}/readyz`)).status, 503)
      assert.equal((await fetch(`${health}/livez`)).status, 200)
    } finally {
      server.thaw()
    }
    await eventually('it is taken again', async () => {
      const { status } = await scim(1, 'PATCH', `/Users/${body.id}`, patch('title', 'Countess'))
      return status === 200
    })
    assert.equal(accountsOf(user)[0]?.profile.job_title, 'Countess')
    await eventually('nothing is left to do', isQuiet)
  })

  test('PG 15 replicas are replaced one after the other, and every request is answered', async () => {
    const user = aUser()
    const { body } = await scim(0, 'POST', '/Users', user)
    for (const name of ['first', 'second']) {
      replicas.push(await started())
      await ended(0, 'SIGTERM')
      const changed = await scim(1, 'PATCH', `/Users/${body.id}`, patch('title', name))
      assert.equal(changed.status, 200, JSON.stringify(changed.body))
    }
    const { rows } = await server.execute(
      location,
      "select count(*)::int as running from claim where kind = 'bridge' and claimed_until > extract(epoch from now()) * 1000",
    )
    // Those that ended have said so; the one that was killed is believed for a minute.
    assert.equal(rows[0]?.running, replicas.length + 1)
  })
})
