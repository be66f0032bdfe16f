import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enterpriseUrn, groupUrn, provisioningUrn, userUrn } from '../../src/scim/attribute.ts'
import { resolveName } from '../../src/scim/names.ts'
import { compileSchemas } from '../../src/scim/schema.ts'

const { user, group } = compileSchemas({
  extensions: [
    { urn: 'urn:x:User', attributes: [{ name: 'team', type: 'string', multiValued: false }] },
    { urn: 'urn:x:User:Staff', attributes: [{ name: 'room', type: 'string', multiValued: false }] },
  ],
})

/** `extension attribute sub`, each `-` when there is none. */
function found(text: string, schema = user): string | undefined {
  const name = resolveName(schema, text)
  if (name === undefined) return undefined
  return `${name.extension?.urn ?? '-'} ${name.attribute?.name ?? '-'} ${name.sub?.name ?? '-'}`
}

test('names are found in any letter case and returned in their own', () => {
  assert.equal(found('userName'), '- userName -')
  assert.equal(found('NAME.givenname'), '- name givenName')
  assert.equal(found('EMAILS.Value'), '- emails value')
  assert.equal(found('members.$REF', group), '- members $ref')
})

test('a URN may stand before the name, with a colon or, as Entra writes it, with a dot', () => {
  assert.equal(found(`${userUrn}:emails.value`), '- emails value')
  assert.equal(found(`${userUrn.toUpperCase()}:USERNAME`), '- userName -')
  assert.equal(found(`${enterpriseUrn}:department`), `${enterpriseUrn} department -`)
  assert.equal(found(`${enterpriseUrn}.manager`), `${enterpriseUrn} manager -`)
  assert.equal(found(`${enterpriseUrn}:manager.value`), `${enterpriseUrn} manager value`)
  assert.equal(found(`${groupUrn}:displayName`, group), '- displayName -')
})

test('a whole extension is named by its URN', () => {
  assert.equal(found(enterpriseUrn), `${enterpriseUrn} - -`)
  assert.equal(found(provisioningUrn.toUpperCase()), `${provisioningUrn} - -`)
})

test('enterprise attributes are found without their URN, where the core has no such name', () => {
  assert.equal(found('department'), `${enterpriseUrn} department -`)
  assert.equal(found('Manager.displayName'), `${enterpriseUrn} manager displayName`)
  assert.equal(found('displayName'), '- displayName -')
  assert.equal(found('department', group), undefined)
  assert.equal(found('team'), undefined)
  assert.equal(found('state'), undefined)
})

test('of two URNs that begin alike the one that has the attribute is meant', () => {
  assert.equal(found('urn:x:User:team'), 'urn:x:User team -')
  assert.equal(found('urn:x:User:Staff:room'), 'urn:x:User:Staff room -')
  assert.equal(found('urn:x:User:Staff'), 'urn:x:User:Staff - -')
  assert.equal(found('urn:x:User:room'), undefined)
})

test('unknown names, unknown URNs and the names that every object has are found nowhere', () => {
  const names = [
    '',
    '.',
    'shoeSize',
    'name.',
    '.name',
    'name.shoeSize',
    'userName.value',
    'emails.value.x',
    userUrn,
    `${userUrn}:`,
  ]
  const hostile = [
    '__proto__',
    'constructor',
    'emails.__proto__',
    `${userUrn}:__proto__.p`,
    'urn:x:Other:name',
    `${userUrn}userName`,
    `${userUrn}-userName`,
  ]
  for (const name of [...names, ...hostile, 'u\u017fername', 'nic\u212aName', ' userName'])
    assert.equal(found(name), undefined, name)
})

test('a name has at most 256 characters', () => {
  const userName = user.core.get('username')
  assert.ok(userName)
  const withName = (length: number) => ({ ...user, core: new Map([['a'.repeat(length), userName]]) })
  assert.notEqual(resolveName(withName(256), 'a'.repeat(256)), undefined)
  assert.equal(resolveName(withName(257), 'a'.repeat(257)), undefined)
})
