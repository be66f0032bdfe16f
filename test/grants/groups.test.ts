/** A SCIM group that is a group on the platform, with the choices that a mapping has about it. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { isJsonObject } from '../../src/json.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { emailOf } from '../figshare-bridge.ts'
import { viewStore } from '../full/store-view.ts'
import { eventuallyAfter } from '../long-time.ts'
import { adding, aGroup, grantsSeen, mappingWith, removing } from './grants-world.ts'

interface Options {
  readonly mode?: 'confirmed' | 'deferred'
  /** The mapping's `groups` section, in YAML's flow style. */
  readonly groups?: string
  readonly workMs?: number
}

/** A DSpace, and what an administrator sees of its groups beside those that it has from the start. */
async function aRepository(t: TestContext, { mode, groups, ...options }: Options = {}) {
  const world = await startBridgeWorld((config) => {
    const { connections } = config
    if (!isJsonObject(connections) || !isJsonObject(connections.dspace)) throw new Error('no such connection')
    if (mode !== undefined) connections.dspace.mode = mode
    if (groups !== undefined) connections.dspace.mapping = mappingWith(t, 'dspace', groups)
  }, options)
  t.after(() => world.stop())
  const scim = world.scim('dspace')
  const { state } = world.sandbox.dspace.logic
  const initial = new Set([...state.groups.values()].map(({ name }) => name))
  const names = () => [...state.groups.values()].flatMap(({ name }) => (initial.has(name) ? [] : [name])).toSorted()
  const finished = () =>
    eventually(
      'nothing is pending',
      async () => !(await scim.get('/Users')).text.includes('"state":"pending"'),
      () => world.clock.advance(1_000),
    )
  const aPerson = async () => {
    const user = aUser()
    const { body } = await scim.post('/Users', user)
    return { id: String(body.id), seen: () => grantsSeen(world, 'dspace', emailOf(user)) }
  }
  return { world, scim, state, names, finished, aPerson }
}

test('a pushed group is made on the platform, with its members, before it is answered', async (t) => {
  const { scim, names, aPerson } = await aRepository(t)
  const ada = await aPerson()
  const answer = await scim.post('/Groups', aGroup('Editors', ada.id))
  assert.equal(answer.status, 201, answer.text)
  assert.deepEqual(names(), ['Editors'])
  assert.deepEqual(ada.seen(), ['Editors'])
})

test('a group with exactly this name is taken over, with its members by hand, who stay', async (t) => {
  const { scim, state, names, aPerson } = await aRepository(t)
  const [ada, ben] = [await aPerson(), await aPerson()]
  const there = state.addGroup({ name: 'Editors' })
  const person = [...state.epersons.values()].at(-1)
  assert.ok(person !== undefined)
  state.join(there, person)
  const { body } = await scim.post('/Groups', aGroup('Editors', ada.id, ben.id))
  assert.deepEqual(names(), ['Editors'])
  await scim.patch(`/Groups/${body.id}`, removing(ada.id, ben.id))
  assert.deepEqual([ada.seen(), ben.seen()], [[], ['Editors']])
})

test('the deletion of the last member of a workflow group is done, and the membership that DSpace keeps with a 500 is told', async (t) => {
  const { world, scim, state, aPerson } = await aRepository(t)
  state.addGroup({ name: 'Reviewers', isWorkflow: true, hasTasks: true })
  const ada = await aPerson()
  assert.equal((await scim.post('/Groups', aGroup('Reviewers', ada.id))).status, 201)
  const answer = await scim.delete(`/Users/${ada.id}`)
  assert.equal(answer.status, 204, answer.text)
  assert.deepEqual(ada.seen(), ['Reviewers'])
  assert.equal([...state.epersons.values()].at(-1)?.canLogIn, false)
  assert.ok(world.logLines.some((line) => line.includes('"error":"conflict"')))
})

test('a new name is given to the group on the platform, and its members stay', async (t) => {
  const { world, scim, names, aPerson } = await aRepository(t)
  const ada = await aPerson()
  const { body } = await scim.post('/Groups', aGroup('Editors', ada.id))
  world.sandbox.dspace.forgetCalls()
  const rename = [{ op: 'Replace', path: 'displayName', value: 'Chief editors' }]
  assert.equal((await scim.patch(`/Groups/${body.id}`, rename)).status, 204)
  assert.deepEqual(names(), ['Chief editors'])
  assert.deepEqual(ada.seen(), ['Chief editors'])
  assert.equal(world.sandbox.dspace.calls.filter(({ path }) => path.includes('/epersons')).length, 0)
  assert.equal((await scim.patch(`/Groups/${body.id}`, removing(ada.id))).status, 204)
  assert.deepEqual(ada.seen(), [])
})

