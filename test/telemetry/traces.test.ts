import assert from 'node:assert/strict'
import dns from 'node:dns'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type Collector, type ReceivedSpan, startCollector } from './collector.ts'

const provisioning = 'urn:scim-bridge:params:scim:schemas:extension:1.0:Provisioning'
const collectorSecret = 'a-secret-of-the-collector'

interface Setup {
  readonly world: BridgeWorld
  readonly collector: Collector
  /** Stops the bridge, which exports what is left, and starts it again: all spans so far. */
  exported(): Promise<readonly ReceivedSpan[]>
}

async function setUp(t: TestContext, traces: JsonObject = {}): Promise<Setup> {
  const collector = await startCollector()
  const world = await startBridgeWorld((config) => {
    config.telemetry = {
      traces: {
        endpoint: collector.endpoint,
        headers: { authorization: `Bearer ${collectorSecret}` },
        allowHttp: true,
        allowPrivateAddresses: true,
        ...traces,
      },
    }
  })
  t.after(async () => {
    await world.stop()
    await collector.server.close()
  })
  return {
    world,
    collector,
    async exported() {
      await world.restart()
      return collector.spans
    },
  }
}

function named(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const found = spans.filter((span) => span.name === name)
  assert.equal(found.length, 1, `one span '${name}' of ${spans.map((span) => span.name).join(', ')}`)
  return found[0] as ReceivedSpan
}

test('a request is a span below its caller, with its transactions, its attempt and the calls to the platform below it', async (t) => {
  const { world, collector, exported } = await setUp(t, { serviceName: 'scim-of-the-library' })
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const user = aUser()
  const answer = await world
    .scim('figshare')
    .post('/Users', user, { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: 'vendor=1' })
  assert.equal(answer.status, 201)
  const spans = await exported()
  const request = named(spans, 'POST Users')
  assert.deepEqual(
    [request.traceId, request.parentSpanId, request.kind, request.isError],
    [traceId, '00f067aa0ba902b7', 'server', false],
  )
  assert.deepEqual(request.attributes, {
    'http.request.method': 'POST',
    'http.route': 'Users',
    'http.response.status_code': 201,
    'scim_bridge.connection': 'figshare',
    'scim_bridge.caller': request.attributes['scim_bridge.caller'],
    'scim_bridge.request_id': answer.headers['x-request-id'],
  })
  const ofTrace = spans.filter((span) => span.traceId === traceId)
  const attempt = named(ofTrace, 'attempt create')
  assert.equal(attempt.parentSpanId, request.spanId)
  assert.deepEqual([attempt.kind, attempt.links], ['internal', []])
  assert.equal(attempt.attributes['scim_bridge.settled'], 'applied')
  const transactions = ofTrace.filter(({ name }) => name === 'store transaction')
  assert.ok(
    transactions.some(({ parentSpanId }) => parentSpanId === request.spanId),
    'what was asked is durable',
  )
  assert.ok(
    transactions.some(({ parentSpanId }) => parentSpanId === attempt.spanId),
    'and what was reached',
  )
  const calls = ofTrace.filter(({ kind }) => kind === 'client')
  assert.ok(calls.length >= 2)
  assert.ok(calls.every(({ parentSpanId }) => parentSpanId === attempt.spanId))
  const written = calls.filter(({ name }) => name === 'POST /account/institution/accounts')
  assert.deepEqual(
    written.map(({ attributes }) => attributes),
    [
      {
        'http.request.method': 'POST',
        'url.template': '/account/institution/accounts',
        'server.address': '127.0.0.1',
        'scim_bridge.connection': 'figshare',
        'http.response.status_code': written[0]?.attributes['http.response.status_code'],
      },
    ],
  )
  assert.equal(collector.resource['service.name'], 'scim-of-the-library')
  // The log names the trace, on the line of the request and on what was said meanwhile.
  const line = world.logLines.find((text) => text.includes(answer.headers['x-request-id'] ?? '-'))
  assert.equal(JSON.parse(line ?? '{}').traceId, traceId)
  assert.ok(world.sandbox.figshare.calls.every(({ requestHeaders }) => requestHeaders.traceparent === undefined))
})

