import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'
import supertest from 'supertest'
import { aUser, type BridgeWorld, type ScimClient, scimType, startBridgeWorld } from '../bridge-world.ts'
import { rawRequest } from './raw-request.ts'

let world: BridgeWorld
let scim: ScimClient
before(async () => {
  world = await startBridgeWorld()
  scim = world.scim('figshare')
})
after(() => world.stop())

const token = () => world.tokens.get('figshare') ?? ''
const base = '/figshare/scim/v2'

const raw = (text: string) => rawRequest(world.url, text)

describe('who may come in', () => {
  test('without a token the answer is 401 with WWW-Authenticate and a SCIM error', async () => {
    const answer = await supertest(world.url).get(`${base}/Users`)
    assert.equal(answer.status, 401)
    assert.match(String(answer.headers['www-authenticate']), /^Bearer/)
    assert.equal(answer.headers['content-type'], scimType)
    assert.equal(answer.body.status, '401')
  })

  test('every reason for 401 gives the same answer but for the request id', async () => {
    const tries = [
      {},
      { Authorization: '' },
      { Authorization: 'Bearer' },
      { Authorization: `Basic ${Buffer.from('a:b').toString('base64')}` },
      { Authorization: `Bearer ${token().slice(0, -1)}` },
      { Authorization: `Bearer ${token()}x` },
      { Authorization: `Bearer ${'x'.repeat(12_000)}` },
      { Authorization: token() },
      { Authorization: `Bearer ${world.tokens.get('dspace')}` },
    ]
    const texts = new Set<string>()
    for (const headers of tries) {
      const answer = await supertest(world.url).get(`${base}/Users`).set(headers)
      assert.equal(answer.status, 401, JSON.stringify(headers).slice(0, 60))
      texts.add(answer.text.replace(/request [0-9a-f-]+/, ''))
    }
    assert.equal(texts.size, 1)
    const elsewhere = await supertest(world.url).get('/nowhere/scim/v2/Users').set('Authorization', `Bearer ${token()}`)
    assert.equal(elsewhere.status, 401)
    assert.ok(texts.has(elsewhere.text.replace(/request [0-9a-f-]+/, '')))
  })

  test('the scheme is taken in any letter case, the token in the query is not', async () => {
    assert.equal(
      (await supertest(world.url).get(`${base}/Users`).set('Authorization', `bEARER ${token()}`)).status,
      200,
    )
    assert.equal((await supertest(world.url).get(`${base}/Users?access_token=${token()}`)).status, 401)
  })

  test('two Authorization headers are refused', async () => {
    const text = await raw(
      `GET ${base}/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token()}\r\nAuthorization: Bearer ${token()}\r\n\r\n`,
    )
    assert.match(text, /^HTTP\/1.1 401/)
  })

  test('a stranger is refused before the first byte of the body is read', async () => {
    // The body never comes: an answer shows that nobody waited for it.
    const text = await raw(
      `POST ${base}/Users HTTP/1.1\r\nHost: x\r\nContent-Type: ${scimType}\r\nContent-Length: 500000\r\n\r\n{"broken`,
    )
    assert.match(text, /^HTTP\/1.1 401/)
  })

  test('a token of one connection reaches nothing of another', async () => {
    const user = aUser()
    const { body } = await scim.post('/Users', user)
    const other = world.scim('dspace')
    assert.equal((await other.get(`/Users/${body.id}`)).status, 404)
    assert.equal((await other.delete(`/Users/${body.id}`)).status, 404)
    const found = await other.get(`/Users?filter=${encodeURIComponent(`userName eq "${user.userName}"`)}`)
    assert.equal(found.body.totalResults, 0)
    assert.equal((await scim.get(`/Users/${body.id}`)).status, 200)
  })
})

