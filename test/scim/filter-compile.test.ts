import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enterpriseUrn, groupUrn, userUrn } from '../../src/scim/attribute.ts'
import { compileTest } from '../../src/scim/filter-compile.ts'
import { parseFilter } from '../../src/scim/filter-parse.ts'
import { aUser, badgesUrn, compiled, fits, schemas } from './filter-world.ts'

/** Each filter with what it says of `aUser()`. */
function assertTable(rows: readonly (readonly [string, boolean])[]): void {
  for (const [filter, wanted] of rows) assert.equal(fits(filter), wanted, filter)
}

test('userName is found in any letter case, also beyond ASCII; externalId and id are not', () => {
  assertTable([
    ['userName eq "USER7@uni.EXAMPLE"', true],
    ['userName eq "user8@uni.example"', false],
    ['externalId eq "HR-0007"', true],
    ['externalId eq "hr-0007"', false],
    ['id eq "u1"', true],
    ['id eq "U1"', false],
  ])
  assert.equal(fits('userName eq "ÅSA@uni.example"', aUser({ userName: 'åsa@UNI.example' })), true)
})

test('a complex attribute without a named part is compared by its value', () => {
  assertTable([
    ['emails eq "ada@uni.example"', true],
    ['emails co "HOME"', true],
    ['emails sw "bob"', false],
    ['manager eq "boss1"', true],
    ['id eq "u1" and manager eq "boss1"', true],
    ['id eq "u1" and manager eq "boss2"', false],
    [`${enterpriseUrn}.manager eq "BOSS1"`, false],
  ])
})

test('names with a URN find what the names without it find', () => {
  assertTable([
    [`${userUrn}:userName eq "user7@uni.example"`, true],
    [`${userUrn}:emails.type eq "home"`, true],
    [`${enterpriseUrn}:department eq "mathematics"`, true],
    ['department eq "mathematics"', true],
    [`${enterpriseUrn}:department eq "physics"`, false],
  ])
})

test('not (A or B) is neither A nor B', () => {
  assertTable([
    ['not (userName eq "x" or title eq "y")', true],
    ['not (userName eq "x" or active eq true)', false],
    ['not (userName eq "user7@uni.example" and title pr)', true],
    ['not (not (active eq true))', true],
  ])
})

test('and comes before or', () => {
  assertTable([
    ['active eq true or active eq false and title pr', true],
    ['(active eq true or active eq false) and title pr', false],
  ])
})

test('conditions in one bracket hold for one value', () => {
  assertTable([
    ['emails[type eq "work" and value eq "ada@uni.example"]', true],
    ['emails[type eq "home" and value eq "ada@uni.example"]', false],
    ['emails.type eq "home" and emails.value eq "ada@uni.example"', true],
    ['emails[type eq "work"].value eq "ADA@uni.example"', true],
    ['emails[type eq "home"].value eq "ada@uni.example"', false],
    ['emails[not (type eq "work") and primary ne true]', true],
    ['emails[type eq "other"]', false],
    ['phoneNumbers[type ne "work"]', false],
  ])
})

test('a boolean in quotes, in any letter case, is a boolean', () => {
  assertTable([
    ['active eq "True"', true],
    ['active eq "FALSE"', false],
    ['active ne "False"', true],
    ['emails[primary eq "True"].value sw "ada@uni"', true],
  ])
})

test('times are instants: zones and digits beyond the millisecond count', () => {
  assertTable([
    ['meta.lastModified eq "2026-01-31T13:00:00.5+01:00"', true],
    ['meta.lastModified ge "2026-01-31T12:00:00.5000000Z"', true],
    ['meta.lastModified ge "2026-01-31T12:00:00.5000001Z"', false],
    ['meta.lastModified lt "2026-01-31T12:00:00.5000001Z"', true],
    ['meta.lastModified gt "2026-01-31T12:00:00.4999999Z"', true],
    ['meta.lastModified le "2026-01-31T12:00:00.4999999Z"', false],
    ['active eq true and meta.lastModified ge "2026-01-30T00:00:00.1234567Z"', true],
  ])
})

test('texts, numbers and binaries compare by their own rules', () => {
  assertTable([
    ['name.familyName gt "LOVEK"', true],
    ['name.familyName lt "loveM"', true],
    ['name.familyName ge "lovelace"', true],
    ['name.familyName le "Lovel"', false],
    ['userName ew "EXAMPLE"', true],
    [`${badgesUrn}:level gt 2.5`, true],
    [`${badgesUrn}:level eq 30e-1`, true],
    [`${badgesUrn}:level lt 3`, false],
    [`${badgesUrn}:photo eq "AbC="`, true],
    [`${badgesUrn}:photo eq "abc="`, false],
    [`${badgesUrn}:tags eq "blue"`, true],
  ])
})

