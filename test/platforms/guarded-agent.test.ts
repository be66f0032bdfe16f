import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type Agent, createServer as createPlain, type IncomingMessage, request as plainRequest } from 'node:http'
import { createServer, request } from 'node:https'
import { type Server, Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { addressRule } from '../../src/platforms/address.ts'
import type { ConnectOptions } from '../../src/platforms/connect.ts'
import { guardedAgent } from '../../src/platforms/guarded-agent.ts'
import { NotConnected } from '../../src/platforms/not-connected.ts'
import { watchFile } from '../../src/watched-file.ts'

const pem = (name: string) => new URL(`../tls/${name}`, import.meta.url)
const ca = watchFile(pem('authority.pem').pathname)

function anAgent(t: TestContext, protocol: 'http:' | 'https:', options: Partial<ConnectOptions>): Agent {
  const agent = guardedAgent(protocol, { timeoutMs: 5_000, ...options })
  t.after(() => agent.destroy())
  return agent
}

/** The sockets that it has taken. */
async function listening(t: TestContext, server: Server): Promise<{ port: number; sockets: Set<unknown> }> {
  const sockets = new Set<unknown>()
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, sockets }
}

async function statusOf(agent: Agent, url: string): Promise<number | undefined> {
  const asked = (url.startsWith('https:') ? request : plainRequest)(url, { agent })
  asked.end()
  const [answer]: IncomingMessage[] = await once(asked, 'response')
  answer?.resume()
  await once(answer ?? asked, 'end')
  return answer?.statusCode
}

test('a request of the HTTP client of Node goes over TLS to whom the authority vouches for, and over one socket again', async (t) => {
  const cert = readFileSync(pem('first.pem'))
  const server = createServer({ cert, key: readFileSync(pem('first.key.pem')) }, (_request, response) => response.end())
  const { port, sockets } = await listening(t, server)
  const agent = anAgent(t, 'https:', { certificates: { ca } })
  for (let round = 0; round < 2; round += 1) {
    assert.equal(await statusOf(agent, `https://localhost:${port}`), 200)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  assert.equal(sockets.size, 1)
  await assert.rejects(statusOf(anAgent(t, 'https:', {}), `https://localhost:${port}`), /certificate/)
})

test('an address that is not allowed gets no byte of it', async (t) => {
  let bytes = 0
  const server = createPlain((_request, response) => response.end())
  server.prependListener('connection', (socket) => {
    if (socket instanceof Socket) socket.on('data', (chunk) => (bytes += chunk.length))
  })
  const { port } = await listening(t, server)
  for (const protocol of ['http:', 'https:'] as const) {
    const agent = anAgent(t, protocol, { mayConnect: addressRule(false) })
    await assert.rejects(statusOf(agent, `${protocol}//localhost:${port}`), NotConnected)
    await assert.rejects(statusOf(agent, `${protocol}//127.0.0.1:${port}`), NotConnected)
  }
  assert.equal(bytes, 0)
  assert.equal(await statusOf(anAgent(t, 'http:', { mayConnect: addressRule(true) }), `http://localhost:${port}`), 200)
})
