/** Behaviour that the SCIM library gets wrong and that only shows over HTTP; `test/scim/defects.test.ts` lists all of it. */
import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import supertest from 'supertest'
import type { JsonObject } from '../../src/json.ts'
import { enterpriseUrn, userUrn } from '../../src/scim/attribute.ts'
import { aUser, type BridgeWorld, type ScimClient, scimType, startBridgeWorld } from '../bridge-world.ts'

const directory = mkdtempSync(join(tmpdir(), 'scim-bridge-test-'))
const file = join(directory, 'store.sqlite')
let world: BridgeWorld
let scim: ScimClient
before(async () => {
  world = await startBridgeWorld((config) => {
    config.store = `sqlite:${file}`
  })
  scim = world.scim('ethosce')
})
after(async () => {
  await world.stop()
  rmSync(directory, { recursive: true, force: true })
})

const found = async (filter: string): Promise<string[]> => {
  const answer = await scim.get(`/Users?filter=${encodeURIComponent(filter)}`)
  assert.equal(answer.status, 200, `${filter}: ${answer.text}`)
  return answer.body.Resources.map((user: JsonObject) => user.userName)
}

describe('filters', () => {
  before(async () => {
    await scim.post(
      '/Users',
      aUser({
        userName: 'Ünï7@uni.example',
        externalId: 'Ext-7',
        title: 'a "b" (c)',
        emails: [{ value: 'seven@uni.example', type: 'work' }],
      }),
    )
    await scim.post(
      '/Users',
      aUser({
        userName: 'eight',
        externalId: 'ext-8',
        title: 'Dean',
        active: false,
        [enterpriseUrn]: { department: 'Maths' },
      }),
    )
  })

  test('letter case counts for ids only', async () => {
    assert.deepEqual(await found('userName eq "ÜNÏ7@UNI.EXAMPLE"'), ['Ünï7@uni.example'])
    assert.deepEqual(await found('title eq "DEAN"'), ['eight'])
    assert.deepEqual(await found('externalId eq "Ext-7"'), ['Ünï7@uni.example'])
    assert.deepEqual(await found('externalId eq "ext-7"'), [])
    const { id } = (await scim.get(`/Users?filter=${encodeURIComponent('userName eq "eight"')}`)).body.Resources[0]
    assert.deepEqual(await found(`id eq "${id}"`), ['eight'])
    assert.deepEqual(await found(`id eq "${String(id).toUpperCase()}"`), [])
  })

  test('emails alone means their value', async () => {
    assert.deepEqual(await found('emails eq "SEVEN@uni.example"'), ['Ünï7@uni.example'])
    assert.deepEqual(await found('emails co "even@"'), ['Ünï7@uni.example'])
  })

  test('names with a URN find what the names without it find', async () => {
    assert.deepEqual(await found(`${userUrn}:title eq "dean"`), ['eight'])
    assert.deepEqual(await found(`${enterpriseUrn}:department eq "maths"`), ['eight'])
    assert.deepEqual(await found(`${enterpriseUrn.toUpperCase()}:DEPARTMENT sw "m"`), ['eight'])
  })

  test('not, brackets, quotes and escapes mean what they say', async () => {
    const mine = '(userName eq "eight" or externalId eq "Ext-7")'
    assert.deepEqual(await found(`${mine} and not (title eq "Dean" or title eq "x")`), ['Ünï7@uni.example'])
    assert.deepEqual(await found('((userName eq "eight"))'), ['eight'])
    assert.deepEqual(await found('title eq "a \\"b\\" (c)"'), ['Ünï7@uni.example'])
  })

  test('a boolean is a boolean, in quotes too', async () => {
    assert.deepEqual(await found('userName eq "eight" and active eq "False"'), ['eight'])
    assert.deepEqual(await found('userName eq "eight" and active eq true'), [])
  })

  test('what makes no sense is invalidFilter', async () => {
    for (const filter of [
      'userName eq',
      'flavour eq "x"',
      'active gt true',
      'x509Certificates.value lt "x"',
      'password pr',
    ]) {
      const answer = await scim.get(`/Users?filter=${encodeURIComponent(filter)}`)
      assert.deepEqual([answer.status, answer.body.scimType], [400, 'invalidFilter'], filter)
    }
  })

  test('a list is sorted by attributes with a URN, and never in an unknown order', async () => {
    const names = async (query: string) =>
      (await scim.get(`/Users?filter=title%20pr&${query}`)).body.Resources?.map((user: JsonObject) => user.userName)
    const by = `sortBy=${encodeURIComponent(`${userUrn}:title`)}`
    assert.deepEqual(await names(by), ['Ünï7@uni.example', 'eight'])
    assert.deepEqual(await names(`${by}&sortOrder=Descending`), ['eight', 'Ünï7@uni.example'])
    assert.equal((await scim.get(`/Users?${by}&sortOrder=down`)).status, 400)
  })
})

