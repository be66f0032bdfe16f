import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { createLog } from '../../src/log.ts'
import { type Credentials, openCredentials } from '../../src/store/credentials.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { type ConsoleWorld, operatorToken, sendForm, startConsoleWorld } from './console-world.ts'

async function world(t: TestContext, change?: (config: JsonObject) => void): Promise<ConsoleWorld> {
  const started = await startConsoleWorld(change)
  t.after(() => started.stop())
  return started
}

const signInAt = (url: string) => `${url}/console/sign-in`

/** A stored token, as `scim-bridge token create` makes it. */
async function addToken(at: ConsoleWorld, token: string, role: 'operate' | 'provision'): Promise<void> {
  const sha256 = createHash('sha256').update(token).digest('hex')
  const createdAt = at.clock.now()
  const fields = { connection: 'figshare', name: role, role, sha256, createdAt, expiresAt: createdAt + 3_600_000 }
  await withCredentials(at, (credentials) => credentials.addToken(fields))
}

async function withCredentials<Result>(at: ConsoleWorld, work: (credentials: Credentials) => Promise<Result>) {
  const file = join(at.directory, 'bridge-credentials.sqlite')
  const credentials = openCredentials(file, { log: createLog('silent'), now: at.clock.now() })
  try {
    return await work(credentials)
  } finally {
    credentials.close()
  }
}

test('whoever has not signed in is led to the sign-in from every page', async (t) => {
  const { url } = await world(t)
  for (const path of ['', '/', '/people', '/people/figshare/1']) {
    const answer = await fetch(`${url}/console${path}`, { redirect: 'manual' })
    assert.equal(answer.status, 303, path)
    assert.equal(answer.headers.get('location'), '/console/sign-in')
  }
})

test('an operator signs in with the token, and the session is a cookie that scripts and other sites never get', async (t) => {
  const { url } = await world(t)
  const answer = await sendForm(signInAt(url), { token: operatorToken })
  assert.equal(answer.status, 303)
  assert.match(
    answer.headers.get('set-cookie') ?? '',
    /^scim_bridge_console=[\w-]{43}; Path=\/console; HttpOnly; SameSite=Strict$/,
  )
})

test('behind https the cookie is for https only, and is for the path that proxies know', async (t) => {
  const { url } = await world(t, (config) => {
    config.publicUrl = 'https://scim.uni.example/bridge'
  })
  const answer = await sendForm(signInAt(url), { token: operatorToken })
  assert.match(answer.headers.get('set-cookie') ?? '', /; Path=\/bridge\/console; HttpOnly; SameSite=Strict; Secure$/)
  assert.equal(answer.headers.get('location'), '/bridge/console')
})

test('no token, a wrong one, and one of an identity provider open nothing, and are told alike', async (t) => {
  const at = await world(t)
  await addToken(at, 'scimb_of-an-identity-provider', 'provision')
  const pages = new Set<string>()
  for (const token of ['', 'wrong', at.tokens.get('figshare') ?? '', 'scimb_of-an-identity-provider']) {
    const answer = await sendForm(signInAt(at.url), { token })
    assert.equal(answer.status, 401)
    assert.equal(answer.headers.get('set-cookie'), null)
    pages.add(await answer.text())
  }
  assert.equal(pages.size, 1)
  assert.ok(!at.logLines.join('').includes('scimb_of-an'))
})

