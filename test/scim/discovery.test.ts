import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isJsonObject, type Json, type JsonObject } from '../../src/json.ts'
import type { AttributeDefinition } from '../../src/scim/attribute.ts'
import { enterpriseUrn, groupUrn, provisioningUrn, userUrn } from '../../src/scim/attribute.ts'
import { bearerScheme, createDiscovery, discoveryLimits } from '../../src/scim/discovery.ts'
import { badgesUrn, schemas } from './filter-world.ts'

const baseUrl = 'https://bridge.example/figshare/scim/v2'
const discovery = createDiscovery({ baseUrl, schemas, authenticationSchemes: [bearerScheme] })

function read(text: string | undefined): JsonObject {
  assert.ok(text)
  const parsed: unknown = JSON.parse(text.toString())
  assert.ok(isJsonObject(parsed))
  return parsed
}
function objects(value: Json | undefined): JsonObject[] {
  assert.ok(Array.isArray(value))
  return value.filter(isJsonObject)
}

test('the provider announces what works, with every field that strict clients look for', () => {
  assert.deepEqual(read(discovery.serviceProviderConfig), {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
    patch: { supported: true },
    bulk: { supported: true, maxOperations: 1_000, maxPayloadSize: 1_048_576 },
    filter: { supported: true, maxResults: 1_000 },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: 100,
      maxPageSize: 1_000,
      cursorTimeout: 3_600,
    },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'Bearer token',
        description: 'A token of this connection in the Authorization header',
        specUri: 'https://www.rfc-editor.org/info/rfc6750',
        primary: true,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${baseUrl}/ServiceProviderConfig` },
  })
})

test('without bulk and cursors none are announced', () => {
  const limits = { ...discoveryLimits, bulk: undefined, cursorTimeoutSeconds: undefined }
  const { bulk, pagination } = read(
    createDiscovery({ baseUrl, schemas, authenticationSchemes: [], limits }).serviceProviderConfig,
  )
  assert.deepEqual(bulk, { supported: false, maxOperations: 0, maxPayloadSize: 0 })
  assert.ok(isJsonObject(pagination))
  assert.deepEqual([pagination.cursor, 'cursorTimeout' in pagination], [false, false])
})

test('schemas come as a list and one by one, by URN in any letter case', () => {
  const { Resources, ...list } = read(discovery.schemas)
  const urns = [userUrn, groupUrn, enterpriseUrn, provisioningUrn, badgesUrn]
  assert.deepEqual(list, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults: 5,
    startIndex: 1,
    itemsPerPage: 5,
  })
  assert.deepEqual(
    objects(Resources).map(({ id }) => id),
    urns,
  )
  for (const [index, urn] of urns.entries()) {
    const schema = read(discovery.schema(urn.toUpperCase()))
    assert.deepEqual(schema, objects(Resources)[index])
    assert.deepEqual(schema.schemas, ['urn:ietf:params:scim:schemas:core:2.0:Schema'])
    assert.deepEqual(schema.meta, { resourceType: 'Schema', location: `${baseUrl}/Schemas/${urn}` })
  }
  for (const urn of ['', 'urn:x:Other', '__proto__', 'constructor']) assert.equal(discovery.schema(urn), undefined)
})

test('resource types name their endpoint, schema and extensions', () => {
  const { Resources, totalResults } = read(discovery.resourceTypes)
  assert.equal(totalResults, 2)
  assert.deepEqual(read(discovery.resourceType('user')), objects(Resources)[0])
  assert.deepEqual(objects(Resources)[0], {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
    id: 'User',
    name: 'User',
    endpoint: '/Users',
    description: 'User account',
    schema: userUrn,
    schemaExtensions: [enterpriseUrn, badgesUrn, provisioningUrn].map((schema) => ({ schema, required: false })),
    meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/User` },
  })
  const group = read(discovery.resourceType('Group'))
  assert.deepEqual([group.endpoint, group.schema, group.schemaExtensions], ['/Groups', groupUrn, []])
  assert.equal(discovery.resourceType('toString'), undefined)
})

test('every attribute is announced with all its characteristics, and exactly as the tables have it', () => {
  const compare = (announced: JsonObject[], table: ReadonlyMap<string, AttributeDefinition>) => {
    for (const { subAttributes, description, referenceTypes, canonicalValues, ...characteristics } of announced) {
      const name = String(characteristics.name)
      const definition = table.get(name.toLowerCase())
      assert.ok(definition, name)
      const { sub, ...wanted } = definition
      assert.deepEqual(characteristics, wanted)
      assert.equal(typeof description, 'string')
      assert.equal(referenceTypes !== undefined, definition.type === 'reference', name)
      assert.equal(canonicalValues === undefined || name === 'type', true, name)
      assert.equal(subAttributes !== undefined, sub !== undefined, name)
      if (sub !== undefined) compare(objects(subAttributes), sub)
      if (sub !== undefined) assert.equal(objects(subAttributes).length, sub.size)
    }
  }
  const announced = (urn: string) => objects(read(discovery.schema(urn)).attributes)
  compare(announced(userUrn), schemas.user.core)
  compare(announced(groupUrn), schemas.group.core)
  for (const { urn, attributes } of schemas.user.extensions.values()) {
    compare(announced(urn), attributes)
    assert.equal(announced(urn).length, attributes.size)
  }
})

test('no schema lists the attributes that every resource has, nor a password that would be thrown away', () => {
  for (const urn of [userUrn, groupUrn, enterpriseUrn]) {
    const names = objects(read(discovery.schema(urn)).attributes).map(({ name }) => name)
    for (const name of ['schemas', 'id', 'externalId', 'meta', 'password'])
      assert.equal(names.includes(name), false, name)
  }
  // All others of the tables: 5 are left out of User, 4 of Group.
  assert.equal(objects(read(discovery.schema(userUrn)).attributes).length, schemas.user.core.size - 5)
  assert.equal(objects(read(discovery.schema(groupUrn)).attributes).length, schemas.group.core.size - 4)
})

test('members are announced as users, so that no client makes up another type', () => {
  const members = objects(read(discovery.schema(groupUrn)).attributes).find(({ name }) => name === 'members')
  const announced = objects(members?.subAttributes).flatMap(({ name, canonicalValues }) =>
    canonicalValues === undefined ? [] : [[name, canonicalValues]],
  )
  assert.deepEqual(announced, [['type', ['User']]])
})
