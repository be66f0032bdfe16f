import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import type { Attributes, Json } from '../../src/facts.ts'
import { facts } from '../../src/platforms/openspecimen/facts.ts'
import { openspecimen } from '../../src/platforms/openspecimen/openspecimen.ts'
import type { PlatformConnection } from '../../src/platforms/platform.ts'
import { noPace, type Script, type ScriptedServer, scriptedServer } from './scripted-server.ts'
import { thrownBy } from './thrown.ts'
import { aCall } from './world.ts'

const ada = {
  id: 7,
  loginName: 'ada',
  domainName: 'saml',
  emailAddress: 'ada@uni.example',
  firstName: 'Ada',
  lastName: 'Lovelace',
  instituteName: 'Example University',
  phoneNumber: '1',
  type: 'NONE',
  activityStatus: 'Active',
}
const row = { id: 7, type: 'NONE', loginName: 'ada', domain: 'saml' }
const session = { json: { id: 2, token: 'first', admin: true, instituteAdmin: false } }
const gone = { status: 400, json: [{ code: 'USER_NOT_FOUND', message: 'User does not exist.' }] }

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function connected(script: Script): Promise<{ server: ScriptedServer; connection: PlatformConnection }> {
  const server = await scriptedServer(script, '/openspecimen/rest/ng')
  const connection = openspecimen.connect(openspecimen.settings.parse({ user: 'bridge', password: 'secret' }), {
    client: { baseUrl: server.baseUrl, pace: noPace, timeoutMs: 2_000 },
    clock: { now: () => 1_000, sleep: async () => undefined },
  })
  closing.push(
    () => connection.close(),
    () => server.close(),
  )
  return { server, connection }
}

const person = (entries: Record<string, Json>): Attributes => new Map(Object.entries(entries))

test('a session that ended in the middle is renewed once, and the call is repeated', async () => {
  let signIns = 0
  const { server, connection } = await connected(({ path, headers }) => {
    if (path === '/sessions') return { json: { id: 2, token: `token-${++signIns}` } }
    return headers['x-os-api-token'] === 'token-2' ? { json: ada } : { status: 401, html: '<html>Unauthorized' }
  })
  const account = await connection.read(aCall(), '7')
  assert.equal(account?.attributes.get('loginName'), 'ada')
  assert.deepEqual(server.lines(), ['POST /sessions', 'GET /users/7', 'POST /sessions', 'GET /users/7'])
})

test('many calls that lose the same session sign in once', async () => {
  let signIns = 0
  const { connection } = await connected(({ path, headers }) => {
    if (path === '/sessions') return { json: { id: 2, token: `token-${++signIns}` } }
    return headers['x-os-api-token'] === 'token-1' ? { status: 401, html: '<html>' } : { json: ada }
  })
  await Promise.all([1, 2, 3, 4, 5].map(() => connection.read(aCall(), '7')))
  assert.equal(signIns, 2)
})

test('a new session that is refused as well is Denied, and nothing signs in again', async () => {
  const { server, connection } = await connected(({ path }) =>
    path === '/sessions' ? session : { status: 401, html: '<html>Unauthorized' },
  )
  assert.equal((await thrownBy(connection.read(aCall(), '7'))).kind, 'denied')
  assert.equal((await thrownBy(connection.read(aCall(), '7'))).kind, 'denied')
  assert.equal(server.lines().filter((line) => line === 'POST /sessions').length, 2)
})

test('a refused sign-in is never tried again by itself, because five of them lock the service account', async () => {
  const refusal = { status: 400, json: [{ code: 'AUTH_USER_CREDENTIALS_INVALID', message: 'Invalid' }] }
  const { server, connection } = await connected(() => refusal)
  const errors = await Promise.all([1, 2, 3].map(() => thrownBy(connection.read(aCall(), '7'))))
  assert.deepEqual(
    errors.map((error) => error.kind),
    ['denied', 'denied', 'denied'],
  )
  await thrownBy(connection.find(aCall(), 'loginName', 'ada', new Map()))
  assert.deepEqual(server.lines(), ['POST /sessions'])
})

test('check tries a refused sign-in once more', async () => {
  let isRight = false
  const { connection } = await connected(({ path }) => {
    if (path !== '/sessions') return { json: ada }
    return isRight ? session : { status: 400, json: [{ code: 'AUTH_USER_CREDENTIALS_INVALID' }] }
  })
  await thrownBy(connection.check(aCall()))
  isRight = true
  await thrownBy(connection.read(aCall(), '7'))
  await connection.check(aCall())
  assert.equal((await connection.read(aCall(), '7'))?.id, '7')
})