test('pr is true for what is not empty', () => {
  const user = aUser({ title: '', nickName: 'A', roles: [], addresses: [{ locality: '' }], active: false })
  const rows: readonly (readonly [string, boolean])[] = [
    ['title pr', false],
    ['nickName pr', true],
    ['active pr', true],
    ['roles pr', false],
    ['addresses pr', false],
    ['addresses.locality pr', false],
    ['name pr', true],
    ['name.middleName pr', false],
    ['emails pr', true],
    ['emails.display pr', false],
  ]
  for (const [filter, wanted] of rows) assert.equal(fits(filter, user), wanted, filter)
})

test('an unassigned attribute compares like null', () => {
  assertTable([
    ['title eq null', true],
    ['title ne null', false],
    ['title ne "x"', true],
    ['title eq ""', false],
    ['title co ""', false],
    ['userName ne null', true],
    ['phoneNumbers.value ne "1"', true],
  ])
})

test('ne on several values asks whether one of them differs', () => {
  assertTable([
    ['emails.type ne "work"', true],
    ['not (emails.type eq "work")', false],
  ])
})

test('one odd stored value makes a test fail to match, not the list fail', () => {
  const odd = aUser({
    emails: 'ada@uni.example',
    name: [null, 'x'],
    [enterpriseUrn]: 'none',
    active: 'True',
    meta: null,
  })
  assert.equal(
    fits('emails eq "ada" or name.givenName pr or department pr or meta.lastModified gt "2026-01-01T00:00:00Z"', odd),
    false,
  )
  assert.equal(fits('active eq true', odd), false)
})

test('eq on an indexed attribute is answered by the index alone', () => {
  const rows = [
    ['id eq "A"', { attribute: 'id', equals: 'A' }],
    ['USERNAME eq "A"', { attribute: 'userName', equals: 'A' }],
    [`${userUrn}:externalId eq "A"`, { attribute: 'externalId', equals: 'A' }],
    ['displayName eq "A"', { attribute: 'displayName', equals: 'A' }],
    ['emails eq "A"', { attribute: 'email', equals: 'A' }],
    ['emails.value eq "A"', { attribute: 'email', equals: 'A' }],
    ['emails[value eq "A"]', { attribute: 'email', equals: 'A' }],
  ] as const
  for (const [filter, index] of rows) {
    assert.deepEqual([compiled(filter).index, compiled(filter).indexIsExact], [index, true], filter)
  }
})

test('a typed address is answered by the index on both, unless there is more to it', () => {
  for (const filter of ['emails[type eq "work"].value eq "A"', 'emails[value eq "A" and type eq "work"]']) {
    const { index, indexIsExact } = compiled(filter)
    assert.deepEqual([index, indexIsExact], [{ attribute: 'email', equals: 'A', type: 'work' }, true], filter)
  }
  const {
    index,
    indexIsExact,
    test: fitsRest,
  } = compiled('emails[type eq "work" and value eq "A" and primary eq true]')
  assert.deepEqual([index, indexIsExact], [{ attribute: 'email', equals: 'A', type: 'work' }, false])
  assert.equal(fitsRest({ emails: [{ value: 'a', type: 'work', primary: true }] }), true)
  assert.equal(fitsRest({ emails: [{ value: 'a', type: 'work' }] }), false)
  const untyped = compiled('emails[value eq "A" and type ne "work"]')
  assert.deepEqual([untyped.index, untyped.indexIsExact], [{ attribute: 'email', equals: 'A' }, false])
})

test('a conjunction uses its best index and tests only the rest', () => {
  const {
    index,
    indexIsExact,
    test: fitsRest,
  } = compiled('active eq true and displayName eq "A" and id eq "X" and manager eq "Y"')
  assert.deepEqual([index, indexIsExact], [{ attribute: 'id', equals: 'X' }, false])
  assert.equal(fitsRest(aUser({ displayName: 'a', [enterpriseUrn]: { manager: { value: 'Y' } } })), true)
  assert.equal(fitsRest(aUser({ displayName: 'b', [enterpriseUrn]: { manager: { value: 'Y' } } })), false)
})

test('active, the times of meta and alternatives that an index finds one by one are asked of the index', () => {
  const name = { attribute: 'userName', equals: 'a' }
  const rows: readonly [filter: string, index: unknown, isExact: boolean][] = [
    ['userName sw "A"', { attribute: 'prefix', of: 'userName', startsWith: 'A' }, true],
    ['externalId sw "A" and active eq true', { attribute: 'prefix', of: 'externalId', startsWith: 'A' }, false],
    ['active eq true', { attribute: 'active', equals: true }, true],
    ['active eq "False"', { attribute: 'active', equals: false }, true],
    ['active eq false and title pr', { attribute: 'active', equals: false }, false],
    ['active eq false and userName eq "a"', name, false],
    [
      'meta.created ge "2026-01-01T00:00:00Z"',
      { attribute: 'created', operator: 'ge', value: '2026-01-01T00:00:00.000Z' },
      true,
    ],
    ['userName eq "a" or id eq "b"', { attribute: 'anyOf', of: [name, { attribute: 'id', equals: 'b' }] }, true],
    [
      '(userName eq "a" or (id eq "b" or emails eq "c")) and active eq true',
      {
        attribute: 'anyOf',
        of: [name, { attribute: 'id', equals: 'b' }, { attribute: 'email', equals: 'c' }],
      },
      false,
    ],
    [
      '(userName eq "a" and title pr) or emails[type eq "work" and value eq "c"]',
      { attribute: 'anyOf', of: [name, { attribute: 'email', equals: 'c', type: 'work' }] },
      false,
    ],
  ]
  for (const [filter, index, isExact] of rows)
    assert.deepEqual([compiled(filter).index, compiled(filter).indexIsExact], [index, isExact], filter)
})

