import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { enterpriseUrn, provisioningUrn, userUrn } from '../../src/scim/attribute.ts'
import { parsePatch } from '../../src/scim/patch.ts'
import {
  aGroup,
  anEmployee,
  aUser,
  customUrn,
  messageUrn,
  patchGroup,
  patchUser,
  refuses,
  schemas,
  sent,
} from './patch-world.ts'

const workMail = { value: 'ada@uni.example', type: 'work', primary: true }
const homeMail = { value: 'ada@home.example', type: 'home' }

test('operations, attribute names, sub-attributes and URNs are taken in any letter case and stored canonically', () => {
  const { document, changed } = patchUser([
    { op: 'Add', path: 'DISPLAYNAME', value: 'Ada' },
    { op: 'REPLACE', path: 'Name.GIVENNAME', value: 'Ada' },
    { op: 'replace', path: 'URN:IETF:PARAMS:SCIM:SCHEMAS:CORE:2.0:USER:nickname', value: 'A' },
    { op: 'Add', path: 'emails[TYPE EQ "work"].Value', value: 'ada@uni.example' },
    { Op: 'Add', Path: `${enterpriseUrn.toUpperCase()}:DEPARTMENT`, Value: 'Maths' },
  ])
  assert.deepEqual(document, {
    schemas: [userUrn, enterpriseUrn],
    userName: 'ada@uni.example',
    name: { givenName: 'Ada' },
    displayName: 'Ada',
    nickName: 'A',
    emails: [{ value: 'ada@uni.example', type: 'work' }],
    [enterpriseUrn]: { department: 'Maths' },
  })
  assert.deepEqual(Object.keys(document), [
    'schemas',
    'userName',
    'name',
    'displayName',
    'nickName',
    'emails',
    enterpriseUrn,
  ])
  assert.equal(changed, true)
})

test('a path with the core URN reaches the core attribute', () => {
  assert.equal(patchUser([{ op: 'add', path: `${userUrn}:displayName`, value: 'Ada' }]).document.displayName, 'Ada')
})

test('Entra disables with the text "False", in any letter case', () => {
  for (const value of ['False', 'false', 'FALSE', false]) {
    const { document, active, changed } = patchUser([{ op: 'Replace', path: 'active', value }], {
      document: aUser({ active: true }),
    })
    assert.deepEqual([document.active, active, changed], [false, false, true])
  }
})

test('a boolean in quotes inside a value filter path becomes a boolean', () => {
  const { document } = patchUser([{ op: 'add', path: 'emails[type eq "work"].primary', value: 'True' }], {
    document: aUser({ emails: [{ value: 'a@x.example', type: 'work' }] }),
  })
  assert.deepEqual(document.emails, [{ value: 'a@x.example', type: 'work', primary: true }])
})

test('any other text, number or object for a boolean is invalidValue and names the attribute', () => {
  for (const value of ['maybe', '', 0, 1, { a: 1 }, [true]]) {
    refuses(
      () => patchUser([{ op: 'replace', path: 'active', value }]),
      'invalidValue',
      /^active must be true or false/,
    )
  }
  refuses(
    () => patchUser([{ op: 'add', path: 'emails[type eq "work"].primary', value: 'yes' }]),
    'invalidValue',
    /^emails\.primary/,
  )
})

test('a strict connection takes no booleans in quotes', () => {
  refuses(
    () => patchUser([{ op: 'replace', path: 'active', value: 'False' }], { strict: true }),
    'invalidValue',
    /active/,
  )
  assert.equal(patchUser([{ op: 'replace', path: 'active', value: false }], { strict: true }).active, false)
})

test('the last explicit active of a patch wins, and a patch without one says nothing about it', () => {
  const twice = [
    { op: 'replace', path: 'active', value: false },
    { op: 'replace', value: { active: 'True' } },
  ]
  assert.equal(patchUser(twice).active, true)
  assert.equal(patchUser([{ op: 'add', path: 'title', value: 'Dr' }]).active, undefined)
})

test('removing or emptying active never switches a disabled user on', () => {
  const document = aUser({ active: false })
  for (const operation of [
    { op: 'remove', path: 'active' },
    { op: 'replace', path: 'active', value: null },
    { op: 'replace', value: { active: null } },
    { op: 'add', path: 'active', value: null },
  ]) {
    assert.deepEqual(patchUser([operation], { document }), {
      document,
      changed: false,
      active: undefined,
      memberChanges: [],
    })
  }
})

