import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { UnsecuredJWT } from 'jose'
import { PlatformError } from '../../src/errors.ts'
import type { Attributes, Json } from '../../src/facts.ts'
import { dspace } from '../../src/platforms/dspace/dspace.ts'
import type { PlatformConnection } from '../../src/platforms/platform.ts'
import {
  noPace,
  type ScriptedAnswer,
  type ScriptedRequest,
  type ScriptedServer,
  scriptedServer,
} from './scripted-server.ts'
import { aCall } from './world.ts'

const started = 1_800_000_000_000
const serviceId = '00000000-0000-4000-8000-000000000002'
const adaId = '00000000-0000-4000-8000-000000000007'
const bobId = '00000000-0000-4000-8000-000000000008'

interface Person {
  uuid: string
  email: string
  netid: string | null
  canLogIn: boolean
  requireCertificate: boolean
  metadata: Record<string, { value: string }[]>
}

interface Repository {
  readonly people: Person[]
  readonly groups: { uuid: string; name: string; permanent: boolean }[]
  /** Person → groups. */
  readonly members: Map<string, Set<string>>
  version: { dspaceVersion: string; crisVersion?: string }
  readonly clock: { ms: number }
  pair: number
  tokens: string[]
  hasCsrfEndpoint: boolean
  before?: (request: ScriptedRequest) => ScriptedAnswer | undefined
}

function aPerson(uuid: string, email: string, netid: string | null = null): Person {
  const metadata = { 'eperson.firstname': [{ value: 'First' }], 'eperson.lastname': [{ value: 'Last' }] }
  return { uuid, email, netid, canLogIn: true, requireCertificate: false, metadata }
}

function aRepository(): Repository {
  const names = ['Administrator', 'Anonymous', 'Staff', 'Staff (old)', 'COLLECTION_1_SUBMIT']
  return {
    people: [
      aPerson(serviceId, 'bridge@uni.example'),
      aPerson(adaId, 'ada@uni.example', 'ada@idp'),
      aPerson(bobId, 'bob@uni.example'),
    ],
    groups: names.map((name, at) => ({
      uuid: `00000000-0000-4000-8000-00000000010${at}`,
      name,
      permanent: name.startsWith('A'),
    })),
    members: new Map(),
    version: { dspaceVersion: 'DSpace 9.3' },
    clock: { ms: started },
    pair: 1,
    tokens: [],
    hasCsrfEndpoint: true,
  }
}

const missing = { status: 404, json: { status: 404, error: 'Not Found', message: 'Not found', path: '/' } }

function pairHeaders(repository: Repository): Record<string, string | string[]> {
  const value = `pair-${repository.pair}`
  return {
    'DSPACE-XSRF-TOKEN': value,
    'Set-Cookie': [
      'DSPACE-XSRF-COOKIE=; Path=/server; Max-Age=0; HttpOnly',
      `DSPACE-XSRF-COOKIE=${value}; Path=/server; HttpOnly; SameSite=Lax`,
    ],
  }
}

function logIn(repository: Repository): ScriptedAnswer {
  repository.pair++
  const exp = repository.clock.ms / 1000 + 1_800
  const token = new UnsecuredJWT({ eid: serviceId, exp, n: repository.tokens.length }).encode()
  repository.tokens.push(token)
  return { headers: { ...pairHeaders(repository), authorization: `Bearer ${token}` } }
}

const page = (name: string, rows: readonly unknown[]) => {
  const numbers = { size: 100, number: 0, totalPages: rows.length === 0 ? 0 : 1, totalElements: rows.length }
  return { page: numbers, ...(rows.length === 0 ? {} : { _embedded: { [name]: rows } }) }
}

/** As much of a repository as these tests need; the sandbox has the whole. */
function answerOf(repository: Repository, request: ScriptedRequest): ScriptedAnswer {
  const first = repository.before?.(request)
  if (first !== undefined) return first
  const { method, path, query, headers } = request
  const bearer = String(headers.authorization ?? '').slice('Bearer '.length)
  if (path === '/api/security/csrf')
    return repository.hasCsrfEndpoint ? { status: 204, headers: pairHeaders(repository) } : missing
  if (path === '/api/authn/status') return { headers: pairHeaders(repository), json: { authenticated: bearer !== '' } }
  if (path === '/api') return { json: repository.version }
  if (method !== 'GET' && headers.cookie !== `DSPACE-XSRF-COOKIE=${String(headers['x-xsrf-token'])}`)
    return { status: 403, headers: pairHeaders(repository), json: { message: 'Access is denied. Invalid CSRF token.' } }
  if (path === '/api/authn/login') {
    const form = new URLSearchParams(request.text)
    if (form.get('password') === 'pass word&+') return logIn(repository)
    return repository.tokens.at(-1) === bearer && bearer !== '' ? logIn(repository) : { status: 401, json: {} }
  }
  if (!repository.tokens.includes(bearer)) return { status: 401, json: { message: 'Authentication is required' } }
  return answerSignedIn(repository, { ...request, method, path, query })
}