test("an operator's token opens no SCIM endpoint", async (t) => {
  const at = await world(t)
  await addToken(at, 'scimb_night-shift', 'operate')
  for (const [token, status] of [
    [operatorToken, 401],
    ['scimb_night-shift', 403],
  ] as const) {
    const answer = await fetch(`${at.url}/figshare/scim/v2/Users`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(answer.status, status)
  }
})

test('an operator of one connection sees no other one, in no page', async (t) => {
  const at = await world(t)
  await addToken(at, 'scimb_of-figshare', 'operate')
  const visitor = await at.visitor('scimb_of-figshare')
  const page = await (await visitor.get('')).text()
  assert.match(page, /connection-figshare/)
  assert.doesNotMatch(page, /connection-dspace/)
  const { body } = await at.scim('dspace').post('/Users', aUser())
  const paths = ['people', 'operations', 'findings', 'requests', 'mapping', 'setup'].map(
    (one) => `/${one}?connection=dspace`,
  )
  for (const path of [...paths, `/people/dspace/${body.id}`, `/people/dspace/${body.id}/unlink`]) {
    assert.equal((await visitor.get(path)).status, 404, path)
  }
  for (const path of [
    '/operations/resume',
    '/setup/check',
    '/findings/repair',
    '/mapping',
    `/people/dspace/${body.id}/unlink`,
  ]) {
    assert.equal((await visitor.post(path, { connection: 'dspace', why: 'x', scim: '{}' })).status, 404, path)
  }
})

test('a token that is revoked ends its sessions', async (t) => {
  const at = await world(t)
  await addToken(at, 'scimb_of-figshare', 'operate')
  const visitor = await at.visitor('scimb_of-figshare')
  assert.equal((await visitor.get('')).status, 200)
  await withCredentials(at, (credentials) => credentials.revokeToken('figshare', 'operate', at.clock.now()))
  assert.equal((await visitor.get('')).status, 303)
})

test('a session ends after half an hour without use, and after a working day with it', async (t) => {
  const at = await world(t)
  const idle = await at.visitor()
  const busy = await at.visitor()
  at.clock.advance(29 * 60_000)
  assert.equal((await busy.get('')).status, 200)
  at.clock.advance(60_000)
  assert.equal((await idle.get('')).status, 303)
  let minutes = 30
  while (minutes < 12 * 60) {
    assert.equal((await busy.get('')).status, 200, `after ${minutes} minutes`)
    at.clock.advance(15 * 60_000)
    minutes += 15
  }
  assert.equal((await busy.get('')).status, 303)
})

test('an overview that refreshes by itself keeps no session alive', async (t) => {
  const at = await world(t)
  const visitor = await at.visitor()
  at.clock.advance(20 * 60_000)
  assert.equal((await visitor.get('/?refreshing')).status, 200)
  assert.match(await (await visitor.get('')).text(), /data-hx-get="\/console\/\?refreshing"/)
  at.clock.advance(20 * 60_000)
  assert.equal((await visitor.get('/?refreshing')).status, 200)
  at.clock.advance(10 * 60_000)
  assert.equal((await visitor.get('/?refreshing')).status, 303)
})

test('signing out ends the session, and signing in never goes on with the cookie that the browser brought', async (t) => {
  const at = await world(t)
  const visitor = await at.visitor()
  const again = await sendForm(signInAt(at.url), { token: operatorToken }, { cookie: visitor.cookie })
  assert.notEqual(again.headers.get('set-cookie')?.split(';', 1)[0], visitor.cookie)
  assert.equal((await visitor.get('')).status, 303)
  const other = await at.visitor()
  assert.equal((await other.post('/sign-out')).headers.get('location'), '/console/sign-in')
  assert.equal((await other.get('')).status, 303)
})

test('a session outlives a restart of the bridge, and the store has nothing that opens a page', async (t) => {
  const at = await world(t)
  const visitor = await at.visitor()
  await visitor.post('/setup/check', { connection: 'figshare' })
  const cookie = visitor.cookie.split('=', 2)[1] ?? ''
  await at.stopped(async (database) => {
    const rows = database.prepare('select * from console_session').all()
    assert.equal(rows.length, 1)
    assert.equal(rows[0]?.digest, createHash('sha256').update(cookie).digest('base64url'))
    assert.equal(rows[0]?.key, createHash('sha256').update(operatorToken).digest('hex'))
    for (const file of ['bridge.sqlite', 'bridge.sqlite-wal'].map((name) => join(at.directory, name)))
      if (existsSync(file))
        for (const secret of [cookie, operatorToken]) assert.equal(readFileSync(file).includes(secret), false)
  })
  const page = await fetch(`${at.url}/console`, { redirect: 'manual', headers: { cookie: visitor.cookie } })
  assert.equal(page.status, 200)
})

test('what a button has done is told once, to the session that pressed it, and cannot be made up', async (t) => {
  const at = await world(t)
  const [mine, others] = [await at.visitor(), await at.visitor()]
  const answer = await sendForm(
    `${at.url}/console/setup/check`,
    { form: /name="form" value="([^"]+)"/.exec(await (await mine.get('')).text())?.[1] ?? '', connection: 'figshare' },
    { cookie: mine.cookie },
  )
  const notice = answer.headers.getSetCookie().find((one) => one.startsWith('scim_bridge_notice=')) ?? ''
  assert.match(notice, /; Path=\/console; Max-Age=60; HttpOnly; SameSite=Strict$/)
  const [value = ''] = notice.split(';', 1)
  const said = async (cookie: string, sent: string) => {
    const page = await fetch(`${at.url}/console`, { headers: { cookie: `${cookie}; ${sent}` } })
    assert.match(page.headers.getSetCookie().join(), /scim_bridge_notice=; .*Max-Age=0/)
    return /role="status">([^<]*)</.exec(await page.text())?.[1]
  }
  assert.match((await said(mine.cookie, value)) ?? '', /^Good: Figshare answers/)
  assert.equal(await said(others.cookie, value), undefined)
  const madeUp = `scim_bridge_notice=${Buffer.from('You have won').toString('base64url')}.${value.split('.')[1]}`
  assert.equal(await said(mine.cookie, madeUp), undefined)
})