test('a service account that must set its password first is Denied at the first answer, although that is a 200', async () => {
  const { server, connection } = await connected(() => ({ json: { resetPasswordToken: 'r' } }))
  const error = await thrownBy(connection.read(aCall(), '7'))
  assert.equal(error.kind, 'denied')
  assert.match(error.detail, /must set a new password/)
  await thrownBy(connection.read(aCall(), '7'))
  assert.deepEqual(server.lines(), ['POST /sessions'])
})

test('the password stands in no error', async () => {
  const { connection } = await connected(() => ({ status: 400, json: [{ code: 'X', message: 'secret' }] }))
  const error = await thrownBy(connection.read(aCall(), '7'))
  assert.doesNotMatch(`${error.message} ${error.detail} ${error.stack}`, /secret/)
})

test('a name in other letters is no change, and nothing is called', async () => {
  const { server, connection } = await connected(({ path }) => (path === '/sessions' ? session : { json: ada }))
  const before = await connection.read(aCall(), '7')
  assert.ok(before)
  server.forget()
  const after = await connection.update(
    aCall(),
    before,
    person({ loginName: 'ADA', emailAddress: 'Ada@Uni.example', firstName: 'Ada', activityStatus: 'Active' }),
  )
  assert.deepEqual(after, before)
  assert.deepEqual(server.lines(), [])
})

test('only changed members are sent, a cleared one as blank', async () => {
  let stored: Record<string, Json> = ada
  const { server, connection } = await connected(({ method, path, text }) => {
    if (path === '/sessions') return session
    if (method === 'PATCH') stored = { ...stored, ...JSON.parse(text) }
    return { json: stored }
  })
  const before = await connection.read(aCall(), '7')
  assert.ok(before)
  const after = await connection.update(
    aCall(),
    before,
    person({ firstName: 'Augusta', emailAddress: 'ADA@uni.example', phoneNumber: null }),
  )
  assert.deepEqual(server.bodyOf('PATCH /users/7'), { firstName: 'Augusta', phoneNumber: '' })
  assert.equal(after.attributes.has('phoneNumber'), false)
})

test('an update never un-locks a locked account', async () => {
  const locked = { ...ada, activityStatus: 'Locked' }
  const { server, connection } = await connected(({ path }) => (path === '/sessions' ? session : { json: locked }))
  const before = await connection.read(aCall(), '7')
  assert.ok(before)
  await connection.update(aCall(), before, person({ activityStatus: 'Active' }))
  assert.deepEqual(server.lines(), ['POST /sessions', 'GET /users/7'])
})

test('a status that OpenSpecimen ignores with 200 is Broken', async () => {
  const { connection } = await connected(({ path }) => (path === '/sessions' ? session : { json: ada }))
  const before = await connection.read(aCall(), '7')
  assert.ok(before)
  const error = await thrownBy(connection.update(aCall(), before, person({ activityStatus: 'Closed' })))
  assert.equal(error.kind, 'broken')
  assert.match(error.detail, /activity-status answered 200, unchanged/)
})

for (const activityStatus of ['Locked', 'Pending', 'Disabled']) {
  test(`the status ${activityStatus} is never written, whatever a mapping says`, async () => {
    const { server, connection } = await connected(({ path }) => (path === '/sessions' ? session : { json: ada }))
    const before = await connection.read(aCall(), '7')
    assert.ok(before)
    server.forget()
    assert.equal((await thrownBy(connection.update(aCall(), before, person({ activityStatus })))).kind, 'immutable')
    assert.equal(
      (await thrownBy(connection.create(aCall(), person({ ...withoutId(ada), activityStatus })))).kind,
      'immutable',
    )
    assert.deepEqual(server.lines(), [])
  })
}

test('a log-in name that is taken in the new domain is Conflict: OpenSpecimen itself would not look', async () => {
  const other = { ...ada, id: 9, domainName: 'ldap' }
  const { server, connection } = await connected(({ path }) => {
    if (path === '/sessions') return session
    if (path === '/users') return { json: [{ ...row, id: 9, domain: 'ldap' }] }
    return { json: path === '/users/9' ? other : ada }
  })
  const before = await connection.read(aCall(), '7')
  assert.ok(before)
  const error = await thrownBy(connection.update(aCall(), before, person({ domainName: 'ldap' })))
  assert.equal(error.kind, 'conflict')
  assert.ok(!server.lines().some((line) => line.startsWith('PATCH')))
})

test('a leaver whose new e-mail is taken is closed all the same, and the e-mail stays', async () => {
  let stored = ada
  const { server, connection } = await connected(({ method, path }) => {
    if (path === '/sessions') return session
    if (method === 'PUT') stored = { ...stored, activityStatus: 'Closed' }
    return method === 'PATCH' ? { status: 400, json: [{ code: 'USER_DUP_EMAIL' }] } : { json: stored }
  })
  const before = await connection.read(aCall(), '7')
  assert.ok(before)
  server.forget()
  const changes = person({ activityStatus: 'Closed', emailAddress: 'bob@uni.example' })
  const after = await connection.update(aCall(), before, changes)
  assert.equal(after.attributes.get('activityStatus'), 'Closed')
  assert.equal(after.attributes.get('emailAddress'), 'ada@uni.example')
  assert.equal(server.lines()[0], 'PUT /users/7/activity-status')
})

