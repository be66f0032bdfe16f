import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { aUser, scimType } from '../bridge-world.ts'
import { emailOf, type FigshareBridge, startFigshareBridge } from '../figshare-bridge.ts'

/** A POST whose caller has gone before the answer comes. */
async function postAndLeave(bridge: FigshareBridge, user: JsonObject): Promise<void> {
  bridge.fault({ mode: 'hang-after', only: 'writes', times: 1 })
  const sent = request(`${bridge.world.url}/figshare/scim/v2/Users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bridge.world.tokens.get('figshare')}`, 'content-type': scimType },
  })
  sent.on('error', () => undefined)
  sent.end(JSON.stringify(user))
  await bridge.held()
  sent.destroy()
  bridge.heal()
  await bridge.finished()
}

async function idOf(bridge: FigshareBridge, user: JsonObject): Promise<string> {
  const filter = encodeURIComponent(`userName eq "${user.userName}"`)
  const { body } = await bridge.scim.get(`/Users?filter=${filter}`)
  assert.equal(body.totalResults, 1)
  return body.Resources[0].id
}

const isFlushed = (bridge: FigshareBridge) => bridge.row('select was_flushed as f from link')?.f === 1

test('a POST that is repeated because its answer was lost answers the same user, with what it says now', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  await postAndLeave(bridge, user)
  const id = await idOf(bridge, user)
  const again = await bridge.scim.post('/Users', { ...user, title: 'Countess' })
  assert.equal(again.status, 201, again.text)
  assert.equal(again.body.id, id)
  assert.equal(bridge.account(user)?.profile.job_title, 'Countess')
  await bridge.until('the answer is known to have arrived', () => isFlushed(bridge))
  assert.equal((await bridge.scim.post('/Users', user)).status, 409)
})

test('the same user name with another externalId is another person: 409, also when the first answer was lost', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  await postAndLeave(bridge, user)
  const other = await bridge.scim.post('/Users', { ...user, externalId: 'somebody-else' })
  assert.equal(other.status, 409, other.text)
  assert.equal(other.body.scimType, 'uniqueness')
  const { externalId: _externalId, ...nameless } = user
  assert.equal((await bridge.scim.post('/Users', nameless)).status, 409)
})

test('after a restart a POST that was answered is a duplicate, and one that was not is repeated', async (t) => {
  const bridge = await startFigshareBridge(t)
  const [answered, lost] = [aUser(), aUser()]
  assert.equal((await bridge.scim.post('/Users', answered)).status, 201)
  await bridge.until('the answer is known to have arrived', () => isFlushed(bridge))
  await postAndLeave(bridge, lost)
  const id = await idOf(bridge, lost)
  await bridge.world.restart()
  const scim = bridge.world.scim('figshare')
  assert.equal((await scim.post('/Users', answered)).status, 409)
  const again = await scim.post('/Users', lost)
  assert.deepEqual([again.status, again.body.id], [201, id])
  assert.equal(bridge.accounts(lost).length, 1)
})

test('the mark of an answer that arrived outlives a change that ran at the same time', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.change('update link set was_flushed = 0')
  bridge.fault({ mode: 'hang-after', only: 'writes', times: 1 })
  const change = bridge.scim
    .patch(`/Users/${body.id}`, [{ op: 'replace', path: 'title', value: 'Countess' }])
    .then((answer) => answer)
  await bridge.held()
  bridge.change('update link set was_flushed = 1')
  bridge.heal()
  assert.equal((await change).status, 200)
  assert.ok(isFlushed(bridge))
})

test('a repeated POST without active does not bring a person back', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { active: _active, ...user } = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'active', value: false }])
  await bridge.until('the first answer is noted', () => isFlushed(bridge))
  bridge.change('update link set was_flushed = 0')
  const again = await bridge.scim.post('/Users', user)
  assert.deepEqual([again.status, again.body.active], [201, false])
  assert.equal(bridge.account(user)?.active, false)
})

test('two POSTs of one person at once make one user and one account', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const answers = await Promise.all([bridge.scim.post('/Users', user), bridge.scim.post('/Users', user)])
  const created = answers.filter((answer) => answer.status === 201)
  assert.ok(created.length >= 1)
  assert.ok(answers.every((answer) => [201, 409].includes(answer.status)))
  assert.equal(new Set(created.map((answer) => answer.body.id)).size, 1)
  assert.equal(bridge.accounts(user).length, 1)
})

test('a POST that joins an unanswered one of the same person makes one account, as the newer one says', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  bridge.fault({ mode: 'down' })
  assert.equal((await bridge.scim.post('/Users', user)).status, 429)
  bridge.heal()
  const joined = await bridge.scim.post('/Users', { ...user, name: { givenName: 'Grace', familyName: 'Hopper' } })
  assert.equal(joined.status, 201, joined.text)
  assert.equal(bridge.account(user)?.first_name, 'Grace')
  await bridge.finished()
  assert.equal(bridge.row('select count(*) as n from resource')?.n, 1)
})

test('in deferred mode, too, a POST whose answer was lost is repeated, also while the account is not made yet', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const user = aUser()
  bridge.fault({ mode: 'down' })
  const first = await bridge.scim.post('/Users', user)
  assert.equal(first.status, 201, first.text)
  await bridge.until('the answer is known to have arrived', () => isFlushed(bridge))
  assert.equal((await bridge.scim.post('/Users', user)).status, 409)
  // The machine lost its power before the mark was written.
  bridge.change('update link set was_flushed = 0')
  const again = await bridge.scim.post('/Users', user)
  assert.deepEqual([again.status, again.body.id], [201, first.body.id])
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.accounts(user).length, 1)
  assert.equal(bridge.account(user)?.email, emailOf(user))
})

test('a POST without active that joins a create with active: false in work leaves the account off, and SCIM says so', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { active: _active, ...user } = aUser()
  bridge.fault({ mode: 'hang-after', only: 'writes', times: 1 })
  const first = bridge.scim.post('/Users', { ...user, active: false }).then((answer) => answer)
  await bridge.held()
  const second = bridge.scim.post('/Users', user).then((answer) => answer)
  await bridge.until('the second is durable', () => bridge.row('select max(version) as v from operation')?.v === 2)
  bridge.heal()
  await first
  assert.deepEqual([(await second).status, (await second).body.active], [201, false])
  assert.equal(bridge.account(user)?.active, false)
  assert.equal((await bridge.scim.get(`/Users/${(await second).body.id}`)).body.active, false)
})
