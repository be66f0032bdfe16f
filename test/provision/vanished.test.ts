import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { emailOf, type FigshareBridge, startFigshareBridge } from '../figshare-bridge.ts'
import { viewOf } from '../platform-view.ts'

const off = [{ op: 'replace', path: 'active', value: false }]
const titled = (title: string) => [{ op: 'replace', path: 'title', value: title }]

/** A person whose account somebody has taken away on the platform. */
async function aVanished(bridge: FigshareBridge, user: JsonObject): Promise<string> {
  const { body } = await bridge.scim.post('/Users', user)
  bridge.world.sandbox.figshare.logic.removeAccount(Number(bridge.account(user)?.id))
  assert.equal(bridge.account(user), undefined)
  return body.id
}

test('an update of a person whose account has vanished is 404, and a POST makes a new account', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const id = await aVanished(bridge, user)
  const answer = await bridge.scim.patch(`/Users/${id}`, titled('Countess'))
  assert.equal(answer.status, 404, answer.text)
  assert.equal((await bridge.scim.get(`/Users/${id}`)).status, 404)
  assert.equal(bridge.row('select state from link where resource_id = ?', id)?.state, 'tombstone')
  assert.ok(bridge.world.logLines.some((line) => line.includes('"alarm":true') && line.includes('"absent"')))
  const again = await bridge.scim.post('/Users', user)
  assert.equal(again.status, 201, again.text)
  assert.notEqual(again.body.id, id)
  assert.equal(bridge.account(user)?.active, true)
})

test('a deactivation of a person whose account has vanished is done', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const id = await aVanished(bridge, user)
  const answer = await bridge.scim.patch(`/Users/${id}`, off)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.body.active, false)
  assert.equal(bridge.account(user), undefined)
})

test('a later change of a leaver whose account has vanished makes no account', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const id = await aVanished(bridge, user)
  await bridge.scim.patch(`/Users/${id}`, off)
  const answer = await bridge.scim.patch(`/Users/${id}`, titled('Emerita'))
  assert.equal(answer.status, 200, answer.text)
  assert.equal(bridge.account(user), undefined)
  const back = await bridge.scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: true }])
  assert.equal(back.status, 200, back.text)
  assert.equal(bridge.account(user)?.active, true)
})

test('a deletion of a person whose account has vanished is done', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const id = await aVanished(bridge, user)
  assert.equal((await bridge.scim.delete(`/Users/${id}`)).status, 204)
  assert.equal((await bridge.scim.get(`/Users/${id}`)).status, 404)
})

for (const [what, status] of [
  ['deactivation', 200],
  ['deletion', 204],
] as const) {
  test(`a ${what} whose account vanishes between reading and writing is done, too`, async (t) => {
    const bridge = await startFigshareBridge(t)
    const user = aUser()
    const { body } = await bridge.scim.post('/Users', user)
    bridge.fault({ mode: 'hang', only: 'writes', times: 1 })
    const path = `/Users/${body.id}`
    const leaving = (what === 'deletion' ? bridge.scim.delete(path) : bridge.scim.patch(path, off)).then((a) => a)
    await bridge.held()
    bridge.world.sandbox.figshare.logic.removeAccount(Number(bridge.account(user)?.id))
    bridge.heal()
    assert.equal((await leaving).status, status, (await leaving).text)
  })
}

test('a deletion finds the account of somebody whose first account had vanished while off', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const id = await aVanished(bridge, user)
  await bridge.scim.patch(`/Users/${id}`, off)
  bridge.world.sandbox.figshare.logic.addAccount({
    email: String(user.userName),
    institution_user_id: String(user.userName),
    last_name: 'Lovelace',
  })
  assert.equal((await bridge.scim.delete(`/Users/${id}`)).status, 204)
  assert.equal(bridge.account(user)?.active, false)
})

