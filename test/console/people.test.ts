import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { type ConsoleWorld, startConsoleWorld, type Visitor } from './console-world.ts'

const provisioning = 'urn:scim-bridge:params:scim:schemas:extension:1.0:Provisioning'

async function world(t: TestContext): Promise<ConsoleWorld> {
  const started = await startConsoleWorld()
  t.after(() => started.stop())
  return started
}

async function textOf(visitor: Visitor, path: string): Promise<string> {
  const answer = await visitor.get(path)
  assert.equal(answer.status, 200, path)
  return answer.text()
}

/** Names in the table of people. */
function named(page: string): string[] {
  return [...page.matchAll(/<th scope="row"><a href="[^"]+">([^<]*)<\/a>/g)].map(([, name = '']) => name)
}

test('people are found by part of a name, userName, e-mail, externalId, account id and SCIM id', async (t) => {
  const at = await world(t)
  const scim = at.scim('figshare')
  const user = aUser({
    userName: 'Grace.H@uni.example',
    externalId: '00uGrace',
    name: { givenName: 'Grace', familyName: 'Hopper' },
    emails: [{ type: 'work', primary: true, value: 'admiral@navy.example' }],
  })
  const { body } = await scim.post('/Users', user)
  await scim.post('/Users', aUser())
  const { accountId } = body['urn:scim-bridge:params:scim:schemas:extension:1.0:Provisioning']
  const visitor = await at.visitor()
  const search = async (text: string) =>
    named(await textOf(visitor, `/people?connection=figshare&q=${encodeURIComponent(text)}`))
  for (const text of ['OPPE', 'grace.h@', 'Admiral@navy.example', '00uGrace', accountId, body.id]) {
    assert.deepEqual(await search(text), ['Grace Hopper'], text)
  }
  assert.deepEqual(await search('%'), [])
  assert.deepEqual(await search('nobody'), [])
  assert.equal((await search('')).length, 2)
})

test('more people than one page has come in pages, everybody once', async (t) => {
  const at = await world(t)
  const scim = at.scim('figshare')
  for (let n = 0; n < 53; n += 1) assert.equal((await scim.post('/Users', aUser())).status, 201)
  const visitor = await at.visitor()
  const first = await textOf(visitor, '/people?connection=figshare')
  const next = /href="\/console(\/people\?[^"]+)">Next/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? ''
  const second = await textOf(visitor, next)
  assert.equal(new Set([...named(first), ...named(second)]).size, 53)
  assert.equal(named(first).length, 50)
  assert.doesNotMatch(second, />Next/)
})

test("a person's page shows what SCIM says, what the mapping makes of it, and where the account differs", async (t) => {
  const at = await world(t)
  const scim = at.scim('figshare')
  const { body } = await scim.post('/Users', aUser({ userName: 'ada@uni.example' }))
  const visitor = await at.visitor()
  const page = await textOf(visitor, `/people/figshare/${body.id}`)
  assert.match(
    page,
    /institution_user_id<\/th>\s*<td><small>userName<\/small> ada@uni\.example<br><\/td>\s*<td>ada@uni\.example<\/td>\s*<td>ada@uni\.example<\/td>\s*<td><\/td>/,
  )
  assert.doesNotMatch(page, /class="differs"/)
  assert.match(page, /<strong>outcome<\/strong> outcome: applied/)
  at.sandbox.figshare.fault({ mode: '500' })
  await scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'name.familyName', value: 'Byron' }])
  const later = await textOf(visitor, `/people/figshare/${body.id}`)
  assert.match(later, /class="differs">\s*<th scope="row">last_name/)
  assert.match(later, /Unfinished: update, waiting/)
})

test('the account as last read tells nothing after a person was deleted, and the page says so', async (t) => {
  const at = await world(t)
  const { body } = await at.scim('figshare').post('/Users', aUser())
  await at.scim('figshare').delete(`/Users/${body.id}`)
  const page = await textOf(await at.visitor(), `/people/figshare/${body.id}`)
  assert.match(page, /does not see this person/)
  assert.match(page, /<dt>Link<\/dt><dd>deleted<\/dd>/)
})