describe('endpoints and media', () => {
  test('a wrong method is 405 with Allow, an unknown path 404, /Me 501, all as SCIM errors', async () => {
    const put = await scim.put('/Users', {})
    assert.equal(put.status, 405)
    assert.equal(put.headers.allow, 'GET, POST')
    for (const [answer, status] of [
      [await scim.get('/Nothing'), 404],
      [await scim.get('/Users/a/b'), 404],
      [await scim.get('/Me'), 501],
      [await scim.get('/Bulk'), 405],
      [await scim.get('/Schemas?filter=a'), 403],
      [await scim.get('/ServiceProviderConfig?filter=id%20eq%20%22x%22'), 403],
    ] as const) {
      assert.equal(answer.status, status)
      assert.equal(answer.headers['content-type'], scimType)
      assert.equal(answer.body.status, String(status))
      assert.match(answer.body.detail, /\(request [0-9a-f-]{36}\)$/)
    }
    assert.deepEqual(
      world.logLines.filter((line) => JSON.parse(line).level >= 50),
      [],
      'none of them is an error of the bridge',
    )
  })

  test('endpoints are found in any letter case, with the same rights and the same answers', async () => {
    const { body: user } = await scim.post('/USERS', aUser())
    assert.equal((await scim.get(`/users/${user.id}`)).body.meta.location, user.meta.location)
    assert.equal((await scim.get('/groups?count=0')).status, 200)
    const search = { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'], count: 0 }
    assert.equal((await scim.post('/users/.search', search)).status, 200)
    assert.deepEqual((await scim.get('/serviceproviderconfig')).body, (await scim.get('/ServiceProviderConfig')).body)
    assert.equal((await scim.put('/users', {})).status, 405)
    assert.equal((await supertest(world.url).get(`${base}/users`)).status, 401)
    for (const none of ['/userss', '/us%45rs', '/__proto__', '/users/a/b'])
      assert.equal((await scim.get(none)).status, 404, none)
  })

  test('discovery is whole: configuration, schemas and resource types, each also by name', async () => {
    const config = await scim.get('/ServiceProviderConfig')
    assert.equal(config.status, 200)
    assert.equal(config.body.patch.supported, true)
    assert.equal(config.body.changePassword.supported, false)
    const schemas = await scim.get('/Schemas')
    assert.equal(schemas.body.totalResults, schemas.body.Resources.length)
    for (const schema of schemas.body.Resources) {
      assert.deepEqual((await scim.get(`/Schemas/${encodeURIComponent(schema.id)}`)).body, schema)
    }
    const types = await scim.get('/ResourceTypes')
    assert.deepEqual(types.body.Resources.map((type: { id: string }) => type.id).sort(), ['Group', 'User'])
    assert.equal((await scim.get('/ResourceTypes/User')).status, 200)
    assert.equal((await scim.get('/ResourceTypes/Thing')).status, 404)
  })

  test('a body that is no JSON by its media type is 415, a compressed one too', async () => {
    assert.equal((await scim.post('/Users', '<x/>', { 'Content-Type': 'text/xml' })).status, 415)
    assert.equal((await scim.post('/Users', '{}', { 'Content-Encoding': 'gzip' })).status, 415)
  })

  test('a body that is larger than allowed is 413, announced or not', async () => {
    const large = JSON.stringify({ schemas: ['x'], userName: 'x'.repeat(1_100_000) })
    const answer = await scim.post('/Users', large)
    assert.equal(answer.status, 413)
    assert.equal(answer.headers['content-type'], scimType)
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sending = httpRequest(
        `${world.url}${base}/Users`,
        {
          method: 'POST',
          headers: { Authorization: `Bearer ${token()}`, 'Content-Type': scimType, 'Transfer-Encoding': 'chunked' },
        },
        (received) => {
          received.resume()
          resolve(received.statusCode)
        },
      )
      sending.on('error', reject)
      sending.end(large)
    })
    assert.equal(status, 413)
  })

  for (const [what, body] of [
    ['nothing', ''],
    ['broken JSON', '{"a":'],
    ['a list', '[]'],
    ['text', '"x"'],
    ['null', 'null'],
    ['a key __proto__', '{"__proto__":{"polluted":1}}'],
    ['a hidden key __proto__', '{"name":{"\\u005f_proto__":{"polluted":1}}}'],
    ['a key constructor', '{"emails":[{"constructor":{"prototype":{"polluted":1}}}]}'],
    ['33 levels', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`],
    ['100,000 levels', '['.repeat(100_000)],
  ] as const) {
    test(`a body with ${what} is 400 invalidSyntax and changes nothing`, async () => {
      const answer = await scim.post('/Users', body)
      assert.equal(answer.status, 400, answer.text)
      assert.equal(answer.body.scimType, 'invalidSyntax')
      assert.equal(answer.headers['content-type'], scimType)
      assert.equal(Reflect.get({}, 'polluted'), undefined)
    })
  }

  test('a body that is not UTF-8 is 400', async () => {
    const { port } = new URL(world.url)
    const answer = await fetch(`http://127.0.0.1:${port}${base}/Users`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token()}`, 'Content-Type': scimType },
      body: new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
    })
    assert.equal(answer.status, 400)
  })

  test('paths that are not percent-encoded text are 400, odd ids 404, and no other row is touched', async () => {
    const user = aUser()
    const { body } = await scim.post('/Users', user)
    assert.match(
      await raw(`GET ${base}/Users/%E0%A4%A HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token()}\r\n\r\n`),
      /^HTTP\/1.1 400/,
    )
    for (const id of [
      'x" or userName sw "person',
      "x' or 1=1 --",
      '..',
      '%2e%2e',
      '\u0000',
      '__proto__',
      'x'.repeat(1_000),
    ]) {
      const path = `/Users/${encodeURIComponent(id)}`
      assert.equal((await scim.get(path)).status, 404, id)
      assert.equal((await scim.delete(path)).status, 404, id)
    }
    assert.equal((await scim.get(`/Users/${body.id}`)).status, 200)
    assert.equal((await scim.get(`/Users/${'x'.repeat(9_000)}`)).status, 404)
  })

  test('a parameter given twice is 400', async () => {
    assert.equal((await scim.get('/Users?count=1&count=2')).status, 400)
  })
})

