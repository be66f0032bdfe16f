import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { type Asking, keepPromises } from './kept-promises.ts'
import { readOpenApi } from './openapi-document.ts'

const openApi = readOpenApi()

test('docs/openapi.yaml is an OpenAPI document, and a mistake would be seen', async () => {
  // The validator takes a property that is called `$ref`, as members have one, for a reference.
  const document = JSON.parse(JSON.stringify(openApi.document).replaceAll('"$ref":{', '"ref":{'))
  const { valid, errors } = await new Validator().validate(structuredClone(document))
  assert.ok(valid, JSON.stringify(errors))
  const broken = { ...document, paths: { '/x': { get: { responses: { 200: {} } } } } }
  assert.equal((await new Validator().validate(broken)).valid, false)
})

const groupUrn = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const message = (name: string, rest: JsonObject): JsonObject => ({
  schemas: [`urn:ietf:params:scim:api:messages:2.0:${name}`],
  ...rest,
})
const patch = (...Operations: JsonObject[]) => message('PatchOp', { Operations })
const rename = (displayName: string) => patch({ op: 'replace', path: 'displayName', value: displayName })
const clientSecret = 'a-secret-of-the-openapi-test'
const readerPassword = 'a-password-of-the-reader'

let world: BridgeWorld
before(async () => {
  world = await startBridgeWorld((config) => {
    const { connections } = config
    assert.ok(isJsonObject(connections) && isJsonObject(connections.dspace))
    connections.dspace.basic = [{ user: 'reader', password: readerPassword, role: 'read' }]
    connections.dspace.oauth = { clients: [{ id: 'program', secrets: [clientSecret] }] }
  })
})
after(() => world.stop())

const { ask, assertAll } = keepPromises<'stranger' | 'reader'>(openApi, {
  url: () => `${world.url}/dspace`,
  mediaType: 'application/scim+json',
  segment: (name, { path }) => path?.[name] ?? 'nobody',
  credentials(as) {
    const token = { Authorization: `Bearer ${world.tokens.get('dspace')}` }
    if (as === undefined) return token
    const reader = Buffer.from(`reader:${readerPassword}`).toString('base64')
    return as === 'reader' ? { Authorization: `Basic ${reader}` } : {}
  },
})

const strange = (promise: string) => ask(promise, { as: 'stranger' })
/** Of what has a body: 401, 403, 413 and 415, which do not depend on it. */
async function badBodies(
  operation: string,
  hasForbidden = true,
  path?: Readonly<Record<string, string>>,
): Promise<void> {
  const where = path === undefined ? {} : { path }
  await ask(`${operation} 401`, { ...where, as: 'stranger', body: {} })
  if (hasForbidden) await ask(`${operation} 403`, { ...where, as: 'reader', body: {} })
  await ask(`${operation} 415`, { ...where, body: 'text', headers: { 'Content-Type': 'text/plain' } })
  await ask(`${operation} 413`, { ...where, body: '', headers: { 'Content-Length': '9000000' } })
}

