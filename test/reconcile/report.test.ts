import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { emailOf } from '../figshare-bridge.ts'
import { startReconcileWorld } from './reconcile-world.ts'

const off = [{ op: 'replace', path: 'active', value: false }]

test('RC 1 an account that is as SCIM wants it is linked, and the report says no more', async (t) => {
  const world = await startReconcileWorld(t)
  const { body } = await world.scim.post('/Users', aUser())
  const { walk, only } = await world.reconcile('figshare')
  assert.equal(walk.phase, 'finished')
  assert.deepEqual([only('linked').resourceId, only('linked').attributes], [body.id, []])
  assert.equal(walk.counts.linked, 1)
  assert.equal(await world.metric('scim_bridge_accounts', 'connection="figshare",situation="linked"'), 1)
  assert.equal(await world.metric('scim_bridge_accounts', 'connection="figshare",situation="deleted"'), 0)
})

test('RC 2 an account that somebody changed by hand is drifted, and the report names the attribute and no value', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  const account = world.account(user)
  assert.ok(account !== undefined)
  account.profile.last_name = 'Changed-By-Hand'
  const { only } = await world.reconcile('figshare')
  const finding = only('drifted')
  assert.deepEqual([finding.resourceId, finding.attributes, finding.remedy], [body.id, ['last_name'], 'write'])
  assert.equal(JSON.stringify(finding).includes('Changed-By-Hand'), false)
  assert.equal(account.profile.last_name, 'Changed-By-Hand')
})

test('RC 3 a linked account that is gone is deleted: confirmed by a read, an alarm, and the user is as before', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  const id = String(world.account(user)?.id)
  world.world.sandbox.figshare.logic.removeAccount(Number(id))
  const { only } = await world.reconcile('figshare')
  assert.deepEqual([only('deleted').accountId, only('deleted').resourceId], [id, body.id])
  assert.equal((await world.scim.get(`/Users/${body.id}`)).status, 200)
  assert.ok(world.alarms().some((line) => line.includes('"deleted"')))
  assert.equal(await world.metric('scim_bridge_accounts', 'connection="figshare",situation="deleted"'), 1)
})

test('RC 5 an account that fits nobody is unmatched, and nothing is done about it', async (t) => {
  const world = await startReconcileWorld(t)
  const stranger = world.world.sandbox.figshare.logic.addAccount({
    email: 'stranger@uni.example',
    institution_user_id: 'stranger',
    last_name: 'Stranger',
  })
  const { only } = await world.reconcile('figshare', { isRepair: true, isRecreate: true })
  assert.equal(only('unmatched').accountId, String(stranger.id))
  assert.equal(stranger.active, true)
  assert.equal((await world.scim.get('/Users')).body.totalResults, 0)
})

test('RC 6 two accounts that fit one person are disputed, both are named, and neither is touched', async (t) => {
  const world = await startReconcileWorld(t)
  const { logic } = world.world.sandbox.figshare
  const user = aUser()
  await world.scim.post('/Users', user)
  const own = String(world.account(user)?.id)
  // Somebody gives the person's single sign-on key to a second account.
  const second = logic.addAccount({ email: 'second@uni.example', institution_user_id: 'second', last_name: 'Two' })
  second.institution_user_id = String(user.userName)
  const { only, findings } = await world.reconcile('figshare', { isRepair: true })
  assert.deepEqual([only('disputed').accountId, only('disputed').otherAccounts], [String(second.id), [own]])
  assert.equal(findings.find(({ accountId }) => accountId === own)?.situation, 'linked')
  assert.equal(second.last_name, 'Two')
  assert.ok(world.alarms().some((line) => line.includes('"disputed"')))
})

test('RC 6 one account that fits two people is disputed, and both are named', async (t) => {
  const world = await startReconcileWorld(t, { mode: 'deferred' })
  const { logic } = world.world.sandbox.figshare
  const [ada, grace] = [aUser(), aUser()]
  const shared = logic.addAccount({ email: emailOf(ada), institution_user_id: String(grace.userName), last_name: 'X' })
  world.fault({ mode: 'answer', only: 'writes', status: 400, body: '{"message":"no","code":"x"}' })
  const ids = []
  for (const user of [ada, grace]) ids.push((await world.scim.post('/Users', user)).body.id)
  await world.until(
    'both failed',
    () => world.row("select count(*) as n from operation where state = 'failed'")?.n === 2,
  )
  world.heal()
  const { only } = await world.reconcile('figshare', { isRepair: true })
  const { accountId, resourceId, otherResources } = only('disputed')
  assert.equal(accountId, String(shared.id))
  assert.deepEqual([resourceId, ...otherResources].sort(), ids.sort())
})

