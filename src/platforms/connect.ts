/** How sockets to a platform are opened: the address is checked before TLS begins, certificates are read when they are needed. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { buildConnector as Connectors } from 'undici'
import { nameLookupMs } from '../limits.ts'
import type { WatchedFile } from '../watched-file.ts'
import { lookupWithin } from './name-lookup.ts'
import { NotConnected } from './not-connected.ts'
import { buildConnector } from './undici.ts'

/** PEM files of one connection. */
export interface PlatformCertificates {
  /** Instead of the authorities that Node trusts. */
  readonly ca?: WatchedFile | undefined
  /** Ours, with its key: for platforms that ask who connects. */
  readonly client?: { readonly certificate: WatchedFile; readonly key: WatchedFile } | undefined
}

export interface ConnectOptions {
  readonly timeoutMs: number
  readonly mayConnect?: ((address: string) => boolean) | undefined
  readonly certificates?: PlatformCertificates | undefined
}

/** Throws when the files do not fit each other or are no PEM: found at start, not with the first leaver. */
export function checkCertificates(certificates: PlatformCertificates): void {
  const pem = pemOf(certificates)
  createSecureContext(pem)
  // Of authorities OpenSSL takes what it can read, and says nothing when that is none.
  if (pem.ca !== undefined) new X509Certificate(pem.ca)
}

/**
 * The socket's own address counts: a name that is resolved anew to an inner address gains nothing. It is looked at before the
 * first byte, the greeting of TLS included.
 */
export function guardedConnect({ timeoutMs, mayConnect, certificates = {} }: ConnectOptions): Connectors.connector {
  // Over before the request is: else nobody would learn that it was the name.
  const lookup = lookupWithin(Math.min(nameLookupMs, timeoutMs / 2))
  const plain = buildConnector({ timeout: timeoutMs, allowH2: false, lookup })
  let known: { readonly mark: string; readonly connect: Connectors.connector } | undefined
  const secure = () => {
    const pem = pemOf(certificates)
    const mark = JSON.stringify(pem)
    if (known?.mark !== mark) {
      // Sessions of the old certificates are not taken up again.
      known = { mark, connect: buildConnector({ timeout: timeoutMs, allowH2: false, ...pem }) }
    }
    return known.connect
  }
  return (options, callback) => {
    const isSecure = options.protocol === 'https:'
    const { hostname, host } = options
    const port = options.port === '' ? (isSecure ? '443' : '80') : options.port
    plain({ hostname, ...(host === undefined ? {} : { host }), protocol: 'http:', port }, (...result) => {
      const [error, socket] = result
      if (error !== null) return callback(error, null)
      const address = socket.remoteAddress ?? ''
      if (mayConnect !== undefined && (isIP(address) === 0 || !mayConnect(address))) {
        socket.destroy()
        return callback(
          new NotConnected('the name leads to an address that is not allowed (allowPrivateAddresses)'),
          null,
        )
      }
      if (!isSecure) return callback(null, socket)
      try {
        secure()({ ...options, httpSocket: socket }, callback)
      } catch (cause) {
        socket.destroy()
        callback(new NotConnected('the certificates of this connection cannot be used', { cause }), null)
      }
    })
  }
}

function pemOf({ ca, client }: PlatformCertificates): { ca?: string; cert?: string; key?: string } {
  return {
    ...(ca === undefined ? {} : { ca: ca.text() }),
    ...(client === undefined ? {} : { cert: client.certificate.text(), key: client.key.text() }),
  }
}
