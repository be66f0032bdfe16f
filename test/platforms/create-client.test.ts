import assert from 'node:assert/strict'
import dns from 'node:dns'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Broken, Busy, Fault, PlatformError, Unknown, Unreachable } from '../../src/errors.ts'
import type { ClientSettings, Pace, PlatformRequest } from '../../src/platforms/client.ts'
import { createClient } from '../../src/platforms/create-client.ts'
import { createPace } from '../../src/platforms/pace.ts'
import { aClock } from './contract.ts'
import { type RawServer, reply, startRawServer } from './raw-server.ts'
import { aCall } from './world.ts'

const get: PlatformRequest = { method: 'GET', path: ['accounts', '7'] }
const post: PlatformRequest = { method: 'POST', path: ['accounts'], body: { name: 'Ada' } }
const json = 'Content-Type: application/json'

async function aServer(t: TestContext, answer: Parameters<typeof startRawServer>[0]): Promise<RawServer> {
  const server = await startRawServer(answer)
  t.after(() => server.close())
  return server
}

function aClient(t: TestContext, baseUrl: string, settings: Partial<ClientSettings> = {}) {
  const client = createClient({ baseUrl, pace: createPace('off', aClock()), ...settings })
  t.after(() => client.close())
  return client
}

/** A client whose server always gives the same answer. */
async function answering(t: TestContext, bytes: Buffer, settings: Partial<ClientSettings> = {}) {
  const server = await aServer(t, (socket) => socket.write(bytes))
  return { server, client: aClient(t, server.baseUrl, settings) }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

test('a refused connection is Unreachable, also for a write: nothing was sent', async (t) => {
  const client = aClient(t, `http://127.0.0.1:${await freePort()}`)
  await assert.rejects(client.send(aCall(), get), Unreachable)
  await assert.rejects(client.send(aCall(), post), Unreachable)
})

test('a host name that does not exist is Unreachable, and named in the log', async (t) => {
  await assert.rejects(aClient(t, 'http://no-such-host.invalid').send(aCall(), post), (error) => {
    assert.ok(error instanceof Unreachable)
    // Without a network the resolver says that it could not ask.
    assert.match(
      error.detail,
      /^POST \/accounts: the name no-such-host\.invalid could not be resolved \((ENOTFOUND|EAI_AGAIN)\)$/,
    )
    assert.doesNotMatch(error.message, /no-such-host/)
    return true
  })
})

test('a resolver that never answers is told apart from a platform that does not', async (t) => {
  t.mock.method(dns, 'lookup', () => undefined)
  const client = aClient(t, 'http://never-answered.example', { timeoutMs: 100 })
  await assert.rejects(client.send(aCall(), post), (error) => {
    assert.ok(error instanceof Unreachable)
    assert.equal(
      error.detail,
      'POST /accounts: the name never-answered.example could not be resolved (no answer within 50 ms)',
    )
    return true
  })
})

test('a resolver that answers too late is not listened to any more', async (t) => {
  const server = await aServer(t, (socket) => socket.write(reply('200 OK', [json], '{}')))
  const late = Promise.withResolvers<void>()
  t.mock.method(dns, 'lookup', (_host: string, _options: unknown, answer: (...words: unknown[]) => void) => {
    void late.promise.then(() => answer(null, [{ address: '127.0.0.1', family: 4 }]))
  })
  const client = aClient(t, server.baseUrl.replace('127.0.0.1', 'platform.example'), { timeoutMs: 100 })
  await assert.rejects(client.send(aCall(), post), Unreachable)
  late.resolve()
  await new Promise<void>((resolve) => setImmediate(resolve))
  assert.equal(server.requests.length, 0)
})

test('a server that does not speak TLS is Unreachable', async (t) => {
  const server = await aServer(t, (socket) => socket.end('no TLS here\r\n\r\n'))
  const client = aClient(t, server.baseUrl.replace('http:', 'https:'), { timeoutMs: 500 })
  await assert.rejects(client.send(aCall(), post), Unreachable)
})

test('no answer within the time is Unknown, and the socket is closed', async (t) => {
  const closed = Promise.withResolvers<void>()
  const server = await aServer(t, (socket) => socket.on('close', () => closed.resolve()))
  const client = aClient(t, server.baseUrl, { timeoutMs: 30 })
  await assert.rejects(
    client.send(aCall(), post),
    (error) => error instanceof Unknown && error.detail.includes('30 ms'),
  )
  await closed.promise
})

test('an answer that drips beyond the time is Unknown', async (t) => {
  const server = await aServer(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${json}\r\nContent-Length: 100\r\n\r\n`)
    const timer = setInterval(() => socket.write(' '), 5)
    socket.on('close', () => clearInterval(timer))
  })
  await assert.rejects(aClient(t, server.baseUrl, { timeoutMs: 40 }).send(aCall(), get), Unknown)
})

test("the end of the call's time ends the request", async (t) => {
  const server = await aServer(t, () => budget.abort(new Error('the budget is spent')))
  const budget = new AbortController()
  await assert.rejects(aClient(t, server.baseUrl).send(aCall(budget.signal), post), Unknown)
})

test('a call whose time is over sends nothing', async (t) => {
  const { server, client } = await answering(t, reply('200 OK', [json], '{}'))
  await assert.rejects(client.send(aCall(AbortSignal.abort()), post), Busy)
  assert.equal(server.requests.length, 0)
})

for (const [moment, partial] of [
  ['before the headers', ''],
  ['in the headers', 'HTTP/1.1 200 OK\r\nContent-Ty'],
  ['in the body', `HTTP/1.1 200 OK\r\n${json}\r\nContent-Length: 50\r\n\r\n{"id":`],
]) {
  test(`a connection lost ${moment} is Unknown, and nothing is sent again`, async (t) => {
    const server = await aServer(t, (socket) => {
      if (partial) socket.write(partial, () => socket.resetAndDestroy())
      else socket.resetAndDestroy()
    })
    await assert.rejects(aClient(t, server.baseUrl).send(aCall(), post), Unknown)
    assert.equal(server.requests.length, 1)
  })
}

test('an answer beyond the limit is Broken for a read and Unknown for a write, and is not held', async (t) => {
  const chunk = Buffer.alloc(1_000_000, ' ')
  let sent = 0
  const server = await aServer(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${json}\r\nContent-Length: 60000000\r\n\r\n`)
    const more = () => {
      while (!socket.destroyed && sent < 60_000_000) {
        sent += chunk.length
        if (!socket.write(chunk)) return socket.once('drain', more)
      }
    }
    more()
  })
  const client = aClient(t, server.baseUrl)
  await assert.rejects(client.send(aCall(), get), Broken)
  await assert.rejects(client.send(aCall(), post), Unknown)
  assert.ok(sent < 60_000_000, 'the rest was never read')
})

