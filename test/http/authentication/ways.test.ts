import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import type { JsonObject } from '../../../src/json.ts'
import { type AccessWorld, basicPassword, clientForm, connectionOf, seen, startAccessWorld } from './access-world.ts'

let access: AccessWorld
before(async () => {
  access = await startAccessWorld((config) => {
    connectionOf(config, 'dspace').headerTokenWithoutScheme = true
    connectionOf(config, 'selfcommunity').basic = [{ user: 'auditor', password: basicPassword, role: 'read' }]
    const { tokens: _, ...ethosce } = connectionOf(config, 'ethosce')
    if (config.connections !== undefined) Object.assign(config.connections ?? {}, { ethosce })
  })
})
after(() => access.close())

async function opened(t: TestContext, change: (config: JsonObject) => void): Promise<AccessWorld> {
  const world = await startAccessWorld(change)
  t.after(() => world.close())
  return world
}

describe('all ways into one connection are open at once', () => {
  test('a token of the configuration, one of the store, a password, a client, Entra and another issuer', async () => {
    const issued = await access.ask(clientForm)
    const statuses = [
      await access.bearer(access.world.tokens.get('figshare') ?? ''),
      await access.bearer(await access.token('stored')),
      await access.basic('okta', basicPassword),
      await access.bearer(String(issued.json.access_token)),
      await access.bearer(access.entraToken()),
      await access.bearer(access.oidcToken()),
    ].map(({ status }) => status)
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200])
    const callers = access.world.logLines.map((line) => JSON.parse(line)).filter(({ route }) => route === 'Users')
    assert.deepEqual(
      callers.map(({ caller }) => String(caller).replace(/127\.0\.0\.1:\d+/, 'issuer')),
      ['token-1', 'token:stored', 'basic:okta', 'client:entra', 'entra', 'oidc:issuer'],
    )
  })

  test('a token without `Bearer` is taken where the connection says so, and nowhere else', async () => {
    const token = (name: 'dspace' | 'figshare') => ({ Authorization: access.world.tokens.get(name) ?? '' })
    assert.equal((await access.users(token('dspace'), 'dspace')).status, 200)
    assert.equal((await access.users(token('figshare'))).status, 401)
  })

  test('a user with the role read is 403 for writes', async () => {
    const headers = { Authorization: `Basic ${Buffer.from(`auditor:${basicPassword}`).toString('base64')}` }
    assert.equal((await access.users(headers, 'selfcommunity')).status, 200)
    const url = `${access.world.url}/selfcommunity/scim/v2/Users/x`
    assert.equal((await seen(url, { method: 'DELETE', headers })).status, 403)
  })

  test('a connection without any is named in the log at the start, and a token of the store opens it', async () => {
    assert.match(access.world.logLines.join(''), /"connection":"ethosce","msg":"nobody can come in: make a token/)
    assert.doesNotMatch(access.world.logLines.join(''), /"connection":"figshare","msg":"nobody can come in/)
    const token = await access.token('okta', { connection: 'ethosce' })
    assert.equal((await access.bearer(token, 'ethosce')).status, 200)
  })

  test('discovery announces those that the connection has', async () => {
    const schemes = async (connection: string, token: string) => {
      const url = `${access.world.url}/${connection}/scim/v2/ServiceProviderConfig`
      const { json } = await seen(url, { headers: { Authorization: `Bearer ${token}` } })
      assert.ok(Array.isArray(json.authenticationSchemes))
      return JSON.stringify(json.authenticationSchemes).match(/(?<="type":")\w+/g)
    }
    const tokenOf = (name: 'dspace' | 'figshare' | 'openspecimen') => access.world.tokens.get(name) ?? ''
    assert.deepEqual(await schemes('openspecimen', tokenOf('openspecimen')), ['oauthbearertoken'])
    assert.deepEqual(await schemes('dspace', tokenOf('dspace')), ['oauthbearertoken', 'oauth2'])
    assert.deepEqual(await schemes('figshare', tokenOf('figshare')), ['oauthbearertoken', 'httpbasic', 'oauth2'])
  })
})

describe('/metrics', () => {
  const metrics = (world: AccessWorld, token?: string) =>
    seen(`${world.world.url}/metrics`, token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } })

  test('is open until somebody has a token for it', async () => {
    assert.equal((await metrics(access)).status, 200)
    const token = await access.token('prometheus', { role: 'monitor' })
    assert.equal((await metrics(access)).status, 401)
    assert.equal((await metrics(access, access.world.tokens.get('figshare'))).status, 401)
    assert.equal((await metrics(access, token)).status, 200)
    await access.credentials.revokeToken('figshare', 'prometheus', access.world.clock.now())
    assert.equal((await metrics(access)).status, 200)
  })

  test('stays closed when the token for it has expired, until that is revoked', async (t) => {
    const other = await opened(t, () => {})
    const expiresAt = other.world.clock.now() + 1_000
    const token = await other.token('prometheus', { role: 'monitor', expiresAt })
    other.world.clock.advance(2_000)
    assert.equal((await metrics(other, token)).status, 401)
    assert.equal((await metrics(other)).status, 401)
    await other.credentials.revokeToken('figshare', 'prometheus', other.world.clock.now())
    assert.equal((await metrics(other)).status, 200)
  })

  test("a connection's token shows that connection alone", async () => {
    await access.users({}, 'dspace')
    const token = await access.token('scope', { role: 'monitor' })
    const { text } = await metrics(access, token)
    assert.match(text, /scim_bridge_operations_unfinished\{connection="figshare"\}/)
    assert.doesNotMatch(text, /connection="(?!figshare")/)
    await access.credentials.revokeToken('figshare', 'scope', access.world.clock.now())
    assert.match((await metrics(access)).text, /connection="dspace"/)
  })

  test("a connection's token shows nothing of the whole bridge", async (t) => {
    const other = await opened(t, (config) => {
      const webhook = { url: 'https://alerts.uni.example/hook', secret: 'a-secret-of-the-receiver' }
      config.alarms = { webhook }
    })
    assert.match((await metrics(other)).text, /^scim_bridge_alarm_deliveries_total\{/m)
    const { text } = await metrics(other, await other.token('scope', { role: 'monitor' }))
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    assert.deepEqual(
      lines.filter((line) => !line.includes('connection="figshare"')),
      [],
    )
  })

  test('is for tokens of the configuration, which show all, where there are any', async (t) => {
    const token = 'a-token-of-prometheus'
    const other = await opened(t, (config) => {
      config.metrics = { tokens: [token] }
    })
    assert.equal((await metrics(other)).status, 401)
    assert.equal((await metrics(other, `${token}x`)).status, 401)
    const { status, text } = await metrics(other, token)
    assert.equal(status, 200)
    assert.match(text, /connection="dspace"/)
    assert.equal((await other.bearer(token)).status, 401)
  })

  test('is for the clients and users who have the role, where there are any', async (t) => {
    const other = await opened(t, (config) => {
      connectionOf(config, 'dspace').basic = [{ user: 'grafana', password: basicPassword, role: 'monitor' }]
    })
    assert.equal((await metrics(other)).status, 401)
    const headers = { Authorization: `Basic ${Buffer.from(`grafana:${basicPassword}`).toString('base64')}` }
    assert.equal((await seen(`${other.world.url}/metrics`, { headers })).status, 200)
  })
})
