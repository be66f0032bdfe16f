/** Group push becomes roles: what an administrator of Figshare sees, and what the bridge calls for it. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { groupUrn } from '../../src/scim/attribute.ts'
import { aUser } from '../bridge-world.ts'
import { type FigshareBridge, provisioningUrn, startFigshareBridge } from '../figshare-bridge.ts'

const reviewer = '110:49'
const administrator = '100:2'

/** A bridge, and three people on it. */
async function aBridge(t: TestContext, options: Parameters<typeof startFigshareBridge>[1] = {}) {
  const bridge = await startFigshareBridge(t, options)
  const people: { id: string; user: JsonObject }[] = []
  for (let count = 0; count < 3; count += 1) {
    const user = aUser()
    const { status, body } = await bridge.scim.post('/Users', user)
    assert.equal(status, 201)
    people.push({ id: body.id, user })
  }
  await bridge.finished()
  const [ada, ben, cleo] = people
  assert.ok(ada !== undefined && ben !== undefined && cleo !== undefined)
  return { bridge, scim: bridge.scim, ada, ben, cleo }
}

function rolesOf(bridge: FigshareBridge, { user }: { user: JsonObject }): string[] {
  const roles = bridge.account(user)?.roles ?? new Map<number, Set<number>>()
  return [...roles].flatMap(([group, ids]) => [...ids].map((role) => `${group}:${role}`)).sort()
}

const aGroup = (displayName: string, ...members: { id: string }[]) => ({
  schemas: [groupUrn],
  displayName,
  members: members.map(({ id }) => ({ value: id })),
})
const adding = (...members: { id: string }[]) => [
  { op: 'add', path: 'members', value: members.map(({ id }) => ({ value: id })) },
]
const removing = ({ id }: { id: string }) => [{ op: 'remove', path: `members[value eq "${id}"]` }]
const roleCalls = (bridge: FigshareBridge) =>
  bridge.world.sandbox.figshare.calls.filter(({ path }) => path.includes('/institution/roles/'))

test('a group that is pushed with its members gives each of them its role before it is answered', async (t) => {
  const { bridge, scim, ada, ben, cleo } = await aBridge(t)
  const answer = await scim.post('/Groups', aGroup('figshare-reviewers', ada, ben))
  assert.equal(answer.status, 201, answer.text)
  assert.deepEqual(
    [ada, ben, cleo].map((person) => rolesOf(bridge, person)),
    [[reviewer], [reviewer], []],
  )
})

test('who is added by PATCH gets the role, who is removed loses it, and nobody else is asked about', async (t) => {
  const { bridge, scim, ada, ben, cleo } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('figshare-reviewers', ada))
  bridge.world.sandbox.figshare.forgetCalls()
  const answer = await scim.patch(`/Groups/${body.id}`, [...adding(ben), ...removing(ada)])
  assert.equal(answer.status, 204, answer.text)
  assert.deepEqual(
    [ada, ben, cleo].map((person) => rolesOf(bridge, person)),
    [[], [reviewer], []],
  )
  const asked = new Set(bridge.world.sandbox.figshare.calls.map(({ path }) => /\/(\d+)(\/\d+\/\d+)?$/.exec(path)?.[1]))
  assert.equal(asked.has(String(bridge.account(cleo.user)?.id)), false)
})

test('a role that two groups give is given once, and taken when the last of them is left', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  const reviewers = await scim.post('/Groups', aGroup('figshare-reviewers', ada))
  bridge.world.sandbox.figshare.forgetCalls()
  const admins = await scim.post('/Groups', aGroup('figshare-admins', ada))
  assert.equal(roleCalls(bridge).filter(({ method }) => method === 'POST').length, 1)
  assert.deepEqual(rolesOf(bridge, ada), [administrator, reviewer])
  bridge.world.sandbox.figshare.forgetCalls()
  await scim.patch(`/Groups/${reviewers.body.id}`, removing(ada))
  assert.deepEqual(bridge.world.sandbox.figshare.calls, [], 'nothing changes, so nothing is called')
  assert.deepEqual(rolesOf(bridge, ada), [administrator, reviewer])
  await scim.patch(`/Groups/${admins.body.id}`, removing(ada))
  assert.deepEqual(rolesOf(bridge, ada), [])
})

