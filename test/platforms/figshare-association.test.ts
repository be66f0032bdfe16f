import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Immutable, Refused } from '../../src/errors.ts'
import { figshareWorld, startFigshare } from './figshare-world.ts'
import { aCall } from './world.ts'

async function aPortal(t: TestContext) {
  const world = await startFigshare({ settings: { defaultGroupId: 101 } })
  t.after(() => world.close())
  const connection = world.connect()
  const wanted = new Map([...figshareWorld.person('ada')].filter(([name]) => name !== 'group_id'))
  const ada = await connection.create(aCall(), wanted)
  return { ...world, connection, ada, wanted }
}

test('somebody whom the mapping puts nowhere begins in the default group of the connection', async (t) => {
  const { connection, ada } = await aPortal(t)
  assert.equal(ada.attributes.get('group_id'), 101)
  assert.deepEqual(await connection.readGrants(aCall(), ada.id), [{ group_id: 101 }])
})

test('of two groups the first one counts; without any the account goes back to the default group', async (t) => {
  const { connection, ada } = await aPortal(t)
  const [first, second] = [{ group_id: 102 }, { group_id: 110 }]
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [first, second], []), [first])
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [], [second]), [first])
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [], [first]), [{ group_id: 101 }])
})

test('taking the default group leaves the account where it is', async (t) => {
  const { simulator, connection, ada } = await aPortal(t)
  simulator.forgetCalls()
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [], [{ group_id: 101 }]), [{ group_id: 101 }])
  assert.ok(simulator.calls.every((call) => call.method === 'GET'))
})

test('moving an account that was switched off by hand does not switch it on', async (t) => {
  const { connection, ada } = await aPortal(t)
  await connection.update(aCall(), ada, figshareWorld.off)
  await connection.writeGrants(aCall(), ada.id, [{ group_id: 102 }], [])
  assert.equal((await connection.read(aCall(), ada.id))?.attributes.get('is_active'), false)
})

test('a role of a group and the group itself are two grants', async (t) => {
  const { connection, ada } = await aPortal(t)
  const role = { group_id: 102, role_id: 11 }
  await connection.writeGrants(aCall(), ada.id, [role], [])
  assert.deepEqual(await connection.readGrants(aCall(), ada.id), [{ group_id: 101 }, role])
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [{ group_id: 102 }], [role]), [{ group_id: 102 }])
})

test('an unknown role leaves the account in its group', async (t) => {
  const { connection, ada } = await aPortal(t)
  const give = [{ group_id: 102 }, figshareWorld.grants.unknown]
  await assert.rejects(connection.writeGrants(aCall(), ada.id, give, []), Refused)
  assert.deepEqual(await connection.readGrants(aCall(), ada.id), [{ group_id: 101 }])
})

test("the bridge's own account keeps its roles and its group", async (t) => {
  const { portal, simulator, connection } = await aPortal(t)
  const own = String(portal.administrator.id)
  simulator.forgetCalls()
  for (const grant of [{ group_id: 102 }, figshareWorld.grants.one])
    await assert.rejects(connection.writeGrants(aCall(), own, [grant], []), Immutable)
  assert.ok(simulator.calls.every((call) => call.method === 'GET'))
})

test('a role that is gone already when it is taken is taken; one that stays is not believed', async (t) => {
  const { simulator, connection, ada } = await aPortal(t)
  const { one } = figshareWorld.grants
  await connection.writeGrants(aCall(), ada.id, [one], [])
  simulator.fault({ mode: 'answer', only: 'writes', status: 404, body: '{"message":"no"}' })
  await assert.rejects(connection.writeGrants(aCall(), ada.id, [], [one]), /unexpected way/)
})