test('a form of another site, of another session or without its token does nothing', async (t) => {
  const at = await world(t)
  const visitor = await at.visitor()
  for (const [fields, headers] of [
    [{}, { 'sec-fetch-site': 'cross-site' }],
    [{}, { 'sec-fetch-site': 'same-site' }],
    [{}, { 'sec-fetch-site': 'none' }],
    [{ form: '' }, {}],
    [{ form: 'x'.repeat(43) }, {}],
  ] as const) {
    assert.equal((await visitor.post('/sign-out', fields, headers)).status, 403)
  }
  const foreign = await fetch(signInAt(at.url), {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: 'https://evil.example' },
    body: new URLSearchParams({ token: operatorToken }),
  })
  assert.equal(foreign.status, 403)
  // Who has come by a tunnel, or the address of a container, reads where to go.
  assert.match(await foreign.text(), /These pages are at https?:\/\/[^ ,]+, and at no other address\./)
  assert.equal((await visitor.get('')).status, 200)
})

test('after five wrong tokens in a minute a right one is not looked at either, until the minute is over', async (t) => {
  const at = await world(t)
  for (let n = 0; n < 5; n += 1) assert.equal((await sendForm(signInAt(at.url), { token: `wrong-${n}` })).status, 401)
  const throttled = await sendForm(signInAt(at.url), { token: operatorToken })
  assert.equal(throttled.status, 429)
  assert.equal(throttled.headers.get('retry-after'), '60')
  at.clock.advance(61_000)
  assert.equal((await sendForm(signInAt(at.url), { token: operatorToken })).status, 303)
})

test('without any operator the page says how to make a token, and nothing opens', async (t) => {
  const at = await startBridgeWorld()
  t.after(() => at.stop())
  const page = await (await fetch(signInAt(at.url))).text()
  assert.match(page, /token create --connection NAME --role operate/)
  assert.equal((await sendForm(signInAt(at.url), { token: operatorToken })).status, 401)
})

test('every answer forbids scripts and styles of its own, frames and keeping', async (t) => {
  const at = await world(t)
  const visitor = await at.visitor()
  for (const answer of [await visitor.get(''), await visitor.get('/nothing'), await fetch(signInAt(at.url))]) {
    const policy = answer.headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self';/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe|\*|https?:/)
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    assert.doesNotMatch(await answer.text(), /<style|style=|<script>|\son[a-z]+=|javascript:/i)
  }
})

test('style and script are kept by browsers, and come from the bridge alone', async (t) => {
  const at = await world(t)
  const page = await (await fetch(signInAt(at.url))).text()
  const names = [...page.matchAll(/(?:href|src)="(\/console\/assets\/[^"]+)"/g)].map(([, name]) => name)
  assert.equal(names.length, 3)
  for (const name of names) {
    const asset = await fetch(at.url + name)
    assert.equal(asset.status, 200)
    assert.equal(asset.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    assert.ok((await asset.arrayBuffer()).byteLength > 100)
  }
  assert.equal((await fetch(`${at.url}/console/assets/..%2f..%2fconsole.ts`)).status, 404)
  assert.doesNotMatch(page, /https?:\/\//)
})

test('a form that is too large, no form, or has a field twice is refused', async (t) => {
  const at = await world(t)
  const visitor = await at.visitor()
  assert.equal((await sendForm(signInAt(at.url), { token: 'x'.repeat(20_000) })).status, 413)
  const send = (body: string, type: string) =>
    fetch(signInAt(at.url), { method: 'POST', headers: { 'content-type': type, cookie: visitor.cookie }, body })
  assert.equal((await send('{}', 'application/json')).status, 415)
  assert.equal((await send('token=a&token=b', 'application/x-www-form-urlencoded')).status, 400)
})
