import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ScimType } from '../../src/errors.ts'
import { compileValueTest } from '../../src/scim/filter-compile.ts'
import { parseFilter, parseValueFilter } from '../../src/scim/filter-parse.ts'
import { printFilter } from '../../src/scim/filter-tree.ts'
import { badgesUrn, fits, problemOf, schemas } from './filter-world.ts'

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

function parse(filter: string) {
  return parseFilter(filter, schemas.user)
}

function assertRefused(filter: string, message: string, scimType: ScimType = 'invalidFilter'): void {
  const problem = problemOf(() => parse(filter))
  assert.deepEqual([problem.status, problem.scimType, problem.message], [400, scimType, message])
}

test('names, operators and keywords are understood in any letter case', () => {
  assert.equal(
    printFilter(parse('NOT (USERNAME EQ "a") AND Emails[TYPE eQ "work"] Or Name.GIVENNAME PR')),
    'not (userName eq "a") and emails[type eq "work"] or name.givenName pr',
  )
})

test('and binds closer than or, brackets closer than both, and lists of one kind are one list', () => {
  assert.equal(
    printFilter(parse('title pr or (active eq true and ((nickName pr))) and (locale pr or (timezone pr or id pr))')),
    'title pr or active eq true and nickName pr and (locale pr or timezone pr or id pr)',
  )
})

test('names with the URN of their schema are the same names', () => {
  assert.deepEqual(parse('urn:ietf:params:scim:schemas:core:2.0:User:userName eq "a"'), parse('userName eq "a"'))
  assert.deepEqual(parse(`${enterprise}:department eq "a"`), parse('department eq "a"'))
  assert.deepEqual(parse(`${enterprise}.manager eq "a"`), parse('manager.value eq "a"'))
})

test('redundant brackets, brackets within quotes, and escaped quotes are read as written', () => {
  assert.equal(printFilter(parse('((userName eq "x"))')), 'userName eq "x"')
  assert.equal(fits('displayName eq "ada (at home)"'), true)
  assert.equal(printFilter(parse('title eq "a \\"b\\" ] ) \\\\"')), 'title eq "a \\"b\\" ] ) \\\\"')
})

test('blanks between words may be tabs or line ends, and may be absent where nothing is ambiguous', () => {
  assert.deepEqual(parse(' userName\teq\r\n"x"and(title pr) '), parse('userName eq "x" and title pr'))
})

test('booleans and numbers may be quoted, in any letter case', () => {
  assert.deepEqual(parse('active eq "True"'), parse('active eq true'))
  assert.deepEqual(parse('active eq FALSE'), parse('active eq "false"'))
  assert.deepEqual(parse(`${badgesUrn}:level ge "3"`), parse(`${badgesUrn}:level ge 3.0`))
})

test('a condition after the bracket joins the conditions within it', () => {
  assert.deepEqual(
    parse('emails[type eq "work"].value eq "ada@uni.example"'),
    parse('emails[type eq "work" and value eq "ada@uni.example"]'),
  )
  assert.equal(
    printFilter(parse('emails[type eq "work" or primary eq true].value pr')),
    'emails[(type eq "work" or primary eq true) and value pr]',
  )
})

test('a filter in a PATCH path names the parts of its attribute', () => {
  const emails = schemas.user.core.get('emails')
  assert.ok(emails)
  const isWork = compileValueTest(parseValueFilter('TYPE eq "Work" and primary eq "True"', emails))
  assert.equal(isWork({ value: 'x', type: 'work', primary: true }), true)
  assert.equal(isWork({ value: 'x', type: 'work' }), false)
  assert.equal(problemOf(() => parseValueFilter('userName eq "x"', emails)).scimType, 'invalidFilter')
})

test('the values of a simple multi-valued attribute are named value within the bracket', () => {
  assert.equal(fits(`${badgesUrn}:tags[value eq "red"]`), true)
  assert.equal(fits(`${badgesUrn}:tags[value eq "green"]`), false)
  assert.equal(problemOf(() => parse(`${badgesUrn}:tags[type eq "red"]`)).scimType, 'invalidFilter')
})

