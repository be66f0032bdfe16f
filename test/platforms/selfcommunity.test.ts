import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { decodeJwt, jwtVerify } from 'jose'
import { PlatformError } from '../../src/errors.ts'
import type { Attributes, Json } from '../../src/facts.ts'
import type { PlatformConnection } from '../../src/platforms/platform.ts'
import { selfcommunity } from '../../src/platforms/selfcommunity/selfcommunity.ts'
import {
  noPace,
  type ScriptedAnswer,
  type ScriptedRequest,
  type ScriptedServer,
  scriptedServer,
} from './scripted-server.ts'
import { aCall } from './world.ts'

const secret = 'community-secret-of-the-tests-0123456789'
const started = 1_800_000_000_000

interface Person {
  id: number
  username: string
  ext_id: string | null
  email: string
  real_name: string
  status: string
  [name: string]: Json
}

interface Community {
  readonly people: Person[]
  readonly roles: Map<number, string>
  readonly tags: { id: number; name: string; type: string }[]
  readonly held: Map<number, Set<number>>
  /** An answer that comes before the community's own. */
  before?: (request: ScriptedRequest) => ScriptedAnswer | undefined
}

function aCommunity(): Community {
  const ada = { id: 7, username: 'ada', ext_id: 'x-ada', email: 'ada@uni.example', real_name: 'Ada', status: 'a' }
  const bob = { ...ada, id: 8, username: 'bob', ext_id: 'x-bob', email: 'bob@uni.example', status: 'b' }
  const service = { ...ada, id: 2, username: 'service', ext_id: null, email: 's@uni.example' }
  const creator = { ...service, id: 1, username: 'creator', email: 'c@uni.example' }
  return {
    people: [creator, service, ada, bob],
    roles: new Map([[2, 'admin']]),
    tags: [
      { id: 31, name: 'staff', type: 'user' },
      { id: 32, name: 'staff-old', type: 'user' },
      { id: 33, name: 'posts', type: 'category' },
    ],
    held: new Map(),
  }
}

const none = { status: 404, json: { errors: [{ message: 'Not found.', code: 'not_found' }] } }
const page = (results: readonly unknown[]) => ({ json: { count: results.length, next: null, previous: null, results } })

/** As much of a community as these tests need; the sandbox has the whole. */
function answerOf(community: Community, request: ScriptedRequest): ScriptedAnswer {
  const first = community.before?.(request)
  if (first !== undefined) return first
  const { method, path, query } = request
  const caller = decodeJwt(String(request.headers.authorization).slice('Bearer '.length)).user_id
  const parts = path.split('/').filter((part) => part !== '')
  const [area = '', one = '', two = ''] = parts.slice(2)
  const body = request.text === '' ? {} : JSON.parse(request.text)
  const byId = (id: string) => community.people.find((person) => String(person.id) === id)
  if (!path.endsWith('/')) return { status: 301, headers: { location: `${path}/` } }
  if (area === 'account') {
    const [name = '', value = ''] = [...query].find(([key]) => key !== 'provider') ?? []
    const found = community.people.find((person) => person[name] === value && person.status !== 'd')
    return found === undefined ? none : { json: found }
  }
  if (area === 'moderation') {
    const person = byId(two)
    if (method === 'GET')
      return page(community.people.filter(({ status }) => status === (query.get('status') ?? status)))
    if (person === undefined) return none
    person.status = body.status
    return { status: 204 }
  }
  if (area === 'tag' && two !== '') {
    const held = community.held.get(body.user) ?? new Set()
    if (two === 'add') held.add(Number(one))
    else held.delete(Number(one))
    community.held.set(body.user, held)
    return { status: 204 }
  }
  if (area === 'tag' && method === 'POST') {
    const made = { id: 40 + community.tags.length, ...body }
    community.tags.push(made)
    return { status: 201, json: made }
  }
  if (area === 'tag') return page(community.tags.filter(({ name }) => name.includes(query.get('search') ?? '')))
  if (area === 'sso') {
    const made = { real_name: '', ...body, id: 50, status: 'a' }
    community.people.push(made)
    return { status: 201, json: { id: 50, ext_id: body.ext_id, username: body.username } }
  }
  if (one === 'me') {
    const person = byId(String(caller))
    return { json: { ...person, role: community.roles.get(Number(caller)) ?? null } }
  }
  const person = byId(one)
  if (person === undefined || person.status === 'd') return none
  if (two === 'tags') return page(community.tags.filter(({ id }) => community.held.get(person.id)?.has(id)))
  if (two === 'provider') {
    person.ext_id = body.ext_id
    return { status: 201, json: {} }
  }
  if (method === 'DELETE') {
    person.status = 'd'
    return { status: 204 }
  }
  if (method === 'GET') {
    const { email: _email, status: _status, ...profile } = person
    return { json: profile }
  }
  if (caller !== person.id || person.status !== 'a') return { status: 403, json: { errors: [] } }
  Object.assign(person, two === 'change_email' ? { email: body.new_email } : body)
  return two === 'change_email' ? { status: 204 } : { json: person }
}

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

