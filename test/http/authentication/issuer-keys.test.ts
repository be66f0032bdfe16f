import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { JsonObject } from '../../../src/json.ts'
import { type AccessWorld, assertAccepted, assertRefused, connectionOf, startAccessWorld } from './access-world.ts'
import { type IssuerKey, rsaKey } from './issuer-server.ts'

let access: AccessWorld
before(async () => {
  access = await startAccessWorld()
})
after(() => access.close())
beforeEach(() => {
  access.issuer.mode = 'ok'
  access.issuer.keys = [access.key]
})

const strangersKey = rsaKey()

const refused = (token: string, reason?: string) => assertRefused(access, token, reason)
const accepted = (token: string) => assertAccepted(access, token)
/** With the pause after an earlier unknown key over. */
const later = () => access.world.clock.advance(31_000)

describe('AU 36 keys of an issuer', () => {
  const keyOnly = (key: IssuerKey) => access.entraToken({}, {}, key)

  test('that cannot be had at the start are 503 with Retry-After, and 200 when they can', async (t) => {
    const other = await startAccessWorld()
    t.after(() => other.close())
    for (const mode of ['down', 'redirect', 'html', 'huge'] as const) {
      other.issuer.mode = mode
      const answer = await other.bearer(other.entraToken())
      assert.equal(answer.status, 503, mode)
      assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/)
      assert.ok(!other.issuer.asked.includes('/elsewhere'))
      other.world.clock.advance(31_000)
    }
    // The others do not notice.
    assert.equal((await other.bearer(await other.token('okta'))).status, 200)
    assert.equal((await other.bearer('nonsense')).status, 401)
    other.issuer.mode = 'ok'
    assert.equal((await other.bearer(other.entraToken())).status, 200)
  })

  test('that could not be had before the clock was set back are asked for again at once', async (t) => {
    const other = await startAccessWorld()
    t.after(() => other.close())
    other.issuer.mode = 'down'
    assert.equal((await other.bearer(other.entraToken())).status, 503)
    other.world.clock.advance(-3_600_000)
    other.issuer.mode = 'ok'
    assert.equal((await other.bearer(other.entraToken())).status, 200)
  })

  test('that were had before the clock was set back are read anew as soon as that is seen', async (t) => {
    const other = await startAccessWorld()
    t.after(() => other.close())
    assert.equal((await other.bearer(other.entraToken())).status, 200)
    other.world.clock.advance(-2 * 3_600_000)
    other.issuer.keys = []
    assert.equal((await other.bearer(other.entraToken())).status, 401)
  })

  test('that cannot be had are 503 also where another entry of the same issuer, whose keys are there, is for others', async (t) => {
    const other = await startAccessWorld((config) => {
      const figshare = connectionOf(config, 'figshare')
      const [entry] = figshare.oidc as JsonObject[]
      const watchers: JsonObject = { ...structuredClone(entry), audience: 'watchers', role: 'monitor' }
      figshare.oidc = [
        // Nobody listens there.
        { ...entry, jwks: 'http://127.0.0.1:1/keys' },
        watchers,
      ]
    })
    t.after(() => other.close())
    const answer = await other.bearer(other.oidcToken())
    assert.equal(answer.status, 503, answer.text)
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/)
  })

  for (const mode of ['down', 'redirect', 'html', 'huge'] as const) {
    test(`that cannot be read anew (${mode}) are used on, for a day and no longer`, async (t) => {
      const other = await startAccessWorld()
      t.after(() => other.close())
      assert.equal((await other.bearer(other.entraToken())).status, 200)
      other.issuer.mode = mode
      other.world.clock.advance(2 * 3_600_000)
      assert.equal((await other.bearer(other.entraToken())).status, 200)
      // A key that it does not know may have been published since: not the caller's fault.
      assert.equal((await other.bearer(other.entraToken({}, {}, strangersKey))).status, 503)
      other.world.clock.advance(23 * 3_600_000)
      assert.equal((await other.bearer(other.entraToken())).status, 503)
      assert.ok(!other.issuer.asked.includes('/elsewhere'))
    })
  }

  test('RSA keys of 1024 bits are not believed', async () => {
    const weak = rsaKey(1_024)
    access.issuer.keys = [access.key, weak]
    later()
    await refused(keyOnly(weak), 'signature')
    await accepted(access.entraToken())
  })

  test('a new key is found, and one that was withdrawn is not believed after an hour', async () => {
    const next = rsaKey()
    await accepted(access.entraToken())
    access.issuer.keys = [access.key, next]
    later()
    await accepted(keyOnly(next))
    await accepted(access.entraToken())
    access.issuer.keys = [next]
    access.world.clock.advance(3_600_000)
    await refused(access.entraToken(), 'signature')
    await accepted(keyOnly(next))
  })

  test('keys that are not for signatures, or are secrets, are not believed', async () => {
    const forEncryption = rsaKey()
    const secret = { kty: 'oct', k: Buffer.from('x'.repeat(32)).toString('base64url'), kid: 'oct', alg: 'RS256' }
    const published = { ...forEncryption, jwk: { ...forEncryption.jwk, use: 'enc' } }
    access.issuer.keys = [access.key, published, { ...strangersKey, jwk: secret }]
    later()
    await refused(keyOnly(forEncryption), 'signature')
    await refused(access.entraToken({}, { kid: 'oct' }), 'signature')
  })

  test('an OpenID configuration that names another issuer is not believed', async (t) => {
    const other = await startAccessWorld((config) => {
      const { figshare } = config.connections as { figshare: { oidc: { issuer: string }[] } }
      // The same server, which calls itself otherwise.
      figshare.oidc = figshare.oidc.map((entry) => ({
        ...entry,
        issuer: entry.issuer.replace('127.0.0.1', 'localhost'),
      }))
    })
    t.after(() => other.close())
    const iss = other.issuer.url.replace('127.0.0.1', 'localhost')
    assert.equal((await other.bearer(other.oidcToken({ iss }))).status, 503)
    assert.deepEqual(other.issuer.asked, ['/.well-known/openid-configuration'])
  })
})
