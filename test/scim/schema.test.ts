import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enterpriseUrn, provisioningUrn } from '../../src/scim/attribute.ts'
import { compileSchemas } from '../../src/scim/schema.ts'

const { user, group } = compileSchemas()
const enterprise = user.extensions.get(enterpriseUrn.toLowerCase())
const provisioning = user.extensions.get(provisioningUrn.toLowerCase())

test('userName is unique in any letter case; id and externalId are compared as they are', () => {
  const userName = user.core.get('username')
  assert.deepEqual(
    [userName?.name, userName?.caseExact, userName?.uniqueness, userName?.required],
    ['userName', false, 'server', true],
  )
  for (const { core } of [user, group]) {
    assert.equal(core.get('id')?.caseExact, true)
    assert.equal(core.get('externalid')?.caseExact, true)
  }
})

test('group names are unique, because Entra demands it', () => {
  assert.equal(group.core.get('displayname')?.uniqueness, 'server')
})

test('id, meta, groups and what is computed of managers and members cannot be written', () => {
  const definitions = [
    user.core.get('id'),
    user.core.get('meta'),
    user.core.get('groups'),
    user.core.get('groups')?.sub?.get('value'),
    group.core.get('members')?.sub?.get('display'),
    enterprise?.attributes.get('manager')?.sub?.get('displayname'),
  ]
  assert.deepEqual(
    definitions.map((definition) => definition?.mutability),
    definitions.map(() => 'readOnly'),
  )
})

test('the address of a member may be sent along, as RFC 7643 has it', () => {
  assert.equal(group.core.get('members')?.sub?.get('$ref')?.mutability, 'immutable')
})

test('what holds an id compares like an id', () => {
  assert.equal(group.core.get('members')?.sub?.get('value')?.caseExact, true)
  assert.equal(user.core.get('groups')?.sub?.get('value')?.caseExact, true)
  assert.equal(enterprise?.attributes.get('manager')?.sub?.get('value')?.caseExact, true)
})

test('id and schemas are always returned, a password never, nor can it be read', () => {
  assert.equal(user.core.get('id')?.returned, 'always')
  assert.equal(user.core.get('schemas')?.returned, 'always')
  assert.deepEqual([user.core.get('password')?.returned, user.core.get('password')?.mutability], ['never', 'writeOnly'])
})

test('a profile address and a photo take any text, as the Entra validator sends', () => {
  assert.equal(user.core.get('profileurl')?.type, 'string')
  assert.equal(user.core.get('photos')?.sub?.get('value')?.type, 'string')
})

test('the extensions have no id, meta or schemas of their own', () => {
  assert.deepEqual(
    [...(enterprise?.attributes.values() ?? [])].map(({ name }) => name),
    ['employeeNumber', 'costCenter', 'organization', 'division', 'department', 'manager'],
  )
  assert.deepEqual(
    [...(provisioning?.attributes.values() ?? [])].map(({ name }) => name),
    ['state', 'detail', 'accountId', 'lastAppliedAt'],
  )
})

test('the state of provisioning is ours to write, on users only', () => {
  assert.equal(provisioning?.isReadOnly, true)
  assert.equal(enterprise?.isReadOnly, false)
  assert.deepEqual(
    [...(provisioning?.attributes.values() ?? [])].map(({ mutability }) => mutability),
    Array(4).fill('readOnly'),
  )
  assert.equal(group.extensions.size, 0)
})

test('the tables cannot be changed', () => {
  const userName = user.core.get('username')
  assert.ok(userName)
  assert.throws(() => Object.assign(userName, { caseExact: true }), TypeError)
  assert.throws(() => Object.assign(user, { urn: 'x' }), TypeError)
})

test('an extension declared on the connection belongs to its users', () => {
  const urn = 'urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User'
  const declared = compileSchemas({
    extensions: [{ urn, attributes: [{ name: 'CustomAttribute', type: 'binary', multiValued: true }] }],
  })
  const attribute = declared.user.extensions.get(urn.toLowerCase())?.attributes.get('customattribute')
  assert.deepEqual(
    [attribute?.name, attribute?.type, attribute?.multiValued, attribute?.caseExact],
    ['CustomAttribute', 'binary', true, true],
  )
  assert.equal(user.extensions.has(urn.toLowerCase()), false)
})

test('a declaration that cannot work is refused at start, and named', () => {
  const declare =
    (urn: string, ...names: string[]) =>
    () =>
      compileSchemas({
        extensions: [{ urn, attributes: names.map((name) => ({ name, type: 'string', multiValued: false })) }],
      })
  assert.throws(declare('http://example.com'), /'http:\/\/example.com' needs a name that starts with 'urn:'/)
  assert.throws(declare('urn:x[y]'), /needs a name/)
  assert.throws(declare(enterpriseUrn.toUpperCase()), /is built in/)
  assert.throws(declare('urn:x:a', 'one', 'ONE'), /The attribute 'ONE' of 'urn:x:a' is declared twice/)
  for (const name of ['__proto__', 'constructor', 'valueOf', 'a.b', 'a b', '1a', '']) {
    assert.throws(declare('urn:x:a', name), /needs a letter/, name)
  }
})