test('active of a user who is on can be removed, of one who was switched off just before it cannot', () => {
  const document = aUser({ active: true })
  const { active: _, ...without } = document
  const on = patchUser([{ op: 'remove', path: 'active' }], { document })
  assert.deepEqual([on.document, on.active], [without, undefined])
  const off = patchUser(
    [
      { op: 'replace', path: 'active', value: false },
      { op: 'remove', path: 'active' },
    ],
    { document },
  )
  assert.deepEqual([off.document.active, off.active], [false, false])
  const again = patchUser(
    [
      { op: 'replace', path: 'active', value: true },
      { op: 'remove', path: 'active' },
    ],
    { document: aUser({ active: false }) },
  )
  assert.deepEqual([again.document.active, again.active], [undefined, undefined])
})

test('a value without path, flat dotted keys, URN keys and nested extensions are the same change', () => {
  const expected = anEmployee({ department: 'Maths', manager: { value: 'u2' } })
  for (const value of [
    { [`${enterpriseUrn}:department`]: 'Maths', [`${enterpriseUrn}:manager`]: 'u2' },
    { [enterpriseUrn]: { department: 'Maths', manager: { value: 'u2' } } },
    { [`${enterpriseUrn}.department`]: 'Maths', [`${enterpriseUrn}:manager.value`]: 'u2' },
    { department: 'Maths', manager: 'u2' },
    { department: 'Maths', 'manager.value': 'u2' },
  ]) {
    assert.deepEqual(patchUser([{ op: 'replace', value }]).document, expected)
    assert.deepEqual(patchUser([{ op: 'add', value }]).document, expected)
  }
  assert.deepEqual(
    patchUser([{ op: 'replace', value: { 'name.givenName': 'Ada', 'name.familyName': 'L' } }]).document.name,
    {
      familyName: 'L',
      givenName: 'Ada',
    },
  )
  assert.equal(patchUser([{ op: 'replace', value: { active: false } }]).active, false)
})

test('a key of a value without path may be a whole path with a filter', () => {
  const { document } = patchUser([{ op: 'replace', value: { 'emails[type eq "work"].value': 'a@x.example' } }])
  assert.deepEqual(document.emails, [{ value: 'a@x.example', type: 'work' }])
})

test('add or replace through a plain eq filter that matches nothing creates the value with what the filter says', () => {
  for (const op of ['Add', 'Replace']) {
    assert.deepEqual(patchUser([{ op, path: 'emails[type eq "work"].value', value: 'a@x.example' }]).document.emails, [
      { value: 'a@x.example', type: 'work' },
    ])
    assert.deepEqual(patchUser([{ op, path: 'roles[primary eq "True"].value', value: 'Reader' }]).document.roles, [
      { value: 'Reader', primary: true },
    ])
    assert.deepEqual(
      patchUser([{ op, path: 'emails[type eq "other"]', value: { value: 'a@x.example' } }]).document.emails,
      [{ value: 'a@x.example', type: 'other' }],
    )
    const both = 'phoneNumbers[type eq "work" and primary eq true].value'
    assert.deepEqual(patchUser([{ op, path: both, value: '1' }]).document.phoneNumbers, [
      { value: '1', type: 'work', primary: true },
    ])
  }
})

test('an address is built up one sub-attribute at a time', () => {
  const { document } = patchUser([
    { op: 'Add', path: 'addresses[type eq "work"].streetAddress', value: 'One Way' },
    { op: 'Add', path: 'addresses[type eq "work"].locality', value: 'Redmond' },
    { op: 'Add', path: 'addresses[type eq "home"].locality', value: 'Kent' },
  ])
  assert.deepEqual(document.addresses, [
    { streetAddress: 'One Way', locality: 'Redmond', type: 'work' },
    { locality: 'Kent', type: 'home' },
  ])
})

test('a filter that does not say what the new value should be is noTarget', () => {
  for (const filter of [
    'type eq "work" or type eq "home"',
    'type sw "w"',
    'not (type eq "work")',
    'type ne "x"',
    'type pr',
    'type eq null',
    'type eq "a" and type eq "b"',
  ]) {
    refuses(
      () =>
        patchUser([{ op: 'replace', path: `emails[${filter}].value`, value: 'a@x.example' }], {
          document: aUser({ emails: [] }),
        }),
      'noTarget',
      /^emails/,
    )
  }
})

test('a strict connection answers noTarget for every filter that matches nothing', () => {
  for (const op of ['add', 'replace']) {
    for (const [path, value] of [
      ['emails[type eq "work"].value', 'a'],
      ['emails[type eq "other"]', { value: 'a' }],
    ] as const) {
      refuses(() => patchUser([{ op, path, value }], { strict: true }), 'noTarget')
    }
  }
})

