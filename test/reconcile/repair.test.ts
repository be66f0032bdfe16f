import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { aUser } from '../bridge-world.ts'
import { emailOf, provisioningUrn } from '../figshare-bridge.ts'
import { type ReconcileWorld, startReconcileWorld } from './reconcile-world.ts'

const off = [{ op: 'replace', path: 'active', value: false }]
const writes = (world: ReconcileWorld) =>
  world.world.sandbox.figshare.calls.filter(({ method }) => method !== 'GET').length

/** A user whose create Figshare refused, and the account that somebody has made by hand meanwhile. */
async function anUnlinked(world: ReconcileWorld, user: JsonObject) {
  world.fault({ mode: 'answer', only: 'writes', status: 400, body: '{"message":"no","code":"x"}' })
  const { body } = await world.scim.post('/Users', user)
  await world.until('it failed', () => world.row('select state from operation')?.state === 'failed')
  world.heal()
  const account = world.world.sandbox.figshare.logic.addAccount({
    email: emailOf(user),
    institution_user_id: String(user.userName),
    last_name: 'By hand',
  })
  return { id: String(body.id), account }
}

test('RC 2 a repair writes what SCIM says over what was changed by hand, and the audit says that reconcile did', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  await world.scim.post('/Users', user)
  const account = world.account(user)
  assert.ok(account !== undefined)
  const name = account.profile.last_name
  account.profile.last_name = 'By hand'
  const { only } = await world.reconcile('figshare', { isRepair: true })
  assert.equal(only('drifted').done, 'asked')
  await world.finished()
  assert.equal(account.profile.last_name, name)
  const audit = "select count(*) as n from audit where caller = 'reconcile' and event = ?"
  for (const event of ['asked', 'calling', 'outcome']) assert.equal(world.row(audit, event)?.n, 1, event)
})

test('RC 4 an account that fits one user is linked by a repair, and nothing of it is written', async (t) => {
  const world = await startReconcileWorld(t, { mode: 'deferred' })
  const { id, account } = await anUnlinked(world, aUser())
  const report = await world.reconcile('figshare')
  assert.deepEqual([report.only('unlinked').resourceId, report.only('unlinked').done], [id, undefined])
  const before = writes(world)
  const { only } = await world.reconcile('figshare', { isRepair: true })
  assert.equal(only('unlinked').done, 'linked')
  await world.finished()
  assert.equal(writes(world), before)
  assert.equal(account.last_name, 'By hand')
  const shown = (await world.scim.get(`/Users/${id}`)).body[provisioningUrn]
  assert.deepEqual([shown.accountId, shown.state], [String(account.id), 'applied'])
  assert.match(shown.detail, /first_name/)
  const after = await world.reconcile('figshare')
  assert.equal(after.only('drifted').accountId, String(account.id))
})

test('RC 4 an account that is on and fits somebody who has left is switched off as soon as a repair has linked it', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  const path = `/Users/${body.id}`
  await world.scim.patch(path, off)
  const { logic } = world.world.sandbox.figshare
  logic.removeAccount(Number(world.account(user)?.id))
  // The bridge learns that it is gone, and somebody makes another one by hand.
  await world.scim.patch(path, [{ op: 'replace', path: 'title', value: 'Dr' }])
  assert.equal(world.row('select account_id as id from link')?.id, null)
  const account = logic.addAccount({
    email: emailOf(user),
    institution_user_id: String(user.userName),
    last_name: 'By hand',
  })
  const { only } = await world.reconcile('figshare', { isRepair: true })
  assert.equal(only('unlinked').done, 'asked')
  await world.until('it is off', () => !account.active)
  await world.finished()
  assert.equal(world.row('select account_id as id from link')?.id, String(account.id))
  assert.equal((await world.reconcile('figshare')).only('linked').accountId, String(account.id))
})

