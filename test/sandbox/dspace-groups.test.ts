import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DspaceSimulator } from '../../src/sandbox/dspace/dspace.ts'
import type { Group } from '../../src/sandbox/dspace/state.ts'
import { dspaceWorld, groupsPath, minuteMs, namesOf, nobody, people } from './dspace-world.ts'

const search = (query: string) => `${groupsPath}/search/byMetadata?query=${encodeURIComponent(query)}`

function groupOf(dspace: DspaceSimulator, name: string): Group {
  const group = dspace.group(name)
  assert.ok(group !== undefined)
  return group
}

function roleGroupOf(dspace: DspaceSimulator): Group {
  const group = [...dspace.state.groups.values()].find(({ object }) => object !== undefined)
  assert.ok(group !== undefined)
  return group
}

test('a repository comes with its permanent groups, a role, two ordinary groups and its administrator', async () => {
  const { call, dspace } = await dspaceWorld()
  const role = roleGroupOf(dspace)
  assert.match(role.name, /^COLLECTION_[0-9a-f-]{36}_ADMIN$/)
  const list = await call('GET', groupsPath)
  assert.deepEqual(namesOf(list, 'groups'), ['Administrator', 'Anonymous', role.name, 'Library Staff', 'Researchers'])
  const permanent = list.json._embedded.groups.filter((group: { permanent: boolean }) => group.permanent)
  assert.equal(permanent.length, 2)
  assert.deepEqual(dspace.memberEmails('Administrator'), [dspace.credentials.user])
})

test('groups are found by a part of the name or by uuid, and an empty page has no _embedded', async () => {
  const { call, dspace } = await dspaceWorld()
  assert.deepEqual(namesOf(await call('GET', search('SEARCH')), 'groups'), ['Researchers'])
  const uuid = groupOf(dspace, 'Library Staff').uuid
  assert.deepEqual(namesOf(await call('GET', search(uuid)), 'groups'), ['Library Staff'])
  const none = await call('GET', search('nothing'))
  assert.equal('_embedded' in none.json, false)
  const administrators = groupOf(dspace, 'Administrator')
  administrators.subgroups.add(uuid)
  const outside = `${groupsPath}/search/isNotMemberOf?group=${administrators.uuid}&query=s`
  assert.equal(namesOf(await call('GET', outside), 'groups').includes('Library Staff'), false)
  assert.equal(namesOf(await call('GET', outside), 'groups').includes('Researchers'), true)
})

test('a group is made, renamed, described and deleted; names that are taken or too long break in the database', async () => {
  const { call, dspace } = await dspaceWorld()
  const create = (name: unknown) => call('POST', groupsPath, { body: { name } })
  const made = await create('Physics')
  assert.deepEqual([made.status, made.json.name, made.json.permanent], [201, 'Physics', false])
  assert.equal((await create('physics')).status, 201)
  assert.deepEqual([(await create('Physics')).status, (await create('x'.repeat(251))).status], [500, 500])
  assert.deepEqual([(await create('')).status, (await create(undefined)).status], [422, 422])
  assert.equal((await create('x'.repeat(250))).status, 201)
  const path = `${groupsPath}/${made.json.uuid}`
  const description = { op: 'replace', path: '/metadata/dc.description', value: 'All physicists' }
  const renaming = { op: 'replace', path: '/name', value: 'Physicists' }
  const changed = await call('PATCH', path, { body: [description, renaming] })
  assert.equal(changed.json.name, 'Physicists')
  assert.equal(changed.json.metadata['dc.description'][0].value, 'All physicists')
  assert.equal((await call('PATCH', path, { body: [{ ...renaming, value: 'physics' }] })).status, 500)
  assert.equal((await call('PATCH', path, { body: [{ op: 'remove', path: '/name' }] })).status, 400)
  assert.equal((await call('GET', path)).json.name, 'Physicists')
  groupOf(dspace, 'Researchers').subgroups.add(made.json.uuid)
  assert.equal((await call('DELETE', path)).status, 204)
  assert.equal((await call('DELETE', path)).status, 404)
  assert.equal(groupOf(dspace, 'Researchers').subgroups.size, 0)
})

