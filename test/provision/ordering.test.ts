import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { emailOf, provisioningUrn, startFigshareBridge } from '../figshare-bridge.ts'

const off = [{ op: 'replace', path: 'active', value: false }]
const on = [{ op: 'replace', path: 'active', value: true }]
const titled = (title: string) => [{ op: 'replace', path: 'title', value: title }]
const mailed = (email: string) => [{ op: 'replace', path: 'emails', value: [{ value: email, primary: true }] }]

test('a person who is deactivated while the create still waits ends with at most one account, and it is off', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const user = aUser()
  bridge.fault({ mode: 'down' })
  const made = await bridge.scim.post('/Users', user)
  assert.equal(made.status, 201, made.text)
  assert.equal((await bridge.scim.patch(`/Users/${made.body.id}`, off)).status, 200)
  bridge.heal()
  await bridge.finished()
  assert.notEqual(bridge.account(user)?.active, true)
  assert.equal((await bridge.scim.get(`/Users/${made.body.id}`)).body.active, false)
})

test('a new title for a person whose deactivation waits does not bring the person back', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'down' })
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, off)).status, 429)
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, titled('Countess'))).status, 429)
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, false)
  const shown = await bridge.scim.get(`/Users/${body.id}`)
  assert.equal(shown.body.active, false)
  assert.equal(shown.body.title, 'Countess')
})

test('a PUT without active while the deactivation waits leaves the person off', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'down' })
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, off)).status, 429)
  const { active: _active, ...withoutActive } = user
  assert.equal((await bridge.scim.put(`/Users/${body.id}`, { ...withoutActive, title: 'Countess' })).status, 429)
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, false)
})

test('deactivate, then reactivate while both wait: the newest wins', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'down' })
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, off)).status, 429)
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, on)).status, 429)
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, true)
})

test('a deactivation that arrives while the reactivation runs is made after it', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.scim.patch(`/Users/${body.id}`, off)
  bridge.fault({ mode: 'hang-after', only: 'writes', times: 1 })
  const first = bridge.scim.patch(`/Users/${body.id}`, on).then((answer) => answer)
  await bridge.held()
  const second = bridge.scim.patch(`/Users/${body.id}`, off).then((answer) => answer)
  await bridge.until('the second is durable', () => bridge.row('select is_deprovisioning as d from operation')?.d === 1)
  bridge.heal()
  assert.equal((await first).status, 200)
  assert.equal((await second).status, 200)
  assert.equal((await second).body.active, false)
  assert.equal(bridge.account(user)?.active, false)
})

test('a deactivation that waits is not lost when a later reactivation is refused', async (t) => {
  const bridge = await startFigshareBridge(t, { isStrict: true })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'down' })
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, off)).status, 429)
  bridge.heal()
  const refused = await bridge.scim.patch(`/Users/${body.id}`, [...on, ...mailed('other@uni.example')])
  assert.equal(refused.status, 400, refused.text)
  assert.equal(refused.body.scimType, 'mutability')
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body.active, false)
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, false)
})

test('a refused request goes back to what the running one before it has reached, not further', async (t) => {
  const bridge = await startFigshareBridge(t, { isStrict: true })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'hang-after', only: 'writes', times: 1 })
  const first = bridge.scim.patch(`/Users/${body.id}`, titled('Countess')).then((answer) => answer)
  await bridge.held()
  const second = bridge.scim.patch(`/Users/${body.id}`, mailed('other@uni.example')).then((answer) => answer)
  await bridge.until('the second is durable', () => bridge.row('select max(version) as v from operation')?.v === 3)
  bridge.heal()
  assert.equal((await first).status, 200, (await first).text)
  assert.equal((await second).status, 400, (await second).text)
  const shown = await bridge.scim.get(`/Users/${body.id}`)
  assert.equal(shown.body.title, 'Countess')
  assert.equal(emailOf(shown.body), emailOf(user))
  assert.equal(bridge.account(user)?.profile.job_title, 'Countess')
})

