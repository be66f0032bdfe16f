/** A SCIM group whose group on the platform somebody has removed by hand. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { isJsonObject } from '../../src/json.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { emailOf } from '../figshare-bridge.ts'
import { viewStore } from '../full/store-view.ts'
import { adding, aGroup, grantsSeen, mappingWith, removing } from './grants-world.ts'

interface Options {
  readonly mode?: 'confirmed' | 'deferred'
  /** The mapping's `groups` section, in YAML's flow style. */
  readonly groups?: string
  /** It was on the platform before it was pushed. */
  readonly isByHand?: boolean
}

/** Ada is in a pushed group, which is gone from DSpace; Ben is to come into it. */
async function aGroupGone(t: TestContext, { mode, groups, isByHand = false }: Options = {}) {
  const world = await startBridgeWorld((config) => {
    const { connections } = config
    if (!isJsonObject(connections) || !isJsonObject(connections.dspace)) throw new Error('no such connection')
    if (mode !== undefined) connections.dspace.mode = mode
    if (groups !== undefined) connections.dspace.mapping = mappingWith(t, 'dspace', groups)
  })
  t.after(() => world.stop())
  const scim = world.scim('dspace')
  const { state } = world.sandbox.dspace.logic
  const aPerson = async () => {
    const user = aUser()
    const { body } = await scim.post('/Users', user)
    return { id: String(body.id), seen: () => grantsSeen(world, 'dspace', emailOf(user)) }
  }
  const finished = () =>
    eventually(
      'nothing is left to do',
      () => viewStore(world.directory, 'dspace').operations.length === 0,
      () => world.clock.advance(1_000),
    )
  const named = (name: string) => [...state.groups.values()].filter((group) => group.name === name)
  const [ada, ben] = [await aPerson(), await aPerson()]
  await finished()
  if (isByHand) state.addGroup({ name: 'Editors' })
  const path = `/Groups/${(await scim.post('/Groups', aGroup('Editors', ada.id))).body.id}`
  await finished()
  assert.deepEqual(ada.seen(), ['Editors'])
  for (const group of named('Editors')) state.removeGroup(group)
  return { world, scim, state, path, ada, ben, named, finished }
}

test('a new name makes the group again, and its members are in it before that is answered', async (t) => {
  const { scim, path, ada, named } = await aGroupGone(t)
  const rename = [{ op: 'replace', path: 'displayName', value: 'Chief editors' }]
  const answer = await scim.patch(path, rename)
  assert.equal(answer.status, 204, answer.text)
  assert.equal(named('Chief editors').length, 1)
  assert.deepEqual(ada.seen(), ['Chief editors'])
  assert.equal((await scim.patch(path, removing(ada.id))).status, 204)
  assert.deepEqual(ada.seen(), [])
})

test("one that is made again, and whose making was not answered, is found and is the bridge's own", async (t) => {
  const { world, scim, path, ada, named } = await aGroupGone(t, {
    groups: '{ as: groups, adopt: never, delete: delete }',
  })
  const rename = [{ op: 'replace', path: 'displayName', value: 'Chief editors' }]
  world.sandbox.dspace.fault({ mode: 'lost', path: '/api/eperson/groups' })
  assert.equal((await scim.patch(path, rename)).status, 429)
  assert.equal(named('Chief editors').length, 1)
  world.sandbox.dspace.fault({ mode: 'ok' })
  const again = await scim.patch(path, rename)
  assert.equal(again.status, 204, again.text)
  assert.deepEqual(ada.seen(), ['Chief editors'])
  assert.equal((await scim.delete(path)).status, 204)
  assert.deepEqual(named('Chief editors'), [])
})

test('who is added is 429 while the group is made again, and is in it with everybody else afterwards', async (t) => {
  const { scim, path, ada, ben, named, finished } = await aGroupGone(t)
  const first = await scim.patch(path, adding(ben.id))
  assert.equal(first.status, 429, first.text)
  const again = await scim.patch(path, adding(ben.id))
  assert.equal(again.status, 204, again.text)
  assert.deepEqual(ben.seen(), ['Editors'])
  await finished()
  assert.equal(named('Editors').length, 1)
  assert.deepEqual(ada.seen(), ['Editors'])
})

test('deferred: the group is made again by itself for who is added, and everybody is in it', async (t) => {
  const { scim, path, ada, ben, finished } = await aGroupGone(t, { mode: 'deferred' })
  assert.equal((await scim.patch(path, adding(ben.id))).status, 204)
  await finished()
  assert.deepEqual([ada.seen(), ben.seen()], [['Editors'], ['Editors']])
})

test('one that somebody has made again by hand is taken over, with who is in it by hand', async (t) => {
  const { scim, state, path, ada, ben, finished } = await aGroupGone(t)
  const byHand = state.addGroup({ name: 'Editors' })
  const [adasAccount] = [...state.epersons.values()].slice(-2)
  assert.ok(adasAccount !== undefined)
  state.join(byHand, adasAccount)
  await scim.patch(path, adding(ben.id))
  await finished()
  assert.deepEqual([ada.seen(), ben.seen()], [['Editors'], ['Editors']])
  assert.equal((await scim.patch(path, removing(ada.id, ben.id))).status, 204)
  assert.deepEqual([ada.seen(), ben.seen()], [['Editors'], []])
})

for (const [choice, isByHand] of [
  ['create: false', true],
  ['adopt: never', false],
] as const) {
  test(`${choice} leaves it to a person: who is added is refused, and is told what to do`, async (t) => {
    const gone = await aGroupGone(t, { groups: `{ as: groups, ${choice} }`, isByHand })
    const { scim, state, path, ada, ben, finished } = gone
    if (!isByHand) state.addGroup({ name: 'Editors' })
    const answer = await scim.patch(path, adding(ben.id))
    assert.equal(answer.status, 400, answer.text)
    assert.match(answer.text, /make it first/)
    const { members } = (await scim.get(path)).body
    assert.deepEqual(
      members.map(({ value }: { value: string }) => value),
      [ada.id],
    )
    await finished()
    assert.deepEqual(ben.seen(), [])
  })
}

test('create: false: one that a person has made again is taken over when somebody is added', async (t) => {
  const { scim, state, path, ada, ben, finished } = await aGroupGone(t, {
    groups: '{ as: groups, create: false }',
    isByHand: true,
  })
  assert.equal((await scim.patch(path, adding(ben.id))).status, 400)
  state.addGroup({ name: 'Editors' })
  assert.equal((await scim.patch(path, adding(ben.id))).status, 429)
  await finished()
  assert.equal((await scim.patch(path, adding(ben.id))).status, 204)
  assert.deepEqual([ada.seen(), ben.seen()], [['Editors'], ['Editors']])
})
