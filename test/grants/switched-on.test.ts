/** Memberships of people whose account somebody has switched off or on by hand, pushed again. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { emailOf } from '../figshare-bridge.ts'
import { startReconcileWorld } from '../reconcile/reconcile-world.ts'
import { adding, aGroup, grantsSeen } from './grants-world.ts'

const reviewers = 'figshare-reviewers'
const reviewer = '110:49'

/** Their account is off when they come into the group, by hand or because SCIM says so. */
async function aMemberWhoIsOff(t: TestContext, isActiveInScim: boolean) {
  const world = await startReconcileWorld(t)
  const scim = world.world.scim('figshare')
  const user = aUser()
  const id = String((await scim.post('/Users', user)).body.id)
  const path = `/Groups/${(await scim.post('/Groups', aGroup(reviewers))).body.id}`
  const account = world.account(user)
  assert.ok(account !== undefined)
  if (isActiveInScim) account.active = false
  else await scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: false }])
  assert.equal((await scim.patch(path, adding(id))).status, 204)
  const seen = () => grantsSeen(world.world, 'figshare', emailOf(user))
  assert.deepEqual([account.active, seen()], [false, []])
  return { world, scim, id, path, account, seen }
}

for (const [how, push] of [
  ['by PATCH', 'patch'],
  ['with the whole list', 'put'],
] as const) {
  test(`a membership pushed again ${how} gives somebody the role whose account was switched on by hand`, async (t) => {
    const { world, scim, id, path, account, seen } = await aMemberWhoIsOff(t, true)
    account.active = true
    assert.deepEqual((await world.reconcile('figshare')).only('drifted').attributes, ['groups'])
    const answer = await (push === 'patch' ? scim.patch(path, adding(id)) : scim.put(path, aGroup(reviewers, id)))
    assert.equal(answer.status, push === 'patch' ? 204 : 200, answer.text)
    assert.deepEqual(seen(), [reviewer])
    assert.equal((await world.reconcile('figshare')).walk.counts.linked, 1)
  })
}

test('a membership pushed again is no success while the platform does not give the role', async (t) => {
  const { world, scim, id, path, account, seen } = await aMemberWhoIsOff(t, true)
  account.active = true
  world.world.sandbox.figshare.fault({ mode: 'down' })
  assert.equal((await scim.patch(path, adding(id))).status, 429)
  world.world.sandbox.figshare.fault({ mode: 'ok' })
  await world.finished()
  assert.deepEqual(seen(), [reviewer])
})

test('while the account is off, a membership pushed again gives nothing, and a reconcile shows both', async (t) => {
  const { world, scim, id, path, account, seen } = await aMemberWhoIsOff(t, true)
  assert.equal((await scim.patch(path, adding(id))).status, 204)
  assert.deepEqual([account.active, seen()], [false, []])
  assert.deepEqual((await world.reconcile('figshare')).only('drifted').attributes, ['is_active', 'groups'])
})

test('who is off in SCIM gets no role by a membership pushed again, and is switched off again by a reconcile', async (t) => {
  const { world, scim, id, path, account, seen } = await aMemberWhoIsOff(t, false)
  account.active = true
  assert.equal((await scim.patch(path, adding(id))).status, 204)
  assert.deepEqual(seen(), [])
  assert.equal((await world.reconcile('figshare')).only('drifted').remedy, 'switch_off')
  await world.finished()
  assert.deepEqual([account.active, seen()], [false, []])
})