test('a filter that matches changes only the values that match', () => {
  const { document } = patchUser([{ op: 'Replace', path: 'emails[type eq "work"].value', value: 'new@uni.example' }], {
    document: aUser({ emails: [homeMail, workMail] }),
  })
  assert.deepEqual(document.emails, [homeMail, { ...workMail, value: 'new@uni.example' }])
})

test('replacing a whole value through a filter replaces it, and it still fits the filter', () => {
  const document = aUser({ addresses: [{ streetAddress: 'Old', locality: 'Kent', type: 'work' }] })
  const operation = { op: 'replace', path: 'addresses[type eq "work"]', value: { streetAddress: 'New' } }
  assert.deepEqual(patchUser([operation], { document }).document.addresses, [{ streetAddress: 'New', type: 'work' }])
  assert.deepEqual(patchUser([{ ...operation, op: 'add' }], { document }).document.addresses, [
    { streetAddress: 'New', locality: 'Kent', type: 'work' },
  ])
})

test('a manager comes as text, list, object, with $ref or unqualified, and is stored as its id', () => {
  const expected = anEmployee({ manager: { value: 'u2' } })
  for (const path of [`${enterpriseUrn}:manager`, `${enterpriseUrn}.manager`, 'manager', 'Manager']) {
    for (const value of [
      'u2',
      [{ value: 'u2' }],
      [{ $ref: '../Users/u2', value: 'u2' }],
      { value: 'u2', $ref: 'http://x/u2' },
      { VALUE: 'u2' },
    ]) {
      for (const op of ['Add', 'Replace']) assert.deepEqual(patchUser([{ op, path, value }]).document, expected)
    }
  }
  assert.deepEqual(patchUser([{ op: 'add', path: 'manager.value', value: 'u2' }]).document, expected)
})

test('an empty manager, in any form, is removed with the then empty extension', () => {
  for (const value of ['', { value: '' }, null, { value: null }, [], [{ value: '' }]]) {
    const result = patchUser([{ op: 'Replace', path: `${enterpriseUrn}:manager`, value }], {
      document: anEmployee({ manager: { value: 'u2' } }),
    })
    assert.deepEqual(result.document, aUser(), JSON.stringify(value))
  }
  const removed = patchUser([{ op: 'Remove', path: 'manager', value: 'u2' }], {
    document: anEmployee({ manager: { value: 'u2' } }),
  })
  assert.deepEqual(removed.document, aUser())
})

test('replacing a complex attribute keeps the sub-attributes that are not given', () => {
  const document = aUser({ name: { familyName: 'Lovelace', givenName: 'A' } })
  for (const op of ['add', 'replace']) {
    const { name } = patchUser([{ op, path: 'name', value: { GivenName: 'Ada' } }], { document }).document
    assert.deepEqual(name, { familyName: 'Lovelace', givenName: 'Ada' })
  }
  assert.deepEqual(patchUser([{ op: 'replace', value: { name: { givenName: 'Ada' } } }], { document }).document.name, {
    familyName: 'Lovelace',
    givenName: 'Ada',
  })
})

test('replacing a list replaces it, with and without path; adding appends', () => {
  const document = aUser({ emails: [workMail] })
  assert.deepEqual(patchUser([{ op: 'replace', path: 'emails', value: [homeMail] }], { document }).document.emails, [
    homeMail,
  ])
  assert.deepEqual(patchUser([{ op: 'replace', value: { emails: [homeMail] } }], { document }).document.emails, [
    homeMail,
  ])
  assert.deepEqual(patchUser([{ op: 'replace', path: 'emails', value: homeMail }], { document }).document.emails, [
    homeMail,
  ])
  for (const value of [homeMail, [homeMail]]) {
    assert.deepEqual(patchUser([{ op: 'add', path: 'emails', value }], { document }).document.emails, [
      workMail,
      homeMail,
    ])
  }
})

test('replacing with an empty list, null or an empty text removes', () => {
  const document = aUser({ emails: [workMail], title: 'Dr', name: { givenName: 'Ada' } })
  for (const value of [[], null, '']) {
    assert.deepEqual(patchUser([{ op: 'replace', path: 'emails', value }], { document }).document.emails, undefined)
    assert.deepEqual(patchUser([{ op: 'replace', value: { emails: value } }], { document }).document.emails, undefined)
    assert.deepEqual(patchUser([{ op: 'replace', path: 'title', value }], { document }).document.title, undefined)
    assert.deepEqual(patchUser([{ op: 'replace', path: 'name', value }], { document }).document.name, undefined)
    assert.deepEqual(
      patchUser([{ op: 'replace', path: 'name.givenName', value }], { document }).document.name,
      undefined,
    )
  }
})

