import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { scimType } from '../../bridge-world.ts'
import { rawRequest } from '../raw-request.ts'
import {
  type AccessWorld,
  assertError,
  assertionType,
  basicHeader,
  clientForm,
  clientSecret,
  secondSecret,
  startAccessWorld,
  tokenOf,
} from './access-world.ts'

let access: AccessWorld
before(async () => {
  access = await startAccessWorld()
})
after(() => access.close())
// Five wrong secrets a minute are the limit of a client: each test has a minute of its own.
beforeEach(() => access.world.clock.advance(61_000))

describe('the token endpoint', () => {
  test('gives a client a token of an hour for this connection, and nothing to renew it with', async () => {
    const answer = await access.ask({ ...clientForm, scope: 'scim' })
    assert.equal(answer.status, 200)
    const { access_token: token, ...rest } = answer.json
    assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 3_600, scope: 'scim' })
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    assert.equal(answer.headers.get('pragma'), 'no-cache')
    const { alg, typ, kid } = decodeProtectedHeader(String(token))
    assert.deepEqual([alg, typ], ['ES256', 'at+jwt'])
    const claims = decodeJwt(String(token))
    assert.equal((claims.exp ?? 0) - (claims.iat ?? 0), 3_600)
    assert.equal(claims.client_id, 'entra')
    assert.equal(claims.aud, `${claims.iss}/scim/v2`)
    assert.equal((await access.bearer(String(token))).status, 200)
    const published = await fetch(`${access.world.url}/figshare/oauth2/jwks`)
    assert.match(await published.text(), new RegExp(`"kid":"${kid}"`))
  })

  test('takes the secret by header as well, form-encoded or as it is', async () => {
    const form = { grant_type: 'client_credentials' }
    assert.equal((await access.ask(form, { Authorization: basicHeader('entra', clientSecret) })).status, 200)
    const encoded = clientSecret.replaceAll('-', '%2D')
    assert.equal((await access.ask(form, { Authorization: basicHeader('entra', encoded) })).status, 200)
    assert.equal(
      (await access.ask({ ...form, client_id: 'entra' }, { Authorization: basicHeader('entra', clientSecret) })).status,
      200,
    )
  })

  test('AU 37 a wrong secret, a wrong client and none are 401 invalid_client, all alike', async () => {
    const form = { grant_type: 'client_credentials' }
    const answers = [
      await access.ask({ ...clientForm, client_secret: `${clientSecret}x` }),
      await access.ask({ ...clientForm, client_secret: clientSecret.slice(0, -1) }),
      await access.ask({ ...clientForm, client_id: 'nobody' }),
      await access.ask({ ...clientForm, client_id: 'ENTRA' }),
      await access.ask({ ...form, client_id: 'entra' }),
      await access.ask(form),
      await access.ask(form, { Authorization: basicHeader('entra', 'wrong') }),
      await access.ask(form, { Authorization: basicHeader('nobody', clientSecret) }),
      await access.ask(form, { Authorization: 'Bearer x' }),
      await access.ask({ ...clientForm, client_id: 'workload' }),
      await access.ask(clientForm, {}, 'nowhere'),
      await access.ask(clientForm, {}, 'ethosce'),
    ]
    for (const answer of answers) {
      assertError(answer, 401, 'invalid_client')
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Basic /)
      assert.ok(!answer.text.includes(clientSecret))
    }
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1)
  })

  test('AU 38 two ways of proof at once are invalid_request, even when both are right', async () => {
    const header = { Authorization: basicHeader('entra', clientSecret) }
    assertError(await access.ask(clientForm, header), 400, 'invalid_request')
    const both = { ...clientForm, client_assertion_type: assertionType, client_assertion: access.assertion() }
    assertError(await access.ask(both), 400, 'invalid_request')
    const grant = { grant_type: 'client_credentials' }
    assertError(await access.ask({ ...grant, client_id: 'reader' }, header), 400, 'invalid_request')
  })

  test('AU 39 another grant is unsupported_grant_type, for clients that are known', async () => {
    for (const grant of [
      'password',
      'authorization_code',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      'x',
    ]) {
      assertError(await access.ask({ ...clientForm, grant_type: grant }), 400, 'unsupported_grant_type')
    }
    const stranger = { ...clientForm, client_secret: 'wrong', grant_type: 'password' }
    assertError(await access.ask(stranger), 401, 'invalid_client')
  })

  test('AU 40 a scope beyond what the client has is invalid_scope, a narrower one is given', async () => {
    const reader = { ...clientForm, client_id: 'reader' }
    for (const scope of ['scim', 'scim.readwrite', 'scim.read scim', 'metrics', 'console', 'everything']) {
      assertError(await access.ask({ ...reader, scope }), 400, 'invalid_scope')
    }
    const narrow = await access.ask({ ...clientForm, scope: 'scim.read' })
    assert.equal(narrow.json.scope, 'scim.read')
    assert.equal((await access.bearer(tokenOf(narrow))).status, 200)
    const write = await fetch(`${access.world.url}/figshare/scim/v2/Users`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${tokenOf(narrow)}`, 'Content-Type': scimType },
      body: '{}',
    })
    assert.equal(write.status, 403)
    for (const scope of ['api://b5ba7a93/.default', 'scim.readwrite', 'scim.read scim']) {
      assert.equal((await access.ask({ ...clientForm, scope })).json.scope, 'scim')
    }
    assert.equal((await access.ask(reader)).json.scope, 'scim.read')
  })

  test('AU 41 after five wrong secrets a client waits for the minute to end, and others do not', async () => {
    const wrong = { ...clientForm, client_secret: 'wrong' }
    for (let guess = 0; guess < 5; guess += 1) assertError(await access.ask(wrong), 401, 'invalid_client')
    const sixth = await access.ask(wrong)
    assertError(sixth, 429, 'temporarily_unavailable')
    assert.match(sixth.headers.get('retry-after') ?? '', /^\d+$/)
    // A guesser is not told that it has guessed right.
    assertError(await access.ask(clientForm), 429, 'temporarily_unavailable')
    const header = { Authorization: basicHeader('entra', clientSecret) }
    assertError(await access.ask({ grant_type: 'client_credentials' }, header), 429, 'temporarily_unavailable')
    assert.equal((await access.ask({ ...clientForm, client_id: 'reader' })).status, 200)
    access.world.clock.advance(60_000)
    assert.equal((await access.ask(clientForm)).status, 200)
  })

  test('AU 41 guesses for clients that there are not are counted in the same way', async () => {
    const wrong = { ...clientForm, client_id: 'nobody', client_secret: 'wrong' }
    const statuses: number[] = []
    for (let guess = 0; guess < 7; guess += 1) statuses.push((await access.ask(wrong)).status)
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429])
  })

  test('AU 42 a client that is there is refused in the time of one that is not', async () => {
    const times = { entra: [] as number[], nobody: [] as number[] }
    for (let round = 0; round < 40; round += 1) {
      // The order changes, so that neither has the warmer place.
      const ids = round % 2 === 0 ? (['entra', 'nobody'] as const) : (['nobody', 'entra'] as const)
      access.world.clock.advance(61_000)
      for (const id of ids) {
        const before = performance.now()
        await access.ask({ ...clientForm, client_id: id, client_secret: 'x'.repeat(64) })
        times[id].push(performance.now() - before)
      }
    }
    const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0
    const difference = Math.abs(median(times.entra) - median(times.nobody))
    assert.ok(difference < 2 + 0.5 * median(times.nobody), `${median(times.entra)} and ${median(times.nobody)} ms`)
  })

  test("AU 43 connection A's token is nothing on B, nor is A's client", async () => {
    const token = tokenOf(await access.ask(clientForm))
    assert.equal((await access.bearer(token)).status, 200)
    assert.equal((await access.bearer(token, 'dspace')).status, 401)
    assertError(await access.ask(clientForm, {}, 'dspace'), 401, 'invalid_client')
    const other = await access.ask({ ...clientForm, client_secret: 'another-client-secret' }, {}, 'dspace')
    assert.equal((await access.bearer(tokenOf(other), 'dspace')).status, 200)
    assert.equal((await access.bearer(tokenOf(other))).status, 401)
  })

  test('AU 44 two secrets of one client are good at once', async () => {
    for (const secret of [clientSecret, secondSecret]) {
      assert.equal((await access.ask({ ...clientForm, client_secret: secret })).status, 200)
    }
  })

  test('AU 45 GET is 405, and a secret in the query is never taken', async () => {
    const query = String(new URLSearchParams(clientForm))
    const answer = await fetch(`${access.world.url}/figshare/oauth2/token?${query}`)
    assert.equal(answer.status, 405)
    assert.equal(answer.headers.get('allow'), 'POST')
    assert.ok(!(await answer.text()).includes(clientSecret))
    const posted = await fetch(`${access.world.url}/figshare/oauth2/token?${query}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=client_credentials',
    })
    assert.equal(posted.status, 401)
  })

  test('what is no form, or says a thing twice, is invalid_request', async () => {
    assertError(
      await access.ask(JSON.stringify(clientForm), { 'Content-Type': 'application/json' }),
      400,
      'invalid_request',
    )
    assertError(await access.ask(''), 400, 'invalid_request')
    assertError(await access.ask({ ...clientForm, grant_type: '' }), 400, 'invalid_request')
    const text = String(new URLSearchParams(clientForm))
    assertError(await access.ask(`${text}&client_secret=x`), 400, 'invalid_request')
    assertError(await access.ask(`${text}&scope=scim&scope=scim`), 400, 'invalid_request')
    assertError(await access.ask(`${text}&x=${'x'.repeat(40_000)}`), 413, 'invalid_request')
    const cut = await rawRequest(
      access.world.url,
      'POST /figshare/oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99999\r\n\r\ngrant_',
    )
    assert.match(cut, /^HTTP\/1\.1 413/)
  })
})
