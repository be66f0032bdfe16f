/** Extensions that one connection declares in bridge.yaml, and no other one has. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import supertest from 'supertest'
import { parse, stringify } from 'yaml'
import { builtInMappings } from '../../src/bridge.ts'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { userUrn } from '../../src/scim/attribute.ts'
import { aUser, type BridgeWorld, type ScimClient, startBridgeWorld } from '../bridge-world.ts'

const campus = 'urn:example:params:scim:schemas:extension:campus:2.0:User'
const folder = mkdtempSync(join(tmpdir(), 'mapping-'))

/** Figshare's mapping, with the job title out of the extension. */
function campusMapping(): string {
  const mapping = parse(readFileSync(join(builtInMappings, 'figshare.yaml'), 'utf8'))
  mapping.prefixes = { ...mapping.prefixes, campus }
  mapping.user.attributes.job_title = { from: 'campus:jobTitle', empty: 'keep' }
  mapping.examples = [
    {
      name: 'the job title is in the extension',
      was: { userName: 'a', name: { familyName: 'L' }, emails: [{ value: 'a@x.example', primary: true }] },
      scim: {
        userName: 'a',
        name: { familyName: 'L' },
        emails: [{ value: 'a@x.example', primary: true }],
        [campus]: { jobTitle: 'Dean' },
      },
      changes: { job_title: 'Dean' },
    },
  ]
  const file = join(folder, 'figshare.yaml')
  writeFileSync(file, stringify(mapping))
  return file
}

let world: BridgeWorld
let scim: ScimClient
before(async () => {
  world = await startBridgeWorld(({ connections }) => {
    assert.ok(isJsonObject(connections) && isJsonObject(connections.figshare) && isJsonObject(connections.dspace))
    connections.figshare.mapping = campusMapping()
    connections.figshare.extensions = {
      [campus]: {
        attributes: {
          cardNumber: { caseExact: true, description: 'Number of the campus card' },
          jobTitle: {},
          buildings: { multiValued: true },
          seats: { type: 'integer' },
          isGuest: { type: 'boolean' },
          since: { type: 'dateTime' },
        },
      },
    }
    connections.dspace.extensions = {}
  })
  scim = world.scim('figshare')
})
after(async () => {
  await world.stop()
  rmSync(folder, { recursive: true })
})

const whole = { cardNumber: 'Ab-1', jobTitle: 'Reader', buildings: ['A', 'B'], seats: 3, isGuest: false }
const find = (filter: string) => scim.get(`/Users?filter=${encodeURIComponent(filter)}`)

test('declared attributes are kept and returned, and their schema is listed though the client did not announce it', async () => {
  const { status, body, text } = await scim.post('/Users', aUser({ [campus.toUpperCase()]: { ...whole, SEATS: 3 } }))
  assert.equal(status, 201, text)
  assert.deepEqual(body[campus], whole)
  assert.ok(body.schemas.includes(campus))
  assert.deepEqual((await scim.get(`/Users/${body.id}`)).body, body)
  const plain = await scim.post('/Users', aUser({ schemas: [userUrn, campus] }))
  assert.equal(plain.body.schemas.includes(campus), false)
})

test('their types are checked', async () => {
  const wrongs: readonly JsonObject[] = [
    { seats: 1.5 },
    { seats: 'three' },
    { isGuest: 'perhaps' },
    { since: 'today' },
    { jobTitle: 1 },
  ]
  for (const wrong of wrongs) {
    const answer = await scim.post('/Users', aUser({ [campus]: wrong }))
    assert.deepEqual([answer.status, answer.body.scimType], [400, 'invalidValue'], answer.text)
    assert.ok(answer.body.detail.startsWith(Object.keys(wrong).join()), answer.text)
  }
})

test('they are found, sorted by and cut to, by their URN', async () => {
  const made = await scim.post(
    '/Users',
    aUser({ [campus]: { ...whole, cardNumber: 'Zz-9', seats: 77, jobTitle: 'Porter' } }),
  )
  const hits = [
    `${campus}:cardNumber eq "Zz-9"`,
    `${campus}:JOBTITLE eq "porter"`,
    `${campus}:seats gt 70`,
    `${campus}:buildings eq "a" and ${campus}:seats eq 77`,
    `${campus}:isGuest eq false and ${campus}:seats ge 77`,
  ]
  for (const filter of hits) {
    const { body } = await find(filter)
    assert.deepEqual(
      body.Resources.map((user: JsonObject) => user.id),
      [made.body.id],
      filter,
    )
  }
  assert.equal((await find(`${campus}:cardNumber eq "zz-9"`)).body.totalResults, 0)
  assert.equal((await find(`${campus}:nothing eq "x"`)).body.scimType, 'invalidFilter')
  const sorted = await scim.get(
    `/Users?sortBy=${campus}:seats&sortOrder=descending&filter=${encodeURIComponent(`${campus}:seats pr`)}`,
  )
  assert.equal(sorted.body.Resources[0].id, made.body.id)
  const cut = await scim.get(`/Users/${made.body.id}?attributes=${campus}:seats`)
  assert.deepEqual(cut.body[campus], { seats: 77 })
  const without = await scim.get(`/Users/${made.body.id}?excludedAttributes=${campus}`)
  assert.equal(campus in without.body, false)
})

