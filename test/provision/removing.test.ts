/** `lifecycle.delete: delete`, on every platform that can: a deletion that fails leaves nobody on. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import { isJsonObject } from '../../src/json.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { emailOf } from '../figshare-bridge.ts'
import { aGivingGroup } from '../full/grant-view.ts'
import { aGroup, grantsSeen, mappingWith } from '../grants/grants-world.ts'
import { viewOf } from '../platform-view.ts'

async function aDeletingBridge(t: TestContext, platform: DemoPlatform) {
  const world = await startBridgeWorld(({ connections }) => {
    const connection = isJsonObject(connections) ? connections[platform] : undefined
    if (!isJsonObject(connection)) throw new Error('no such connection')
    connection.mapping = mappingWith(t, platform, '{}', '{ delete: delete }')
  })
  t.after(() => world.stop())
  const user = aUser()
  const scim = world.scim(platform)
  const { status, body, text } = await scim.post('/Users', user)
  assert.equal(status, 201, text)
  const accounts = () => viewOf(world, platform).byEmail(emailOf(user))
  const isOn = async () => (await accounts()).some((account) => account.isOn)
  assert.ok(await isOn())
  return { world, scim, path: `/Users/${body.id}`, simulator: world.sandbox[platform], isOn, user }
}

for (const platform of ['ethosce', 'openspecimen', 'selfcommunity', 'dspace'] as const) {
  test(`${platform}: who cannot be deleted now is off meanwhile, and deleted when it can be done`, async (t) => {
    const { world, scim, path, simulator, isOn } = await aDeletingBridge(t, platform)
    // The deletion is the first write.
    simulator.fault({ mode: '500', only: 'writes', times: 1 })
    assert.equal((await scim.delete(path)).status, 429)
    assert.equal(simulator.faultCount, 1)
    assert.equal(await isOn(), false)
    simulator.fault({ mode: 'ok' })
    simulator.forgetCalls()
    await eventually(
      'the user is gone',
      async () => (await scim.get(path)).status === 404,
      () => world.clock.advance(1_000),
    )
    assert.ok(simulator.calls.some(({ method }) => method === 'DELETE'))
    assert.equal(await isOn(), false)
  })

  test(`${platform}: a deletion whose answer was lost is done, and writes nothing more`, async (t) => {
    const { scim, path, simulator, isOn } = await aDeletingBridge(t, platform)
    simulator.forgetCalls()
    simulator.fault({ mode: 'lost', only: 'writes', times: 1 })
    await scim.delete(path)
    assert.equal(simulator.faultCount, 1)
    assert.equal((await scim.delete(path)).status, 204)
    assert.equal(await isOn(), false)
    assert.deepEqual(
      simulator.calls.filter(({ method }) => ['DELETE', 'PATCH', 'PUT'].includes(method)).map(({ method }) => method),
      ['DELETE'],
    )
  })
}

test('who OpenSpecimen refuses to delete for good is closed, and the user is gone', async (t) => {
  const { scim, path, simulator, isOn } = await aDeletingBridge(t, 'openspecimen')
  const body = '[{"code":"USER_HAS_ORDERS","message":"The user has orders"}]'
  simulator.fault({ mode: 'answer', status: 400, body, only: 'writes', times: 1 })
  const answer = await scim.delete(path)
  assert.equal(answer.status, 204, answer.text)
  assert.equal(await isOn(), false)
  assert.equal((await scim.get(path)).status, 404)
})

/** The account stays, off: the platform refuses to delete it in its own way, about which its module knows, or never deletes one. */
const refusals: Readonly<
  Record<'openspecimen' | 'selfcommunity' | 'dspace', (simulators: Sandbox, email: string) => void>
> = {
  openspecimen: ({ openspecimen: { logic } }, email) =>
    logic.setDependents(logic.usersByEmail(email)[0]?.id ?? 0, 'sites', 1),
  selfcommunity: () => undefined,
  dspace: ({ dspace }) =>
    dspace.fault({ mode: 'answer', status: 422, only: 'writes', path: '/api/eperson/epersons', times: 1 }),
}
for (const platform of ['openspecimen', 'selfcommunity', 'dspace'] as const) {
  test(`${platform}: whose account is off, and there still, after the deletion keeps nothing that a group gave`, async (t) => {
    const { world, scim, path, isOn, user } = await aDeletingBridge(t, platform)
    const email = emailOf(user)
    const group = aGroup(aGivingGroup[platform], path.slice('/Users/'.length))
    assert.equal((await scim.post('/Groups', group)).status, 201)
    assert.equal(grantsSeen(world, platform, email).length, 1)
    refusals[platform](world.sandbox, email)
    const answer = await scim.delete(path)
    assert.equal(answer.status, 204, answer.text)
    assert.equal(await isOn(), false)
    assert.equal((await viewOf(world, platform).byEmail(email)).length, 1)
    assert.deepEqual(grantsSeen(world, platform, email), [])
  })
}

test('selfcommunity: the user is gone though the community does not show the tags of a deleted account', async (t) => {
  const { world, scim, path, simulator, isOn, user } = await aDeletingBridge(t, 'selfcommunity')
  const group = aGroup(aGivingGroup.selfcommunity, path.slice('/Users/'.length))
  assert.equal((await scim.post('/Groups', group)).status, 201)
  const [account] = await viewOf(world, 'selfcommunity').byEmail(emailOf(user))
  simulator.fault({ mode: 'answer', status: 404, body: '{}', path: `/api/v2/user/${account?.id}/tags` })
  const answer = await scim.delete(path)
  assert.equal(answer.status, 204, answer.text)
  assert.equal(await isOn(), false)
  assert.equal((await scim.get(path)).status, 404)
})
