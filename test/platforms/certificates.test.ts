import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { Unreachable } from '../../src/errors.ts'
import { checkCertificates, type PlatformCertificates } from '../../src/platforms/connect.ts'
import { createClient } from '../../src/platforms/create-client.ts'
import { createPace } from '../../src/platforms/pace.ts'
import { watchFile } from '../../src/watched-file.ts'
import { aClock } from './contract.ts'
import { aCall } from './world.ts'

const pem = (name: string) => new URL(`../tls/${name}`, import.meta.url)
const get = { method: 'GET', path: ['a'] } as const

/** A platform that speaks TLS and remembers who came; each answer ends its socket. */
async function aPlatform(t: TestContext, asksWho = false): Promise<{ port: number; callers: string[] }> {
  const callers: string[] = []
  const server: Server = createServer(
    {
      cert: readFileSync(pem('first.pem')),
      key: readFileSync(pem('first.key.pem')),
      ca: readFileSync(pem('authority.pem')),
      requestCert: asksWho,
      rejectUnauthorized: asksWho,
    },
    (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate()
      if (asksWho) callers.push(String(subject.CN))
      response.shouldKeepAlive = false
      response.end()
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, callers }
}

function aFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

function aClient(t: TestContext, baseUrl: string, certificates: PlatformCertificates) {
  const client = createClient({ baseUrl, certificates, pace: createPace('off', aClock()) })
  t.after(() => client.close())
  return client
}

test("a platform with a certificate of the operator's own authority is spoken to, and only with that authority", async (t) => {
  const { port } = await aPlatform(t)
  const ca = watchFile(pem('authority.pem').pathname)
  assert.equal((await aClient(t, `https://localhost:${port}`, { ca }).send(aCall(), get)).status, 200)
  assert.equal((await aClient(t, `https://127.0.0.1:${port}`, { ca }).send(aCall(), get)).status, 200)
  await assert.rejects(aClient(t, `https://localhost:${port}`, {}).send(aCall(), get), Unreachable)
})

test('an authority that is replaced counts for the next connection', async (t) => {
  const { port } = await aPlatform(t)
  const file = join(aFolder(t), 'authority.pem')
  // A certificate, but of nobody who has signed this platform's.
  copyFileSync(pem('second.pem'), file)
  const client = aClient(t, `https://localhost:${port}`, { ca: watchFile(file) })
  await assert.rejects(client.send(aCall(), get), Unreachable)
  copyFileSync(pem('authority.pem'), file)
  assert.equal((await client.send(aCall(), get)).status, 200)
})

test('a platform that asks who connects is shown our certificate, and the new one after it was replaced', async (t) => {
  const { port, callers } = await aPlatform(t, true)
  const folder = aFolder(t)
  const certificate = join(folder, 'client.pem')
  const key = join(folder, 'client.key')
  copyFileSync(pem('first.pem'), certificate)
  copyFileSync(pem('first.key.pem'), key)
  const ca = watchFile(pem('authority.pem').pathname)
  const client = aClient(t, `https://localhost:${port}`, {
    ca,
    client: { certificate: watchFile(certificate), key: watchFile(key) },
  })
  await client.send(aCall(), get)
  copyFileSync(pem('second.pem'), certificate)
  // Only half of the pair is there: nothing is sent, and nothing crashes.
  await assert.rejects(client.send(aCall(), get), Unreachable)
  copyFileSync(pem('second.key.pem'), key)
  await client.send(aCall(), get)
  assert.deepEqual(callers, ['first.example', 'second.example'])
})

test('files that are no certificates, or do not belong together, are found at start', (t) => {
  const file = join(aFolder(t), 'not.pem')
  writeFileSync(file, 'no PEM')
  const first = watchFile(pem('first.pem').pathname)
  assert.throws(() => checkCertificates({ client: { certificate: first, key: watchFile(file) } }))
  assert.throws(() => checkCertificates({ ca: watchFile(file) }))
  const other = watchFile(pem('second.key.pem').pathname)
  assert.throws(() => checkCertificates({ client: { certificate: first, key: other } }))
  checkCertificates({ client: { certificate: first, key: watchFile(pem('first.key.pem').pathname) } })
})
