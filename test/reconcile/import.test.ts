import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { emailOf, provisioningUrn } from '../figshare-bridge.ts'
import { type ReconcileWorld, startReconcileWorld } from './reconcile-world.ts'

const anImport = { purpose: 'import' } as const

function anAccount(world: ReconcileWorld, name: string, change: object = {}) {
  return world.world.sandbox.figshare.logic.addAccount({
    email: `${name}@uni.example`,
    institution_user_id: name,
    last_name: name,
    ...change,
  })
}

test('an import makes a user of each account that is free, which an identity provider finds, and writes nothing there', async (t) => {
  const world = await startReconcileWorld(t)
  const { figshare } = world.world.sandbox
  const [ada, grace] = [anAccount(world, 'ada'), anAccount(world, 'grace', { is_active: false })]
  figshare.forgetCalls()
  const { walk, findings } = await world.reconcile('figshare', anImport)
  assert.deepEqual([walk.phase, walk.counts.unmatched], ['finished', 2])
  assert.deepEqual(
    findings.filter(({ situation }) => situation === 'unmatched').map(({ done }) => done),
    ['imported', 'imported'],
  )
  assert.ok(figshare.calls.every(({ method }) => method === 'GET'))
  const found = await world.scim.get('/Users?filter=userName%20eq%20%22ada%22')
  assert.equal(found.body.totalResults, 1, found.text)
  const [user] = found.body.Resources
  assert.deepEqual([user.active, user.name.familyName, user.emails[0].value], [true, 'ada', 'ada@uni.example'])
  assert.equal(user[provisioningUrn].accountId, String(ada.id))
  const off = await world.scim.get('/Users?filter=userName%20eq%20%22grace%22')
  assert.equal(off.body.Resources[0].active, false)
  // From now on it is a user like any other.
  const left = await world.scim.patch(`/Users/${user.id}`, [{ op: 'replace', path: 'active', value: false }])
  assert.equal(left.status, 200, left.text)
  assert.deepEqual([ada.active, grace.active], [false, false])
})

test('an e-mail address of somebody imported is the one that Entra finds and changes, by its type', async (t) => {
  const world = await startReconcileWorld(t)
  const { dspace } = world.world.sandbox
  const scim = world.world.scim('dspace')
  const account = dspace.logic.addEPerson({ email: 'ada@uni.example', netid: 'ada', canLogIn: true })
  await world.reconcile('dspace', anImport)
  const byMail = encodeURIComponent('emails[type eq "work"].value eq "ADA@uni.example"')
  const { body } = await scim.get(`/Users?filter=${byMail}`)
  assert.equal(body.totalResults, 1)
  const changed = await scim.patch(`/Users/${body.Resources[0].id}`, [
    { op: 'Replace', path: 'emails[type eq "work"].value', value: 'lovelace@uni.example' },
  ])
  assert.equal(changed.status, 200, changed.text)
  assert.deepEqual(changed.body.emails, [{ value: 'lovelace@uni.example', type: 'work', primary: true }])
  assert.equal(account.email, 'lovelace@uni.example', 'on the platform, too')
})

test('a second import makes nobody twice', async (t) => {
  const world = await startReconcileWorld(t)
  anAccount(world, 'ada')
  await world.reconcile('figshare', anImport)
  const before = (await world.scim.get('/Users')).body
  const { walk } = await world.reconcile('figshare', anImport)
  assert.equal(walk.counts.unmatched ?? 0, 0)
  assert.deepEqual((await world.scim.get('/Users')).body, before)
})

test('an import that is interrupted goes on, and makes nobody twice', async (t) => {
  const world = await startReconcileWorld(t, { maximumRetrySeconds: 3_600 })
  for (let number = 0; number < 15; number += 1) anAccount(world, `person${number}`)
  world.fault({ mode: '500', path: '/account/institution/accounts', skip: 14 })
  const number = await world.ask('figshare', anImport)
  await world.until('it is interrupted', () => world.row('select error from walk')?.error !== null)
  await world.world.restart()
  world.heal()
  const { walk } = await world.ended('figshare', number)
  assert.equal(walk.phase, 'finished')
  const url = world.world.scim('figshare')
  assert.equal((await url.get('/Users')).body.totalResults, 15)
})

test('a dry run says who would be imported, and makes nobody', async (t) => {
  const world = await startReconcileWorld(t)
  anAccount(world, 'ada')
  const { only } = await world.reconcile('figshare', { ...anImport, isDryRun: true })
  assert.equal(only('unmatched').done, 'would be imported')
  assert.equal((await world.scim.get('/Users')).body.totalResults, 0)
  assert.equal(world.row('select count(*) as n from link')?.n, 0)
})