test('not, other operators, null, empty text, and alternatives with one of them use no index', () => {
  const filters = [
    'userName eq "a" or title pr',
    'userName eq "a" or active eq true',
    'userName eq "a" or meta.created ge "2026-01-01T00:00:00Z"',
    'active ne true',
    'active eq null',
    'active pr',
    'not (id eq "a")',
    'title sw "a"',
    'userName sw ""',
    'userName sw "\\ud800"',
    'userName co "a"',
    'userName sw "a" or id eq "b"',
    'id ne "a"',
    'externalId eq null',
    'externalId eq ""',
  ]
  for (const filter of filters)
    assert.deepEqual([compiled(filter).index, compiled(filter).indexIsExact], [undefined, false], filter)
})

test('an attribute of an extension is not taken for the indexed one of the same name', () => {
  const { index, indexIsExact } = compiled(`${badgesUrn}:displayName eq "a"`)
  assert.deepEqual([index, indexIsExact], [undefined, false])
})

test('what a document merely inherits is no value of it', () => {
  Object.defineProperty(Object.prototype, 'nickName', { value: 'polluted', configurable: true })
  try {
    assert.equal(fits('nickName pr'), false)
  } finally {
    Reflect.deleteProperty(Object.prototype, 'nickName')
  }
})

test('times between two milliseconds are moved to the one that leaves the answer the same', () => {
  const index = (operator: string, time: string) => compiled(`meta.lastModified ${operator} "${time}"`)
  const between = '2026-01-31T12:00:00.5000001Z'
  const rows = [
    ['ge', '2026-01-31T12:00:00.501Z'],
    ['gt', '2026-01-31T12:00:00.500Z'],
    ['le', '2026-01-31T12:00:00.500Z'],
    ['lt', '2026-01-31T12:00:00.501Z'],
  ] as const
  for (const [operator, value] of rows) {
    const found = index(operator, between)
    assert.deepEqual([found.index, found.indexIsExact], [{ attribute: 'lastModified', operator, value }, true])
  }
  const equal = index('eq', '2026-01-31T13:00:00.5+01:00')
  assert.deepEqual(equal.index, { attribute: 'lastModified', operator: 'ge', value: '2026-01-31T12:00:00.500Z' })
  assert.equal(equal.indexIsExact, false)
  assert.equal(index('ge', '0000-01-01T00:00:00+14:00').index, undefined)
})

test("Entra's reference check on a group goes by the member's groups and never reads the members", () => {
  const { index, indexIsExact, needs, test: fitsRest } = compiled('id eq "X" and members eq "Y"', 'group')
  assert.deepEqual([index, indexIsExact, needs.members], [{ attribute: 'member', equals: 'Y' }, false, false])
  assert.equal(fitsRest({ id: 'X' }), true)
  assert.equal(fitsRest({ id: 'Z' }), false)
  for (const filter of ['members.value eq "Y"', 'members[value eq "Y"]']) {
    assert.equal(compiled(filter, 'group').indexIsExact, true, filter)
  }
})

test('a filter says when it has to look at the members of groups or the groups of users', () => {
  assert.deepEqual(compiled('not (members.value eq "Y")', 'group').needs, { groups: false, members: true })
  assert.deepEqual(compiled('members[value eq "Y" and display sw "A"]', 'group').needs, {
    groups: false,
    members: true,
  })
  assert.deepEqual(compiled('displayName eq "Y"', 'group').needs, { groups: false, members: false })
  assert.deepEqual(compiled('id eq "X" and groups.value eq "G"').needs, { groups: true, members: false })
  assert.deepEqual(compiled('groups[display eq "Staff"]').needs, { groups: true, members: false })
  const { test: isInG } = compiled('groups eq "G"')
  assert.equal(isInG(aUser({ groups: [{ value: 'G', display: 'Staff' }] })), true)
  assert.equal(isInG(aUser()), false)
})

test('a value that looks like a filter or a pattern is only text', () => {
  const isIt = compileTest(parseFilter('displayName eq "a\\" or id pr or \\".*(" ', schemas.group))
  assert.equal(isIt({ schemas: [groupUrn], displayName: 'a" or id pr or ".*(' }), true)
  assert.equal(isIt({ schemas: [groupUrn], displayName: 'abc' }), false)
})
