import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { newStoreFolder } from '../store-folder.ts'
import { closeBrowser, openWindow, skipWithoutBrowser } from './browser.ts'
import { type ConsoleWorld, startConsoleWorld } from './console-world.ts'
import { clientId, clientSecret, type Provider, startProvider } from './oidc-provider.ts'

/** Nobody else's for the moment. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

async function world(
  t: TestContext,
  written: JsonObject | string = clientSecret,
): Promise<{ at: ConsoleWorld; provider: Provider }> {
  let now = () => Date.now()
  const provider = await startProvider(() => now())
  t.after(() => provider.close())
  const { issuer } = provider
  const at = await startConsoleWorld((config) => {
    const claims = { groups: 'scim-operators' }
    config.console = { oidc: { issuer, clientId, clientSecret: written, claims, allowHttp: true } }
  })
  t.after(() => at.stop())
  now = () => at.clock.now()
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

test('a session of the identity provider outlives a restart, and ends when the client gets another secret', async (t) => {
  const { at } = await world(t)
  const cookie = sessionOf(await finish(at, await begin(at)))
  const status = async () => (await fetch(`${at.url}/console`, { redirect: 'manual', headers: { cookie } })).status
  await at.restart()
  assert.equal(await status(), 200)
  await at.restart(() => {
    const file = join(at.directory, 'bridge.yaml')
    writeFileSync(file, readFileSync(file, 'utf8').replace(clientSecret, 'another secret of the client'))
  })
  assert.equal(await status(), 303)
})

test('an operator signs in also while the file of the client secret is being replaced', async (t) => {
  const folder = newStoreFolder()
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'client-secret')
  writeFileSync(file, clientSecret)
  const { at, provider } = await world(t, { file })
  writeFileSync(file, '')
  assert.equal((await finish(at, await begin(at))).status, 200)
  rmSync(file)
  assert.equal((await finish(at, await begin(at))).status, 200)
  assert.deepEqual(provider.complaints, [])
})

test('an operator whose name is cut in the middle of a character signs in', async (t) => {
  const { at, provider } = await world(t)
  provider.next = { ...provider.next, claims: { preferred_username: `${'x'.repeat(79)}😀` } }
  assert.equal((await finish(at, await begin(at))).status, 200)
})

test('who begins again and again from one address is told to wait: each is kept until somebody comes back', async (t) => {
  const { at } = await world(t)
  const start = () => fetch(`${at.url}/console/sign-in/oidc`, { redirect: 'manual' })
  const statuses: number[] = []
  for (let begun = 0; begun <= 30; begun += 1) statuses.push((await start()).status)
  assert.deepEqual([statuses[29], statuses[30]], [303, 429])
  at.clock.advance(61_000)
  assert.equal((await start()).status, 303)
})

test('in a browser the way to the identity provider and back ends on the overview', {
  skip: skipWithoutBrowser,
}, async (t) => {
  let now = () => Date.now()
  const provider = await startProvider(() => now())
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
  now = () => at.clock.now()
  const window = await openWindow(at.url)
  t.after(closeBrowser)
  await window.page.goto('/console')
  await window.page.getByRole('button', { name: `Sign in at ${new URL(issuer).host}` }).click()
  await window.page.getByRole('heading', { name: 'Overview' }).waitFor()
  assert.equal(new URL(window.page.url()).pathname, '/console')
})
