import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enterpriseUrn, groupUrn, provisioningUrn, userUrn } from '../../src/scim/attribute.ts'
import { normaliseResource } from '../../src/scim/normalise.ts'
import { aGroup, anEmployee, aUser, customUrn, refuses, schemas, sent } from './patch-world.ts'

const user = (body: object, mode: 'create' | 'replace' = 'create') => normaliseResource(schemas.user, sent(body), mode)
const group = (body: object) => normaliseResource(schemas.group, sent(body), 'create')
const countOf = (list: unknown) => (Array.isArray(list) ? list.length : undefined)
const stored = (more: object) => user(aUser(more)).document

test('names in any letter case become canonical, in the order of the schema', () => {
  const { document } = user({
    EMAILS: [{ Primary: true, VALUE: 'a@x.example', Type: 'work' }],
    [enterpriseUrn.toUpperCase()]: { Department: 'Maths', Manager: { Value: 'u2' } },
    DisplayName: 'Ada',
    Name: { GIVENNAME: 'Ada', familyname: 'Lovelace' },
    USERNAME: 'ada',
    Schemas: [enterpriseUrn, userUrn.toUpperCase()],
  })
  assert.deepEqual(document, {
    schemas: [userUrn, enterpriseUrn],
    userName: 'ada',
    name: { givenName: 'Ada', familyName: 'Lovelace' },
    displayName: 'Ada',
    emails: [{ value: 'a@x.example', type: 'work', primary: true }],
    [enterpriseUrn]: { department: 'Maths', manager: { value: 'u2' } },
  })
  assert.deepEqual(Object.keys(document), ['schemas', 'userName', 'name', 'displayName', 'emails', enterpriseUrn])
})

test('null, empty lists and empty objects are unassigned, everywhere', () => {
  const body = aUser({
    emails: null,
    photos: [],
    roles: [null, {}, ''],
    phoneNumbers: [{ value: null }],
    name: { givenName: null },
    locale: null,
    title: [],
    active: null,
    addresses: '',
    manager: '',
    [enterpriseUrn]: null,
    [customUrn]: {},
  })
  const { document, active } = user(body)
  assert.deepEqual([document, active], [aUser(), undefined])
})

test('an empty text stays as it was sent', () => {
  assert.deepEqual(stored({ title: '', name: { givenName: '' } }), aUser({ title: '', name: { givenName: '' } }))
})

test('what the client cannot write is left out without a word', () => {
  const { document, ignored } = user(
    aUser({
      id: 'x',
      meta: { resourceType: 'User', version: 'W/"1"' },
      groups: [{ value: 'g' }],
      password: 'secret-1',
      [provisioningUrn]: { state: 'applied' },
      [enterpriseUrn]: { manager: { value: 'u2', displayName: 'Bob', $ref: '../Users/u2' } },
    }),
  )
  assert.deepEqual(document, anEmployee({ manager: { value: 'u2' } }))
  assert.deepEqual(ignored, [])
})

test('unknown attributes are ignored, and their names told, at most 20', () => {
  const { document, ignored } = user(
    aUser({
      colour: 'red',
      'urn:example:x:User': { a: 1 },
      name: { givenName: 'Ada', nick: 'A' },
      [enterpriseUrn]: { shoeSize: 40 },
      ['y'.repeat(400)]: 1,
      '\ud800': 1,
    }),
  )
  assert.deepEqual(document, aUser({ name: { givenName: 'Ada' } }))
  assert.deepEqual(
    [...ignored].sort(),
    ['colour', 'name.nick', 'urn:example:x:User', `${enterpriseUrn}:shoeSize`, 'y'.repeat(256), '\ufffd'].sort(),
  )
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`x${index}`, index]))
  assert.equal(user(aUser(many)).ignored.length, 20)
})

test('Entra creates with active as a text', () => {
  for (const [word, active] of [
    ['True', true],
    ['false', false],
    ['TRUE', true],
    [true, true],
    [false, false],
  ] as const) {
    const result = user(aUser({ active: word }))
    assert.deepEqual([result.active, result.document.active], [active, active])
  }
  assert.equal(user(aUser()).active, undefined)
})

test('active that is neither true nor false is invalidValue', () => {
  for (const active of ['maybe', '', 0, 1, {}, ['true'], { value: true }]) {
    refuses(() => user(aUser({ active })), 'invalidValue', /^active must be true or false/)
  }
})

