import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { sha256 } from '../../src/http/authentication/digest.ts'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { createLog } from '../../src/log.ts'
import type { PostgresLocation } from '../../src/store/location.ts'
import { openCredentialsOf } from '../../src/store/open-location.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type PostgresServer, postgresStore, skipPostgres, startPostgres } from '../postgres-server.ts'
import { type ReceivedSpan, startCollector } from '../telemetry/collector.ts'

describe('a bridge on PostgreSQL', { skip: skipPostgres }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.end())

  async function started(t: TestContext, location: PostgresLocation = server.location()): Promise<BridgeWorld> {
    const world = await startBridgeWorld((config: JsonObject) => {
      config.store = postgresStore(location)
    })
    t.after(() => world.stop())
    return world
  }

  test('provisions people and groups, finds them, and knows them after a restart', async (t) => {
    const world = await started(t)
    const scim = world.scim('dspace')
    const person = aUser()
    const made = await scim.post('/Users', person).expect(201)
    const id: string = made.body.id
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']
    const group = await scim.post('/Groups', { schemas, displayName: 'Physics', members: [{ value: id }] }).expect(201)
    const change = [{ op: 'replace', path: 'name.givenName', value: 'Grace' }]
    await scim.patch(`/Users/${id}`, change).expect(200)
    await world.restart()
    const again = world.scim('dspace')
    const read = await again.get(`/Users/${id}`).expect(200)
    assert.equal(read.body.name.givenName, 'Grace')
    assert.deepEqual(
      read.body.groups.map(({ value }: { value: string }) => value),
      [group.body.id],
    )
    const filter = encodeURIComponent(`userName eq "${String(person.userName).toUpperCase()}"`)
    const found = await again.get(`/Users?filter=${filter}`).expect(200)
    assert.equal(found.body.totalResults, 1)
    await again.post('/Users', { ...person, externalId: 'another' }).expect(409)
    await again.patch(`/Users/${id}`, [{ op: 'replace', value: { active: false } }]).expect(200)
    await again.delete(`/Users/${id}`).expect(204)
    await again.get(`/Users/${id}`).expect(404)
  })

  test('deferred work that is traced goes back to who asked: of a user to its push, of a membership to that of the group', async (t) => {
    const collector = await startCollector()
    t.after(() => collector.server.close())
    const world = await startBridgeWorld((config: JsonObject) => {
      config.store = postgresStore(server.location())
      const { endpoint } = collector
      config.telemetry = { traces: { endpoint, allowHttp: true, allowPrivateAddresses: true } }
      if (isJsonObject(config.connections) && isJsonObject(config.connections.dspace))
        config.connections.dspace.mode = 'deferred'
    })
    t.after(() => world.stop())
    const scim = world.scim('dspace')
    const { body } = await scim.post('/Users', aUser())
    const isApplied = async () =>
      (await scim.get(`/Users/${body.id}`)).body['urn:scim-bridge:params:scim:schemas:extension:1.0:Provisioning']
        .state === 'applied'
    const until = (what: string, ask: () => Promise<boolean>) => eventually(what, ask, () => world.clock.advance(5_000))
    await until('it is applied', isApplied)
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']
    const group = await scim.post('/Groups', { schemas, displayName: 'Physics', members: [{ value: body.id }] })
    assert.equal(group.status, 201)
    const isJoined = async () =>
      world.sandbox.dspace.calls.some(({ method, path }) => method === 'POST' && /\/groups\/[^/]+\/epersons/.test(path))
    await until('the membership is there', isJoined)
    await until('and seen', isApplied)
    await world.restart()
    const { spans } = collector
    const spanOf = (name: string) => spans.find((span) => span.name === name)
    const attempts = spans.filter(({ name, kind }) => name.startsWith('attempt ') && kind === 'consumer')
    const linkedTo = (asked: ReceivedSpan | undefined) =>
      attempts.filter(({ links }) => links.some(({ spanId }) => spanId === asked?.spanId))
    assert.deepEqual(
      linkedTo(spanOf('POST Users')).map(({ name }) => name),
      ['attempt create'],
    )
    assert.ok(
      linkedTo(spanOf('POST Groups')).some(({ attributes }) => attributes['scim_bridge.operation.about'] === 'grants'),
    )
    const systems = new Set(spans.map(({ attributes }) => attributes['db.system.name']))
    assert.deepEqual(systems, new Set([undefined, 'postgresql']))
  })

  test('a token is taken from the next request on, and refused from the next one after it was revoked', async (t) => {
    const location = server.location()
    const world = await started(t, location)
    const token = `scimb_${'x'.repeat(43)}`
    const now = world.clock.now()
    const statusOf = async () =>
      (await fetch(`${world.url}/dspace/scim/v2/Users`, { headers: { Authorization: `Bearer ${token}` } })).status
    assert.equal(await statusOf(), 401)
    // Another process, as far as the bridge can tell.
    const credentials = await openCredentialsOf(location, { log: createLog('silent'), now })
    t.after(() => credentials.close())
    const digest = sha256(token).toString('hex')
    const fresh = { connection: 'dspace', name: 'fresh', role: 'provision', sha256: digest, createdAt: now } as const
    await credentials.addToken({ ...fresh, expiresAt: undefined })
    assert.equal(await statusOf(), 200)
    await assert.rejects(credentials.addToken({ ...fresh, sha256: 'other', expiresAt: undefined }), /has a token/)
    await credentials.revokeToken('dspace', 'fresh', now)
    assert.equal(await statusOf(), 401)
  })

  test('PG 3 while the database is away requests get 503, the bridge is alive and not ready; then it goes on', async (t) => {
    const world = await started(t)
    const scim = world.scim('figshare')
    const made = await scim.post('/Users', aUser()).expect(201)
    const metrics = async () => (await fetch(`${world.url}/metrics`)).text()
    const answers = (value: number) => `scim_bridge_store_answers{connection="figshare"} ${value}\n`
    const waiting = 'scim_bridge_operations_unfinished{connection="figshare"}'
    const before = await metrics()
    assert.ok(before.includes(answers(1)) && before.includes(waiting))
    await server.stop()
    const refused = await scim.post('/Users', aUser())
    assert.equal(refused.status, 503)
    assert.match(String(refused.headers['retry-after']), /^\d+$/)
    assert.equal((await fetch(`${world.url}/livez`)).status, 200)
    assert.equal((await fetch(`${world.url}/readyz`)).status, 503)
    // Prometheus sees a bridge without its store, and not none.
    const meanwhile = await metrics()
    assert.ok(meanwhile.includes(answers(0)), meanwhile)
    assert.ok(!meanwhile.includes(waiting))
    assert.match(meanwhile, /^scim_bridge_requests_total\{connection="figshare",.*status="503"\} 1$/m)
    await server.start()
    await eventually('the bridge is ready', async () => (await fetch(`${world.url}/readyz`)).status === 200)
    await scim.get(`/Users/${made.body.id}`).expect(200)
    const { body } = await scim.get('/Users').expect(200)
    assert.equal(body.totalResults, 1)
    await scim.post('/Users', aUser()).expect(201)
  })
})