test('a name that the platform refuses is a 4xx, and the group keeps its old one in SCIM, too', async (t) => {
  const { scim, state } = await aRepository(t)
  state.addGroup({ name: 'Taken' })
  const { body } = await scim.post('/Groups', aGroup('Editors'))
  const answer = await scim.patch(`/Groups/${body.id}`, [{ op: 'replace', path: 'displayName', value: 'Taken' }])
  assert.deepEqual([answer.status, answer.body.scimType], [409, 'uniqueness'], answer.text)
  assert.equal((await scim.get(`/Groups/${body.id}`)).body.displayName, 'Editors')
})

test('a PUT whose new name the platform refuses changes no members either', async (t) => {
  const { world, scim, state, aPerson } = await aRepository(t)
  const [ada, ben] = [await aPerson(), await aPerson()]
  state.addGroup({ name: 'Taken' })
  const { body } = await scim.post('/Groups', aGroup('Editors', ada.id))
  assert.equal((await scim.put(`/Groups/${body.id}`, aGroup('Taken', ben.id))).status, 409)
  const { displayName, members } = (await scim.get(`/Groups/${body.id}`)).body
  assert.deepEqual([displayName, members.map(({ value }: { value: string }) => value)], ['Editors', [ada.id]])
  await eventually(
    'nothing is left to do',
    () => viewStore(world.directory, 'dspace').operations.length === 0,
    () => world.clock.advance(1_000),
  )
  assert.deepEqual([ada.seen(), ben.seen()], [['Editors'], []])
})

test('who is changed while a new name is being refused holds what the members of before hold', async (t) => {
  const { world, scim, state, aPerson } = await aRepository(t)
  const [ada, ben] = [await aPerson(), await aPerson()]
  state.addGroup({ name: 'Taken' })
  const { body } = await scim.post('/Groups', aGroup('Editors', ada.id))
  world.sandbox.dspace.fault({ mode: 'slow', delayMs: 60_000, path: '/api/eperson/groups', times: 1 })
  const renaming = scim.put(`/Groups/${body.id}`, aGroup('Taken', ben.id)).then(({ status }) => status)
  await eventually('it is being given', () => world.sandbox.dspace.faultCount === 1)
  for (const { id } of [ada, ben]) {
    const edit = [{ op: 'replace', path: 'name.familyName', value: 'King' }]
    assert.equal((await scim.patch(`/Users/${id}`, edit)).status, 200)
  }
  world.sandbox.dspace.fault({ mode: 'ok' })
  assert.equal(await renaming, 409)
  await eventually(
    'nothing is left to do',
    () => viewStore(world.directory, 'dspace').operations.length === 0,
    () => world.clock.advance(1_000),
  )
  assert.deepEqual([ada.seen(), ben.seen()], [['Editors'], []])
})

test('a refused new name brings back the members of before who are there still', async (t) => {
  const { world, scim, state, aPerson } = await aRepository(t)
  const [ada, ben, cleo] = [await aPerson(), await aPerson(), await aPerson()]
  state.addGroup({ name: 'Taken' })
  const { body } = await scim.post('/Groups', aGroup('Editors', ada.id, cleo.id))
  world.sandbox.dspace.fault({ mode: 'slow', delayMs: 60_000, path: '/api/eperson/groups', times: 1 })
  const renaming = scim.put(`/Groups/${body.id}`, aGroup('Taken', ben.id)).then(({ status }) => status)
  await eventually('it is being given', () => world.sandbox.dspace.faultCount === 1)
  assert.equal((await scim.delete(`/Users/${cleo.id}`)).status, 204)
  world.sandbox.dspace.fault({ mode: 'ok' })
  assert.equal(await renaming, 409)
  const { displayName, members } = (await scim.get(`/Groups/${body.id}`)).body
  assert.deepEqual([displayName, members.map(({ value }: { value: string }) => value)], ['Editors', [ada.id]])
})