test('a manager comes as text, list, object, dotted or unqualified', () => {
  const expected = anEmployee({ manager: { value: 'u2' } })
  for (const more of [
    { [enterpriseUrn]: { manager: 'u2' } },
    { [enterpriseUrn]: { manager: [{ value: 'u2' }] } },
    { [enterpriseUrn]: { manager: ['u2'] } },
    { [enterpriseUrn]: { 'manager.value': 'u2' } },
    { [`${enterpriseUrn}:manager`]: 'u2' },
    { [`${enterpriseUrn}.manager`]: { value: 'u2' } },
    { manager: 'u2' },
    { 'manager.value': 'u2' },
  ]) {
    assert.deepEqual(stored(more), expected)
  }
  for (const manager of ['', { value: '' }, { value: null }, null, [], [null], { displayName: 'Bob' }]) {
    assert.deepEqual(stored({ [enterpriseUrn]: { manager } }), aUser(), JSON.stringify(manager))
  }
})

test('enterprise attributes without their URN, flat dotted keys and URN keys are taken', () => {
  assert.deepEqual(
    stored({ department: 'Maths', CostCenter: '7' }),
    anEmployee({ department: 'Maths', costCenter: '7' }),
  )
  assert.deepEqual(
    stored({ 'name.givenName': 'Ada', 'NAME.familyName': 'L' }),
    aUser({ name: { givenName: 'Ada', familyName: 'L' } }),
  )
  assert.deepEqual(
    stored({ 'name.givenName': 'Ada', name: { familyName: 'L' } }),
    aUser({ name: { givenName: 'Ada', familyName: 'L' } }),
  )
  assert.deepEqual(stored({ [`${userUrn}:title`]: 'Dr' }), aUser({ title: 'Dr' }))
  assert.deepEqual(
    stored({ 'emails.value': 'a@x.example', 'emails.type': 'work' }),
    aUser({ emails: [{ value: 'a@x.example', type: 'work' }] }),
  )
})

test('an attribute that comes twice must come with the same value', () => {
  assert.deepEqual(stored({ title: 'Dr', Title: 'Dr' }), aUser({ title: 'Dr' }))
  assert.deepEqual(stored({ department: 'M', [enterpriseUrn]: { department: 'M' } }), anEmployee({ department: 'M' }))
  assert.deepEqual(stored({ title: null, Title: 'Dr' }), aUser({ title: 'Dr' }))
  for (const more of [
    { title: 'Dr', Title: 'Prof' },
    { active: true, Active: false },
    { department: 'M', [enterpriseUrn]: { department: 'N' } },
    { name: { givenName: 'A' }, 'name.givenName': 'B' },
    { name: { givenName: 'A', GivenName: 'B' } },
  ]) {
    refuses(() => user(aUser(more)), 'invalidValue', /sent twice/)
  }
})

test('a multi-valued attribute comes as one object, bare texts or a list of both', () => {
  assert.deepEqual(stored({ emails: { value: 'a@x.example' } }), aUser({ emails: [{ value: 'a@x.example' }] }))
  assert.deepEqual(stored({ emails: 'a@x.example' }), aUser({ emails: [{ value: 'a@x.example' }] }))
  assert.deepEqual(
    stored({ emails: ['a@x.example', { value: 'b' }] }),
    aUser({ emails: [{ value: 'a@x.example' }, { value: 'b' }] }),
  )
})

test('the same value with the same type is kept once', () => {
  const twice = [
    { value: 'a', type: 'work' },
    { type: 'work', value: 'a', primary: true },
    { value: 'a', type: 'home' },
  ]
  const expected = [
    { value: 'a', type: 'work', primary: true },
    { value: 'a', type: 'home' },
  ]
  assert.deepEqual(stored({ emails: twice }), aUser({ emails: expected }))
  const many = Array.from({ length: 900 }, (_, index) => ({ value: `v${index % 300}`, type: `t${index % 2}` }))
  assert.equal(countOf(stored({ roles: many }).roles), 300)
  const addresses = [
    { locality: 'L', type: 'work' },
    { locality: 'M', type: 'work' },
    { type: 'work', locality: 'L' },
  ]
  assert.deepEqual(stored({ addresses }), aUser({ addresses: addresses.slice(0, 2) }))
})

test('two primaries are invalidValue', () => {
  const emails = [
    { value: 'a', primary: true },
    { value: 'b', primary: 'True' },
  ]
  refuses(() => user(aUser({ emails })), 'invalidValue', /^emails has more than one primary/)
})

