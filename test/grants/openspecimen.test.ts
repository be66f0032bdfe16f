/** A change of institute takes roles away on OpenSpecimen, without a word. */
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { isJsonObject } from '../../src/json.ts'
import { aUser, type BridgeWorld, type ScimClient, startBridgeWorld } from '../bridge-world.ts'
import { emailOf, provisioningUrn } from '../figshare-bridge.ts'
import { aGroup, grantsSeen, mappingWith } from './grants-world.ts'

const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const technician = ['Technician at Main Biobank']

let world: BridgeWorld
let scim: ScimClient
before(async () => {
  world = await startBridgeWorld()
  scim = world.scim('openspecimen')
})
after(() => world.stop())

/** A technician of the hospital, whose role is at a site of the hospital. */
async function aTechnician(t: TestContext) {
  const user = aUser({ [enterpriseUrn]: { organization: 'HOSP' } })
  const path = `/Users/${(await scim.post('/Users', user)).body.id}`
  const group = await scim.post('/Groups', aGroup('biobank-technicians', path.slice('/Users/'.length)))
  assert.equal(group.status, 201, group.text)
  t.after(() => scim.delete(`/Groups/${group.body.id}`))
  const seen = () => grantsSeen(world, 'openspecimen', emailOf(user))
  assert.deepEqual(seen(), technician)
  const moved = (organization: string) =>
    scim.patch(path, [{ op: 'replace', path: `${enterpriseUrn}:organization`, value: organization }])
  return { seen, moved, read: () => scim.get(path) }
}

test('who is moved to an institute where a role cannot be had is shown to lack it, and has it again when moved back', async (t) => {
  const ada = await aTechnician(t)
  const away = await ada.moved('UNI')
  assert.equal(away.status, 200, away.text)
  assert.deepEqual(ada.seen(), [])
  assert.match(String((await ada.read()).body[provisioningUrn].detail), /groups/)
  assert.equal((await ada.moved('HOSP')).status, 200)
  assert.deepEqual(ada.seen(), technician)
})

test('a role that a change of institute has taken comes back though the answer to that change was lost', async (t) => {
  const ada = await aTechnician(t)
  await ada.moved('UNI')
  world.sandbox.openspecimen.fault({ mode: 'lost', path: '/users/', times: 1 })
  assert.equal((await ada.moved('HOSP')).status, 429)
  assert.equal(world.sandbox.openspecimen.faultCount, 1)
  world.sandbox.openspecimen.fault({ mode: 'ok' })
  assert.equal((await ada.moved('HOSP')).status, 200)
  assert.deepEqual(ada.seen(), technician)
})

test('who is moved to another institute is out of the user group, which can be renamed, and is in it again when moved back', async (t) => {
  const bridge = await startBridgeWorld(({ connections }) => {
    const connection = isJsonObject(connections) ? connections.openspecimen : undefined
    if (!isJsonObject(connection) || !isJsonObject(connection.settings)) throw new Error('no such connection')
    connection.settings.userGroups = { institute: 'Example Hospital' }
    connection.mapping = mappingWith(t, 'openspecimen', '{ as: groups, grants: null }')
  })
  t.after(() => bridge.stop())
  const client = bridge.scim('openspecimen')
  const groups = () =>
    [...bridge.sandbox.openspecimen.logic.groups.values()].map(({ name, users }) => `${name} ${users.size}`)
  const user = aUser({ [enterpriseUrn]: { organization: 'HOSP' } })
  const path = `/Users/${(await client.post('/Users', user)).body.id}`
  const group = await client.post('/Groups', aGroup('Readers', path.slice('/Users/'.length)))
  assert.deepEqual([group.status, groups()], [201, ['Readers 1']], group.text)
  const moved = (organization: string) =>
    client.patch(path, [{ op: 'replace', path: `${enterpriseUrn}:organization`, value: organization }])
  assert.equal((await moved('UNI')).status, 200)
  assert.deepEqual(groups(), ['Readers 0'])
  assert.match(String((await client.get(path)).body[provisioningUrn].detail), /groups/)
  const renamed = [{ op: 'replace', path: 'displayName', value: 'Keepers' }]
  assert.equal((await client.patch(`/Groups/${group.body.id}`, renamed)).status, 204)
  assert.equal((await moved('HOSP')).status, 200)
  assert.deepEqual(groups(), ['Keepers 1'])
})
