import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { scimType } from '../../bridge-world.ts'
import { rawRequest } from '../raw-request.ts'
import { type AccessWorld, startAccessWorld } from './access-world.ts'

let access: AccessWorld
let token = ''
before(async () => {
  access = await startAccessWorld()
  token = await access.token('okta')
})
after(() => access.close())

const hour = 3_600_000
const statusOf = async (headers: Record<string, string>) => (await access.users(headers)).status

describe('bearer tokens of the store', () => {
  test('let in whoever has one, without a restart', async () => {
    assert.equal((await access.bearer(token)).status, 200)
  })

  test('AU 1 none is 401', async () => assert.equal(await statusOf({}), 401))

  test('AU 2 an empty one is 401', async () => {
    assert.equal(await statusOf({ Authorization: '' }), 401)
    assert.equal(await statusOf({ Authorization: 'Bearer' }), 401)
    assert.equal(await statusOf({ Authorization: 'Bearer  ' }), 401)
  })

  test('AU 3 sent as Basic it is 401', async () => {
    for (const text of [token, `:${token}`, `${token}:`, `${token}:${token}`]) {
      assert.equal(await statusOf({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` }), 401)
    }
    assert.equal(await statusOf({ Authorization: `Basic ${token}` }), 401)
  })

  test('AU 4 the scheme is taken in any letter case', async () => {
    for (const scheme of ['bearer', 'BEARER', 'bEaReR'])
      assert.equal(await statusOf({ Authorization: `${scheme} ${token}` }), 200)
  })

  test('AU 5 two Authorization headers are 401', async () => {
    const line = `Authorization: Bearer ${token}\r\n`
    const request = (lines: string) => `GET /figshare/scim/v2/Users?count=1 HTTP/1.1\r\nHost: x\r\n${lines}\r\n`
    assert.match(await rawRequest(access.world.url, request(line)), /^HTTP\/1\.1 200/)
    assert.match(await rawRequest(access.world.url, request(line + line)), /^HTTP\/1\.1 401/)
    assert.match(await rawRequest(access.world.url, request(`${line}authorization: Basic eDp5\r\n`)), /^HTTP\/1\.1 401/)
  })

  test('AU 6 in the query it is not taken, whatever the parameter is called', async () => {
    for (const name of ['access_token', 'token', 'authorization', 'bearer']) {
      const answer = await fetch(`${access.world.url}/figshare/scim/v2/Users?${name}=${token}`)
      assert.equal(answer.status, 401, name)
      await answer.text()
    }
  })

  test('AU 7 a part of it, or more than it, is 401', async () => {
    for (const other of [token.slice(0, -1), token.slice(0, 20), `${token}x`, token.slice(6), 'scimb_']) {
      assert.equal((await access.bearer(other)).status, 401)
    }
  })

  test('AU 8 the stored hash is 401, in every writing', async () => {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      const digest = hash('sha256', token, encoding)
      for (const text of [digest, `scimb_${digest}`]) assert.equal((await access.bearer(text)).status, 401)
    }
  })

  test('AU 9 blanks at its end are no part of it, those inside are', async () => {
    const answer = (text: string) =>
      rawRequest(access.world.url, `GET /figshare/scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: ${text}\r\n\r\n`)
    // RFC 9110 §5.5: white space at the end of a field is not of its value.
    assert.match(await answer(`Bearer ${token}  `), /^HTTP\/1\.1 200/)
    assert.match(await answer(`Bearer ${token.slice(0, 10)} ${token.slice(10)}`), /^HTTP\/1\.1 401/)
  })

  test('AU 10 64 kB are refused, and the next request is served', async () => {
    const head = 'GET /figshare/scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer '
    // Answered and closed while half of it is still on its way: the answer may be lost.
    const answer = await rawRequest(access.world.url, `${head}${'x'.repeat(65_536)}\r\n\r\n`).catch(() => 'closed')
    assert.match(answer, /^(HTTP\/1\.1 431|closed)/)
    assert.match(await rawRequest(access.world.url, `${head}${'x'.repeat(9_000)}\r\n\r\n`), /^HTTP\/1\.1 401/)
    assert.equal((await access.bearer(token)).status, 200)
  })

  test('AU 11 while one is replaced both are good, then only the new one', async () => {
    const old = await access.token('rotating')
    const next = await access.token('rotating-2')
    assert.deepEqual([(await access.bearer(old)).status, (await access.bearer(next)).status], [200, 200])
    assert.equal(await access.credentials.revokeToken('figshare', 'rotating', access.world.clock.now()), true)
    assert.deepEqual([(await access.bearer(old)).status, (await access.bearer(next)).status], [401, 200])
  })

  test('AU 12 a revoked one is 401 from the next request on, and its name is free again', async () => {
    const revoked = await access.token('leaving')
    assert.equal((await access.bearer(revoked)).status, 200)
    await access.credentials.revokeToken('figshare', 'leaving', access.world.clock.now())
    assert.equal((await access.bearer(revoked)).status, 401)
    assert.equal(access.failures().at(-1)?.reason, 'revoked')
    assert.equal((await access.bearer(await access.token('leaving'))).status, 200)
    assert.equal((await access.bearer(revoked)).status, 401)
  })

  test('AU 13 an expired one is 401, at its very end', async () => {
    const expiresAt = access.world.clock.now() + hour
    const expiring = await access.token('short', { expiresAt })
    access.world.clock.advance(hour - 1)
    assert.equal((await access.bearer(expiring)).status, 200)
    access.world.clock.advance(1)
    assert.equal((await access.bearer(expiring)).status, 401)
    assert.equal(access.failures().at(-1)?.reason, 'expired')
  })

  test("AU 14 another connection's is 401", async () => {
    const other = await access.token('okta', { connection: 'dspace' })
    assert.equal((await access.bearer(other, 'dspace')).status, 200)
    assert.equal((await access.bearer(other)).status, 401)
    assert.equal((await access.bearer(token, 'dspace')).status, 401)
    assert.equal((await access.bearer(token, 'nowhere')).status, 401)
  })

  test('are stored as SHA-256 and nothing else, and their last use once a minute', async () => {
    const used = await access.token('used')
    const row = async () => [...(await access.credentials.tokens()).values()].find(({ name }) => name === 'used')
    assert.equal((await row())?.sha256, hash('sha256', used))
    const first = access.world.clock.now()
    const settled = async () => {
      await access.bearer(used)
      // The answer is out before the time is written down.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
      return (await row())?.lastUsedAt
    }
    assert.equal(await settled(), first)
    access.world.clock.advance(59_000)
    assert.equal(await settled(), first)
    access.world.clock.advance(1_000)
    assert.equal(await settled(), first + 60_000)
  })
})

describe('a role', () => {
  const asked = (method: string, path: string, with_: string, body?: string) =>
    fetch(`${access.world.url}/figshare/scim/v2${path}`, {
      method,
      headers: { Authorization: `Bearer ${with_}`, 'Content-Type': scimType },
      ...(body === undefined ? {} : { body }),
    })

  test('read may read and search, and is 403 for every write before its body is read', async () => {
    const reader = await access.token('reader', { role: 'read' })
    const search = JSON.stringify({ schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'], count: 1 })
    for (const [method, path, body] of [
      ['GET', '/Users'],
      ['GET', '/ServiceProviderConfig'],
      ['POST', '/.search', search],
      ['POST', '/Users/.search', search],
    ] as const) {
      assert.equal((await asked(method, path, reader, body)).status, 200, path)
    }
    for (const [method, path] of [
      ['POST', '/Users'],
      ['PUT', '/Users/x'],
      ['PATCH', '/Groups/x'],
      ['DELETE', '/Users/x'],
      ['POST', '/Bulk'],
    ] as const) {
      const answer = await asked(method, path, reader, method === 'DELETE' ? undefined : '{"broken')
      assert.equal(answer.status, 403, path)
      assert.equal(answer.headers.get('content-type'), scimType)
      assert.match(answer.headers.get('www-authenticate') ?? '', /error="insufficient_scope"/)
    }
  })

  for (const role of ['monitor', 'operate'] as const) {
    test(`${role} is 403 in all of SCIM`, async () => {
      const other = await access.token(role, { role })
      assert.equal((await asked('GET', '/Users', other)).status, 403)
      assert.equal((await asked('POST', '/Users', other, '{}')).status, 403)
      await access.credentials.revokeToken('figshare', role, access.world.clock.now())
    })
  }
})
