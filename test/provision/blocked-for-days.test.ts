/** SelfCommunity's moderators block people for some days, and then the platform switches them on again by itself. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { emailOf } from '../figshare-bridge.ts'
import { viewOf } from '../platform-view.ts'

const dayMs = 86_400_000
const off = [{ op: 'replace', path: 'active', value: false }]

/** Somebody whom a moderator has blocked for three days. */
async function aBlockedPerson(t: TestContext) {
  const world = await startBridgeWorld()
  t.after(() => world.stop())
  const scim = world.scim('selfcommunity')
  const user = aUser()
  const path = `/Users/${(await scim.post('/Users', user)).body.id}`
  const { logic } = world.sandbox.selfcommunity
  const blocked = logic.userByEmail(emailOf(user))
  assert.ok(blocked)
  Object.assign(blocked, {
    status: 'b',
    blockedAt: world.clock.now(),
    blockExpiresAt: world.clock.now() + 3 * dayMs,
  })
  const isOnLater = async () => {
    world.clock.advance(4 * dayMs)
    return (await viewOf(world, 'selfcommunity').byEmail(emailOf(user)))[0]?.isOn
  }
  return { world, scim, path, blocked, isOnLater }
}

for (const [what, leave, status] of [
  ['deactivated', 'patch', 200],
  ['deleted', 'delete', 204],
] as const) {
  test(`who is ${what} while blocked for some days does not come back with their end`, async (t) => {
    const { scim, path, isOnLater } = await aBlockedPerson(t)
    const answer = await (leave === 'delete' ? scim.delete(path) : scim.patch(path, off))
    assert.equal(answer.status, status, answer.text)
    assert.equal(await isOnLater(), false)
  })
}

for (const [what, wasSeen] of [
  ['on', false],
  ['blocked', true],
] as const) {
  test(`who was last read as ${what}, and is deleted before a switching-off is done, does not come back with the end of a block`, async (t) => {
    const { world, scim, path, isOnLater } = await aBlockedPerson(t)
    if (wasSeen) await scim.patch(path, [{ op: 'replace', path: 'title', value: 'Countess' }])
    world.sandbox.selfcommunity.fault({ mode: 'down' })
    assert.equal((await scim.patch(path, off)).status, 429)
    world.sandbox.selfcommunity.fault({ mode: 'ok' })
    assert.equal((await scim.delete(path)).status, 204)
    assert.equal(await isOnLater(), false)
  })
}

test('a block of some days that cannot be made one for ever is no success', async (t) => {
  const { world, scim, path, isOnLater } = await aBlockedPerson(t)
  world.sandbox.selfcommunity.fault({ mode: 'answer', status: 204, only: 'writes', path: '/api/v2/moderation/user' })
  assert.equal((await scim.patch(path, off)).status, 429)
  world.sandbox.selfcommunity.fault({ mode: 'ok' })
  assert.equal((await scim.patch(path, off)).status, 200)
  assert.equal(await isOnLater(), false)
})

test('who has left already and is blocked for ever is not asked about again', async (t) => {
  const { world, scim, path } = await aBlockedPerson(t)
  await scim.patch(path, off)
  world.sandbox.selfcommunity.forgetCalls()
  assert.equal((await scim.patch(path, [{ op: 'replace', path: 'title', value: 'Emerita' }])).status, 200)
  assert.deepEqual(
    world.sandbox.selfcommunity.calls.filter((call) => call.path.includes('/moderation/')),
    [],
  )
})

test('who stays is not unblocked, and the block ends when the moderator said', async (t) => {
  const { scim, path, blocked, isOnLater } = await aBlockedPerson(t)
  assert.equal((await scim.patch(path, [{ op: 'replace', path: 'title', value: 'Countess' }])).status, 200)
  assert.equal(blocked.status, 'b')
  assert.equal(await isOnLater(), true)
})
