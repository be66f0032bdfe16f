import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { JsonObject } from '../../../src/json.ts'
import { type AccessWorld, assertAccepted, assertRefused, clientForm, startAccessWorld } from './access-world.ts'
import { ecKey, rsaKey, signed } from './issuer-server.ts'

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

describe('tokens that Entra issues itself', () => {
  test('let in its provisioning of this tenant', async () => {
    await accepted(access.entraToken())
    assert.match(access.world.logLines.join(''), /"caller":"entra"/)
    assert.ok(access.issuer.asked.includes('/entra-keys'))
  })

  test('AU 15 alg none is 401, in any letter case, signed or not', async () => {
    for (const alg of ['none', 'None', 'NONE']) {
      const token = access.entraToken({}, { alg })
      await refused(token)
      await refused(`${token.split('.').slice(0, 2).join('.')}.`)
      await refused(`${token.split('.').slice(0, 2).join('.')}.AAAA`, 'signature')
    }
  })

  test('AU 16 HS256 with the public key as its secret is 401', async () => {
    await refused(access.entraToken({}, { alg: 'HS256' }), 'signature')
    await refused(access.oidcToken({}, { alg: 'HS256' }), 'signature')
  })

  test('AU 17 another algorithm than the key is made for is 401', async () => {
    const ec = ecKey()
    access.issuer.keys = [access.key, ec]
    later()
    await accepted(access.oidcToken({}, { alg: 'ES256', kid: ec.kid }, ec))
    // RS256 is what Entra signs with, and nothing else.
    await refused(access.entraToken({}, { alg: 'ES256', kid: ec.kid }, ec), 'signature')
    await refused(access.entraToken({}, { alg: 'ES256' }), 'signature')
    await refused(access.oidcToken({}, { alg: 'ES256' }), 'signature')
    await refused(access.oidcToken({}, { alg: 'RS256', kid: ec.kid }, ec), 'signature')
    await refused(access.oidcToken({}, { alg: 'PS256' }), 'signature')
  })

  for (const [number, what, kid] of [
    [18, 'a path', '../../../../dev/null'],
    [19, 'SQL', "x' union select 'secret' --"],
    [20, 'a URL', 'http://127.0.0.1:1/keys'],
  ] as const) {
    test(`AU ${number} ${what} as kid is 401, and nothing but the known address is called`, async () => {
      const asked = access.issuer.asked.length
      later()
      await refused(access.entraToken({}, { kid }, strangersKey), 'signature')
      await refused(access.oidcToken({}, { kid }), 'signature')
      for (const path of access.issuer.asked.slice(asked)) assert.match(path, /^\/(entra-keys|keys|\.well-known\/.*)$/)
    })
  }

  for (const [number, name] of [
    [21, 'jku'],
    [22, 'jwk'],
    [23, 'x5u'],
  ] as const) {
    test(`AU ${number} a key that the token brings along or names (${name}) is 401, and not fetched`, async () => {
      const own: JsonObject = {
        jku: `${access.issuer.url}/evil`,
        jwk: strangersKey.jwk,
        x5u: `${access.issuer.url}/evil`,
      }
      const header: JsonObject = { [name]: own[name] ?? null }
      await refused(access.entraToken({}, header, strangersKey), 'malformed')
      await refused(access.entraToken({}, { ...header, kid: access.key.kid }, strangersKey), 'malformed')
      assert.ok(!access.issuer.asked.includes('/evil'))
    })
  }

  test('AU 24 an unknown kid makes the bridge look once, and not again for 30 s', async () => {
    await accepted(access.entraToken())
    later()
    const asked = () => access.issuer.asked.filter((path) => path === '/entra-keys').length
    const before = asked()
    await Promise.all(Array.from({ length: 20 }, () => refused(access.entraToken({}, {}, strangersKey), 'signature')))
    assert.equal(asked(), before + 1)
    access.world.clock.advance(29_000)
    await refused(access.entraToken({}, {}, strangersKey))
    assert.equal(asked(), before + 1)
    access.world.clock.advance(1_000)
    await refused(access.entraToken({}, {}, strangersKey))
    assert.equal(asked(), before + 2)
    await accepted(access.entraToken())
  })

  test('AU 25 another issuer is 401: another tenant, a missing slash, another letter case', async () => {
    for (const iss of [
      'https://sts.windows.net/other/',
      'https://sts.windows.net/tenant',
      'https://STS.windows.net/tenant/',
      '',
      null,
    ]) {
      await refused(access.entraToken({ iss }), 'claims')
    }
  })

  test('AU 26 a missing audience is 401', async () => {
    await refused(access.entraToken({ aud: null }), 'claims')
    await refused(access.entraToken({ aud: [] }), 'claims')
  })

  test('AU 27 another audience is 401', async () => {
    for (const aud of ['00000003-0000-0000-c000-000000000000', 'scim', '8adf8e6e', ''])
      await refused(access.entraToken({ aud }), 'claims')
    await refused(access.oidcToken({ aud: '8adf8e6e-67b2-4cf2-a259-e3dc5476c621' }), 'claims')
  })

  test('AU 28 a list of audiences is taken when ours is in it, and not otherwise', async () => {
    await accepted(access.oidcToken({ aud: ['other', 'scim'] }))
    await refused(access.oidcToken({ aud: ['other', 'SCIM'] }), 'claims')
    await refused(access.oidcToken({ aud: [['scim'], { scim: 1 }, null] }), 'claims')
  })

  test('AU 29 clocks may differ by 59 s, not by 61', async () => {
    const now = access.now()
    await accepted(access.entraToken({ exp: now - 59 }))
    await refused(access.entraToken({ exp: now - 61 }), 'expired')
    await accepted(access.entraToken({ nbf: now + 59 }))
    await refused(access.entraToken({ nbf: now + 61 }), 'claims')
    await accepted(access.entraToken({ iat: now + 59 }))
    await refused(access.entraToken({ iat: now + 61 }), 'claims')
  })

  test('AU 30 no expiry, or one that is no number, is 401', async () => {
    const { exp: _, ...rest } = {
      exp: 0,
      iss: 'https://sts.windows.net/tenant/',
      aud: '8adf8e6e-67b2-4cf2-a259-e3dc5476c621',
    }
    await refused(signed(access.key, {}, rest), 'claims')
    for (const exp of ['never', null, String(access.now() + 60)]) await refused(access.entraToken({ exp }), 'claims')
  })

  test('AU 31 an ID token, or a token of any other type, is 401', async () => {
    await refused(access.oidcToken({ nonce: 'n-0S6_WzA2Mj' }), 'claims')
    await refused(access.oidcToken({ at_hash: 'x' }), 'claims')
    for (const typ of ['id_token', 'logout+jwt', 'secevent+jwt', 'dpop+jwt', 'JOSE']) {
      await refused(access.oidcToken({}, { typ }), 'claims')
    }
    await accepted(access.oidcToken({}, { typ: 'application/at+jwt' }))
    // Entra's have always been JWT.
    await refused(access.entraToken({}, { typ: 'at+jwt' }), 'claims')
  })

  test('AU 32 a missing scope is 401, where the connection asks for one', async () => {
    for (const scope of [null, '', 'openid', 'provisioning2', ['openid']])
      await refused(access.oidcToken({ scope }), 'claims')
    await accepted(access.oidcToken({ scope: ['provisioning'] }))
  })

  test('AU 33 an extension that is critical and unknown is 401', async () => {
    await refused(access.entraToken({}, { crit: ['exp'], exp: 1 }), 'malformed')
    await refused(access.entraToken({}, { crit: ['x-new'], 'x-new': true }), 'malformed')
    await refused(access.entraToken({}, { crit: [] }), 'malformed')
  })

  test('AU 34 an encrypted token is 401', async () => {
    const part = Buffer.from('{"alg":"RSA-OAEP","enc":"A256GCM"}').toString('base64url')
    await refused(`${part}.AAAA.AAAA.AAAA.AAAA`, 'malformed')
  })

  test('AU 35 cut, long or ambiguous tokens are 401', async () => {
    const token = access.entraToken()
    const [header = '', claims = '', signature = ''] = token.split('.')
    for (const broken of [
      '..',
      `${header}..${signature}`,
      `.${claims}.${signature}`,
      `${header}.${claims}`,
      `${header}.${claims}.`,
      `${token}.`,
      `${header}.${claims}.${signature.slice(0, -4)}`,
      `${header}.${claims}.${signature}=`,
      `${header}.${Buffer.from('[]').toString('base64url')}.${signature}`,
      `${header}.${Buffer.from('null').toString('base64url')}.${signature}`,
      `${header}.${'A'.repeat(9_000)}.${signature}`,
    ]) {
      await refused(broken)
    }
    const twice = JSON.stringify({ iss: 'https://sts.windows.net/tenant/', exp: access.now() + 60, iat: access.now() })
    const good = '"aud":"8adf8e6e-67b2-4cf2-a259-e3dc5476c621"'
    await accepted(signed(access.key, {}, twice.replace('{', `{${good},`)))
    await refused(signed(access.key, {}, twice.replace('{', `{"aud":"other",${good},`)), 'malformed')
    await refused(signed(access.key, {}, twice.replace('{', `{${good},"__proto__":{},`)), 'malformed')
  })
})

describe('access tokens of the bridge', () => {
  const issued = async () => String((await access.ask(clientForm)).json.access_token)

  test('are not taken with another type, signed by another key, or altered', async () => {
    const token = await issued()
    await accepted(token)
    const [header = '', claims = '', signature = ''] = token.split('.')
    const own: JsonObject = JSON.parse(Buffer.from(claims, 'base64url').toString())
    const head: JsonObject = JSON.parse(Buffer.from(header, 'base64url').toString())
    await refused(signed(ecKey(), head, own), 'signature')
    await refused(signed(access.key, { ...head, alg: 'RS256' }, own), 'signature')
    await refused(signed(ecKey(), { ...head, typ: 'JWT' }, own), 'claims')
    const wider = Buffer.from(JSON.stringify({ ...own, exp: 9_999_999_999 })).toString('base64url')
    await refused(`${header}.${wider}.${signature}`, 'signature')
  })

  test('end after their life', async () => {
    const token = await issued()
    access.world.clock.advance(3_659_000)
    await accepted(token)
    access.world.clock.advance(2_000)
    await refused(token, 'expired')
  })
})