test('an e-mail address whose value is emptied is gone, with its type; an address keeps what is left', () => {
  const document = aUser({
    emails: [workMail, homeMail],
    addresses: [{ streetAddress: 'S', locality: 'L', type: 'work' }],
  })
  for (const operation of [
    { op: 'replace', path: 'emails[type eq "work"].value', value: '' },
    { op: 'remove', path: 'emails[type eq "work"].value' },
    { op: 'replace', path: 'emails[type eq "work"]', value: { value: '' } },
  ]) {
    assert.deepEqual(patchUser([operation], { document }).document.emails, [homeMail])
  }
  const street = { op: 'replace', path: 'addresses[type eq "work"].streetAddress', value: '' }
  assert.deepEqual(patchUser([street], { document }).document.addresses, [{ locality: 'L', type: 'work' }])
})

test('adding nothing adds nothing', () => {
  const document = aUser({ emails: [workMail], title: 'Dr', name: { givenName: 'Ada' } })
  for (const path of ['emails', 'title', 'name']) {
    for (const value of [null, []]) assert.equal(patchUser([{ op: 'add', path, value }], { document }).changed, false)
  }
})

test('nor does it in a part: what a client leaves null in an add is not taken away', () => {
  const document: JsonObject = {
    ...anEmployee({ manager: { value: 'u2' } }),
    emails: [workMail],
    name: { givenName: 'Ada' },
  }
  for (const [path, value] of [
    ['name.givenName', null],
    ['name', { givenName: null }],
    ['name', { givenName: 'Ada', middleName: null }],
    ['emails[type eq "work"].value', null],
    ['emails[type eq "work"]', { value: null }],
    ['emails[type eq "work"]', [{ value: null, type: 'work' }]],
    ['emails.value', null],
    ['manager', { value: null }],
    ['manager', [{ $ref: null, value: null }]],
    [undefined, { title: null, 'name.givenName': null, name: { givenName: null }, 'manager.value': null }],
  ] as const) {
    const { document: after } = patchUser([{ op: 'add', path, value }], { document })
    assert.deepEqual(
      [after.name, after.emails, after[enterpriseUrn]],
      [document.name, document.emails, document[enterpriseUrn]],
    )
  }
  const emptied = patchUser([{ op: 'Add', path: 'manager', value: { value: '' } }], { document }).document
  assert.equal(emptied[enterpriseUrn], undefined, 'an empty text does')
})

test('adding an equal value changes nothing', () => {
  const document = aUser({ emails: [workMail, homeMail], addresses: [{ locality: 'L', type: 'work' }] })
  for (const [path, value] of [
    ['emails', [{ type: 'work', value: 'ada@uni.example' }]],
    ['emails', [homeMail, homeMail, workMail]],
    ['addresses', [{ type: 'work', locality: 'L' }]],
    ['userName', 'ada@uni.example'],
  ] as const) {
    const result = patchUser([{ op: 'add', path, value: value }], { document })
    assert.deepEqual(result, { document, changed: false, active: undefined, memberChanges: [] })
  }
})

test('a value that becomes the same as another one is kept once', () => {
  const { document } = patchUser(
    [{ op: 'replace', path: 'emails[type eq "home"]', value: { value: 'ada@uni.example', type: 'work' } }],
    {
      document: aUser({ emails: [workMail, homeMail] }),
    },
  )
  assert.deepEqual(document.emails, [workMail])
})

test('a new primary takes the mark from the old one', () => {
  const document = aUser({ emails: [workMail, homeMail] })
  const expected = [
    { ...workMail, primary: false },
    { ...homeMail, primary: true },
  ]
  for (const operation of [
    { op: 'add', path: 'emails', value: [{ ...homeMail, primary: true }] },
    { op: 'add', value: { emails: [{ ...homeMail, primary: 'True' }] } },
    { op: 'replace', path: 'emails[type eq "home"].primary', value: true },
    { op: 'add', path: 'emails[type eq "home"]', value: { primary: true } },
  ]) {
    assert.deepEqual(patchUser([operation], { document }).document.emails, expected)
  }
  const created = patchUser(
    [{ op: 'add', path: 'emails[type eq "other" and primary eq true].value', value: 'o@x.example' }],
    { document },
  )
  assert.deepEqual(created.document.emails, [
    { ...workMail, primary: false },
    homeMail,
    { value: 'o@x.example', type: 'other', primary: true },
  ])
})

