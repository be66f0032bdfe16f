import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { type FigshareBridge, provisioningUrn, startFigshareBridge } from '../figshare-bridge.ts'

const off = [{ op: 'replace', path: 'active', value: false }]
const isSuspended = (bridge: FigshareBridge) =>
  bridge.world.logLines.some((line) => line.includes('calls to the platform are suspended'))

test('a platform that is away is left alone: requests are answered at once with the time of the next try, and kept', async (t) => {
  const bridge = await startFigshareBridge(t, { maximumRetrySeconds: 3_600 })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'down' })
  for (let count = 0; count < 5; count += 1) assert.equal((await bridge.scim.post('/Users', aUser())).status, 429)
  assert.ok(isSuspended(bridge))
  const { figshare } = bridge.world.sandbox
  figshare.forgetCalls()
  const answer = await bridge.scim.patch(`/Users/${body.id}`, off)
  assert.equal(answer.status, 429, answer.text)
  assert.equal(answer.headers['retry-after'], '30')
  assert.equal(figshare.calls.length, 0)
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body.active, false)
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, false)
})

test('many requests that fail at the same time do not push the next try further away', async (t) => {
  const bridge = await startFigshareBridge(t, { maximumRetrySeconds: 3_600 })
  const people = Array.from({ length: 30 }, () => aUser())
  bridge.fault({ mode: 'hang' })
  const answering = Promise.all(people.map((user) => bridge.scim.post('/Users', user)))
  await bridge.until('all are in work', () => bridge.row('select count(*) as n from operation')?.n === 30)
  await bridge.held()
  bridge.fault({ mode: 'down' })
  await answering
  assert.ok(isSuspended(bridge))
  bridge.heal()
  bridge.world.clock.advance(31_000)
  await bridge.until('the platform is asked again', () =>
    bridge.world.logLines.some((line) => line.includes('the platform is back')),
  )
  await bridge.finished()
  assert.equal(bridge.accounts(people[29] ?? {}).length, 1)
})

test('a platform that refuses our credentials is asked once, whatever else is waiting', async (t) => {
  const bridge = await startFigshareBridge(t, { maximumRetrySeconds: 3_600 })
  bridge.fault({ mode: '401' })
  const { figshare } = bridge.world.sandbox
  for (let count = 0; count < 4; count += 1) {
    const answer = await bridge.scim.post('/Users', aUser())
    assert.equal(answer.status, 429, answer.text)
    assert.match(answer.headers['retry-after'] ?? '', /^\d+$/)
  }
  assert.equal(figshare.calls.length, 1)
})

for (const [platform, path, answer] of [
  [
    'figshare',
    '/account/institution/accounts/',
    { status: 404, body: '{"message":"Not found","code":"EntityNotFound"}' },
  ],
  ['openspecimen', '/users/', { status: 400, body: '[{"code":"RBAC_ACCESS_DENIED","message":"Access denied"}]' }],
  ['dspace', '/api/eperson/epersons/', { status: 403, body: '{"status":403,"message":"Access is denied"}' }],
] as const) {
  test(`${platform}: one account that is out of the bridge's reach keeps no other one waiting`, async (t) => {
    const world = await startBridgeWorld()
    t.after(() => world.stop())
    const scim = world.scim(platform)
    const [ada, bob] = [await scim.post('/Users', aUser()), await scim.post('/Users', aUser())]
    const simulator = world.sandbox[platform]
    const account = ada.body[provisioningUrn].accountId
    simulator.fault({ mode: 'answer', ...answer, path: `${path}${account}` })
    const refused = await scim.patch(`/Users/${ada.body.id}`, off)
    assert.equal(refused.status, 429, refused.text)
    assert.match(refused.body.detail, /the right to this one/)
    assert.ok(world.logLines.some((line) => line.includes('"alarm":true') && line.includes('"denied"')))
    const other = await scim.patch(`/Users/${bob.body.id}`, off)
    assert.equal(other.status, 200, other.text)
  })
}

test('while the platform hangs a request is answered within its budget, and kept', async (t) => {
  const bridge = await startFigshareBridge(t, { workMs: 250 })
  const user = aUser()
  bridge.fault({ mode: 'hang' })
  const answer = await bridge.scim.post('/Users', user)
  assert.equal(answer.status, 429, answer.text)
  assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/)
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, true)
})

test('a request behind one that hangs is answered within its own budget, and both are made', async (t) => {
  const bridge = await startFigshareBridge(t, { workMs: 250 })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'hang' })
  const titled = [{ op: 'replace', path: 'title', value: 'Countess' }]
  const answers = await Promise.all([
    bridge.scim.patch(`/Users/${body.id}`, titled),
    bridge.scim.patch(`/Users/${body.id}`, off),
  ])
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [429, 429],
  )
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, false)
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body.title, 'Countess')
})

test('a deactivation whose budget is spent is kept also when the attempt then ends in a refusal', async (t) => {
  const bridge = await startFigshareBridge(t, { isStrict: true, workMs: 250 })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  const account = bridge.account(user)
  assert.ok(account !== undefined)
  bridge.fault({ mode: 'hang' })
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, off)).status, 429)
  bridge.world.sandbox.figshare.logic.state.setEmail(account, 'repository-admin@uni.example')
  bridge.heal()
  await bridge.until('it was refused', () => bridge.row('select error_kind as e from operation')?.e === 'immutable')
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body.active, false)
})
