import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { demoPlatforms } from '../../src/cli/demo-config.ts'
import { aUser } from '../bridge-world.ts'
import { emailOf, startFigshareBridge } from '../figshare-bridge.ts'
import { viewAt } from '../platform-view.ts'

describe('a deleted person who is pushed again gets the same account back, on, under a new SCIM id', () => {
  for (const platform of demoPlatforms) {
    test(platform, async (t) => {
      const bridge = await startFigshareBridge(t)
      const scim = bridge.world.scim(platform)
      const { baseUrl, credentials } = bridge.world.sandbox[platform]
      const user = aUser()
      const seen = () => viewAt(platform, baseUrl, credentials, () => bridge.world.clock.now()).byEmail(emailOf(user))
      const ids = new Set<string>()
      let account: string | undefined
      // Twice: one tombstone, and then two of the same account, stand in nobody's way.
      for (let time = 0; time < 3; time += 1) {
        const answer = await scim.post('/Users', user)
        assert.equal(answer.status, 201, answer.text)
        ids.add(answer.body.id)
        const [only, ...others] = await seen()
        assert.deepEqual([only?.isOn, others.length], [true, 0])
        account ??= only?.id
        assert.equal(only?.id, account)
        assert.equal((await scim.delete(`/Users/${answer.body.id}`)).status, 204)
        assert.equal(
          (await seen()).some(({ isOn }) => isOn),
          false,
        )
      }
      assert.equal(ids.size, 3)
    })
  }
})

test('a deleted person who is pushed again without active stays off, and SCIM says so', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { active: _active, ...user } = aUser()
  const { body } = await bridge.scim.post('/Users', { ...user, active: true })
  await bridge.scim.delete(`/Users/${body.id}`)
  const again = await bridge.scim.post('/Users', user)
  assert.deepEqual([again.status, again.body.active], [201, false])
  assert.equal(bridge.account(user)?.active, false)
})

test('in deferred mode a deleted person who is pushed again gets the same account back', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.finished()
  const id = bridge.account(user)?.id
  await bridge.scim.delete(`/Users/${body.id}`)
  await bridge.finished()
  const again = await bridge.scim.post('/Users', user)
  assert.equal(again.status, 201, again.text)
  assert.notEqual(again.body.id, body.id)
  await bridge.finished()
  assert.deepEqual([bridge.account(user)?.id, bridge.account(user)?.active], [id, true])
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).status, 404)
})

for (const mode of ['confirmed', 'deferred'] as const) {
  test(`${mode}: who is deleted and pushed again while lists do not show their account yet gets it back`, async (t) => {
    const bridge = await startFigshareBridge(t, { mode })
    Object.assign(bridge.world.sandbox.figshare.logic.knobs, { listLagMs: 60_000 })
    const user = aUser()
    const { body } = await bridge.scim.post('/Users', user)
    await bridge.finished()
    const id = bridge.account(user)?.id
    assert.equal((await bridge.scim.delete(`/Users/${body.id}`)).status, 204)
    await bridge.finished()
    assert.equal(bridge.account(user)?.active, false)
    const again = await bridge.scim.post('/Users', user)
    assert.equal(again.status, 201, again.text)
    await bridge.finished()
    assert.deepEqual([bridge.account(user)?.id, bridge.account(user)?.active], [id, true])
  })
}
