import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { type AccessWorld, assertError, assertionType, startAccessWorld, tokenOf } from './access-world.ts'

let access: AccessWorld
before(async () => {
  access = await startAccessWorld()
})
after(() => access.close())
// Five wrong secrets a minute are the limit of a client: each test has a minute of its own.
beforeEach(() => access.world.clock.advance(61_000))

describe('AU 46 workload identity federation', () => {
  let counter = 0
  const ask = (assertion: string, change: Record<string, string> = {}) => {
    counter += 1
    return access.ask({
      grant_type: 'client_credentials',
      client_id: 'workload',
      client_assertion_type: assertionType,
      client_assertion: assertion,
      scope: 'scim.readwrite',
      ...change,
    })
  }
  const jti = () => `once-${counter}`

  test('an assertion of the tenant stands for the secret', async () => {
    const answer = await ask(access.assertion({ jti: jti() }))
    assert.equal(answer.status, 200, answer.text)
    assert.equal((await access.bearer(tokenOf(answer))).status, 200)
    // Entra's have no jti, and are sent again while they live.
    const plain = access.assertion()
    assert.deepEqual([(await ask(plain)).status, (await ask(plain)).status], [200, 200])
  })

  for (const [what, claims] of [
    ['wrong sub', { sub: 'another' }],
    ['no sub', { sub: null }],
    ['wrong aud', { aud: 'api://other' }],
    ['wrong iss', { iss: 'https://login.microsoftonline.com/other/v2.0' }],
    ['an expired one', { exp: 1 }],
  ] as const) {
    test(`${what} is invalid_client`, async () => {
      assertError(await ask(access.assertion(claims)), 401, 'invalid_client')
    })
  }

  test('one that lives longer than two hours is invalid_client', async () => {
    assert.equal((await ask(access.assertion({ exp: access.now() + 7_200 }))).status, 200)
    assertError(await ask(access.assertion({ exp: access.now() + 7_300 })), 401, 'invalid_client')
  })

  test('one with a jti is good once, also over a restart of the bridge', async () => {
    const assertion = access.assertion({ jti: 'replayed' })
    assert.equal((await ask(assertion)).status, 200)
    assertError(await ask(assertion), 401, 'invalid_client')
    assert.equal(access.failures().at(-1)?.reason, 'replayed')
    await access.world.restart()
    assertError(await ask(assertion), 401, 'invalid_client')
    // Of another assertion with the same number only one was good.
    assertError(await ask(access.assertion({ jti: 'replayed', iat: access.now() - 1 })), 401, 'invalid_client')
  })

  test('of many with one jti at once one is taken', async () => {
    const assertion = access.assertion({ jti: 'raced' })
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(assertion)))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  })

  test("another client's name, another type, or no signature is refused", async () => {
    assertError(await ask(access.assertion(), { client_id: 'entra' }), 401, 'invalid_client')
    assertError(await ask(access.assertion(), { client_id: 'nobody' }), 401, 'invalid_client')
    assertError(await ask(access.assertion(), { client_assertion_type: 'x' }), 400, 'invalid_request')
    assertError(await ask(access.assertion({}, { alg: 'none' })), 401, 'invalid_client')
    assertError(await ask(access.assertion({}, { alg: 'HS256' })), 401, 'invalid_client')
    // An assertion is no access token.
    assert.equal((await access.bearer(access.assertion())).status, 401)
  })

  test('is 503 while the keys cannot be had, and not counted against the client', async (t) => {
    const other = await startAccessWorld()
    t.after(() => other.close())
    other.issuer.mode = 'down'
    const form = {
      grant_type: 'client_credentials',
      client_id: 'workload',
      client_assertion_type: assertionType,
      client_assertion: other.assertion(),
    }
    for (let round = 0; round < 7; round += 1) assertError(await other.ask(form), 503, 'temporarily_unavailable')
    other.issuer.mode = 'ok'
    other.world.clock.advance(31_000)
    assert.equal((await other.ask(form)).status, 200)
  })
})
