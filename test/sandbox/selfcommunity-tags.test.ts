import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOf, type Said, selfcommunityWorld } from './selfcommunity-world.ts'

const names = (said: Said): string[] => said.json.results.map((row: { name: string }) => row.name)
const ids = (said: Said): number[] => said.json.results.map((row: { id: number }) => row.id)

test('a tag has a name that is unique for its type; it is switched off and marked, never deleted', async () => {
  const { call } = await selfcommunityWorld()
  const staff = await call('POST', '/tag/', { name: 'Staff', type: 'user' })
  assert.equal(staff.status, 201)
  const { id } = staff.json
  assert.deepEqual(problemsOf(await call('POST', '/tag/', { name: 'Staff', type: 'user' })), ['name: unique'])
  assert.equal((await call('POST', '/tag/', { name: 'Staff', type: 'category' })).status, 201)
  assert.deepEqual(problemsOf(await call('POST', '/tag/', { name: 'x'.repeat(65), type: 'user' })), [
    'name: max_length',
  ])
  assert.deepEqual(problemsOf(await call('POST', '/tag/', { description: 'x'.repeat(501) })), [
    'name: required',
    'type: required',
    'description: max_length',
  ])
  assert.equal((await call('DELETE', `/tag/${id}/`)).status, 405)
  const off = await call('PATCH', `/tag/${id}/`, { active: false, deleted: true })
  assert.deepEqual([off.status, off.json.name, off.json.active, off.json.deleted], [200, 'Staff', false, true])
  // It keeps its name.
  assert.equal((await call('POST', '/tag/', { name: 'Staff', type: 'user' })).status, 400)
  assert.equal((await call('PATCH', `/tag/${id}/`, { name: 'Former staff' })).json.name, 'Former staff')
  assert.equal((await call('GET', '/tag/999/')).status, 404)
})

test('tags are listed by type and part of the name; only administrators see those that are off', async () => {
  const { call, community } = await selfcommunityWorld()
  const person = community.addUser({ username: 'ada' }).id
  community.addTag({ name: 'Staff' })
  community.addTag({ name: 'Staff room', type: 'category' })
  const hidden = community.addTag({ name: 'Secret staff', visible: false })
  assert.deepEqual(names(await call('GET', '/tag/?type=user&search=STAFF&ordering=name')), ['Secret staff', 'Staff'])
  assert.deepEqual(names(await call('GET', '/tag/?visible=false')), ['Secret staff'])
  assert.deepEqual(names(await call('GET', '/tag/?type=user', undefined, person)), ['Staff'])
  assert.equal((await call('GET', `/tag/${hidden.id}/`, undefined, person)).status, 404)
  assert.deepEqual(names(await call('GET', '/tag/search/?search=room')), ['Staff room'])
  assert.equal((await call('GET', '/tag/user/search/?search=room')).status, 404)
  community.knobs.tagSearchPath = 'sdk'
  assert.deepEqual(names(await call('GET', '/tag/user/search/?search=room')), ['Staff room'])
  assert.equal((await call('GET', '/tag/search/?search=room')).status, 404)
})

test('adding and removing a tag may be repeated, assign turns it round', async () => {
  const { call, community } = await selfcommunityWorld()
  const user = community.addUser({ username: 'ada' }).id
  const tag = community.addTag({ name: 'Secret', visible: false }).id
  const act = async (verb: string, body: object = { user }) => (await call('POST', `/tag/${tag}/${verb}/`, body)).status
  const held = async () => names(await call('GET', `/user/${user}/tags/`))
  for (let n = 0; n < 2; n += 1) {
    assert.equal(await act('add'), 204)
    assert.deepEqual(await held(), ['Secret'])
  }
  assert.deepEqual((await call('GET', `/user/${user}/`)).json.tags, [], 'invisible in the profile')
  assert.deepEqual(ids(await call('GET', `/tag/user/?tag_id=${tag}`)), [user])
  assert.deepEqual(ids(await call('GET', '/tag/user/?tag_name=Secret')), [user])
  assert.equal((await call('GET', '/tag/user/')).status, 400)
  for (let n = 0; n < 2; n += 1) {
    assert.equal(await act('remove'), 204)
    assert.deepEqual(await held(), [])
  }
  assert.equal(await act('assign'), 204)
  assert.deepEqual(await held(), ['Secret'])
  assert.equal(await act('assign'), 204)
  assert.deepEqual(await held(), [])
  for (const bad of [{}, { user, category: 1 }, { category: 1 }, { user: 999 }])
    assert.equal(await act('add', bad), 400)
  assert.equal((await call('POST', '/tag/999/add/', { user })).status, 404)
})

