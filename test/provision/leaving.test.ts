import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { emailOf, provisioningUrn, refusedProfile, startFigshareBridge } from '../figshare-bridge.ts'

const off = { op: 'replace', path: 'active', value: false }
const mailed = (email: string) => ({ op: 'replace', path: 'emails', value: [{ value: email, primary: true }] })
const titled = (title: string) => ({ op: 'replace', path: 'title', value: title })
const named = { op: 'replace', path: 'name.givenName', value: 'Ada' }

test('a leaver whose new e-mail address the mapping refuses is switched off, and the address shows as drift', async (t) => {
  const bridge = await startFigshareBridge(t, { isStrict: true })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  const answer = await bridge.scim.patch(`/Users/${body.id}`, [off, mailed('gone@uni.example')])
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.body.active, false)
  assert.match(answer.body[provisioningUrn].detail, /email/)
  assert.equal(bridge.account(user)?.active, false)
})

const refusal = { status: 400, body: '{"message":"job_title is not allowed","code":"x"}' }
const page = { contentType: 'text/html', body: '<!DOCTYPE html><title>Sign in</title>' }

test('a leaver whose other attribute the platform refuses is switched off', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'answer', only: 'writes', path: '/account/profile', ...refusal })
  const left = await bridge.scim.patch(`/Users/${body.id}`, [off, titled('Emerita')])
  assert.ok(bridge.world.sandbox.figshare.faultCount > 0)
  assert.equal(left.status, 200, left.text)
  assert.match(left.body[provisioningUrn].detail, /job_title/)
  assert.equal(bridge.account(user)?.active, false)
})

for (const [how, answer] of [
  ['takes but ignores the rest', { status: 205, body: '' }],
  ['answers the rest with a page', page],
] as const) {
  for (const [who, before, change] of [
    ['a leaver', true, [off, titled('Emerita')]],
    ['somebody who is off', false, [titled('Emerita')]],
  ] as const) {
    const asked = async (t: TestContext) => {
      const bridge = await startFigshareBridge(t)
      const user = aUser({ active: before, title: 'Countess' })
      const { body } = await bridge.scim.post('/Users', user)
      bridge.fault({ mode: 'answer', only: 'writes', path: '/account/profile', ...answer })
      const ask = () => bridge.scim.patch(`/Users/${body.id}`, [...change])
      const first = await ask()
      assert.equal(first.status, 429, first.text)
      assert.equal(bridge.account(user)?.active, false, 'off at once')
      assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body[provisioningUrn].state, 'pending')
      return { bridge, user, ask, id: String(body.id) }
    }

    test(`${who} is off though the platform ${how}, which is made when it is well again`, async (t) => {
      const { bridge, user, ask } = await asked(t)
      bridge.heal()
      await bridge.finished()
      assert.equal(bridge.account(user)?.profile.job_title, 'Emerita')
      const again = await ask()
      assert.equal(again.status, 200, again.text)
      assert.equal(bridge.account(user)?.active, false)
    })

    test(`${who} is off though the platform always ${how}: after three attempts that is drift`, async (t) => {
      const { bridge, user, ask } = await asked(t)
      assert.equal((await ask()).status, 429)
      const third = await ask()
      assert.equal(third.status, 200, third.text)
      assert.match(third.body[provisioningUrn].detail, /job_title/)
      assert.equal(bridge.row('select count(*) as n from operation')?.n, 0)
      assert.equal(bridge.account(user)?.profile.job_title, 'Countess')
      assert.equal(bridge.account(user)?.active, false)
    })
  }
}

test('an answer that cannot be read, when the account shows all that was asked, is looked over', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser({ active: false })
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'answer', only: 'writes', path: '/account/profile', ...page, isDone: true })
  const answer = await bridge.scim.patch(`/Users/${body.id}`, [titled('Emerita')])
  assert.ok(bridge.world.sandbox.figshare.faultCount > 0)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.body[provisioningUrn].state, 'applied')
  assert.equal(bridge.account(user)?.profile.job_title, 'Emerita')
})

test('a deactivation that the platform confirms and does not make is never a success and never given up', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'answer', only: 'writes', path: '/account/institution/accounts', status: 205 })
  for (let time = 0; time < 5; time += 1) {
    const answer = await bridge.scim.patch(`/Users/${body.id}`, [off])
    assert.equal(answer.status, 429, answer.text)
  }
  assert.equal(bridge.account(user)?.active, true)
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body[provisioningUrn].state, 'pending')
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, false)
})

for (const [what, leave] of [
  ['deactivation', (bridge: Bridge, id: string) => bridge.scim.patch(`/Users/${id}`, [off])],
  ['deletion', (bridge: Bridge, id: string) => bridge.scim.delete(`/Users/${id}`)],
] as const) {
  test(`the ${what} of a protected account is refused, and nothing changes`, async (t) => {
    const bridge = await startFigshareBridge(t, { isStrict: true })
    const user = aUser()
    const { body } = await bridge.scim.post('/Users', user)
    const account = bridge.account(user)
    assert.ok(account !== undefined)
    bridge.world.sandbox.figshare.logic.state.setEmail(account, 'repository-admin@uni.example')
    const answer = await leave(bridge, body.id)
    assert.equal(answer.status, 400, answer.text)
    assert.equal(answer.body.scimType, 'mutability')
    assert.equal(account.active, true)
    const shown = await bridge.scim.get(`/Users/${body.id}`)
    assert.equal(shown.body.active, true)
    assert.equal(shown.body[provisioningUrn].state, 'applied')
  })
}
type Bridge = Awaited<ReturnType<typeof startFigshareBridge>>