test('PATCH reaches them by their URN, removes them one by one and as a whole', async () => {
  const { body } = await scim.post('/Users', aUser())
  const path = `/Users/${body.id}`
  const added = await scim.patch(path, [
    { op: 'Add', path: `${campus}:cardNumber`, value: '701985' },
    { op: 'add', path: `${campus.toLowerCase()}:buildings`, value: ['A'] },
    { op: 'replace', value: { [campus]: { seats: 2 } } },
    { op: 'replace', value: { [`${campus}:isGuest`]: 'True' } },
  ])
  assert.equal(added.status, 200, added.text)
  assert.deepEqual(added.body[campus], { cardNumber: '701985', buildings: ['A'], seats: 2, isGuest: true })
  const one = await scim.patch(path, [{ op: 'remove', path: `${campus}:seats` }])
  assert.equal('seats' in one.body[campus], false)
  const none = await scim.patch(path, [{ op: 'remove', path: campus }])
  assert.equal(campus in none.body || none.body.schemas.includes(campus), false)
})

test('a bridge does not start with a mapping that names what its connection does not declare', async () => {
  const undeclared = startBridgeWorld(({ connections }) => {
    assert.ok(isJsonObject(connections) && isJsonObject(connections.figshare))
    connections.figshare.mapping = campusMapping()
  })
  await assert.rejects(
    undeclared.then((started) => started.stop()),
    /job_title\.from: the connection declares no extension urn:example:/,
  )
})

test('the mapping takes them to the platform, through a prefix', async () => {
  const { body } = await scim.post('/Users', aUser({ [campus]: { jobTitle: 'Lecturer' } }))
  const changed = await scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: `${campus}:jobTitle`, value: 'Dean' }])
  assert.equal(changed.status, 200, changed.text)
  const written = world.sandbox.figshare.calls.filter((call) => call.requestBody.includes('"Dean"'))
  assert.ok(written.length > 0)
})

test('discovery of this connection tells of them, that of another does not', async () => {
  const schema = await scim.get(`/Schemas/${campus}`)
  assert.equal(schema.status, 200)
  const [cardNumber] = schema.body.attributes
  assert.deepEqual(cardNumber, {
    name: 'cardNumber',
    type: 'string',
    multiValued: false,
    description: 'Number of the campus card',
    required: false,
    caseExact: true,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
  })
  const user = await scim.get('/ResourceTypes/User')
  assert.ok(user.body.schemaExtensions.some((extension: JsonObject) => extension.schema === campus))
  const other = world.scim('dspace')
  assert.equal((await other.get(`/Schemas/${campus}`)).status, 404)
  assert.doesNotMatch((await other.get('/Schemas')).text + (await other.get('/ResourceTypes')).text, /campus/)
})

test('what is not declared is left out of POST and PUT, and refused in PATCH', async () => {
  const other = world.scim('dspace')
  const user = aUser({ [campus]: { cardNumber: 'x' }, schemas: [userUrn, campus] })
  const { status, body, text } = await other.post('/Users', user)
  assert.equal(status, 201, text)
  assert.equal(campus in body || body.schemas.includes(campus), false)
  const put = await other.put(`/Users/${body.id}`, user)
  assert.equal(put.status, 200)
  assert.equal(campus in put.body, false)
  for (const operation of [
    { op: 'add', path: `${campus}:cardNumber`, value: 'x' },
    { op: 'replace', path: campus, value: { cardNumber: 'x' } },
    { op: 'add', value: { [campus]: { cardNumber: 'x' } } },
    { op: 'remove', path: `${campus}:cardNumber` },
  ]) {
    const answer = await other.patch(`/Users/${body.id}`, [operation])
    assert.deepEqual([answer.status, answer.body.scimType], [400, 'invalidPath'], JSON.stringify(operation))
  }
})

test('the log names what is ignored once for each connection, and the metrics count it every time', async () => {
  const other = world.scim('openspecimen')
  for (let time = 0; time < 3; time += 1) {
    const answer = await other.post(
      '/Users',
      aUser({ 'urn:example:unheardOf': { a: 'secret-value' }, 'odd name': 'x' }),
    )
    assert.equal(answer.status, 201, answer.text)
  }
  const lines = world.logLines.filter((line) => line.includes('no schema of the connection has'))
  const mine = lines.map((line) => JSON.parse(line)).filter((line) => line.connection === 'openspecimen')
  assert.deepEqual(
    mine.map((line) => line.name),
    ['urn:example:unheardOf'],
  )
  assert.doesNotMatch(world.logLines.join(''), /secret-value|odd name/)
  const metrics = await supertest(world.url).get('/metrics')
  assert.match(metrics.text, /scim_bridge_attributes_ignored_total\{connection="openspecimen"\} 6/)
})
