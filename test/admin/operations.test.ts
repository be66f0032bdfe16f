import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { aUser } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type AdminWorld, startAdminWorld, waitingPerson } from './admin-world.ts'

async function world(t: TestContext, change: (figshare: JsonObject) => void = () => {}): Promise<AdminWorld> {
  const started = await startAdminWorld((config) => {
    const { connections } = config
    assert.ok(isJsonObject(connections) && isJsonObject(connections.figshare))
    change(connections.figshare)
  })
  t.after(() => started.stop())
  return started
}

const one = '/connections/figshare'
const why = 'a test'

async function until(at: AdminWorld, what: string, isSo: () => Promise<boolean>): Promise<void> {
  await eventually(what, isSo, () => at.clock.advance(1_000))
}

test('what waits is listed by cause, and all of one cause is tried again', async (t) => {
  const at = await world(t)
  const ids = [await waitingPerson(at), await waitingPerson(at)]
  const { body } = await at.get(`${one}/causes`)
  assert.deepEqual([body.items.length, body.items[0].state, body.items[0].count], [1, 'waiting', 2])
  const [{ errorKind, errorMessage, state }] = body.items
  const cause = new URLSearchParams({ state, errorKind, errorMessage })
  const first = await at.get(`${one}/operations?${cause}&limit=1`)
  const second = await at.get(`${one}/operations?${cause}&limit=1&cursor=${first.body.next}`)
  assert.deepEqual([first.body.items[0].resourceId, second.body.items[0].resourceId], ids)
  assert.match(first.body.items[0].title, /@uni\.example$/)
  const ofKind = await at.get(`${one}/operations?state=waiting&errorKind=${errorKind}`)
  assert.equal(ofKind.body.items.length, 2)
  const overview = await at.get(one)
  assert.deepEqual(
    [overview.body.health.state, overview.body.counts.waiting, overview.body.lastError.errorKind],
    ['retrying', 2, errorKind],
  )
  assert.equal((await at.post(`${one}/causes/retry`, { why, errorKind: 'disputed' })).body.code, 'nothing_unfinished')
  at.sandbox.figshare.fault({ mode: 'ok' })
  const done = await at.post(`${one}/causes/retry`, { why, errorKind, errorMessage })
  assert.deepEqual([done.body.action, done.body.affected], ['retry_cause', 2])
  await until(at, 'all is applied', async () => (await at.get(`${one}/causes`)).body.items.length === 0)
})

test('departures that the guardrail holds are released', async (t) => {
  const at = await world(t, (figshare) => {
    figshare.guardrails = { hold: true }
  })
  const ids: string[] = []
  for (let count = 0; count < 12; count += 1) ids.push((await at.scim('figshare').post('/Users', aUser())).body.id)
  assert.equal((await at.post(`${one}/release`, { why })).body.code, 'not_held')
  for (const id of ids) await at.scim('figshare').delete(`/Users/${id}`)
  const held = await at.get(`${one}/causes`)
  assert.equal(held.body.hasGuardrailHold, true)
  const count = held.body.items.find(({ state }: { state: string }) => state === 'held').count
  const released = await at.post(`${one}/release`, { why })
  assert.deepEqual([released.status, released.body.affected], [200, count])
  await until(at, 'they are gone', async () => (await at.get(`${one}/causes`)).body.items.length === 0)
})

test('a suspended connection says why, is asked again, and has an alarm meanwhile', async (t) => {
  const at = await world(t)
  for (let count = 0; count < 6; count += 1) await waitingPerson(at)
  await until(at, 'calls are suspended', async () => (await at.get(one)).body.suspendedFor !== undefined)
  const { body } = await at.get(one)
  assert.deepEqual([body.health.state, body.health.level], ['suspended', 'bad'])
  await until(at, 'there is an alarm', async () => (await at.get(`${one}/alarms`)).body.items.length > 0)
  const [alarm] = (await at.get(`${one}/alarms`)).body.items
  assert.deepEqual([alarm.kind, alarm.state], ['suspended', 'on'])
  assert.match(alarm.text, /^figshare: calls to the platform are suspended/)
  assert.deepEqual(alarm.tellings, [], 'bridge.yaml names nobody to tell')
  at.sandbox.figshare.fault({ mode: 'ok' })
  assert.equal((await at.post(`${one}/resume`, { why })).body.action, 'resume')
  await until(at, 'all is applied', async () => (await at.get(`${one}/causes`)).body.items.length === 0)
})