test('protected accounts, those of users and those of deleted users are left out', async (t) => {
  const world = await startReconcileWorld(t, { isStrict: true })
  anAccount(world, 'chief', { email: 'repository-admin@uni.example' })
  const [present, deleted] = [aUser(), aUser()]
  await world.scim.post('/Users', present)
  const { body } = await world.scim.post('/Users', deleted)
  await world.scim.delete(`/Users/${body.id}`)
  const { walk } = await world.reconcile('figshare', anImport)
  assert.deepEqual(walk.counts, { protected: 2, linked: 1, former: 1 })
  assert.equal((await world.scim.get('/Users')).body.totalResults, 1)
})

test('an account that fits a user is not imported beside them', async (t) => {
  const world = await startReconcileWorld(t, { mode: 'deferred' })
  const user = aUser()
  world.fault({ mode: 'answer', only: 'writes', status: 400, body: '{"message":"no","code":"x"}' })
  await world.scim.post('/Users', user)
  await world.until('it failed', () => world.row('select state from operation')?.state === 'failed')
  world.heal()
  anAccount(world, String(user.userName), { email: emailOf(user) })
  const { only } = await world.reconcile('figshare', anImport)
  assert.equal(only('unlinked').done, undefined)
  assert.equal((await world.scim.get('/Users')).body.totalResults, 1)
})

test('an account that a lost create has made is left to its user', async (t) => {
  const world = await startReconcileWorld(t)
  const { dspace } = world.world.sandbox
  const user = aUser()
  dspace.fault({ mode: 'lost', only: 'writes' })
  assert.equal((await world.world.scim('dspace').post('/Users', user)).status, 429)
  dspace.fault({ mode: 'ok' })
  // Not before the walk: on a busy machine its seconds are more than the next attempt waits for.
  world.change('update operation set due_at = 9000000000000000')
  const { only } = await world.reconcile('dspace', anImport)
  world.change('update operation set due_at = 0')
  assert.match(String(only('unmatched').done), /^left alone: it may belong to a user whose create is under way/)
  await world.finished()
  assert.equal((await world.world.scim('dspace').get('/Users')).body.totalResults, 1)
  assert.equal((await world.reconcile('dspace', anImport)).only('linked').situation, 'linked')
})

test('an account without a userName is refused with the reason, and the others are imported', async (t) => {
  const world = await startReconcileWorld(t)
  anAccount(world, 'nameless', { institution_user_id: '' })
  anAccount(world, 'ada')
  const { findings } = await world.reconcile('figshare', anImport)
  const done = findings.filter(({ situation }) => situation === 'unmatched').map((finding) => finding.done)
  assert.deepEqual(done.sort(), [
    'imported',
    'refused: the mapping reads no userName out of it (see read: in the mapping file)',
  ])
})

test('two accounts that would become one user: the first is imported, the second is disputed', async (t) => {
  const world = await startReconcileWorld(t)
  const { ethosce } = world.world.sandbox
  ethosce.logic.addUser({ name: 'ada', mail: 'ada@uni.example', status: 1, roles: [] })
  ethosce.logic.addUser({ name: 'ada.l', mail: 'ada@uni.example', status: 1, roles: [] })
  for (const isDryRun of [true, false]) {
    const { only } = await world.reconcile('ethosce', { ...anImport, isDryRun })
    assert.equal(only('unmatched').done, isDryRun ? 'would be imported' : 'imported')
    assert.equal(only('disputed').resourceId, only('unmatched').resourceId ?? only('disputed').resourceId)
  }
  assert.equal((await world.world.scim('ethosce').get('/Users')).body.totalResults, 1)
})

for (const [platform, add] of [
  [
    'dspace',
    (world: ReconcileWorld) =>
      world.world.sandbox.dspace.logic.addEPerson({
        email: 'ada@uni.example',
        firstName: 'Ada',
        lastName: 'Lovelace',
        netid: 'ada',
        canLogIn: true,
      }),
  ],
  [
    'openspecimen',
    (world: ReconcileWorld) =>
      world.world.sandbox.openspecimen.logic.addUser({
        loginName: 'ada',
        emailAddress: 'ada@uni.example',
        firstName: 'Ada',
        lastName: 'Lovelace',
      }),
  ],
] as const) {
  test(`a user imported from ${platform} takes an update that changes the account`, async (t) => {
    const world = await startReconcileWorld(t)
    add(world)
    const { findings } = await world.reconcile(platform, anImport)
    const scim = world.world.scim(platform)
    const { body } = await scim.get('/Users?filter=userName%20eq%20%22ada%22')
    assert.equal(body.totalResults, 1, JSON.stringify(findings))
    const [user] = body.Resources
    const put = await scim.put(`/Users/${user.id}`, { ...user, name: { givenName: 'Ada', familyName: 'King' } })
    assert.equal(put.status, 200, put.text)
    assert.equal((await world.reconcile(platform)).only('linked').resourceId, user.id)
  })
}
