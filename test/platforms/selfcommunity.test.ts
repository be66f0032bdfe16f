import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt, jwtVerify } from 'jose'
import { aCommunity, connected, read, secret, started, values, writes } from './scripted-selfcommunity.ts'
import { thrownBy } from './thrown.ts'
import { aCall, groupsOf } from './world.ts'

test('a token is HS256, in seconds, short-lived, unique, and names the service user', async (t) => {
  const { server, connection, clock } = await connected(t, aCommunity())
  await read(connection, '7')
  clock.ms += 61_000
  await read(connection, '7')
  const tokens = server.requests.map(({ headers }) => String(headers.authorization).slice('Bearer '.length))
  const key = new TextEncoder().encode(secret)
  const { payload, protectedHeader } = await jwtVerify(tokens[0] ?? '', key, { currentDate: new Date(started) })
  assert.deepEqual(protectedHeader, { alg: 'HS256', typ: 'JWT' })
  assert.equal(payload.user_id, 2)
  assert.equal(payload.token_type, 'access')
  assert.equal(payload.iat, started / 1000)
  assert.equal(payload.exp, started / 1000 + 120)
  assert.notEqual(decodeJwt(tokens.at(-1) ?? '').jti, payload.jti)
})

test('every path ends in a slash', async (t) => {
  const community = aCommunity()
  const { server, connection } = await connected(t, community)
  const account = await read(connection, '7')
  await connection.update(aCall(), account, values({ email: 'new@uni.example', real_name: 'A', status: 'b' }))
  await connection.writeGrants(aCall(), '7', [{ tag: 'staff' }], [])
  assert.deepEqual(
    server.requests.filter(({ path }) => !path.endsWith('/')),
    [],
  )
})

test('a used token that is refused is renewed once; a new one that is refused is Denied at once', async (t) => {
  const community = aCommunity()
  const { server, connection } = await connected(t, community)
  await read(connection, '7')
  server.forget()
  let refusals = 1
  community.before = () => (refusals-- > 0 ? { status: 401, json: {} } : undefined)
  assert.equal((await read(connection, '7')).id, '7')
  community.before = () => ({ status: 401, json: {} })
  const other = await connected(t, community)
  assert.equal((await thrownBy(other.connection.read(aCall(), '7'))).kind, 'denied')
  assert.equal(other.server.requests.length, 1)
})

test('a right that the service user lacks is Denied, and the secret stands in no error', async (t) => {
  const community = aCommunity()
  community.before = () => ({ status: 403, json: {} })
  const { connection } = await connected(t, community)
  const error = await thrownBy(connection.check(aCall()))
  assert.equal(error.kind, 'denied')
  assert.doesNotMatch(`${error.message} ${error.detail} ${error.stack}`, new RegExp(secret))
})

test('signing up gives ext_id, username and role, tells the id at once, and blocks a person who is inactive', async (t) => {
  const { server, connection } = await connected(t, aCommunity())
  const call = aCall()
  const wanted = {
    ext_id: 'x-eve',
    username: 'eve',
    email: 'eve@uni.example',
    real_name: 'Eve',
    role: 'editor',
    status: 'b',
  }
  const account = await connection.create(call, values(wanted))
  assert.deepEqual(call.createdIds, ['50'])
  assert.equal(account.attributes.get('status'), 'b')
  const { status: _status, ...sent } = wanted
  assert.deepEqual(server.bodyOf('POST /api/v2/sso/signup/'), sent)
})

for (const [what, body] of [
  ['names the field', { errors: [{ field: 'username', messages: [{ message: 'x', code: 'unique' }] }] }],
  ['names nothing', { errors: [{ message: 'x', code: 'invalid' }] }],
  ['is no known shape', { detail: 'no' }],
] as const) {
  test(`a username of another person is Conflict, when the refusal ${what}`, async (t) => {
    const community = aCommunity()
    community.before = ({ path }) => (path.endsWith('/signup/') ? { status: 400, json: body } : undefined)
    const { connection } = await connected(t, community)
    const wanted = values({ ext_id: 'x-new', username: 'ada', email: 'new@uni.example', real_name: 'New' })
    const error = await thrownBy(connection.create(aCall(), wanted))
    assert.equal(error.kind, 'conflict')
    assert.match(error.message, /username/)
  })
}

test('an ext_id that a hidden deleted account reserves is Conflict by its code', async (t) => {
  const community = aCommunity()
  const json = { errors: [{ field: 'ext_id', messages: [{ message: 'x', code: 'unique' }] }] }
  community.before = ({ path }) => (path.endsWith('/signup/') ? { status: 400, json } : undefined)
  const { connection } = await connected(t, community)
  const wanted = values({ ext_id: 'x-old', username: 'old', email: 'old@uni.example', real_name: 'Old' })
  const error = await thrownBy(connection.create(aCall(), wanted))
  assert.equal(error.kind, 'conflict')
  assert.match(error.message, /ext_id/)
})