test('a returner whose edit is refused is not switched on', async () => {
  const { server, connection } = await connected(({ method, path }) => {
    if (path === '/sessions') return session
    if (method === 'PATCH') return { status: 400, json: [{ code: 'INSTITUTE_NOT_FOUND' }] }
    return { json: { ...ada, activityStatus: 'Closed' } }
  })
  const before = await connection.read(aCall(), '7')
  assert.ok(before)
  const error = await thrownBy(
    connection.update(aCall(), before, person({ activityStatus: 'Active', instituteName: 'Nowhere' })),
  )
  assert.equal(error.kind, 'refused')
  assert.match(error.message, /instituteName names no institute/)
  assert.ok(!server.lines().some((line) => line.startsWith('PUT')))
})

for (const [codes, kind] of [
  [['USER_DUP_LOGIN_NAME', 'USER_DUP_EMAIL'], 'conflict'],
  [['USER_DUP_EMAIL', 'INSTITUTE_NOT_FOUND'], 'refused'],
  [['RBAC_ACCESS_DENIED'], 'denied'],
  [['USER_NOT_FOUND'], 'absent'],
  [['USER_EMAIL_SELF_UPDATE_NA'], 'immutable'],
  [['INVALID_REQUEST'], 'fault'],
  [['SOMETHING_NEW'], 'refused'],
] as const) {
  test(`400 with ${codes.join(' and ')} is ${kind}: the codes decide, not the status`, async () => {
    const { connection } = await connected(({ method, path }) => {
      if (path === '/sessions') return session
      return method === 'PATCH' ? { status: 400, json: codes.map((code) => ({ code, message: 'x' })) } : { json: ada }
    })
    const before = await connection.read(aCall(), '7')
    assert.ok(before)
    const error = await thrownBy(connection.update(aCall(), before, person({ firstName: 'Augusta' })))
    assert.equal(error.kind, kind)
  })
}

test('500 to a write is Unknown', async () => {
  const { connection } = await connected(({ path }) =>
    path === '/sessions' ? session : { status: 500, json: [{ code: 'internal_error' }] },
  )
  assert.equal((await thrownBy(connection.create(aCall(), person(withoutId(ada))))).kind, 'unknown')
})

function withoutId({ id: _id, ...rest }: typeof ada): Record<string, Json> {
  return rest
}

test('an institute that OpenSpecimen replaced silently is Broken, and the id is known before', async () => {
  const { connection } = await connected(({ path }) =>
    path === '/sessions' ? session : { json: { ...ada, instituteName: "The service account's own" } },
  )
  const call = aCall()
  const error = await thrownBy(connection.create(call, person(withoutId(ada))))
  assert.equal(error.kind, 'broken')
  assert.match(error.detail, /instituteName/)
  assert.deepEqual(call.createdIds, ['7'])
})

test('a find asks for all statuses, without live wildcards, and compares the rows itself', async () => {
  const { server, connection } = await connected(({ path }) => {
    if (path === '/sessions') return session
    if (path !== '/users') return { json: { ...ada, id: 9, loginName: 'a_da%Ada', activityStatus: 'Closed' } }
    const others = { ...row, id: 8, loginName: 'axda-ada' }
    return {
      json: [
        others,
        { ...row, id: 9, loginName: 'A_DA%ada' },
        { ...row, id: 10, loginName: 'a_da%ada', domain: 'ldap' },
      ],
    }
  })
  const found = await connection.find(aCall(), 'loginName', 'a_da%ada', person({ domainName: 'saml' }))
  assert.deepEqual(
    found.map(({ id }) => id),
    ['9'],
  )
  const query = server.requests.find(({ path }) => path === '/users')?.query
  assert.equal(query?.get('activityStatus'), 'all')
  assert.equal(query?.get('loginName'), 'ada')
  assert.equal(query?.get('domainName'), 'saml')
})

test('a walk whose pages shift lists everybody once', async () => {
  const ids = Array.from({ length: 51 }, (_, index) => index + 1)
  // The first pass misses 51 because 50 came twice; equal names have no order.
  const pages = new Map([
    ['1.0', ids.slice(0, 50)],
    ['1.50', [50]],
    ['2.0', ids.slice(1, 51)],
    ['2.50', [1]],
  ])
  let pass = 0
  const { connection } = await connected(({ path, query }) => {
    if (path === '/sessions') return session
    if (path === '/users/count') return { json: { count: 51 } }
    if (path !== '/users') return { json: { ...ada, id: Number(path.split('/')[2]) } }
    const start = query.get('start')
    if (start === '0') pass++
    return { json: (pages.get(`${pass}.${start}`) ?? []).map((id) => ({ ...row, id })) }
  })
  const listed: string[] = []
  let cursor: string | undefined
  do {
    const page = await connection.list(aCall(), cursor)
    listed.push(...page.accounts.map(({ id }) => id))
    cursor = page.next
  } while (cursor !== undefined)
  assert.deepEqual(
    listed.map(Number).sort((a, b) => a - b),
    ids,
  )
})

