import { connect } from 'node:net'

/** What arrives on a bare socket; for requests that no client library would send. */
export function rawRequest(url: string, text: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text))
    let received = ''
    socket.setTimeout(2_000, () => socket.destroy())
    socket.on('data', (part) => {
      received += part
      if (received.includes('\r\n\r\n')) socket.end()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(received))
  })
}