test('a role that somebody has been given by hand survives joining and leaving a group that gives it, too', async (t) => {
  const { bridge, scim, ada, ben } = await aBridge(t)
  bridge.account(ada.user)?.roles.set(110, new Set([49]))
  bridge.account(ben.user)?.roles.set(100, new Set([7]))
  const { body } = await scim.post('/Groups', aGroup('figshare-reviewers', ada, ben))
  await scim.put(`/Groups/${body.id}`, aGroup('figshare-reviewers'))
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
  assert.deepEqual(rolesOf(bridge, ben), ['100:7'])
})

test('a group that no line of the mapping names is stored with its members, and nothing is called', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  bridge.world.sandbox.figshare.forgetCalls()
  assert.equal((await scim.post('/Groups', aGroup('everyone', ada))).status, 201)
  assert.deepEqual(bridge.world.sandbox.figshare.calls, [])
})

test('a group that is renamed to a name of the mapping gives its role, and renamed away takes it', async (t) => {
  const { bridge, scim, ada, ben } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('everyone', ada, ben))
  const rename = (displayName: string) =>
    scim.patch(`/Groups/${body.id}`, [{ op: 'replace', value: { id: body.id, displayName } }])
  assert.equal((await rename('figshare-reviewers')).status, 204)
  assert.deepEqual(
    [ada, ben].map((person) => rolesOf(bridge, person)),
    [[reviewer], [reviewer]],
  )
  assert.equal((await rename('nobody')).status, 204)
  assert.deepEqual(
    [ada, ben].map((person) => rolesOf(bridge, person)),
    [[], []],
  )
})

const roleWrites = { only: 'writes', path: '/account/institution/roles' } as const
const page = { mode: 'answer', contentType: 'text/html', body: '<!DOCTYPE html><title>Sign in</title>' } as const

test('a rename whose role the platform never gives says that the name is kept, who did not get the role, and what helps', async (t) => {
  const { bridge, scim, ada, ben } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('everyone', ada, ben))
  bridge.fault({ ...page, ...roleWrites })
  const rename = () => scim.put(`/Groups/${body.id}`, aGroup('figshare-reviewers', ada, ben))
  for (let attempt = 1; attempt < 3; attempt += 1) assert.equal((await rename()).status, 429)
  const last = await rename()
  assert.equal(last.status, 500, last.text)
  assert.match(last.body.detail, /^the group is as asked, but what it gives was not changed for its members /)
  for (const { id } of [ada, ben]) assert.match(last.body.detail, new RegExp(id))
  assert.match(last.body.detail, /makes another attempt\): The platform answered in an unexpected way, again and again/)
  const shown = await scim.get(`/Groups/${body.id}`)
  assert.equal(shown.body.displayName, 'figshare-reviewers')
  assert.equal(shown.body.members.length, 2)
  bridge.heal()
  assert.equal((await rename()).status, 200)
  for (const person of [ada, ben]) assert.deepEqual(rolesOf(bridge, person), [reviewer])
})

test('a rename whose role the platform refuses one member says so, and the other has it', async (t) => {
  const { bridge, scim, ada, ben } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('everyone', ada, ben))
  const path = `${roleWrites.path}/${bridge.account(ben.user)?.id}`
  bridge.fault({ mode: 'answer', status: 400, body: '{"message":"no such role"}', only: 'writes', path })
  const answer = await scim.patch(`/Groups/${body.id}`, [
    { op: 'replace', value: { displayName: 'figshare-reviewers' } },
  ])
  assert.equal(answer.status, 400, answer.text)
  assert.match(answer.body.detail, new RegExp(`^the group is as asked, but .* for its members ${ben.id} \\(`))
  assert.doesNotMatch(answer.body.detail, new RegExp(`members: not changed|${ada.id}`))
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
})