function answerSignedIn(repository: Repository, request: ScriptedRequest): ScriptedAnswer {
  const { method, path, query, text } = request
  const [kind = '', one = '', two = '', three = ''] = path.split('/').slice(3)
  const groupsOf = (uuid: string) => repository.groups.filter((group) => repository.members.get(uuid)?.has(group.uuid))
  if (kind === 'registrations') return { status: 201 }
  if (kind === 'groups' && method === 'POST' && two === 'epersons') {
    const uuid = text.split('/').at(-1) ?? ''
    repository.members.set(uuid, (repository.members.get(uuid) ?? new Set()).add(one))
    return { status: 204 }
  }
  if (kind === 'groups' && method === 'DELETE') {
    repository.members.get(three)?.delete(one)
    return { status: 204 }
  }
  if (kind === 'groups' && method === 'POST') {
    const made = { uuid: '00000000-0000-4000-8000-000000000199', permanent: false, ...JSON.parse(text) }
    repository.groups.push(made)
    return { status: 201, json: made }
  }
  if (kind === 'groups') {
    const wanted = (query.get('query') ?? '').toLowerCase()
    return {
      json: page(
        'groups',
        repository.groups.filter(({ name }) => name.toLowerCase().includes(wanted)),
      ),
    }
  }
  if (one === 'search') {
    const found = repository.people.find(({ email }) => email === query.get('email')?.toLowerCase())
    return found === undefined ? { status: 204 } : { json: found }
  }
  if (one === '' && method === 'POST') {
    const made = { ...JSON.parse(text), uuid: '00000000-0000-4000-8000-000000000099' }
    repository.people.push(made)
    return { status: 201, json: made }
  }
  if (one === '') return { json: page('epersons', repository.people) }
  const person = repository.people.find(({ uuid }) => uuid === one)
  if (person === undefined) return missing
  if (two === 'groups') return { json: page('groups', groupsOf(one)) }
  if (method === 'PATCH') for (const operation of JSON.parse(text)) apply(person, operation)
  return { json: { ...person, _embedded: { groups: page('groups', groupsOf(one)) } } }
}

function apply(person: Person, { op, path, value }: { op: string; path: string; value?: never }): void {
  const field = path.replace('/metadata/', '')
  if (path === '/email') person.email = value ?? ''
  else if (path === '/netid') person.netid = value ?? ''
  else if (path === '/canLogin') person.canLogIn = value ?? false
  else if (op === 'remove') delete person.metadata[field]
  else person.metadata[field] = [{ value: value ?? '' }]
}

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

interface Started {
  readonly server: ScriptedServer
  readonly connection: PlatformConnection
}

async function connected(repository: Repository, settings: Record<string, unknown> = {}): Promise<Started> {
  const server = await scriptedServer((request) => answerOf(repository, request), '/server')
  const chosen = { user: 'Bridge@uni.example', password: 'pass word&+', ...settings }
  const connection = dspace.connect(dspace.settings.parse(chosen), {
    client: { baseUrl: server.baseUrl, pace: noPace, timeoutMs: 2_000 },
    clock: { now: () => repository.clock.ms, sleep: async () => undefined },
  })
  closing.push(
    () => connection.close(),
    () => server.close(),
  )
  return { server, connection }
}

const values = (entries: Record<string, Json>): Attributes => new Map(Object.entries(entries))
const logIns = (server: ScriptedServer) => server.lines().filter((line) => line === 'POST /api/authn/login').length
const platformWrites = (server: ScriptedServer) =>
  server.lines().filter((line) => !line.startsWith('GET') && !line.endsWith('/login'))

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

