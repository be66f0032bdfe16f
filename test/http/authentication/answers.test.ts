import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { failedAttemptsPerMinute } from '../../../src/limits.ts'
import { scimType } from '../../bridge-world.ts'
import { rawRequest } from '../raw-request.ts'
import {
  type AccessWorld,
  basicHeader,
  basicPassword,
  clientForm,
  connectionOf,
  type Seen,
  startAccessWorld,
} from './access-world.ts'
import { rsaKey } from './issuer-server.ts'

let access: AccessWorld
before(async () => {
  access = await startAccessWorld((config) => {
    config.trustedProxies = ['127.0.0.1', '2001:db8:1::/48']
    connectionOf(config, 'ethosce').allowFrom = ['192.0.2.0/24', '2001:db8:2::/48']
  })
})
after(() => access.close())
beforeEach(() => access.world.clock.advance(61_000))

const base = '/figshare/scim/v2'

describe('an answer to whoever is not let in', () => {
  test('AU 47 is the same for every reason, but for the id of the request', async () => {
    const stranger = rsaKey()
    const revoked = await access.token('revoked')
    await access.credentials.revokeToken('figshare', 'revoked', access.world.clock.now())
    const answers: Seen[] = [
      await access.users({}),
      await access.users({ Authorization: 'Bearer' }),
      await access.users({ Authorization: 'Digest x' }),
      await access.bearer('unknown'),
      await access.bearer('scimb_unknown'),
      await access.bearer(revoked),
      await access.bearer(await access.token('dspace', { connection: 'dspace' })),
      await access.bearer(await access.token('old', { expiresAt: access.world.clock.now() })),
      await access.bearer(access.entraToken({ exp: 1 })),
      await access.bearer(access.entraToken({ aud: 'x' })),
      await access.bearer(access.entraToken({}, { kid: access.key.kid }, stranger)),
      await access.bearer('a.b.c'),
      await access.basic('okta', 'wrong'),
      await access.basic('nobody', basicPassword),
    ]
    const texts = answers.map(({ text }) => text.replace(/request [0-9a-f-]{36}/, 'request'))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [401])
    assert.equal(new Set(texts).size, 1, texts.join('\n'))
    const names = ({ headers }: Seen) => [...headers.keys()].filter((name) => name !== 'date').join()
    assert.equal(new Set(answers.map(names)).size, 1)
    assert.equal(new Set(answers.map(({ headers }) => headers.get('www-authenticate'))).size, 1)
    assert.equal(answers[0]?.headers.get('content-type'), scimType)
  })

  test('AU 48 names the ways to prove oneself: Bearer, and Basic where there are users', async () => {
    const challenge = async (connection: string) => (await access.users({}, connection)).headers.get('www-authenticate')
    assert.equal(await challenge('figshare'), 'Bearer realm="scim-bridge", Basic realm="scim-bridge", charset="UTF-8"')
    assert.equal(await challenge('dspace'), 'Bearer realm="scim-bridge"')
    assert.equal(await challenge('nowhere'), 'Bearer realm="scim-bridge"')
  })

  test('AU 49 leaves one line in the log, with the reason and the address, and one count', async () => {
    const counted = async () => {
      const text = await (await fetch(`${access.world.url}/metrics`)).text()
      return Number(/failures_total\{connection="figshare",reason="unknown"\} (\d+)/.exec(text)?.[1] ?? 0)
    }
    const before = access.failures().length
    const countBefore = await counted()
    await access.users({ Authorization: 'Bearer scimb_nobody-has-this', 'X-Forwarded-For': '192.0.2.7' })
    const [line, ...others] = access.failures().slice(before)
    assert.deepEqual(others, [])
    assert.equal(line?.connection, 'figshare')
    assert.equal(line?.address, '192.0.2.7')
    assert.equal(line?.reason, 'unknown')
    assert.equal(line?.door, 'scim')
    assert.equal(await counted(), countBefore + 1)
    await access.basic('okta', 'wrong')
    assert.equal(access.failures().at(-1)?.caller, 'basic:okta')
    await access.basic('a-password-in-the-wrong-field', 'x')
    assert.equal(access.failures().at(-1)?.caller, undefined)
    await access.ask({ ...clientForm, client_secret: 'wrong' })
    assert.deepEqual(
      [access.failures().at(-1)?.door, access.failures().at(-1)?.caller],
      ['oauth2/token', 'client:entra'],
    )
    // Who came in is in the line of the request.
    await access.basic('okta', basicPassword)
    assert.match(access.world.logLines.at(-1) ?? '', /"caller":"basic:okta"/)
  })

  test('AU 50 is given before a byte of the body is read', async () => {
    const head = `POST ${base}/Users HTTP/1.1\r\nHost: x\r\nContent-Type: ${scimType}\r\nContent-Length: 8000000\r\n`
    for (const line of [
      '',
      'Authorization: Bearer scimb_x\r\n',
      `Authorization: Bearer ${access.entraToken({ exp: 1 })}\r\n`,
    ]) {
      assert.match(await rawRequest(access.world.url, `${head}${line}\r\n{"broken`), /^HTTP\/1\.1 401/)
    }
  })

  test('AU 51 is 503 when the store of tokens is away, for those who need it and nobody else', async () => {
    const stored = await access.token('stored')
    assert.equal((await access.bearer(stored)).status, 200)
    const { directory } = access.world
    renameSync(join(directory, 'bridge-credentials.sqlite'), join(directory, 'elsewhere'))
    const away = await access.bearer(stored)
    assert.equal(away.status, 503)
    assert.match(away.headers.get('retry-after') ?? '', /^\d+$/)
    assert.equal((await access.bearer('scimb_unknown')).status, 503)
    const issued = await access.ask(clientForm)
    assert.equal(issued.status, 503)
    assert.equal(issued.json.error, 'temporarily_unavailable')
    assert.equal((await access.bearer(access.world.tokens.get('figshare') ?? '')).status, 200)
    assert.equal((await access.basic('okta', basicPassword)).status, 200)
    assert.equal((await access.bearer(access.entraToken())).status, 200)
    assert.equal((await access.bearer('of no known form')).status, 401)
    renameSync(join(directory, 'elsewhere'), join(directory, 'bridge-credentials.sqlite'))
    assert.equal((await access.bearer(stored)).status, 200)
  })
})

