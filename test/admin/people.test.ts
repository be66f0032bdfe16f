import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type AdminWorld, startAdminWorld, waitingPerson } from './admin-world.ts'

async function world(t: TestContext): Promise<AdminWorld> {
  const started = await startAdminWorld()
  t.after(() => started.stop())
  return started
}

const people = '/connections/figshare/people'

async function untilApplied(at: AdminWorld, id: string): Promise<void> {
  await eventually(
    'the work is done',
    async () => (await at.get(`${people}/${id}`)).body.operation === undefined,
    () => at.clock.advance(1_000),
  )
}

test('people are listed page by page, everybody once, and found by parts of their names', async (t) => {
  const at = await world(t)
  for (let count = 0; count < 5; count += 1)
    await at.scim('figshare').post('/Users', aUser({ userName: `p${count}@uni.example` }))
  const names: string[] = []
  let path = `${people}?limit=2`
  for (let page = 0; page < 3; page += 1) {
    const { body } = await at.get(path)
    names.push(...body.items.map(({ userName }: { userName: string }) => userName))
    path = `${people}?limit=2&cursor=${body.next}`
    assert.equal(body.next === undefined, page === 2)
  }
  assert.deepEqual(
    names,
    [0, 1, 2, 3, 4].map((count) => `p${count}@uni.example`),
  )
  const found = await at.get(`${people}?search=p3%40`)
  assert.deepEqual(
    found.body.items.map(({ userName }: { userName: string }) => userName),
    ['p3@uni.example'],
  )
  const cut = await at.get(`${people}?search=Ada&limit=2`)
  assert.deepEqual([cut.body.items.length, cut.body.isCut], [2, true])
})

test('one person, by id or userName: the resource, the link, the account as last read, grants, history', async (t) => {
  const at = await world(t)
  const { id } = (await at.scim('figshare').post('/Users', aUser({ userName: 'ada@uni.example' }))).body
  const { body } = await at.get(`${people}/ada@uni.example`)
  assert.equal(body.id, id)
  assert.deepEqual(body, (await at.get(`${people}/${id}`)).body)
  assert.deepEqual([body.kind, body.isKnown, body.active, body.link.state], ['person', true, true, 'live'])
  assert.equal(body.resource.userName, 'ada@uni.example')
  const name = body.attributes.find(({ attribute }: { attribute: string }) => attribute === 'first_name')
  assert.deepEqual(name, { attribute: 'first_name', wanted: 'Ada', held: 'Ada', state: 'same' })
  assert.deepEqual(body.actions, ['reapply', 'unlink'])
  assert.equal(body.history.items[0].event, 'outcome')
  const first = await at.get(`${people}/${id}/history?limit=1`)
  const second = await at.get(`${people}/${id}/history?limit=1&cursor=${first.body.next}`)
  assert.ok(second.body.items[0].id < first.body.items[0].id)
})

test('an action needs a reason, is done once, and is in the audit with the token and the reason', async (t) => {
  const at = await world(t)
  const id = await waitingPerson(at)
  for (const [body, code] of [
    [{}, 'invalid_body'],
    [{ why: 7 }, 'invalid_body'],
    [{ why: 'x', force: true }, 'invalid_body'],
    [{ why: ' ' }, 'bad_order'],
    [{ why: 'two\nlines' }, 'bad_order'],
    ['[]', 'invalid_body'],
    ['{"why":"a","why":"b"}', 'invalid_body'],
  ] as const) {
    const refused = await at.post(`${people}/${id}/hold`, body)
    assert.deepEqual([refused.status, refused.body.code], [400, code], JSON.stringify(body))
  }
  const before = await at.get(`${people}/${id}`)
  assert.equal(before.body.operation.state, 'waiting')
  const held = await at.post(`${people}/${id}/hold`, { why: 'ticket 4711' })
  assert.deepEqual(held.body, {
    connection: 'figshare',
    action: 'hold',
    affected: 1,
    text: 'nothing is written for this user until you release it',
  })
  const { body } = await at.get(`${people}/${id}`)
  assert.deepEqual(
    [body.operation.state, body.operation.errorKind, body.actions],
    ['held', 'operator', ['release', 'reapply', 'unlink']],
  )
  const [line] = body.history.items
  assert.equal(line.caller, 'operator token:operate-figshare')
  assert.deepEqual(line.detail, { action: 'hold', why: 'ticket 4711' })
  const retried = await at.post(`${people}/${id}/retry`, { why: 'again' })
  assert.deepEqual([retried.status, retried.body.code, retried.body.whatToDo], [409, 'held', 'Release it first.'])
  assert.match(retried.body.detail, /^Nothing was done: the work on this user is held; release it/)
})