test('a rename alone that is pushed again is another attempt at what the first did not reach, and answered as that goes', async (t) => {
  const { bridge, scim, ada, ben } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('everyone', ada, ben))
  const rename = () =>
    scim.patch(`/Groups/${body.id}`, [{ op: 'replace', value: { id: body.id, displayName: 'figshare-reviewers' } }])
  bridge.fault({ ...page, ...roleWrites })
  for (let attempt = 1; attempt < 3; attempt += 1) assert.equal((await rename()).status, 429)
  assert.equal((await rename()).status, 500)
  bridge.fault({ mode: 'answer', status: 400, body: '{"message":"no such role"}', ...roleWrites })
  const refused = await rename()
  assert.equal(refused.status, 400, refused.text)
  assert.match(refused.body.detail, /^the group is as asked, but what it gives was not changed for its members /)
  bridge.heal()
  assert.equal((await rename()).status, 204)
  for (const person of [ada, ben]) assert.deepEqual(rolesOf(bridge, person), [reviewer])
  bridge.world.sandbox.figshare.forgetCalls()
  assert.equal((await rename()).status, 204)
  assert.deepEqual(bridge.world.sandbox.figshare.calls, [])
})

test('a change of one member is not answered with what others of the group still wait for', async (t) => {
  const { bridge, scim, ada, ben } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('everyone', ada))
  const path = `${roleWrites.path}/${bridge.account(ada.user)?.id}`
  bridge.fault({ mode: 'answer', status: 400, body: '{"message":"no such role"}', only: 'writes', path })
  const rename = [{ op: 'replace', value: { displayName: 'figshare-reviewers' } }]
  assert.equal((await scim.patch(`/Groups/${body.id}`, rename)).status, 400)
  assert.equal((await scim.patch(`/Groups/${body.id}`, adding(ben))).status, 204)
  assert.deepEqual(rolesOf(bridge, ben), [reviewer])
})

test('a deletion of a group whose role the platform will not take says that the group is deleted, and goes on', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('figshare-reviewers', ada))
  bridge.fault({ mode: 'answer', status: 400, body: '{"message":"no"}', ...roleWrites })
  const answer = await scim.delete(`/Groups/${body.id}`)
  assert.equal(answer.status, 400, answer.text)
  assert.match(answer.body.detail, new RegExp(`^the group is deleted, but what it gave was not taken from ${ada.id}; `))
  assert.equal((await scim.get(`/Groups/${body.id}`)).status, 404)
  bridge.heal()
  await bridge.finished()
  assert.deepEqual(rolesOf(bridge, ada), [])
})

test('deleting a group takes what it gave', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('figshare-reviewers', ada))
  assert.equal((await scim.delete(`/Groups/${body.id}`)).status, 204)
  assert.deepEqual(rolesOf(bridge, ada), [])
  assert.equal((await scim.get(`/Groups/${body.id}`)).status, 404)
})

test('a user who is deleted loses every role that was given, and keeps what was there before', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  bridge.account(ada.user)?.roles.set(100, new Set([7]))
  await scim.post('/Groups', aGroup('figshare-reviewers', ada))
  assert.equal((await scim.delete(`/Users/${ada.id}`)).status, 204)
  assert.deepEqual(rolesOf(bridge, ada), ['100:7'])
  assert.equal(bridge.account(ada.user)?.active, false)
})

test('a role that the platform would not take from somebody who was deleted is taken when they come back', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  await scim.post('/Groups', aGroup('figshare-reviewers', ada))
  bridge.fault({ mode: 'answer', status: 400, body: '{"message":"no"}', ...roleWrites })
  assert.equal((await scim.delete(`/Users/${ada.id}`)).status, 204)
  assert.deepEqual([bridge.account(ada.user)?.active, rolesOf(bridge, ada)], [false, [reviewer]])
  bridge.heal()
  assert.equal((await scim.post('/Users', ada.user)).status, 201)
  assert.deepEqual([bridge.account(ada.user)?.active, rolesOf(bridge, ada)], [true, []])
})

test('somebody who is switched off keeps the roles, gets no new one, and gets it when switched on again', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  await scim.post('/Groups', aGroup('figshare-reviewers', ada))
  const switched = (active: boolean) => scim.patch(`/Users/${ada.id}`, [{ op: 'replace', value: { active } }])
  assert.equal((await switched(false)).status, 200)
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
  assert.equal((await scim.post('/Groups', aGroup('figshare-admins', ada))).status, 201)
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
  assert.equal((await switched(true)).status, 200)
  assert.deepEqual(rolesOf(bridge, ada), [administrator, reviewer])
})

