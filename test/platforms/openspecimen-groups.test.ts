import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Immutable, Refused } from '../../src/errors.ts'
import type { Grant } from '../../src/facts.ts'
import { openspecimenWorld, startOpenspecimen } from './openspecimen-world.ts'
import { aCall, groupsOf } from './world.ts'

const userGroups = { institute: 'Example Hospital', description: 'From the directory' }

async function aServer(t: TestContext, options: Parameters<typeof startOpenspecimen>[0] = {}) {
  const world = await startOpenspecimen(options)
  t.after(() => world.close())
  const connection = world.connect({ settings: { userGroups } })
  const ada = await connection.create(aCall(), openspecimenWorld.person('ada'))
  return { ...world, connection, ada }
}

test('a new group gets the institute and the description of the settings', async (t) => {
  const { simulator, connection } = await aServer(t)
  await groupsOf(connection).create(aCall(), 'Curators')
  const body = simulator.calls.findLast(
    ({ method, path }) => method === 'POST' && path.endsWith('/user-groups'),
  )?.requestBody
  assert.deepEqual(JSON.parse(String(body)), { name: 'Curators', ...userGroups })
})

test('without an institute in the settings nothing is made, and the refusal says what to set', async (t) => {
  const world = await startOpenspecimen()
  t.after(() => world.close())
  await assert.rejects(
    groupsOf(world.connect()).create(aCall(), 'Curators'),
    (error) => error instanceof Refused && /settings\.userGroups\.institute/.test(error.message),
  )
})

for (const groupInstituteCode of ['USER_GROUP_USER_NOT_OF_INST', 'USER_GROUP_USER_NOT_OF_INSTITUTE'] as const) {
  test(`a person of another institute is refused (${groupInstituteCode}), and joins nothing else`, async (t) => {
    const { site, connection, ada } = await aServer(t, { knobs: { groupInstituteCode } })
    site.addGroup({ name: 'Elsewhere', institute: 'Example University' })
    await assert.rejects(
      connection.writeGrants(aCall(), ada.id, [{ group: 'Biobankers' }, { group: 'Elsewhere' }], []),
      (error) => error instanceof Refused && /only people of its own institute/.test(error.message),
    )
    assert.deepEqual(await connection.readGrants(aCall(), ada.id), [])
  })
}

test('an unknown role leaves no group joined', async (t) => {
  const { connection, ada } = await aServer(t)
  const give: Grant[] = [{ group: 'Biobankers' }, { role: 'Nobody' }]
  await assert.rejects(connection.writeGrants(aCall(), ada.id, give, []), Refused)
  assert.deepEqual(await connection.readGrants(aCall(), ada.id), [])
})

test('roles and groups are held side by side, and each is taken alone', async (t) => {
  const { connection, ada } = await aServer(t)
  const { one } = openspecimenWorld.grants
  const group = { group: 'Biobankers' }
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [one, group], []), [one, group])
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [], [one]), [group])
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [one], [group]), [one])
})

test('a group that was renamed in letter case only is left, and joined again', async (t) => {
  const { site, connection, ada } = await aServer(t)
  const group = { group: 'Biobankers' }
  await connection.writeGrants(aCall(), ada.id, [group], [])
  const stored = [...site.groups.values()].find(({ name }) => name === 'Biobankers')
  assert.ok(stored)
  stored.name = 'BioBankers'
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [], [group]), [])
  assert.equal(stored.users.size, 0)
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [group], []), [{ group: 'BioBankers' }])
})

test('of two groups whose names differ in letter case only, the one with the very name is meant', async (t) => {
  const { site, connection, ada } = await aServer(t, { knobs: { database: 'oracle' } })
  site.addGroup({ name: 'biobankers', institute: 'Example Hospital' })
  const group = { group: 'Biobankers' }
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [group], []), [group])
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [], [group]), [])
})

test('the service account joins no group', async (t) => {
  const { site, connection } = await aServer(t)
  const own = String(site.serviceUser.id)
  await assert.rejects(connection.writeGrants(aCall(), own, [{ group: 'Biobankers' }], []), Immutable)
})

test('a page of people costs one look at each group, and a write shows at once', async (t) => {
  const { simulator, site, connection, ada } = await aServer(t)
  const ben = await connection.create(aCall(), openspecimenWorld.person('ben'))
  for (const name of ['Curators', 'Readers']) site.addGroup({ name, institute: 'Example Hospital' })
  const give = [{ group: 'Curators' }, { group: 'Readers' }]
  for (const { id } of [ada, ben]) await connection.writeGrants(aCall(), id, give, [])
  simulator.forgetCalls()
  const call = aCall()
  const namesOf = async (id: string) => (await groupsOf(connection).heldBy(call, id)).map(({ name }) => name)
  for (const { id } of [ada, ben]) assert.deepEqual(await namesOf(id), ['Curators', 'Readers'])
  const looks = simulator.calls.filter(({ path }) => /\/user-groups\/\d+\?/.test(path))
  assert.equal(looks.length, 2)
  await connection.writeGrants(call, ben.id, [], [{ group: 'Readers' }])
  assert.deepEqual([await namesOf(ada.id), await namesOf(ben.id)], [['Curators', 'Readers'], ['Curators']])
})

test('who moves to another institute leaves the user groups of the one before, which can be renamed then', async (t) => {
  const { site, connection, ada } = await aServer(t)
  const { id } = site.addGroup({ name: 'Curators', institute: 'Example Hospital' })
  await connection.writeGrants(aCall(), ada.id, [{ group: 'Biobankers' }, { group: 'Curators' }], [])
  const move = new Map([['instituteName', 'Example University']])
  await assert.rejects(connection.update(aCall(), ada, move), Refused)
  assert.equal((await connection.readGrants(aCall(), ada.id)).length, 2, 'a refused move changes nothing')
  await connection.update(aCall(), ada, new Map([...move, ['primarySite', 'University Biobank']]))
  assert.deepEqual(await connection.readGrants(aCall(), ada.id), [])
  assert.equal((await groupsOf(connection).rename(aCall(), String(id), 'Keepers')).name, 'Keepers')
})
