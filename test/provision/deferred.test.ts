import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { provisioningUrn, startFigshareBridge } from '../figshare-bridge.ts'

const off = [{ op: 'replace', path: 'active', value: false }]
const mailed = (email: string) => [{ op: 'replace', path: 'emails', value: [{ value: email, primary: true }] }]

test('while the platform hangs a create is answered at once, shown as pending, and applied later', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const user = aUser()
  bridge.fault({ mode: 'hang' })
  const made = await bridge.scim.post('/Users', user)
  assert.equal(made.status, 201, made.text)
  assert.equal(made.body[provisioningUrn].state, 'pending')
  await bridge.held()
  assert.equal((await bridge.scim.get('/Users')).body.totalResults, 1)
  assert.equal(bridge.account(user), undefined)
  bridge.heal()
  await bridge.finished()
  const shown = await bridge.scim.get(`/Users/${made.body.id}`)
  assert.equal(shown.body[provisioningUrn].state, 'applied')
  assert.equal(shown.body[provisioningUrn].accountId, String(bridge.account(user)?.id))
})

test('what the mapping cannot express is refused at once', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const answer = await bridge.scim.post('/Users', aUser({ emails: [] }))
  assert.equal(answer.status, 400, answer.text)
  assert.equal(bridge.row('select count(*) as n from operation')?.n, 0)
})

test('what the platform refuses later is shown as failed with the reason, and a corrected push mends it', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred', isStrict: true })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.finished()
  const path = `/Users/${body.id}`
  const changed = await bridge.scim.patch(path, mailed('other@uni.example'))
  assert.equal(changed.status, 200, changed.text)
  const stateOf = async () => (await bridge.scim.get(path)).body[provisioningUrn]
  await bridge.until('it failed', async () => (await stateOf()).state === 'failed')
  assert.match((await stateOf()).detail, /email: figshare cannot change it after creation/)
  // The identity provider was told yes: what it asked for stays visible.
  assert.equal((await bridge.scim.get(path)).body.emails[0].value, 'other@uni.example')
  assert.equal((await bridge.scim.patch(path, mailed(String(user.userName)))).status, 200)
  await bridge.until('it is applied', async () => (await stateOf()).state === 'applied')
})

test('a failed change that is pushed again unchanged is tried again', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred', isStrict: true })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.finished()
  await bridge.scim.patch(`/Users/${body.id}`, mailed('other@uni.example'))
  const failed = () => bridge.row('select state from operation')?.state === 'failed'
  await bridge.until('it failed', failed)
  const account = bridge.account(user)
  assert.ok(account !== undefined)
  bridge.world.sandbox.figshare.logic.state.setEmail(account, 'other@uni.example')
  await bridge.scim.patch(`/Users/${body.id}`, mailed('other@uni.example'))
  await bridge.finished()
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body[provisioningUrn].state, 'applied')
})

test('a client that repeats itself delays nothing', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  bridge.fault({ mode: 'down' })
  const { body } = await bridge.scim.post('/Users', aUser())
  await bridge.until('it was tried', () => Number(bridge.row('select attempts as a from operation')?.a) > 0)
  const due = () => bridge.row('select due_at as d from operation')?.d
  const before = due()
  await bridge.scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'active', value: true }])
  assert.equal(due(), before)
})

test('a deleted person is gone from the moment of the answer, and the account follows', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.finished()
  bridge.fault({ mode: 'down' })
  assert.equal((await bridge.scim.delete(`/Users/${body.id}`)).status, 204)
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).status, 404)
  assert.equal((await bridge.scim.get('/Users')).body.totalResults, 0)
  assert.equal((await bridge.scim.delete(`/Users/${body.id}`)).status, 404)
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, off)).status, 404)
  assert.equal((await bridge.scim.post('/Users', user)).status, 429)
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, false)
})

test('a person who is deleted while the create runs is not seen again when the create is done', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const user = aUser()
  bridge.fault({ mode: 'hang-after', only: 'writes', times: 1 })
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.held()
  assert.equal((await bridge.scim.delete(`/Users/${body.id}`)).status, 204)
  // The create ends well; what comes after it does not get through.
  bridge.fault({ mode: 'down', only: 'writes' })
  await bridge.until('the create is done', () => bridge.row('select state from link')?.state === 'live')
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).status, 404)
  assert.equal((await bridge.scim.get('/Users')).body.totalResults, 0)
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, false)
})

test('what was answered before a restart is made after it', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const people = Array.from({ length: 5 }, () => aUser())
  bridge.fault({ mode: 'down' })
  for (const user of people) assert.equal((await bridge.scim.post('/Users', user)).status, 201)
  await bridge.world.restart()
  bridge.heal()
  await bridge.finished()
  for (const user of people) assert.equal(bridge.account(user)?.active, true)
})

test('a leaver overtakes the creates that wait', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const leaver = aUser()
  const { body } = await bridge.scim.post('/Users', leaver)
  await bridge.finished()
  bridge.fault({ mode: 'down' })
  for (let count = 0; count < 30; count += 1) await bridge.scim.post('/Users', aUser())
  await bridge.scim.patch(`/Users/${body.id}`, off)
  await bridge.until('the calls are suspended', () =>
    bridge.world.logLines.some((line) => line.includes('calls to the platform are suspended')),
  )
  const { figshare } = bridge.world.sandbox
  figshare.forgetCalls()
  bridge.heal()
  await bridge.finished()
  const writes = figshare.calls.filter((call) => call.method === 'PUT' || call.method === 'POST')
  const place = writes.findIndex((call) => call.requestBody.includes('"is_active":false'))
  assert.ok(place >= 0 && place < 8, `the leaver was number ${place}`)
})

test('what waits for a place is begun as soon as one is free, not at the next look at the clock', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  bridge.fault({ mode: 'hang' })
  const users = Array.from({ length: 12 }, () => aUser())
  for (const user of users) assert.equal((await bridge.scim.post('/Users', user)).status, 201)
  await bridge.held()
  bridge.heal()
  // Time stands still.
  await eventually('all of them are made', () => users.every((user) => bridge.account(user) !== undefined))
})
