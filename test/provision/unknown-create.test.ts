/** A create that nobody knows the outcome of, on a platform that finds people by their e-mail address alone, and a new address. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { emailOf } from '../figshare-bridge.ts'
import { viewAt } from '../platform-view.ts'
import { storeRows } from '../store-rows.ts'

const minute = 60_000
const epersons = '/api/eperson/epersons'

type Mode = 'confirmed' | 'deferred'

async function aDSpace(t: TestContext, mode: Mode) {
  const world = await startBridgeWorld((config) => {
    const { connections } = config
    if (!isJsonObject(connections) || !isJsonObject(connections.dspace)) throw new Error('no such connection')
    connections.dspace.mode = mode
    config.retry = { maximumSeconds: 3_600 }
  })
  t.after(() => world.stop())
  const { dspace } = world.sandbox
  const rows = (query: string) => storeRows(world.directory, query)
  const until = (what: string, ask: () => boolean | Promise<boolean>) =>
    eventually(what, ask, () => world.clock.advance(1_000))
  return {
    world,
    dspace,
    rows,
    until,
    scim: world.scim('dspace'),
    finished: () => until('nothing is unfinished', () => rows('select id from operation').length === 0),
    async seen(...users: JsonObject[]) {
      const view = viewAt('dspace', dspace.baseUrl, dspace.credentials, () => world.clock.now())
      const accounts = await Promise.all(users.map((user) => view.byEmail(emailOf(user))))
      return accounts.map(([only, ...others]) => {
        assert.equal(others.length, 0)
        return only?.isOn
      })
    },
  }
}

/** The account is made, and the answer is lost. */
async function aLostCreate(t: TestContext, mode: Mode, user: JsonObject) {
  const bridge = await aDSpace(t, mode)
  bridge.dspace.fault({ mode: 'lost', only: 'writes', path: epersons, times: 1 })
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.until(
    'its outcome is unknown',
    () => bridge.rows('select 1 from operation where attempts > 0').length > 0,
  )
  return { ...bridge, id: String(body.id) }
}

function movedTo(user: JsonObject, change: JsonObject = {}): JsonObject {
  return { ...user, emails: [{ type: 'work', primary: true, value: `new-${emailOf(user)}` }], ...change }
}

test('deferred: a new address is kept when the account is known, and there is one account', async (t) => {
  const user = aUser()
  const { scim, id, finished, seen } = await aLostCreate(t, 'deferred', user)
  const early = await scim.put(`/Users/${id}`, movedTo(user))
  assert.equal(early.status, 429, early.text)
  assert.equal(emailOf((await scim.get(`/Users/${id}`)).body), emailOf(user))
  await finished()
  assert.equal((await scim.put(`/Users/${id}`, movedTo(user))).status, 200)
  await finished()
  assert.deepEqual(await seen(user, movedTo(user)), [undefined, true])
})

test('confirmed: a POST with a new address is kept when the account is known, and there is one account', async (t) => {
  const user = aUser()
  const { scim, finished, seen } = await aLostCreate(t, 'confirmed', user)
  assert.equal((await scim.post('/Users', movedTo(user))).status, 429)
  await finished()
  const again = await scim.post('/Users', movedTo(user))
  assert.equal(again.status, 201, again.text)
  assert.equal(emailOf(again.body), emailOf(movedTo(user)))
  assert.deepEqual(await seen(user, movedTo(user)), [undefined, true])
})

test('deferred: who is deleted after a new address was pushed is off', async (t) => {
  const user = aUser()
  const { scim, id, finished, seen } = await aLostCreate(t, 'deferred', user)
  await scim.put(`/Users/${id}`, movedTo(user))
  assert.equal((await scim.delete(`/Users/${id}`)).status, 204)
  await finished()
  assert.deepEqual(await seen(user, movedTo(user)), [false, undefined])
})

for (const mode of ['deferred', 'confirmed'] as const) {
  test(`${mode}: who leaves in the request that brings a new address is off, and the address is asked for again`, async (t) => {
    const user = aUser()
    const { scim, id, finished, seen } = await aLostCreate(t, mode, user)
    const leaving = movedTo(user, { active: false })
    const push = () => (mode === 'deferred' ? scim.put(`/Users/${id}`, leaving) : scim.post('/Users', leaving))
    const early = await push()
    assert.equal(early.status, 429, early.text)
    await finished()
    assert.deepEqual(await seen(user, movedTo(user)), [false, undefined])
    const later = await push()
    assert.equal(later.status, mode === 'deferred' ? 200 : 201, later.text)
    await finished()
    assert.deepEqual(await seen(user, movedTo(user)), [undefined, false])
  })
}

test('a watch for the account of somebody deleted goes on when they come back with another address', async (t) => {
  const user = aUser()
  const { world, dspace, scim, rows, until, finished, seen } = await aDSpace(t, 'deferred')
  dspace.fault({ mode: '500', only: 'writes', path: epersons, times: 1 })
  const { body } = await scim.post('/Users', user)
  await until('its outcome is unknown', () => rows('select 1 from operation where attempts > 0').length > 0)
  assert.equal((await scim.delete(`/Users/${body.id}`)).status, 204)
  await finished()
  assert.equal(rows('select 1 from watch').length, 1)
  dspace.fault({ mode: 'ok' })
  assert.equal((await scim.post('/Users', movedTo(user))).status, 201)
  await finished()
  dspace.logic.addEPerson({ email: emailOf(user), firstName: 'Late', lastName: 'Person', canLogIn: true })
  world.clock.advance(10 * minute)
  await until('the late account is off', async () => (await seen(user))[0] === false)
  assert.deepEqual(await seen(movedTo(user)), [true])
})
