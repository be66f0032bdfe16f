/** The sockets towards identity providers: HTTP or HTTPS, with every wait bounded. */
import type { RequestListener, Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { Express } from 'express'
import { systemClock } from '../clock.ts'
import {
  headerBytes,
  headerCount,
  headersTimeoutMs,
  idleSocketMs,
  keepAliveMs,
  openSockets,
  requestTimeoutMs,
  slowSocketCheckMs,
} from '../limits.ts'
import type { Log } from '../log.ts'
import { createServer } from '../node-http.ts'
import type { WatchedFile } from '../watched-file.ts'
import { messageClasses } from './message-classes.ts'

/** The last answers have so long to leave. */
const lastAnswersMs = 1_000
const lastAnswersPollMs = 20

/** Real milliseconds. */
export interface SocketTimes {
  readonly headersMs: number
  readonly requestMs: number
  readonly checkMs: number
  readonly idleMs: number
}

export interface ServerCertificate {
  readonly certificate: WatchedFile
  readonly key: WatchedFile
}

export interface WebServer {
  /** Resolves with the address in use. */
  listen(place: { readonly host: string; readonly port: number }): Promise<{ host: string; port: number }>
  /** Takes a replaced certificate for new connections; open ones stay as they are. */
  renewCertificate(): void
  /** No new requests; `end` afterwards. */
  stopAccepting(): void
  /** Waits a moment for the last answers, then closes every connection. */
  end(): Promise<void>
}

/** Throws when the certificate and its key cannot be used. */
export function createWebServer(
  app: Express,
  options: {
    readonly tls: ServerCertificate | undefined
    readonly log: Log
    readonly times?: Partial<SocketTimes> | undefined
  },
): WebServer {
  const { tls, log } = options
  const times = { headersMs: headersTimeoutMs, requestMs: requestTimeoutMs, checkMs: slowSocketCheckMs }
  const { headersMs, requestMs, checkMs, idleMs } = { ...times, idleMs: idleSocketMs, ...options.times }
  const bounds = {
    ...messageClasses(app),
    keepAliveTimeout: keepAliveMs,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: checkMs,
    maxHeaderSize: headerBytes,
  }
  const listener: RequestListener = (request, response) => {
    request.url = originForm(request.url ?? '/')
    app(request, response)
  }
  let pem = tls === undefined ? undefined : pemOf(tls)
  const secureServer =
    pem === undefined
      ? undefined
      : createTlsServer({ ...bounds, ...pem, minVersion: 'TLSv1.2', handshakeTimeout: headersMs }, listener)
  const server: Server = secureServer ?? createServer(bounds, listener)
  server.maxHeadersCount = headerCount
  server.maxConnections = openSockets
  server.timeout = idleMs
  let closed: Promise<unknown> | undefined

  return {
    listen: (place) => listening(server, place),
    renewCertificate() {
      if (tls === undefined || secureServer === undefined) return
      const present = pemOf(tls)
      if (present.cert === pem?.cert && present.key === pem.key) return
      pem = present
      try {
        createSecureContext(present)
      } catch (error) {
        // The new pair is half written or does not fit: the old one is served on, and the next change is looked at again.
        log.error({ err: error, alarm: true }, 'the new certificate cannot be used; the old one stays')
        return
      }
      secureServer.setSecureContext({ ...present, minVersion: 'TLSv1.2' })
      log.info({ certificate: tls.certificate.path }, 'the certificate was replaced')
    },
    stopAccepting() {
      closed ??= new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
    },
    async end() {
      closed ??= new Promise((resolve) => server.close(resolve))
      await answersSent(server, closed)
      server.closeAllConnections()
      await closed
    },
  }
}

/**
 * RFC 9112 §3.2.2: `GET https://scim.uni.example/library/…`, as some gateways ask, is asked of us; the host in it, as in the header, is
 * not looked at.
 */
function originForm(target: string): string {
  const [, path] = /^https?:\/\/[^/?#]+(.*)$/is.exec(target) ?? []
  if (path === undefined) return target
  return path.startsWith('/') ? path : `/${path}`
}

function pemOf({ certificate, key }: ServerCertificate): { cert: string; key: string } {
  return { cert: certificate.text(), key: key.text() }
}

/** The last answers are on their way: a connection closes when its own is out, not before, and none is waited for long. */
async function answersSent(server: Server, closed: Promise<unknown>): Promise<void> {
  const stop = new AbortController()
  void closed.then(() => stop.abort())
  for (let waitedMs = 0; waitedMs < lastAnswersMs && !stop.signal.aborted; waitedMs += lastAnswersPollMs) {
    server.closeIdleConnections()
    await systemClock.sleep(lastAnswersPollMs, stop.signal).catch(() => undefined)
  }
}

function listening(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<{ host: string; port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const problem = listenProblem('code' in cause ? String(cause.code) : '', host, port)
      reject(problem === undefined ? cause : new Error(problem, { cause }))
    })
    server.listen(port, host, () => {
      const address = server.address()
      resolve({ host, port: typeof address === 'object' && address !== null ? address.port : port })
    })
  })
}

/** What the operator has to change; undefined: nobody knows. */
function listenProblem(code: string, host: string, port: number): string | undefined {
  const place = `port ${port} of ${host}`
  if (code === 'EADDRINUSE') return `${place} is in use: end the program that has it, or change listen.port`
  if (code === 'EACCES') {
    return `${place} may not be listened on: change listen.port, or give the bridge's user the right (CAP_NET_BIND_SERVICE)`
  }
  const isNotHere = ['EADDRNOTAVAIL', 'EINVAL', 'ENOTFOUND', 'EAI_AGAIN'].includes(code)
  return isNotHere ? `${host} is no address of this machine: change listen.host` : undefined
}