test('a packed answer is not unpacked', async (t) => {
  const body = gzipSync(Buffer.alloc(1_000_000))
  const { server, client } = await answering(t, reply('200 OK', [json, 'Content-Encoding: gzip'], body))
  await assert.rejects(client.send(aCall(), get), Broken)
  assert.match(server.requests[0] ?? '', /^accept-encoding: identity\r$/im)
})

test('a redirect is given back, never followed, and the credentials stay', async (t) => {
  const elsewhere = await aServer(t, (socket) => socket.write(reply('200 OK', [json], '{}')))
  const { client } = await answering(t, reply('302 Found', [`Location: ${elsewhere.baseUrl}/`], ''))
  assert.equal((await client.send(aCall(), get)).status, 302)
  assert.equal(elsewhere.requests.length, 0)
})

test('an address that is not allowed gets not one header', async (t) => {
  const { server } = await answering(t, reply('200 OK', [json], '{}'))
  const asked: string[] = []
  const mayConnect = (address: string) => asked.push(address) === 0
  const client = aClient(t, server.baseUrl.replace('127.0.0.1', 'localhost'), { mayConnect })
  await assert.rejects(client.send(aCall(), post), Unreachable)
  assert.ok(asked.includes('127.0.0.1'))
  assert.equal(server.requests.length, 0)
})

