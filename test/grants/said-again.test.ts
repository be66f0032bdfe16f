/** A change that says who stays, said once more while who has to go holds the role still. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { aUser, type ScimClient, startBridgeWorld } from '../bridge-world.ts'
import { emailOf, startFigshareBridge } from '../figshare-bridge.ts'
import { adding, aGroup, grantsSeen } from './grants-world.ts'

type Ask = (scim: ScimClient, path: string, staying: string) => Promise<{ readonly status: number }>

/** Ada has to go each time, and is named by none of them. */
const ways: readonly (readonly [string, Ask])[] = [
  ['a PUT without them', (scim, path, staying) => scim.put(path, aGroup('figshare-reviewers', staying))],
  [
    'a PATCH with a new list',
    (scim, path, staying) => scim.patch(path, [{ op: 'replace', path: 'members', value: [{ value: staying }] }]),
  ],
  ['a removal of everybody', (scim, path) => scim.patch(path, [{ op: 'remove', path: 'members' }])],
  [
    'a removal by a filter',
    (scim, path, staying) => scim.patch(path, [{ op: 'remove', path: `members[value ne "${staying}"]` }]),
  ],
]

async function aPair(t: TestContext) {
  const bridge = await startFigshareBridge(t)
  const [ada, ben] = [aUser(), aUser()]
  const ids: string[] = []
  for (const user of [ada, ben]) ids.push((await bridge.scim.post('/Users', user)).body.id)
  const { body } = await bridge.scim.post('/Groups', aGroup('figshare-reviewers', ...ids))
  const rolesOfAda = () => grantsSeen(bridge.world, 'figshare', emailOf(ada))
  const [adaId = '', benId = ''] = ids
  return { bridge, scim: bridge.scim, path: `/Groups/${body.id}`, adaId, benId, rolesOfAda }
}

for (const [what, ask] of ways) {
  test(`${what} is no success, however often, while who has left holds the role still`, async (t) => {
    const { bridge, scim, path, benId, rolesOfAda } = await aPair(t)
    bridge.fault({ mode: 'down' })
    for (let time = 0; time < 2; time += 1) assert.equal((await ask(scim, path, benId)).status, 429)
    bridge.heal()
    const { status } = await ask(scim, path, benId)
    assert.ok([200, 204].includes(status), `${status}`)
    assert.deepEqual(rolesOfAda(), [])
  })
}

test('a list of members with a new name is no success while who has left holds the role of the old one', async (t) => {
  const { bridge, scim, path, benId, rolesOfAda } = await aPair(t)
  bridge.fault({ mode: 'down' })
  assert.equal((await scim.put(path, aGroup('figshare-reviewers', benId))).status, 429)
  bridge.change('update operation set due_at = due_at + 3600000')
  bridge.heal()
  assert.equal((await scim.put(path, aGroup('others', benId))).status, 200)
  assert.deepEqual(rolesOfAda(), [])
})

test('a role that could not be taken is tried again when the list of members is pushed again', async (t) => {
  const { bridge, scim, path, benId, rolesOfAda } = await aPair(t)
  const push = () => scim.put(path, aGroup('figshare-reviewers', benId))
  bridge.fault({ mode: 'down' })
  await push()
  bridge.change("update operation set state = 'failed'")
  bridge.heal()
  assert.equal((await push()).status, 200)
  assert.deepEqual(rolesOfAda(), [])
})

test('a list of members is not answered with what somebody waits for who keeps the role through another group', async (t) => {
  const { bridge, scim, path, adaId, benId, rolesOfAda } = await aPair(t)
  const other = await scim.post('/Groups', aGroup('figshare-admins', adaId))
  assert.equal((await scim.put(path, aGroup('figshare-reviewers', benId))).status, 200)
  bridge.fault({ mode: 'down' })
  assert.equal((await scim.patch(`/Groups/${other.body.id}`, [{ op: 'remove', path: 'members' }])).status, 429)
  assert.equal((await scim.patch(`/Groups/${other.body.id}`, adding(adaId))).status, 429)
  assert.equal((await scim.put(path, aGroup('figshare-reviewers', benId))).status, 200)
  bridge.heal()
  await bridge.finished()
  assert.deepEqual(rolesOfAda(), ['100:2', '110:49'])
})

test('where groups are groups, a list of members is no success while who has left is a member still', async (t) => {
  const world = await startBridgeWorld()
  t.after(() => world.stop())
  const scim = world.scim('dspace')
  const ada = aUser()
  const { body: person } = await scim.post('/Users', ada)
  const { body } = await scim.post('/Groups', aGroup('Editors', person.id))
  const empty = () => scim.put(`/Groups/${body.id}`, aGroup('Editors'))
  world.sandbox.dspace.fault({ mode: 'down' })
  for (let time = 0; time < 2; time += 1) assert.equal((await empty()).status, 429)
  world.sandbox.dspace.fault({ mode: 'ok' })
  assert.equal((await empty()).status, 200)
  assert.deepEqual(grantsSeen(world, 'dspace', emailOf(ada)), [])
})
