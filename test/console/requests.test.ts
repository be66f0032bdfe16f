import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { aUser } from '../bridge-world.ts'
import { type ConsoleWorld, startConsoleWorld } from './console-world.ts'

async function world(t: TestContext, requests: JsonObject = {}): Promise<ConsoleWorld> {
  const started = await startConsoleWorld((config) => {
    const { connections } = config
    assert.ok(typeof connections === 'object' && connections !== null && !Array.isArray(connections))
    Object.assign(connections.figshare ?? {}, { requests })
  })
  t.after(() => started.stop())
  return started
}

async function pageOf(at: ConsoleWorld, query = ''): Promise<string> {
  const answer = await (await at.visitor()).get(`/requests?connection=figshare${query}`)
  assert.equal(answer.status, 200)
  return answer.text()
}

/** How many requests a page shows. */
function shown(page: string): number {
  return page.split('<details>').length - 1
}

const person = () =>
  aUser({ userName: 'secret-name@uni.example', password: 'hunter2-hunter2', title: 'A title of hers' })

test('an operator sees what the identity provider sent and was answered, without anything of the person', async (t) => {
  const at = await world(t)
  const scim = at.scim('figshare')
  const { body } = await scim.post('/Users', person())
  await scim.get('/Users?filter=userName%20eq%20%22secret-name%40uni.example%22&count=7')
  await scim.patch(`/Users/${body.id}`, [
    { op: 'replace', path: 'emails[value eq "secret-name@uni.example"].type', value: 'x' },
  ])
  const page = await pageOf(at)
  assert.equal(shown(page), 3)
  assert.match(page, /POST Users<\/strong> <span class="badge good">201/)
  assert.match(page, /&quot;userName&quot;: &quot;…&quot;/)
  assert.match(page, /filter=userName eq …&amp;count=7/)
  assert.ok(page.includes(`/console/people/figshare/${body.id}`))
  for (const text of ['secret-name', 'hunter2', 'A title of hers', at.tokens.get('figshare') ?? '']) {
    assert.ok(!page.includes(text), text)
  }
})

test('bodies: full shows values, but no password', async (t) => {
  const at = await world(t, { bodies: 'full' })
  const scim = at.scim('figshare')
  const { body } = await scim.post('/Users', person())
  await scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'password', value: 'hunter3-hunter3' }])
  const page = await pageOf(at)
  assert.match(page, /secret-name@uni\.example/)
  assert.match(page, /\[removed\]/)
  assert.doesNotMatch(page, /hunter/)
})

test('bodies: none keeps that there was a request, and no more', async (t) => {
  const at = await world(t, { bodies: 'none' })
  await at.scim('figshare').post('/Users', person())
  await at.scim('figshare').get('/Users?filter=userName%20eq%20%22x%22')
  const page = await pageOf(at)
  assert.equal(shown(page), 2)
  assert.doesNotMatch(page, /Sent|Answered|Query/)
})

test('keepHours: 0 keeps nothing', async (t) => {
  const at = await world(t, { keepHours: 0 })
  await at.scim('figshare').post('/Users', person())
  const page = await pageOf(at)
  assert.equal(shown(page), 0)
  assert.match(page, /are not kept/)
})

test('requests are found by person, request id, status and time', async (t) => {
  const at = await world(t)
  const scim = at.scim('figshare')
  const { body } = await scim.post('/Users', person())
  at.clock.advance(3_600_000)
  const refused = await scim.post('/Users', person())
  await scim.get(`/Users/${body.id}`)
  assert.equal(refused.status, 409)
  assert.equal(shown(await pageOf(at, '&person=secret-name%40uni.example')), 2)
  assert.equal(shown(await pageOf(at, `&person=${body.id}`)), 2)
  assert.equal(shown(await pageOf(at, '&person=nobody')), 0)
  const one = await pageOf(at, `&request=${refused.headers['x-request-id']}`)
  assert.equal(shown(one), 1)
  assert.match(one, /A user with this userName exists already/)
  assert.equal(shown(await pageOf(at, '&status=4xx')), 1)
  assert.equal(shown(await pageOf(at, '&status=409')), 1)
  assert.equal(shown(await pageOf(at, '&status=5xx')), 0)
  const later = new Date(at.clock.now() - 60_000).toISOString().slice(0, 16)
  assert.equal(shown(await pageOf(at, `&from=${later}`)), 2)
  assert.equal(shown(await pageOf(at, `&to=${later}`)), 1)
})

test('a request about somebody is theirs also when its address ends with a slash', async (t) => {
  const at = await world(t)
  const scim = at.scim('figshare')
  const { body } = await scim.post('/Users', person())
  assert.equal((await scim.get(`/Users/${body.id}/`)).status, 200)
  assert.equal(shown(await pageOf(at, `&person=${body.id}&status=200`)), 1)
})

test("requests of strangers, and of another connection, are on nobody's page", async (t) => {
  const at = await world(t)
  await fetch(`${at.url}/figshare/scim/v2/Users`, { headers: { authorization: 'Bearer nobody-knows-this-token' } })
  await at.scim('dspace').get('/Users')
  assert.equal(shown(await pageOf(at)), 0)
})

test('requests are written down behind the answers, outlive a restart, and are forgotten when their time is over', async (t) => {
  const at = await world(t, { keepHours: 1 })
  await at.scim('figshare').get('/Users')
  await at.restart()
  assert.equal(shown(await pageOf(at)), 1)
  at.clock.advance(3_601_000)
  for (let n = 0; n < 100 && shown(await pageOf(at)) > 0; n += 1) at.clock.advance(600_000)
  assert.equal(shown(await pageOf(at)), 0)
})

test('many requests come in pages, newest first', async (t) => {
  const at = await world(t)
  for (let n = 0; n < 55; n += 1) await at.scim('figshare').get(`/Users?count=${n}`)
  const first = await pageOf(at)
  assert.equal(shown(first), 50)
  assert.match(first, /count=54/)
  const older = /href="\/console\/requests\?([^"]+)"[^>]*>Older/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? ''
  const second = await pageOf(at, `&${older.replace(/^connection=figshare&/, '')}`)
  assert.equal(shown(second), 5)
  assert.match(second, /count=0/)
})