test('logs in with a CSRF pair and a form, and writes with the pair that the log-in gave', async () => {
  const { server, connection } = await connected(aRepository())
  const account = await read(connection, adaId)
  await connection.update(aCall(), account, values({ firstname: 'Ada' }))
  assert.deepEqual(server.lines().slice(0, 3), [
    'GET /api/security/csrf',
    'POST /api/authn/login',
    `GET /api/eperson/epersons/${adaId}`,
  ])
  const [login, patch] = server.requests.filter(({ method }) => method !== 'GET')
  assert.equal(login?.headers['content-type'], 'application/x-www-form-urlencoded')
  assert.equal(new URLSearchParams(login?.text).get('password'), 'pass word&+')
  assert.equal(patch?.headers['x-xsrf-token'], 'pair-2')
  assert.equal(patch?.headers.cookie, 'DSPACE-XSRF-COOKIE=pair-2')
  assert.equal(server.lines().filter((line) => line === 'GET /api/security/csrf').length, 1)
})

test('a server without the csrf endpoint is asked for its status instead', async () => {
  const repository = aRepository()
  repository.hasCsrfEndpoint = false
  const { server, connection } = await connected(repository)
  await read(connection, adaId)
  assert.deepEqual(server.lines().slice(0, 3), [
    'GET /api/security/csrf',
    'GET /api/authn/status',
    'POST /api/authn/login',
  ])
})

test('a write whose CSRF pair is refused is repeated once with the new pair', async () => {
  const repository = aRepository()
  const { server, connection } = await connected(repository)
  const account = await read(connection, adaId)
  repository.before = ({ method, headers }) => {
    if (method !== 'PATCH' || headers['x-xsrf-token'] !== 'pair-2') return undefined
    repository.pair = 3
    return { status: 403, headers: pairHeaders(repository), json: { message: 'Access is denied. Invalid CSRF token.' } }
  }
  const after = await connection.update(aCall(), account, values({ firstname: 'Ada' }))
  assert.equal(after.attributes.get('firstname'), 'Ada')
  assert.equal(platformWrites(server).length, 2)
})

test('a pair that is refused twice, and a 403 for anything else, are Denied', async () => {
  const repository = aRepository()
  const { server, connection } = await connected(repository)
  const account = await read(connection, adaId)
  const refusal = (message: string) => (request: ScriptedRequest) =>
    request.method === 'PATCH' ? { status: 403, json: { message } } : undefined
  repository.before = refusal('Access is denied. Invalid CSRF token.')
  assert.equal((await kindOf(connection.update(aCall(), account, values({ firstname: 'A' })))).kind, 'denied')
  assert.equal(platformWrites(server).length, 2)
  repository.before = refusal('Access is denied')
  assert.equal((await kindOf(connection.update(aCall(), account, values({ firstname: 'A' })))).kind, 'denied')
  assert.equal(platformWrites(server).length, 3)
})

test('a token that DSpace no longer takes is replaced by one new log-in, whoever is at work', async () => {
  const repository = aRepository()
  const { server, connection } = await connected(repository)
  await read(connection, adaId)
  repository.tokens = []
  await Promise.all([1, 2, 3, 4].map(() => read(connection, adaId)))
  assert.equal(logIns(server), 2)
  assert.ok(!server.lines().some((line) => line.includes('logout')))
})

test('a call that is refused with a new log-in as well is Denied, and logs in no third time', async () => {
  const repository = aRepository()
  const { server, connection } = await connected(repository)
  repository.before = ({ path }) => (path.includes('epersons') ? { status: 401, json: {} } : undefined)
  const error = await kindOf(connection.read(aCall(), adaId))
  assert.equal(error.kind, 'denied')
  assert.match(error.detail, /with a new log-in/)
  assert.equal(logIns(server), 2)
})

test('a token is refreshed without the password two minutes before its end, and by a log-in after it', async () => {
  const repository = aRepository()
  const { server, connection } = await connected(repository)
  await read(connection, adaId)
  repository.clock.ms += 1_679_000
  await read(connection, adaId)
  assert.equal(logIns(server), 1)
  repository.clock.ms += 2_000
  await read(connection, adaId)
  const refresh = server.requests.filter(({ path }) => path.endsWith('/login'))[1]
  assert.equal(refresh?.text, '')
  assert.match(String(refresh?.headers.authorization), /^Bearer /)
  repository.clock.ms += 1_900_000
  await read(connection, adaId)
  assert.match(server.requests.filter(({ path }) => path.endsWith('/login'))[2]?.text ?? '', /^user=/)
})