test('permanent groups and roles keep their name and stay; a role tells what it belongs to', async () => {
  const { call, dspace } = await dspaceWorld()
  const role = roleGroupOf(dspace)
  for (const { uuid } of [groupOf(dspace, 'Administrator'), groupOf(dspace, 'Anonymous'), role]) {
    const body = [{ op: 'replace', path: '/name', value: 'Mine' }]
    assert.equal((await call('PATCH', `${groupsPath}/${uuid}`, { body })).status, 422)
    assert.equal((await call('DELETE', `${groupsPath}/${uuid}`)).status, 422)
  }
  const object = await call('GET', `${groupsPath}/${role.uuid}/object`)
  assert.deepEqual([object.status, object.json.uuid], [200, role.object?.uuid])
  assert.equal((await call('GET', `${groupsPath}/${groupOf(dspace, 'Researchers').uuid}/object`)).status, 204)
  assert.equal((await call('GET', `${groupsPath}/${nobody}/object`)).status, 404)
})

test('members are added all or none, again without effect, and taken out one by one', async () => {
  const { addTo, call, dspace } = await dspaceWorld()
  const [ann, bo] = ['ann', 'bo'].map((name) => dspace.addEPerson({ email: `${name}@x.example` }))
  assert.ok(ann !== undefined && bo !== undefined)
  const group = groupOf(dspace, 'Researchers')
  const path = `${groupsPath}/${group.uuid}/epersons`
  assert.equal((await addTo(path, ann.uuid, nobody)).status, 422)
  assert.equal((await addTo(path, ann.uuid, group.uuid)).status, 422)
  assert.equal((await call('POST', path, { body: 'no uuid', type: 'text/uri-list' })).status, 422)
  assert.equal((await call('POST', path, { body: [ann.uuid] })).status, 415)
  assert.deepEqual(dspace.memberEmails('Researchers'), [])
  for (let time = 0; time < 2; time += 1) {
    const added = await addTo(path, ann.uuid, bo.uuid)
    assert.deepEqual([added.status, added.text], [204, ''])
  }
  assert.deepEqual(namesOf(await call('GET', path), 'epersons'), ['ann@x.example', 'bo@x.example'])
  assert.deepEqual(namesOf(await call('GET', `${people}/${ann.uuid}/groups`), 'groups'), ['Researchers'])
  for (let time = 0; time < 2; time += 1) assert.equal((await call('DELETE', `${path}/${ann.uuid}`)).status, 204)
  assert.equal((await call('DELETE', `${path}/${nobody}`)).status, 422)
  assert.deepEqual(dspace.memberEmails('Researchers'), ['bo@x.example'])
  assert.equal((await addTo(`${groupsPath}/${nobody}/epersons`, ann.uuid)).status, 404)
})

test("a person's groups come along when they are asked for, as many as asked for", async () => {
  const { call, dspace } = await dspaceWorld()
  const ann = dspace.addEPerson({ email: 'ann@x.example' })
  for (const name of ['A', 'B', 'C']) dspace.join(dspace.addGroup({ name }), ann)
  const path = `${people}/${ann.uuid}`
  assert.equal('_embedded' in (await call('GET', path)).json, false)
  const { groups } = (await call('GET', `${path}?embed=groups&embed.size=groups=2`)).json._embedded
  assert.equal(groups._embedded.groups.length, 2)
  assert.deepEqual(groups.page, { size: 2, totalElements: 3, totalPages: 2, number: 0 })
})

test('adding to Anonymous does nothing', async () => {
  const { addTo, dspace } = await dspaceWorld()
  const ann = dspace.addEPerson({ email: 'ann@x.example' })
  const path = `${groupsPath}/${groupOf(dspace, 'Anonymous').uuid}/epersons`
  assert.equal((await addTo(path, ann.uuid)).status, 204)
  assert.deepEqual(dspace.memberEmails('Anonymous'), [])
})

