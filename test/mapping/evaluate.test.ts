import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { PlatformFacts } from '../../src/facts.ts'
import type { Json, JsonObject } from '../../src/json.ts'
import {
  compare,
  createAttributes,
  grantsOf,
  isActive,
  protectedBecause,
  readAccount,
  toPlatform,
  toScim,
  unmatchedGroups,
} from '../../src/mapping/evaluate.ts'
import { loadMapping } from '../../src/mapping/load.ts'
import type { Mapping } from '../../src/mapping/mapping.ts'
import { aMapping, aPerson, builtIn, dspace, ethosce, figshare, openspecimen, selfcommunity } from './platforms.ts'

const builtInMapping = (facts: PlatformFacts) =>
  loadMapping({ file: `${facts.platform}.yaml`, text: builtIn(facts.platform), facts }).mapping

/** What one rule for `job_title` makes of a resource: its value, or why not. */
function jobTitle(rule: string, scim: JsonObject, rest = ''): Json | undefined {
  const { mapping } = aMapping(`    job_title: ${rule}`, rest)
  const wanted = toPlatform(mapping, figshare, { ...aPerson, ...scim }, { activeDefault: true })
  return wanted.refusals[0]?.message ?? wanted.attributes.get('job_title')
}

describe('sources', () => {
  const cases = [
    [
      'the first path that has a value',
      '{ from: [nickName, title], empty: keep }',
      { nickName: '', title: 'Dr' },
      'Dr',
    ],
    ['null is no value', '{ from: [nickName, title], empty: keep }', { nickName: null, title: 'Dr' }, 'Dr'],
    ['nothing anywhere', '{ from: title, empty: keep }', {}, undefined],
    ['a constant', '{ const: Reader }', { title: 'Dr' }, 'Reader'],
    ['a default', '{ from: title, default: Member }', {}, 'Member'],
    [
      'a transform that leaves nothing, then the default',
      '{ from: title, transform: [trim], default: Member }',
      { title: '  ' },
      'Member',
    ],
    [
      'the first test that holds',
      '{ when: [{ if: { path: userType, equals: staff }, value: A }, { if: { path: title, present: true }, value: B }], else: C, read: never, empty: keep }',
      { userType: 'student', title: 'x' },
      'B',
    ],
    [
      'no test that holds',
      '{ when: [{ if: { path: userType, one_of: [staff, guest] }, value: A }], else: C, read: never, empty: keep }',
      { userType: 'student' },
      'C',
    ],
    [
      'no test that holds and no else',
      '{ when: [{ if: { path: emails, present: false }, value: A }], read: never, empty: keep }',
      {},
      undefined,
    ],
    [
      'the beginning of a value',
      '{ when: [{ if: { path: userName, starts_with: a }, value: A }], read: never, empty: keep }',
      { userName: 'ada' },
      'A',
    ],
    [
      'the end of a value',
      '{ when: [{ if: { path: userName, ends_with: "@uni.example" }, value: A }], read: never, empty: keep }',
      { userName: 'ada@other.example' },
      undefined,
    ],
  ] as const
  for (const [name, rule, scim, expected] of cases) {
    test(name, () => assert.deepEqual(jobTitle(rule, scim), expected))
  }

  const joins: readonly (readonly [JsonObject, string | undefined])[] = [
    [{ title: 'Dr', nickName: 'Ada', displayName: 'L' }, '<Dr Ada, L>'],
    [{ title: 'Dr', displayName: 'L' }, '<Dr L>'],
    [{ title: ' Dr ' }, '<Dr'],
    [{ displayName: 'L' }, '<L>'],
    [{ nickName: 'Ada', displayName: 'L' }, '<Ada, L>'],
    [{}, undefined],
  ]
  for (const [scim, expected] of joins) {
    test(`join of ${JSON.stringify(scim)} is ${expected}`, () => {
      const rule =
        "{ join: [{ text: '<' }, title, { text: ' ' }, nickName, { text: ', ' }, displayName, { text: '>' }], read: never, empty: keep }"
      assert.equal(jobTitle(rule, scim), expected)
    })
  }
})

