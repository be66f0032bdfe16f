/** Where the bridge goes, and with what: the list "outbound" of the reliability design, by its numbers. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import dns from 'node:dns'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { readConfig } from '../../src/bridge.ts'
import { Broken, Fault, PlatformError, Unreachable } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { addressKind, addressRule } from '../../src/platforms/address.ts'
import type { Authorize, ClientSettings, PlatformRequest } from '../../src/platforms/client.ts'
import { createClient } from '../../src/platforms/create-client.ts'
import { createPace } from '../../src/platforms/pace.ts'
import { FileProblems } from '../../src/yaml/problems.ts'
import { aClock } from './contract.ts'
import { type RawServer, reply, startRawServer } from './raw-server.ts'
import { aCall } from './world.ts'

const get: PlatformRequest = { method: 'GET', path: ['accounts', '7'] }
const json = 'Content-Type: application/json'
const secret = 'a-secret-that-nobody-may-see'

function aClient(t: TestContext, baseUrl: string, settings: Partial<ClientSettings> = {}, authorize?: Authorize) {
  const client = createClient({ baseUrl, pace: createPace('off', aClock()), ...settings }, authorize)
  t.after(() => client.close())
  return client
}

async function aServer(t: TestContext, answer: Parameters<typeof startRawServer>[0]): Promise<RawServer> {
  const server = await startRawServer(answer)
  t.after(() => server.close())
  return server
}
const answering = (t: TestContext) => aServer(t, (socket) => socket.write(reply('200 OK', [json], '{}')))

/** The base URL as the bridge takes it from a file, or what it says against it. */
function configured(t: TestContext, baseUrl: string, more = ''): string {
  const folder = mkdtempSync(join(tmpdir(), 'outbound-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'bridge.yaml')
  writeFileSync(
    file,
    `publicUrl: https://scim.uni.example
connections:
  figshare:
    platform: figshare
    baseUrl: ${JSON.stringify(baseUrl)}
    tokens: ["\${TOKEN}"]
    settings: { token: "\${TOKEN}" }
    ${more}
`,
  )
  try {
    return readConfig(file, { TOKEN: 'a-token-for-the-tests' }).connections[0]?.baseUrl ?? ''
  } catch (error) {
    assert.ok(error instanceof FileProblems, String(error))
    return error.message
  }
}

test('SO 1: whatever an id says, the request goes to the configured base URL', async (t) => {
  const server = await answering(t)
  const elsewhere = await answering(t)
  const client = aClient(t, `${server.baseUrl}/v2`)
  for (const id of [elsewhere.baseUrl, `//${elsewhere.baseUrl.slice(7)}`, `@${elsewhere.baseUrl.slice(7)}`, '\\\\x']) {
    await client.send(aCall(), { method: 'GET', path: [id] })
  }
  assert.equal(elsewhere.requests.length, 0)
  assert.ok(server.requests.length === 4 && server.requests.every((head) => head.startsWith('GET /v2/')))
})

test('SO 2: a platform is spoken to by https unless the operator has said otherwise for this connection', (t) => {
  assert.match(configured(t, 'http://api.figshare.example'), /credentials would go out in clear text/)
  assert.equal(configured(t, 'http://api.figshare.example', 'allowHttp: true'), 'http://api.figshare.example')
  assert.match(configured(t, 'ftp://api.figshare.example'), /has to be an http or https URL/)
})

const never = /no platform is at this address/
const listed = /say allowPrivateAddresses: true/
for (const [number, what, url, problem] of [
  [3, 'link-local, where clouds keep credentials', 'https://169.254.169.254/latest', never],
  [4, 'a metadata service over IPv6', 'https://[fd00:ec2::254]/', never],
  [5, 'loopback over IPv6', 'https://[::1]/', listed],
  [6, 'loopback', 'https://127.8.9.1/', listed],
  [7, '"this host"', 'https://0.0.0.0/', never],
  [8, 'loopback mapped into IPv6', 'https://[::ffff:127.0.0.1]/', listed],
  [8, 'link-local mapped into IPv6', 'https://[::ffff:169.254.169.254]/', never],
  [9, 'link-local by NAT64', 'https://[64:ff9b::169.254.169.254]/', never],
  [9, 'an address by local NAT64', 'https://[64:ff9b:1::7f00:1]/', never],
  [10, 'link-local by 6to4', 'https://[2002:a9fe:a9fe::1]/', never],
  [10, 'loopback by 6to4', 'https://[2002:7f00:1::1]/', listed],
  [11, 'loopback as one decimal number', 'https://2130706433/', listed],
  [11, 'loopback in octal', 'https://0177.0.0.01/', listed],
  [11, 'link-local in hexadecimal', 'https://0xa9fea9fe/', never],
  [11, 'loopback in two parts', 'https://127.1/', listed],
  [12, 'a host with a dot at its end', 'https://api.figshare.example./', /ends with a dot/],
  [12, 'an address with a dot at its end', 'https://127.0.0.1./', listed],
  [13, 'another host behind an at sign', 'https://api.figshare.example@evil.example/', /without user/],
  [13, 'an at sign behind a backslash', 'https://evil.example\\@api.figshare.example/', /has to be an http or https/],
  [13, 'an at sign that is encoded', 'https://@evil.example/', /without user/],
  [16, 'a private address', 'https://10.1.2.3/', listed],
  [16, 'this machine by its name', 'https://localhost/', listed],
] as const) {
  test(`SO ${number}: ${what} is no base URL: ${url}`, (t) => assert.match(configured(t, url), problem))
}

test('SO 3-10: what is never a platform is not spoken to even where inner addresses are allowed', () => {
  const mayConnect = addressRule(true)
  for (const address of [
    '169.254.0.1',
    '::ffff:169.254.169.254',
    '::ffff:0:169.254.169.254',
    '::169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::1',
    '2002:a9fe:a9fe::1',
    '2001::1',
    'fd00:ec2::254',
    'fd20:ce::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    '::',
    '0.0.0.0',
    '0.1.2.3',
    '224.0.0.1',
    '::ffff:224.0.0.1',
    'ff02::1',
    '255.255.255.255',
    '100.100.100.200',
    '168.63.129.16',
    'no address',
  ]) {
    assert.equal(mayConnect(address), false, address)
  }
  for (const address of [
    '127.0.0.1',
    '::1',
    '10.0.0.1',
    '::ffff:10.0.0.1',
    'fd12:3456::1',
    '8.8.8.8',
    '2a00:1450::1',
  ]) {
    assert.equal(mayConnect(address), true, address)
  }
})

test('SO 14: a name in other letters is asked for as it is certified', (t) => {
  assert.equal(configured(t, 'https://Bücher.example/api/'), 'https://xn--bcher-kva.example/api')
  // Full-width digits and dots are digits and dots.
  assert.match(configured(t, 'https://１２７。０。０。１/'), listed)
})

test('SO 15: a name that suddenly leads inside gets not one byte, TLS greeting included', async (t) => {
  let bytes = 0
  let sockets = 0
  const inside = createServer((socket) => {
    sockets += 1
    socket.on('data', (chunk) => {
      bytes += chunk.length
    })
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve))
  t.after(() => inside.close())
  const address = inside.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  t.mock.method(dns, 'lookup', (_host: string, _options: unknown, answer: (...words: unknown[]) => void) =>
    answer(null, [{ address: '127.0.0.1', family: 4 }], 4),
  )
  for (const scheme of ['http', 'https']) {
    const client = aClient(t, `${scheme}://platform.example:${port}`, { mayConnect: addressRule(false) })
    await assert.rejects(client.send(aCall(), { ...get, method: 'POST', body: {} }), (error) => {
      assert.ok(error instanceof Unreachable)
      assert.match(error.detail, /leads to an address that is not allowed \(allowPrivateAddresses\)/)
      return true
    })
  }
  assert.deepEqual({ sockets, bytes }, { sockets: 2, bytes: 0 })
})

test('SO 16: inner addresses are spoken to where the operator says that the platform is there', async (t) => {
  const server = await answering(t)
  const refused = aClient(t, server.baseUrl, { mayConnect: addressRule(false) })
  await assert.rejects(refused.send(aCall(), get), Unreachable)
  const allowed = aClient(t, server.baseUrl, { mayConnect: addressRule(true) })
  assert.equal((await allowed.send(aCall(), get)).status, 200)
  assert.equal(configured(t, 'https://10.1.2.3/api', 'allowPrivateAddresses: true'), 'https://10.1.2.3/api')
  assert.equal(addressKind('10.1.2.3'), 'inner')
})

test('SO 17: an id is one segment of the path, whatever is in it', async (t) => {
  const server = await answering(t)
  const client = aClient(t, `${server.baseUrl}/v2`)
  for (const [id, sent] of [
    ['../admin', '..%2Fadmin'],
    ['a?b=c', 'a%3Fb%3Dc'],
    ['a#b', 'a%23b'],
    ['%2e%2e', '%252e%252e'],
    ['a;b', 'a%3Bb'],
    ['a\\b', 'a%5Cb'],
  ] as const) {
    await client.send(aCall(), { method: 'GET', path: ['users', id], suffix: '/' })
    assert.match(server.requests.at(-1) ?? '', new RegExp(`^GET /v2/users/${sent}/ HTTP`))
  }
  for (const id of ['', '.', '..']) {
    await assert.rejects(client.send(aCall(), { method: 'GET', path: ['users', id] }), Fault)
  }
})

test('SO 18: a value of a person makes no header and no second request', async (t) => {
  const server = await answering(t)
  const client = aClient(t, server.baseUrl)
  const value = 'x\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1\r\n'
  await client.send(aCall(), { method: 'POST', path: [value], query: [[value, value]], body: { name: value } })
  assert.equal(server.requests.length, 1)
  assert.doesNotMatch(server.requests[0] ?? '', /^(?:x-evil|get)/im)
  for (const bad of [value, 'a\nb', 'a\0b', 'ł']) {
    await assert.rejects(client.send(aCall(), { ...get, headers: { 'x-user': bad } }), Fault)
  }
  await assert.rejects(client.send(aCall(), { ...get, headers: { 'x: 1\r\ny': 'z' } }), Fault)
  assert.equal(server.requests.length, 1)
})

test('SO 19: proxies of the environment are not used', async (t) => {
  const proxy = await answering(t)
  const server = await answering(t)
  const variables = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']
  const folder = new URL('../../src/platforms/', import.meta.url).href
  const script = `
    const { createClient } = await import('${folder}create-client.ts')
    const client = createClient({ baseUrl: '${server.baseUrl}', pace: { acquire: async () => () => {}, hold() {}, noteAnswer() {} } })
    const { status } = await client.send({ signal: new AbortController().signal }, { method: 'GET', path: ['a'] })
    await client.close()
    console.log(status)`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: {
      ...process.env,
      ...Object.fromEntries(variables.map((name) => [name, proxy.baseUrl])),
      NODE_USE_ENV_PROXY: '1',
      NO_PROXY: '',
      no_proxy: '',
    },
  })
  assert.equal(stdout.trim(), '200')
  assert.equal(server.requests.length, 1)
  assert.equal(proxy.requests.length, 0)
})