test('a group has a page, too: its name, what became of it, and the requests about it', async (t) => {
  const at = await world(t)
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']
  const { body, status } = await at.scim('openspecimen').post('/Groups', { schemas, displayName: 'Curators <b>' })
  assert.equal(status, 201, JSON.stringify(body))
  const page = await textOf(await at.visitor(), `/people/openspecimen/${body.id}`)
  assert.match(page, /<h1>Curators &lt;b&gt;<\/h1>/)
  assert.match(page, /A group of the identity provider\./)
  assert.match(page, new RegExp(`requests\\?connection=openspecimen&amp;person=${body.id}`))
  assert.doesNotMatch(page, /does not see this person|userName/)
})

const groupSchemas = ['urn:ietf:params:scim:schemas:core:2.0:Group']

test("a group's page has what membership gives, and its members page by page; a person's page leads to it", async (t) => {
  const at = await world(t)
  const figshare = at.scim('figshare')
  const ids: string[] = []
  for (let made = 0; made < 52; made += 1) ids.push((await figshare.post('/Users', aUser())).body.id)
  const members = ids.map((value) => ({ value }))
  const group = { schemas: groupSchemas, displayName: 'figshare-reviewers', members }
  const { id } = (await figshare.post('/Groups', group)).body
  await eventually(
    'all have it',
    async () => (await at.scim('figshare').get(`/Users/${ids.at(-1)}`)).body[provisioning].state === 'applied',
    () => at.clock.advance(1_000),
  )
  const visitor = await at.visitor()
  const person = await textOf(visitor, `/people/figshare/${ids[0]}`)
  assert.ok(person.includes(`<a href="/console/people/figshare/${id}">figshare-reviewers</a>`))
  const first = await textOf(visitor, `/people/figshare/${id}`)
  assert.match(first, /<li><code>\{&quot;group_id&quot;:110,&quot;role_id&quot;:49\}<\/code><\/li>/)
  assert.match(first, /Members: 52/)
  assert.match(first, /<td>given<\/td>/)
  const next = /href="\/console(\/people\/[^"]+)">Next members/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? ''
  const second = await textOf(visitor, next)
  const linked = (page: string) =>
    [...page.matchAll(/<th scope="row"><a href="[^"]+\/([^"/]+)">/g)].map(([, one]) => one)
  assert.deepEqual([linked(first).length, linked(second).length], [50, 2])
  assert.deepEqual([...linked(first), ...linked(second)].sort(), ids.toSorted())
  assert.doesNotMatch(second, />Next members/)
})

test('a group that is a group on the platform says which, and one that the mapping does not name gives nothing', async (t) => {
  const at = await world(t)
  const { id: value } = (await at.scim('dspace').post('/Users', aUser())).body
  const made = await at
    .scim('dspace')
    .post('/Groups', { schemas: groupSchemas, displayName: 'Readers', members: [{ value }] })
  const visitor = await at.visitor()
  const page = await textOf(visitor, `/people/dspace/${made.body.id}`)
  assert.match(page, /Membership in the DSpace group <strong>Readers<\/strong> \([0-9a-f-]{36}\), made by the bridge/)
  assert.match(page, /<td>given<\/td>/)
  const other = await at.scim('figshare').post('/Groups', { schemas: groupSchemas, displayName: 'Nobody knows it' })
  assert.match(await textOf(visitor, `/people/figshare/${other.body.id}`), /no line of <code>groups\.grants<\/code>/)
})

test('the account is read again by a button: compared as it is now, and neither stored nor written', async (t) => {
  const at = await world(t)
  const { body } = await at.scim('figshare').post('/Users', aUser())
  const account = at.sandbox.figshare.logic.state.accounts.get(Number(body[provisioning].accountId))
  assert.ok(account !== undefined)
  account.profile.last_name = 'Byhand'
  const visitor = await at.visitor()
  const path = `/people/figshare/${body.id}`
  const differs = (page: string) =>
    [...page.matchAll(/<tr class="differs">\s*<th scope="row">(\w+)</g)].map(([, one]) => one)
  const before = await textOf(visitor, path)
  assert.match(before, /Account as last read/)
  assert.deepEqual(differs(before), [])
  at.sandbox.figshare.forgetCalls()
  const answer = await visitor.post(`${path}/read`)
  const page = await answer.text()
  assert.equal(answer.status, 200)
  assert.match(page, /role="status">Read from Figshare just now/)
  assert.match(page, /Account as read now/)
  assert.deepEqual(differs(page), ['last_name'])
  assert.match(page, /<td>Byhand<\/td>/)
  assert.deepEqual([...new Set(at.sandbox.figshare.calls.map(({ method }) => method))], ['GET'])
  assert.deepEqual(differs(await textOf(visitor, path)), [])
  assert.equal(account.profile.last_name, 'Byhand')
})

