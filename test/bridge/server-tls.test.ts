import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { isJsonObject } from '../../src/json.ts'
import { type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'

const folder = mkdtempSync(join(tmpdir(), 'server-tls-'))
const certificate = join(folder, 'bridge.pem')
const key = join(folder, 'bridge.key')
const pem = (name: string) => new URL(`../tls/${name}`, import.meta.url)
const ca = readFileSync(pem('authority.pem'))

let world: BridgeWorld
let port: number
before(async () => {
  serve('first')
  world = await startBridgeWorld(
    (config) => {
      if (isJsonObject(config.listen)) config.listen.tls = { certificate, key }
    },
    { socketTimes: { headersMs: 200, checkMs: 25 } },
  )
  port = Number(new URL(world.url).port)
})
after(async () => {
  await world.stop()
  rmSync(folder, { recursive: true })
})

function serve(name: string): void {
  copyFileSync(pem(`${name}.pem`), certificate)
  copyFileSync(pem(`${name}.key.pem`), key)
}

/** Status and the certificate's name. */
function ask(agent: Agent): Promise<{ status: number | undefined; name: unknown; socket: TLSSocket }> {
  return new Promise((resolve, reject) => {
    get({ agent, ca, host: 'localhost', port, path: '/livez' }, (answer) => {
      const socket = answer.socket as TLSSocket
      const { subject } = socket.getPeerCertificate()
      answer.resume().on('end', () => resolve({ status: answer.statusCode, name: subject.CN, socket }))
    }).on('error', reject)
  })
}

async function once() {
  const agent = new Agent()
  const { status, name } = await ask(agent)
  agent.destroy()
  return { status, name }
}

test('with listen.tls the bridge speaks HTTPS, and not HTTP', async () => {
  assert.deepEqual(await once(), { status: 200, name: 'first.example' })
  const plain = await new Promise<string>((resolve) => {
    const socket = connectPlain(port, '127.0.0.1', () => socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'))
    let received = ''
    socket.on('data', (part) => {
      received += part
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
  })
  assert.doesNotMatch(plain, /200 OK/)
})

test('TLS 1.1 is refused', async () => {
  const error = await new Promise<Error>((resolve, reject) => {
    const socket = connect({ host: 'localhost', port, ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }, () =>
      reject(new Error('it was taken')),
    )
    socket.on('error', resolve)
  })
  assert.match(String(error), /version|protocol/i)
})

test('a replaced certificate serves new connections; open ones stay', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const { socket } = await ask(agent)
  serve('second')
  await eventually(
    'the new certificate is served',
    async () => (await once()).name === 'second.example',
    () => world.clock.advance(1_000),
  )
  const later = await ask(agent)
  assert.equal(later.socket, socket)
  assert.equal(later.status, 200)
  agent.destroy()
})

test('a pair that does not fit raises an alarm and changes nothing', async () => {
  const before = (await once()).name
  writeFileSync(certificate, 'half of a certif')
  await eventually(
    'an alarm was raised',
    () =>
      world.logLines.some(
        (line) => line.includes('the new certificate cannot be used') && line.includes('"alarm":true'),
      ),
    () => world.clock.advance(1_000),
  )
  assert.deepEqual(await once(), { status: 200, name: before })
  serve('first')
  await eventually(
    'the mended pair is served',
    async () => (await once()).name === 'first.example',
    () => world.clock.advance(1_000),
  )
})

test('who never finishes the greeting of TLS is put out', async () => {
  await new Promise<void>((resolve) => {
    const socket = connectPlain(port, '127.0.0.1', () => socket.write(Buffer.from([0x16, 0x03])))
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.resume()
  })
})

test('a pair that cannot be used is told at start, with its place', async () => {
  const text = /^Error: listen\.tls: these files are no PEM certificates, or the key is not the certificate's$/
  await assert.rejects(
    startBridgeWorld((config) => {
      const otherKey = pem('second.key.pem').pathname
      if (isJsonObject(config.listen)) config.listen.tls = { certificate: pem('first.pem').pathname, key: otherKey }
    }),
    (error) => text.test(String(error)),
  )
  await assert.rejects(
    startBridgeWorld((config) => {
      if (isJsonObject(config.listen)) config.listen.tls = { certificate: '/no/such/file', key }
    }),
    /listen\.tls: \/no\/such\/file cannot be read, or is empty/,
  )
})