test('an attempt after a failure of the platform is a trace of its own that goes back to the request, also after a restart', async (t) => {
  const { world, exported } = await setUp(t)
  const scim = world.scim('figshare')
  const { body } = await scim.post('/Users', aUser())
  world.sandbox.figshare.fault({ mode: '500' })
  const off = await scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'active', value: false }])
  assert.equal(off.status, 429)
  const before = await exported()
  const request = named(before, 'PATCH Users/*')
  assert.equal(request.attributes['scim_bridge.request_id'], off.headers['x-request-id'])
  const first = before.find(({ parentSpanId, name }) => parentSpanId === request.spanId && name === 'attempt update')
  assert.deepEqual([first?.isError, first?.attributes['error.type']], [true, 'unknown'])
  const failed = before.filter(({ kind, parentSpanId }) => kind === 'client' && parentSpanId === first?.spanId)
  assert.ok(failed.some(({ isError, attributes }) => isError && attributes['http.response.status_code'] === 500))
  const known = before.length
  world.sandbox.figshare.fault({ mode: 'ok' })
  const isOff = async () => {
    const { body: user } = await world.scim('figshare').get(`/Users/${body.id}`)
    return user[provisioning].state === 'applied'
  }
  await eventually('it was done', isOff, () => world.clock.advance(60_000))
  const later = (await exported()).slice(known).filter(({ name }) => name === 'attempt update')
  const done = later.find(({ attributes }) => attributes['scim_bridge.settled'] === 'applied')
  assert.deepEqual(done?.links, [{ traceId: request.traceId, spanId: request.spanId }])
  assert.notEqual(done?.traceId, request.traceId)
  assert.deepEqual([done?.parentSpanId, done?.kind], [undefined, 'consumer'])
  assert.equal(done?.attributes['scim_bridge.request_id'], off.headers['x-request-id'])
  const failure = world.logLines.map((text) => JSON.parse(text)).find(({ error }) => error !== undefined)
  assert.equal(failure.traceId, request.traceId)
})

test('nothing of a person and no secret is in anything that is exported', async (t) => {
  const { world, collector, exported } = await setUp(t)
  const people = []
  for (const platform of ['figshare', 'ethosce', 'openspecimen', 'selfcommunity', 'dspace'] as const) {
    const scim = world.scim(platform)
    const user = aUser()
    const { body } = await scim.post('/Users', user)
    people.push({ id: body.id, userName: String(user.userName), externalId: String(user.externalId) })
    await scim.get(`/Users?filter=${encodeURIComponent(`userName eq "${user.userName}"`)}`)
    await scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'name.familyName', value: 'Byron' }])
    await scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'active', value: false }])
    await scim.get('/Users/Ada%20Lovelace')
    await scim.get('/Lovelace')
    await scim.delete(`/Users/${body.id}`)
  }
  const stranger = await fetch(`${world.url}/figshare-of-Lovelace/scim/v2/Users/Lovelace`, {
    headers: { authorization: 'Bearer a-token-of-Lovelace' },
  })
  assert.equal(stranger.status, 401)
  const spans = await exported()
  assert.ok(spans.length > 100)
  const text = collector.text()
  const tokens = [...world.tokens.values()]
  const values = people.flatMap(({ id, userName, externalId }) => [id, userName, userName.split('@')[0], externalId])
  for (const value of [...values, ...tokens, 'Lovelace', 'Byron', 'Ada', 'uni.example', collectorSecret]) {
    assert.ok(!text.includes(String(value)), String(value))
  }
  const page = readFileSync(new URL('../../docs/tracing.md', import.meta.url), 'utf8')
  const documented = [...page.matchAll(/`((?:http|url|server|db|scim_bridge|error)\.[\w.]+)`/g)].map(([, name]) => name)
  assert.deepEqual(
    [...new Set(documented)].sort(),
    [...new Set(spans.flatMap(({ attributes }) => Object.keys(attributes)))].sort(),
    'docs/tracing.md has every attribute, and no other',
  )
  // Words of a path that the list forgot would make all its calls look the same.
  const words = new Set(spans.filter(({ kind }) => kind === 'client').map(({ name }) => name))
  assert.ok(
    [...words].every((name) => !/ \/\{\}/.test(name)),
    [...words].join('\n'),
  )
  for (const name of ['GET /user.json', 'PATCH /users/{}', 'POST /api/v2/sso/signup/', 'POST /api/eperson/epersons']) {
    assert.ok(words.has(name), `${name} is one of\n${[...words].join('\n')}`)
  }
})