describe('every answer that docs/openapi.yaml promises is given, and is as it says', () => {
  test('discovery', async () => {
    await ask('GET /scim/v2/ServiceProviderConfig 200')
    for (const [name, one] of [
      ['Schemas', groupUrn],
      ['ResourceTypes', 'User'],
    ]) {
      await ask(`GET /scim/v2/${name} 200`)
      await ask(`GET /scim/v2/${name} 403`, { query: '?filter=id%20pr' })
      await strange(`GET /scim/v2/${name} 401`)
      await ask(`GET /scim/v2/${name}/{name} 200`, { path: { name: one ?? '' } })
      await ask(`GET /scim/v2/${name}/{name} 404`)
      await strange(`GET /scim/v2/${name}/{name} 401`)
    }
    await ask('GET /scim/v2/ServiceProviderConfig 403', { query: '?filter=id%20pr' })
    await strange('GET /scim/v2/ServiceProviderConfig 401')
    await ask('GET /scim/v2/Me 501')
    await strange('GET /scim/v2/Me 401')
  })

  test('tokens', async () => {
    const form = (fields: Record<string, string>): Asking<'stranger'> => ({
      as: 'stranger',
      body: new URLSearchParams(fields).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    })
    const client = { client_id: 'program', client_secret: clientSecret }
    await ask('POST /oauth2/token 200', form({ grant_type: 'client_credentials', ...client }))
    await ask('POST /oauth2/token 400', form({ grant_type: 'password', ...client }))
    await ask('POST /oauth2/token 401', form({ grant_type: 'client_credentials', ...client, client_secret: 'guessed' }))
    await ask('GET /oauth2/jwks 200', { as: 'stranger' })
  })

  for (const type of ['User', 'Group']) {
    const all = `/scim/v2/${type}s`
    const one = `${all}/{id}`
    const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
    let serial = 0
    const input = (): JsonObject => {
      serial += 1
      if (type === 'Group') return { schemas: [groupUrn], displayName: `Readers ${serial}`, externalId: `g${serial}` }
      const extension = { department: 'Physics', manager: { value: 'm1' } }
      const phones = [{ type: 'work', value: '+49 1' }]
      return aUser({ displayName: 'Ada', title: 'Countess', phoneNumbers: phones, [enterprise]: extension })
    }

    test(`${type}s`, async () => {
      const sent = input()
      const made = await ask(`POST ${all} 201`, { body: sent })
      const path = { id: String(made.id) }
      await ask(`GET ${all} 200`)
      await ask(`GET ${all} 200`, { query: '?cursor=&count=1' })
      await ask(`GET ${all} 200`, { query: '?count=0' })
      await ask(`GET ${all} 200`, { query: '?attributes=displayName' })
      await ask(`GET ${all} 400`, { query: '?filter=nonsense' })
      await strange(`GET ${all} 401`)
      await ask(`POST ${all} 400`, { body: {} })
      await ask(`POST ${all} 409`, { body: type === 'User' ? { ...sent, externalId: 'else' } : sent })
      await badBodies(`POST ${all}`)
      await ask(`GET ${one} 200`, { path })
      await ask(`GET ${one} 304`, { path, headers: { 'If-None-Match': 'W/"1"' } })
      await ask(`GET ${one} 404`)
      await strange(`GET ${one} 401`)
      await ask(`POST ${all}/.search 200`, { body: message('SearchRequest', { count: 2 }) })
      await ask(`POST ${all}/.search 400`, { body: message('SearchRequest', { filter: '(' }) })
      await badBodies(`POST ${all}/.search`, false)

      await ask(`PUT ${one} 200`, { path, body: made })
      await ask(`PUT ${one} 400`, { path, body: {} })
      await ask(`PUT ${one} 404`, { body: sent })
      await ask(`PUT ${one} 412`, { path, body: sent, headers: { 'If-Match': 'W/"77"' } })
      await badBodies(`PUT ${one}`, true, path)
      if (type === 'User') await ask(`PATCH ${one} 200`, { path, body: rename('Countess') })
      else await ask(`PATCH ${one} 204`, { path, body: rename('Librarians') })
      await ask(`PATCH ${one} 200`, { path, body: rename('Scholars'), query: '?attributes=displayName' })
      await ask(`PATCH ${one} 400`, { path, body: patch({ op: 'replace', path: 'nonsense', value: 1 }) })
      await ask(`PATCH ${one} 404`, { body: rename('Nobody') })
      await ask(`PATCH ${one} 412`, { path, body: rename('Late'), headers: { 'If-Match': 'W/"77"' } })
      await badBodies(`PATCH ${one}`, true, path)

      const other = input()
      await ask(`POST ${all} 201`, { body: other })
      const key = type === 'User' ? 'userName' : 'displayName'
      await ask(`PUT ${one} 409`, { path, body: { ...sent, [key]: other[key] ?? null } })
      await ask(`PATCH ${one} 409`, { path, body: patch({ op: 'replace', path: key, value: other[key] ?? null }) })
      await ask(`DELETE ${one} 412`, { path, headers: { 'If-Match': 'W/"77"' } })
      await ask(`DELETE ${one} 401`, { path, as: 'stranger' })
      await ask(`DELETE ${one} 403`, { path, as: 'reader' })
      await ask(`DELETE ${one} 404`)
      await ask(`DELETE ${one} 204`, { path })
    })
  }

  test('search at the root, and bulk', async () => {
    const user = await ask('POST /scim/v2/Users 201', { body: aUser() })
    const members = [{ value: user.id ?? null }]
    await ask('POST /scim/v2/Groups 201', { body: { schemas: [groupUrn], displayName: 'Members', members } })
    await ask('POST /scim/v2/.search 200', { body: message('SearchRequest', { filter: 'meta.created pr' }) })
    await ask('POST /scim/v2/.search 400', { body: message('SearchRequest', { filter: '(' }) })
    await badBodies('POST /scim/v2/.search', false)
    const Operations: JsonObject[] = [
      { method: 'POST', path: '/Users', bulkId: 'ada', data: aUser() },
      { method: 'DELETE', path: '/Users/nobody' },
    ]
    await ask('POST /scim/v2/Bulk 200', { body: message('BulkRequest', { Operations }) })
    await ask('POST /scim/v2/Bulk 400', { body: {} })
    await badBodies('POST /scim/v2/Bulk')
  })

  test('while the platform is away', async () => {
    const userPath = { id: String((await ask('POST /scim/v2/Users 201', { body: aUser() })).id) }
    // Somebody who stays: a group without members is gone at once.
    const { id: member = null } = await ask('POST /scim/v2/Users 201', { body: aUser() })
    const members = [{ value: member }]
    const group = (displayName: string): JsonObject => ({ schemas: [groupUrn], displayName, members })
    const groups: { id: string }[] = []
    for (const name of ['To replace', 'To change', 'To delete'])
      groups.push({ id: String((await ask('POST /scim/v2/Groups 201', { body: group(name) })).id) })
    const [replaced = userPath, changed = userPath, deleted = userPath] = groups
    world.sandbox.dspace.fault({ mode: 'down' })
    await ask('POST /scim/v2/Users 429', { body: aUser() })
    await ask('PUT /scim/v2/Users/{id} 429', { path: userPath, body: aUser() })
    await ask('PATCH /scim/v2/Users/{id} 429', {
      path: userPath,
      body: patch({ op: 'replace', path: 'active', value: false }),
    })
    await ask('DELETE /scim/v2/Users/{id} 429', { path: userPath })
    await ask('POST /scim/v2/Groups 429', { body: group('New') })
    await ask('PUT /scim/v2/Groups/{id} 429', { path: replaced, body: group('Replaced') })
    await ask('PATCH /scim/v2/Groups/{id} 429', { path: changed, body: rename('Changed') })
    await ask('DELETE /scim/v2/Groups/{id} 429', { path: deleted })
    assert.ok(world.sandbox.dspace.faultCount > 0)
    await ask('GET /scim/v2/Users 200')
    await ask('GET /scim/v2/Groups 200')
  })

  test('and no promise was left out', () => {
    assertAll()
  })
})

