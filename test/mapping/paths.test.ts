import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../../src/json.ts'
import type { Path } from '../../src/mapping/mapping.ts'
import { lookupIn, parseAnyPath, parsePath, writePath } from '../../src/mapping/paths.ts'
import { enterpriseNames, userNames } from '../../src/mapping/scim-names.ts'
import { compileSchemas } from '../../src/scim/schema.ts'
import { isServers } from '../../src/scim/value.ts'

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const prefixes = new Map([
  ['ent', enterprise],
  ['own', 'urn:example:params:scim:schemas:own'],
])
const notAPath = 'not a SCIM path (try userName, name.givenName or emails[type eq "work"].value)'

function path(text: string): Path {
  const parsed = parsePath(text, { prefixes })
  if ('problem' in parsed) throw new Error(`${text}: ${parsed.problem}`)
  return parsed.path
}

function problem(text: string): string | undefined {
  const parsed = parsePath(text, { prefixes })
  return 'problem' in parsed ? parsed.problem : undefined
}

const ada: JsonObject = {
  id: 'u-1',
  userName: 'ada',
  name: { givenName: 'Ada', familyName: '' },
  emails: [
    { type: 'Work', primary: false },
    { type: 'work', value: 'ada@uni.example' },
    { type: 'home', value: 'ada@home.example', primary: true },
  ],
  roles: [{ value: 'editor' }, { value: 'author' }],
  [enterprise]: { department: 'Physics', manager: { value: 'u-2' } },
  'urn:example:params:scim:schemas:own': { badge: 7 },
}

