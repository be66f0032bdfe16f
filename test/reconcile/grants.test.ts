import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import { aUser } from '../bridge-world.ts'
import { emailOf } from '../figshare-bridge.ts'
import { aGroup, grantsSeen, removing } from '../grants/grants-world.ts'
import { startReconcileWorld } from './reconcile-world.ts'

const reviewers = 'figshare-reviewers'
const reviewer = '110:49'

/** A person whom a pushed group has made a reviewer. */
async function aReviewer(t: Parameters<typeof startReconcileWorld>[0], platform: DemoPlatform, group: string) {
  const world = await startReconcileWorld(t)
  const scim = world.world.scim(platform)
  const user = aUser()
  const { body } = await scim.post('/Users', user)
  const pushed = await scim.post('/Groups', aGroup(group, body.id))
  assert.equal(pushed.status, 201, pushed.text)
  const seen = () => grantsSeen(world.world, platform, emailOf(user))
  return { world, scim, user, id: String(body.id), groupId: String(pushed.body.id), seen }
}

test('RC 2 a role that was given and that somebody took by hand is drift, and a repair gives it again', async (t) => {
  const { world, user, seen } = await aReviewer(t, 'figshare', reviewers)
  assert.deepEqual(seen(), [reviewer])
  assert.equal((await world.reconcile('figshare')).walk.counts.linked, 1)
  world.account(user)?.roles.clear()
  const { only } = await world.reconcile('figshare')
  assert.deepEqual([only('drifted').attributes, only('drifted').remedy], [['groups'], 'write'])
  assert.deepEqual(seen(), [])
  await world.reconcile('figshare', { isRepair: true })
  await world.finished()
  assert.deepEqual(seen(), [reviewer])
  assert.equal((await world.reconcile('figshare', { isRepair: true })).walk.counts.linked, 1)
})

test('RC 3 an account that is made again gets its roles again', async (t) => {
  const { world, user, seen } = await aReviewer(t, 'figshare', reviewers)
  world.world.sandbox.figshare.logic.removeAccount(Number(world.account(user)?.id))
  await world.reconcile('figshare', { isRecreate: true })
  await world.finished()
  assert.deepEqual(seen(), [reviewer])
})

test('RC 17 a role that was given by hand is no drift and survives every repair', async (t) => {
  const { world, user, seen } = await aReviewer(t, 'figshare', reviewers)
  const account = world.account(user)
  assert.ok(account !== undefined)
  account.roles.set(100, new Set([7]))
  assert.equal((await world.reconcile('figshare', { isRepair: true })).walk.counts.linked, 1)
  account.profile.last_name = 'By hand'
  account.roles.delete(110)
  await world.reconcile('figshare', { isRepair: true })
  await world.finished()
  assert.deepEqual(seen(), ['100:7', reviewer])
})

test('RC 18 a role that was there before its group was pushed survives leaving the group, and the next repair', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  const account = world.account(user)
  assert.ok(account !== undefined)
  account.roles.set(110, new Set([49]))
  const pushed = await world.scim.post('/Groups', aGroup(reviewers, body.id))
  await world.scim.patch(`/Groups/${pushed.body.id}`, removing(body.id))
  await world.reconcile('figshare', { isRepair: true })
  await world.finished()
  assert.deepEqual(grantsSeen(world.world, 'figshare', emailOf(user)), [reviewer])
})

test('a role that the platform would not take from somebody who was deleted is taken after a repair has linked the account anew', async (t) => {
  const world = await startReconcileWorld(t, { mode: 'deferred' })
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  await world.scim.post('/Groups', aGroup(reviewers, body.id))
  await world.finished()
  const refused = { mode: 'answer', status: 400, body: '{"message":"no","code":"x"}', only: 'writes' } as const
  world.fault({ ...refused, path: '/account/institution/roles' })
  await world.scim.delete(`/Users/${body.id}`)
  await world.finished()
  assert.deepEqual(grantsSeen(world.world, 'figshare', emailOf(user)), [reviewer])
  // Pushed again, and refused.
  world.fault(refused)
  const again = await world.scim.post('/Users', user)
  await world.until('it failed', () => world.row('select state from operation')?.state === 'failed')
  world.heal()
  assert.equal((await world.reconcile('figshare', { isRepair: true })).only('unlinked').done, 'linked')
  await world.scim.patch(`/Users/${again.body.id}`, [{ op: 'replace', path: 'active', value: true }])
  await world.finished()
  assert.equal(world.account(user)?.active, true)
  assert.deepEqual(grantsSeen(world.world, 'figshare', emailOf(user)), [])
})

describe('a group that is a group on the platform', () => {
  test('DSpace: a member who was taken out by hand is drift, and a repair puts them back', async (t) => {
    const { world, user, seen } = await aReviewer(t, 'dspace', 'Library')
    const { state } = world.world.sandbox.dspace.logic
    assert.ok(seen().includes('Library'))
    assert.equal((await world.reconcile('dspace')).walk.counts.linked, 1)
    const person = state.byEmail(emailOf(user))
    const library = [...state.groups.values()].find(({ name }) => name === 'Library')
    assert.ok(person !== undefined && library !== undefined)
    state.leave(library, person)
    assert.deepEqual((await world.reconcile('dspace', { isRepair: true })).only('drifted').attributes, ['groups'])
    await world.finished()
    assert.ok(seen().includes('Library'))
  })
})

test('a report asks for the roles of those who were given any, and of nobody else', async (t) => {
  const { world, scim } = await aReviewer(t, 'figshare', reviewers)
  await scim.post('/Users', aUser())
  const { figshare } = world.world.sandbox
  figshare.forgetCalls()
  await world.reconcile('figshare')
  assert.equal(figshare.calls.filter(({ path }) => path.includes('/institution/roles/')).length, 1)
})

test('a group that somebody removed from the platform is drift of its members, and a repair brings it back with them', async (t) => {
  const { world, seen } = await aReviewer(t, 'dspace', 'Editors')
  const { state } = world.world.sandbox.dspace.logic
  for (const group of [...state.groups.values()].filter(({ name }) => name === 'Editors')) state.removeGroup(group)
  const { only } = await world.reconcile('dspace')
  assert.deepEqual([only('drifted').attributes, only('drifted').remedy], [['groups'], 'write'])
  assert.deepEqual(seen(), [])
  await world.reconcile('dspace', { isRepair: true })
  await world.finished()
  assert.deepEqual(seen(), ['Editors'])
  assert.equal((await world.reconcile('dspace')).only('linked').remedy, undefined)
})