test('retry, release, reapply, unlink and adopt do what the buttons do', async (t) => {
  const at = await world(t)
  const id = await waitingPerson(at)
  at.sandbox.figshare.fault({ mode: 'ok' })
  const act = async (action: string, body: object = {}) => {
    const answer = await at.post(`${people}/${id}/${action}`, { why: 'a test', ...body })
    return [answer.status, answer.body.code ?? answer.body.action]
  }
  assert.deepEqual(await act('release'), [409, 'not_held'])
  assert.deepEqual(await act('hold'), [200, 'hold'])
  assert.deepEqual(await act('release'), [200, 'release'])
  await untilApplied(at, id)
  assert.deepEqual(await act('retry'), [409, 'nothing_unfinished'])
  assert.deepEqual(await act('reapply'), [200, 'reapply'])
  await untilApplied(at, id)
  const { accountId } = (await at.get(`${people}/${id}`)).body.link
  assert.deepEqual(await act('adopt', { account: '1' }), [409, 'linked'])
  assert.deepEqual(await act('unlink', { force: false }), [200, 'unlink'])
  assert.equal((await at.get(`${people}/${id}`)).body.link.unlinkedAccountId, accountId)
  assert.deepEqual(await act('adopt'), [400, 'invalid_body'])
  assert.deepEqual(await act('adopt', { account: '999999' }), [409, 'no_such_account'])
  at.sandbox.figshare.fault({ mode: 'down' })
  assert.deepEqual(await act('adopt', { account: accountId }), [503, 'platform_away'])
  at.sandbox.figshare.fault({ mode: 'ok' })
  assert.deepEqual(await act('adopt', { account: accountId }), [200, 'adopt'])
  await untilApplied(at, id)
  assert.equal((await at.get(`${people}/${id}`)).body.link.accountId, accountId)
})

test('the members of a group come page by page, with what membership gives and whether they have it', async (t) => {
  const at = await world(t)
  const ids: string[] = []
  for (let made = 0; made < 3; made += 1) ids.push((await at.scim('figshare').post('/Users', aUser())).body.id)
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']
  const members = ids.map((value) => ({ value }))
  const group = await at.scim('figshare').post('/Groups', { schemas, displayName: 'figshare-reviewers', members })
  for (const id of ids) await untilApplied(at, id)
  const path = `${people}/${group.body.id}/members?limit=2`
  const first = (await at.get(path)).body
  assert.deepEqual(first.gives, { as: 'grants', grants: [{ group_id: 110, role_id: 49 }] })
  assert.deepEqual([first.count, first.items.length], [3, 2])
  assert.deepEqual([first.items[0].held, first.items[0].wanted], [1, 1])
  const second = (await at.get(`${path}&cursor=${first.next}`)).body
  const found = [...first.items, ...second.items].map(({ id }: { id: string }) => id)
  assert.deepEqual([found, second.next], [ids.toSorted(), undefined])
  assert.equal((await at.get(`${people}/${ids[0]}/members`)).status, 404)
})

test('an account is read now, compared and not stored; where it cannot be read that is said', async (t) => {
  const at = await world(t)
  const { id } = (await at.scim('figshare').post('/Users', aUser())).body
  const { accountId } = (await at.get(`${people}/${id}`)).body.link
  const account = at.sandbox.figshare.logic.state.accounts.get(Number(accountId))
  assert.ok(account !== undefined)
  account.profile.last_name = 'Byhand'
  const differing = (body: { attributes: { attribute: string; state: string }[] }) =>
    body.attributes.filter(({ state }) => state === 'differs').map(({ attribute }) => attribute)
  const read = await at.get(`${people}/${id}/account`)
  assert.deepEqual([read.body.accountId, read.body.isThere, differing(read.body)], [accountId, true, ['last_name']])
  assert.deepEqual(differing((await at.get(`${people}/${id}`)).body), [])
  assert.equal((await at.get(`${people}/${id}/account`, at.token('read'))).status, 403)
  at.sandbox.figshare.fault({ mode: 'down' })
  const away = await at.get(`${people}/${id}/account`)
  assert.deepEqual([away.status, away.body.code], [503, 'platform_away'])
  assert.equal(away.headers.get('retry-after'), '30')
  assert.match(away.body.detail, /^Figshare could not be asked/)
  at.sandbox.figshare.fault({ mode: 'ok' })
  at.sandbox.figshare.logic.removeAccount(Number(accountId))
  assert.deepEqual((await at.get(`${people}/${id}/account`)).body.isThere, false)
})