test('two primaries in one value are invalidValue', () => {
  const two = [workMail, { ...homeMail, primary: true }]
  refuses(
    () => patchUser([{ op: 'replace', path: 'emails', value: two }]),
    'invalidValue',
    /^emails has more than one primary/,
  )
  refuses(
    () => patchUser([{ op: 'add', path: 'emails', value: two }]),
    'invalidValue',
    /^emails has more than one primary/,
  )
})

test('remove through a filter removes what matches, and matching nothing is no error', () => {
  const document = aUser({ emails: [workMail, homeMail] })
  assert.deepEqual(patchUser([{ op: 'remove', path: 'emails[type eq "home"]' }], { document }).document.emails, [
    workMail,
  ])
  for (const strict of [false, true]) {
    for (const path of ['emails[type eq "other"]', 'emails[type eq "other"].value', 'title']) {
      assert.equal(patchUser([{ op: 'remove', path }], { document, strict }).changed, false)
    }
  }
  assert.equal(patchUser([{ op: 'remove', path: 'emails' }], { document }).document.emails, undefined)
})

test('Entra removes the roles that it names in the value, and no others', () => {
  const document = aUser({ roles: [{ value: 'a', type: 't' }, { value: 'b' }, { value: 'c' }] })
  const rest = patchUser([{ op: 'Remove', path: 'roles', value: [{ value: 'a' }, 'b', { value: 'z' }] }], { document })
  assert.deepEqual(rest.document.roles, [{ value: 'c' }])
  const other = patchUser([{ op: 'Remove', path: 'roles', value: [{ value: 'a', type: 'other' }] }], { document })
  assert.equal(other.changed, false)
  refuses(
    () => patchUser([{ op: 'remove', path: 'roles', value: [{ value: 'a' }] }], { document, strict: true }),
    'invalidValue',
  )
})

test('remove without path is noTarget, replace and add without value are invalidValue', () => {
  refuses(() => patchUser([{ op: 'remove' }]), 'noTarget')
  refuses(() => patchUser([{ op: 'remove', path: '' }]), 'noTarget')
  refuses(() => patchUser([{ op: 'remove', value: { title: 'x' } }]), 'noTarget')
  refuses(() => patchUser([{ op: 'replace', path: 'title' }]), 'invalidValue', /^title needs a value/)
  refuses(() => patchUser([{ op: 'add', path: 'title' }]), 'invalidValue', /^title needs a value/)
  for (const op of ['add', 'replace']) {
    for (const value of [null, 'x', 1, [], [{ title: 'x' }]]) refuses(() => patchUser([{ op, value }]), 'invalidValue')
    refuses(() => patchUser([{ op }]), 'invalidValue')
  }
})

test('removing an extension removes its entry in schemas', () => {
  const document = anEmployee({ department: 'Maths' })
  for (const operation of [
    { op: 'remove', path: enterpriseUrn },
    { op: 'Remove', path: enterpriseUrn.toLowerCase() },
    { op: 'replace', path: enterpriseUrn, value: null },
    { op: 'replace', value: { [enterpriseUrn]: null } },
    { op: 'remove', path: `${enterpriseUrn}:department` },
  ]) {
    assert.deepEqual(patchUser([operation], { document }).document, aUser())
  }
  assert.equal(patchUser([{ op: 'add', path: enterpriseUrn, value: {} }], { document }).changed, false)
})

test('replacing an extension keeps the attributes that are not given', () => {
  const document = anEmployee({ department: 'Maths', division: 'Science' })
  const { document: patched } = patchUser([{ op: 'replace', path: enterpriseUrn, value: { Department: 'Physics' } }], {
    document,
  })
  assert.deepEqual(patched, anEmployee({ division: 'Science', department: 'Physics' }))
})

test('a declared extension that was not announced is stored and then listed in schemas', () => {
  const { document } = patchUser([{ op: 'Add', path: `${customUrn}:CustomAttribute`, value: '701985' }])
  assert.deepEqual(document, aUser({ schemas: [userUrn, customUrn], [customUrn]: { CustomAttribute: '701985' } }))
})

test('the values of an extension that is no longer declared survive a patch', () => {
  const gone = 'urn:example:gone:1.0:User'
  const document = { ...aUser({ title: 'Dr' }), schemas: [userUrn, gone], [gone]: { x: 1 } }
  assert.deepEqual(patchUser([{ op: 'replace', path: 'title', value: 'Prof' }], { document }).document, {
    ...document,
    title: 'Prof',
  })
})