test('a platform is told of the trace only where that was said', async (t) => {
  const { world, exported } = await setUp(t, { tellPlatforms: true })
  await world.scim('figshare').post('/Users', aUser())
  const spans = await exported()
  const told = world.sandbox.figshare.calls.flatMap(({ requestHeaders }) => requestHeaders.traceparent ?? [])
  const calls = spans.filter(({ kind }) => kind === 'client')
  assert.ok(told.length > 0)
  for (const traceparent of told) {
    const [, traceId, spanId] = String(traceparent).split('-')
    assert.ok(
      calls.some((span) => span.traceId === traceId && span.spanId === spanId),
      String(traceparent),
    )
  }
})

test('of traces that nobody has decided on a share is exported, and what the caller has decided stays so', async (t) => {
  const { world, collector, exported } = await setUp(t, { ratio: 0 })
  const scim = world.scim('figshare')
  await scim.get('/Users')
  await scim.get('/Users', { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00' })
  await scim.get('/Groups', { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' })
  const wrong = ['00-00000000000000000000000000000000-00f067aa0ba902b7-01', 'ff-1-2-01', 'x'.repeat(9_000), '']
  for (const traceparent of wrong) assert.equal((await scim.get('/Users', { traceparent })).status, 200)
  const spans = await exported()
  assert.deepEqual(
    spans.map(({ name }) => name),
    ['GET Groups'],
  )
  assert.ok(collector.server.requests.every(({ headers }) => headers.authorization === `Bearer ${collectorSecret}`))
})

test('a secret of the collector in a file is the one of now, and one that cannot be sent harms nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'scim-bridge-traces-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'authorization')
  writeFileSync(file, 'Bearer first\n')
  const { world, collector } = await setUp(t, { headers: { authorization: { file } } })
  const asked = async (present: string) => {
    await world.scim('figshare').get('/Users')
    writeFileSync(file, present)
    // It would not start with what cannot be sent.
    await world.restart(() => writeFileSync(file, 'Bearer later\n'))
    return collector.server.requests.map(({ headers }) => headers.authorization)
  }
  assert.deepEqual(await asked('Bearer second\n'), ['Bearer second'])
  assert.deepEqual(await asked('Bearer third\r\nX-Other: 1'), ['Bearer second'])
  assert.ok(world.logLines.some((line) => line.includes('traces could not be exported')))
  assert.ok(!world.logLines.join('').includes('third'))
})

test('a collector that is away, or refuses, harms nothing and is told of once in a while', async (t) => {
  const { world, collector, exported } = await setUp(t)
  collector.answerWith(400)
  const { status } = await world.scim('figshare').post('/Users', aUser())
  assert.equal(status, 201)
  await exported()
  collector.answerWith(200)
  await world.scim('figshare').get('/Users')
  const spans = await exported()
  assert.equal(named(spans, 'GET Users').attributes['http.response.status_code'], 200)
  const told = world.logLines.filter((text) => text.includes('traces could not be exported'))
  assert.equal(told.length, 1)
  assert.match(String(told[0]), /"spans":\d+,"reason":"status 400"/)
  assert.ok(!world.logLines.join('').includes('a text of the collector'))
  await collector.server.close()
  const started = Date.now()
  await world.scim('figshare').get('/Users')
  await world.restart()
  assert.ok(Date.now() - started < 6_000, 'the end of the bridge does not wait for a collector that is away')
})

test('a collector whose name leads inside gets not one byte, and the log says why', async (t) => {
  const asked = dns.lookup
  t.mock.method(dns, 'lookup', (host: string, options: object, answer: (...words: unknown[]) => void) =>
    host === 'collector.example'
      ? answer(null, [{ address: '127.0.0.1', family: 4 }])
      : asked(host, options as dns.LookupOptions, answer),
  )
  const inside = await startCollector()
  t.after(() => inside.server.close())
  const endpoint = inside.endpoint.replace('127.0.0.1', 'collector.example')
  const { world } = await setUp(t, { endpoint, allowPrivateAddresses: false })
  await world.scim('figshare').get('/Users')
  await world.restart()
  assert.deepEqual(inside.server.requests, [])
  const told = world.logLines.filter((text) => text.includes('traces could not be exported'))
  assert.match(String(told[0]), /"reason":"the name leads to an address that is not allowed \(allowPrivateAddresses\)"/)
})