const date = 'Date: Mon, 23 Nov 2026 10:00:00 GMT'
for (const [said, header, expected] of [
  ['seconds', ['Retry-After: 17'], 17_000],
  ['a date', [date, 'Retry-After: Mon, 23 Nov 2026 10:02:00 GMT'], 120_000],
  ['a date that is past', [date, 'Retry-After: Mon, 23 Nov 2026 09:00:00 GMT'], undefined],
  ['ten years', ['Retry-After: 315360000'], 3_600_000],
  ['more digits than a number holds', [`Retry-After: ${'9'.repeat(400)}`], 3_600_000],
  ['-1', ['Retry-After: -1'], undefined],
  ['nonsense', ['Retry-After: soon'], undefined],
  ['nothing', [], undefined],
] as const) {
  test(`429 that says ${said} is Busy, and holds the pace`, async (t) => {
    const held: number[] = []
    const pace: Pace = { acquire: async () => () => {}, hold: (ms) => void held.push(ms), noteAnswer: () => {} }
    const { client } = await answering(t, reply('429 Too Many Requests', [...header], ''), { pace })
    await assert.rejects(
      client.send(aCall(), post),
      (error) => error instanceof Busy && error.retryAfterMs === expected,
    )
    assert.deepEqual(held, [expected ?? 5_000])
  })
}

for (const [status, headers, kind] of [
  ['503 Service Unavailable', ['Retry-After: 5'], 'busy'],
  ['503 Service Unavailable', [], 'unknown'],
  ['502 Bad Gateway', [], 'unknown'],
  ['504 Gateway Timeout', [], 'unknown'],
  ['520 Unknown', [], 'unknown'],
] as const) {
  test(`${status}${headers.length > 0 ? ' with Retry-After' : ''} is ${kind}`, async (t) => {
    const { client } = await answering(t, reply(status, [...headers], ''))
    await assert.rejects(client.send(aCall(), post), (error) => error instanceof PlatformError && error.kind === kind)
  })
}

for (const status of ['200 OK', '201 Created', '400 Bad Request', '401 Unauthorized', '404 Not Found', '500 Oops']) {
  test(`${status} is given back for the module to judge`, async (t) => {
    const { client } = await answering(t, reply(status, [json], '{"id":7}'))
    const answer = await client.send(aCall(), get)
    assert.equal(answer.status, Number(status.slice(0, 3)))
    assert.deepEqual(answer.json, { id: 7 })
  })
}

test('an HTML page with 200 is marked, and is no JSON', async (t) => {
  const { client } = await answering(t, reply('200 OK', ['Content-Type: text/html; charset=UTF-8'], '<!doctype html>…'))
  const answer = await client.send(aCall(), get)
  assert.equal(answer.isHtml, true)
  assert.equal(answer.json, undefined)
})

