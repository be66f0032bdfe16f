/** The operator edits the mapping's groups section and starts the bridge again: what was given before is still the bridge's own. */
import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import { isJsonObject } from '../../src/json.ts'
import { aUser, type ScimClient, startBridgeWorld } from '../bridge-world.ts'
import { emailOf } from '../figshare-bridge.ts'
import { aGroup, grantsSeen, mappingWith, removing } from './grants-world.ts'

/** A person in one group, and a restart with another groups section. */
async function aMember(t: TestContext, platform: DemoPlatform, section: string, group: string) {
  const file = mappingWith(t, platform, section)
  const world = await startBridgeWorld(({ connections }) => {
    if (!isJsonObject(connections) || !isJsonObject(connections[platform])) throw new Error('no such connection')
    connections[platform].mapping = file
    const { settings } = connections[platform]
    if (platform === 'openspecimen' && isJsonObject(settings)) settings.userGroups = { institute: 'Example University' }
  })
  t.after(() => world.stop())
  // Where groups are roles, it has to be there.
  world.sandbox.dspace.logic.state.addGroup({ name: 'Editors' })
  const user = aUser()
  const { id } = (await world.scim(platform).post('/Users', user)).body
  const made = await world.scim(platform).post('/Groups', aGroup(group, id))
  assert.equal(made.status, 201, made.text)
  const restartWith = (next: string) => world.restart(() => copyFileSync(mappingWith(t, platform, next), file))
  const seen = () => grantsSeen(world, platform, emailOf(user))
  return { scim: () => world.scim(platform), path: `/Groups/${made.body.id}`, id, restartWith, seen }
}

const reviewers = '{ group: figshare-reviewers, grant: { group_id: 110, role_id: 49 } }'
const others = '{ group: others, grant: { group_id: 100, role_id: 2 } }'

test('who leaves a group that the mapping names no more loses what it gave', async (t) => {
  const section = `{ as: grants, grants: [${reviewers}, ${others}] }`
  const { scim, path, id, restartWith, seen } = await aMember(t, 'figshare', section, 'figshare-reviewers')
  assert.deepEqual(seen(), ['110:49'])
  await restartWith(`{ as: grants, grants: [${others}] }`)
  assert.equal((await scim().patch(path, removing(id))).status, 204)
  assert.deepEqual(seen(), [])
})

test('a deleted group that the mapping names no more takes what it gave', async (t) => {
  const section = `{ as: grants, grants: [${reviewers}, ${others}] }`
  const { scim, path, restartWith, seen } = await aMember(t, 'figshare', section, 'figshare-reviewers')
  await restartWith(`{ as: grants, grants: [${others}] }`)
  assert.equal((await scim().delete(path)).status, 204)
  assert.deepEqual(seen(), [])
})

const asGroups = '{ as: groups }'
const asGrants =
  '{ as: grants, adopt: null, delete: null, protect: null, grants: [{ group: Editors, grant: { group: Editors } }] }'

for (const [what, before, after, platform] of [
  ['groups are roles of the mapping now', asGroups, asGrants, 'dspace'],
  ['groups are groups on the platform now', asGrants, asGroups, 'dspace'],
] as const) {
  test(`who leaves a group after ${what} is a member no more`, async (t) => {
    const { scim, path, id, restartWith, seen } = await aMember(t, platform, before, 'Editors')
    assert.deepEqual(seen(), ['Editors'])
    await restartWith(after)
    assert.equal((await scim().put(path, aGroup('Editors', id))).status, 200)
    assert.deepEqual(seen(), ['Editors'])
    assert.equal((await scim().patch(path, removing(id))).status, 204)
    assert.deepEqual(seen(), [])
  })
}

for (const [what, ask] of [
  [
    'who leaves a group that was roles of the mapping',
    (scim: ScimClient, path: string, id: string) => scim.patch(path, removing(id)),
  ],
  ['who was in a deleted group that was roles of the mapping', (scim: ScimClient, path: string) => scim.delete(path)],
] as const) {
  test(`${what}, and is not on the platform yet, loses them`, async (t) => {
    const { scim, path, id, restartWith, seen } = await aMember(t, 'dspace', asGrants, 'Editors')
    assert.deepEqual(seen(), ['Editors'])
    await restartWith(asGroups)
    assert.equal((await ask(scim(), path, id)).status, 204)
    assert.deepEqual(seen(), [])
  })
}

test('who leaves one of two groups loses what an earlier mapping gave for it, also when the other gives what it would give now', async (t) => {
  const sections = (one: string, other: string) =>
    `{ as: grants, grants: [{ group: first, grant: ${one} }, { group: second, grant: ${other} }] }`
  const [reviewing, helping] = ['{ group_id: 110, role_id: 49 }', '{ group_id: 100, role_id: 2 }']
  const { scim, path, id, restartWith, seen } = await aMember(t, 'figshare', sections(reviewing, helping), 'first')
  assert.equal((await scim().post('/Groups', aGroup('second', id))).status, 201)
  assert.deepEqual(seen(), ['100:2', '110:49'])
  await restartWith(sections(helping, helping))
  assert.equal((await scim().patch(path, removing(id))).status, 204)
  assert.deepEqual(seen(), ['100:2'])
})

test('who leaves a group that is a user group of OpenSpecimen now loses the role that an earlier mapping gave for it', async (t) => {
  const roles = '{ as: grants, grants: [{ group: Editors, grant: { role: Coordinator } }] }'
  const { scim, path, id, restartWith, seen } = await aMember(t, 'openspecimen', roles, 'Editors')
  assert.deepEqual(seen(), ['Coordinator'])
  await restartWith('{ as: groups, grants: null }')
  assert.equal((await scim().patch(path, removing(id))).status, 204)
  assert.deepEqual(seen(), [])
})
