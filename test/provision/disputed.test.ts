import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { emailOf, startFigshareBridge } from '../figshare-bridge.ts'

test('two accounts that fit one person are a dispute: 409, an alarm, and neither is touched', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { logic } = bridge.world.sandbox.figshare
  const user = aUser()
  const userName = String(user.userName)
  const twins = [
    logic.addAccount({ email: emailOf(user), institution_user_id: 'other', last_name: 'One' }),
    logic.addAccount({ email: 'second@uni.example', institution_user_id: userName, last_name: 'Two' }),
  ]
  const answer = await bridge.scim.post('/Users', user)
  assert.equal(answer.status, 409, answer.text)
  assert.equal(answer.body.scimType, 'uniqueness')
  assert.match(answer.body.detail, /More than one Figshare account fits/)
  assert.deepEqual(
    twins.map(({ last_name, active }) => [last_name, active]),
    [
      ['One', true],
      ['Two', true],
    ],
  )
  assert.ok(bridge.world.logLines.some((line) => line.includes('"alarm":true') && line.includes('"disputed"')))
  logic.removeAccount(Number(twins[0]?.id))
  const healed = await bridge.scim.post('/Users', user)
  assert.equal(healed.status, 201, healed.text)
  assert.equal(twins[1]?.profile.first_name, 'Ada')
})

test('a person whose account was replaced by another one by hand is a dispute, and the new one is not touched', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { logic } = bridge.world.sandbox.figshare
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  logic.removeAccount(Number(bridge.account(user)?.id))
  const other = logic.addAccount({
    email: emailOf(user),
    institution_user_id: String(user.userName),
    last_name: 'By hand',
  })
  const answer = await bridge.scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'title', value: 'Countess' }])
  assert.equal(answer.status, 409, answer.text)
  assert.equal(other.last_name, 'By hand')
  assert.equal((await bridge.scim.get(`/Users/${body.id}`)).body.title, undefined)
})

test('a deletion of a person whose account was replaced by another one by hand is a dispute, too, and not done', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { logic } = bridge.world.sandbox.figshare
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  const path = `/Users/${body.id}`
  logic.removeAccount(Number(bridge.account(user)?.id))
  const other = logic.addAccount({
    email: emailOf(user),
    institution_user_id: String(user.userName),
    last_name: 'By hand',
  })
  const answer = await bridge.scim.delete(path)
  assert.equal(answer.status, 409, answer.text)
  assert.equal(other.active, true)
  assert.equal((await bridge.scim.get(path)).status, 200)
  logic.removeAccount(other.id)
  assert.equal((await bridge.scim.delete(path)).status, 204)
})

test('in deferred mode a dispute is shown as failed, and a deletion of a user who never had an account ends', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const { logic } = bridge.world.sandbox.figshare
  const user = aUser()
  const other = logic.addAccount({ email: emailOf(user), institution_user_id: 'somebody-else', last_name: 'Byron' })
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.until('it failed', () => bridge.row('select state from operation')?.state === 'failed')
  assert.equal((await bridge.scim.delete(`/Users/${body.id}`)).status, 204)
  await bridge.finished()
  assert.equal(bridge.row('select count(*) as n from operation')?.n, 0)
  assert.equal(other.active, true)
})
