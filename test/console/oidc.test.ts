import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { rsaKey, signed } from '../http/authentication/issuer-server.ts'
import { closeBrowser, openWindow, skipWithoutBrowser } from './browser.ts'
import { type ConsoleWorld, startConsoleWorld } from './console-world.ts'

const clientId = 'scim-bridge console'
const clientSecret = 'secret of the/console+client'

/** An identity provider with one person, who is asked nothing and sent back at once. */
interface Provider {
  readonly issuer: string
  /** What the next ID token says, beside what it has to; of the key that signs it, and its header. */
  next: { claims: JsonObject; header: JsonObject; isForged: boolean; isDown: boolean }
  /** What was wrong with a request for a token. */
  readonly complaints: string[]
  close(): Promise<void>
}

async function startProvider(): Promise<Provider> {
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
    const now = Math.floor(clockNow() / 1_000)
    const honest = {
      iss: provider.issuer,
      aud: clientId,
      sub: '4711',
      iat: now,
      exp: now + 300,
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

/** Nobody else's for the moment. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

let clockNow = () => Date.now()

async function world(t: TestContext): Promise<{ at: ConsoleWorld; provider: Provider }> {
  const provider = await startProvider()
  t.after(() => provider.close())
  const { issuer } = provider
  const at = await startConsoleWorld((config) => {
    config.console = { oidc: { issuer, clientId, clientSecret, claims: { groups: 'scim-operators' }, allowHttp: true } }
  })
  t.after(() => at.stop())
  clockNow = () => at.clock.now()
  return { at, provider }
}

interface Begun {
  readonly cookie: string
  /** Where the identity provider sends the browser back to: path and query. */
  readonly back: string
}

async function begin(at: ConsoleWorld): Promise<Begun> {
  const start = await fetch(`${at.url}/console/sign-in/oidc`, { redirect: 'manual' })
  assert.equal(start.status, 303)
  const sent = await fetch(start.headers.get('location') ?? '', { redirect: 'manual' })
  const { pathname, search } = new URL(sent.headers.get('location') ?? '')
  return { cookie: start.headers.get('set-cookie') ?? '', back: pathname + search }
}

function finish(at: ConsoleWorld, { cookie, back }: Begun): Promise<Response> {
  return fetch(at.url + back, { redirect: 'manual', headers: { cookie: cookie.split(';', 1)[0] ?? '' } })
}

/** The cookie of the session. */
function sessionOf(answer: Response): string {
  return answer.headers.get('set-cookie')?.split(';', 1)[0] ?? ''
}

test('an operator signs in at the identity provider, and is known by name', async (t) => {
  const { at, provider } = await world(t)
  const begun = await begin(at)
  assert.match(
    begun.cookie,
    /^scim_bridge_sign_in=[\w-]{43}; Path=\/console\/sign-in; Max-Age=600; HttpOnly; SameSite=Lax$/,
  )
  const answer = await finish(at, begun)
  assert.equal(answer.status, 200)
  assert.match(
    answer.headers.get('set-cookie') ?? '',
    /^scim_bridge_console=[\w-]{43}; Path=\/console; HttpOnly; SameSite=Strict$/,
  )
  const page = await fetch(`${at.url}/console`, { headers: { cookie: sessionOf(answer) } })
  const text = await page.text()
  assert.match(text, /oidc:ada@uni\.example/)
  assert.match(text, /connection-dspace/)
  assert.deepEqual(provider.complaints, [])
})

const wrongTokens: readonly [what: string, claims: JsonObject, header: JsonObject][] = [
  ['without the claim', { groups: ['staff'] }, {}],
  ['with part of the claim', { groups: 'scim-operators-of-another' }, {}],
  ['for another client', { aud: 'somebody else' }, {}],
  ['for several clients, given to another one', { aud: [clientId, 'other'], azp: 'other' }, {}],
  ['of another issuer', { iss: 'https://evil.example' }, {}],
  ['of another sign-in', { nonce: 'x' }, {}],
  ['that has expired', { exp: 1 }, {}],
  ['without an end', { exp: null }, {}],
  ['without a signature', {}, { alg: 'none' }],
  ['signed with what everybody knows', {}, { alg: 'HS256' }],
]
for (const [what, claims, header] of wrongTokens) {
  test(`an ID token ${what} opens nothing`, async (t) => {
    const { at, provider } = await world(t)
    provider.next = { ...provider.next, claims, header }
    const answer = await finish(at, await begin(at))
    assert.equal(answer.status, 401)
    assert.equal(answer.headers.get('set-cookie'), null)
    assert.match(await answer.text(), /did not sign you in as an operator/)
  })
}

test('an ID token of a foreign key opens nothing', async (t) => {
  const { at, provider } = await world(t)
  provider.next.isForged = true
  assert.equal((await finish(at, await begin(at))).status, 401)
})

test('an answer is good for the browser that began, once, with its state, and for ten minutes', async (t) => {
  const { at, provider } = await world(t)
  const [mine, others] = [await begin(at), await begin(at)]
  assert.equal((await finish(at, { ...mine, cookie: '' })).status, 401)
  assert.equal((await finish(at, { cookie: mine.cookie, back: others.back })).status, 401)
  assert.equal((await finish(at, mine)).status, 401, 'used up by the attempt before')
  const again = await begin(at)
  assert.equal((await finish(at, again)).status, 200)
  assert.equal((await finish(at, again)).status, 401)
  const late = await begin(at)
  at.clock.advance(600_000)
  assert.equal((await finish(at, late)).status, 401)
  // Nobody's code was sent on with the verifier of somebody else.
  assert.deepEqual(provider.complaints, [])
})

test('an identity provider that says no, or that is away, is told in words', async (t) => {
  const { at, provider } = await world(t)
  const begun = await begin(at)
  const back = `${begun.back.split('?', 1)[0]}?error=access_denied&error_description=%3Cscript%3E`
  const denied = await finish(at, { ...begun, back })
  assert.equal(denied.status, 401)
  assert.doesNotMatch(await denied.text(), /%3Cscript|access_denied/)
  provider.next.isDown = true
  const away = await fetch(`${at.url}/console/sign-in/oidc`, { redirect: 'manual' })
  assert.equal(away.status, 503)
  assert.match(await away.text(), /cannot be asked now/)
})

test('a session of the identity provider ends after a working day', async (t) => {
  const { at } = await world(t)
  const cookie = sessionOf(await finish(at, await begin(at)))
  const status = async () => (await fetch(`${at.url}/console`, { redirect: 'manual', headers: { cookie } })).status
  for (let minutes = 0; minutes < 12 * 60; minutes += 20) {
    assert.equal(await status(), 200)
    at.clock.advance(20 * 60_000)
  }
  assert.equal(await status(), 303)
})

test('in a browser the way to the identity provider and back ends on the overview', {
  skip: skipWithoutBrowser,
}, async (t) => {
  const provider = await startProvider()
  t.after(() => provider.close())
  const { issuer } = provider
  const oidc = { issuer, clientId, clientSecret, claims: { groups: 'scim-operators' }, allowHttp: true }
  // The browser needs the address that the bridge really has.
  const port = await freePort()
  const at = await startConsoleWorld((config) => {
    config.console = { oidc }
    config.listen = { host: '127.0.0.1', port }
    config.publicUrl = `http://127.0.0.1:${port}`
  })
  t.after(() => at.stop())
  clockNow = () => at.clock.now()
  const window = await openWindow(at.url)
  t.after(closeBrowser)
  await window.page.goto('/console')
  await window.page.getByRole('button', { name: `Sign in at ${new URL(issuer).host}` }).click()
  await window.page.getByRole('heading', { name: 'Overview' }).waitFor()
  assert.equal(new URL(window.page.url()).pathname, '/console')
})
