/** Whose an account is: let go of, taken over, and written again. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { reapplyBacklog } from '../../src/limits.ts'
import { createLog } from '../../src/log.ts'
import { openBeside } from '../../src/store/beside.ts'
import { openStore } from '../../src/store/open.ts'
import { aUser } from '../bridge-world.ts'
import { emailOf, type FigshareBridge, provisioningUrn, startFigshareBridge } from '../figshare-bridge.ts'
import { aGroup, grantsSeen } from '../grants/grants-world.ts'
import { startReconcileWorld } from '../reconcile/reconcile-world.ts'
import { aLink } from '../store/builders.ts'
import { operate } from './operate.ts'

const off = [{ op: 'replace', path: 'active', value: false }]
const titled = (title: string) => [{ op: 'replace', path: 'title', value: title }]

async function aPerson(bridge: FigshareBridge, change: JsonObject = {}) {
  const user = aUser(change)
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.finished()
  const account = bridge.account(user)
  assert.ok(account !== undefined)
  return { id: String(body.id), path: `/Users/${body.id}`, user, account }
}

const shown = async (bridge: FigshareBridge, path: string) => (await bridge.scim.get(path)).body[provisioningUrn]
const writes = (bridge: FigshareBridge) =>
  bridge.world.sandbox.figshare.calls.filter(({ method }) => method !== 'GET').length

test('an account changed by hand is brought back to what is stored, once, and nobody is switched on by it', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { id, account } = await aPerson(bridge)
  account.profile.last_name = 'By hand'
  assert.equal((await operate(bridge.world, 'reapply', { user: id })).phase, 'done')
  await bridge.finished()
  assert.notEqual(account.profile.last_name, 'By hand')
  account.active = false
  await operate(bridge.world, 'reapply', { user: id })
  await bridge.finished()
  assert.equal(account.active, false)
  const before = writes(bridge)
  await operate(bridge.world, 'reapply', { user: id })
  await bridge.finished()
  assert.equal(writes(bridge), before)
})

test('somebody who has left and was switched on by hand is switched off again', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { id, path, account } = await aPerson(bridge)
  await bridge.scim.patch(path, off)
  account.active = true
  await operate(bridge.world, 'reapply', { user: id })
  await bridge.finished()
  assert.equal(account.active, false)
})

test('all accounts of a connection are written again but those that were let go, and the request says how many', async (t) => {
  const bridge = await startFigshareBridge(t)
  const people = []
  for (let made = 0; made < 5; made += 1) people.push(await aPerson(bridge))
  const [letGo] = people
  await operate(bridge.world, 'unlink', { user: letGo?.id ?? '' })
  for (const { account } of people) account.profile.last_name = 'By hand'
  const done = await operate(bridge.world, 'reapply_all')
  assert.deepEqual([done.phase, done.affected, done.answer], ['done', 4, '4 accounts are written again'])
  await bridge.finished()
  assert.deepEqual(
    people.map(({ account }) => account.profile.last_name === 'By hand'),
    [true, false, false, false, false],
  )
})

test('an account that is gone from the platform makes no user disappear when everything is written again', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { id, path, account } = await aPerson(bridge)
  bridge.world.sandbox.figshare.logic.removeAccount(account.id)
  await operate(bridge.world, 'reapply', { user: id })
  await bridge.until('it failed', async () => (await shown(bridge, path)).state === 'failed')
  assert.equal((await bridge.scim.get(path)).status, 200)
})

test('an account that was let go is never written again, and SCIM says so', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { id, path, account } = await aPerson(bridge)
  const done = await operate(bridge.world, 'unlink', { user: id, why: 'wrong person' })
  assert.equal(
    done.answer,
    `account ${account.id} is no longer written for this user; another one is linked with adopt only`,
  )
  const state = await shown(bridge, path)
  assert.equal(state.state, 'held')
  assert.match(state.detail, /an operator has let go of the account/)
  assert.equal(state.accountId, undefined)
  const before = writes(bridge)
  const answer = await bridge.scim.patch(path, titled('Countess'))
  assert.equal(answer.status, 409)
  assert.match(answer.body.detail, /operator has let go of this user's Figshare account/)
  assert.equal((await bridge.scim.get(path)).body.title, undefined)
  assert.match(
    String((await operate(bridge.world, 'reapply', { user: id })).answer),
    /the account of this user was let go; link one with adopt/,
  )
  assert.equal(writes(bridge), before)
  assert.deepEqual(
    bridge.row("select detail from audit where caller = 'operator grace'")?.detail,
    '{"action":"unlink","why":"wrong person","isForced":false}',
  )
})

test('a departure that is unfinished is not let go of, and with force it ends only when the account is off', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const { id, path, account } = await aPerson(bridge)
  bridge.fault({ mode: 'down' })
  await bridge.scim.patch(path, off)
  const refused = await operate(bridge.world, 'unlink', { user: id })
  assert.equal(refused.phase, 'refused')
  assert.match(String(refused.answer), /was to be switched off, which is not done/)
  const forced = await operate(bridge.world, 'unlink', { user: id, detail: { isForced: true } })
  assert.equal(forced.phase, 'done')
  bridge.heal()
  const waiting = () => bridge.row('select state, error_kind from operation')
  await bridge.until('it was looked at', () => waiting()?.error_kind === 'disputed')
  assert.equal(waiting()?.state, 'waiting')
  assert.ok(bridge.world.logLines.some((line) => line.includes('"alarm":true') && line.includes('was let go')))
  assert.equal(account.active, true)
  // By hand, as the answer said.
  account.active = false
  await bridge.until('the departure has ended', () => waiting() === undefined)
  assert.ok(bridge.row('select unlinked_account_id as id from link')?.id)
})

test('a departure is no younger when an operator names the account that is to be switched off', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { id, path, account } = await aPerson(bridge)
  bridge.fault({ mode: '500', only: 'writes' })
  assert.equal((await bridge.scim.patch(path, off)).status, 429)
  const since = () => bridge.row('select created_at as since from operation')?.since
  const before = since()
  await operate(bridge.world, 'unlink', { user: id, detail: { isForced: true } })
  const adopted = await operate(bridge.world, 'adopt', { user: id, detail: { accountId: String(account.id) } })
  assert.equal(adopted.answer, 'the account is linked, and is switched off now: the user is not active')
  assert.equal(since(), before)
  bridge.heal()
  await bridge.until('it is off', () => !account.active)
})

test('a departure after the account was let go is refused while the account is on, and accepted when it is off', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { id, path, account } = await aPerson(bridge)
  await operate(bridge.world, 'unlink', { user: id })
  const refused = await bridge.scim.patch(path, off)
  assert.equal(refused.status, 409)
  assert.match(refused.body.detail, /it is still on; switch it off in Figshare/)
  assert.equal((await bridge.scim.get(path)).body.active, true)
  account.active = false
  assert.equal((await bridge.scim.patch(path, off)).status, 200)
  assert.equal((await bridge.scim.delete(path)).status, 204)
})

test('an account that an operator names becomes the user’s, whatever match says, and is brought up to date', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { id, path, user, account: wrong } = await aPerson(bridge)
  const right = bridge.world.sandbox.figshare.logic.addAccount({
    email: emailOf(user),
    institution_user_id: String(user.userName),
    last_name: 'Older',
  })
  await operate(bridge.world, 'unlink', { user: id })
  wrong.email = 'wrong@uni.example'
  const done = await operate(bridge.world, 'adopt', { user: id, detail: { accountId: String(right.id) } })
  assert.equal(done.answer, 'the account is linked, and is brought to what is stored now')
  await bridge.finished()
  assert.equal(right.profile.first_name, 'Ada')
  const state = await shown(bridge, path)
  assert.deepEqual([state.state, state.accountId], ['applied', String(right.id)])
  assert.equal((await bridge.scim.patch(path, titled('Countess'))).status, 200)
  assert.equal(right.profile.job_title, 'Countess')
  assert.notEqual(wrong.profile.job_title, 'Countess')
})

test('an account that was let go is not switched off by a reconcile because a former user of it was deleted', async (t) => {
  const world = await startReconcileWorld(t)
  const { path, user, account } = await aPerson(world)
  assert.equal((await world.scim.delete(path)).status, 204)
  const again = await world.scim.post('/Users', user)
  assert.deepEqual([again.status, account.active], [201, true])
  await operate(world.world, 'unlink', { user: again.body.id, why: 'somebody else’s by now' })
  account.email = 'other@uni.example'
  account.institution_user_id = 'other@uni.example'
  const { findings } = await world.reconcile('figshare', { isRepair: true })
  await world.finished()
  assert.equal(account.active, true, JSON.stringify(findings))
})

test('a role that the platform would not take from a deleted user is taken when an operator names the account for whoever comes again', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const former = await aPerson(bridge)
  await bridge.scim.post('/Groups', aGroup('figshare-reviewers', former.id))
  await bridge.finished()
  const refused = { mode: 'answer', status: 400, body: '{"message":"no","code":"x"}', only: 'writes' } as const
  bridge.fault({ ...refused, path: '/account/institution/roles' })
  await bridge.scim.delete(former.path)
  await bridge.finished()
  const rolesOf = () => grantsSeen(bridge.world, 'figshare', emailOf(former.user))
  assert.deepEqual(rolesOf(), ['110:49'])
  // Pushed again, and refused.
  bridge.fault(refused)
  const { body } = await bridge.scim.post('/Users', former.user)
  await bridge.until('it failed', async () => (await shown(bridge, `/Users/${body.id}`)).state === 'failed')
  bridge.heal()
  await operate(bridge.world, 'adopt', { user: body.id, detail: { accountId: String(former.account.id) } })
  await bridge.finished()
  assert.equal(former.account.active, true)
  assert.deepEqual(rolesOf(), [])
})

test('in deferred mode a dispute ends when an operator names the right one of the twins, which is switched on as asked', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const { logic } = bridge.world.sandbox.figshare
  const user = aUser()
  const userName = String(user.userName)
  const chosen = logic.addAccount({
    email: emailOf(user),
    institution_user_id: userName,
    last_name: 'One',
    is_active: false,
  })
  logic.addAccount({ email: 'second@uni.example', institution_user_id: userName, last_name: 'Two' })
  const { body } = await bridge.scim.post('/Users', user)
  const path = `/Users/${body.id}`
  await bridge.until('it failed', async () => (await shown(bridge, path)).state === 'failed')
  await operate(bridge.world, 'adopt', { user: body.id, detail: { accountId: String(chosen.id) } })
  await bridge.finished()
  const state = await shown(bridge, path)
  assert.deepEqual([state.state, state.accountId, chosen.active], ['applied', String(chosen.id), true])
})

test('an account that was let go is given back to its user, whose key has changed since it was made, and to nobody else with one', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { id, path, account } = await aPerson(bridge)
  const other = await aPerson(bridge)
  const renamed = [{ op: 'replace', path: 'userName', value: 'countess@uni.example' }]
  assert.equal((await bridge.scim.patch(path, renamed)).status, 200)
  const adopt = (user: string) => operate(bridge.world, 'adopt', { user, detail: { accountId: String(account.id) } })
  await operate(bridge.world, 'unlink', { user: id })
  await operate(bridge.world, 'unlink', { user: other.id })
  assert.equal((await adopt(other.id)).phase, 'refused')
  const done = await adopt(id)
  assert.equal(done.answer, 'the account is linked, and is brought to what is stored now')
  await bridge.finished()
  assert.equal((await bridge.scim.patch(path, titled('Countess'))).status, 200)
  assert.equal(account.profile.job_title, 'Countess')
})

test('an account that is linked elsewhere, protected, or not there is not adopted, nor one for a user who has one', async (t) => {
  const bridge = await startFigshareBridge(t)
  const one = await aPerson(bridge)
  const other = await aPerson(bridge)
  const adopt = async (accountId: string | number) =>
    String((await operate(bridge.world, 'adopt', { user: one.id, detail: { accountId: String(accountId) } })).answer)
  assert.equal(await adopt(other.account.id), `this user is linked to account ${one.account.id}; unlink it first`)
  await operate(bridge.world, 'unlink', { user: one.id })
  const before = writes(bridge)
  assert.equal(
    await adopt(other.account.id),
    `account ${other.account.id} belongs to user ${other.id}; unlink it there first`,
  )
  assert.equal(await adopt(999_999), 'Figshare has no account 999999')
  const { logic } = bridge.world.sandbox.figshare
  const administrator = logic.addAccount({ email: 'repository-admin@uni.example', last_name: 'Admin' })
  assert.match(await adopt(administrator.id), /is protected \(.*\) and is never taken over/)
  bridge.fault({ mode: 'down' })
  assert.match(await adopt(one.account.id), /Figshare could not be asked for the account/)
  bridge.heal()
  assert.equal(writes(bridge), before)
  assert.equal(await adopt(one.account.id), 'the account is linked, and is brought to what is stored now')
})

test('a reconcile with repair shows an account that was let go as disputed, and does not link it again', async (t) => {
  const world = await startReconcileWorld(t)
  const user = aUser()
  const { body } = await world.scim.post('/Users', user)
  await operate(world.world, 'unlink', { user: body.id })
  const { only } = await world.reconcile('figshare', { isRepair: true })
  const { resourceId, done } = only('disputed')
  assert.equal(resourceId, body.id)
  assert.match(String(done), /an operator has let go of this user’s account/)
  assert.equal((await world.scim.get(`/Users/${body.id}`)).body[provisioningUrn].accountId, undefined)
})

test('a long list is written again in portions: the outbox keeps room for requests, and other orders go first', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const { id } = await aPerson(bridge)
  const file = join(bridge.world.directory, 'bridge.sqlite')
  await bridge.world.restart(async () => {
    const store = await openStore({ kind: 'sqlite', file }, { clock: bridge.world.clock, log: createLog('silent') })
    await store.transaction(async (write) => {
      for (let made = 0; made < reapplyBacklog + 50; made += 1) {
        const json = JSON.stringify({ id: `seed${made}`, userName: `seed${made}@uni.example`, active: true })
        const now = new Date(bridge.world.clock.now()).toISOString()
        await write.insertResource('figshare', { type: 'User', id: `seed${made}`, json, keys: {}, visible: true, now })
        await write.putLink(aLink('figshare', `seed${made}`, { accountId: `9${made}` }))
      }
    })
    await store.close()
  })
  bridge.fault({ mode: 'down' })
  const asked = operate(bridge.world, 'reapply_all')
  const running = () => bridge.row("select affected as n from operator_request where phase = 'running'")?.n
  await bridge.until('the outbox is full', () => running() === reapplyBacklog)
  assert.equal((await operate(bridge.world, 'retry', { user: id })).phase, 'done')
  assert.equal(running(), reapplyBacklog)
  bridge.heal()
  assert.equal((await asked).affected, reapplyBacklog + 51)
})

test('writing all accounts again is cancelled: what is in line is written, the rest stays as it is, and the audit says who', async (t) => {
  const bridge = await startFigshareBridge(t)
  const people = []
  for (let made = 0; made < 3; made += 1) people.push(await aPerson(bridge))
  for (const { account } of people) account.profile.last_name = 'By hand'
  const refused = await operate(bridge.world, 'cancel_reapply')
  assert.match(refused.answer ?? '', /nobody writes all users of figshare again at the moment/)
  // While the bridge is away nothing of it begins.
  const file = join(bridge.world.directory, 'bridge.sqlite')
  const wish = { operator: 'grace', resourceId: undefined, detail: {}, askedAt: bridge.world.clock.now() }
  await bridge.world.restart(() => {
    const beside = openBeside({ kind: 'sqlite', file }, bridge.world.clock)
    return beside
      .addOperatorRequest('figshare', { ...wish, action: 'reapply_all', why: 'new mapping' })
      .then(() => beside.addOperatorRequest('figshare', { ...wish, action: 'cancel_reapply', why: 'too early' }))
      .then(() => beside.close())
  })
  const last = () =>
    bridge.row("select count(*) as n from operator_request where action = 'cancel_reapply' and phase = 'done'")?.n
  await bridge.until('it is cancelled', () => last() === 1)
  bridge.world.clock.advance(10_000)
  await bridge.finished()
  assert.deepEqual(
    people.map(({ account }) => account.profile.last_name),
    ['By hand', 'By hand', 'By hand'],
  )
  const count = bridge.row(
    "select count(*) as n from operator_request where action = 'reapply_all' and phase = 'refused'",
  )
  assert.equal(count?.n, 1)
  const line = bridge.row(
    "select count(*) as n from audit where caller = 'operator grace' and detail like '%cancel_reapply%'",
  )
  assert.equal(line?.n, 1)
})
