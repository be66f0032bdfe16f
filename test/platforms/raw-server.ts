/** A server that misbehaves on purpose: each connection's first request is answered by what the test says, byte by byte. */
import { createServer, type Socket } from 'node:net'

export interface RawServer {
  readonly baseUrl: string
  /** What arrived, one text a request. */
  readonly requests: readonly string[]
  close(): Promise<void>
}

/** `answer` is called once the whole head of a request has arrived. */
export async function startRawServer(answer: (socket: Socket, head: string) => void): Promise<RawServer> {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let received = ''
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (!received.includes('\r\n\r\n')) return
      requests.push(received)
      const head = received
      received = ''
      answer(socket, head)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return {
    baseUrl: `http://127.0.0.1:${address.port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

/** A whole answer; the length is the body's unless the head says otherwise. */
export function reply(status: string, headers: readonly string[], body: string | Buffer): Buffer {
  const bytes = Buffer.from(body)
  const length = headers.some((header) => /^content-length/i.test(header)) ? [] : [`Content-Length: ${bytes.length}`]
  return Buffer.concat([Buffer.from([`HTTP/1.1 ${status}`, ...headers, ...length, '', ''].join('\r\n')), bytes])
}