test('roles keep any type and display, and JSON inside a text is unpacked', () => {
  const role = { value: 'OGCI', display: 'RAJB', type: 'IJAQ', primary: true }
  assert.deepEqual(stored({ roles: [{ ...role, primary: 'True' }] }), aUser({ roles: [role] }))
  const json = JSON.stringify({ id: '06b0', value: '25', displayName: 'Reader' })
  assert.deepEqual(
    stored({ roles: [{ value: json, type: 'T' }] }),
    aUser({ roles: [{ value: '25', display: 'Reader', type: 'T' }] }),
  )
  assert.deepEqual(stored({ roles: [json] }), aUser({ roles: [{ value: '25', display: 'Reader' }] }))
  assert.deepEqual(stored({ roles: ['{"id":"1"}'] }), aUser({ roles: [{ value: '{"id":"1"}' }] }))
})

test('certificates, profile addresses and photos are taken as they are', () => {
  const more = {
    profileUrl: 'RVSZ',
    x509Certificates: [{ value: 'MIIB\nAA+/==', type: 'x' }],
    photos: [{ value: 'no url' }],
  }
  assert.deepEqual(stored(more), aUser(more))
  refuses(
    () => user(aUser({ x509Certificates: [{ value: 'no base64!' }] })),
    'invalidValue',
    /^x509Certificates\.value must be base64/,
  )
})

test('attributes of a declared extension have their types', () => {
  const values = { CustomAttribute: 'x', seats: 7, since: '2026-01-31T08:00:00.1234567Z', tags: ['a', 'b'] }
  assert.deepEqual(stored({ [customUrn]: { ...values, tags: ['a', 'b', 'a'] } }), {
    ...aUser(),
    schemas: [userUrn, customUrn],
    [customUrn]: values,
  })
  for (const [wrong, message] of [
    [{ seats: '7' }, /^seats must be a number, not text/],
    [{ seats: Infinity }, /^seats/],
    [{ seats: 1.5 }, /^seats must be a whole number/],
    [{ since: '31.1.2026' }, /^since must be a date/],
    [{ tags: [1] }, /^tags must be text/],
    ['x', /must be an object, not text/],
  ] as const) {
    refuses(() => user(aUser({ [customUrn]: wrong })), 'invalidValue', message)
  }
})

test('a number, an object or a list for text is invalidValue and names the attribute', () => {
  for (const value of [7, true, { value: 'x' }, {}, ['x']]) {
    refuses(() => user(aUser({ title: value })), 'invalidValue', /^title must be text, not /)
    refuses(() => user(aUser({ name: { givenName: value } })), 'invalidValue', /^name\.givenName must be text/)
    refuses(() => user({ schemas: [userUrn], userName: value }), 'invalidValue', /^userName must be text/)
  }
  refuses(() => user(aUser({ name: 'Ada' })), 'invalidValue', /^name must be an object/)
  refuses(() => user(aUser({ emails: [7] })), 'invalidValue', /^emails must be an object/)
})

test('schemas is required, not empty, and must fit', () => {
  for (const value of [undefined, null, [], '', userUrn, {}, [1], [userUrn, null], ['urn:wrong'], [groupUrn]]) {
    const body = value === undefined ? { userName: 'ada' } : { userName: 'ada', schemas: value }
    refuses(() => user(body), 'invalidSyntax', /schemas .*urn:ietf:params:scim:schemas:core:2\.0:User/)
  }
})

