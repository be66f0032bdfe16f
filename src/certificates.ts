/** Certificates that `bridge.yaml` names, as watched files: part of the composition root. */
import type { Config, ConnectionConfig } from './config/config.ts'
import type { ServerCertificate } from './http/server.ts'
import { checkCertificates, type PlatformCertificates } from './platforms/connect.ts'
import { type WatchedFile, watchFile } from './watched-file.ts'

/** Throws when a file cannot be read or used: found at start, not with the first request. */
export function platformCertificates({ name, tls }: ConnectionConfig): PlatformCertificates {
  const place = `connections.${name}.tls`
  const { ca, certificate, key } = tls ?? {}
  const client =
    certificate === undefined || key === undefined
      ? undefined
      : { certificate: pemFile(certificate, place), key: pemFile(key, place) }
  const certificates = { ca: ca === undefined ? undefined : pemFile(ca, place), client }
  checkPair(certificates, place)
  return certificates
}

/** Whom the mail server's certificate is checked against; undefined: Node's authorities. Throws as `platformCertificates`. */
export function mailAuthority({ alarms: { email } }: Config): WatchedFile | undefined {
  if (email?.ca === undefined) return undefined
  const ca = pemFile(email.ca, 'alarms.email.ca')
  checkPair({ ca }, 'alarms.email.ca')
  return ca
}

function checkPair(certificates: PlatformCertificates, place: string): void {
  try {
    checkCertificates(certificates)
  } catch (cause) {
    throw new Error(`${place}: these files are no PEM certificates, or the key is not the certificate's`, { cause })
  }
}

/** Undefined: plain HTTP is spoken. Throws as `platformCertificates`. */
export function serverCertificate({ listen: { tls } }: Config): ServerCertificate | undefined {
  if (tls === undefined) return undefined
  const pair = { certificate: pemFile(tls.certificate, 'listen.tls'), key: pemFile(tls.key, 'listen.tls') }
  checkPair({ client: pair }, 'listen.tls')
  return pair
}

function pemFile(path: string, place: string): WatchedFile {
  try {
    return watchFile(path)
  } catch (cause) {
    throw new Error(`${place}: ${path} cannot be read, or is empty`, { cause })
  }
}
