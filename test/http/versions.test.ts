/** Versions (RFC 7644 §3.14) and projections (§3.9), on every operation of users and groups. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { groupUrn } from '../../src/scim/attribute.ts'
import { aUser, type BridgeWorld, type ScimClient, startBridgeWorld } from '../bridge-world.ts'

let world: BridgeWorld
let scim: ScimClient
before(async () => {
  world = await startBridgeWorld()
  scim = world.scim('dspace')
})
after(() => world.stop())

let groups = 0
function aGroup(more: JsonObject = {}): JsonObject {
  groups += 1
  return { schemas: [groupUrn], displayName: `Version ${groups}`, ...more }
}

interface Made {
  readonly path: string
  readonly sent: JsonObject
  readonly body: JsonObject
  readonly version: string
}
async function made(endpoint: string, sent: JsonObject): Promise<Made> {
  const answer = await scim.post(endpoint, sent)
  assert.equal(answer.status, 201, answer.text)
  return { path: `${endpoint}/${answer.body.id}`, sent, body: answer.body, version: answer.body.meta.version }
}

const kinds = [
  { endpoint: '/Users', build: aUser, attribute: 'title' },
  { endpoint: '/Groups', build: aGroup, attribute: 'displayName' },
] as const

for (const { endpoint, build, attribute } of kinds) {
  describe(`of ${endpoint}`, () => {
    const change = (value: string) => [{ op: 'replace', path: attribute, value }]

    test('a PUT, PATCH or DELETE with a stale If-Match is 412 and changes nothing', async () => {
      const { path, sent, body } = await made(endpoint, build())
      for (const tag of ['W/"99"', '"1"', 'W/"11"', 'W/"x', '', ',', 'W/"99", W/"98"', '1']) {
        const headers = { 'If-Match': tag }
        const answers = [
          await scim.put(path, { ...sent, [attribute]: 'Stale' }, headers),
          await scim.patch(path, change('Stale'), headers),
          await scim.delete(path, headers),
        ]
        assert.deepEqual(
          answers.map(({ status }) => status),
          [412, 412, 412],
          tag,
        )
        assert.equal(answers[0]?.body.status, '412')
      }
      assert.deepEqual((await scim.get(path)).body, body)
    })

    test('with the right If-Match, one among several, or a star, they are done', async () => {
      const { path, sent, version } = await made(endpoint, build())
      const put = await scim.put(path, { ...sent, [attribute]: `A ${path}` }, { 'If-Match': version })
      assert.equal(put.status, 200, put.text)
      assert.equal(put.headers.etag, put.body.meta.version)
      assert.notEqual(put.body.meta.version, version)
      const patched = await scim.patch(path, change(`B ${path}`), { 'If-Match': `W/"77", ${put.headers.etag}` })
      assert.ok(patched.status < 300, patched.text)
      const again = await scim.patch(path, change(`C ${path}`), { 'If-Match': '*' })
      assert.equal((await scim.get(path)).headers.etag, again.headers.etag)
      assert.equal((await scim.delete(path, { 'If-Match': String(again.headers.etag) })).status, 204)
      assert.equal((await scim.delete(path, { 'If-Match': '*' })).status, 404)
    })

    test('a GET with the version that is there is 304 without a body, with its ETag', async () => {
      const { path, version } = await made(endpoint, build())
      // RFC 9110 §13.1.2: whether a tag is weak does not matter here, unlike at If-Match.
      const strong = version.replace('W/', '')
      for (const tag of [version, '*', `W/"99", ${version}`, strong, `"99",${strong}`]) {
        const answer = await scim.get(path, { 'If-None-Match': tag })
        assert.deepEqual([answer.status, answer.text, answer.headers.etag], [304, '', version], tag)
      }
      for (const tag of ['W/"99"', '"99"', `x${strong}`, `w/${strong}`]) {
        assert.equal((await scim.get(path, { 'If-None-Match': tag })).status, 200, tag)
      }
      const patched = await scim.patch(path, change(`D ${path}`), { 'If-None-Match': version })
      assert.ok(patched.status === 200 || patched.status === 204)
    })

    test('of two PATCHes at once with the same If-Match one is done and one is 412', async () => {
      const { path, version } = await made(endpoint, build())
      const headers = { 'If-Match': version }
      const answers = await Promise.all(['E', 'F'].map((name) => scim.patch(path, change(`${name} ${path}`), headers)))
      assert.equal(answers.filter(({ status }) => status < 300).length, 1)
      assert.equal(answers.filter(({ status }) => status === 412).length, 1)
    })

    test('attributes and excludedAttributes cut every answer with a resource, and keep id and schemas', async () => {
      const wanted = `?attributes=${attribute.toUpperCase()}`
      const unwanted = `?excludedAttributes=${attribute},meta.location`
      const sent = build({ title: 'Dean' })
      const created = await scim.post(`${endpoint}${wanted}`, sent)
      assert.equal(created.status, 201, created.text)
      const path = `${endpoint}/${created.body.id}`
      const filter = `filter=${encodeURIComponent(`id eq "${created.body.id}"`)}`
      const operations = change(`G ${path}`)
      const search = (more: JsonObject) =>
        scim.post(`${endpoint}/.search`, {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
          filter: `id eq "${created.body.id}"`,
          ...more,
        })
      const only = [
        created.body,
        (await scim.get(path + wanted)).body,
        (await scim.put(path + wanted, { ...sent, [attribute]: `H ${path}` })).body,
        (await scim.patch(path + wanted, operations)).body,
        (await scim.get(`${endpoint}${wanted}&${filter}`)).body.Resources[0],
        (await search({ attributes: [attribute] })).body.Resources[0],
      ]
      for (const body of only) assert.deepEqual(Object.keys(body).sort(), [attribute, 'id', 'schemas'].sort())
      const others = [
        (await scim.get(path + unwanted)).body,
        (await scim.put(path + unwanted, { ...sent, [attribute]: `I ${path}` })).body,
        (await scim.patch(path + unwanted, operations)).body,
        (await scim.get(`${endpoint}${unwanted}&${filter}`)).body.Resources[0],
        (await search({ excludedAttributes: [attribute, 'meta.location'] })).body.Resources[0],
      ]
      for (const body of others) {
        assert.equal(attribute in body, false)
        assert.ok('version' in body.meta && !('location' in body.meta))
      }
    })

    test('both of them together are 400 before anything is done', async () => {
      const { path, body } = await made(endpoint, build())
      const both = '?attributes=id&excludedAttributes=meta'
      const total = (await scim.get(`${endpoint}?count=0`)).body.totalResults
      const answers = [
        await scim.post(endpoint + both, build()),
        await scim.put(path + both, build()),
        await scim.patch(path + both, change('Both')),
        await scim.get(path + both),
      ]
      for (const answer of answers) assert.deepEqual([answer.status, answer.body.scimType], [400, 'invalidValue'])
      assert.deepEqual((await scim.get(path)).body, body)
      assert.equal((await scim.get(`${endpoint}?count=0`)).body.totalResults, total)
    })
  })
}

test('twenty PATCHes of one user at once all survive, each with a version of its own', async () => {
  const { path } = await made('/Users', aUser())
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, number) =>
      scim.patch(path, [{ op: 'add', path: 'roles', value: [{ value: `role${number}` }] }]),
    ),
  )
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  const { body } = await scim.get(path)
  assert.equal(body.roles.length, 20)
  assert.equal(body.meta.version, 'W/"21"')
})
