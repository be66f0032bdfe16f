/** The choices that a mapping has about grants: who manages them, and what happens to groups that give none. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import { isJsonObject } from '../../src/json.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { emailOf } from '../figshare-bridge.ts'
import { adding, aGroup, grantsSeen, mappingWith, removing } from './grants-world.ts'

async function aConnection(t: TestContext, platform: DemoPlatform, groups: string, lifecycle?: string) {
  const world = await startBridgeWorld(({ connections }) => {
    const connection = isJsonObject(connections) ? connections[platform] : undefined
    if (!isJsonObject(connection)) throw new Error('no such connection')
    connection.mapping = mappingWith(t, platform, groups, lifecycle)
  })
  t.after(() => world.stop())
  const scim = world.scim(platform)
  const aPerson = async () => {
    const user = aUser()
    const { body } = await scim.post('/Users', user)
    return { id: String(body.id), email: emailOf(user), seen: () => grantsSeen(world, platform, emailOf(user)) }
  }
  return { world, scim, aPerson }
}

const reviewers = '{ group: reviewers, grant: { group_id: 110, role_id: 49 } }'

test('unmatched: refuse answers 400 for a group that no line names, and for a new name that none does', async (t) => {
  const { scim } = await aConnection(t, 'figshare', `{ as: grants, unmatched: refuse, grants: [${reviewers}] }`)
  const none = await scim.post('/Groups', aGroup('everyone'))
  assert.deepEqual([none.status, none.body.scimType], [400, 'invalidValue'])
  assert.match(none.body.detail, /groups\.grants/)
  const { status, body } = await scim.post('/Groups', aGroup('reviewers'))
  assert.equal(status, 201)
  const renamed = await scim.patch(`/Groups/${body.id}`, [{ op: 'replace', path: 'displayName', value: 'everyone' }])
  assert.equal(renamed.status, 400)
  assert.equal((await scim.get(`/Groups/${body.id}`)).body.displayName, 'reviewers')
})

test('match: externalId finds the line by the externalId, whatever the group is called', async (t) => {
  const { scim, aPerson } = await aConnection(
    t,
    'figshare',
    `{ as: grants, match: externalId, grants: [${reviewers}] }`,
  )
  const ada = await aPerson()
  assert.equal((await scim.post('/Groups', { ...aGroup('Anything', ada.id), externalId: 'reviewers' })).status, 201)
  assert.equal((await scim.post('/Groups', aGroup('reviewers', ada.id))).status, 201)
  assert.deepEqual(ada.seen(), ['110:49'])
})

test('manage: listed takes a role of the file that somebody was given by hand, and leaves every other', async (t) => {
  const { world, scim, aPerson } = await aConnection(
    t,
    'figshare',
    `{ as: grants, manage: listed, grants: [${reviewers}] }`,
  )
  const ada = await aPerson()
  const [account] = world.sandbox.figshare.logic.state.byEmail(ada.email)
  account?.roles.set(110, new Set([49, 7]))
  const { body } = await scim.post('/Groups', aGroup('reviewers', ada.id))
  await scim.patch(`/Groups/${body.id}`, removing(ada.id))
  assert.deepEqual(ada.seen(), ['110:7'])
})

test('manage: listed where groups are groups: who is a member by hand only is a member no more', async (t) => {
  const { world, scim, aPerson } = await aConnection(t, 'dspace', '{ as: groups, manage: listed }')
  const [ada, ben] = [await aPerson(), await aPerson()]
  const { body } = await scim.post('/Groups', aGroup('Editors', ada.id))
  const { state } = world.sandbox.dspace.logic
  const [editors, other] = [state.byName('Editors'), state.addGroup({ name: 'Not ours' })]
  const person = state.byEmail(ben.email)
  assert.ok(editors !== undefined && person !== undefined)
  for (const group of [editors, other]) state.join(group, person)
  await scim.post('/Groups', aGroup('Writers', ben.id))
  assert.deepEqual(ben.seen(), ['Not ours', 'Writers'])
  assert.equal((await scim.patch(`/Groups/${body.id}`, adding(ben.id))).status, 204)
  assert.deepEqual(ben.seen(), ['Editors', 'Not ours', 'Writers'])
})

test('as: none keeps groups and members, and calls nothing', async (t) => {
  const { world, scim, aPerson } = await aConnection(t, 'figshare', '{ as: none, match: null, grants: null }')
  const ada = await aPerson()
  world.sandbox.figshare.forgetCalls()
  const { status, body } = await scim.post('/Groups', aGroup('figshare-reviewers', ada.id))
  assert.deepEqual([status, body.members.length], [201, 1])
  assert.deepEqual(world.sandbox.figshare.calls, [])
})

test('revoke_on_deactivate takes the roles of somebody who is switched off, and gives them back afterwards', async (t) => {
  const { scim, aPerson } = await aConnection(
    t,
    'figshare',
    `{ as: grants, grants: [${reviewers}] }`,
    '{ revoke_on_deactivate: true }',
  )
  const ada = await aPerson()
  await scim.post('/Groups', aGroup('reviewers', ada.id))
  const switched = (active: boolean) => scim.patch(`/Users/${ada.id}`, [{ op: 'replace', value: { active } }])
  assert.equal((await switched(false)).status, 200)
  assert.deepEqual(ada.seen(), [])
  assert.equal((await switched(true)).status, 200)
  assert.deepEqual(ada.seen(), ['110:49'])
})
