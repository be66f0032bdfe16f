import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keptBody, keptDetail, keptQuery, maskedFilter } from '../../src/http/masked.ts'

for (const [text, masked] of [
  ['userName eq "ada@uni.example"', 'userName eq …'],
  ['userName eq "a\\"b" and active eq true', 'userName eq … and active eq true'],
  ['emails[type eq "work" and value ew "@uni.example"].value', 'emails[type eq … and value ew …].value'],
  ['userName eq ada@uni.example', 'userName eq …'],
  ['userName Eq "unterminated ada', 'userName Eq …'],
  ['meta.lastModified gt "2026-01-01T00:00:00Z" or not (id eq "x")', 'meta.lastModified gt … or not (id eq …)'],
  ['"ada@uni.example"', '…'],
  ["displayName eq 'Ada Lovelace'", 'displayName eq …'],
  ['(name.familyName sw Love lace) or active eq false', '(name.familyName sw …'],
  ['emails[value eq "a"] and (userName sw "b" or title pr)', 'emails[value eq …] and (userName sw … or title pr)'],
] as const) {
  test(`of the filter ${text} an operator sees ${masked}`, () => assert.equal(maskedFilter(text), masked))
}

test('of a query only what is no value is kept, and no secret in any setting', () => {
  const query = 'filter=userName+eq+%22ada%22&count=5&cursor=eyJ&attributes=name&access_token=abc&odd=ada'
  const masked = 'filter=userName eq …&count=5&cursor=…&attributes=name&access_token=[removed]&odd=…'
  assert.equal(keptQuery(query, 'masked'), masked)
  assert.match(keptQuery(query, 'full') ?? '', /cursor=eyJ.*access_token=\[removed\].*odd=ada/)
  assert.equal(keptQuery(query, 'none'), undefined)
})

test('a value that a mapping refuses is not kept with what was wrong about it', () => {
  const detail = "user.attributes.group_id: 'O'Brien' is not in table 'institutes'"
  assert.equal(keptDetail(detail, 'masked'), 'user.attributes.group_id: …')
  assert.equal(keptDetail(detail, 'full'), detail)
  const own = "The platform refuses the bridge's own credentials; the bridge's operator has to renew them."
  assert.equal(keptDetail(own, 'none'), own)
})

test('secrets are removed from a body wherever they stand', () => {
  const body = {
    password: 'hunter2',
    'urn:x:User:password': 'hunter2',
    nested: [{ clientSecret: 'hunter2', path: 'Password', value: { deep: 'hunter2' } }],
    Operations: [{ op: 'add', path: 'urn:x:User:password', value: 'hunter2' }],
  }
  for (const kept of ['masked', 'full'] as const) assert.doesNotMatch(keptBody(body, kept) ?? '', /hunter2/)
})

test('secrets are removed from operations in any letter case, and from filters', () => {
  const body = {
    Operations: [{ Op: 'replace', Path: 'password', Value: 'hunter2' }],
    filter: 'password eq "hunter2"',
  }
  for (const kept of ['masked', 'full'] as const) {
    assert.doesNotMatch(keptBody(body, kept) ?? '', /hunter2/)
    assert.equal(keptQuery('filter=password+eq+%22hunter2%22', kept), 'filter=password eq …')
  }
  assert.equal(keptQuery('filter=userName+eq+%22ada%22', 'full'), 'filter=userName eq "ada"')
})

test('what is no filter, and what an extension calls like a word of the protocol, are values', () => {
  assert.equal(keptQuery('filter=ada@uni.example', 'masked'), 'filter=…')
  const own = 'urn:scim-bridge:params:scim:schemas:extension:1.0:Provisioning'
  const body = {
    'urn:example:campus:2.0:User': { status: 'on parental leave', location: ['Room 5'], active: true },
    [own]: { state: 'applied' },
    meta: { location: 'https://scim.uni.example/Users/1' },
  }
  assert.deepEqual(JSON.parse(keptBody(body, 'masked') ?? ''), {
    'urn:example:campus:2.0:User': { status: '…', location: ['…'], active: true },
    [own]: { state: 'applied' },
    meta: { location: 'https://scim.uni.example/Users/1' },
  })
})

test('long lists and long bodies are cut', () => {
  const members = Array.from({ length: 5_000 }, (_, n) => ({ value: `member ${n}` }))
  const text = keptBody({ members, note: 'x'.repeat(20_000) }, 'full') ?? ''
  assert.ok(text.length <= 8_001)
  assert.match(keptBody({ members }, 'full') ?? '', /… and 4950 more/)
})
