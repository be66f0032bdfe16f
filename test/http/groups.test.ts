/** Groups as Okta and Entra use them. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Json, JsonObject } from '../../src/json.ts'
import { groupUrn } from '../../src/scim/attribute.ts'
import { aUser, type BridgeWorld, type ScimClient, startBridgeWorld } from '../bridge-world.ts'

let world: BridgeWorld
let scim: ScimClient
/** Ids of three people who are there from the start. */
const people: string[] = []
before(async () => {
  world = await startBridgeWorld()
  scim = world.scim('dspace')
  for (let count = 0; count < 3; count += 1) people.push((await scim.post('/Users', aUser())).body.id)
})
after(() => world.stop())

const [ada, ben, cleo] = [0, 1, 2].map((index) => () => people[index] ?? '') as [
  () => string,
  () => string,
  () => string,
]
let counter = 0
const aGroup = (more: JsonObject = {}): JsonObject => {
  counter += 1
  return { schemas: [groupUrn], displayName: `Readers ${counter}`, ...more }
}
let group: JsonObject
let path = ''
beforeEach(async () => {
  const { status, body } = await scim.post('/Groups', aGroup({ members: [{ value: ada() }, { value: ben() }] }))
  assert.equal(status, 201)
  group = body
  path = `/Groups/${body.id}`
})

async function membersOf(target = path): Promise<string[]> {
  const { body } = await scim.get(target)
  return (body.members ?? []).map((member: JsonObject) => member.value).sort()
}
const are = (...ids: string[]) => ids.toSorted()
const search = (filter: string, more = '') => scim.get(`/Groups?filter=${encodeURIComponent(filter)}${more}`)

test('a new group answers 201 with Location, version and its members by name and address', async () => {
  const answer = await scim.post(
    '/Groups',
    aGroup({ externalId: 'g-1', members: [{ value: ada(), display: 'Somebody else' }] }),
  )
  assert.equal(answer.status, 201, answer.text)
  assert.equal(answer.headers.location, answer.body.meta.location)
  assert.equal(answer.headers.etag, answer.body.meta.version)
  assert.deepEqual(Object.keys(answer.body).sort(), ['displayName', 'externalId', 'id', 'members', 'meta', 'schemas'])
  const user = (await scim.get(`/Users/${ada()}`)).body
  assert.deepEqual(answer.body.members, [
    { value: ada(), $ref: user.meta.location, display: answer.body.members[0].display, type: 'User' },
  ])
  assert.ok([user.displayName, user.userName].includes(answer.body.members[0].display))
})

test('members come as objects, bare ids and twice, and each is a member once', async () => {
  const members: Json[] = [ada(), { value: ada() }, { VALUE: ben(), $ref: null }, ben()]
  const { body } = await scim.post('/Groups', aGroup({ members }))
  assert.deepEqual(await membersOf(`/Groups/${body.id}`), are(ada(), ben()))
  await scim.patch(path, [{ op: 'Add', path: 'members', value: [cleo(), { $ref: null, value: cleo() }] }])
  await scim.patch(path, [{ op: 'add', value: { members: cleo() } }])
  assert.deepEqual(await membersOf(), are(ada(), ben(), cleo()))
})

test('a member that is nobody, a group or of another connection is 400, and nothing of the request is done', async () => {
  const stranger = (await world.scim('figshare').post('/Users', aUser())).body.id
  for (const value of ['nobody', stranger, group.id]) {
    const created = aGroup({ members: [{ value: ada() }, { value }] })
    const answer = await scim.post('/Groups', created)
    assert.deepEqual([answer.status, answer.body.scimType], [400, 'invalidValue'], answer.text)
    assert.equal((await search(`displayName eq "${created.displayName}"`)).body.totalResults, 0)
    const patched = await scim.patch(path, [
      { op: 'replace', path: 'displayName', value: 'Half done' },
      { op: 'add', path: 'members', value: [{ value: cleo() }, { value }] },
    ])
    assert.equal(patched.status, 400)
    const replaced = await scim.put(path, aGroup({ members: [{ value }] }))
    assert.equal(replaced.status, 400)
  }
  assert.deepEqual((await scim.get(path)).body, group)
})

test('excludedAttributes=members leaves the members out, of one group and of a list', async () => {
  assert.equal('members' in (await scim.get(`${path}?excludedAttributes=members`)).body, false)
  const found = await search(`displayName eq "${group.displayName}"`, '&excludedAttributes=members')
  assert.equal(found.body.totalResults, 1)
  assert.equal('members' in found.body.Resources[0], false)
  assert.deepEqual((await search(`displayName eq "${group.displayName}"`)).body.Resources, [group])
})