test('roles that Figshare dropped while the account was off come back when it is switched on', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  await scim.post('/Groups', aGroup('figshare-reviewers', ada))
  await scim.patch(`/Users/${ada.id}`, [{ op: 'replace', value: { active: false } }])
  bridge.account(ada.user)?.roles.clear()
  await scim.patch(`/Users/${ada.id}`, [{ op: 'replace', value: { active: true } }])
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
})

test('roles that Figshare dropped come back, too, when the answer to the switching on was lost', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  await scim.post('/Groups', aGroup('figshare-reviewers', ada))
  await scim.patch(`/Users/${ada.id}`, [{ op: 'replace', value: { active: false } }])
  bridge.account(ada.user)?.roles.clear()
  bridge.fault({ mode: 'lost', path: '/account/institution/accounts', times: 1 })
  assert.equal((await scim.patch(`/Users/${ada.id}`, [{ op: 'replace', value: { active: true } }])).status, 429)
  assert.equal(bridge.world.sandbox.figshare.faultCount, 1)
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.account(ada.user)?.active, true)
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
})

test('a membership pushed while Figshare is away is 429, kept, and given when it is back', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('figshare-reviewers'))
  bridge.fault({ mode: 'down' })
  const answer = await scim.patch(`/Groups/${body.id}`, adding(ada))
  assert.equal(answer.status, 429)
  assert.match(String(answer.headers['retry-after']), /^\d+$/)
  assert.equal((await scim.get(`/Users/${ada.id}`)).body[provisioningUrn].state, 'pending')
  const again = await scim.patch(`/Groups/${body.id}`, adding(ada))
  assert.equal(again.status, 429, 'a repetition is no success while the role is not given')
  bridge.heal()
  await bridge.finished()
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
  assert.equal((await scim.patch(`/Groups/${body.id}`, adding(ada))).status, 204)
})

test('a role whose answer was lost is found, counts as given, and is taken on leaving', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('figshare-reviewers'))
  bridge.fault({ mode: 'lost', path: '/account/institution/roles' })
  assert.equal((await scim.patch(`/Groups/${body.id}`, adding(ada))).status, 429)
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
  bridge.heal()
  await bridge.finished()
  assert.equal((await scim.patch(`/Groups/${body.id}`, removing(ada))).status, 204)
  assert.deepEqual(rolesOf(bridge, ada), [])
})

test('a membership whose role could not be given is tried again when it is pushed again', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('figshare-reviewers'))
  bridge.fault({ mode: 'down' })
  await scim.patch(`/Groups/${body.id}`, adding(ada))
  bridge.change("update operation set state = 'failed'")
  bridge.heal()
  assert.equal((await scim.patch(`/Groups/${body.id}`, adding(ada))).status, 204)
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
})

test('a restart between a membership and its role loses neither', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('figshare-reviewers'))
  bridge.fault({ mode: 'down' })
  await scim.patch(`/Groups/${body.id}`, adding(ada))
  await bridge.world.restart()
  bridge.heal()
  await bridge.finished()
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
})

test('an attribute that is changed while a role waits changes, too, and both arrive', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('figshare-reviewers'))
  bridge.fault({ mode: 'down' })
  await scim.patch(`/Groups/${body.id}`, adding(ada))
  const renamed = [{ op: 'replace', path: 'name.givenName', value: 'Augusta' }]
  assert.equal((await scim.patch(`/Users/${ada.id}`, renamed)).status, 429)
  bridge.heal()
  await bridge.finished()
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
  assert.equal(bridge.account(ada.user)?.profile.first_name, 'Augusta')
})

test('a deactivation is not given up for a role that waits, and the role is not given afterwards', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('figshare-reviewers'))
  bridge.fault({ mode: 'down' })
  await scim.patch(`/Groups/${body.id}`, adding(ada))
  await scim.patch(`/Users/${ada.id}`, [{ op: 'replace', value: { active: false } }])
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.account(ada.user)?.active, false)
  assert.deepEqual(rolesOf(bridge, ada), [])
})