test('required attributes cannot be removed, nor emptied', () => {
  refuses(() => patchUser([{ op: 'remove', path: 'userName' }]), 'mutability', /^userName is required/)
  refuses(() => patchGroup([{ op: 'remove', path: 'displayName' }]), 'mutability', /^displayName is required/)
  refuses(() => patchUser([{ op: 'remove', path: 'schemas' }]), 'mutability')
  for (const value of ['', ' \t', null]) {
    refuses(() => patchUser([{ op: 'replace', path: 'userName', value }]), 'invalidValue', /^userName is required/)
    refuses(
      () => patchGroup([{ op: 'replace', path: 'displayName', value }]),
      'invalidValue',
      /^displayName is required/,
    )
  }
})

test('a change of what is read-only is mutability', () => {
  for (const path of [
    'id',
    'meta.created',
    'meta',
    'groups',
    'groups[value eq "x"]',
    'manager.displayName',
    'manager.$ref',
  ]) {
    refuses(() => patchUser([{ op: 'replace', path, value: 'x' }]), 'mutability', /read-only/)
    refuses(() => patchUser([{ op: 'remove', path }]), 'mutability', /read-only/)
  }
  for (const value of [
    { id: 'other' },
    { groups: [{ value: 'g' }] },
    { meta: { resourceType: 'Group' } },
    { [enterpriseUrn]: { manager: { displayName: 'Bob' } } },
    { 'manager.displayName': 'Bob' },
  ]) {
    refuses(() => patchUser([{ op: 'replace', value }]), 'mutability', /read-only/)
  }
})

test('the state of provisioning is ours: a path to it is mutability, an echo of it is ignored', () => {
  for (const path of [provisioningUrn, `${provisioningUrn}:state`]) {
    refuses(() => patchUser([{ op: 'replace', path, value: 'applied' }]), 'mutability', /read-only/)
    refuses(() => patchUser([{ op: 'remove', path }]), 'mutability', /read-only/)
  }
  const echo = { title: 'Dr', [provisioningUrn]: { state: 'applied' } }
  assert.deepEqual(patchUser([{ op: 'replace', value: echo }]).document, aUser({ title: 'Dr' }))
})

test('read-only parts beside a manager id are left out', () => {
  const value = { value: 'u2', displayName: 'Bob', $ref: '../Users/u2' }
  assert.deepEqual(
    patchUser([{ op: 'replace', path: 'manager', value }]).document,
    anEmployee({ manager: { value: 'u2' } }),
  )
})

test('a value without path may repeat the unchanged id, meta and schemas', () => {
  const meta = { resourceType: 'User', created: '2026-01-01T00:00:00.000Z' }
  const value = { schemas: [userUrn], id: 'u1', meta, groups: [], displayName: 'Ada' }
  const { document } = patchUser([{ op: 'replace', value }], { readOnly: { meta } })
  assert.deepEqual(document, aUser({ displayName: 'Ada' }))
  assert.equal(patchUser([{ op: 'replace', value }]).document.displayName, 'Ada')
  const later = { ...value, meta: { ...meta, created: '2027-01-01T00:00:00.000Z' } }
  refuses(() => patchUser([{ op: 'replace', value: later }], { readOnly: { meta } }), 'mutability', /^meta/)
  const renamed = patchGroup([{ op: 'replace', value: { id: 'g1', displayName: 'Writers' } }])
  assert.deepEqual(renamed.document, aGroup({ displayName: 'Writers' }))
})

test('a password is accepted and kept nowhere', () => {
  for (const operation of [
    { op: 'replace', value: { password: 'secret-1' } },
    { op: 'add', path: 'password', value: 'secret-1' },
    { op: 'remove', path: 'password' },
  ]) {
    const result = patchUser([operation])
    assert.equal(result.changed, false)
    assert.ok(!JSON.stringify(result).includes('secret-1'))
  }
})

test('an unknown path is invalidPath, also as a key of a value without path', () => {
  for (const path of [
    'noSuchAttr',
    'noSuchAttr.x',
    'userName.x',
    'name.x',
    'emails[type eq "a"].x',
    'emails[type eq "a"]value',
    'emails[type eq "a"',
    'emails.value[type eq "a"]',
    'name[givenName eq "A"]',
    'userName[value eq "a"]',
    'urn:example:unknown:User:x',
    ' userName',
    '.',
    '[',
    'emails[type eq "a"].',
    'x'.repeat(300),
    `emails[type eq "${'x'.repeat(5000)}"]`,
  ]) {
    refuses(() => patchUser([{ op: 'replace', path, value: 'x' }]), 'invalidPath', /^path/)
    refuses(() => patchUser([{ op: 'remove', path }]), 'invalidPath', /^path/)
  }
  refuses(() => patchUser([{ op: 'replace', value: { noSuchAttr: 1, title: 'x' } }]), 'invalidPath')
  refuses(() => patchUser([{ op: 'replace', value: { [enterpriseUrn]: { noSuch: 1 } } }]), 'invalidPath')
  refuses(() => patchUser([{ op: 'replace', path: 'name', value: { noSuch: 'x' } }]), 'invalidPath')
  refuses(() => patchUser([{ op: 'replace', path: 'emails', value: [{ noSuch: 'x' }] }]), 'invalidPath')
  refuses(() => patchUser([{ op: 'replace', path: 7, value: 'x' }]), 'invalidPath')
})