test('a PATCH is 204 without a body, 200 with what was asked for', async () => {
  const change = [{ op: 'add', path: 'members', value: [{ value: cleo() }] }]
  const silent = await scim.patch(path, change)
  assert.deepEqual([silent.status, silent.text], [204, ''])
  assert.notEqual(silent.headers.etag, (group.meta as JsonObject).version)
  const short = await scim.patch(`${path}?excludedAttributes=members`, change)
  assert.equal(short.status, 200)
  assert.equal('members' in short.body, false)
  assert.equal(short.body.displayName, group.displayName)
  const named = await scim.patch(`${path}?attributes=members.value`, change)
  assert.equal(named.status, 200)
  assert.equal(named.body.members.length, 3)
  assert.deepEqual(Object.keys(named.body.members[0]), ['value'])
})

test('Okta renames a group with its id in the value', async () => {
  const answer = await scim.patch(path, [
    { op: 'replace', value: { id: String(group.id), displayName: 'Renamed by Okta' } },
  ])
  assert.equal(answer.status, 204, answer.text)
  assert.equal((await scim.get(path)).body.displayName, 'Renamed by Okta')
  const foreign = await scim.patch(path, [{ op: 'replace', value: { id: 'another', displayName: 'Never' } }])
  assert.deepEqual([foreign.status, foreign.body.scimType], [400, 'mutability'])
  await scim.delete(path)
})

test('Entra removes the members that it names in the value, and no others', async () => {
  const answer = await scim.patch(path, [{ op: 'Remove', path: 'members', value: [{ $ref: null, value: ada() }] }])
  assert.equal(answer.status, 204)
  assert.deepEqual(await membersOf(), [ben()])
  await scim.patch(path, [{ op: 'Remove', path: 'members', value: ['somebody who is no member'] }])
  assert.deepEqual(await membersOf(), [ben()])
})

test('a member is removed by a filter in the path, also one that is none', async () => {
  for (let count = 0; count < 2; count += 1) {
    const answer = await scim.patch(path, [{ op: 'remove', path: `members[value eq "${ben()}"]` }])
    assert.equal(answer.status, 204)
    assert.deepEqual(await membersOf(), [ada()])
  }
  assert.equal((await scim.get(path)).body.meta.version, 'W/"2"')
})

test('members are replaced as a whole, by PUT and PATCH, and removed as a whole', async () => {
  await scim.patch(path, [{ op: 'replace', path: 'members', value: [{ value: cleo() }] }])
  assert.deepEqual(await membersOf(), [cleo()])
  const put = await scim.put(path, { ...group, members: [{ value: ada() }, { value: cleo() }] })
  assert.equal(put.status, 200)
  assert.deepEqual(await membersOf(), are(ada(), cleo()))
  await scim.patch(path, [{ op: 'remove', path: 'members' }])
  assert.deepEqual(await membersOf(), [])
})

test('fifty PATCHes at once lose no member', async () => {
  const ids: string[] = []
  for (let count = 0; count < 50; count += 1) ids.push((await scim.post('/Users', aUser())).body.id)
  const { body } = await scim.post('/Groups', aGroup())
  const target = `/Groups/${body.id}`
  const add = await Promise.all(
    ids.map((value) => scim.patch(target, [{ op: 'add', path: 'members', value: [{ value }] }])),
  )
  assert.deepEqual(new Set(add.map((answer) => answer.status)), new Set([204]))
  assert.deepEqual(await membersOf(target), are(...ids))
  assert.equal((await scim.get(target)).body.meta.version, 'W/"51"')
  await Promise.all(
    ids.slice(0, 49).map((id) => scim.patch(target, [{ op: 'remove', path: `members[value eq "${id}"]` }])),
  )
  assert.deepEqual(await membersOf(target), ids.slice(49))
})

test('a name that another group has, in any letter case, is 409 for POST, PUT and PATCH', async () => {
  const other = (await scim.post('/Groups', aGroup())).body
  const taken = String(group.displayName).toUpperCase()
  const answers = [
    await scim.post('/Groups', aGroup({ displayName: taken })),
    await scim.put(`/Groups/${other.id}`, aGroup({ displayName: taken })),
    await scim.patch(`/Groups/${other.id}`, [{ op: 'replace', path: 'displayName', value: taken }]),
  ]
  for (const answer of answers)
    assert.deepEqual([answer.status, answer.body.scimType], [409, 'uniqueness'], answer.text)
  assert.equal((await scim.get(`/Groups/${other.id}`)).body.displayName, other.displayName)
  const own = await scim.patch(path, [{ op: 'replace', path: 'displayName', value: taken }])
  assert.equal(own.status, 204, 'its own name in other letters is no conflict')
})