test('only the manager changes a group, its members and its invitations', async () => {
  const { call, community } = await selfcommunityWorld()
  const ada = community.addUser({ username: 'ada' }).id
  const bob = community.addUser({ username: 'bob' }).id
  const made = await call('POST', '/group/', { name: 'Readers', privacy: 'public', description: 'x' }, ada)
  assert.equal(made.status, 201)
  assert.equal(made.json.managed_by.id, ada)
  const path = `/group/${made.json.id}/`
  // Not even an administrator.
  assert.equal((await call('PATCH', path, { name: 'Mine' })).status, 403)
  assert.equal((await call('POST', `${path}subscribe/`, { users: [bob] })).status, 403)
  assert.equal((await call('POST', `${path}subscribe/`, { users: [bob, 999] }, ada)).status, 400)
  assert.equal((await call('POST', `${path}subscribe/`, { users: [bob] }, ada)).status, 204)
  assert.deepEqual(ids(await call('GET', `${path}subscribe/`)), [ada, bob])
  assert.equal((await call('GET', `/user/${bob}/groups/`)).json[0].name, 'Readers')
  community.knobs.groupsOfUser = 'page'
  assert.deepEqual(names(await call('GET', `/user/${bob}/groups/`)), ['Readers'])
  assert.equal((await call('DELETE', `${path}subscribe/?user=${bob}`)).status, 403)
  assert.equal((await call('DELETE', `${path}subscribe/?user=${bob}`, undefined, ada)).status, 204)
  assert.equal((await call('DELETE', `${path}subscribe/?user=${bob}`, undefined, ada)).status, 404)
  assert.equal((await call('PATCH', path, { name: 'Writers' }, ada)).json.name, 'Writers')
  assert.deepEqual(problemsOf(await call('POST', '/group/', { name: 'Writers', privacy: 'public' })), ['name: unique'])
  assert.equal((await call('POST', '/group/', { name: 'Closed', privacy: 'private' })).status, 400)
  assert.equal((await call('POST', '/group/', { name: 'x'.repeat(41), privacy: 'public' })).status, 400)
  assert.equal((await call('DELETE', path)).status, 403)
  assert.equal((await call('DELETE', path, undefined, ada)).status, 204)
  assert.equal((await call('GET', path)).status, 404)
})

test('joining and leaving without a parameter is about the caller itself', async () => {
  const { call, community } = await selfcommunityWorld()
  const ada = community.addUser({ username: 'ada' }).id
  const group = community.addGroup({ name: 'Readers', managedBy: ada })
  const path = `/group/${group.id}/subscribe/`
  assert.equal((await call('POST', path, {})).status, 204)
  assert.equal(group.members.get(1), 'subscribed')
  assert.deepEqual(names(await call('GET', '/group/')), ['Readers'])
  assert.equal((await call('DELETE', path)).status, 204)
  assert.equal(group.members.has(1), false)
  assert.deepEqual(names(await call('GET', '/group/')), [])
  assert.equal((await call('DELETE', path)).status, 404)
})

test('a private group takes requests and invitations; an invisible one does not exist for strangers', async () => {
  const { call, community } = await selfcommunityWorld()
  const ada = community.addUser({ username: 'ada' }).id
  const bob = community.addUser({ username: 'bob' }).id
  const group = community.addGroup({ name: 'Board', managedBy: ada, privacy: 'private' })
  const path = `/group/${group.id}/`
  const members = `${path}subscribe/`
  assert.equal((await call('GET', members, undefined, bob)).status, 403)
  await call('POST', members, undefined, bob)
  assert.equal(group.members.get(bob), 'requested')
  assert.equal((await call('POST', `${path}invite/`, { users: [bob] }, ada)).status, 204)
  assert.equal(group.members.get(bob), 'subscribed')
  await call('DELETE', members, undefined, bob)
  await call('POST', `${path}invite/`, { users: [bob] }, ada)
  assert.equal(group.members.get(bob), 'invited')
  await call('POST', members, undefined, bob)
  assert.deepEqual(ids(await call('GET', members, undefined, bob)), [ada, bob])

  await call('PATCH', path, { visible: false }, ada)
  assert.deepEqual(names(await call('GET', '/group/search/?search=board')), [])
  assert.equal((await call('GET', path)).status, 404)
  assert.deepEqual(names(await call('GET', '/group/search/?search=board', undefined, bob)), ['Board'])
  assert.deepEqual((await call('GET', `/user/${bob}/groups/`)).json, [])
})