test('who is added while a new name waits, and is refused, comes into the group all the same', async (t) => {
  const { world, scim, state, names, aPerson } = await aRepository(t)
  const ada = await aPerson()
  state.addGroup({ name: 'Taken' })
  const { body } = await scim.post('/Groups', aGroup('Editors'))
  const rename = () => scim.patch(`/Groups/${body.id}`, [{ op: 'Replace', path: 'displayName', value: 'Taken' }])
  world.sandbox.dspace.fault({ mode: 'down' })
  assert.equal((await rename()).status, 429)
  world.sandbox.dspace.fault({ mode: 'ok' })
  const added = await scim.patch(`/Groups/${body.id}`, adding(ada.id))
  assert.equal(added.status, 204, added.text)
  assert.deepEqual([names(), ada.seen()], [['Editors', 'Taken'], ['Editors']])
  // The name is refused to whoever asks for it, with members or without.
  const named = [{ op: 'Replace', path: 'displayName', value: 'Taken' }, ...adding(ada.id)]
  assert.equal((await scim.patch(`/Groups/${body.id}`, named)).status, 409)
  assert.equal((await rename()).status, 409)
  const { displayName, members } = (await scim.get(`/Groups/${body.id}`)).body
  assert.deepEqual([displayName, members.map(({ value }: { value: string }) => value)], ['Editors', [ada.id]])
})

test('a new name whose answer was lost is taken back when the next one is refused', async (t) => {
  const { world, scim, state, names } = await aRepository(t)
  state.addGroup({ name: 'Taken' })
  const { body } = await scim.post('/Groups', aGroup('Editors'))
  const rename = (value: string) =>
    scim.patch(`/Groups/${body.id}`, [{ op: 'Replace', path: 'displayName', value }]).then(({ status }) => status)
  world.sandbox.dspace.fault({ mode: 'lost', only: 'writes' })
  assert.equal(await rename('Chief editors'), 429)
  assert.deepEqual(names(), ['Chief editors', 'Taken'])
  world.sandbox.dspace.fault({ mode: 'ok' })
  assert.equal(await rename('Taken'), 409)
  assert.equal((await scim.get(`/Groups/${body.id}`)).body.displayName, 'Editors')
  await eventually(
    'nothing is left to do',
    () => viewStore(world.directory, 'dspace').operations.length === 0,
    () => world.clock.advance(1_000),
  )
  assert.deepEqual(names(), ['Editors', 'Taken'])
})

test('a new name that is refused while another one is being given goes back to that one', async (t) => {
  const { world, scim, state, names } = await aRepository(t)
  state.addGroup({ name: 'Taken' })
  const { body } = await scim.post('/Groups', aGroup('Editors'))
  const displayName = async () => (await scim.get(`/Groups/${body.id}`)).body.displayName
  const rename = (value: string) =>
    scim.patch(`/Groups/${body.id}`, [{ op: 'Replace', path: 'displayName', value }]).then(({ status }) => status)
  world.sandbox.dspace.fault({ mode: 'slow', delayMs: 60_000, only: 'writes', times: 1 })
  const first = rename('Chief editors')
  await eventually('it is being given', () => world.sandbox.dspace.faultCount === 1)
  const second = rename('Taken')
  await eventually('the next is accepted', async () => (await displayName()) === 'Taken')
  world.sandbox.dspace.fault({ mode: 'ok' })
  assert.deepEqual([await first, await second], [204, 409])
  assert.equal(await displayName(), 'Chief editors')
  await eventually(
    'nothing is left to do',
    () => viewStore(world.directory, 'dspace').operations.length === 0,
    () => world.clock.advance(1_000),
  )
  assert.deepEqual(names(), ['Chief editors', 'Taken'])
})

test('a new name that the platform answers with a page again and again is kept, and given with the next push', async (t) => {
  const { world, scim, names, aPerson } = await aRepository(t)
  const ada = await aPerson()
  const { body } = await scim.post('/Groups', aGroup('Editors', ada.id))
  const page = { contentType: 'text/html', body: '<!DOCTYPE html><title>Sign in</title>' }
  world.sandbox.dspace.fault({ mode: 'answer', only: 'writes', path: '/api/eperson/groups', ...page })
  const rename = () => scim.put(`/Groups/${body.id}`, aGroup('Chief editors', ada.id))
  for (let attempt = 1; attempt < 3; attempt += 1) assert.equal((await rename()).status, 429)
  const last = await rename()
  assert.ok(world.sandbox.dspace.faultCount > 0)
  assert.equal(last.status, 500, last.text)
  assert.match(
    last.body.detail,
    /^The platform .* again and again\. What is not done is kept for the bridge's operator\./,
  )
  assert.equal((await scim.get(`/Groups/${body.id}`)).body.displayName, 'Chief editors')
  assert.deepEqual(names(), ['Editors'])
  world.sandbox.dspace.fault({ mode: 'ok' })
  assert.equal((await rename()).status, 200)
  assert.deepEqual(names(), ['Chief editors'])
  assert.deepEqual(ada.seen(), ['Chief editors'])
})