test('RC 3 an account that is gone is made again only when a person asks for it', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  world.world.sandbox.figshare.logic.removeAccount(Number(world.account(user)?.id))
  await world.reconcile('figshare', { isRepair: true })
  await world.finished()
  assert.equal(world.account(user), undefined)
  const { only } = await world.reconcile('figshare', { isRecreate: true })
  assert.equal(only('deleted').done, 'asked')
  await world.finished()
  const account = world.account(user)
  assert.equal(account?.active, true)
  assert.equal((await world.scim.get(`/Users/${body.id}`)).body[provisioningUrn].accountId, String(account?.id))
  assert.equal((await world.reconcile('figshare', { isRecreate: true })).only('linked').resourceId, body.id)
})

test('RC 3 nobody who has left gets a new account', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  await world.scim.patch(`/Users/${body.id}`, off)
  world.world.sandbox.figshare.logic.removeAccount(Number(world.account(user)?.id))
  const { only } = await world.reconcile('figshare', { isRepair: true, isRecreate: true })
  assert.deepEqual([only('deleted').remedy, only('deleted').done], [undefined, undefined])
  await world.finished()
  assert.equal(world.account(user), undefined)
})

test('RC 3 a refused repair stays to be seen', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  world.world.sandbox.figshare.logic.removeAccount(Number(world.account(user)?.id))
  world.fault({ mode: 'answer', only: 'writes', status: 400, body: '{"message":"no","code":"x"}' })
  await world.reconcile('figshare', { isRecreate: true })
  await world.until('it failed', () => world.row('select state from operation')?.state === 'failed')
  const shown = await world.scim.get(`/Users/${body.id}`)
  assert.deepEqual([shown.status, shown.body[provisioningUrn].state], [200, 'failed'])
})

test('RC 8 the account of a deleted user that is on again is switched off by a plain report, with an alarm', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  const account = world.account(user)
  assert.ok(account !== undefined)
  await world.scim.delete(`/Users/${body.id}`)
  assert.equal((await world.reconcile('figshare')).only('former').accountId, String(account.id))
  const deletedAt = world.row("select deleted_at as at from link where state = 'tombstone'")?.at
  account.active = true
  const { only } = await world.reconcile('figshare')
  assert.deepEqual([only('revived').accountId, only('revived').done], [String(account.id), 'asked'])
  await world.finished()
  assert.equal(account.active, false)
  assert.ok(world.alarms().some((line) => line.includes('"revived"')))
  assert.equal(world.row("select deleted_at as at from link where state = 'tombstone'")?.at, deletedAt)
  assert.equal((await world.scim.get(`/Users/${body.id}`)).status, 404)
  assert.equal((await world.reconcile('figshare')).only('former').accountId, String(account.id))
})

/** Deleted, and switched on by hand since; switching them off was tried once and waits. */
async function aRevivedOne(t: TestContext) {
  const world = await startReconcileWorld(t, { maximumRetrySeconds: 3_600 })
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  const account = world.account(user)
  assert.ok(account !== undefined)
  await world.scim.delete(`/Users/${body.id}`)
  account.active = true
  world.fault({ mode: '500', only: 'writes' })
  await world.reconcile('figshare')
  await world.until('it was tried', () => Number(world.row('select attempts as n from operation')?.n) > 0)
  return { world, user, account }
}

test('RC 8 a revived account that is gone before it is switched off is no reason to switch off another one that fits', async (t) => {
  const { world, user, account } = await aRevivedOne(t)
  const { logic } = world.world.sandbox.figshare
  logic.removeAccount(account.id)
  const other = logic.addAccount({
    email: emailOf(user),
    institution_user_id: String(user.userName),
    last_name: 'Somebody',
  })
  world.heal()
  await world.finished()
  assert.equal(other.active, true)
  assert.equal(world.row("select account_id as a from link where state = 'tombstone'")?.a, String(account.id))
})

test('RC 8 an account that its owner has been given again is not taken for the one of the deleted user', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  await world.scim.delete(`/Users/${body.id}`)
  const again = await world.scim.post('/Users', user)
  assert.equal(again.status, 201, again.text)
  const { only } = await world.reconcile('figshare', { isRepair: true })
  assert.equal(only('linked').resourceId, again.body.id)
  await world.finished()
  assert.equal(world.account(user)?.active, true)
})

