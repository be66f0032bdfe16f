/** An issuer of tokens on 127.0.0.1: its keys are fetched over real HTTP, and it can misbehave in every way. */
import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JsonObject } from '../../../src/json.ts'

export interface IssuerKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly jwk: JsonObject
}

export type IssuerMode = 'ok' | 'down' | 'redirect' | 'huge' | 'html'

export interface IssuerServer {
  readonly url: string
  /** What it publishes. */
  keys: IssuerKey[]
  mode: IssuerMode
  /** Paths that were asked for. */
  readonly asked: string[]
  close(): Promise<void>
}

export function rsaKey(bits = 2_048, kid = randomUUID()): IssuerKey {
  return asKey(generateKeyPairSync('rsa', { modulusLength: bits }), kid, 'RS256')
}

export function ecKey(kid = randomUUID()): IssuerKey {
  return asKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }), kid, 'ES256')
}

function asKey(pair: { privateKey: KeyObject; publicKey: KeyObject }, kid: string, alg: string): IssuerKey {
  const jwk: JsonObject = JSON.parse(
    JSON.stringify({ ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg }),
  )
  return { kid, ...pair, jwk }
}

/** Signed as its header says, whatever it says: jose would refuse most of what the tests need. */
export function signed(key: IssuerKey, header: JsonObject, claims: JsonObject | string): string {
  const encode = (part: JsonObject | string) =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
  const whole: JsonObject = { alg: 'RS256', typ: 'JWT', kid: key.kid, ...header }
  const input = `${encode(whole)}.${encode(claims)}`
  if (whole.alg === 'none') return `${input}.`
  if (whole.alg === 'HS256') {
    const secret = key.publicKey.export({ type: 'spki', format: 'pem' })
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  }
  const isEc = key.privateKey.asymmetricKeyType === 'ec'
  const with_ = isEc ? { key: key.privateKey, dsaEncoding: 'ieee-p1363' as const } : key.privateKey
  return `${input}.${sign('sha256', Buffer.from(input), with_).toString('base64url')}`
}

export async function startIssuer(keys: IssuerKey[]): Promise<IssuerServer> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    // Nothing stays open that would keep a test from ending.
    response.setHeader('Connection', 'close')
    if (issuer.mode === 'down') return request.socket.destroy()
    if (issuer.mode === 'redirect' && path !== '/elsewhere')
      return response.writeHead(302, { Location: '/elsewhere' }).end()
    if (issuer.mode === 'html') return response.setHeader('Content-Type', 'text/html').end('<html></html>')
    if (issuer.mode === 'huge') {
      // 50 MB that are JSON to the end.
      response.write('{"keys":[],"x":"')
      const piece = 'x'.repeat(1_000_000)
      let left = 50
      const more = (): void => {
        while (left > 0 && !response.destroyed) {
          left -= 1
          if (!response.write(piece)) return void response.once('drain', more)
        }
        response.end('"}')
      }
      return more()
    }
    response.setHeader('Content-Type', 'application/json')
    if (path.endsWith('/.well-known/openid-configuration')) {
      return response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }))
    }
    response.end(JSON.stringify({ keys: issuer.keys.map(({ jwk }) => jwk) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const issuer: IssuerServer = {
    url: `http://127.0.0.1:${port}`,
    keys,
    mode: 'ok',
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return issuer
}