test('a POST that joins a create in work and is refused does not take the made account out of sight', async (t) => {
  const bridge = await startFigshareBridge(t, { isStrict: true })
  const user = aUser()
  bridge.fault({ mode: 'hang-after', only: 'writes', times: 1 })
  const first = bridge.scim.post('/Users', user).then((answer) => answer)
  await bridge.held()
  const other = { ...user, emails: [{ value: 'other@uni.example', primary: true }] }
  const second = bridge.scim.post('/Users', other).then((answer) => answer)
  await bridge.until('the second is durable', () => bridge.row('select max(version) as v from operation')?.v === 2)
  bridge.heal()
  assert.equal((await first).status, 201, (await first).text)
  assert.equal((await second).status, 400, (await second).text)
  const shown = await bridge.scim.get(`/Users/${(await first).body.id}`)
  assert.equal(shown.status, 200)
  assert.equal(emailOf(shown.body), emailOf(user))
  assert.equal(shown.body[provisioningUrn].accountId, String(bridge.account(user)?.id))
})

test('a refused change is taken back also when a group was changed meanwhile', async (t) => {
  const bridge = await startFigshareBridge(t, { isStrict: true })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'hang', only: 'reads', times: 1 })
  const change = bridge.scim.patch(`/Users/${body.id}`, mailed('other@uni.example')).then((answer) => answer)
  await bridge.held()
  const group = await bridge.scim.post('/Groups', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
    displayName: 'staff',
    members: [{ value: body.id }],
  })
  assert.equal(group.status, 201, group.text)
  bridge.heal()
  assert.equal((await change).status, 400, (await change).text)
  assert.equal(emailOf((await bridge.scim.get(`/Users/${body.id}`)).body), emailOf(user))
})

test('two changes at once of different attributes are both kept', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  const answers = await Promise.all([
    bridge.scim.patch(`/Users/${body.id}`, titled('Countess')),
    bridge.scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'name.familyName', value: 'King' }]),
  ])
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [200, 200],
  )
  assert.equal(bridge.account(user)?.profile.job_title, 'Countess')
  assert.equal(bridge.account(user)?.profile.last_name, 'King')
})

test('of many changes at once every one is answered, and SCIM and the platform end the same', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  const titles = Array.from({ length: 20 }, (_, index) => `Title ${index}`)
  const answers = await Promise.all(titles.map((title) => bridge.scim.patch(`/Users/${body.id}`, titled(title))))
  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200])
  const shown = await bridge.scim.get(`/Users/${body.id}`)
  assert.equal(shown.body[provisioningUrn].state, 'applied')
  assert.equal(bridge.account(user)?.profile.job_title, shown.body.title)
})

test('the link follows a new userName and externalId, and the tombstone keeps the last ones', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { body } = await bridge.scim.post('/Users', aUser())
  const names = () => ({
    ...bridge.row('select state, user_name, external_id from link where resource_id = ?', body.id),
  })
  const renamed = await bridge.scim.patch(`/Users/${body.id}`, [
    { op: 'replace', path: 'userName', value: 'countess@uni.example' },
    { op: 'replace', path: 'externalId', value: 'new-key' },
  ])
  assert.equal(renamed.status, 200, renamed.text)
  assert.deepEqual(names(), { state: 'live', user_name: 'countess@uni.example', external_id: 'new-key' })
  assert.equal((await bridge.scim.delete(`/Users/${body.id}`)).status, 204)
  assert.deepEqual(names(), { state: 'tombstone', user_name: 'countess@uni.example', external_id: 'new-key' })
})

test('the same person on two connections is two people: what one does to them does not reach the other', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const here = await bridge.scim.post('/Users', user)
  const dspace = bridge.world.scim('dspace')
  const there = await dspace.post('/Users', user)
  assert.deepEqual([here.status, there.status], [201, 201])
  assert.equal((await dspace.get(`/Users/${here.body.id}`)).status, 404)
  assert.equal((await bridge.scim.patch(`/Users/${here.body.id}`, off)).status, 200)
  assert.equal((await dspace.get(`/Users/${there.body.id}`)).body.active, true)
  assert.equal((await bridge.scim.delete(`/Users/${here.body.id}`)).status, 204)
  assert.equal((await dspace.get(`/Users/${there.body.id}`)).status, 200)
})