test('wrong credentials are Denied after one log-in, and stand in no error', async () => {
  const { server, connection } = await connected(aRepository(), { password: 'wrong-one' })
  const error = await kindOf(connection.read(aCall(), adaId))
  assert.equal(error.kind, 'denied')
  assert.equal(logIns(server), 1)
  assert.doesNotMatch(`${error.message} ${error.detail} ${error.stack}`, /wrong-one/)
})

test("the user interface's page, where the address lacks /server, is never a success", async () => {
  const repository = aRepository()
  repository.before = () => ({ html: '<!DOCTYPE html><html>' })
  const { connection } = await connected(repository)
  assert.equal((await kindOf(connection.check(aCall()))).kind, 'broken')
})

test('all changes go in one patch, with the path canLogin, a removal, and the e-mail in lower case', async () => {
  const repository = aRepository()
  const ada = repository.people[1]
  assert.ok(ada)
  ada.metadata['eperson.phone'] = [{ value: '1' }]
  const { server, connection } = await connected(repository)
  const account = await read(connection, adaId)
  const after = await connection.update(
    aCall(),
    account,
    values({ email: 'Ada.L@uni.example', firstname: 'Ada', phone: null, canLogIn: false, lastname: 'Last' }),
  )
  assert.deepEqual(server.bodyOf(`PATCH /api/eperson/epersons/${adaId}`), [
    { op: 'replace', path: '/email', value: 'ada.l@uni.example' },
    { op: 'replace', path: '/metadata/eperson.firstname', value: 'Ada' },
    { op: 'remove', path: '/metadata/eperson.phone' },
    { op: 'replace', path: '/canLogin', value: false },
  ])
  assert.equal(after.attributes.get('canLogIn'), false)
  assert.equal(after.attributes.has('phone'), false)
})

test('an e-mail in other letters is no change, and nothing is called', async () => {
  const { server, connection } = await connected(aRepository())
  const account = await read(connection, adaId)
  server.forget()
  assert.deepEqual(
    await connection.update(aCall(), account, values({ email: 'ADA@UNI.example', phone: null })),
    account,
  )
  assert.deepEqual(server.lines(), [])
})

test('a netid is replaced by another, but never added to an account that has none', async () => {
  const { server, connection } = await connected(aRepository())
  const bob = await read(connection, bobId)
  const error = await kindOf(connection.update(aCall(), bob, values({ netid: 'bob@idp' })))
  assert.equal(error.kind, 'immutable')
  assert.match(error.message, /netid/)
  assert.deepEqual(platformWrites(server), [])
  const ada = await read(connection, adaId)
  const after = await connection.update(aCall(), ada, values({ netid: 'ada2@idp' }))
  assert.equal(after.attributes.get('netid'), 'ada2@idp')
  assert.match(connection.refuseAdoption?.(after, values({ netid: 'other@idp' })) ?? '', /another netid/)
  assert.equal(connection.refuseAdoption?.(bob, values({ netid: 'other@idp' })), undefined)
})

test('an e-mail of another person is Conflict before anything is written', async () => {
  const { server, connection } = await connected(aRepository())
  const account = await read(connection, adaId)
  const error = await kindOf(connection.update(aCall(), account, values({ email: 'Bob@uni.example' })))
  assert.equal(error.kind, 'conflict')
  assert.match(error.message, /this email/)
  assert.deepEqual(platformWrites(server), [])
})

for (const status of [409, 422, 500]) {
  test(`a new person whose e-mail is taken is Conflict, when DSpace says ${status}`, async () => {
    const repository = aRepository()
    repository.before = ({ method, path }) =>
      method === 'POST' && path.endsWith('/epersons') ? { status, json: { status } } : undefined
    const { connection } = await connected(repository)
    const wanted = values({ email: 'ada@uni.example', firstname: 'A', lastname: 'L', canLogIn: true })
    assert.equal((await kindOf(connection.create(aCall(), wanted))).kind, 'conflict')
  })
}

test('a 500 is Conflict when somebody has the netid, and Unknown when nothing is taken', async () => {
  const repository = aRepository()
  repository.before = ({ method, path }) =>
    method === 'POST' && path.endsWith('/epersons') ? { status: 500, json: {} } : undefined
  const { connection } = await connected(repository)
  const eve = { email: 'eve@uni.example', firstname: 'E', lastname: 'V', canLogIn: true }
  const error = await kindOf(connection.create(aCall(), values({ ...eve, netid: 'ada@idp' })))
  assert.equal(error.kind, 'conflict')
  assert.match(error.message, /netid/)
  assert.equal((await kindOf(connection.create(aCall(), values({ ...eve, netid: 'eve@idp' })))).kind, 'unknown')
})