test('the same person added twice at once breaks the join table', async () => {
  const { addTo, dspace } = await dspaceWorld({ knobs: { memberAddMs: 300 } })
  const ann = dspace.addEPerson({ email: 'ann@x.example' })
  const path = `${groupsPath}/${groupOf(dspace, 'Researchers').uuid}/epersons`
  const answers = await Promise.all([addTo(path, ann.uuid), addTo(path, ann.uuid)])
  assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 500])
  assert.deepEqual(dspace.memberEmails('Researchers'), ['ann@x.example'])
})

test('groups are nested without cycles, and an administrator by nesting is one', async () => {
  const { addTo, call, dspace, jwtOf } = await dspaceWorld()
  const [a, b, c] = ['A', 'B', 'C'].map((name) => dspace.addGroup({ name }))
  assert.ok(a !== undefined && b !== undefined && c !== undefined)
  const below = (group: Group) => `${groupsPath}/${group.uuid}/subgroups`
  assert.equal((await addTo(below(a), b.uuid)).status, 204)
  assert.equal((await addTo(below(b), c.uuid)).status, 204)
  for (const group of [a, b, c]) assert.equal((await addTo(below(c), group.uuid)).status, 422)
  assert.equal((await addTo(below(a), nobody)).status, 422)
  const shown = await call('GET', below(a))
  assert.deepEqual(namesOf(shown, 'subgroups'), ['B'])
  dspace.knobs.subgroupsRelation = 'groups'
  assert.deepEqual(namesOf(await call('GET', below(a)), 'groups'), ['B'])
  dspace.join(c, dspace.addEPerson({ email: 'ann@x.example', password: 'longenough', canLogIn: true }))
  const jwt = await jwtOf('ann@x.example', 'longenough')
  assert.equal((await call('GET', groupsPath, { jwt })).status, 403)
  await addTo(below(groupOf(dspace, 'Administrator')), a.uuid)
  assert.equal((await call('GET', groupsPath, { jwt })).status, 200)
  assert.equal((await call('DELETE', `${below(a)}/${b.uuid}`)).status, 204)
  assert.equal((await call('GET', groupsPath, { jwt })).status, 403)
})

test('the last member of a workflow group with tasks stays: 500, since 10 a 400', async () => {
  for (const [flavour, status] of [
    ['9.3', 500],
    ['10.0', 400],
  ] as const) {
    const { call, dspace } = await dspaceWorld({ flavour })
    const ann = dspace.addEPerson({ email: 'ann@x.example' })
    const reviewers = dspace.addGroup({ name: 'Reviewers', isWorkflow: true, hasTasks: true })
    dspace.join(reviewers, ann)
    const path = `${groupsPath}/${reviewers.uuid}/epersons/${ann.uuid}`
    assert.equal((await call('DELETE', path)).status, status)
    assert.deepEqual(dspace.memberEmails('Reviewers'), ['ann@x.example'])
    reviewers.hasTasks = false
    assert.equal((await call('DELETE', path)).status, 204)
  }
})

test("a collection's administrator can look people up and fill the collection's roles, and nothing else", async () => {
  const { addTo, call, dspace, jwtOf, wait } = await dspaceWorld()
  const role = roleGroupOf(dspace)
  const ann = dspace.addEPerson({ email: 'ann@x.example', password: 'longenough', canLogIn: true })
  dspace.join(role, ann)
  const jwt = await jwtOf('ann@x.example', 'longenough')
  wait(minuteMs)
  assert.equal((await call('GET', `${people}/search/byEmail?email=ann@x.example`, { jwt })).status, 200)
  const body = `x/${dspace.administrator.uuid}`
  const add = (group: Group) =>
    call('POST', `${groupsPath}/${group.uuid}/epersons`, { jwt, body, type: 'text/uri-list' })
  assert.equal((await add(role)).status, 204)
  assert.equal((await add(groupOf(dspace, 'Researchers'))).status, 403)
  assert.equal((await call('GET', people, { jwt })).status, 403)
  assert.equal((await addTo(`${groupsPath}/${role.uuid}/epersons`, ann.uuid)).status, 204)
})
