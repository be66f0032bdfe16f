import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builtInMappings } from '../../src/bridge.ts'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { emailOf, type FigshareBridge, provisioningUrn, startFigshareBridge } from '../figshare-bridge.ts'

function anAccount(bridge: FigshareBridge, user: JsonObject, change: object = {}) {
  return bridge.world.sandbox.figshare.logic.addAccount({
    email: emailOf(user),
    institution_user_id: String(user.userName),
    last_name: 'Byron',
    ...change,
  })
}

test('a person who has an account already gets no second one: theirs is taken over and brought up to date', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const account = anAccount(bridge, user)
  const answer = await bridge.scim.post('/Users', user)
  assert.equal(answer.status, 201, answer.text)
  assert.equal(bridge.account(user)?.id, account.id)
  // Looked for first: no create was tried, which a platform that allows twins would have carried out.
  assert.ok(!bridge.world.sandbox.figshare.calls.some(({ method }) => method === 'POST'))
  assert.equal(account.profile.first_name, 'Ada')
})

test('an account that is off is switched on by a POST with active: true', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const account = anAccount(bridge, user, { is_active: false })
  const answer = await bridge.scim.post('/Users', user)
  assert.deepEqual([answer.status, answer.body.active], [201, true])
  assert.equal(account.active, true)
})

test('an account that is off stays off after a POST without active, SCIM says so, and active: true switches it on', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { active: _active, ...user } = aUser()
  const account = anAccount(bridge, user, { is_active: false })
  const answer = await bridge.scim.post('/Users', user)
  assert.deepEqual([answer.status, answer.body.active], [201, false])
  assert.equal(account.active, false)
  const put = await bridge.scim.put(`/Users/${answer.body.id}`, { ...user, title: 'Countess' })
  assert.deepEqual([put.status, put.body.active, account.active], [200, false, false])
  const on = await bridge.scim.put(`/Users/${answer.body.id}`, { ...user, active: true })
  assert.deepEqual([on.status, on.body.active, account.active], [200, true, true])
})

test('a POST with active: false takes the account over and switches it off', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser({ active: false })
  const account = anAccount(bridge, user)
  const answer = await bridge.scim.post('/Users', user)
  assert.deepEqual([answer.status, answer.body.active], [201, false])
  assert.equal(account.active, false)
})

test('an account that somebody switched off by hand stays off in an update, and active: true brings it back', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  const account = bridge.account(user)
  assert.ok(account !== undefined)
  account.active = false
  const update = await bridge.scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'title', value: 'Countess' }])
  assert.equal(update.status, 200, update.text)
  assert.equal(account.active, false)
  // SCIM has said true all the time: the request changes no attribute, and means something all the same.
  const on = await bridge.scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'active', value: true }])
  assert.equal(on.status, 200, on.text)
  assert.equal(account.active, true)
})

test('an account with another single sign-on key is not taken over', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const account = anAccount(bridge, user, { institution_user_id: 'somebody-else' })
  const answer = await bridge.scim.post('/Users', user)
  assert.equal(answer.status, 409, answer.text)
  assert.equal(answer.body.scimType, 'uniqueness')
  assert.equal(account.last_name, 'Byron')
  assert.equal((await bridge.scim.get('/Users')).body.totalResults, 0)
  assert.equal(bridge.row('select count(*) as n from link')?.n, 0)
})

test('a protected account is not taken over', async (t) => {
  const bridge = await startFigshareBridge(t, { isStrict: true })
  const user = aUser({ emails: [{ value: 'repository-admin@uni.example', primary: true }] })
  const account = anAccount(bridge, user, { is_active: false })
  const answer = await bridge.scim.post('/Users', user)
  assert.equal(answer.status, 409, answer.text)
  assert.deepEqual([account.active, account.profile.first_name], [false, ''])
})