test('a refusal of sign-up that is about nothing taken is Refused and names the attribute', async (t) => {
  const community = aCommunity()
  const json = { errors: [{ field: 'email', messages: [{ message: 'x', code: 'invalid' }] }] }
  community.before = ({ path }) => (path.endsWith('/signup/') ? { status: 400, json } : undefined)
  const { connection } = await connected(t, community)
  const wanted = values({ ext_id: 'x-1', username: 'one', email: 'bad@@x', real_name: 'One' })
  const error = await thrownBy(connection.create(aCall(), wanted))
  assert.equal(error.kind, 'refused')
  assert.match(error.message, /refuses email/)
  assert.doesNotMatch(error.detail, /bad@@x/)
})

test('find sends the provider with an ext_id and does not believe an answer about somebody else', async (t) => {
  const community = aCommunity()
  const { server, connection } = await connected(t, community)
  assert.equal((await connection.find(aCall(), 'ext_id', 'x-bob', new Map()))[0]?.id, '8')
  assert.equal(server.requests[0]?.query.get('provider'), 'external')
  community.before = ({ path }) => (path.includes('/account/search/') ? { json: community.people[2] } : undefined)
  assert.deepEqual(await connection.find(aCall(), 'ext_id', 'x-bob', new Map()), [])
  assert.deepEqual(await connection.find(aCall(), 'email', 'b@uni.example', new Map()), [])
})

test('a page of HTML with 404 proves no absence', async (t) => {
  const community = aCommunity()
  const { connection } = await connected(t, community)
  assert.deepEqual(await connection.find(aCall(), 'email', 'nobody@uni.example', new Map()), [])
  community.before = () => ({ status: 404, html: '<html>Not Found' })
  assert.equal((await thrownBy(connection.find(aCall(), 'email', 'nobody@uni.example', new Map()))).kind, 'broken')
  assert.equal((await thrownBy(connection.read(aCall(), '7'))).kind, 'broken')
})

test('a soft-deleted account that is hidden everywhere else is still read, as deleted', async (t) => {
  const community = aCommunity()
  const { connection } = await connected(t, community)
  assert.ok(connection.remove)
  await connection.remove(aCall(), '7')
  assert.equal((await read(connection, '7')).attributes.get('status'), 'd')
  await connection.remove(aCall(), '7')
  assert.equal(await connection.read(aCall(), '99'), undefined)
})

test('an account without ext_id gets one when it is adopted; one with another is not adopted', async (t) => {
  const community = aCommunity()
  const ada = community.people.find(({ id }) => id === 7)
  assert.ok(ada)
  ada.ext_id = null
  const { server, connection } = await connected(t, community)
  const account = await read(connection, '7')
  assert.equal(connection.refuseAdoption?.(account, values({ ext_id: 'x-7' })), undefined)
  const after = await connection.update(aCall(), account, values({ ext_id: 'x-7' }))
  assert.equal(after.attributes.get('ext_id'), 'x-7')
  assert.deepEqual(server.bodyOf('POST /api/v2/user/7/provider/'), { provider: 'external', ext_id: 'x-7' })
  assert.match(connection.refuseAdoption?.(after, values({ ext_id: 'x-8' })) ?? '', /another ext_id/)
})

test('tags are given and taken by exact name and type, never by the toggle; an unknown one leaves the set whole', async (t) => {
  const community = aCommunity()
  const { server, connection } = await connected(t, community)
  assert.deepEqual(await connection.writeGrants(aCall(), '7', [{ tag: 'staff' }], []), [{ tag: 'staff' }])
  for (const tag of ['staf', 'posts', 'STAFF']) {
    const error = await thrownBy(connection.writeGrants(aCall(), '7', [{ tag }], [{ tag: 'staff' }]))
    assert.equal(error.kind, 'refused')
  }
  assert.deepEqual(await connection.readGrants(aCall(), '7'), [{ tag: 'staff' }])
  server.forget()
  await connection.writeGrants(aCall(), '7', [{ tag: 'staff' }], [{ tag: 'staff-old' }])
  assert.deepEqual(writes(server), [])
  assert.deepEqual(await connection.writeGrants(aCall(), '7', [], [{ tag: 'staff' }]), [])
  assert.ok(!server.lines().some((line) => line.includes('assign')))
})

test('a tag is made only when none has its name', async (t) => {
  const community = aCommunity()
  const { server, connection } = await connected(t, community)
  assert.equal((await thrownBy(groupsOf(connection).create(aCall(), 'staff'))).kind, 'conflict')
  assert.deepEqual(writes(server), [])
  assert.equal((await groupsOf(connection).create(aCall(), 'sta')).name, 'sta')
  assert.deepEqual(server.bodyOf('POST /api/v2/tag/'), { name: 'sta', type: 'user' })
})