describe('reading', () => {
  const cases = [
    ['id', 'u-1'],
    ['USERNAME', 'ada'],
    ['name.givenName', 'Ada'],
    ['name.familyName', undefined],
    ['name.middleName', undefined],
    ['emails[primary eq true].value', 'ada@home.example'],
    ['roles[1].value', 'author'],
    ['roles[2].value', undefined],
    ['ent:department', 'Physics'],
    ['ent:manager.value', 'u-2'],
    [`${enterprise}:department`, 'Physics'],
    [`${enterprise.toUpperCase()}:DEPARTMENT`, 'Physics'],
    ['urn:ietf:params:scim:schemas:core:2.0:User:userName', 'ada'],
    ['own:badge', 7],
    ['title', undefined],
  ] as const
  for (const [text, expected] of cases) {
    test(`${text} of Ada is ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(lookupIn(ada)(path(text)), expected)
    })
  }

  test('of several work addresses the first one that has a value counts', () => {
    assert.equal(lookupIn(ada)(path('emails[type eq "WORK"].value')), 'ada@uni.example')
  })

  test('a resource in other letters is read the same', () => {
    assert.equal(lookupIn({ USERname: 'x', Name: { GIVENname: 'X' } })(path('name.givenName')), 'X')
  })

  test('only own properties are found, whatever the path and the resource are called', () => {
    for (const text of ['own:constructor', 'own:toString', 'own:hasOwnProperty.name']) {
      assert.equal(lookupIn({ 'urn:example:params:scim:schemas:own': {} })(path(text)), undefined)
    }
    assert.equal(lookupIn(JSON.parse('{"__proto__":{"userName":"eve"}}'))(path('userName')), undefined)
  })

  test('no resource makes a lookup fail', () => {
    const all = [
      'userName',
      'name.givenName',
      'emails[type eq "work"].value',
      'roles[0].value',
      'ent:manager.value',
    ].map(path)
    const anything = fc.dictionary(
      fc.constantFrom('userName', 'name', 'emails', 'roles', enterprise, '__proto__', 'constructor'),
      fc.jsonValue({ maxDepth: 4 }),
    )
    fc.assert(
      fc.property(anything, (resource) => {
        const lookup = lookupIn(JSON.parse(JSON.stringify(resource)))
        for (const one of all) lookup(one)
      }),
      { numRuns: 500 },
    )
  })
})

describe('what is not a path is refused with what to write instead', () => {
  const cases = [
    ['', notAPath],
    ['given name', notAPath],
    ['__proto__', notAPath],
    ['name.', notAPath],
    ['emails[type eq "work"', notAPath],
    ['emails[type eq "work" and primary eq true].value', notAPath],
    ['emails[type ne "work"].value', notAPath],
    ['emails[100].value', notAPath],
    ['emails[kind eq "work"].value', notAPath],
    ['emails[primary eq "True"].value', 'not a SCIM path (primary is true or false, without quotes)'],
    ['emails[primary eq 1].value', 'not a SCIM path (primary is true or false, without quotes)'],
    ['phoneNumbers[type eq true].value', 'not a SCIM path (type is a text: put the value in quotes)'],
    ['roles[value eq 25].display', 'not a SCIM path (value is a text: put the value in quotes)'],
    [
      'name.nickName',
      'not a SCIM path (parts of name: formatted, familyName, givenName, middleName, honorificPrefix, honorificSuffix)',
    ],
    [
      'groups[0].display',
      'not a SCIM path (a person is mapped without their groups: say under groups.grants what these give)',
    ],
    ['ent:manager.displayName', 'not a SCIM path (parts of manager: value)'],
    ['roles[0].$ref', 'not a SCIM path (parts of roles: value, display, type, primary)'],
    ['password', notAPath],
    ['usrName', 'not a SCIM path (did you mean userName?)'],
    ['ent:departmnt', 'not a SCIM path (did you mean ent:department?)'],
    ['emails.value', 'not a SCIM path (say which of the emails, as in emails[primary eq true].value)'],
    ['name', 'not a SCIM path (say which part, as in name.formatted)'],
    ['userName[0]', 'not a SCIM path (userName has only one value)'],
    ['emt:department', "no prefix named 'emt' (did you mean ent?): declare it under prefixes"],
    ['enterprise:department', "no prefix named 'enterprise' (have ent, own): declare it under prefixes"],
    ['a'.repeat(600), notAPath],
  ] as const
  for (const [text, expected] of cases) {
    test(`${text.slice(0, 50) || 'an empty text'}`, () => assert.equal(problem(text), expected))
  }

  test('every name that a path may have is one that is kept of what clients send', () => {
    const { user } = compileSchemas()
    for (const [urn, names] of [
      ['', userNames],
      [enterprise, enterpriseNames],
    ] as const) {
      const attributes = urn === '' ? user.core : user.extensions.get(urn.toLowerCase())?.attributes
      for (const [key, { name, sub = new Map() }] of names) {
        const kept = attributes?.get(key)
        assert.equal(kept?.name, name)
        // The id is the bridge's own, and stands in the document.
        if (name !== 'id') assert.equal(kept !== undefined && isServers(kept), false, name)
        for (const part of sub.keys()) {
          const keptPart = kept?.sub?.get(part)
          assert.ok(keptPart !== undefined && !isServers(keptPart), `${name}.${part}`)
        }
      }
    }
  })

  test('of a whole attribute the presence can be asked', () => {
    assert.ok('path' in parseAnyPath('emails', { prefixes }))
    assert.ok('path' in parseAnyPath('name', { prefixes }))
  })
})

describe('writing', () => {
  test('what is written at a path is read at that path', () => {
    for (const text of [
      'userName',
      'name.givenName',
      'emails[type eq "work"].value',
      'roles[0].value',
      'ent:manager.value',
    ]) {
      const scim: JsonObject = {}
      writePath(scim, path(text), 'x')
      assert.equal(lookupIn(scim)(path(text)), 'x')
    }
  })

  test('two addresses become two elements, and parts of one element come together', () => {
    const scim: JsonObject = {}
    writePath(scim, path('emails[type eq "work"].value'), 'w@uni.example')
    writePath(scim, path('emails[type eq "home"].value'), 'h@uni.example')
    writePath(scim, path('emails[type eq "work"].display'), 'W')
    assert.deepEqual(scim.emails, [
      { type: 'work', value: 'w@uni.example', display: 'W' },
      { type: 'home', value: 'h@uni.example' },
    ])
  })

  test('a name like an inherited one becomes a property of its own', () => {
    const scim: JsonObject = {}
    writePath(scim, path('own:constructor'), 'x')
    assert.deepEqual(JSON.stringify(scim), '{"urn:example:params:scim:schemas:own":{"constructor":"x"}}')
  })
})
