/** What was written before a refusal is taken back: 400 says that the user is as before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { type FigshareBridge, provisioningUrn, refusedProfile, startFigshareBridge } from '../figshare-bridge.ts'

const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const movedAndTitled = [
  { op: 'replace', path: `${enterpriseUrn}:department`, value: 'Chemistry' },
  { op: 'replace', path: 'title', value: 'Countess' },
]

/** Somebody whose move is made on the platform, and whose title is not: 429. */
async function movedHalfWay(bridge: FigshareBridge) {
  const user = aUser({ [enterpriseUrn]: { department: 'Physics' } })
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: '500', only: 'writes', path: '/account/profile' })
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, movedAndTitled)).status, 429)
  assert.equal(bridge.account(user)?.group_id, 102)
  return { user, body }
}

test('who is moved and then refused a title is moved back', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser({ [enterpriseUrn]: { department: 'Physics' } })
  const { body } = await bridge.scim.post('/Users', user)
  assert.equal(bridge.account(user)?.group_id, 101)
  bridge.fault(refusedProfile)
  const answer = await bridge.scim.patch(`/Users/${body.id}`, movedAndTitled)
  assert.equal(answer.status, 400, answer.text)
  assert.equal(bridge.world.sandbox.figshare.faultCount, 1)
  const shown = await bridge.scim.get(`/Users/${body.id}`)
  assert.equal(shown.body[enterpriseUrn].department, 'Physics')
  await bridge.finished()
  assert.equal(bridge.account(user)?.group_id, 101)
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body[provisioningUrn].state, 'applied')
})

test('who was moved by an attempt that was not finished, and is refused by the next, is moved back', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { user, body } = await movedHalfWay(bridge)
  bridge.fault(refusedProfile)
  const answer = await bridge.scim.patch(`/Users/${body.id}`, movedAndTitled)
  assert.equal(answer.status, 400, answer.text)
  await bridge.finished()
  assert.equal(bridge.account(user)?.group_id, 101)
})

test('who was moved by a change that is not finished, and whose next change is refused, is moved back', async (t) => {
  const bridge = await startFigshareBridge(t, { isStrict: true })
  const { user, body } = await movedHalfWay(bridge)
  bridge.heal()
  const mail = [{ op: 'replace', path: 'emails[type eq "work"].value', value: 'other@uni.example' }]
  const answer = await bridge.scim.patch(`/Users/${body.id}`, mail)
  assert.deepEqual([answer.status, answer.body.scimType], [400, 'mutability'], answer.text)
  const shown = await bridge.scim.get(`/Users/${body.id}`)
  assert.equal(shown.body[enterpriseUrn].department, 'Physics')
  await bridge.finished()
  assert.equal(bridge.account(user)?.group_id, 101)
})

for (const [leaving, ask] of [
  ['deactivation', (path: string) => ({ patch: path, body: [{ op: 'replace', path: 'active', value: false }] })],
  ['deletion', (path: string) => ({ delete: path })],
] as const) {
  test(`who was moved by a change that is not finished, and whose ${leaving} is refused, is moved back`, async (t) => {
    const bridge = await startFigshareBridge(t)
    const { user, body } = await movedHalfWay(bridge)
    bridge.fault({ ...refusedProfile, path: '/account/institution/accounts' })
    const asked = ask(`/Users/${body.id}`)
    const answer =
      'patch' in asked ? await bridge.scim.patch(asked.patch, asked.body) : await bridge.scim.delete(asked.delete)
    assert.equal(answer.status, 400, answer.text)
    bridge.heal()
    const shown = await bridge.scim.get(`/Users/${body.id}`)
    assert.deepEqual([shown.body.active, shown.body[enterpriseUrn].department], [true, 'Physics'])
    await bridge.finished()
    assert.equal(bridge.account(user)?.group_id, 101)
  })
}

test('who was moved before the bridge was killed, and is refused a title after the restart, is moved back', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { user, body } = await movedHalfWay(bridge)
  // As a kill leaves it: nothing says that there was an attempt.
  bridge.change('update operation set attempts = 0, error_kind = null, error_message = null')
  bridge.fault(refusedProfile)
  await bridge.finished()
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body[enterpriseUrn].department, 'Physics')
  assert.equal(bridge.account(user)?.group_id, 101)
})

test('who is refused after a long time is moved back though the platform is away at first', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { user, body } = await movedHalfWay(bridge)
  bridge.change("update operation set created_at = '2020-01-01T00:00:00.000Z'")
  bridge.fault(refusedProfile)
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, movedAndTitled)).status, 400)
  bridge.fault({ mode: '503' })
  await bridge.until('it is tried', () => bridge.row('select attempts from operation')?.attempts === 1)
  bridge.heal()
  await bridge.finished()
  assert.equal(bridge.account(user)?.group_id, 101)
})

test('who cannot be moved back is shown to an operator, and not tried for ever', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser({ [enterpriseUrn]: { department: 'Physics' } })
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault(refusedProfile)
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, movedAndTitled)).status, 400)
  bridge.fault({ ...refusedProfile, path: '/account/institution/accounts' })
  await bridge.finished()
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body[provisioningUrn].state, 'failed')
  bridge.heal()
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, movedAndTitled)).status, 200)
  assert.equal(bridge.account(user)?.group_id, 102)
})

test('who was made by a create whose answer was lost, and is refused the rest, is nobody, and is off', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  bridge.fault({ mode: 'lost', only: 'writes' })
  assert.equal((await bridge.scim.post('/Users', user)).status, 429)
  const account = bridge.account(user)
  assert.ok(account?.active)
  // By hand, meanwhile: there is something left to write.
  account.profile.last_name = 'Byron'
  bridge.fault(refusedProfile)
  assert.equal((await bridge.scim.post('/Users', user)).status, 400)
  assert.equal((await bridge.scim.get('/Users')).body.totalResults, 0)
  bridge.heal()
  await bridge.finished()
  assert.equal(account.active, false)
  assert.equal((await bridge.scim.post('/Users', user)).status, 201)
  assert.deepEqual([account.active, bridge.accounts(user).length], [true, 1])
})