test('RC 6 two accounts without a link that fit one person are both disputed, each with the id of the other', async (t) => {
  const world = await startReconcileWorld(t, { mode: 'deferred' })
  const { logic } = world.world.sandbox.figshare
  const user = aUser()
  world.fault({ mode: 'answer', only: 'writes', status: 400, body: '{"message":"no","code":"x"}' })
  await world.scim.post('/Users', user)
  await world.until('it failed', () => world.row('select state from operation')?.state === 'failed')
  world.heal()
  const ids = [
    logic.addAccount({ email: emailOf(user), institution_user_id: 'other', last_name: 'One' }),
    logic.addAccount({ email: 'two@uni.example', institution_user_id: String(user.userName), last_name: 'Two' }),
  ].map(({ id }) => String(id))
  const { walk, findings } = await world.reconcile('figshare', { isRepair: true })
  assert.equal(walk.counts.disputed, 2)
  const disputed = findings.filter(({ situation }) => situation === 'disputed')
  assert.deepEqual(
    disputed.map(({ accountId, otherAccounts }) => [accountId, ...otherAccounts].sort()),
    [ids, ids],
  )
  assert.equal(world.row('select account_id as a from link')?.a, null)
})

test('RC 7 a protected account is counted and never repaired, linked or not', async (t) => {
  const world = await startReconcileWorld(t, { isStrict: true })
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  const account = world.account(user)
  assert.ok(account !== undefined)
  await world.scim.patch(`/Users/${body.id}`, off)
  // By hand: on again, and with an address that the mapping protects.
  world.world.sandbox.figshare.logic.state.setEmail(account, 'repository-admin@uni.example')
  account.active = true
  const { findings, walk } = await world.reconcile('figshare', { isRepair: true, isRecreate: true })
  assert.equal(findings.find(({ accountId }) => accountId === String(account.id))?.situation, 'protected')
  // The other one is the bridge's own account on Figshare.
  assert.deepEqual(walk.counts, { protected: 2 })
  await world.finished()
  assert.equal(account.active, true)
})

test('RC 9 a second account with the same e-mail address is disputed where addresses are not unique', async (t) => {
  const world = await startReconcileWorld(t)
  const { ethosce } = world.world.sandbox
  const user = aUser()
  const { body } = await world.world.scim('ethosce').post('/Users', user)
  assert.ok(body.id !== undefined, JSON.stringify(body))
  const twin = ethosce.logic.addUser({ name: 'twin', mail: emailOf(user), status: 1, roles: [] })
  const { only, findings } = await world.reconcile('ethosce', { isRepair: true })
  assert.equal(only('disputed').accountId, String(twin.uid))
  assert.equal(only('disputed').resourceId, body.id)
  assert.equal(only('disputed').otherAccounts.length, 1)
  assert.equal(findings.filter(({ situation }) => situation === 'linked').length, 1)
})

test('RC 12 a report calls nothing but reads, whatever it finds', async (t) => {
  const world = await startReconcileWorld(t)
  const { figshare } = world.world.sandbox
  const [drifted, gone] = [aUser(), aUser()]
  for (const user of [drifted, gone]) await world.scim.post('/Users', user)
  const account = world.account(drifted)
  assert.ok(account !== undefined)
  account.profile.first_name = 'By hand'
  figshare.logic.removeAccount(Number(world.account(gone)?.id))
  figshare.logic.addAccount({ email: 'x@uni.example', institution_user_id: 'x', last_name: 'X' })
  figshare.forgetCalls()
  const { walk } = await world.reconcile('figshare')
  await world.finished()
  assert.deepEqual({ ...walk.counts, protected: 0 }, { drifted: 1, deleted: 1, unmatched: 1, protected: 0 })
  assert.ok(figshare.calls.length > 3)
  assert.deepEqual([...new Set(figshare.calls.map(({ method }) => method))], ['GET'])
})