for (const status of ['301 Moved', '302 Found', '303 See Other', '307 Temporary', '308 Permanent']) {
  test(`SO 20: ${status} is not followed, not even on the same host`, async (t) => {
    const elsewhere = await answering(t)
    const server = await aServer(t, (socket) =>
      socket.write(reply(status, [`Location: ${elsewhere.baseUrl}/`, 'Refresh: 0'], '')),
    )
    const client = aClient(t, server.baseUrl, {}, () => ({ authorization: `token ${secret}` }))
    assert.equal((await client.send(aCall(), get)).status, Number(status.slice(0, 3)))
    assert.equal(elsewhere.requests.length, 0)
    assert.equal(server.requests.length, 1)
  })
}

/** Everything that an error could ever show in a log. */
function logged(error: unknown): string {
  const lines: string[] = []
  const log = createLog('debug', { write: (line) => void lines.push(line) })
  log.error({ err: error }, 'failed')
  assert.ok(error instanceof PlatformError)
  return `${lines.join('')} ${error.message} ${error.detail} ${JSON.stringify(error)}`
}

for (const [what, answer] of [
  ['a reset', undefined],
  ['500 with a copy of our headers', (head: string) => reply('502 Bad', [json], head)],
  ['429', () => reply('429 Too Many', [], '')],
  ['an endless answer', () => reply('200 OK', [json, 'Content-Length: 9000000'], Buffer.alloc(6_000_000, ' '))],
  ['nonsense', (head: string) => Buffer.from(`nonsense ${head}`)],
] as const) {
  test(`SO 21: after ${what} neither the error nor its log line has the credentials`, async (t) => {
    const server = await aServer(t, (socket, head) => {
      if (answer === undefined) socket.resetAndDestroy()
      else socket.write(answer(head))
    })
    const client = aClient(t, server.baseUrl, {}, () => ({ authorization: `Basic ${secret}` }))
    const error = await client.send(aCall(), get).catch((thrown: unknown) => thrown)
    assert.match(server.requests[0] ?? '', new RegExp(secret))
    assert.doesNotMatch(logged(error), new RegExp(secret))
  })
}

test('SO 21: credentials that cannot be sent are not shown either', async (t) => {
  const client = aClient(t, 'https://platform.example', {}, () => ({ authorization: `Basic ${secret}\n` }))
  const error = await client.send(aCall(), get).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof Fault)
  assert.doesNotMatch(logged(error), new RegExp(secret))
})

test('SO 22: an answer of more than 5 MB is not held, nor one that would unpack to more', async (t) => {
  for (const answer of [
    reply('200 OK', [json], Buffer.alloc(5_000_001, ' ')),
    reply('200 OK', [json, 'Content-Encoding: gzip'], gzipSync(Buffer.alloc(60_000_000))),
    reply('200 OK', [json, 'Content-Encoding: br'], 'x'),
  ]) {
    const server = await aServer(t, (socket) => socket.write(answer))
    await assert.rejects(aClient(t, server.baseUrl).send(aCall(), get), Broken)
  }
  const server = await aServer(t, (socket) => socket.write(reply('200 OK', [json], Buffer.alloc(5_000_000, ' '))))
  assert.equal((await aClient(t, server.baseUrl).send(aCall(), get)).status, 200)
})
