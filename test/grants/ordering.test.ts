/** List 9.4, the rows about groups: what happens at once, or in an order that nobody expects. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { aUser } from '../bridge-world.ts'
import {
  emailOf,
  type FigshareBridge,
  provisioningUrn,
  refusedProfile,
  startFigshareBridge,
} from '../figshare-bridge.ts'
import { adding, aGroup, grantsSeen, removing } from './grants-world.ts'

const reviewer = '110:49'
const rolesPath = '/account/institution/roles'
const off = { op: 'replace', path: 'active', value: false }

interface Person {
  readonly id: string
  readonly user: JsonObject
}

async function people(bridge: FigshareBridge, count: number): Promise<Person[]> {
  const made: Person[] = []
  for (let number = 0; number < count; number += 1) {
    const user = aUser()
    const { status, body } = await bridge.scim.post('/Users', user)
    assert.equal(status, 201)
    made.push({ id: body.id, user })
  }
  return made
}

async function aPair(t: TestContext): Promise<{ bridge: FigshareBridge; ada: Person; ben: Person }> {
  const bridge = await startFigshareBridge(t)
  const [ada, ben] = await people(bridge, 2)
  assert.ok(ada !== undefined && ben !== undefined)
  return { bridge, ada, ben }
}

const rolesOf = ({ world }: FigshareBridge, { user }: Person) => grantsSeen(world, 'figshare', emailOf(user))
const membersOf = async ({ scim }: FigshareBridge, path: string): Promise<string[]> => {
  const { members = [] } = (await scim.get(path)).body
  return members.map(({ value }: { value: string }) => value).toSorted()
}

test('6 of 50 PATCHes at once on one group, each for another member, none is lost', async (t) => {
  const bridge = await startFigshareBridge(t)
  const all = await people(bridge, 50)
  const [leaving, joining] = [all.slice(0, 25), all.slice(25)]
  const { body } = await bridge.scim.post('/Groups', aGroup('figshare-reviewers', ...leaving.map(({ id }) => id)))
  const path = `/Groups/${body.id}`
  const answers = await Promise.all([
    ...leaving.map(({ id }) => bridge.scim.patch(path, removing(id))),
    ...joining.map(({ id }) => bridge.scim.patch(path, adding(id))),
  ])
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [204])
  assert.deepEqual(await membersOf(bridge, path), joining.map(({ id }) => id).toSorted())
  for (const person of leaving) assert.deepEqual(rolesOf(bridge, person), [])
  for (const person of joining) assert.deepEqual(rolesOf(bridge, person), [reviewer])
})

test('6 of two PATCHes at once that add and remove one member, the group and the role end the same', async (t) => {
  const { bridge, ada } = await aPair(t)
  const { body } = await bridge.scim.post('/Groups', aGroup('figshare-reviewers'))
  const path = `/Groups/${body.id}`
  for (let round = 0; round < 10; round += 1) {
    const changes = round % 2 === 0 ? [adding(ada.id), removing(ada.id)] : [removing(ada.id), adding(ada.id)]
    const answers = await Promise.all(changes.map((change) => bridge.scim.patch(path, change)))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [204])
    const isMember = (await membersOf(bridge, path)).includes(ada.id)
    assert.deepEqual(rolesOf(bridge, ada), isMember ? [reviewer] : [], `round ${round}`)
  }
})

test('7 a group with a member who is not there is refused whole, and taken when the user has been pushed', async (t) => {
  const { bridge, ada } = await aPair(t)
  const nobody = crypto.randomUUID()
  const { status, body } = await bridge.scim.post('/Groups', aGroup('figshare-reviewers', ada.id, nobody))
  assert.deepEqual([status, body.scimType], [400, 'invalidValue'])
  assert.match(body.detail, new RegExp(nobody))
  assert.equal((await bridge.scim.get('/Groups')).body.totalResults, 0)
  assert.deepEqual(rolesOf(bridge, ada), [])
  const [cleo] = await people(bridge, 1)
  assert.ok(cleo !== undefined)
  assert.equal((await bridge.scim.post('/Groups', aGroup('figshare-reviewers', ada.id, cleo.id))).status, 201)
  assert.deepEqual(
    [ada, cleo].map((person) => rolesOf(bridge, person)),
    [[reviewer], [reviewer]],
  )
})

test('7 a member whose account is not made yet gets the role with the account', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  bridge.fault({ mode: 'down' })
  const [ada] = await people(bridge, 1)
  assert.ok(ada !== undefined)
  assert.equal((await bridge.scim.post('/Groups', aGroup('figshare-reviewers', ada.id))).status, 201)
  assert.equal(bridge.account(ada.user), undefined)
  bridge.heal()
  await bridge.finished()
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
})

for (const [when, mode] of [
  ['has not acted yet', 'hang'],
  ['has acted', 'hang-after'],
] as const) {
  test(`8 a group that is deleted while a member is being given its role, and the platform ${when}, leaves no role`, async (t) => {
    const { bridge, ada, ben } = await aPair(t)
    const { body } = await bridge.scim.post('/Groups', aGroup('figshare-reviewers', ben.id))
    const path = `/Groups/${body.id}`
    bridge.fault({ mode, only: 'writes', path: `${rolesPath}/${bridge.account(ada.user)?.id}`, times: 1 })
    const giving = bridge.scim.patch(path, adding(ada.id)).then(({ status }) => status)
    await bridge.held()
    const deleting = bridge.scim.delete(path).then(({ status }) => status)
    await bridge.until('the group is gone', async () => (await bridge.scim.get(path)).status === 404)
    bridge.heal()
    const answers = await Promise.all([giving, deleting])
    assert.ok([204, 429].includes(answers[0]) && [204, 429].includes(answers[1]), answers.join())
    await bridge.finished()
    assert.deepEqual(
      [ada, ben].map((person) => rolesOf(bridge, person)),
      [[], []],
    )
    assert.equal((await bridge.scim.get(path)).status, 404)
  })
}

test('9 a member who leaves one of two groups that give one role keeps it, also when both wait', async (t) => {
  const { bridge, ada } = await aPair(t)
  const first = await bridge.scim.post('/Groups', aGroup('figshare-reviewers', ada.id))
  const second = await bridge.scim.post('/Groups', aGroup('figshare-admins'))
  bridge.fault({ mode: 'down' })
  assert.equal((await bridge.scim.patch(`/Groups/${second.body.id}`, adding(ada.id))).status, 429)
  const answer = await bridge.scim.patch(`/Groups/${first.body.id}`, removing(ada.id))
  assert.ok([204, 429].includes(answer.status))
  bridge.heal()
  bridge.world.sandbox.figshare.forgetCalls()
  await bridge.finished()
  assert.deepEqual(rolesOf(bridge, ada), ['100:2', reviewer])
  const calls = bridge.world.sandbox.figshare.calls.filter(({ path }) => path.includes(rolesPath))
  assert.equal(calls.filter(({ method }) => method === 'DELETE').length, 0, 'it is never without the role in between')
  assert.equal((await bridge.scim.patch(`/Groups/${second.body.id}`, removing(ada.id))).status, 204)
  assert.deepEqual(rolesOf(bridge, ada), [])
})

test('a member who leaves a group while their deletion waits is told of when the role is gone', async (t) => {
  const { bridge, ada } = await aPair(t)
  const { body } = await bridge.scim.post('/Groups', aGroup('figshare-reviewers', ada.id))
  const leaving = () => bridge.scim.patch(`/Groups/${body.id}`, removing(ada.id))
  bridge.fault({ mode: 'down' })
  assert.equal((await bridge.scim.delete(`/Users/${ada.id}`)).status, 429)
  assert.equal((await leaving()).status, 429)
  bridge.heal()
  await bridge.finished()
  assert.deepEqual(rolesOf(bridge, ada), [])
  assert.equal((await leaving()).status, 204)
})

for (const [what, change, before, after] of [
  ['left a group', removing, [reviewer], []],
  ['came into a group', adding, [], [reviewer]],
] as const) {
  test(`somebody who ${what} while their deletion waited has the roles of the groups when it is refused`, async (t) => {
    const { bridge, ada } = await aPair(t)
    const members = before.length > 0 ? [ada.id] : []
    const { body } = await bridge.scim.post('/Groups', aGroup('figshare-reviewers', ...members))
    bridge.fault({ mode: 'down' })
    assert.equal((await bridge.scim.delete(`/Users/${ada.id}`)).status, 429)
    await bridge.scim.patch(`/Groups/${body.id}`, change(ada.id))
    bridge.fault({ mode: 'answer', only: 'writes', status: 400, body: '{"message":"no","code":"x"}' })
    assert.equal((await bridge.scim.delete(`/Users/${ada.id}`)).status, 400)
    assert.deepEqual(rolesOf(bridge, ada), before)
    bridge.heal()
    await bridge.finished()
    assert.deepEqual(rolesOf(bridge, ada), after)
    assert.equal(bridge.account(ada.user)?.active, true)
    assert.equal((await bridge.scim.get(`/Users/${ada.id}`)).body.active, true)
    assert.equal(bridge.row('select count(*) as n from operation')?.n, 0)
  })
}

for (const [what, leave, isGone] of [
  ['deletion', (bridge: FigshareBridge, id: string) => bridge.scim.delete(`/Users/${id}`), true],
  ['deactivation', (bridge: FigshareBridge, id: string) => bridge.scim.patch(`/Users/${id}`, [off]), false],
] as const) {
  test(`a ${what} that was answered with "kept" is kept when the platform refuses it to a request about a group`, async (t) => {
    const { bridge, ada } = await aPair(t)
    const { body } = await bridge.scim.post('/Groups', aGroup('figshare-reviewers'))
    bridge.fault({ mode: 'down' })
    assert.equal((await leave(bridge, ada.id)).status, 429)
    assert.equal((await bridge.scim.patch(`/Groups/${body.id}`, adding(ada.id))).status, 429)
    assert.equal((await leave(bridge, ada.id)).status, 429)
    bridge.fault({ mode: 'answer', only: 'writes', status: 400, body: '{"message":"no","code":"x"}' })
    const answer = await bridge.scim.patch(`/Groups/${body.id}`, adding(ada.id))
    assert.equal(answer.status, 429, answer.text)
    assert.equal((await bridge.scim.get(`/Users/${ada.id}`)).body.active, false)
    bridge.heal()
    await bridge.finished()
    assert.equal(bridge.account(ada.user)?.active, false)
    assert.equal((await bridge.scim.get(`/Users/${ada.id}`)).status, isGone ? 404 : 200)
  })
}

test('an edit of somebody whose role waits is answered as it goes, though the platform refuses the role', async (t) => {
  const { bridge, ada } = await aPair(t)
  const { body } = await bridge.scim.post('/Groups', aGroup('figshare-reviewers'))
  bridge.fault({ mode: 'down' })
  assert.equal((await bridge.scim.patch(`/Groups/${body.id}`, adding(ada.id))).status, 429)
  bridge.fault({ mode: 'answer', only: 'writes', path: rolesPath, status: 400, body: '{"message":"no","code":"x"}' })
  const edit = [{ op: 'replace', path: 'name.familyName', value: 'King' }]
  const answer = await bridge.scim.patch(`/Users/${ada.id}`, edit)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(bridge.account(ada.user)?.profile.last_name, 'King')
  assert.deepEqual([answer.body.name.familyName, answer.body[provisioningUrn].state], ['King', 'failed'])
  bridge.heal()
  assert.equal((await bridge.scim.patch(`/Groups/${body.id}`, adding(ada.id))).status, 204)
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
})

test('a member whose own edit waits, and is refused, comes into the group all the same', async (t) => {
  const { bridge, ada } = await aPair(t)
  const { body } = await bridge.scim.post('/Groups', aGroup('figshare-reviewers'))
  bridge.fault({ mode: 'down' })
  const edit = [{ op: 'replace', path: 'name.familyName', value: 'King' }]
  assert.equal((await bridge.scim.patch(`/Users/${ada.id}`, edit)).status, 429)
  bridge.fault(refusedProfile)
  const answer = await bridge.scim.patch(`/Groups/${body.id}`, adding(ada.id))
  assert.equal(answer.status, 204, answer.text)
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
  assert.deepEqual(await membersOf(bridge, `/Groups/${body.id}`), [ada.id])
  bridge.heal()
  await bridge.finished()
  const { name } = (await bridge.scim.get(`/Users/${ada.id}`)).body
  assert.deepEqual(name.familyName, (ada.user.name as JsonObject).familyName)
})

test('who is said to be on, as they are, is answered at once, whatever role waits', async (t) => {
  const { bridge, ada } = await aPair(t)
  const { body } = await bridge.scim.post('/Groups', aGroup('figshare-reviewers'))
  bridge.fault({ mode: '500', only: 'writes', path: rolesPath })
  assert.equal((await bridge.scim.patch(`/Groups/${body.id}`, adding(ada.id))).status, 429)
  bridge.world.sandbox.figshare.forgetCalls()
  const said = await bridge.scim.patch(`/Users/${ada.id}`, [{ op: 'replace', path: 'active', value: true }])
  assert.equal(said.status, 200, said.text)
  assert.equal(bridge.world.sandbox.figshare.calls.length, 0)
  bridge.heal()
  await bridge.finished()
  assert.deepEqual(rolesOf(bridge, ada), [reviewer])
})
