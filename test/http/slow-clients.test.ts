/** Clients that hold sockets without asking anything; over bare sockets, with times made short. */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { headerBytes, queryBytes } from '../../src/limits.ts'
import { type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { rawRequest } from './raw-request.ts'

let world: BridgeWorld
before(async () => {
  world = await startBridgeWorld(() => {}, {
    socketTimes: { headersMs: 150, requestMs: 400, checkMs: 25, idleMs: 1_000 },
  })
})
after(() => world.stop())

const base = '/figshare/scim/v2'
const head = (length: number) =>
  [
    `POST ${base}/Users HTTP/1.1`,
    'Host: x',
    `Authorization: Bearer ${world.tokens.get('figshare')}`,
    'Content-Type: application/scim+json',
    `Content-Length: ${length}`,
    '',
    '',
  ].join('\r\n')

interface Closed {
  readonly received: string
  readonly ms: number
}

/** Sends the first text at once, then `drip` again and again; resolves when the bridge has closed the socket. */
function untilClosed(first: string, drip = ''): Promise<Closed> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    let received = ''
    let timer: NodeJS.Timeout | undefined
    const socket: Socket = connect(Number(new URL(world.url).port), '127.0.0.1', () => {
      socket.write(first)
      if (drip !== '') timer = setInterval(() => socket.writable && socket.write(drip), 20)
    })
    const tooLong = setTimeout(() => reject(new Error('the socket is still open')), 5_000)
    socket.on('data', (part) => {
      received += part
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(timer)
      clearTimeout(tooLong)
      resolve({ received, ms: performance.now() - startedAt })
    })
  })
}

async function assertServing(): Promise<void> {
  await world.scim('figshare').get('/Users').expect(200)
}

test('who opens a socket and says nothing is put out', async () => {
  assert.ok((await untilClosed('')).ms < 2_000)
})

test('who drips headers for ever is told 408 and put out, and others are served meanwhile', async () => {
  const slow = untilClosed(`GET ${base}/Users HTTP/1.1\r\nHost: x\r\n`, 'X-Drip: 1\r\n')
  await assertServing()
  const { received, ms } = await slow
  assert.match(received, /^HTTP\/1.1 408 /)
  assert.ok(ms < 2_000)
})

test('two hundred who drip headers do not keep anybody else from being served', async () => {
  const slow = Array.from({ length: 200 }, () => untilClosed(`GET ${base}/Users HTTP/1.1\r\n`, 'X: 1\r\n'))
  await assertServing()
  for (const { received } of await Promise.all(slow)) assert.match(received, /^HTTP\/1.1 408 /)
})

test('who drips a body for ever is put out, and nothing is stored', async () => {
  const { ms } = await untilClosed(`${head(100_000)}{"userName":"`, 'x')
  assert.ok(ms < 3_000)
  await assertServing()
  assert.equal((await world.scim('figshare').get('/Users')).body.totalResults, 0)
})

test('who stops in the middle of a body is put out', async () => {
  assert.ok((await untilClosed(`${head(1_000)}{"userName":`)).ms < 3_000)
})

test('a stranger who drips a body is told 401 before a byte of it is awaited', async () => {
  const text = head(1_000).replace(/Bearer .*/, 'Bearer wrong')
  assert.match((await rawRequest(world.url, text)).toString(), /^HTTP\/1.1 401 /)
})

test('more headers than any identity provider sends get 431', async () => {
  const text = `GET ${base}/Users HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(headerBytes)}\r\n\r\n`
  assert.match(await rawRequest(world.url, text), /^HTTP\/1.1 431 /)
})

test('a longer query than the longest filter needs gets 414, with what to do instead', async () => {
  const answer = await world.scim('figshare').get(`/Users?filter=${'x'.repeat(queryBytes)}`)
  assert.equal(answer.status, 414)
  assert.match(answer.body.detail, /The query is longer than \d+ bytes; POST it to \.search\./)
})