test('all accounts are written again, and that is cancelled: what is left stays as it is', async (t) => {
  const at = await world(t)
  assert.deepEqual((await at.get(`${one}/reapply`)).body, {})
  assert.equal((await at.post(`${one}/reapply/cancel`, { why })).body.code, 'nothing_unfinished')
  await at.scim('figshare').post('/Users', aUser())
  const asked = await at.post(`${one}/reapply`, { why })
  assert.deepEqual([asked.body.action, asked.body.affected], ['reapply_all', 1])
  assert.equal((await at.post(`${one}/reapply`, { why })).body.code, 'unfinished')
  assert.equal((await at.get(`${one}/reapply`)).body.last.phase, 'asked')
  const cancelled = await at.post(`${one}/reapply/cancel`, { why: 'too early' })
  assert.deepEqual([cancelled.status, cancelled.body.action], [200, 'cancel_reapply'])
  at.clock.advance(5_000)
  const { last } = (await at.get(`${one}/reapply`)).body
  assert.deepEqual([last.phase, last.affected], ['refused', 0])
  assert.match(last.text, /^cancelled by token:operate-figshare: what is in line already is written/)
  await at.post(`${one}/reapply`, { why })
  await until(at, 'the next one is done', async () => (await at.get(`${one}/reapply`)).body.last.phase === 'done')
})

test('a reconcile is asked for, its findings are listed, and a repair mends them', async (t) => {
  const at = await world(t)
  assert.deepEqual((await at.get(`${one}/findings`)).body, { items: [] })
  const { id } = (await at.scim('figshare').post('/Users', aUser())).body
  const { accountId } = (await at.get(`${one}/people/${id}`)).body.link
  const account = at.sandbox.figshare.logic.state.accounts.get(Number(accountId))
  assert.ok(account !== undefined)
  account.profile.last_name = 'Byhand'
  const last = async () => (await at.get(`${one}/reconcile`)).body.last?.number
  const first = await at.post(`${one}/reconcile`, { why })
  assert.equal(first.body.action, 'reconcile')
  await until(at, 'it is reconciled', async () => (await last()) !== undefined)
  const walk = await last()
  const { body } = await at.get(`${one}/findings?situation=drifted`)
  assert.deepEqual([body.items[0].resourceId, body.items[0].attributes], [id, ['last_name']])
  const page = await at.get(`${one}/findings?limit=1`)
  const next = await at.get(`${one}/findings?limit=1&cursor=${page.body.next}`)
  assert.notEqual(page.body.items[0].accountId, next.body.items[0]?.accountId)
  await at.post(`${one}/reconcile`, { why, repair: true })
  await until(at, 'it is repaired', async () => (await last()) !== walk)
  await until(at, 'it is written', async () => account.profile.last_name !== 'Byhand')
})

test('kept requests are found by person, status, id and time', async (t) => {
  const at = await world(t)
  const { body: user } = await at.scim('figshare').post('/Users', aUser())
  const missing = await at.scim('figshare').get('/Users/nobody')
  const all = await at.get(`${one}/requests`)
  assert.equal(all.body.items.length, 2)
  const only = async (query: string) => {
    const { body } = await at.get(`${one}/requests?${query}`)
    return body.items.map(({ status }: { status: number }) => status)
  }
  assert.deepEqual(await only('status=4xx'), [404])
  assert.deepEqual(await only('status=201'), [201])
  assert.deepEqual(await only(`person=${user.id}`), [201])
  assert.deepEqual(await only(`requestId=${missing.headers['x-request-id']}`), [404])
  assert.deepEqual(await only('to=2000-01-01T00:00:00Z'), [])
  assert.deepEqual(await only('from=2000-01-01T00:00:00Z'), [404, 201])
  const page = await at.get(`${one}/requests?limit=1`)
  assert.deepEqual(await only(`limit=1&cursor=${page.body.next}`), [201])
})

test('parameters that are unknown, come twice or are out of bounds, and cursors of other lists, are refused', async (t) => {
  const at = await world(t)
  for (let count = 0; count < 2; count += 1) await at.scim('figshare').post('/Users', aUser())
  const { next } = (await at.get(`${one}/people?limit=1`)).body
  for (const [path, code] of [
    ['/people?nonsense=1', 'invalid_parameter'],
    ['?limit=1', 'invalid_parameter'],
    ['/people?limit=1&limit=2', 'invalid_parameter'],
    ['/people?limit=0', 'invalid_parameter'],
    ['/people?limit=201', 'invalid_parameter'],
    ['/people?limit=-1', 'invalid_parameter'],
    [`/people?search=${'x'.repeat(2_001)}`, 'invalid_parameter'],
    ['/people?cursor=nonsense', 'invalid_cursor'],
    [`/people?cursor=${next}x`, 'invalid_cursor'],
    [`/requests?cursor=${next}`, 'invalid_cursor'],
    ['/operations', 'invalid_parameter'],
    ['/operations?state=sleeping', 'invalid_parameter'],
    ['/findings?situation=lost', 'invalid_parameter'],
    ['/requests?status=6xx', 'invalid_parameter'],
    ['/requests?from=yesterday', 'invalid_parameter'],
    [`/people?search=${'x'.repeat(14_400)}`, 'uri_too_long'],
  ] as const) {
    const { status, body } = await at.get(one + path)
    assert.deepEqual([status, body.code], [code === 'uri_too_long' ? 414 : 400, code], path.slice(0, 60))
  }
  const action = await at.post(`${one}/resume?force=1`, { why })
  assert.equal(action.body.code, 'invalid_parameter')
})
