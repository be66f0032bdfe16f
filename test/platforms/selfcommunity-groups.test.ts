import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Conflict, Immutable, Refused } from '../../src/errors.ts'
import { selfcommunityWorld, startSelfcommunity } from './selfcommunity-world.ts'
import { aCall, groupsOf } from './world.ts'

const club = { group: 'Reading club' }

async function aCommunity(t: TestContext, options: Parameters<typeof startSelfcommunity>[0] = {}) {
  const world = await startSelfcommunity(options)
  t.after(() => world.close())
  const connection = world.connect({ settings: { communityGroups: true } })
  const ada = await connection.create(aCall(), selfcommunityWorld.person('ada'))
  return { ...world, connection, ada }
}

for (const groupsOfUser of ['array', 'page'] as const) {
  test(`groups of a person are read, where they come as ${groupsOfUser === 'array' ? 'an array' : 'pages'}`, async (t) => {
    const { connection, ada } = await aCommunity(t, { knobs: { groupsOfUser, maxPageSize: 1 } })
    const both = [club, { group: 'Staff room' }]
    assert.deepEqual(await connection.writeGrants(aCall(), ada.id, both, []), both)
  })
}

test('a group that somebody else manages is neither shown nor given', async (t) => {
  const { site, connection, ada } = await aCommunity(t)
  const other = site.addUser({ username: 'other' })
  const group = site.addGroup({ name: 'Gardeners', managedBy: other.id, privacy: 'public' })
  group.members.set(Number(ada.id), 'subscribed')
  assert.deepEqual(await connection.readGrants(aCall(), ada.id), [])
  await assert.rejects(
    connection.writeGrants(aCall(), ada.id, [{ group: 'Gardeners' }], []),
    (error) => error instanceof Refused && /service user manages/.test(error.message),
  )
  await connection.writeGrants(aCall(), ada.id, [], [{ group: 'Gardeners' }])
  assert.equal(group.members.get(Number(ada.id)), 'subscribed')
})

test('no subscription is ever changed without naming whose', async (t) => {
  const { simulator, connection, ada } = await aCommunity(t)
  await connection.writeGrants(aCall(), ada.id, [club], [])
  await connection.writeGrants(aCall(), ada.id, [], [club])
  const changes = simulator.calls.filter(({ method, path }) => method !== 'GET' && path.includes('subscribe'))
  assert.equal(changes.length, 2)
  assert.ok(changes.every(({ path, requestBody }) => `${path} ${requestBody}`.includes(ada.id)))
  for (const id of ['1', '2']) await assert.rejects(connection.writeGrants(aCall(), id, [club], []), Immutable)
})

test('an unknown group leaves the tags as they were, and an unknown tag the groups', async (t) => {
  const { connection, ada } = await aCommunity(t)
  const give = [{ tag: 'staff' }, club]
  for (const unknown of [{ tag: 'nowhere' }, { group: 'Nowhere' }])
    await assert.rejects(connection.writeGrants(aCall(), ada.id, [...give, unknown], []), Refused)
  assert.deepEqual(await connection.readGrants(aCall(), ada.id), [])
})

test('a tag that was deleted while people carried it is not brought back with them', async (t) => {
  const { connection, ada } = await aCommunity(t)
  const groups = groupsOf(connection)
  const tag = await groups.create(aCall(), 'Biology')
  await connection.writeGrants(aCall(), ada.id, [groups.grantOf(tag)], [])
  await groups.remove(aCall(), tag.id)
  await assert.rejects(
    groups.create(aCall(), 'Biology'),
    (error) => error instanceof Conflict && /people still carry it/.test(error.message),
  )
})

test('a tag of another type is no group, and its name is free', async (t) => {
  const { site, connection } = await aCommunity(t)
  const other = site.addTag({ name: 'Biology', type: 'category' })
  const groups = groupsOf(connection)
  assert.equal(await groups.find(aCall(), 'Biology'), undefined)
  assert.equal(await groups.read(aCall(), String(other.id)), undefined)
  assert.notEqual((await groups.create(aCall(), 'Biology')).id, String(other.id))
})