describe('too many failures from one address', () => {
  const from = (address: string, headers: Record<string, string> = {}) =>
    access.users({ 'X-Forwarded-For': address, ...headers })

  test('are 429 with Retry-After, for this address only, and never for a valid token', async () => {
    const valid = { Authorization: `Bearer ${await access.token('busy')}` }
    const lines = access.failures().length
    const statuses = new Map<number, number>()
    for (let sent = 0; sent < failedAttemptsPerMinute + 20; sent += 1) {
      const { status } = await from('198.51.100.7', { Authorization: 'Bearer scimb_guess' })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    assert.deepEqual(
      [...statuses],
      [
        [401, failedAttemptsPerMinute],
        [429, 20],
      ],
    )
    const answer = await from('198.51.100.7')
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/)
    assert.equal(answer.headers.get('content-type'), scimType)
    // A flood does not fill the disk.
    assert.equal(access.failures().length - lines, failedAttemptsPerMinute)
    assert.equal((await from('198.51.100.8')).status, 401)
    assert.equal((await from('198.51.100.7', valid)).status, 200)
    access.world.clock.advance(60_000)
    assert.equal((await from('198.51.100.7')).status, 401)
  })

  test('of a user with a password are few: five, and then a right one is not looked at either', async () => {
    const right = { Authorization: basicHeader('okta', basicPassword) }
    for (let guess = 0; guess < 5; guess += 1) {
      assert.equal((await from('198.51.100.9', { Authorization: basicHeader('okta', `guess ${guess}`) })).status, 401)
    }
    assert.equal((await from('198.51.100.9', right)).status, 429)
    assert.equal((await from('198.51.100.10', right)).status, 200)
    access.world.clock.advance(60_000)
    assert.equal((await from('198.51.100.9', right)).status, 200)
  })
})

describe('a connection that takes callers from some addresses only', () => {
  const asked = (headers: Record<string, string>) =>
    access.users({ Authorization: `Bearer ${access.world.tokens.get('ethosce')}`, ...headers }, 'ethosce')

  test('answers everybody else as it answers strangers, valid token or not', async () => {
    assert.equal((await asked({ 'X-Forwarded-For': '192.0.2.200' })).status, 200)
    assert.equal((await asked({ 'X-Forwarded-For': '2001:DB8:2::1' })).status, 200)
    assert.equal((await asked({})).status, 401)
    assert.equal(access.failures().at(-1)?.reason, 'address')
    for (const address of ['192.0.3.1', '2001:db8:3::1', 'unknown', '']) {
      assert.equal((await asked({ 'X-Forwarded-For': address })).status, 401, address)
    }
  })

  test('believes what trusted proxies have written, and nothing before it', async () => {
    assert.equal((await asked({ 'X-Forwarded-For': '192.0.2.200, 203.0.113.9' })).status, 401)
    assert.equal((await asked({ 'X-Forwarded-For': '203.0.113.9, 192.0.2.200' })).status, 200)
    assert.equal((await asked({ 'X-Forwarded-For': '192.0.2.200:4711, 2001:db8:1::5, 127.0.0.1' })).status, 200)
    assert.equal((await asked({ 'X-Forwarded-For': `192.0.2.200${', 127.0.0.1'.repeat(30)}` })).status, 401)
  })

  test('believes nobody when no proxy is trusted', async (t) => {
    const other = await startAccessWorld((config) => {
      connectionOf(config, 'ethosce').allowFrom = ['192.0.2.0/24']
    })
    t.after(() => other.close())
    const headers = { Authorization: `Bearer ${other.world.tokens.get('ethosce')}`, 'X-Forwarded-For': '192.0.2.1' }
    assert.equal((await other.users(headers, 'ethosce')).status, 401)
  })
})
