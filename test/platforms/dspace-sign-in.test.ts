import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adaId, aRepository, connected, logIns, pairHeaders, platformWrites, read, values } from './scripted-dspace.ts'
import type { ScriptedRequest } from './scripted-server.ts'
import { thrownBy } from './thrown.ts'
import { aCall } from './world.ts'

test('logs in with a CSRF pair and a form, and writes with the pair that the log-in gave', async (t) => {
  const { server, connection } = await connected(t, aRepository())
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

test('a server without the csrf endpoint is asked for its status instead', async (t) => {
  const repository = aRepository()
  repository.hasCsrfEndpoint = false
  const { server, connection } = await connected(t, repository)
  await read(connection, adaId)
  assert.deepEqual(server.lines().slice(0, 3), [
    'GET /api/security/csrf',
    'GET /api/authn/status',
    'POST /api/authn/login',
  ])
})

test('a write whose CSRF pair is refused is repeated once with the new pair', async (t) => {
  const repository = aRepository()
  const { server, connection } = await connected(t, repository)
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

test('a pair that is refused twice, and a 403 for anything else, are Denied', async (t) => {
  const repository = aRepository()
  const { server, connection } = await connected(t, repository)
  const account = await read(connection, adaId)
  const refusal = (message: string) => (request: ScriptedRequest) =>
    request.method === 'PATCH' ? { status: 403, json: { message } } : undefined
  repository.before = refusal('Access is denied. Invalid CSRF token.')
  assert.equal((await thrownBy(connection.update(aCall(), account, values({ firstname: 'A' })))).kind, 'denied')
  assert.equal(platformWrites(server).length, 2)
  repository.before = refusal('Access is denied')
  assert.equal((await thrownBy(connection.update(aCall(), account, values({ firstname: 'A' })))).kind, 'denied')
  assert.equal(platformWrites(server).length, 3)
})

test('a token that DSpace no longer takes is replaced by one new log-in, whoever is at work', async (t) => {
  const repository = aRepository()
  const { server, connection } = await connected(t, repository)
  await read(connection, adaId)
  repository.tokens = []
  await Promise.all([1, 2, 3, 4].map(() => read(connection, adaId)))
  assert.equal(logIns(server), 2)
  assert.ok(!server.lines().some((line) => line.includes('logout')))
})

test('a call that is refused with a new log-in as well is Denied, and logs in no third time', async (t) => {
  const repository = aRepository()
  const { server, connection } = await connected(t, repository)
  repository.before = ({ path }) => (path.includes('epersons') ? { status: 401, json: {} } : undefined)
  const error = await thrownBy(connection.read(aCall(), adaId))
  assert.equal(error.kind, 'denied')
  assert.match(error.detail, /with a new log-in/)
  assert.equal(logIns(server), 2)
})

test('a token is refreshed without the password two minutes before its end, and by a log-in after it', async (t) => {
  const repository = aRepository()
  const { server, connection } = await connected(t, repository)
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

test('wrong credentials are Denied after one log-in, and stand in no error', async (t) => {
  const { server, connection } = await connected(t, aRepository(), { password: 'wrong-one' })
  const error = await thrownBy(connection.read(aCall(), adaId))
  assert.equal(error.kind, 'denied')
  assert.equal(logIns(server), 1)
  assert.doesNotMatch(`${error.message} ${error.detail} ${error.stack}`, /wrong-one/)
})

test("the user interface's page, where the address lacks /server, is never a success", async (t) => {
  const repository = aRepository()
  repository.before = () => ({ html: '<!DOCTYPE html><html>' })
  const { connection } = await connected(t, repository)
  assert.equal((await thrownBy(connection.check(aCall()))).kind, 'broken')
})
