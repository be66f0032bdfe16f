import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { JsonObject } from '../../src/json.ts'
import { rsaKey, signed } from '../http/authentication/issuer-server.ts'

export const clientId = 'scim-bridge console'
export const clientSecret = 'secret of the/console+client'

/** An identity provider with one person, who is asked nothing and sent back at once. */
export interface Provider {
  readonly issuer: string
  /** What the next ID token says, beside what it has to; of the key that signs it, and its header. */
  next: { claims: JsonObject; header: JsonObject; isForged: boolean; isDown: boolean }
  /** What was wrong with a request for a token. */
  readonly complaints: string[]
  close(): Promise<void>
}

export async function startProvider(now: () => number): Promise<Provider> {
  const [key, foreign] = [rsaKey(), rsaKey()]
  const codes = new Map<string, URLSearchParams>()
  const complaints: string[] = []
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', provider.issuer)
    const json = (value: unknown, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (provider.next.isDown) return json({}, 500)
    if (url.pathname.endsWith('openid-configuration')) {
      const { issuer } = provider
      const endpoints = { authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` }
      return json({ issuer, ...endpoints, jwks_uri: `${issuer}/jwks` })
    }
    if (url.pathname === '/jwks') return json({ keys: [key.jwk] })
    if (url.pathname === '/authorize') {
      const code = String(codes.size + 1)
      codes.set(code, url.searchParams)
      const back = new URL(url.searchParams.get('redirect_uri') ?? '')
      back.search = String(new URLSearchParams({ code, state: url.searchParams.get('state') ?? '' }))
      return response.writeHead(302, { location: back.href }).end()
    }
    let text = ''
    for await (const part of request) text += part
    const form = new URLSearchParams(text)
    const asked = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const [id = '', secret = ''] = Buffer.from(String(request.headers.authorization).slice(6), 'base64')
      .toString()
      .split(':')
    if (decodeURIComponent(id) !== clientId || decodeURIComponent(secret) !== clientSecret) complaints.push('client')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (challenge !== asked?.get('code_challenge')) complaints.push('PKCE')
    if (form.get('redirect_uri') !== asked?.get('redirect_uri')) complaints.push('redirect_uri')
    if (asked === undefined) return json({ error: 'invalid_grant' }, 400)
    const seconds = Math.floor(now() / 1_000)
    const honest = {
      iss: provider.issuer,
      aud: clientId,
      sub: '4711',
      iat: seconds,
      exp: seconds + 300,
      nonce: asked.get('nonce'),
    }
    const claims = {
      ...honest,
      preferred_username: 'ada@uni.example',
      groups: ['staff', 'scim-operators'],
      ...provider.next.claims,
    }
    const token = signed(
      provider.next.isForged ? foreign : key,
      { alg: 'RS256', kid: key.kid, ...provider.next.header },
      claims,
    )
    return json({ access_token: 'x', token_type: 'Bearer', id_token: token })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const provider: Provider = {
    issuer: `http://127.0.0.1:${address.port}`,
    next: { claims: {}, header: {}, isForged: false, isDown: false },
    complaints,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return provider
}