test('a bad filter in a path is invalidFilter', () => {
  for (const filter of [
    'type eq',
    'type xx "a"',
    '',
    'noSuch eq "a"',
    'primary gt true',
    'type eq "work" and',
    '(type eq "a"',
  ]) {
    refuses(() => patchUser([{ op: 'replace', path: `emails[${filter}].value`, value: 'x' }]), 'invalidFilter')
  }
})

test('a filter may hold brackets and quotes inside its text', () => {
  const odd = 'a]"b\\'
  const document = aUser({ emails: [{ value: odd }, { value: 'x' }] })
  const { emails } = patchUser([{ op: 'remove', path: `emails[value eq ${JSON.stringify(odd)}]` }], {
    document,
  }).document
  assert.deepEqual(emails, [{ value: 'x' }])
})

test('a message that is no PATCH is invalidSyntax', () => {
  const message = (body: object) => () => parsePatch(schemas.user, sent(body), { strict: false })
  const operation = { op: 'add', path: 'title', value: 'x' }
  refuses(message({ schemas: [messageUrn] }), 'invalidSyntax', /^Operations is missing/)
  refuses(message({ schemas: [messageUrn], Operations: [] }), 'invalidSyntax')
  refuses(message({ schemas: [messageUrn], Operations: operation }), 'invalidSyntax')
  refuses(message({ schemas: [messageUrn], Operations: [null] }), 'invalidSyntax')
  refuses(message({ schemas: [messageUrn], Operations: [[]] }), 'invalidSyntax')
  refuses(message({ schemas: [userUrn], Operations: [operation] }), 'invalidSyntax', /PatchOp/)
  for (const op of ['move', '', 1, null, '__proto__', undefined]) {
    refuses(message({ schemas: [messageUrn], Operations: [{ ...operation, op }] }), 'invalidSyntax', /^op /)
  }
  assert.equal(parsePatch(schemas.user, { Operations: [operation] }, { strict: false }).steps.length, 1)
})

test('roles that Entra sends as JSON in a text are unpacked, and keep their type', () => {
  const json = JSON.stringify({ id: '06b0', value: '25', displayName: 'Reader' })
  const { document } = patchUser(
    [{ op: 'Add', path: 'roles', value: [{ value: json, type: 'WindowsAzureActiveDirectoryRole' }] }],
    {
      document: aUser({ roles: [{ value: 'Admin', primary: true }] }),
    },
  )
  assert.deepEqual(document.roles, [
    { value: 'Admin', primary: true },
    { value: '25', display: 'Reader', type: 'WindowsAzureActiveDirectoryRole' },
  ])
  const removed = patchUser([{ op: 'Remove', path: 'roles', value: [{ value: json }] }], { document })
  assert.deepEqual(removed.document.roles, [{ value: 'Admin', primary: true }])
  for (const text of ['{"id":"1"}', '{broken', '[1]', '{"value":7}', '"x"']) {
    assert.deepEqual(patchUser([{ op: 'add', path: 'roles', value: [{ value: text }] }]).document.roles, [
      { value: text },
    ])
  }
})

test('a patch is atomic: one bad operation and nothing is changed', () => {
  const document = aUser({ title: 'Dr', emails: [workMail] })
  const before = structuredClone(document)
  refuses(
    () =>
      patchUser(
        [
          { op: 'replace', path: 'title', value: 'Prof' },
          { op: 'remove', path: 'emails' },
          { op: 'replace', path: 'phoneNumbers[type sw "w"].value', value: '1' },
        ],
        { document },
      ),
    'noTarget',
  )
  assert.deepEqual(document, before)
})

test('a sub-attribute without filter reaches every value, and creates one where there is none', () => {
  const document = aUser({ emails: [workMail, homeMail] })
  assert.deepEqual(patchUser([{ op: 'remove', path: 'emails.type' }], { document }).document.emails, [
    { value: 'ada@uni.example', primary: true },
    { value: 'ada@home.example' },
  ])
  assert.deepEqual(patchUser([{ op: 'add', path: 'emails.value', value: 'a@x.example' }]).document.emails, [
    { value: 'a@x.example' },
  ])
})