test('a protected group is refused, by the mapping and by the platform, and nothing is stored', async (t) => {
  const { scim, state } = await aRepository(t)
  state.addGroup({ name: 'COLLECTION_1_ADMIN', object: { uuid: crypto.randomUUID(), name: 'c', type: 'collection' } })
  for (const name of ['Administrator', 'COLLECTION_1_ADMIN']) {
    const answer = await scim.post('/Groups', aGroup(name))
    assert.deepEqual([answer.status, answer.body.scimType], [400, 'mutability'], answer.text)
  }
  assert.equal((await scim.get('/Groups')).body.totalResults, 0)
})

test('rename: refuse, create: false and adopt: never are 4xx that say which line of the mapping it is', async (t) => {
  const { scim, state, names } = await aRepository(t, { groups: '{ as: groups, create: false, rename: refuse }' })
  const none = await scim.post('/Groups', aGroup('Editors'))
  assert.deepEqual([none.status, none.body.scimType], [400, 'mutability'])
  assert.match(none.body.detail, /groups\.create: false/)
  state.addGroup({ name: 'Editors' })
  const { status, body } = await scim.post('/Groups', aGroup('Editors'))
  assert.equal(status, 201)
  const renamed = await scim.patch(`/Groups/${body.id}`, [{ op: 'replace', path: 'displayName', value: 'Others' }])
  assert.match(renamed.body.detail, /groups\.rename: refuse/)
  assert.deepEqual(names(), ['Editors'])

  const never = await aRepository(t, { groups: '{ as: groups, adopt: never }' })
  never.state.addGroup({ name: 'Editors' })
  const answer = await never.scim.post('/Groups', aGroup('Editors'))
  assert.equal(answer.status, 409)
  assert.match(answer.body.detail, /groups\.adopt: never/)
})

test('a deleted group lets go of its members; the group itself stays, as delete: release says', async (t) => {
  const { scim, names, aPerson } = await aRepository(t)
  const ada = await aPerson()
  const { body } = await scim.post('/Groups', aGroup('Editors', ada.id))
  assert.equal((await scim.delete(`/Groups/${body.id}`)).status, 204)
  assert.deepEqual([names(), ada.seen()], [['Editors'], []])
})

test('delete: delete ends the groups that the bridge has made, and no others', async (t) => {
  const { scim, state, names } = await aRepository(t, { groups: '{ as: groups, delete: delete }' })
  state.addGroup({ name: 'Old' })
  const made = await scim.post('/Groups', aGroup('New'))
  const adopted = await scim.post('/Groups', aGroup('Old'))
  assert.deepEqual(names(), ['New', 'Old'])
  assert.equal((await scim.delete(`/Groups/${made.body.id}`)).status, 204)
  assert.equal((await scim.delete(`/Groups/${adopted.body.id}`)).status, 204)
  assert.deepEqual(names(), ['Old'])
})

test('a group pushed while the platform is away is 429 and not seen; the repetition joins it, and it is made once', async (t) => {
  const { world, scim, names, aPerson } = await aRepository(t)
  const ada = await aPerson()
  world.sandbox.dspace.fault({ mode: 'down' })
  for (let count = 0; count < 2; count += 1) {
    assert.equal((await scim.post('/Groups', aGroup('Editors', ada.id))).status, 429)
    assert.equal((await scim.get('/Groups')).body.totalResults, 0)
  }
  world.sandbox.dspace.fault({ mode: 'ok' })
  await eventually(
    'the group is made',
    () => names().includes('Editors'),
    () => world.clock.advance(1_000),
  )
  await eventually(
    'and has its member',
    () => ada.seen().includes('Editors'),
    () => world.clock.advance(1_000),
  )
  assert.deepEqual(names(), ['Editors'])
  assert.equal((await scim.get('/Groups')).body.totalResults, 1)
})

