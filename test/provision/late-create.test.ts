/** A create that nobody knows the outcome of, and a deletion that comes before anybody knows that nobody does. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { aUser } from '../bridge-world.ts'
import {
  appear,
  type FigshareBridge,
  type FigshareBridgeOptions,
  provisioningUrn,
  startFigshareBridge,
} from '../figshare-bridge.ts'

const minute = 60_000

/** The platform has taken the call and says nothing. */
async function aCreateUnderWay(t: TestContext, user: JsonObject, options: FigshareBridgeOptions = {}) {
  const bridge = await startFigshareBridge(t, { mode: 'deferred', maximumRetrySeconds: 3_600, ...options })
  bridge.fault({ mode: 'hang', only: 'writes', times: 1 })
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.held()
  return { bridge, id: String(body.id) }
}

function attemptFailed(bridge: FigshareBridge): Promise<void> {
  return bridge.until('the attempt is over', () =>
    bridge.world.logLines.some((line) => line.includes('an operation did not succeed')),
  )
}

/** The deletion is done, and what the create comes to long after is found. */
async function assertWatched(bridge: FigshareBridge, user: JsonObject): Promise<void> {
  await bridge.finished()
  assert.equal(bridge.row('select state from link')?.state, 'tombstone')
  assert.equal(bridge.row('select count(*) as n from watch')?.n, 1)
  const account = appear(bridge, user)
  bridge.world.clock.advance(10 * minute)
  await bridge.until('the account is off', () => !account.active)
}

test('a deletion that comes while the create is under way waits for what may appear, and keeps watch', async (t) => {
  const user = aUser()
  const { bridge, id } = await aCreateUnderWay(t, user, { workMs: 700 })
  assert.equal((await bridge.scim.delete(`/Users/${id}`)).status, 204)
  await attemptFailed(bridge)
  const failedAt = bridge.world.clock.now()
  await bridge.finished()
  assert.ok(bridge.world.clock.now() - failedAt >= 2 * minute - 1_000)
  await assertWatched(bridge, user)
})

test('so does one that comes after a group has taken the user in meanwhile', async (t) => {
  const user = aUser()
  const { bridge, id } = await aCreateUnderWay(t, user, { workMs: 700 })
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']
  const group = { schemas, displayName: 'figshare-reviewers', members: [{ value: id }] }
  assert.equal((await bridge.scim.post('/Groups', group)).status, 201)
  await attemptFailed(bridge)
  assert.equal((await bridge.scim.delete(`/Users/${id}`)).status, 204)
  await assertWatched(bridge, user)
})

test('so does one that comes after the outcome could not be recorded', async (t) => {
  const user = aUser()
  const { bridge, id } = await aCreateUnderWay(t, user, { workMs: 500 })
  const other = new DatabaseSync(join(bridge.world.directory, 'bridge.sqlite'))
  other.exec('begin immediate')
  await bridge.until('it could not be recorded', () =>
    bridge.world.logLines.some((line) => line.includes('an attempt could not be recorded')),
  )
  other.close()
  await bridge.until('it is tried later', () => bridge.row('select attempts from operation')?.attempts === 1)
  assert.equal((await bridge.scim.delete(`/Users/${id}`)).status, 204)
  await assertWatched(bridge, user)
})

test('what a kill in the middle of a create leaves behind says that an account may appear; the answer takes it back', async (t) => {
  const { bridge, id } = await aCreateUnderWay(t, aUser())
  const since = () => bridge.row('select unknown_since as since from operation')?.since
  assert.equal(since(), bridge.world.clock.now())
  // Nothing is sent twice: the one that stands in its place must know it, too.
  const replace = [{ op: 'replace', path: 'title', value: 'Countess' }]
  await bridge.scim.patch(`/Users/${id}`, replace)
  assert.equal(since(), bridge.world.clock.now())
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.row('select count(*) as n from operation')?.n, 0)
})

test('a create whose search alone was not answered made nothing: its deletion waits for nothing and keeps no watch', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred', maximumRetrySeconds: 3_600 })
  bridge.fault({ mode: '500', only: 'reads' })
  const { body } = await bridge.scim.post('/Users', aUser())
  await bridge.until('it is unknown', () => bridge.row('select error_kind as e from operation')?.e === 'unknown')
  assert.equal(bridge.row('select unknown_since as since from operation')?.since, null)
  assert.equal((await bridge.scim.delete(`/Users/${body.id}`)).status, 204)
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.row('select count(*) as n from watch')?.n, 0)
})

for (const errorBody of ['json', 'empty'] as const) {
  test(`a create whose answer was lost, and which lists do not show for a minute, is found then (refusals: ${errorBody})`, async (t) => {
    const bridge = await startFigshareBridge(t, { mode: 'deferred' })
    Object.assign(bridge.world.sandbox.figshare.logic.knobs, { listLagMs: minute, errorBody })
    const user = aUser()
    bridge.fault({ mode: 'lost', path: '/account/institution/accounts', times: 1 })
    const { body } = await bridge.scim.post('/Users', user)
    await bridge.until('the answer was lost', () => bridge.world.sandbox.figshare.faultCount === 1)
    bridge.heal()
    await bridge.finished()
    const shown = await bridge.scim.get(`/Users/${body.id}`)
    assert.equal(shown.body[provisioningUrn].state, 'applied', shown.text)
    assert.equal(bridge.accounts(user).length, 1)
  })
}
