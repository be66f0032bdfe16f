import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { type FigshareBridge, provisioningUrn, startFigshareBridge } from '../figshare-bridge.ts'
import { operate } from './operate.ts'

const off = [{ op: 'replace', path: 'active', value: false }]
const titled = (title: string) => [{ op: 'replace', path: 'title', value: title }]
const mailed = (email: string) => [{ op: 'replace', path: 'emails', value: [{ value: email, primary: true }] }]

const stateOf = async (bridge: FigshareBridge, id: string) =>
  (await bridge.scim.get(`/Users/${id}`)).body[provisioningUrn]

const lastAudit = (bridge: FigshareBridge) => {
  const row = bridge.row(
    "select caller, detail, resource_id from audit where caller like 'operator %' order by id desc limit 1",
  )
  return { ...row, detail: JSON.parse(String(row?.detail)) }
}

async function aFailure(bridge: FigshareBridge) {
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.finished()
  await bridge.scim.patch(`/Users/${body.id}`, mailed(`new-${user.userName}`))
  await bridge.until('it failed', async () => (await stateOf(bridge, body.id)).state === 'failed')
  return { id: String(body.id), user, account: bridge.account(user) }
}

test('a failed change is tried again when an operator says so, and the audit says who and why', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred', isStrict: true })
  const { id, user, account } = await aFailure(bridge)
  assert.ok(account !== undefined)
  bridge.world.sandbox.figshare.logic.state.setEmail(account, `new-${user.userName}`)
  const done = await operate(bridge.world, 'retry', { user: String(user.userName), why: 'mail mended on the platform' })
  assert.deepEqual([done.phase, done.affected], ['done', 1])
  await bridge.until('it is applied', async () => (await stateOf(bridge, id)).state === 'applied')
  assert.deepEqual(lastAudit(bridge), {
    caller: 'operator grace',
    resource_id: id,
    detail: { action: 'retry', why: 'mail mended on the platform' },
  })
})

test('everything that failed of the same is tried again at once, and nothing else', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred', isStrict: true })
  const failures = [await aFailure(bridge), await aFailure(bridge)]
  for (const { account, user } of failures) {
    if (account !== undefined) bridge.world.sandbox.figshare.logic.state.setEmail(account, `new-${user.userName}`)
  }
  const none = await operate(bridge.world, 'retry_cause', { detail: { kind: 'disputed' } })
  assert.equal(none.phase, 'refused')
  assert.match(String(none.answer), /no failed or waiting work of figshare has this error \(disputed\)/)
  const { kind, message } = bridge.row('select error_kind as kind, error_message as message from operation') ?? {}
  const other = await operate(bridge.world, 'retry_cause', { detail: { kind: String(kind), message: 'other' } })
  assert.equal(other.phase, 'refused')
  const done = await operate(bridge.world, 'retry_cause', { detail: { kind: String(kind), message: String(message) } })
  assert.deepEqual([done.phase, done.affected], ['done', 2])
  await bridge.finished()
  for (const { id } of failures) assert.equal((await stateOf(bridge, id)).state, 'applied')
  assert.deepEqual(lastAudit(bridge).detail, { action: 'retry_cause', why: 'a test', cause: kind, affected: 2 })
})

test('where nothing is unfinished there is nothing to retry, and an unknown person is named as such', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { body } = await bridge.scim.post('/Users', aUser())
  const nothing = await operate(bridge.world, 'retry', { user: body.id })
  assert.equal(nothing.answer, 'nothing is unfinished for this user; to write everything again, use reapply')
  const nobody = await operate(bridge.world, 'retry', { user: 'nobody' })
  assert.equal(nobody.answer, 'connection figshare has no user with this id or userName')
  assert.equal(bridge.row("select 1 from audit where caller like 'operator %'"), undefined)
})

test('an order without a reason, or with a line break in it, is refused', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { body } = await bridge.scim.post('/Users', aUser())
  for (const why of ['', ' ', 'two\nlines', 'x'.repeat(501)]) {
    const refused = await operate(bridge.world, 'reapply', { user: body.id, why })
    assert.equal(refused.answer, 'the reason has to be one line of 1 to 500 characters')
  }
})

test('what an operator holds is not attempted, whatever is pushed, over a restart, until it is released', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  const path = `/Users/${body.id}`
  bridge.fault({ mode: 'down' })
  assert.equal((await bridge.scim.patch(path, titled('Countess'))).status, 429)
  assert.equal((await operate(bridge.world, 'hold', { user: body.id })).phase, 'done')
  bridge.heal()
  const answer = await bridge.scim.patch(path, titled('Duchess'))
  assert.equal(answer.status, 429)
  assert.equal(answer.headers['retry-after'], '3600')
  assert.match(answer.body.detail, /operator holds the changes of this user back/)
  await bridge.world.restart()
  bridge.world.clock.advance(3_600_000)
  const scim = bridge.world.scim('figshare')
  // Another person's request has gone through meanwhile: the outbox does work.
  assert.equal((await scim.post('/Users', aUser())).status, 201)
  assert.equal((await scim.get(path)).body[provisioningUrn].state, 'held')
  assert.notEqual(bridge.account(user)?.profile.job_title, 'Duchess')
  assert.equal((await operate(bridge.world, 'release_all')).phase, 'refused')
  assert.equal(
    (await operate(bridge.world, 'retry', { user: body.id })).answer,
    'the work on this user is held; release it',
  )
  assert.equal((await operate(bridge.world, 'release', { user: body.id })).phase, 'done')
  await bridge.finished()
  assert.equal(bridge.account(user)?.profile.job_title, 'Duchess')
})

test('an operator who holds a departure is told that the account may stay on, and so is the log', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  bridge.fault({ mode: 'down' })
  assert.equal((await bridge.scim.patch(`/Users/${body.id}`, off)).status, 429)
  const held = await operate(bridge.world, 'hold', { user: body.id })
  assert.match(String(held.answer), /may STAY ON until you release it/)
  assert.ok(
    bridge.world.logLines.some(
      (line) => line.includes('an operator holds a departure') && line.includes('"alarm":true'),
    ),
  )
  bridge.heal()
  await operate(bridge.world, 'release', { user: body.id })
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, false)
})

test('what the guardrail has held is released all at once', async (t) => {
  const bridge = await startFigshareBridge(t, { hold: true })
  const people = []
  for (let made = 0; made < 12; made += 1) {
    const user = aUser()
    people.push({ user, id: (await bridge.scim.post('/Users', user)).body.id })
  }
  for (const { id } of people) await bridge.scim.patch(`/Users/${id}`, off)
  assert.equal(people.filter(({ user }) => bridge.account(user)?.active === true).length, 2)
  const done = await operate(bridge.world, 'release_all')
  assert.deepEqual([done.phase, done.affected], ['done', 2])
  await bridge.finished()
  assert.equal(people.filter(({ user }) => bridge.account(user)?.active === true).length, 0)
})

test('calls that are suspended because the platform refused the credentials are resumed by an operator', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  bridge.fault({ mode: '401' })
  assert.equal((await bridge.scim.post('/Users', user)).status, 429)
  bridge.heal()
  const before = bridge.world.clock.now()
  assert.equal((await operate(bridge.world, 'resume')).phase, 'done')
  await bridge.until('the account is there', () => bridge.account(user) !== undefined)
  // By itself it would have waited for an hour.
  assert.ok(bridge.world.clock.now() - before < 600_000)
})