test('a filter that is not understood is refused, and the answer names the column', () => {
  assertRefused('userName eq', "The filter is wrong at column 12: a value is expected after 'eq'")
  assertRefused('', 'The filter is wrong at column 1: an attribute name is expected')
  assertRefused(
    'userName zz "x"',
    'The filter is wrong at column 10: pr, eq, ne, co, sw, ew, gt, ge, lt or le is expected',
  )
  assertRefused('shoeSize eq "x"', 'The filter is wrong at column 1: User has no attribute of this name')
  assertRefused('name.shoeSize eq "x"', 'The filter is wrong at column 1: User has no attribute of this name')
  assertRefused('urn:x:Other:1.0:User:a eq "x"', 'The filter is wrong at column 1: User has no attribute of this name')
  assertRefused('title pr extra', "The filter is wrong at column 10: 'and', 'or' or the end is expected")
  assertRefused('(title pr', 'The filter is wrong at column 10: the bracket of column 1 is not closed here')
  assertRefused('emails[type pr] .value pr', "The filter is wrong at column 17: 'and', 'or' or the end is expected")
  assertRefused('title pr)', "The filter is wrong at column 9: 'and', 'or' or the end is expected")
  assertRefused('not title pr', "The filter is wrong at column 5: 'not' needs a bracket after it")
  assertRefused('emails[type eq "work"', "The filter is wrong at column 22: ']' is expected")
  assertRefused('emails[colour eq "x"]', 'The filter is wrong at column 8: emails has no part of this name')
  assertRefused('userName[value eq "x"]', "The filter is wrong at column 1: userName has no parts for '['")
  assertRefused('emails[value[type pr]]', "The filter is wrong at column 8: value has no parts for '['")
  assertRefused('title eq work', 'The filter is wrong at column 10: a text has to be in quotes')
  assertRefused('title eq "work', 'The filter is wrong at column 10: the closing quote is missing')
  assertRefused(
    'title eq "wo\nrk"',
    'The filter is wrong at column 10: the text in quotes is not valid JSON; write \\" and \\\\ for quotes and backslashes',
  )
  assertRefused('tïtle pr', 'The filter is wrong at column 2: this character is possible only within quotes')
})

test('a value that does not fit the attribute is refused', () => {
  assertRefused('userName eq 5', 'The filter is wrong at column 13: userName is compared with a text in quotes')
  assertRefused('active eq "maybe"', 'The filter is wrong at column 11: active is compared with true or false')
  assertRefused(
    'meta.created gt "yesterday"',
    'The filter is wrong at column 17: created is compared with a time such as "2026-01-31T12:00:00Z"',
  )
  assertRefused(
    `${badgesUrn}:level eq "high"`,
    `The filter is wrong at column ${badgesUrn.length + 11}: level is compared with a number`,
  )
  assertRefused('title gt null', "The filter is wrong at column 10: 'gt' cannot compare with null; use eq, ne or pr")
  assertRefused('name eq "Ada"', 'The filter is wrong at column 6: name the part of name to be compared')
})

test('gt, ge, lt and le on a boolean or binary attribute are refused', () => {
  for (const operator of ['gt', 'ge', 'lt', 'le']) {
    assertRefused(
      `active ${operator} true`,
      `The filter is wrong at column 8: '${operator}' cannot compare active, which has no order`,
    )
    assert.equal(problemOf(() => parse(`x509Certificates.value ${operator} "AbC="`)).scimType, 'invalidFilter')
    assert.equal(problemOf(() => parse(`emails[primary ${operator} true]`)).scimType, 'invalidFilter')
  }
  assertRefused('active co "tr"', "The filter is wrong at column 8: 'co' cannot search active, which is no text")
})

test('a password cannot be searched, in any letter case, and neither can the state of provisioning', () => {
  assertRefused('password eq "x"', 'The filter is wrong at column 1: password cannot be searched')
  assertRefused('userName pr and PassWord sw "a"', 'The filter is wrong at column 17: password cannot be searched')
  const state = 'urn:scim-bridge:params:scim:schemas:extension:1.0:Provisioning:state eq "failed"'
  assert.equal(problemOf(() => parse(state)).scimType, 'invalidFilter')
})

test('a filter has its limits in bytes, levels and comparisons', () => {
  const levels = (count: number) => `${'('.repeat(count)}title pr${')'.repeat(count)}`
  const comparisons = (count: number) => Array(count).fill('title pr').join(' or ')
  assert.equal(printFilter(parse(levels(32))), 'title pr')
  assertRefused(levels(33), 'The filter is wrong at column 33: more than 32 levels of brackets')
  assert.equal(problemOf(() => parse(`${'not ('.repeat(17)}title pr${')'.repeat(17)}`)).scimType, 'invalidFilter')
  assert.equal(fits(comparisons(100)), false)
  assert.match(problemOf(() => parse(comparisons(101))).message, /more than 100 comparisons/)
  assert.equal(fits(`title eq "${'é'.repeat(2000)}"`), false)
  assertRefused(`title eq "${'é'.repeat(2045)}"`, 'The filter is wrong at column 4097: it is longer than 4096 bytes')
})
