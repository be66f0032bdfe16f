import type { ClientRequestArgs } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Duplex } from 'node:stream'
import { Agent as HttpAgent } from '../node-http.ts'
import { type ConnectOptions, guardedConnect } from './connect.ts'

type Opened = (error: Error | null, socket: Duplex) => void

/** For libraries that ask through Node's own HTTP client: sockets are opened as those to a platform. */
export function guardedAgent(protocol: 'http:' | 'https:', options: ConnectOptions) {
  const connect = guardedConnect(options)
  const open = ({ host, port, servername }: ClientRequestArgs & { servername?: string }, opened?: Opened) => {
    const place = { hostname: host ?? '', port: String(port ?? ''), protocol }
    connect({ ...place, ...(servername ? { servername } : {}) }, (...[error, socket]) => {
      // Node's agents take a missing socket beside an error, which their types do not say.
      opened?.(error, socket as Duplex)
    })
    return undefined
  }
  const kept = { keepAlive: true, maxSockets: 2 }
  const agent = protocol === 'https:' ? new HttpsAgent(kept) : new HttpAgent(kept)
  return Object.assign(agent, { createConnection: open })
}