test('of two people who fit one account at the same time only one gets it, and the other changes nothing of it', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { dspace } = bridge.world.sandbox
  const scim = bridge.world.scim('dspace')
  const email = 'shared@uni.example'
  dspace.logic.addEPerson({ email, firstName: 'The', lastName: 'Person', canLogIn: true })
  const givenNames = ['Ada', 'Grace']
  const people = givenNames.map((givenName) =>
    aUser({ emails: [{ value: email, primary: true }], name: { givenName, familyName: givenName } }),
  )
  // Both have looked for an account before either goes on.
  dspace.fault({ mode: 'hang', path: '/api/eperson/epersons/search', times: 2 })
  const answering = Promise.all(people.map((user) => scim.post('/Users', user)))
  await bridge.until('both have looked', () => dspace.faultCount === 2)
  dspace.fault({ mode: 'ok' })
  const answers = await answering
  assert.deepEqual(answers.map((answer) => answer.status).sort(), [201, 409])
  const winner = String(answers.find((answer) => answer.status === 201)?.body.name.givenName)
  const written = dspace.calls.filter(({ method }) => method === 'PATCH').map(({ requestBody }) => requestBody)
  assert.deepEqual(
    givenNames.filter((name) => written.some((body) => body.includes(name))),
    [winner],
  )
})

test('an account of another user of the connection is not taken over', async (t) => {
  const bridge = await startFigshareBridge(t)
  const scim = bridge.world.scim('dspace')
  const first = aUser()
  assert.equal((await scim.post('/Users', first)).status, 201)
  const second = aUser({ emails: first.emails ?? [] })
  const answer = await scim.post('/Users', second)
  assert.equal(answer.status, 409, answer.text)
})

for (const linkFillsExtId of [true, false]) {
  const shown = linkFillsExtId ? 'shows' : 'does not show'
  test(`a member of a community who never had an ext_id is taken over by e-mail and given one, where the account ${shown} it`, async (t) => {
    const world = await startBridgeWorld(({ connections }) => {
      const connection = isJsonObject(connections) ? connections.selfcommunity : undefined
      if (!isJsonObject(connection)) throw new Error('no such connection')
      connection.mapping = `${builtInMappings}/selfcommunity.yaml`
    })
    t.after(() => world.stop())
    const { logic } = world.sandbox.selfcommunity
    logic.knobs.linkFillsExtId = linkFillsExtId
    const user = aUser()
    const { id } = logic.addUser({ username: 'by-hand', email: emailOf(user) })
    const scim = world.scim('selfcommunity')
    const answer = await scim.post('/Users', user)
    assert.equal(answer.status, 201, answer.text)
    assert.equal(logic.userByExtId(String(user.externalId))?.id, id)
    assert.equal(answer.body[provisioningUrn].accountId, String(id))
    assert.doesNotMatch(String(answer.body[provisioningUrn].detail), /ext_id/)
    world.sandbox.selfcommunity.forgetCalls()
    const renamed = await scim.patch(`/Users/${answer.body.id}`, [
      { op: 'replace', path: 'name.givenName', value: 'Eve' },
    ])
    assert.equal(renamed.status, 200, renamed.text)
    const links = world.sandbox.selfcommunity.calls.filter(({ path }) => path.endsWith('/provider/'))
    assert.deepEqual(links, [], 'linked once')
  })
}

test('a Figshare account without institution_user_id is taken over where setting and mapping allow it, and shown to lack it', async (t) => {
  const connected = async (mapping: string | undefined) => {
    const world = await startBridgeWorld(({ connections }) => {
      const connection = isJsonObject(connections) ? connections.figshare : undefined
      if (!isJsonObject(connection) || !isJsonObject(connection.settings)) throw new Error('no such connection')
      connection.settings.adoptWithoutSsoKey = true
      if (mapping !== undefined) connection.mapping = mapping
    })
    t.after(() => world.stop())
    const user = aUser()
    world.sandbox.figshare.logic.addAccount({ email: emailOf(user), last_name: 'Lovelace' })
    return world.scim('figshare').post('/Users', user)
  }
  // The demonstration says `on_change: keep`.
  const kept = await connected(undefined)
  assert.equal(kept.status, 201, kept.text)
  assert.match(String(kept.body[provisioningUrn].detail), /institution_user_id/)
  const refused = await connected(`${builtInMappings}/figshare.yaml`)
  assert.deepEqual([refused.status, refused.body.scimType], [400, 'mutability'], refused.text)
})