test('an answer that is not as documented would be seen', () => {
  const headers = { 'content-type': 'application/scim+json', location: 'https://x.example/1', etag: 'W/"1"' }
  const judged = (body: object, change: object = {}) =>
    openApi.problemsOf('POST', '/scim/v2/Users', undefined, {
      status: 201,
      headers: { ...headers, ...change },
      text: JSON.stringify(body),
    })
  const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], id: '1' }
  assert.deepEqual(judged(user), [])
  assert.match(String(judged({ ...user, nickname: 'x' })), /additional properties/)
  assert.match(String(judged({ ...user, active: 'True' })), /boolean/)
  assert.match(String(judged(user, { location: undefined })), /no header Location/)
  assert.match(String(judged(user, { 'content-type': 'application/json' })), /content type/)
})

test('the document has every attribute that /Schemas announces, and no other', async () => {
  const { Resources }: ReturnType<typeof JSON.parse> = await (
    await fetch(`${world.url}/ethosce/scim/v2/Schemas`, {
      headers: { Authorization: `Bearer ${world.tokens.get('ethosce')}` },
    })
  ).json()
  const { components } = openApi.document
  assert.ok(isJsonObject(components) && isJsonObject(components.schemas))
  const documented = new Map(Object.entries(components.schemas))
  for (const [name, urn] of [
    ['User', 'urn:ietf:params:scim:schemas:core:2.0:User'],
    ['Group', groupUrn],
    ['Enterprise', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'],
    ['Provisioning', 'urn:scim-bridge:params:scim:schemas:extension:1.0:Provisioning'],
  ]) {
    const announced: { attributes: { name: string }[] } = Resources.find(({ id }: { id: string }) => id === urn)
    const schema = documented.get(name ?? '')
    assert.ok(isJsonObject(schema) && isJsonObject(schema.properties))
    const common = ['schemas', 'id', 'externalId', 'meta']
    assert.deepEqual(
      Object.keys(schema.properties)
        .filter((key) => !key.startsWith('urn:') && !common.includes(key))
        .sort(),
      announced.attributes.map((attribute) => attribute.name).sort(),
    )
  }
})