test('a new person always gets an explicit canLogIn and only properties that version 7 knows', async () => {
  const { server, connection } = await connected(aRepository())
  const call = aCall()
  const account = await connection.create(
    call,
    values({ email: 'Eve@uni.example', firstname: 'E', lastname: 'V', canLogIn: false }),
  )
  assert.equal(account.attributes.get('canLogIn'), false)
  assert.deepEqual(call.createdIds, [account.id])
  const text = (value: string) => [{ value, language: null, authority: '', confidence: -1 }]
  assert.deepEqual(server.bodyOf('POST /api/eperson/epersons'), {
    email: 'eve@uni.example',
    canLogIn: false,
    requireCertificate: false,
    metadata: { 'eperson.firstname': text('E'), 'eperson.lastname': text('V') },
    type: 'eperson',
  })
})

for (const [how, answer] of [
  ['is refused', { status: 422, json: {} }],
  ['breaks', { status: 500, json: {} }],
] as const) {
  test(`a leaver whose other change ${how} is switched off all the same`, async () => {
    const repository = aRepository()
    const { connection } = await connected(repository)
    const account = await read(connection, adaId)
    repository.before = ({ method, text }) => (method === 'PATCH' && text.includes('firstname') ? answer : undefined)
    const update = connection.update(aCall(), account, values({ firstname: 'Ada', canLogIn: false }))
    if (answer.status === 500) assert.equal((await kindOf(update)).kind, 'unknown')
    else assert.equal((await update).attributes.get('canLogIn'), false)
    assert.equal(repository.people[1]?.canLogIn, false)
  })
}

test('administrators and the service account are protected, and no write reaches them', async () => {
  const repository = aRepository()
  repository.members.set(adaId, new Set([repository.groups[0]?.uuid ?? '']))
  const { server, connection } = await connected(repository)
  for (const id of [adaId, serviceId]) {
    const account = await read(connection, id)
    assert.ok(account.protectedBecause)
    assert.equal((await kindOf(connection.update(aCall(), account, values({ canLogIn: false })))).kind, 'immutable')
    assert.ok(connection.remove)
    assert.equal((await kindOf(connection.remove(aCall(), id))).kind, 'immutable')
  }
  assert.deepEqual(platformWrites(server), [])
})

test('the last member of a workflow group is switched off instead of deleted', async () => {
  const repository = aRepository()
  repository.before = ({ method }) => (method === 'DELETE' ? { status: 422, json: {} } : undefined)
  const { connection } = await connected(repository)
  await connection.remove?.(aCall(), adaId)
  assert.equal(repository.people[1]?.canLogIn, false)
})

test('groups are joined by exact name with a uri-list, left singly, and protected ones are never touched', async () => {
  const { server, connection } = await connected(aRepository())
  assert.deepEqual(await connection.writeGrants(aCall(), adaId, [{ group: 'Staff' }], []), [{ group: 'Staff' }])
  const added = server.requests.find(({ method, path }) => method === 'POST' && path.endsWith('/epersons'))
  assert.equal(added?.headers['content-type'], 'text/uri-list')
  assert.equal(added?.text, `${server.baseUrl}/api/eperson/epersons/${adaId}`)
  server.forget()
  for (const group of ['Administrator', 'Anonymous', 'COLLECTION_1_SUBMIT'])
    assert.equal(
      (await kindOf(connection.writeGrants(aCall(), adaId, [{ group }], [{ group: 'Staff' }]))).kind,
      'immutable',
    )
  for (const group of ['staff', 'Sta', ''])
    assert.equal(
      (await kindOf(connection.writeGrants(aCall(), adaId, [{ group }], [{ group: 'Staff' }]))).kind,
      'refused',
    )
  await connection.writeGrants(aCall(), adaId, [{ group: 'Staff' }], [{ group: 'Staff (old)' }])
  assert.deepEqual(platformWrites(server), [])
  assert.deepEqual(await connection.writeGrants(aCall(), adaId, [], [{ group: 'Staff' }]), [])
})

test('a group is made only when none has its name', async () => {
  const { server, connection } = await connected(aRepository())
  await connection.createGroup?.(aCall(), 'Staff')
  assert.deepEqual(platformWrites(server), [])
  await connection.createGroup?.(aCall(), 'Sta')
  assert.deepEqual(server.bodyOf('POST /api/eperson/groups'), { name: 'Sta' })
})