for (const [why, change] of [
  ['a super administrator', { type: 'SUPER' }],
  ['an API user', { apiUser: true }],
  ['the built-in account', { loginName: '$system' }],
  ['the service account', { id: 2 }],
] as const) {
  test(`${why} is protected, and no write reaches it`, async () => {
    const { server, connection } = await connected(({ path }) =>
      path === '/sessions' ? session : { json: { ...ada, ...change } },
    )
    const before = await connection.read(aCall(), 'id' in change ? '2' : '7')
    assert.ok(before?.protectedBecause)
    server.forget()
    const error = await thrownBy(connection.update(aCall(), before, person({ activityStatus: 'Closed' })))
    assert.equal(error.kind, 'immutable')
    assert.ok(connection.remove)
    await thrownBy(connection.remove(aCall(), before.id))
    assert.ok(server.lines().every((line) => line.startsWith('GET')))
  })
}

test('an account that specimens refer to is closed instead of deleted', async () => {
  let stored = ada
  const { connection } = await connected(({ method, path }) => {
    if (path === '/sessions') return session
    if (method === 'DELETE') return { status: 400, json: [{ code: 'USER_REF_ENTITY_FOUND' }] }
    if (method === 'PUT') stored = { ...stored, activityStatus: 'Closed' }
    return { json: stored }
  })
  assert.ok(connection.remove)
  await connection.remove(aCall(), '7')
  assert.equal(stored.activityStatus, 'Closed')
})

test('the role that comes with the type INSTITUTE is neither shown nor taken, and an unknown role leaves the set whole', async () => {
  const roles = [
    { id: 1, role: { name: 'Administrator' }, systemRole: true },
    { id: 2, role: { name: 'Technician' }, site: { id: 5, name: 'Main' } },
  ]
  const { server, connection } = await connected(({ method, path, text }) => {
    if (path === '/sessions') return session
    const role = method === 'POST' ? JSON.parse(text) : undefined
    if (role?.role.name === 'Nothing') return { status: 400, json: [{ code: 'RBAC_ROLE_NOT_FOUND' }] }
    if (role !== undefined) roles.push({ id: 3, ...role })
    if (method === 'DELETE')
      roles.splice(
        roles.findIndex(({ id }) => path.endsWith(`/${id}`)),
        1,
      )
    return { json: method === 'GET' ? roles : roles[0] }
  })
  const error = await thrownBy(
    connection.writeGrants(
      aCall(),
      '7',
      [{ role: 'Coordinator' }, { role: 'Nothing' }],
      [{ role: 'Technician', site: 'Main' }],
    ),
  )
  assert.equal(error.kind, 'refused')
  assert.deepEqual(await connection.readGrants(aCall(), '7'), [{ role: 'Technician', site: 'Main' }])
  await connection.writeGrants(aCall(), '7', [], [{ role: 'Administrator' }])
  assert.equal(roles.length, 2)
  server.forget()
  await connection.writeGrants(aCall(), '7', [{ role: 'technician', site: 'Main' }], [{ role: 'Coordinator' }])
  assert.deepEqual(server.lines(), ['GET /rbac/subjects/7/roles'])
})

test('an account that is gone is undefined, and a page with 200 is Broken', async () => {
  const { connection } = await connected(({ path }) => {
    if (path === '/sessions') return session
    return path === '/users/8' ? { html: '<html>Maintenance' } : gone
  })
  assert.equal(await connection.read(aCall(), '7'), undefined)
  assert.equal(await connection.read(aCall(), 'not-a-number'), undefined)
  assert.equal((await thrownBy(connection.read(aCall(), '8'))).kind, 'broken')
})

test('a time zone is a name of the IANA database: OpenSpecimen would store anything', () => {
  const check = facts.attributes.get('timeZone')?.check
  for (const name of ['Europe/Berlin', 'UTC', 'Etc/GMT+5', 'US/Pacific', 'Asia/Calcutta', 'Europe/Kyiv'])
    assert.equal(check?.(name), undefined, name)
  for (const name of ['Pacific Standard Time', 'europe/berlin', 'EUROPE/BERLIN', '+01:00', 'Elsewhere', ''])
    assert.match(check?.(name) ?? '', /is no time zone/, name)
})