test('a deactivation that was answered with "kept" is kept also when the platform refuses it later', async (t) => {
  const bridge = await startFigshareBridge(t, { isStrict: true })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'down' })
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, [off])).status, 429)
  const account = bridge.account(user)
  assert.ok(account !== undefined)
  const { state } = bridge.world.sandbox.figshare.logic
  state.setEmail(account, 'repository-admin@uni.example')
  bridge.heal()
  await bridge.until('it was refused', () => bridge.row('select error_kind as e from operation')?.e === 'immutable')
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body[provisioningUrn].state, 'pending')
  state.setEmail(account, emailOf(user))
  await bridge.finished()
  assert.equal(account.active, false)
})

test('a leaver whose refused change cannot be undone, the old userName being taken, is tried again', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  const account = bridge.account(user)
  assert.ok(account !== undefined)
  const leave = () => bridge.scim.patch(`/Users/${body.id}`, [off, { op: 'replace', path: 'userName', value: 'gone' }])
  bridge.fault({ mode: 'down' })
  assert.equal((await leave()).status, 429)
  assert.equal((await bridge.scim.post('/Users', aUser({ userName: user.userName ?? '' }))).status, 429)
  bridge.fault({ mode: 'answer', only: 'writes', ...refusal })
  const answer = await leave()
  assert.equal(answer.status, 429, answer.text)
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body[provisioningUrn].state, 'pending')
  bridge.heal()
  await bridge.until('it is off', () => !account.active)
})

for (const [what, follow, status] of [
  ['a deletion', (bridge: Bridge, id: string) => bridge.scim.delete(`/Users/${id}`), 400],
  ['an edit', (bridge: Bridge, id: string) => bridge.scim.patch(`/Users/${id}`, [titled('Emerita')]), 429],
  ['a request that changes nothing', (bridge: Bridge, id: string) => bridge.scim.patch(`/Users/${id}`, [named]), 429],
] as const) {
  test(`a deactivation that was answered with "kept" is kept when ${what} comes after it and is refused`, async (t) => {
    const bridge = await startFigshareBridge(t)
    const user = aUser()
    const { body } = await bridge.scim.post('/Users', user)
    const account = bridge.account(user)
    assert.ok(account !== undefined)
    bridge.fault({ mode: 'down' })
    assert.equal((await bridge.scim.patch(`/Users/${body.id}`, [off])).status, 429)
    bridge.fault({ mode: 'answer', only: 'writes', ...refusal })
    const answer = await follow(bridge, body.id)
    assert.equal(answer.status, status, answer.text)
    const shown = await bridge.scim.get(`/Users/${body.id}`)
    assert.deepEqual([shown.body.active, shown.body[provisioningUrn].state], [false, 'pending'])
    bridge.heal()
    await bridge.finished()
    assert.equal(account.active, false)
    assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body.active, false)
  })
}

test('a deletion of somebody who is off is refused, and nothing is left to do', async (t) => {
  const bridge = await startFigshareBridge(t, { isStrict: true })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.scim.patch(`/Users/${body.id}`, [off])
  const account = bridge.account(user)
  assert.ok(account !== undefined)
  bridge.world.sandbox.figshare.logic.state.setEmail(account, 'repository-admin@uni.example')
  assert.equal((await bridge.scim.delete(`/Users/${body.id}`)).status, 400)
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, [titled('Emerita')])).status, 400)
  const shown = await bridge.scim.get(`/Users/${body.id}`)
  assert.deepEqual([shown.body.active, shown.body[provisioningUrn].state], [false, 'applied'])
})

test('a deletion that is repeated while the platform is down stays one deletion, and nothing else is taken meanwhile', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  const path = `/Users/${body.id}`
  bridge.fault({ mode: 'down' })
  for (let time = 0; time < 3; time += 1) assert.equal((await bridge.scim.delete(path)).status, 429)
  const shown = await bridge.scim.get(path)
  assert.deepEqual([shown.status, shown.body.active], [200, false])
  assert.equal((await bridge.scim.patch(path, [{ ...off, value: true }])).status, 429)
  assert.equal((await bridge.scim.put(path, user)).status, 429)
  assert.equal((await bridge.scim.post('/Users', user)).status, 429)
  assert.equal(bridge.row('select count(*) as n from operation')?.n, 1)
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, false)
  assert.equal((await bridge.scim.get(path)).status, 404)
  assert.equal((await bridge.scim.delete(path)).status, 404)
})

test('an account whose create is refused half-way does not stay on', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser({ title: 'Countess' })
  bridge.fault(refusedProfile)
  const answer = await bridge.scim.post('/Users', user)
  assert.equal(answer.status, 400, answer.text)
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, false)
  const again = await bridge.scim.post('/Users', user)
  assert.equal(again.status, 201, again.text)
  assert.equal(bridge.account(user)?.active, true)
})

test('a delete waits while a create of unknown outcome may still be carried out, and that is no sign against the platform', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred', workMs: 1_000, maximumRetrySeconds: 3_600 })
  const user = aUser()
  bridge.fault({ mode: 'late', only: 'writes' })
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.held()
  await bridge.until('it is unknown', () => bridge.row('select error_kind as e from operation')?.e === 'unknown')
  assert.equal((await bridge.scim.delete(`/Users/${body.id}`)).status, 204)
  await bridge.until('the delete waits', () => bridge.row('select error_kind as e from operation')?.e === 'busy')
  assert.equal(bridge.row('select kind from operation')?.kind, 'delete')
  assert.equal(bridge.account(user), undefined)
  bridge.heal()
  await bridge.until('the late create has come', () => bridge.account(user) !== undefined)
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, false)
})