test('a body in the words of Entra is taken and answered in ours', async () => {
  const manager = (await scim.post('/Users', aUser())).body.id
  const answer = await scim.post(
    '/Users',
    aUser({ active: 'True', phoneNumbers: null, roles: [{ value: 'r', type: 'Any' }], [enterpriseUrn]: { manager } }),
  )
  assert.equal(answer.status, 201, answer.text)
  assert.equal(answer.body.active, true)
  assert.equal('phoneNumbers' in answer.body, false)
  assert.deepEqual(answer.body.roles, [{ value: 'r', type: 'Any' }])
  assert.equal(answer.body[enterpriseUrn].manager.value, manager)
})

test('one odd row in the store does not spoil the lists that it is in', async () => {
  const { body } = await scim.post('/Users', aUser())
  const odd = {
    schemas: 'none',
    id: body.id,
    userName: 17,
    name: 'Ada',
    emails: { value: [] },
    active: 'maybe',
    roles: [1, null],
  }
  const database = new DatabaseSync(file)
  database.prepare('update resource set json = ? where id = ?').run(JSON.stringify(odd), body.id)
  database.close()
  for (const query of [
    'count=1000',
    'count=1000&attributes=userName,emails.value,name.givenName',
    'count=1000&excludedAttributes=roles.value',
    'count=1000&sortBy=name.familyName',
    `count=1000&filter=${encodeURIComponent('not (emails.value co "zzz" or name.familyName sw "zzz" or roles eq "zzz")')}`,
  ]) {
    const answer = await scim.get(`/Users?${query}`)
    assert.equal(answer.status, 200, `${query}: ${answer.text}`)
    assert.ok(
      answer.body.Resources.some((user: JsonObject) => user.id === body.id),
      query,
    )
  }
  assert.equal((await scim.delete(`/Users/${body.id}`)).status, 204)
})

describe('while the store is away', () => {
  before(() => renameSync(file, `${file}.away`))
  after(() => renameSync(`${file}.away`, file))

  test('a write is 503 with Retry-After, a wrong token still 401, and the platform hears nothing', async () => {
    const calls = world.sandbox.ethosce.calls.length
    const answer = await scim.post('/Users', aUser())
    assert.equal(answer.status, 503)
    assert.match(String(answer.headers['retry-after']), /^\d+$/)
    assert.equal(answer.headers['content-type'], scimType)
    assert.equal(answer.headers['www-authenticate'], undefined)
    assert.doesNotMatch(answer.text, /sqlite|removed/i)
    const stranger = await supertest(world.url)
      .post('/ethosce/scim/v2/Users')
      .set('Authorization', 'Bearer x')
      .send('{}')
    assert.equal(stranger.status, 401)
    assert.equal(world.sandbox.ethosce.calls.length, calls)
    assert.equal((await supertest(world.url).get('/readyz')).status, 503)
  })

  test('two hundred failures in a row share one socket', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number>()
    const statuses = new Set<number>()
    const headers = { Authorization: `Bearer ${world.tokens.get('ethosce')}`, 'Content-Type': scimType }
    for (let count = 0; count < 200; count += 1) {
      await new Promise<void>((resolve, reject) => {
        httpRequest(`${world.url}/ethosce/scim/v2/Users`, { method: 'POST', agent, headers }, (answer) => {
          ports.add(answer.socket.localPort ?? 0)
          statuses.add(answer.statusCode ?? 0)
          answer.resume().on('end', resolve)
        })
          .on('error', reject)
          .end(JSON.stringify(aUser()))
      })
    }
    agent.destroy()
    assert.deepEqual([...statuses], [503])
    assert.equal(ports.size, 1)
  })
})

test('after that everything works again', async () => {
  assert.equal((await scim.post('/Users', aUser())).status, 201)
  assert.equal((await supertest(world.url).get('/readyz')).status, 200)
})
