import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { demoPlatforms } from '../../src/cli/demo-config.ts'
import type { JsonObject } from '../../src/json.ts'
import { aUser } from '../bridge-world.ts'
import { emailOf } from '../figshare-bridge.ts'
import { type ReconcileWorld, startReconcileWorld } from './reconcile-world.ts'

async function people(world: ReconcileWorld, count: number): Promise<JsonObject[]> {
  const users = Array.from({ length: count }, () => aUser())
  for (const user of users) assert.equal((await world.scim.post('/Users', user)).status, 201)
  return users
}
const list = '/account/institution/accounts'
const pagesOf = (world: ReconcileWorld) =>
  world.world.sandbox.figshare.calls
    .filter(({ path }) => path.includes(list) && path.includes('id_gte'))
    .map(({ path }) => path)

describe('RC 1 on every platform an account that the bridge has made is linked, and the one it works with is protected', () => {
  for (const platform of demoPlatforms) {
    test(platform, async (t) => {
      const world = await startReconcileWorld(t)
      const scim = world.world.scim(platform)
      const ids = []
      for (const user of [aUser(), aUser(), aUser({ active: false })]) {
        const answer = await scim.post('/Users', user)
        assert.equal(answer.status, 201, answer.text)
        ids.push(answer.body.id)
      }
      const { walk, findings } = await world.reconcile(platform)
      assert.equal(walk.phase, 'finished', JSON.stringify(walk))
      const linked = findings.filter(({ situation }) => situation === 'linked')
      assert.deepEqual(linked.map(({ resourceId }) => resourceId).sort(), ids.sort(), JSON.stringify(findings))
      assert.ok((walk.counts.protected ?? 0) > 0)
      assert.equal(walk.counts.drifted ?? 0, 0)
    })
  }
})

test('RC 10 people who come and go while the list is paged are met once, and nobody is called deleted', async (t) => {
  const world = await startReconcileWorld(t)
  const { figshare } = world.world.sandbox
  const users = await people(world, 15)
  figshare.logic.knobs.pages = 'repeat'
  world.fault({ mode: 'hang', path: list, skip: 14 })
  const number = await world.ask('figshare')
  await world.until('the walk is in the middle', () => figshare.faultCount > 0)
  const [first] = users
  assert.ok(first !== undefined)
  figshare.logic.removeAccount(Number(world.account(first)?.id))
  figshare.logic.addAccount({ email: 'new@uni.example', institution_user_id: 'new', last_name: 'New' })
  world.heal()
  const { walk, findings } = await world.ended('figshare', number)
  assert.equal(new Set(findings.map(({ accountId }) => accountId)).size, findings.length)
  // The removed one was met before it went; the next walk will miss it.
  assert.deepEqual(walk.counts, { linked: 15, unmatched: 1, protected: 1 })
})

test('RC 10 an account that a shifting list skips is read by id, and is linked', async (t) => {
  const world = await startReconcileWorld(t)
  await people(world, 3)
  const hidden = aUser()
  await world.scim.post('/Users', hidden)
  const { figshare } = world.world.sandbox
  const account = world.account(hidden)
  assert.ok(account !== undefined)
  figshare.logic.knobs.listLagMs = 100_000
  world.world.clock.advance(200_000)
  // As if it had been made a moment ago: lists do not show it yet, a read by id does.
  Object.assign(account, { createdAt: world.world.clock.now() + 50_000 })
  const { findings, walk } = await world.reconcile('figshare')
  assert.equal(findings.find(({ accountId }) => accountId === String(account.id))?.situation, 'linked')
  assert.deepEqual(walk.counts, { linked: 4, protected: 1 })
})

test('RC 11 a walk that is interrupted goes on at its place, also after a restart', async (t) => {
  const world = await startReconcileWorld(t, { maximumRetrySeconds: 3_600 })
  await people(world, 15)
  const { figshare } = world.world.sandbox
  figshare.forgetCalls()
  world.fault({ mode: '500', path: list, skip: 14 })
  const number = await world.ask('figshare')
  const walkRow = () => world.row('select phase, place, error, accounts from walk where number = ?', String(number))
  await world.until('it is interrupted', () => walkRow()?.error !== null)
  assert.deepEqual([walkRow()?.phase, walkRow()?.error], ['accounts', 'unknown'])
  const seen = Number(walkRow()?.accounts)
  assert.ok(seen >= 10)
  await world.world.restart()
  world.heal()
  figshare.forgetCalls()
  const { walk } = await world.ended('figshare', number)
  assert.deepEqual(walk.counts, { linked: 15, protected: 1 })
  assert.equal(walk.accounts, 16)
  assert.ok(
    pagesOf(world).every((path) => !path.includes('id_gte=0')),
    pagesOf(world).join('\n'),
  )
})