test('values of the wrong type are invalidValue and name the attribute', () => {
  for (const [path, value, message] of [
    ['title', 7, /^title must be text/],
    ['title', { a: 1 }, /^title must be text/],
    ['title', ['x'], /^title must be text/],
    ['name', 'Ada', /^name must be an object/],
    ['name.givenName', 7, /^name\.givenName must be text/],
    ['emails', 7, /^emails must be an object/],
    ['emails', [{ value: { a: 1 } }], /^emails\.value must be text/],
    ['addresses', 'x', /^addresses must be an object/],
    ['manager', [{ value: 'a' }, { value: 'b' }], /^manager takes one value/],
    ['emails[type eq "x"]', [{ value: 'a' }, { value: 'b' }], /^emails takes one value/],
    [`${customUrn}:seats`, '7', /^seats must be a number/],
    [`${customUrn}:seats`, 7.5, /^seats must be a whole number/],
    [`${customUrn}:since`, 'yesterday', /^since must be a date/],
    [enterpriseUrn, 'x', /must be an object/],
  ] as const) {
    refuses(() => patchUser([{ op: 'replace', path, value: value }]), 'invalidValue', message)
  }
})

test('an empty text clears a number, a time and a truth value as it clears a text, but is no word for active', () => {
  const [seats, primary] = [`${customUrn}:seats`, 'emails[type eq "work"].primary']
  const document = aUser({
    schemas: [userUrn, customUrn],
    active: true,
    emails: [{ value: 'a@uni.example', type: 'work', primary: true }],
    [customUrn]: { CustomAttribute: 'x', seats: 7, since: '2026-01-31T08:00:00Z' },
  })
  for (const op of ['Replace', 'Add']) {
    const flat = patchUser([{ op, value: { [seats]: '', [`${customUrn}:since`]: '', [primary]: '' } }], { document })
    const byPath = [seats, `${customUrn}:since`, primary].map((path) => ({ op, path, value: '' }))
    for (const patched of [flat, patchUser(byPath, { document })]) {
      assert.deepEqual(patched.document[customUrn], { CustomAttribute: 'x' })
      assert.deepEqual(patched.document.emails, [{ value: 'a@uni.example', type: 'work' }])
    }
  }
  refuses(() => patchUser([{ op: 'Replace', path: 'active', value: '' }], { document }), 'invalidValue', /^active/)
  refuses(() => patchUser([{ op: 'Replace', value: { active: '' } }], { document }), 'invalidValue', /^active/)
})

test('one name in two spellings says one thing only, in a value, in an operation and in the message', () => {
  const document = aUser({ active: true })
  for (const value of [
    { active: false, Active: true },
    { active: false, [`${userUrn}:active`]: 'True' },
    { 'name.givenName': 'Ada', 'NAME.givenname': 'Eve' },
    { department: 'Physics', [`${enterpriseUrn}:Department`]: 'Chemistry' },
  ]) {
    refuses(() => patchUser([{ op: 'replace', value }], { document }), 'invalidValue', /is sent twice/)
  }
  assert.equal(patchUser([{ op: 'replace', value: { active: false, Active: false } }], { document }).active, false)
  refuses(() => patchUser([{ op: 'replace', path: 'active', value: false, Value: true }]), 'invalidSyntax', /twice/)
  const message = { Operations: [{ op: 'replace', path: 'active', value: false }], operations: [{ op: 'remove' }] }
  refuses(() => parsePatch(schemas.user, message, { strict: false }), 'invalidSyntax', /twice/)
})

test('the values of a simple list are added, removed by filter and never twice', () => {
  const path = `${customUrn}:tags`
  const document = aUser({ schemas: [userUrn, customUrn], [customUrn]: { tags: ['a', 'b'] } })
  const tags = (operation: object) => patchUser([operation], { document }).document[customUrn]
  assert.deepEqual(tags({ op: 'add', path, value: ['b', 'c'] }), { tags: ['a', 'b', 'c'] })
  assert.deepEqual(tags({ op: 'add', path, value: 'c' }), { tags: ['a', 'b', 'c'] })
  assert.deepEqual(tags({ op: 'remove', path: `${path}[value eq "a"]` }), { tags: ['b'] })
  assert.deepEqual(tags({ op: 'remove', path, value: ['a', 'z'] }), { tags: ['b'] })
  assert.equal(tags({ op: 'remove', path }), undefined)
  refuses(() => tags({ op: 'replace', path: `${path}[value eq "a"]`, value: 'x' }), 'invalidPath')
})