test('an account that cannot be read now is told in plain words, and what was read last is shown', async (t) => {
  const at = await world(t)
  const scim = at.scim('figshare')
  const { body } = await scim.post('/Users', aUser())
  const visitor = await at.visitor()
  const path = `/people/figshare/${body.id}`
  const said = async () => {
    const page = await (await visitor.post(`${path}/read`)).text()
    assert.match(page, /Account as last read/)
    return /role="status">Not read: ([^<]+)</.exec(page)?.[1] ?? ''
  }
  at.sandbox.figshare.fault({ mode: '500' })
  assert.match(await said(), /^Figshare could not be asked: The platform/)
  at.sandbox.figshare.fault({ mode: '401' })
  assert.match(await said(), /^Figshare could not be asked: The platform refuses the bridge&#39;s own credentials/)
  at.sandbox.figshare.fault({ mode: 'ok' })
  at.sandbox.figshare.forgetCalls()
  // The refusal has suspended the calls, as one of a change would have.
  assert.match(await said(), /^Calls to Figshare are suspended, so it was not asked: The platform refuses/)
  assert.equal(at.sandbox.figshare.calls.length, 0)
  await visitor.post('/operations/resume', { connection: 'figshare', why: 'a test' })
  at.sandbox.figshare.logic.removeAccount(Number(body[provisioning].accountId))
  await eventually(
    'it is asked again',
    async () => (await said()) === 'Figshare has no account with this id any more.',
    () => at.clock.advance(1_000),
  )
  assert.equal((await visitor.post('/people/figshare/nobody/read')).status, 404)
  assert.equal((await visitor.post(`${path}/read`, { form: '' })).status, 403)
})

test('a person of another connection, and one that there never was, are the same to an operator', async (t) => {
  const at = await world(t)
  const { body } = await at.scim('dspace').post('/Users', aUser())
  const visitor = await at.visitor()
  for (const path of [
    `/people/figshare/${body.id}`,
    '/people/figshare/nobody',
    '/people/nowhere/x',
    '/people/figshare/%ff',
  ]) {
    const answer = await visitor.get(path)
    assert.equal(answer.status, 404, path)
    assert.match(await answer.text(), /There is no such page\./)
  }
})

test('the mapping page explains a pasted person step by step, in the words of SCIM where it is none, and writes nothing', async (t) => {
  const at = await world(t)
  const visitor = await at.visitor()
  const explain = async (scim: string) => (await visitor.post('/mapping', { connection: 'figshare', scim })).text()
  const page = await explain(JSON.stringify(aUser({ userName: 'pasted@uni.example' })))
  assert.match(page, /<h2 id="result">Figshare, active<\/h2>/)
  assert.match(page, /institution_user_id[\s\S]*?<small>from<\/small> pasted@uni\.example/)
  assert.match(await explain('{"userName":'), /role="alert"/)
  assert.match(
    await explain('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]}'),
    /role="alert">[^<]*userName/,
  )
  assert.match(await explain(`${'['.repeat(100_000)}`), /role="alert"/)
  assert.match(await explain('{"__proto__":{"a":1}}'), /role="alert"/)
  assert.equal((await at.scim('figshare').get('/Users')).body.totalResults, 0)
})

test('the setup page has the exact tenant URL, and the check says whether the platform takes the credentials', async (t) => {
  const at = await world(t)
  const visitor = await at.visitor()
  assert.match(
    await textOf(visitor, '/setup?connection=ethosce'),
    /<code>http:\/\/127\.0\.0\.1:\d+\/ethosce\/scim\/v2<\/code>/,
  )
  const check = async () => {
    const answer = await visitor.post('/setup/check', { connection: 'figshare' })
    assert.equal(answer.headers.get('location'), '/console/setup?connection=figshare')
    return textOf(visitor, '/setup?connection=figshare')
  }
  assert.match(await check(), /Good: Figshare answers, and takes the credentials\./)
  at.sandbox.figshare.fault({ mode: '401' })
  const refused = await check()
  assert.match(refused, /Not good: The platform refuses the bridge&#39;s own credentials/)
  assert.doesNotMatch(await textOf(visitor, '/setup?connection=figshare'), /Not good/)
})