test('RC 11 a walk that never gets on fails after ten attempts, and the report of the one before stays', async (t) => {
  const world = await startReconcileWorld(t, { maximumRetrySeconds: 5 })
  await people(world, 1)
  assert.equal((await world.reconcile('figshare')).walk.counts.linked, 1)
  world.fault({ mode: 'html', path: list })
  const { walk } = await world.reconcile('figshare')
  assert.deepEqual([walk.phase, walk.failures], ['failed', 10])
  assert.ok(world.alarms().some((line) => line.includes('a walk over the accounts has failed')))
  assert.equal(await world.metric('scim_bridge_accounts', 'connection="figshare",situation="linked"'), 1)
})

test('RC 11 walks that never come to their end leave no more behind than one of them', async (t) => {
  const world = await startReconcileWorld(t, { maximumRetrySeconds: 5 })
  await people(world, 3)
  const left = () => world.row('select (select count(*) from match_key) + (select count(*) from finding) as n')?.n
  await world.reconcile('figshare')
  world.fault({ mode: 'html', path: list })
  await world.reconcile('figshare')
  const once = left()
  for (let time = 0; time < 2; time += 1) assert.equal((await world.reconcile('figshare')).walk.phase, 'failed')
  await world.until('what the earlier ones have left is gone', () => left() === once)
  assert.equal(await world.metric('scim_bridge_accounts', 'connection="figshare",situation="linked"'), 3)
})

test('RC 15 a list that is suddenly empty makes nobody deleted: each account is read by id, and an alarm says so', async (t) => {
  const world = await startReconcileWorld(t)
  const users = await people(world, 4)
  assert.equal((await world.reconcile('figshare')).walk.isShort, false)
  world.world.sandbox.figshare.logic.knobs.listLagMs = 1e12
  const empty = await world.reconcile('figshare', { isRepair: true, isRecreate: true })
  assert.deepEqual([empty.walk.accounts, empty.walk.isShort], [0, true])
  assert.deepEqual(empty.walk.counts, { linked: 4 })
  assert.ok(world.alarms().some((line) => line.includes('far fewer accounts than before')))
  for (const user of users) assert.equal(world.account(user)?.active, true)
})

test('RC 15 of a list that is a fifth shorter only those are deleted whom a read by id does not find', async (t) => {
  const world = await startReconcileWorld(t)
  const users = await people(world, 5)
  await world.reconcile('figshare')
  const { figshare } = world.world.sandbox
  const [gone, ...hidden] = users.slice(0, 3)
  const id = String(world.account(gone ?? {})?.id)
  figshare.logic.removeAccount(Number(id))
  figshare.logic.knobs.listLagMs = 100_000
  world.world.clock.advance(200_000)
  for (const user of hidden) Object.assign(world.account(user) ?? {}, { createdAt: world.world.clock.now() + 50_000 })
  const { walk, only } = await world.reconcile('figshare')
  assert.equal(walk.isShort, true)
  assert.equal(only('deleted').accountId, id)
  assert.equal(walk.counts.linked, 4)
})

test('a walk waits while operations are due, and goes on when they are done', async (t) => {
  const world = await startReconcileWorld(t, { mode: 'deferred', maximumRetrySeconds: 1 })
  const { figshare } = world.world.sandbox
  world.fault({ mode: 'hang', only: 'writes' })
  await world.scim.post('/Users', aUser())
  await world.held()
  figshare.forgetCalls()
  const number = await world.ask('figshare')
  for (let time = 0; time < 20; time += 1) {
    world.world.clock.advance(1_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(world.row('select phase from walk where number = ?', String(number))?.phase, 'asked')
  world.heal()
  const { walk } = await world.ended('figshare', number)
  assert.equal(walk.phase, 'finished')
})

test('what a walk has found is replaced by the next one, and the rows of older ones are gone', async (t) => {
  const world = await startReconcileWorld(t)
  await people(world, 3)
  for (let time = 0; time < 3; time += 1) await world.reconcile('figshare')
  await world.until('the old rows are gone', () => world.row('select count(distinct walk) as n from finding')?.n === 1)
  assert.equal(world.row('select count(distinct walk) as n from match_key')?.n, 1)
  assert.equal(world.row('select count(*) as n from walk')?.n, 1)
})

test('connections are walked over apart: a person of one is no match for an account of the other', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  await world.scim.post('/Users', user)
  const { dspace } = world.world.sandbox
  dspace.logic.addEPerson({ email: emailOf(user), firstName: 'A', lastName: 'B', canLogIn: true })
  assert.equal((await world.reconcile('dspace')).only('unmatched').situation, 'unmatched')
})