test('a deleted group is gone, its name is free, and its members are not in it any more', async () => {
  assert.equal((await scim.delete(path)).status, 204)
  assert.equal((await scim.get(path)).status, 404)
  assert.equal((await scim.delete(path)).status, 404)
  assert.equal((await search(`displayName eq "${group.displayName}"`)).body.totalResults, 0)
  assert.equal((await scim.post('/Groups', aGroup({ displayName: group.displayName ?? '' }))).status, 201)
  const groups: JsonObject[] = (await scim.get(`/Users/${ada()}`)).body.groups ?? []
  assert.ok(!groups.some((one) => one.value === group.id))
})

test('a user shows the groups it is in, with a new version for each change', async () => {
  const { body: user } = await scim.post('/Users', aUser())
  const target = `/Users/${user.id}`
  await scim.patch(path, [{ op: 'add', path: 'members', value: [{ value: user.id }] }])
  const member = (await scim.get(target)).body
  assert.deepEqual(member.groups, [
    { value: group.id, $ref: (group.meta as JsonObject).location, display: group.displayName, type: 'direct' },
  ])
  assert.notEqual(member.meta.version, user.meta.version)
  const found = await scim.get(
    `/Users?filter=${encodeURIComponent(`groups.value eq "${group.id}" and userName sw "p"`)}`,
  )
  assert.equal(found.body.totalResults, 3)
  assert.equal((await scim.patch(target, [{ op: 'add', path: 'groups', value: [{ value: group.id }] }])).status, 400)
  await scim.delete(target)
  assert.deepEqual(await membersOf(), are(ada(), ben()))
})

test('a PATCH value may repeat the whole user as it was answered, groups too, and may not change them', async () => {
  const { body: made } = await scim.post('/Users', aUser())
  const target = `/Users/${made.id}`
  await scim.patch(path, [{ op: 'add', path: 'members', value: [{ value: made.id }] }])
  const { body: user } = await scim.get(target)
  assert.equal(user.groups.length, 1)
  const echoed = await scim.patch(target, [{ op: 'replace', value: { ...user, nickName: 'Countess' } }])
  assert.deepEqual([echoed.status, echoed.body.nickName], [200, 'Countess'], echoed.text)
  assert.deepEqual(echoed.body.groups, user.groups)
  for (const groups of [[{ value: 'another' }], [...user.groups, ...user.groups], user.groups[0]]) {
    const { status, body } = await scim.patch(target, [{ op: 'replace', value: { groups, nickName: 'A' } }])
    assert.deepEqual([status, body.scimType], [400, 'mutability'])
  }
})

test('groups are found by name in any letter case, by externalId, and by their members', async () => {
  const { body } = await scim.post('/Groups', aGroup({ externalId: 'Ext-1', members: [{ value: cleo() }] }))
  const ids = async (filter: string) => (await search(filter)).body.Resources.map((one: JsonObject) => one.id)
  assert.deepEqual(await ids(`displayName eq "${String(body.displayName).toUpperCase()}"`), [body.id])
  assert.deepEqual(await ids('externalId eq "Ext-1"'), [body.id])
  assert.deepEqual(await ids('externalId eq "ext-1"'), [])
  assert.deepEqual(await ids(`id eq "${body.id}" and members eq "${cleo()}"`), [body.id])
  assert.deepEqual(await ids(`id eq "${body.id}" and members.value eq "${ada()}"`), [])
  assert.ok((await ids(`members[value eq "${cleo()}"]`)).includes(body.id))
  assert.ok((await ids(`members eq "${cleo()}"`)).includes(body.id))
  assert.deepEqual(await ids('displayName eq "nobody"'), [])
})

test('a group may be empty, and stays when its last member goes', async () => {
  const { body } = await scim.post('/Groups', aGroup({ members: [] }))
  assert.equal('members' in body, false)
  await scim.patch(path, [{ op: 'remove', path: `members[value eq "${ada()}" or value eq "${ben()}"]` }])
  assert.equal((await scim.get(path)).status, 200)
})