const staff = [{ group: 'Staff' }]
const registration = 'POST /api/eperson/registrations'

test('plain DSpace never gets groups with an invitation, which 9 and later would ignore silently', async () => {
  const { server, connection } = await connected(aRepository())
  await connection.invite?.(aCall(), values({ email: 'Eve@uni.example' }), staff)
  assert.deepEqual(server.bodyOf(registration), { email: 'eve@uni.example', type: 'registration' })
  const sent = server.requests.find(({ path }) => path.endsWith('/registrations'))
  assert.equal(sent?.query.get('accountRequestType'), 'register')
})

for (const version of [
  { dspaceVersion: 'DSpace 7.6', crisVersion: 'cris-2023.02.07' },
  { dspaceVersion: 'DSpace cris-2021.03.01' },
]) {
  test(`DSpace-CRIS (${Object.values(version).join(', ')}) is invited into groups by their uuids`, async () => {
    const repository = { ...aRepository(), version }
    const { server, connection } = await connected(repository)
    await connection.invite?.(aCall(), values({ email: 'eve@uni.example' }), staff)
    const groups = [repository.groups.find(({ name }) => name === 'Staff')?.uuid]
    assert.deepEqual(server.bodyOf(registration), { email: 'eve@uni.example', type: 'registration', groups })
  })
}

test('the setting decides about the flavour, and the server is not asked', async () => {
  const { server, connection } = await connected(aRepository(), { flavour: 'cris' })
  await connection.invite?.(aCall(), values({ email: 'eve@uni.example' }), staff)
  assert.ok(JSON.stringify(server.bodyOf(registration)).includes('groups'))
  assert.ok(!server.lines().includes('GET /api'))
})

test('a group that CRIS does not know is refused before anybody is mailed: CRIS would leave it out silently', async () => {
  const { server, connection } = await connected(aRepository(), { flavour: 'cris' })
  const invitation = connection.invite?.(aCall(), values({ email: 'eve@uni.example' }), [{ group: 'Nowhere' }])
  assert.ok(invitation)
  assert.equal((await kindOf(invitation)).kind, 'refused')
  assert.deepEqual(platformWrites(server), [])
})

test('somebody who has an account is never invited: DSpace would mail a forgotten password', async () => {
  const { server, connection } = await connected(aRepository())
  const invitation = connection.invite?.(aCall(), values({ email: 'ADA@uni.example' }), [])
  assert.ok(invitation)
  assert.equal((await kindOf(invitation)).kind, 'conflict')
  assert.deepEqual(platformWrites(server), [])
})

for (const [status, kind] of [
  [401, 'denied'],
  [403, 'denied'],
  [422, 'refused'],
  [500, 'unknown'],
] as const) {
  test(`an invitation that DSpace answers with ${status} is ${kind}`, async () => {
    const repository = aRepository()
    repository.before = ({ path }) =>
      path.endsWith('/registrations') ? { status, json: { message: 'no' } } : undefined
    const { connection } = await connected(repository)
    const invitation = connection.invite?.(aCall(), values({ email: 'eve@uni.example' }), [])
    assert.ok(invitation)
    assert.equal((await kindOf(invitation)).kind, kind)
  })
}

test('an EPerson that is gone is undefined; a page of HTML with 404 proves nothing', async () => {
  const repository = aRepository()
  const { connection } = await connected(repository)
  assert.equal(await connection.read(aCall(), '00000000-0000-4000-8000-00000000dead'), undefined)
  assert.equal(await connection.read(aCall(), 'not-a-uuid'), undefined)
  repository.before = ({ path }) => (path.includes('epersons') ? { status: 404, html: '<html>' } : undefined)
  assert.equal((await kindOf(connection.read(aCall(), adaId))).kind, 'broken')
})

test('a member of more groups than one answer embeds is still seen as an administrator', async () => {
  const repository = aRepository()
  repository.members.set(adaId, new Set([repository.groups[0]?.uuid ?? '']))
  repository.before = ({ method, path }) => {
    if (method !== 'GET' || path !== `/api/eperson/epersons/${adaId}`) return undefined
    const embedded = { page: { number: 0, totalPages: 2, totalElements: 101, size: 100 }, _embedded: { groups: [] } }
    return { json: { ...repository.people[1], _embedded: { groups: embedded } } }
  }
  const { connection } = await connected(repository)
  assert.match((await read(connection, adaId)).protectedBecause ?? '', /Administrator/)
})