test("a group whose making was not answered is found, and is the bridge's own to end", async (t) => {
  const { world, scim, names } = await aRepository(t, { groups: '{ as: groups, delete: delete, adopt: never }' })
  world.sandbox.dspace.fault({ mode: 'lost', path: '/api/eperson/groups' })
  assert.equal((await scim.post('/Groups', aGroup('Editors'))).status, 429)
  world.sandbox.dspace.fault({ mode: 'ok' })
  const seen = async () => (await scim.get('/Groups')).body.totalResults === 1
  await eventually('the group is seen', seen, () => world.clock.advance(1_000))
  const { body } = await scim.get('/Groups')
  assert.equal((await scim.delete(`/Groups/${body.Resources[0].id}`)).status, 204)
  assert.deepEqual(names(), [])
})

for (const [adopt, status, made] of [
  ['never', 409, []],
  ['by_name', 201, ['Editors']],
] as const) {
  test(`a group made by hand whose search was not answered once is not taken for the bridge's own (adopt: ${adopt})`, async (t) => {
    const { world, scim, state, names, aPerson } = await aRepository(t, {
      groups: `{ as: groups, delete: delete, adopt: ${adopt} }`,
    })
    await aPerson()
    const there = state.addGroup({ name: 'Editors' })
    const person = [...state.epersons.values()].at(-1)
    assert.ok(person !== undefined)
    state.join(there, person)
    world.sandbox.dspace.fault({ mode: '503', only: 'reads', path: '/api/eperson/groups', times: 1 })
    assert.equal((await scim.post('/Groups', aGroup('Editors'))).status, 429)
    const again = await scim.post('/Groups', aGroup('Editors'))
    assert.equal(again.status, status, again.text)
    assert.deepEqual(
      (await scim.get('/Groups')).body.Resources?.map((group: { displayName: string }) => group.displayName) ?? [],
      made,
    )
    if (status === 201) assert.equal((await scim.delete(`/Groups/${again.body.id}`)).status, 204)
    assert.deepEqual(names(), ['Editors'])
  })
}

test('a group that cannot be made for 30 days waits for an operator', async (t) => {
  const { world, scim } = await aRepository(t, { mode: 'deferred' })
  world.sandbox.dspace.fault({ mode: '429', only: 'writes' })
  assert.equal((await scim.post('/Groups', aGroup('Editors'))).status, 201)
  const state = () => viewStore(world.directory, 'dspace').operations[0]?.state
  const start = world.clock.now()
  await eventuallyAfter(24 * 3_600_000, world, 'it is put aside', () => state() === 'failed')
  assert.ok(world.clock.now() - start >= 30 * 86_400_000)
})

test('a membership that is given again before its end was confirmed is given', async (t) => {
  const { world, scim, aPerson } = await aRepository(t)
  const ada = await aPerson()
  const { body } = await scim.post('/Groups', aGroup('Editors', ada.id))
  world.sandbox.dspace.fault({ mode: 'lost', only: 'writes' })
  assert.equal((await scim.patch(`/Groups/${body.id}`, removing(ada.id))).status, 429)
  assert.deepEqual(ada.seen(), [])
  world.sandbox.dspace.fault({ mode: 'ok' })
  assert.equal((await scim.patch(`/Groups/${body.id}`, adding(ada.id))).status, 204)
  assert.deepEqual(ada.seen(), ['Editors'])
})

test('deferred: a group that is deleted before its making was answered is ended, too', async (t) => {
  const { world, scim, names } = await aRepository(t, { mode: 'deferred', groups: '{ as: groups, delete: delete }' })
  const { dspace } = world.sandbox
  dspace.fault({ mode: 'lost', path: '/api/eperson/groups' })
  const { body } = await scim.post('/Groups', aGroup('Editors'))
  await eventually('the answer is lost', () => dspace.faultCount > 0 && names().length === 1)
  assert.equal((await scim.delete(`/Groups/${body.id}`)).status, 204)
  dspace.fault({ mode: 'ok' })
  await eventually(
    'the group is ended',
    () => names().length === 0,
    () => world.clock.advance(1_000),
  )
})