test('unknown URNs in schemas are accepted and not echoed; extensions in use are listed', () => {
  const { document } = group({
    schemas: [groupUrn, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
    displayName: 'R',
  })
  assert.deepEqual(document.schemas, [groupUrn])
  assert.deepEqual(user({ ...aUser(), schemas: [userUrn, enterpriseUrn] }).document.schemas, [userUrn])
  assert.deepEqual(stored({ [enterpriseUrn]: { department: 'M' } }).schemas, [userUrn, enterpriseUrn])
})

test('a missing or blank userName is invalidValue; after a PUT the message says what PUT does', () => {
  for (const userName of [undefined, null, '', '  \t', '\u00a0']) {
    const body = userName === undefined ? { schemas: [userUrn] } : { schemas: [userUrn], userName }
    refuses(() => user(body), 'invalidValue', /^userName is required and must not be blank/)
  }
  refuses(
    () => user({ schemas: [userUrn], active: false }, 'replace'),
    'invalidValue',
    /^userName is missing; PUT replaces/,
  )
})

test('a group needs a displayName', () => {
  refuses(() => group({ schemas: [groupUrn] }), 'invalidValue', /^displayName is required/)
  refuses(() => group({ schemas: [groupUrn], displayName: ' ' }), 'invalidValue', /^displayName is required/)
  refuses(
    () => normaliseResource(schemas.group, { schemas: [groupUrn] }, 'replace'),
    'invalidValue',
    /^displayName is missing; PUT/,
  )
})

test('members of a group are ids, each once, and not part of the document', () => {
  const { document, members } = group(
    aGroup({ members: ['a', { value: 'b', $ref: null }, { VALUE: 'a', display: 'A' }] }),
  )
  assert.deepEqual([document, members], [aGroup(), ['a', 'b']])
  assert.deepEqual(group(aGroup({ members: [] })).members, [])
  assert.deepEqual(group(aGroup({ members: null })).members, [])
  assert.equal(group(aGroup()).members, undefined)
  const ids = Array.from({ length: 60_000 }, (_, index) => `u${index}`)
  assert.equal(group(aGroup({ members: ids })).members?.length, 60_000)
  refuses(() => group(aGroup({ members: [{ type: 'Group', value: 'g' }] })), 'invalidValue', /^members/)
  refuses(() => group(aGroup({ members: [{ display: 'x' }] })), 'invalidValue', /^members\.value/)
})

test('half a surrogate pair and NUL are invalidValue anywhere', () => {
  for (const bad of ['a\ud800b', '\udc00', 'a\0b']) {
    refuses(() => user({ schemas: [userUrn], userName: bad }), 'invalidValue', /^userName/)
    refuses(() => user(aUser({ name: { givenName: bad } })), 'invalidValue', /^name\.givenName/)
    refuses(() => user(aUser({ emails: [{ value: bad }] })), 'invalidValue', /^emails\.value/)
    refuses(() => user(aUser({ department: bad })), 'invalidValue', /^department/)
    refuses(() => user(aUser({ [customUrn]: { tags: ['a', bad] } })), 'invalidValue', /^tags/)
    refuses(() => group({ schemas: [groupUrn], displayName: bad }), 'invalidValue', /^displayName/)
  }
  assert.equal(stored({ title: '\ud83d\ude00' }).title, '\ud83d\ude00')
})

test('control characters in userName are invalidValue, line breaks in an address are not', () => {
  for (const bad of ['a\nb', 'a\u007f', 'a\u0085', '\u0001', 'ada\t']) {
    refuses(() => user({ schemas: [userUrn], userName: bad }), 'invalidValue', /^userName has a control character/)
  }
  assert.deepEqual(stored({ addresses: [{ formatted: 'A\r\nB' }] }), aUser({ addresses: [{ formatted: 'A\r\nB' }] }))
})

test('characters that reverse what is read are refused in names, plain direction marks are not', () => {
  for (const bad of ['a\u202eb', '\u2066x\u2069']) {
    refuses(() => user({ schemas: [userUrn], userName: bad }), 'invalidValue', /^userName has an invisible/)
    refuses(() => user(aUser({ name: { familyName: bad } })), 'invalidValue', /^name\.familyName has an invisible/)
    refuses(() => group({ schemas: [groupUrn], displayName: bad }), 'invalidValue', /^displayName has an invisible/)
  }
  assert.equal(stored({ displayName: 'עדה\u200f' }).displayName, 'עדה\u200f')
})

test('a text, a list and a document have a largest size', () => {
  assert.equal(stored({ title: 'x'.repeat(10_000) }).title, 'x'.repeat(10_000))
  refuses(() => user(aUser({ title: 'x'.repeat(10_001) })), 'invalidValue', /^title is longer than 10000/)
  const emails = Array.from({ length: 1_001 }, (_, index) => ({ value: `${index}@x.example` }))
  assert.equal(countOf(stored({ emails: emails.slice(1) }).emails), 1_000)
  refuses(() => user(aUser({ emails })), 'invalidValue', /^emails has more than 1000 values/)
  refuses(
    () => user(aUser({ emails: Array.from({ length: 1_001 }, () => 'a') })),
    'invalidValue',
    /^emails has more than 1000/,
  )
  const long = Array.from({ length: 40 }, (_, index) => ({ value: String(index).repeat(5_000) }))
  refuses(() => user(aUser({ roles: long })), 'invalidValue', /^The User is larger than 256 kB/)
})

test('the body is left as it was', () => {
  const body = aUser({ emails: [{ Value: 'a' }, { value: 'a' }], name: { givenName: 'A' }, 'name.familyName': 'B' })
  const before = structuredClone(body)
  user(body)
  assert.deepEqual(body, before)
})

test('normalising what was normalised changes nothing', () => {
  const { document } = user(aUser({ emails: ['a'], manager: 'u2', active: 'True', [customUrn]: { tags: ['a'] } }))
  assert.deepEqual(user(document).document, document)
})