interface Started {
  readonly server: ScriptedServer
  readonly connection: PlatformConnection
  readonly clock: { ms: number }
}

async function connected(community: Community, settings: Record<string, unknown> = {}): Promise<Started> {
  const server = await scriptedServer((request) => answerOf(community, request))
  const clock = { ms: started }
  const connection = selfcommunity.connect(
    selfcommunity.settings.parse({ jwtSecret: secret, userId: 2, ...settings }),
    {
      client: { baseUrl: server.baseUrl, pace: noPace, timeoutMs: 2_000 },
      clock: { now: () => clock.ms, sleep: async () => undefined },
    },
  )
  closing.push(
    () => connection.close(),
    () => server.close(),
  )
  return { server, connection, clock }
}

const values = (entries: Record<string, Json>): Attributes => new Map(Object.entries(entries))
const writes = (server: ScriptedServer) => server.lines().filter((line) => !line.startsWith('GET'))

async function read(connection: PlatformConnection, id: string) {
  const account = await connection.read(aCall(), id)
  assert.ok(account)
  return account
}

async function kindOf(promise: Promise<unknown>): Promise<PlatformError> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof PlatformError, String(error))
    return error
  }
  assert.fail('nothing was thrown')
}

test('a token is HS256, in seconds, short-lived, unique, and names the service user', async () => {
  const { server, connection, clock } = await connected(aCommunity())
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

test('every path ends in a slash', async () => {
  const community = aCommunity()
  const { server, connection } = await connected(community)
  const account = await read(connection, '7')
  await connection.update(aCall(), account, values({ email: 'new@uni.example', real_name: 'A', status: 'b' }))
  await connection.writeGrants(aCall(), '7', [{ tag: 'staff' }], [])
  assert.deepEqual(
    server.requests.filter(({ path }) => !path.endsWith('/')),
    [],
  )
})

test('a used token that is refused is renewed once; a new one that is refused is Denied at once', async () => {
  const community = aCommunity()
  const { server, connection } = await connected(community)
  await read(connection, '7')
  server.forget()
  let refusals = 1
  community.before = () => (refusals-- > 0 ? { status: 401, json: {} } : undefined)
  assert.equal((await read(connection, '7')).id, '7')
  community.before = () => ({ status: 401, json: {} })
  const other = await connected(community)
  assert.equal((await kindOf(other.connection.read(aCall(), '7'))).kind, 'denied')
  assert.equal(other.server.requests.length, 1)
})

test('a right that the service user lacks is Denied, and the secret stands in no error', async () => {
  const community = aCommunity()
  community.before = () => ({ status: 403, json: {} })
  const { connection } = await connected(community)
  const error = await kindOf(connection.check(aCall()))
  assert.equal(error.kind, 'denied')
  assert.doesNotMatch(`${error.message} ${error.detail} ${error.stack}`, new RegExp(secret))
})

test('the e-mail and the profile are changed with a token of the person', async () => {
  const community = aCommunity()
  const { server, connection } = await connected(community)
  const account = await read(connection, '7')
  server.forget()
  const changes = values({ real_name: 'Augusta', email: 'new@uni.example', 'metadata.company_role': 'Countess' })
  const after = await connection.update(aCall(), account, changes)
  assert.deepEqual(writes(server), ['PATCH /api/v2/user/7/change_email/', 'PATCH /api/v2/user/7/'])
  const tokens = server.requests
    .filter(({ method }) => method === 'PATCH')
    .map(({ headers }) => decodeJwt(String(headers.authorization).slice('Bearer '.length)).user_id)
  assert.deepEqual(tokens, [7, 7])
  assert.deepEqual(server.bodyOf('PATCH /api/v2/user/7/change_email/'), { new_email: 'new@uni.example', confirm: 0 })
  assert.equal(after.attributes.get('metadata.company_role'), 'Countess')
})

test('an e-mail in other letters is no change, and nothing is called', async () => {
  const { server, connection } = await connected(aCommunity())
  const account = await read(connection, '7')
  server.forget()
  assert.deepEqual(
    await connection.update(aCall(), account, values({ email: 'ADA@uni.example', status: 'a' })),
    account,
  )
  assert.deepEqual(server.lines(), [])
})

test('edits of a blocked account wait: nothing is called, and nobody is unblocked for them', async () => {
  const { server, connection } = await connected(aCommunity())
  const account = await read(connection, '8')
  server.forget()
  const after = await connection.update(aCall(), account, values({ real_name: 'Robert', status: 'b' }))
  assert.equal(after.attributes.get('real_name'), 'Ada')
  assert.deepEqual(server.lines(), [])
})

test('with editBlocked refuse, edits of a blocked account are Immutable and nothing is called', async () => {
  const { server, connection } = await connected(aCommunity(), { editBlocked: 'refuse' })
  const account = await read(connection, '8')
  server.forget()
  const error = await kindOf(connection.update(aCall(), account, values({ real_name: 'Robert' })))
  assert.equal(error.kind, 'immutable')
  assert.match(error.message, /real_name/)
  assert.deepEqual(server.lines(), [])
})

test('a returner is unblocked, then edited', async () => {
  const { server, connection } = await connected(aCommunity())
  const account = await read(connection, '8')
  server.forget()
  const after = await connection.update(aCall(), account, values({ real_name: 'Robert', status: 'a' }))
  assert.deepEqual(writes(server), ['PATCH /api/v2/moderation/user/8/', 'PATCH /api/v2/user/8/'])
  assert.equal(after.attributes.get('status'), 'a')
  assert.equal(after.attributes.get('real_name'), 'Robert')
})

test('a returner whose edit is refused is blocked again', async () => {
  const community = aCommunity()
  const { connection } = await connected(community)
  const account = await read(connection, '8')
  const error = await kindOf(connection.update(aCall(), account, values({ username: 'other', status: 'a' })))
  assert.equal(error.kind, 'immutable')
  assert.equal(community.people.find(({ id }) => id === 8)?.status, 'b')
})

test('a leaver is edited, then blocked', async () => {
  const { server, connection } = await connected(aCommunity())
  const account = await read(connection, '7')
  server.forget()
  await connection.update(aCall(), account, values({ real_name: 'Augusta', status: 'b' }))
  assert.deepEqual(writes(server), ['PATCH /api/v2/user/7/', 'PATCH /api/v2/moderation/user/7/'])
})

for (const [how, answer] of [
  ['is refused', { status: 400, json: { errors: [] } }],
  ['breaks', { status: 500 }],
] as const) {
  test(`a leaver whose edit ${how} is blocked all the same`, async () => {
    const community = aCommunity()
    const { connection } = await connected(community)
    const account = await read(connection, '7')
    community.before = ({ method, path }) => (method === 'PATCH' && path === '/api/v2/user/7/' ? answer : undefined)
    const update = connection.update(aCall(), account, values({ real_name: 'Augusta', status: 'b' }))
    if (answer.status === 500) assert.equal((await kindOf(update)).kind, 'unknown')
    else assert.equal((await update).attributes.get('status'), 'b')
    assert.equal(community.people.find(({ id }) => id === 7)?.status, 'b')
  })
}

test('the creator and the service user are protected, and no token is ever made for them to be written', async () => {
  const { server, connection } = await connected(aCommunity())
  for (const id of ['1', '2']) {
    const account = await read(connection, id)
    assert.ok(account.protectedBecause)
    assert.equal((await kindOf(connection.update(aCall(), account, values({ status: 'b' })))).kind, 'immutable')
    assert.equal((await kindOf(connection.writeGrants(aCall(), id, [{ tag: 'staff' }], []))).kind, 'immutable')
  }
  assert.deepEqual(writes(server), [])
  const users = server.requests.map(({ headers }) => decodeJwt(String(headers.authorization).slice(7)).user_id)
  assert.ok(!users.includes(1))
})

for (const role of ['admin', 'moderator']) {
  test(`somebody with the role ${role} is never edited, blocked or adopted`, async () => {
    const community = aCommunity()
    community.roles.set(7, role)
    const { server, connection } = await connected(community)
    const account = await read(connection, '7')
    assert.equal((await kindOf(connection.update(aCall(), account, values({ real_name: 'A' })))).kind, 'immutable')
    assert.equal((await kindOf(connection.update(aCall(), account, values({ status: 'b' })))).kind, 'immutable')
    const [found] = await connection.find(aCall(), 'email', 'ada@uni.example', new Map())
    assert.match(found?.protectedBecause ?? '', new RegExp(role))
    assert.deepEqual(writes(server), [])
  })
}

test('signing up gives ext_id, username and role, tells the id at once, and blocks a person who is inactive', async () => {
  const { server, connection } = await connected(aCommunity())
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
  test(`a username of another person is Conflict, when the refusal ${what}`, async () => {
    const community = aCommunity()
    community.before = ({ path }) => (path.endsWith('/signup/') ? { status: 400, json: body } : undefined)
    const { connection } = await connected(community)
    const wanted = values({ ext_id: 'x-new', username: 'ada', email: 'new@uni.example', real_name: 'New' })
    const error = await kindOf(connection.create(aCall(), wanted))
    assert.equal(error.kind, 'conflict')
    assert.match(error.message, /username/)
  })
}

test('an ext_id that a hidden deleted account reserves is Conflict by its code', async () => {
  const community = aCommunity()
  const json = { errors: [{ field: 'ext_id', messages: [{ message: 'x', code: 'unique' }] }] }
  community.before = ({ path }) => (path.endsWith('/signup/') ? { status: 400, json } : undefined)
  const { connection } = await connected(community)
  const wanted = values({ ext_id: 'x-old', username: 'old', email: 'old@uni.example', real_name: 'Old' })
  const error = await kindOf(connection.create(aCall(), wanted))
  assert.equal(error.kind, 'conflict')
  assert.match(error.message, /ext_id/)
})

test('a refusal of sign-up that is about nothing taken is Refused and names the attribute', async () => {
  const community = aCommunity()
  const json = { errors: [{ field: 'email', messages: [{ message: 'x', code: 'invalid' }] }] }
  community.before = ({ path }) => (path.endsWith('/signup/') ? { status: 400, json } : undefined)
  const { connection } = await connected(community)
  const wanted = values({ ext_id: 'x-1', username: 'one', email: 'bad@@x', real_name: 'One' })
  const error = await kindOf(connection.create(aCall(), wanted))
  assert.equal(error.kind, 'refused')
  assert.match(error.message, /refuses email/)
  assert.doesNotMatch(error.detail, /bad@@x/)
})

test('find sends the provider with an ext_id and does not believe an answer about somebody else', async () => {
  const community = aCommunity()
  const { server, connection } = await connected(community)
  assert.equal((await connection.find(aCall(), 'ext_id', 'x-bob', new Map()))[0]?.id, '8')
  assert.equal(server.requests[0]?.query.get('provider'), 'external')
  community.before = ({ path }) => (path.includes('/account/search/') ? { json: community.people[2] } : undefined)
  assert.deepEqual(await connection.find(aCall(), 'ext_id', 'x-bob', new Map()), [])
  assert.deepEqual(await connection.find(aCall(), 'email', 'b@uni.example', new Map()), [])
})

test('a page of HTML with 404 proves no absence', async () => {
  const community = aCommunity()
  const { connection } = await connected(community)
  assert.deepEqual(await connection.find(aCall(), 'email', 'nobody@uni.example', new Map()), [])
  community.before = () => ({ status: 404, html: '<html>Not Found' })
  assert.equal((await kindOf(connection.find(aCall(), 'email', 'nobody@uni.example', new Map()))).kind, 'broken')
  assert.equal((await kindOf(connection.read(aCall(), '7'))).kind, 'broken')
})

test('a soft-deleted account that is hidden everywhere else is still read, as deleted', async () => {
  const community = aCommunity()
  const { connection } = await connected(community)
  assert.ok(connection.remove)
  await connection.remove(aCall(), '7')
  assert.equal((await read(connection, '7')).attributes.get('status'), 'd')
  await connection.remove(aCall(), '7')
  assert.equal(await connection.read(aCall(), '99'), undefined)
})

test('an account without ext_id gets one when it is adopted; one with another is not adopted', async () => {
  const community = aCommunity()
  const ada = community.people.find(({ id }) => id === 7)
  assert.ok(ada)
  ada.ext_id = null
  const { server, connection } = await connected(community)
  const account = await read(connection, '7')
  assert.equal(connection.refuseAdoption?.(account, values({ ext_id: 'x-7' })), undefined)
  const after = await connection.update(aCall(), account, values({ ext_id: 'x-7' }))
  assert.equal(after.attributes.get('ext_id'), 'x-7')
  assert.deepEqual(server.bodyOf('POST /api/v2/user/7/provider/'), { provider: 'external', ext_id: 'x-7' })
  assert.match(connection.refuseAdoption?.(after, values({ ext_id: 'x-8' })) ?? '', /another ext_id/)
})

test('tags are given and taken by exact name and type, never by the toggle; an unknown one leaves the set whole', async () => {
  const community = aCommunity()
  const { server, connection } = await connected(community)
  assert.deepEqual(await connection.writeGrants(aCall(), '7', [{ tag: 'staff' }], []), [{ tag: 'staff' }])
  for (const tag of ['staf', 'posts', 'STAFF']) {
    const error = await kindOf(connection.writeGrants(aCall(), '7', [{ tag }], [{ tag: 'staff' }]))
    assert.equal(error.kind, 'refused')
  }
  assert.deepEqual(await connection.readGrants(aCall(), '7'), [{ tag: 'staff' }])
  server.forget()
  await connection.writeGrants(aCall(), '7', [{ tag: 'staff' }], [{ tag: 'staff-old' }])
  assert.deepEqual(writes(server), [])
  assert.deepEqual(await connection.writeGrants(aCall(), '7', [], [{ tag: 'staff' }]), [])
  assert.ok(!server.lines().some((line) => line.includes('assign')))
})

test('a tag is made only when none has its name', async () => {
  const community = aCommunity()
  const { server, connection } = await connected(community)
  await connection.createGroup?.(aCall(), 'staff')
  assert.deepEqual(writes(server), [])
  await connection.createGroup?.(aCall(), 'sta')
  assert.deepEqual(server.bodyOf('POST /api/v2/tag/'), { name: 'sta', type: 'user' })
})

test('a walk lists active, blocked and deleted people once, with their e-mail', async () => {
  const community = aCommunity()
  community.people.push({ ...(community.people[2] as Person), id: 9, username: 'gone', status: 'd' })
  const { connection } = await connected(community)
  const listed: string[] = []
  let cursor: string | undefined
  do {
    const { accounts, next } = await connection.list(aCall(), cursor)
    for (const { id, attributes } of accounts)
      listed.push(`${id} ${attributes.get('status')} ${attributes.get('email')}`)
    // Ada is blocked by hand while the walk goes on: she would come again among the blocked.
    for (const person of community.people) if (person.id === 7) person.status = 'b'
    cursor = next
  } while (cursor !== undefined)
  assert.deepEqual(listed, [
    '1 a c@uni.example',
    '2 a s@uni.example',
    '7 a ada@uni.example',
    '8 b bob@uni.example',
    '9 d ada@uni.example',
  ])
})

test('an account that vanished between the read and the edit is Absent', async () => {
  const community = aCommunity()
  const { connection } = await connected(community)
  const account = await read(connection, '7')
  community.people.splice(2, 1)
  for (const status of [401, 403, 404]) {
    community.before = ({ path, method }) =>
      path.endsWith('/me/') || method === 'PATCH' ? { status, json: { errors: [] } } : undefined
    const error = await kindOf(connection.update(aCall(), account, values({ real_name: 'A' })))
    assert.equal(error.kind, 'absent', String(status))
  }
})