describe('refusals', () => {
  const tables =
    "tables: { t: { values: { a: A }, unknown: refuse }, o: { values: { a: A }, unknown: omit }, p: { values: { a: A }, unknown: pass }, e: { values: { a: '' }, unknown: refuse } }"
  const cases = [
    [
      'a required value is missing',
      '{ from: [title, nickName], required: true }',
      {},
      'user.attributes.job_title: required value is missing (from title, nickName)',
    ],
    [
      'a table does not know it',
      '{ from: title, table: t, empty: keep }',
      { title: 'b' },
      "user.attributes.job_title: 'b' is not in table 't' (from title)",
    ],
    ['a table that omits', '{ from: title, table: o, empty: keep }', { title: 'b' }, undefined],
    ['a table that passes', '{ from: title, table: p, empty: keep }', { title: 'b' }, 'b'],
    ['a table that knows', '{ from: title, table: t, empty: keep }', { title: 'a' }, 'A'],
    ['an empty text in a table is no value', '{ from: title, table: e, empty: keep }', { title: 'a' }, undefined],
    ['which is what a default is for', '{ from: title, table: e, default: Z }', { title: 'a' }, 'Z'],
    [
      'a transform does not take it',
      '{ from: title, transform: [to_number, to_string], empty: keep }',
      { title: 'x' },
      "user.attributes.job_title: 'to_number' does not take 'x' (from title)",
    ],
    [
      'the platform takes another type',
      "{ from: 'urn:example:own:level', empty: keep }",
      { 'urn:example:own': { level: 7 } },
      'user.attributes.job_title: is a whole number, figshare takes text (from urn:example:own:level)',
    ],
    [
      'a value is endless',
      '{ from: title, empty: keep }',
      { title: 'x'.repeat(10_001) },
      'user.attributes.job_title: 10001 characters, at most 10000 are taken (from title)',
    ],
    [
      'a value is endless before it is cut',
      '{ from: title, transform: [{ truncate: 5 }], read: never, empty: keep }',
      { title: 'x'.repeat(10_001) },
      'user.attributes.job_title: 10001 characters, at most 10000 are taken (from title)',
    ],
    [
      'a step makes it endless',
      '{ from: title, transform: [{ replace: { find: x, with: yyyyyyyyyy } }, trim], read: never, empty: keep }',
      { title: 'x'.repeat(2_000) },
      'user.attributes.job_title: 20000 characters, at most 10000 are taken (from title)',
    ],
  ] as const
  for (const [name, rule, scim, expected] of cases) {
    test(name, () => assert.equal(jobTitle(rule, scim, tables), expected))
  }

  test('all of them are collected, and say which SCIM attribute to change', () => {
    const wanted = toPlatform(builtInMapping(dspace), dspace, { userName: 'x'.repeat(65) }, { activeDefault: true })
    assert.deepEqual(
      wanted.refusals.map(({ attribute, scimPath, kind }) => [attribute, scimPath, kind]),
      [
        ['email', 'userName', 'invalidValue'],
        ['firstname', 'name.givenName', 'invalidValue'],
        ['lastname', 'name.familyName', 'invalidValue'],
      ],
    )
    assert.equal(wanted.refusals[0]?.message, 'user.attributes.email: 65 characters, dspace takes 64 (from userName)')
  })

  test('a value that is not going to be written refuses nobody: never, or once the account is there', () => {
    const refusedBy = (rule: string) => {
      const { mapping } = aMapping(`    job_title: ${rule}`)
      const scim = { ...aPerson, title: 'x'.repeat(10_001) }
      const { attributes, refusals, createRefusals } = toPlatform(mapping, figshare, scim, { activeDefault: true })
      assert.equal(attributes.has('job_title'), false)
      return [refusals, createRefusals].map((some) => some.map(({ attribute }) => attribute))
    }
    assert.deepEqual(refusedBy('{ from: title, empty: keep }'), [['job_title'], []])
    assert.deepEqual(refusedBy('{ from: title, write: create }'), [[], ['job_title']])
    assert.deepEqual(refusedBy('{ from: title, write: never }'), [[], []])
    assert.deepEqual(refusedBy('{ from: nickName, write: never, required: true }'), [['job_title'], []])
  })

  test('a value that accounts are searched by refuses, whether or not it is written', () => {
    const mapping = builtInMapping(figshare)
    for (const write of ['create', 'never'] as const) {
      const rules = new Map([...mapping.rules].map(([name, rule]) => [name, { ...rule, write }]))
      const scim = { ...aPerson, userName: 'x'.repeat(10_001) }
      const { refusals } = toPlatform({ ...mapping, rules }, figshare, scim, { activeDefault: true })
      assert.deepEqual(
        refusals.map(({ attribute }) => attribute),
        ['institution_user_id'],
      )
    }
  })

  test('what the platform needs and an existing account may keep refuses only a new one', () => {
    const { mapping } = aMapping('    first_name: { from: name.givenName, empty: keep }')
    const kept = {
      ...mapping,
      rules: new Map(
        [...mapping.rules].map(([name, rule]) => [name, { ...rule, required: false, empty: 'keep' as const }]),
      ),
    }
    const wanted = toPlatform(kept, figshare, {}, { activeDefault: true })
    assert.deepEqual(wanted.refusals, [])
    assert.deepEqual(
      wanted.createRefusals.map(({ message }) => message),
      [
        'user.attributes.email: required value is missing (from emails[primary eq true].value)',
        'user.attributes.last_name: required value is missing (from name.familyName)',
      ],
    )
    assert.deepEqual(
      [
        ...compare(
          kept,
          figshare,
          wanted,
          new Map([
            ['email', 'a@b.c'],
            ['last_name', 'B'],
            ['is_active', true],
          ] as [string, Json][]),
        ).changes,
      ],
      [],
    )
  })

  test('no resource makes it throw', () => {
    const mappings = [dspace, ethosce, figshare, openspecimen, selfcommunity].map(
      (facts) => [facts, builtInMapping(facts)] as const,
    )
    const name = fc.constantFrom(
      'userName',
      'externalId',
      'id',
      'name',
      'emails',
      'active',
      'phoneNumbers',
      'addresses',
      'title',
      '__proto__',
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
    )
    fc.assert(
      fc.property(fc.dictionary(name, fc.jsonValue({ maxDepth: 3 })), fc.boolean(), (resource, activeDefault) => {
        const scim: JsonObject = JSON.parse(JSON.stringify(resource))
        for (const [facts, mapping] of mappings) {
          const wanted = toPlatform(mapping, facts, scim, { activeDefault })
          const { attributes } = wanted
          const comparison = compare(mapping, facts, wanted, attributes)
          assert.deepEqual([...comparison.changes], [])
          toScim(mapping, facts, attributes)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('active', () => {
  const mapping = builtInMapping(openspecimen)
  const person = { userName: 'gh', name: { givenName: 'G', familyName: 'H' } }
  const statusFor = (scim: JsonObject, activeDefault: boolean) =>
    toPlatform(mapping, openspecimen, { ...person, ...scim }, { activeDefault }).attributes.get('activityStatus')

  test('said or not, a wanted state is always sent', () => {
    assert.equal(statusFor({ active: true }, false), 'Active')
    assert.equal(statusFor({ active: false }, true), 'Closed')
    assert.equal(statusFor({}, true), 'Active')
    assert.equal(statusFor({}, false), 'Closed')
  })

  const change = (status: string, active: boolean) => {
    const wanted = toPlatform(mapping, openspecimen, { ...person, active }, { activeDefault: true })
    const account = new Map([...wanted.attributes, ['activityStatus', status]] as [string, Json][])
    return [...compare(mapping, openspecimen, wanted, account).changes]
  }
  test('a locked account is active: nothing unlocks it', () => {
    assert.deepEqual(change('Locked', true), [])
  })
  test('a locked account is closed when it is deactivated', () => {
    assert.deepEqual(change('Locked', false), [['activityStatus', 'Closed']])
  })
  test('a pending account is off: nothing closes it, an activation opens it', () => {
    assert.deepEqual(change('Pending', false), [])
    assert.deepEqual(change('Pending', true), [['activityStatus', 'Active']])
  })

  test('without active_when everything is on that is not exactly as deactivate says', () => {
    const ethosceMapping = builtInMapping(ethosce)
    assert.equal(isActive(ethosceMapping, new Map([['status', 0]])), false)
    assert.equal(isActive(ethosceMapping, new Map([['status', 1]])), true)
    assert.equal(isActive(ethosceMapping, new Map()), true)
  })

  test('the switch comes before the other changes', () => {
    const wanted = toPlatform(mapping, openspecimen, { ...person, active: false }, { activeDefault: true })
    const account = new Map([...wanted.attributes, ['activityStatus', 'Active'], ['firstName', 'X']] as [
      string,
      Json,
    ][])
    assert.deepEqual(
      [...compare(mapping, openspecimen, wanted, account).changes.keys()],
      ['activityStatus', 'firstName'],
    )
  })

  test('what refuses a leaver’s other attributes does not hide the switch', () => {
    const figshareMapping = builtInMapping(figshare)
    const wanted = toPlatform(
      figshareMapping,
      figshare,
      { userName: 'new', emails: [{ primary: true, value: 'nonsense' }], active: false },
      { activeDefault: true },
    )
    const account = new Map<string, Json>([
      ['institution_user_id', 'old'],
      ['email', 'a@b.c'],
      ['last_name', 'L'],
      ['group_id', 100],
      ['is_active', true],
    ])
    const comparison = compare(figshareMapping, figshare, wanted, account)
    assert.deepEqual([...comparison.changes], [['is_active', false]])
    assert.deepEqual(
      wanted.refusals.map(({ attribute }) => attribute),
      ['email', 'last_name'],
    )
    assert.deepEqual(
      comparison.refusals.map(({ attribute }) => attribute),
      ['institution_user_id'],
    )
  })
})

describe('policies', () => {
  const wantedTitle = (mapping: Mapping, title: string | undefined) =>
    toPlatform(mapping, figshare, title === undefined ? aPerson : { ...aPerson, title }, { activeDefault: true })
  const against = (rule: string, title: string | undefined, held: Json | undefined, facts = figshare) => {
    const { mapping } = aMapping(`    job_title: ${rule}`, '', facts)
    const wanted = wantedTitle(mapping, title)
    const account = new Map(wanted.attributes)
    if (held === undefined) account.delete('job_title')
    else account.set('job_title', held)
    const { changes, drift, refusals } = compare(mapping, facts, wanted, account)
    if (refusals[0] !== undefined) return `${refusals[0].kind}: ${refusals[0].message}`
    return drift.includes('job_title') ? 'drift' : changes.get('job_title')
  }
  const factChanged = (change: object): PlatformFacts => {
    const fact = figshare.attributes.get('job_title')
    assert.ok(fact)
    return { ...figshare, attributes: new Map([...figshare.attributes, ['job_title', { ...fact, ...change }]]) }
  }
  const clearable = factChanged({ clearable: true })

  test('a difference is written', () => assert.equal(against('{ from: title, empty: keep }', 'Dr', 'Mr'), 'Dr'))
  test('letter case is a difference', () => assert.equal(against('{ from: title, empty: keep }', 'Dr', 'DR'), 'Dr'))
  test('letter case is no difference where the platform sees none', () => {
    assert.equal(against('{ from: title, empty: keep }', 'Dr', 'DR', factChanged({ caseExact: false })), undefined)
  })
  test('a value taken away is cleared', () => assert.equal(against('title', undefined, 'Dr', clearable), null))
  test('a value taken away is kept', () =>
    assert.equal(against('{ from: title, empty: keep }', undefined, 'Dr'), undefined))
  test('nothing wanted and nothing there is no change', () => {
    for (const held of [undefined, null, '', []]) assert.equal(against('title', undefined, held, clearable), undefined)
  })
  test('write: create is not compared', () =>
    assert.equal(against('{ from: title, write: create }', 'Dr', 'Mr'), undefined))
  test('write: if_empty fills what is empty', () =>
    assert.equal(against('{ from: title, write: if_empty }', 'Dr', ''), 'Dr'))
  test('write: if_empty leaves what is there', () => {
    assert.equal(against('{ from: title, write: if_empty }', 'Dr', 'Mr'), undefined)
    assert.equal(against('{ from: title, write: if_empty }', undefined, 'Mr'), undefined)
  })
  test('on_change: refuse refuses', () => {
    assert.equal(
      against('{ from: title, on_change: refuse, empty: keep }', 'Dr', 'Mr'),
      'mutability: user.attributes.job_title: this mapping does not change it after creation',
    )
  })
  test('on_change: keep is drift', () =>
    assert.equal(against('{ from: title, on_change: keep, empty: keep }', 'Dr', 'Mr'), 'drift'))
  test('on_change decides about clearing, too', () => {
    assert.equal(against('{ from: title, on_change: keep }', undefined, 'Mr', clearable), 'drift')
    assert.match(String(against('{ from: title, on_change: refuse }', undefined, 'Mr', clearable)), /^mutability/)
  })
  test('a half-made account is completed although the value must not change', () => {
    assert.equal(against('{ from: title, on_change: keep, empty: keep }', 'Dr', undefined), 'Dr')
    assert.equal(against('{ from: title, on_change: refuse, empty: keep }', 'Dr', undefined), 'Dr')
  })
  test('what is given at creation can be added later where the platform says so', () => {
    const addable = factChanged({ write: 'create', addable: true })
    assert.equal(against('{ from: title, on_change: refuse, empty: keep }', 'Dr', undefined, addable), 'Dr')
  })
  test('what cannot be added later is not added', () => {
    assert.equal(
      against('{ from: title, on_change: keep, empty: keep }', 'Dr', undefined, factChanged({ addable: false })),
      'drift',
    )
    assert.equal(
      against('{ from: title, on_change: keep, empty: keep }', 'Dr', undefined, factChanged({ write: 'create' })),
      'drift',
    )
  })
  test('a value that was refused is neither changed nor cleared', () => {
    const { mapping } = aMapping('    job_title: { from: title, transform: [to_number, to_string] }', '', clearable)
    const wanted = wantedTitle(mapping, 'not a number')
    assert.deepEqual(
      wanted.refusals.map(({ attribute }) => attribute),
      ['job_title'],
    )
    const account = new Map<string, Json>([...wanted.attributes, ['job_title', '7']])
    assert.deepEqual([...compare(mapping, clearable, wanted, account).changes], [])
  })
  test('write: never is known for finding and sent to nobody', () => {
    const { mapping } = aMapping('    user_id: { from: nickName, transform: [to_number], write: never, empty: keep }')
    const wanted = toPlatform(mapping, figshare, { ...aPerson, nickName: '7' }, { activeDefault: true })
    assert.equal(wanted.attributes.get('user_id'), 7)
    assert.equal(createAttributes(mapping, wanted).has('user_id'), false)
    assert.deepEqual(
      [...compare(mapping, figshare, wanted, new Map([...wanted.attributes, ['user_id', 8]])).changes],
      [],
    )
  })
})

describe('reading back', () => {
  test('back transforms and tables are undone in reverse', () => {
    const tables = 'tables: { t: { values: { x-a: A, x-b: B }, unknown: refuse } }'
    const { mapping } = aMapping(
      '    job_title: { from: title, transform: [{ prefix: x- }], table: t, empty: keep }',
      tables,
    )
    const read = (held: Json) => readAccount(mapping, new Map([['job_title', held]]))
    assert.deepEqual(read('B'), { scim: { title: 'b', active: true }, unreadable: [] })
    assert.deepEqual(read('C'), { scim: { active: true }, unreadable: ['job_title'] })
  })

  test('a value outside the image is reported, and the default is read as no value', () => {
    const { mapping } = aMapping("    job_title: { from: title, transform: [{ suffix: ' (uni)' }], default: Member }")
    const read = (held: Json) => readAccount(mapping, new Map([['job_title', held]]))
    assert.deepEqual(read('Dr (uni)').scim.title, 'Dr')
    assert.deepEqual(read('Dr'), { scim: { active: true }, unreadable: ['job_title'] })
    assert.deepEqual(read('Member'), { scim: { active: true }, unreadable: [] })
  })

  test('what was read is wanted again: no change follows', () => {
    const mapping = builtInMapping(dspace)
    const account = new Map<string, Json>([
      ['email', 'm@uni.example'],
      ['firstname', 'M'],
      ['lastname', 'C'],
      ['phone', '1'],
      ['language', 'en'],
      ['canLogIn', false],
    ])
    const scim = toScim(mapping, dspace, account)
    const wanted = toPlatform(mapping, dspace, scim, { activeDefault: true })
    assert.deepEqual([...compare(mapping, dspace, wanted, account).changes], [])
  })
})

describe('protection', () => {
  const isProtected = (protect: string, attributes: [string, Json][]) => {
    const { mapping } = aMapping('', `groups: { as: none }`)
    const text = builtIn('ethosce').replace(/ {2}protect:\n(?: {4}- .*\n)+/, `  protect: [${protect}]\n`)
    const own = loadMapping({ file: 'e.yaml', text, facts: ethosce }).mapping
    assert.equal(protectedBecause(mapping, new Map(attributes)), undefined)
    return protectedBecause(own, new Map(attributes))
  }
  const cases = [
    ['{ attribute: name, equals: Admin }', 'admin', 'administrator'],
    ['{ attribute: name, one_of: [a, b] }', 'B', 'c'],
    ['{ attribute: name, starts_with: restws }', 'RestWS_1', 'my_restws'],
    ['{ attribute: name, ends_with: -admin }', 'x-Admin', 'x-admins'],
    ['{ attribute: name, contains: admin }', 'sysADMIN1', 'sysadm'],
  ] as const
  for (const [protect, hit, miss] of cases) {
    test(`${protect} protects ${hit} and not ${miss}`, () => {
      assert.equal(isProtected(protect, [['name', hit]]), 'user.protect: name')
      assert.equal(isProtected(protect, [['name', miss]]), undefined)
      assert.equal(isProtected(protect, []), undefined)
    })
  }
  test('of a list each one is looked at', () => {
    assert.equal(
      isProtected('{ attribute: roles, contains: site_admin }', [['roles', ['x', 'site_admin']]]),
      'user.protect: roles',
    )
    assert.equal(isProtected('{ attribute: roles, contains: site_admin }', [['roles', ['x']]]), undefined)
  })
  test('presence and absence', () => {
    assert.equal(isProtected('{ attribute: authname, present: true }', [['authname', 'x']]), 'user.protect: authname')
    assert.equal(isProtected('{ attribute: authname, present: true }', []), undefined)
    assert.equal(isProtected('{ attribute: authname, present: false }', []), 'user.protect: authname')
  })
})

describe('grants', () => {
  const groups = (policy: string) => `groups:
  as: grants
${policy}  grants:
    - { group: b, grant: { group_id: 1, role_id: 1 } }
    - { group: a, grant: { group_id: 2, role_id: 2 } }
    - { group: a, grant: { role_id: 1, group_id: 1 } }
    - { group: a, grant: { group_id: 2, role_id: 2 } }
`
  const { mapping } = aMapping('', groups(''))

  test('each grant once, in the order of the file, whatever the order of the groups', () => {
    const both = [
      { group_id: 1, role_id: 1 },
      { group_id: 2, role_id: 2 },
    ]
    assert.deepEqual(grantsOf(mapping, [{ displayName: 'a' }, { displayName: 'b' }]), both)
    assert.deepEqual(grantsOf(mapping, [{ displayName: 'b' }, { displayName: 'a' }, { displayName: 'b' }]), both)
    assert.deepEqual(grantsOf(mapping, [{ displayName: 'b' }]), both.slice(0, 1))
    assert.deepEqual([...mapping.groups.listed.keys()], both)
  })

  test('groups are found by their exact name, never by an inherited one', () => {
    for (const displayName of ['A', 'constructor', '__proto__', ''])
      assert.deepEqual(grantsOf(mapping, [{ displayName }]), [])
    assert.deepEqual(unmatchedGroups(mapping, [{ displayName: 'a' }, { displayName: 'A' }]), [{ displayName: 'A' }])
  })

  test('a letter with its mark is found as one character and as two, whoever wrote it which way', () => {
    const [composed, decomposed] = ['Bibliothèque'.normalize('NFC'), 'Bibliothèque'.normalize('NFD')]
    assert.notEqual(composed, decomposed)
    const lines = (name: string) =>
      `groups:\n  as: grants\n  grants:\n    - { group: ${name}, grant: { group_id: 1, role_id: 1 } }\n`
    for (const [written, pushed] of [
      [composed, decomposed],
      [decomposed, composed],
    ] as const) {
      const named = aMapping('', lines(written)).mapping
      assert.equal(grantsOf(named, [{ displayName: pushed }]).length, 1)
      assert.deepEqual(unmatchedGroups(named, [{ displayName: pushed }]), [])
    }
  })

  test('groups are found by their externalId where the mapping says so', () => {
    const byId = aMapping('', groups('  match: externalId\n')).mapping
    assert.equal(grantsOf(byId, [{ displayName: 'x', externalId: 'b' }]).length, 1)
    assert.deepEqual(grantsOf(byId, [{ displayName: 'b' }]), [])
  })
})