test("deferred: a new name that came while the making was not answered makes nobody else's group ours", async (t) => {
  const groups = '{ as: groups, delete: delete, adopt: never }'
  const { world, scim, state, names } = await aRepository(t, { mode: 'deferred', groups, workMs: 1_000 })
  const { dspace } = world.sandbox
  state.addGroup({ name: 'Chief editors' })
  dspace.fault({ mode: 'hang-after', only: 'writes', path: '/api/eperson/groups', times: 1 })
  const { body } = await scim.post('/Groups', aGroup('Editors'))
  await eventually('it is made and not answered', () => dspace.faultCount > 0 && names().includes('Editors'))
  const rename = [{ op: 'Replace', path: 'displayName', value: 'Chief editors' }]
  assert.equal((await scim.patch(`/Groups/${body.id}`, rename)).status, 204)
  const operation = () => viewStore(world.directory, 'dspace').operations[0]
  const isUnanswered = () => world.logLines.some((line) => line.includes('did not succeed'))
  await eventually('the answer is given up', isUnanswered)
  dspace.fault({ mode: 'ok' })
  await eventually(
    'the new name is refused',
    () => operation()?.state === 'failed',
    () => world.clock.advance(1_000),
  )
  assert.equal((await scim.delete(`/Groups/${body.id}`)).status, 204)
  await eventually(
    'nothing is left to do',
    () => operation() === undefined,
    () => world.clock.advance(1_000),
  )
  assert.ok(names().includes('Chief editors'))
})

test('a member leaves a group that somebody gave another name on the platform', async (t) => {
  const { scim, state, aPerson } = await aRepository(t)
  const [ada, ben] = [await aPerson(), await aPerson()]
  const { body } = await scim.post('/Groups', aGroup('Editors', ada.id, ben.id))
  const there = state.byName('Editors')
  assert.ok(there !== undefined)
  there.name = 'Editors (old)'
  assert.equal((await scim.patch(`/Groups/${body.id}`, removing(ada.id))).status, 204)
  assert.deepEqual([ada.seen(), ben.seen()], [[], ['Editors (old)']])
})

test('a user who is deleted while a group with them is being made is deleted when that is answered', async (t) => {
  const { world, scim, aPerson } = await aRepository(t)
  const ada = await aPerson()
  const { dspace } = world.sandbox
  dspace.fault({ mode: 'slow', delayMs: 60_000, only: 'writes' })
  const making = scim.post('/Groups', aGroup('Editors', ada.id)).then(({ status }) => status)
  await eventually('the group is being made', () => dspace.faultCount === 1)
  const deleting = scim.delete(`/Users/${ada.id}`).then(({ status }) => status)
  await eventually('and the user deleted', () => dspace.faultCount === 2)
  dspace.fault({ mode: 'slow', delayMs: 60_000, only: 'reads', path: '/api/eperson/epersons' })
  const isMade = () => viewStore(world.directory, 'dspace').groups.some(({ isVisible }) => isVisible)
  await eventually('the group is there', isMade)
  dspace.fault({ mode: 'ok' })
  assert.equal(await deleting, 204)
  assert.deepEqual(viewStore(world.directory, 'dspace').operations, [])
  assert.equal(await making, 201)
})

test('deferred: a group and its members are answered at once, and made in that order', async (t) => {
  const { world, scim, names, finished, aPerson } = await aRepository(t, { mode: 'deferred' })
  const ada = await aPerson()
  const { status, body } = await scim.post('/Groups', aGroup('Editors', ada.id))
  assert.equal(status, 201)
  const ben = await aPerson()
  assert.equal((await scim.patch(`/Groups/${body.id}`, adding(ben.id))).status, 204)
  await finished()
  await eventually(
    'both are members',
    () => ada.seen().length + ben.seen().length === 2,
    () => world.clock.advance(1_000),
  )
  assert.deepEqual([names(), ada.seen(), ben.seen()], [['Editors'], ['Editors'], ['Editors']])
})

test('a group deleted in SCIM and pushed again under its name is another group with the same people', async (t) => {
  const { scim, names, aPerson } = await aRepository(t, { groups: '{ as: groups, delete: delete }' })
  const ada = await aPerson()
  const first = await scim.post('/Groups', aGroup('Editors', ada.id))
  await scim.delete(`/Groups/${first.body.id}`)
  const second = await scim.post('/Groups', aGroup('Editors', ada.id))
  assert.equal(second.status, 201, second.text)
  assert.notEqual(second.body.id, first.body.id)
  assert.deepEqual([names(), ada.seen()], [['Editors'], ['Editors']])
})
