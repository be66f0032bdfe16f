/** A change of institute takes roles away on OpenSpecimen, without a word. */
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { aUser, type BridgeWorld, type ScimClient, startBridgeWorld } from '../bridge-world.ts'
import { emailOf, provisioningUrn } from '../figshare-bridge.ts'
import { aGroup, grantsSeen } from './grants-world.ts'

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