for (const [what, status] of [
  ['deactivation', 200],
  ['deletion', 204],
] as const) {
  test(`a ${what} of a person whom one search does not show, and the next one does, switches the account off`, async (t) => {
    const world = await startBridgeWorld()
    t.after(() => world.stop())
    const scim = world.scim('selfcommunity')
    const user = aUser()
    const path = `/Users/${(await scim.post('/Users', user)).body.id}`
    // As a search that lags says it of somebody who has just taken another username.
    const none = {
      mode: 'answer',
      status: 404,
      body: '{"errors":[]}',
      path: '/api/v2/account/search',
      times: 1,
    } as const
    world.sandbox.selfcommunity.fault(none)
    const answer = await (what === 'deletion' ? scim.delete(path) : scim.patch(path, off))
    assert.equal(world.sandbox.selfcommunity.faultCount, 1)
    assert.equal(answer.status, status, answer.text)
    const [account] = await viewOf(world, 'selfcommunity').byEmail(emailOf(user))
    assert.equal(account?.isOn, false)
  })
}

const notShown = { mode: 'answer', status: 404, body: '{"errors":[]}', only: 'reads', times: 1 } as const

for (const [what, change] of [
  ['change of name', [{ op: 'replace', path: 'name.familyName', value: 'King' }]],
  ['deactivation', off],
] as const) {
  test(`a person whose account is not shown for a moment after a ${what} is kept, and leaves when asked again`, async (t) => {
    const world = await startBridgeWorld()
    t.after(() => world.stop())
    const scim = world.scim('selfcommunity')
    const user = aUser()
    const path = `/Users/${(await scim.post('/Users', user)).body.id}`
    // The first search reads the account, the second reads it back.
    world.sandbox.selfcommunity.fault({ ...notShown, path: '/api/v2/account/search', skip: 1 })
    const answer = await scim.patch(path, [...change])
    assert.equal(world.sandbox.selfcommunity.faultCount, 1)
    assert.equal(answer.status, 429, answer.text)
    assert.equal((await scim.patch(path, off)).status, 200)
    const [account] = await viewOf(world, 'selfcommunity').byEmail(emailOf(user))
    assert.equal(account?.isOn, false)
  })
}

test('a person whose new account is not shown for a moment is kept, and made once', async (t) => {
  const world = await startBridgeWorld()
  t.after(() => world.stop())
  const scim = world.scim('selfcommunity')
  const user = aUser()
  world.sandbox.selfcommunity.fault({ ...notShown, path: '/api/v2/user' })
  const answer = await scim.post('/Users', user)
  assert.equal(world.sandbox.selfcommunity.faultCount, 1)
  assert.equal(answer.status, 429, answer.text)
  assert.equal((await scim.post('/Users', user)).status, 201)
  assert.equal((await viewOf(world, 'selfcommunity').byEmail(emailOf(user))).length, 1)
})

test('a platform whose searches lag is not away: however many new accounts it does not show at once, the others are made', async (t) => {
  const world = await startBridgeWorld()
  t.after(() => world.stop())
  const scim = world.scim('selfcommunity')
  for (let made = 0; made < 6; made += 1) {
    world.sandbox.selfcommunity.fault({ ...notShown, path: '/api/v2/user' })
    assert.equal((await scim.post('/Users', aUser())).status, 429)
    assert.equal(world.sandbox.selfcommunity.faultCount, 1, String(made))
  }
  const answer = await scim.post('/Users', aUser())
  assert.equal(answer.status, 201, answer.text)
})

test('a group that is not shown for a moment after it was made is kept, and known as made', async (t) => {
  const world = await startBridgeWorld()
  t.after(() => world.stop())
  const scim = world.scim('selfcommunity')
  const group = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'Readers' }
  // Two searches come before the group is made, and then it is read.
  world.sandbox.selfcommunity.fault({ ...notShown, path: '/api/v2/tag', skip: 2 })
  const answer = await scim.post('/Groups', group)
  assert.equal(world.sandbox.selfcommunity.faultCount, 1)
  assert.equal(answer.status, 429, answer.text)
  const again = await scim.post('/Groups', group)
  assert.equal(again.status, 201, again.text)
  const made = () => [...world.sandbox.selfcommunity.logic.state.tags.values()].filter(({ name }) => name === 'Readers')
  assert.equal(made().length, 1)
})