for (const [what, headers, body] of [
  ['cut', [json], '{"id":'],
  ['empty', [json], ''],
  ['of another media type', ['Content-Type: text/plain'], '{"id":7}'],
  ['in another charset', [json], Buffer.from('{"name":"José"}', 'latin1')],
  ['nested deeper than an honest one', [json], `${'['.repeat(33)}${']'.repeat(33)}`],
  ['nested 10,000 deep', [json], `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
] as const) {
  test(`JSON that is ${what} is not parsed`, async (t) => {
    const { client } = await answering(t, reply('200 OK', [...headers], body))
    assert.equal((await client.send(aCall(), get)).json, undefined)
  })
}

for (const name of ['__proto__', String.raw`_\u005fproto__`]) {
  test(`brackets in texts do not count as nesting, and ${name} is dropped`, async (t) => {
    const body = `{"name":"${'['.repeat(100)}\\"${'{'.repeat(100)}","${name}":{"isAdmin":true}}`
    const { client } = await answering(t, reply('200 OK', ['Content-Type: application/hal+json;charset=UTF-8'], body))
    const answer = await client.send(aCall(), get)
    assert.deepEqual(Object.keys(Object(answer.json)), ['name'])
  })
}

test('what comes from ids and values cannot leave its place in the URL', async (t) => {
  const { server } = await answering(t, reply('200 OK', [json], '{}'))
  const client = aClient(t, `${server.baseUrl}/v2`)
  await client.send(aCall(), {
    method: 'GET',
    path: ['accounts', '../7?a#b/c'],
    query: [['email', 'a+b@c&d=é \ud800']],
  })
  const [line] = (server.requests[0] ?? '').split('\r\n')
  assert.equal(line, 'GET /v2/accounts/..%2F7%3Fa%23b%2Fc?email=a%2Bb%40c%26d%3D%C3%A9%20%EF%BF%BD HTTP/1.1')
})

for (const segment of ['', '.', '..']) {
  test(`a path segment "${segment}" is refused before anything is sent`, async (t) => {
    const { server, client } = await answering(t, reply('200 OK', [json], '{}'))
    await assert.rejects(client.send(aCall(), { method: 'DELETE', path: ['accounts', segment] }), Fault)
    assert.equal(server.requests.length, 0)
  })
}

for (const value of ['x\r\nX-Admin: 1', 'x\ny', 'x\u0000', 'Ł']) {
  test(`a header value ${JSON.stringify(value)} is refused before anything is sent`, async (t) => {
    const { server, client } = await answering(t, reply('200 OK', [json], '{}'))
    await assert.rejects(client.send(aCall(), { ...get, headers: { 'x-name': value } }), Fault)
    assert.equal(server.requests.length, 0)
  })
}

test('cookies are not kept, and credentials go with every request', async (t) => {
  const { server } = await answering(t, reply('200 OK', [json, 'Set-Cookie: SESS=1; path=/'], '{}'))
  const client = createClient({ baseUrl: server.baseUrl, pace: createPace('off', aClock()) }, () => ({
    authorization: 'token secret',
  }))
  t.after(() => client.close())
  await client.send(aCall(), get)
  await client.send(aCall(), get)
  assert.equal(server.requests.length, 2)
  for (const request of server.requests) {
    assert.match(request, /^authorization: token secret\r$/im)
    assert.doesNotMatch(request, /^cookie:/im)
  }
})

test('a write is announced before it is sent, with its path and without its query; a read is not', async (t) => {
  const { server, client } = await answering(t, reply('200 OK', [json], '{}'))
  const call = aCall()
  await client.send(call, get)
  await client.send(call, { ...post, readsOnly: true })
  assert.deepEqual(call.writes, [])
  await client.send(call, { method: 'PUT', path: ['users', 'a b'], query: [['user_id', '7']], body: {} })
  assert.deepEqual(call.writes, [{ method: 'PUT', path: '/users/a%20b' }])
  assert.equal(server.requests.length, 3)
})

test('a write that cannot be announced is not sent', async (t) => {
  const { server, client } = await answering(t, reply('200 OK', [json], '{}'))
  const lost = new Error('the lease is lost')
  await assert.rejects(client.send({ ...aCall(), beforeWrite: () => Promise.reject(lost) }, post), lost)
  assert.equal(server.requests.length, 0)
})

test('the slot of the pace is freed after a failure', async (t) => {
  const pace = createPace({ requestsPerSecond: 100, concurrency: 1 }, aClock())
  const server = await aServer(t, (socket) => socket.resetAndDestroy())
  const client = aClient(t, server.baseUrl, { pace })
  await assert.rejects(client.send(aCall(), get), Unknown)
  await assert.rejects(client.send(aCall(), get), Unknown)
  assert.equal(server.requests.length, 2)
})

test('no error shows a credential, a query or a body', async (t) => {
  const server = await aServer(t, (socket) => socket.resetAndDestroy())
  const client = createClient({ baseUrl: server.baseUrl, pace: createPace('off', aClock()) }, () => ({
    authorization: 'token secret',
  }))
  t.after(() => client.close())
  const request: PlatformRequest = { ...post, query: [['email', 'secret@uni.example']], body: { password: 'secret' } }
  await assert.rejects(client.send(aCall(), request), (error) => {
    assert.ok(error instanceof Unknown)
    assert.doesNotMatch(`${error.message} ${error.detail} ${error.cause}`, /secret/)
    return true
  })
})