describe('what the SCIM library gets wrong', () => {
  test('startIndex and count are honoured: rows 3 and 4 are asked for and come', async () => {
    const ids: string[] = []
    for (let count = 0; count < 5; count += 1) ids.push((await world.scim('ethosce').post('/Users', aUser())).body.id)
    const all = await world.scim('ethosce').get('/Users?count=1000')
    const page = await world.scim('ethosce').get('/Users?startIndex=3&count=2')
    assert.deepEqual(
      page.body.Resources.map((user: { id: string }) => user.id),
      all.body.Resources.slice(2, 4).map((user: { id: string }) => user.id),
    )
    assert.equal(page.body.itemsPerPage, 2)
    assert.equal(page.body.startIndex, 3)
  })

  test('a page past the end is empty, with the right total and itemsPerPage 0', async () => {
    const page = await scim.get('/Users?startIndex=100000&count=5')
    assert.equal(page.status, 200)
    assert.deepEqual(page.body.Resources, [])
    assert.equal(page.body.itemsPerPage, 0)
    assert.ok(page.body.totalResults > 0)
  })

  test('who reads page after page gets everybody who is still there, also when somebody has left meanwhile', async () => {
    const community = world.scim('selfcommunity')
    const made: string[] = []
    for (let count = 0; count < 5; count += 1) made.push((await community.post('/Users', aUser())).body.id)
    const seen: string[] = []
    // As Okta imports: on by what came, until the total of the last answer is reached.
    for (let startIndex = 1, total = 1; startIndex <= total; ) {
      const { body } = await community.get(`/Users?startIndex=${startIndex}&count=2`)
      for (const { id } of body.Resources) seen.push(id)
      if (startIndex === 1) assert.equal((await community.delete(`/Users/${made[0]}`)).status, 204)
      startIndex += body.itemsPerPage
      total = body.itemsPerPage === 0 ? 0 : body.totalResults
    }
    assert.deepEqual(seen, made)
    assert.equal((await community.get('/Users?count=0')).body.totalResults, 4)
  })

  test('count 0 and negative give totals only, a huge count is capped', async () => {
    for (const count of [0, -3]) {
      const page = await scim.get(`/Users?count=${count}`)
      assert.equal(page.status, 200)
      assert.deepEqual(page.body.Resources, [])
      assert.ok(page.body.totalResults > 0)
    }
    assert.equal((await scim.get('/Users?count=1000000000')).status, 200)
    assert.equal((await scim.get('/Users?count=abc')).status, 400)
    assert.equal((await scim.get('/Users?startIndex=-5')).body.startIndex, 1)
  })

  test('a filter without a hit is 200 with an empty list, never 404', async () => {
    const answer = await scim.get(`/Users?filter=${encodeURIComponent('userName eq "nobody"')}`)
    assert.equal(answer.status, 200)
    assert.equal(answer.body.totalResults, 0)
    assert.deepEqual(answer.body.Resources, [])
  })

  test('location comes from the configured address, whatever the request claims', async () => {
    const answer = await scim.post('/Users', aUser(), {
      Host: 'evil.example',
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Proto': 'https',
    })
    assert.equal(answer.status, 201)
    assert.match(String(answer.headers.location), /^http:\/\/127\.0\.0\.1:0\/figshare\/scim\/v2\/Users\//)
    assert.equal(answer.headers.location, answer.body.meta.location)
  })

  test('2,000 interleaved requests of two connections: no location of the other', async () => {
    const one = (await scim.post('/Users', aUser())).body.id
    const two = (await world.scim('dspace').post('/Users', aUser())).body.id
    const answers = await Promise.all(
      Array.from({ length: 2_000 }, async (_, index) => {
        const [connection, id] = index % 2 === 0 ? (['figshare', one] as const) : (['dspace', two] as const)
        const headers = { Authorization: `Bearer ${world.tokens.get(connection)}` }
        const answer = await fetch(`${world.url}/${connection}/scim/v2/Users/${id}`, { headers })
        const text = await answer.text()
        return answer.status === 429 || text.includes(`/${connection}/scim/v2/Users/${id}`)
      }),
    )
    assert.ok(answers.every((isRight) => isRight))
  })

  test('200 refused requests in a row share one socket', async () => {
    const ports = new Set<number>()
    const { Agent } = await import('node:http')
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let count = 0; count < 200; count += 1) {
      await new Promise<void>((resolve, reject) => {
        const sending = httpRequest(
          `${world.url}${base}/Users/absent`,
          { agent, headers: { Authorization: `Bearer ${token()}` } },
          (answer) => {
            ports.add(answer.socket.localPort ?? 0)
            answer.resume().on('end', resolve)
          },
        )
        sending.on('error', reject)
        sending.end()
      })
    }
    agent.destroy()
    assert.equal(ports.size, 1)
  })

  test('a stale If-Match is 412 and stores nothing; the version is the ETag; 304 for who has it', async () => {
    const { body, headers } = await scim.post('/Users', aUser())
    const path = `/Users/${body.id}`
    assert.equal(headers.etag, body.meta.version)
    const change = [{ op: 'replace', path: 'title', value: 'Dean' }]
    assert.equal((await scim.patch(path, change, { 'If-Match': 'W/"99"' })).status, 412)
    assert.equal((await scim.delete(path, { 'If-Match': 'W/"99"' })).status, 412)
    assert.equal((await scim.get(path)).body.title, undefined)
    const changed = await scim.patch(path, change, { 'If-Match': body.meta.version })
    assert.equal(changed.status, 200)
    assert.notEqual(changed.body.meta.version, body.meta.version)
    const same = await scim.get(path, { 'If-None-Match': changed.body.meta.version })
    assert.equal(same.status, 304)
    assert.equal(same.text, '')
    assert.equal((await scim.get(path, { 'If-None-Match': body.meta.version })).status, 200)
  })

  test('two PATCHes at once both survive', async () => {
    const { body } = await scim.post('/Users', aUser())
    const path = `/Users/${body.id}`
    const answers = await Promise.all([
      scim.patch(path, [{ op: 'replace', path: 'title', value: 'Dean' }]),
      scim.patch(path, [{ op: 'replace', path: 'nickName', value: 'Addie' }]),
    ])
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [200, 200],
    )
    const after = await scim.get(path)
    assert.equal(after.body.title, 'Dean')
    assert.equal(after.body.nickName, 'Addie')
    assert.equal(after.body.meta.version, 'W/"3"')
  })

  test('a change that changes nothing keeps the version', async () => {
    const user = aUser()
    const { body } = await scim.post('/Users', user)
    const again = await scim.put(`/Users/${body.id}`, user)
    assert.equal(again.status, 200)
    assert.equal(again.body.meta.version, body.meta.version)
  })

  test('a search in a body takes count 0 and startIndex 0, and at the root counts both types', async () => {
    const group = await scim.post('/Groups', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: 'Searchers',
    })
    assert.equal(group.status, 201)
    const users = (await scim.get('/Users?count=0')).body.totalResults
    const groups = (await scim.get('/Groups?count=0')).body.totalResults
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:SearchRequest']
    const empty = await scim.post('/.search', { schemas, count: 0, startIndex: 0 })
    assert.equal(empty.status, 200)
    assert.equal(empty.body.totalResults, users + groups)
    const all = await scim.post('/.search', { schemas, count: 1_000 })
    assert.equal(all.body.Resources.length, users + groups)
    const last = await scim.post('/.search', { schemas, startIndex: users + groups, count: 5 })
    assert.equal(last.body.Resources.length, 1)
    const one = await scim.post('/Users/.search', {
      schemas,
      filter: 'userName sw "person"',
      attributes: ['userName'],
      count: 1,
    })
    assert.equal(one.body.Resources.length, 1)
    assert.deepEqual(Object.keys(one.body.Resources[0]).sort(), ['id', 'schemas', 'userName'])
  })

  test('projection takes sub-attributes, URNs and any case, and keeps id and schemas', async () => {
    const { body } = await scim.post('/Users', aUser())
    const cut = await scim.get(
      `/Users/${body.id}?attributes=NAME.givenname,urn:ietf:params:scim:schemas:core:2.0:User:emails.value,nothing`,
    )
    assert.equal(cut.status, 200)
    assert.deepEqual(Object.keys(cut.body).sort(), ['emails', 'id', 'name', 'schemas'])
    assert.deepEqual(cut.body.name, { givenName: 'Ada' })
    const without = await scim.get(`/Users/${body.id}?excludedAttributes=emails`)
    assert.equal(without.body.emails, undefined)
    assert.equal(without.body.userName, body.userName)
  })
})

describe('health', () => {
  test('livez, readyz and metrics answer without a token, and metrics name no person', async () => {
    assert.equal((await supertest(world.url).get('/livez')).status, 200)
    assert.equal((await supertest(world.url).get('/readyz')).status, 200)
    const metrics = await supertest(world.url).get('/metrics')
    assert.match(metrics.text, /scim_bridge_requests_total\{connection="figshare"/)
    assert.doesNotMatch(metrics.text, /@uni\.example/)
  })

  test('no token and no person is in any line of the log', async () => {
    const text = world.logLines.join('')
    assert.match(text, /"route":"Users"/)
    for (const secret of world.tokens.values()) assert.ok(!text.includes(secret))
    assert.doesNotMatch(text, /@uni\.example|Lovelace/)
  })
})
