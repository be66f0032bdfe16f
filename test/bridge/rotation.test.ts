import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'

interface Rotation {
  readonly world: BridgeWorld
  /** Puts the new secret into the file as an operator would: beside it, then over it. */
  replace(secret: string): void
  readonly old: string
}

async function aRotation(t: TestContext, platform: 'figshare' | 'dspace', setting: string): Promise<Rotation> {
  const folder = mkdtempSync(join(tmpdir(), 'rotation-'))
  const file = join(folder, 'secret')
  let old = ''
  const world = await startBridgeWorld((config: JsonObject) => {
    const connection = isJsonObject(config.connections) ? config.connections[platform] : undefined
    if (!isJsonObject(connection) || !isJsonObject(connection.settings)) throw new Error('no such connection')
    old = String(connection.settings[setting])
    writeFileSync(file, `${old}\n`)
    connection.settings[setting] = { file }
    // Only new credentials may end the wait in time.
    connection.retryAfterDeniedSeconds = 3_600
  })
  t.after(async () => {
    await world.stop()
    rmSync(folder, { recursive: true })
  })
  return {
    world,
    old,
    replace(secret) {
      writeFileSync(`${file}.new`, `${secret}\n`)
      renameSync(`${file}.new`, file)
    },
  }
}

/** People come and change all the time, until `work` is done; answers every status. */
async function underLoad(world: BridgeWorld, platform: 'figshare' | 'dspace', work: () => Promise<void>) {
  const statuses: number[] = []
  const scim = world.scim(platform)
  let isOver = false
  const worker = async () => {
    while (!isOver) {
      const made = await scim.post('/Users', aUser())
      statuses.push(made.status)
      const path = `/Users/${made.body.id}`
      const changed = await scim.patch(path, [{ op: 'replace', path: 'name.givenName', value: 'Augusta' }])
      statuses.push(changed.status)
    }
  }
  const workers = [worker(), worker(), worker(), worker()]
  const more = async (count: number) => {
    const wanted = statuses.length + count
    while (statuses.length < wanted) await turn()
  }
  try {
    await more(8)
    await work()
    await more(20)
  } finally {
    isOver = true
    await Promise.all(workers)
  }
  return statuses
}

const isFailure = (status: number) => status !== 200 && status !== 201

test('a Figshare token is replaced under load and no request fails', async (t) => {
  const { world, replace, old } = await aRotation(t, 'figshare', 'token')
  const { logic } = world.sandbox.figshare
  const statuses = await underLoad(world, 'figshare', async () => {
    logic.addToken('the-next-token', logic.administrator.id)
    replace('the-next-token')
    logic.withdrawToken(old)
  })
  assert.deepEqual(statuses.filter(isFailure), [])
  const used = new Set(world.sandbox.figshare.calls.map((call) => call.requestHeaders.authorization))
  assert.deepEqual(used, new Set([`token ${old}`, 'token the-next-token']))
})

test('a DSpace password is replaced under load and no request fails, the next log-in included', async (t) => {
  const { world, replace } = await aRotation(t, 'dspace', 'password')
  const { logic, credentials } = world.sandbox.dspace
  const logIns = () =>
    world.sandbox.dspace.calls.filter((call) => call.path.endsWith('/authn/login') && call.requestBody !== '')
  const statuses = await underLoad(world, 'dspace', async () => {
    logic.setPassword(credentials.user, 'the-next-password')
    replace('the-next-password')
    // The session that the old password began is over.
    world.clock.advance(31 * 60_000)
  })
  assert.deepEqual(statuses.filter(isFailure), [])
  assert.ok(logIns().some((call) => call.requestBody.includes('the-next-password')))
})

test('after the platform has refused the old secret, the new one is tried at once', async (t) => {
  const { world, replace, old } = await aRotation(t, 'figshare', 'token')
  const { logic } = world.sandbox.figshare
  logic.withdrawToken(old)
  const user = aUser()
  const scim = world.scim('figshare')
  await scim.post('/Users', user).expect(429)
  logic.addToken('the-next-token', logic.administrator.id)
  world.clock.advance(60_000)
  await scim.post('/Users', user).expect(429)
  replace('the-next-token')
  await eventually(
    'the person is there',
    () => logic.state.byEmail(String(user.userName)).length === 1,
    () => world.clock.advance(1_000),
  )
  assert.ok(world.logLines.some((line) => line.includes('"setting":"token"') && line.includes('a secret was replaced')))
  assert.ok(!world.logLines.some((line) => line.includes('the-next-token') || line.includes(old)))
})

test('an unreadable or empty secret file changes nothing: the last good secret stays', async (t) => {
  const { world, replace } = await aRotation(t, 'figshare', 'token')
  const scim = world.scim('figshare')
  replace('')
  await scim.post('/Users', aUser()).expect(201)
})