test('a role that Figshare does not know is a 400 that says so, and the membership is not there afterwards', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  bridge.fault({
    mode: 'answer',
    status: 400,
    body: '{"message":"no such role"}',
    only: 'writes',
    path: '/account/institution/roles',
  })
  const { body } = await scim.post('/Groups', aGroup('figshare-reviewers'))
  const answer = await scim.patch(`/Groups/${body.id}`, adding(ada))
  assert.equal(answer.status, 400, answer.text)
  assert.match(answer.body.detail, new RegExp(`not changed for ${ada.id}`))
  assert.deepEqual((await scim.get(`/Groups/${body.id}`)).body.members, undefined)
  bridge.heal()
  await bridge.finished()
  assert.deepEqual(rolesOf(bridge, ada), [])
  assert.equal((await scim.get(`/Users/${ada.id}`)).body[provisioningUrn].state, 'applied')
})

test('a group whose members cannot all be given what it gives is not created, and nobody keeps anything of it', async (t) => {
  const { bridge, scim, ada, ben } = await aBridge(t)
  const path = `/account/institution/roles/${bridge.account(ben.user)?.id}`
  bridge.fault({ mode: 'answer', status: 400, body: '{"message":"no such role"}', only: 'writes', path })
  const answer = await scim.post('/Groups', aGroup('figshare-reviewers', ada, ben))
  assert.equal(answer.status, 400)
  bridge.heal()
  await bridge.finished()
  assert.deepEqual(
    [ada, ben].map((person) => rolesOf(bridge, person)),
    [[], []],
  )
  assert.equal((await scim.post('/Groups', aGroup('figshare-reviewers', ada, ben))).status, 201)
  assert.deepEqual(
    [ada, ben].map((person) => rolesOf(bridge, person)),
    [[reviewer], [reviewer]],
  )
})

test('deferred: a membership is durable at once, and the role follows by itself', async (t) => {
  const { bridge, scim, ada, ben } = await aBridge(t, { mode: 'deferred' })
  const answer = await scim.post('/Groups', aGroup('figshare-reviewers', ada, ben))
  assert.equal(answer.status, 201)
  await bridge.finished()
  assert.deepEqual(
    [ada, ben].map((person) => rolesOf(bridge, person)),
    [[reviewer], [reviewer]],
  )
})

test('an update of a person whose roles are as they should be asks nothing about roles', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  await scim.post('/Groups', aGroup('figshare-reviewers', ada))
  bridge.world.sandbox.figshare.forgetCalls()
  await scim.patch(`/Users/${ada.id}`, [{ op: 'replace', path: 'name.givenName', value: 'Augusta' }])
  assert.deepEqual(roleCalls(bridge), [])
})

test('the audit tells of each role that was given and taken, by account', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  await scim.post('/Groups', aGroup('figshare-reviewers', ada))
  const calling = bridge.row(
    "select count(*) as n from audit where resource_id = ? and event = 'calling' and detail like '%/roles/%'",
    ada.id,
  )
  assert.equal(calling?.n, 1)
})

test('the audit says of a refused role that nothing was done', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  const { body } = await scim.post('/Groups', aGroup('figshare-reviewers'))
  const path = '/account/institution/roles'
  bridge.fault({ mode: 'answer', status: 400, body: '{"message":"no such role"}', only: 'writes', path })
  assert.equal((await scim.patch(`/Groups/${body.id}`, adding(ada))).status, 400)
  const outcomes = "select detail from audit where resource_id = ? and event = 'outcome' order by id"
  const last = bridge.row(`${outcomes} desc limit 1`, ada.id)
  assert.equal(JSON.parse(String(last?.detail)).outcome, 'not_applied')
  assert.equal(JSON.parse(String(last?.detail)).error, 'refused')
})

test('a role that waits for an earlier membership is given though a later one is refused', async (t) => {
  const { bridge, scim, ada } = await aBridge(t)
  const reviewers = await scim.post('/Groups', aGroup('figshare-reviewers'))
  const admins = await scim.post('/Groups', aGroup('figshare-admins'))
  bridge.fault({ mode: 'down' })
  assert.equal((await scim.patch(`/Groups/${reviewers.body.id}`, adding(ada))).status, 429)
  const path = '/account/institution/roles'
  bridge.fault({ mode: 'answer', status: 400, body: '{"message":"no such role"}', only: 'writes', path })
  assert.equal((await scim.patch(`/Groups/${admins.body.id}`, adding(ada))).status, 400)
  bridge.heal()
  await bridge.finished()
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
  assert.equal((await scim.get(`/Users/${ada.id}`)).body[provisioningUrn].state, 'applied')
})