test('RC 8 a switching-off that waits is dropped when the deleted person has come back meanwhile', async (t) => {
  const { world, user, account } = await aRevivedOne(t)
  world.heal()
  const again = await world.scim.post('/Users', user)
  assert.equal(again.status, 201, again.text)
  await world.finished()
  assert.equal(account.active, true)
  assert.equal((await world.scim.get(`/Users/${again.body.id}`)).body.active, true)
})

test('RC 13 a second repair finds nothing to do and writes nothing', async (t) => {
  const world = await startReconcileWorld(t, { mode: 'deferred' })
  const { account } = await anUnlinked(world, aUser())
  const drifted = aUser()
  await world.scim.post('/Users', drifted)
  await world.finished()
  const other = world.account(drifted)
  assert.ok(other !== undefined)
  other.profile.first_name = 'By hand'
  for (let time = 0; time < 2; time += 1) {
    await world.reconcile('figshare', { isRepair: true })
    await world.finished()
  }
  const [before, operations] = [writes(world), world.row('select value from counter where name = ?', 'operation.id')]
  const { walk } = await world.reconcile('figshare', { isRepair: true })
  await world.finished()
  assert.deepEqual(walk.counts, { linked: 2, protected: 1 })
  assert.equal(writes(world), before)
  assert.deepEqual(world.row('select value from counter where name = ?', 'operation.id'), operations)
  assert.equal(account.profile.first_name, 'Ada')
})

test('RC 13 a repair of an account that is off by hand never switches it on', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  await world.scim.post('/Users', user)
  const account = world.account(user)
  assert.ok(account !== undefined)
  account.active = false
  account.profile.last_name = 'By hand'
  for (let time = 0; time < 2; time += 1) {
    const { only } = await world.reconcile('figshare', { isRepair: true })
    assert.ok(only('drifted').attributes.includes('is_active'))
    await world.finished()
    assert.equal(account.active, false)
  }
  assert.notEqual(account.profile.last_name, 'By hand')
})

test('RC 16 a deactivated person whose account somebody switched on is off again after a plain report', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  await world.scim.patch(`/Users/${body.id}`, off)
  const account = world.account(user)
  assert.ok(account !== undefined)
  account.active = true
  const { only } = await world.reconcile('figshare')
  assert.deepEqual([only('drifted').remedy, only('drifted').done], ['switch_off', 'asked'])
  await world.finished()
  assert.equal(account.active, false)
  assert.equal((await world.scim.get(`/Users/${body.id}`)).body.active, false)
})

test('RC 16 a switching-off that the platform refuses is tried again, also after the identity provider has asked for it, too', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  await world.scim.patch(`/Users/${body.id}`, off)
  const account = world.account(user)
  assert.ok(account !== undefined)
  account.active = true
  world.fault({ mode: 'answer', only: 'writes', status: 400, body: '{"message":"no","code":"x"}' })
  await world.reconcile('figshare')
  await world.until('it was refused', () => world.row('select error_kind as e from operation')?.e === 'refused')
  const answer = await world.scim.patch(`/Users/${body.id}`, off)
  assert.equal(answer.status, 429, answer.text)
  assert.equal((await world.scim.get(`/Users/${body.id}`)).body[provisioningUrn].state, 'pending')
  world.heal()
  await world.finished()
  assert.equal(account.active, false)
})

test('a change that is on its way is no drift, and a repair leaves it alone', async (t) => {
  const world = await startReconcileWorld(t, { mode: 'deferred', maximumRetrySeconds: 3_600 })
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  await world.finished()
  world.fault({ mode: 'answer', only: 'writes', path: '/account/profile', status: 429 })
  await world.scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'name.familyName', value: 'King' }])
  await world.until('it waits', () => Number(world.row('select attempts as n from operation')?.n) > 0)
  const id = world.row('select id from operation')?.id
  const { only } = await world.reconcile('figshare', { isRepair: true })
  assert.equal(only('linked').resourceId, body.id)
  assert.equal(world.row('select id from operation')?.id, id)
})
