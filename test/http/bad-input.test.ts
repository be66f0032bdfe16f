/**
 * Bad input of a known caller: the right status and scimType, nothing stored, nothing asked of the platform. One of
 * each kind is in `bad-input-list.test.ts`; broken bodies, odd paths and paging in `protocol.test.ts`; hostile names in
 * `hostile.test.ts`.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { enterpriseUrn } from '../../src/scim/attribute.ts'
import { aUser, type BridgeWorld, type ScimClient, scimType, startBridgeWorld } from '../bridge-world.ts'
import { rawRequest } from './raw-request.ts'

let world: BridgeWorld
let scim: ScimClient
let user: JsonObject
let path = ''
before(async () => {
  world = await startBridgeWorld()
  scim = world.scim('figshare')
  const created = await scim.post('/Users', aUser())
  assert.equal(created.status, 201, created.text)
  user = created.body
  path = `/Users/${user.id}`
})
after(() => world.stop())

type Answer = Awaited<ReturnType<ScimClient['get']>>

/** Everything that a refused request must leave as it was. */
async function traces(): Promise<unknown> {
  const users = await scim.get('/Users?count=1000')
  const groups = await scim.get('/Groups?count=1000')
  return { users: users.body, groups: groups.body, calls: world.sandbox.figshare.calls.length }
}

async function isRefused(status: number, word: string | undefined, ask: () => PromiseLike<Answer>): Promise<void> {
  const before = await traces()
  const answer = await ask()
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.body.scimType, word, answer.text)
  assert.equal(answer.body.status, String(status))
  assert.equal(answer.headers['content-type'], scimType)
  assert.doesNotMatch(answer.text, /node_modules|\.ts:\d|TypeError|SQLITE/)
  assert.deepEqual(await traces(), before)
}

const many = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, index) => make(index))
const bodyText = (text: string) => JSON.stringify(aUser()).replace(/}$/, `,${text}}`)

describe('a new user is refused', () => {
  const bodies: readonly [what: string, scimType: string | undefined, body: () => unknown, status?: number][] = [
    ['with a name twice, once in escapes', 'invalidSyntax', () => bodyText('"title":"a","t\\u0069tle":"a"')],
    ['with a name twice in an inner object', 'invalidSyntax', () => bodyText('"roles":[{"value":"a","value":"b"}]')],
    ['with a name in two letter cases', 'invalidValue', () => bodyText('"title":"a","TITLE":"b"')],
    ['with half a surrogate pair', 'invalidValue', () => bodyText('"title":"\\ud83d"')],
    ['with a control character in userName', 'invalidValue', () => aUser({ userName: 'a\u0007b' })],
    ['with a text of 11,000 characters', 'invalidValue', () => aUser({ title: 'x'.repeat(11_000) })],
    ['with a number that is too large for one', 'invalidValue', () => bodyText('"title":1e999')],
    ['with a list for a text', 'invalidValue', () => aUser({ title: ['Dean'] })],
    ['with a text for an object', 'invalidValue', () => aUser({ name: 'Ada' })],
    ['with null for the userName', 'invalidValue', () => aUser({ userName: null })],
    ['with empty schemas', 'invalidSyntax', () => aUser({ schemas: [] })],
    ['with active 1e999', 'invalidValue', () => bodyText('"ACTIVE":1e999')],
    ['with active [true]', 'invalidValue', () => aUser({ active: [true] })],
    ['with 2,000 names', 'invalidSyntax', () => aUser(Object.fromEntries(many(2_000, (n) => [`name${n}`, n])))],
  ]
  for (const [what, word, body, status = 400] of bodies) {
    test(what, () => isRefused(status, word, () => scim.post('/Users', body())))
  }
})

test('an odd body that says nothing wrong is taken: a byte order mark, nulls, unknown names, a quoted boolean', async () => {
  const plain = aUser()
  const answers = [
    await scim.post('/Users', `\ufeff${JSON.stringify(aUser())}`),
    await scim.post('/Users', aUser({ title: null, phoneNumbers: [], nickName: null, roles: [null], meta: null })),
    await scim.post('/Users', aUser({ flavour: 'sweet', 'urn:unknown': { deep: [{ er: 1 }] } })),
    await scim.post('/Users', aUser({ id: 'mine', groups: [{ value: 'g' }], meta: { version: 'W/"9"' } })),
    await scim.post('/Users', { ...plain, active: 'False' }),
  ]
  for (const answer of answers) {
    assert.equal(answer.status, 201, answer.text)
    const names = ['title', 'nickName', 'roles', 'flavour', 'urn:unknown', 'groups']
    assert.deepEqual(
      names.filter((name) => name in answer.body),
      [],
    )
    assert.notEqual(answer.body.id, 'mine')
  }
  assert.equal(answers.at(-1)?.body.active, false)
})

describe('a PATCH is refused', () => {
  const patches: readonly [what: string, scimType: string, operations: unknown][] = [
    ['with another id, without path', 'mutability', [{ op: 'replace', value: { id: 'x', title: 'Dean' } }]],
    ['of meta', 'mutability', [{ op: 'replace', path: 'meta.created', value: '2020-01-01T00:00:00Z' }]],
    ['of groups', 'mutability', [{ op: 'add', path: 'groups', value: [{ value: 'x' }] }]],
    ['that removes the userName', 'mutability', [{ op: 'remove', path: 'userName' }]],
    ['with a text for an operation', 'invalidSyntax', ['add']],
    ['with a number for a path', 'invalidPath', [{ op: 'add', path: 1, value: 'x' }]],
    ['with an unknown path', 'invalidPath', [{ op: 'add', path: 'flavour', value: 'x' }]],
    ['with a path of 100 kB', 'invalidPath', [{ op: 'add', path: 'a'.repeat(100_000), value: 'x' }]],
    [
      'with an open filter in the path',
      'invalidPath',
      [{ op: 'add', path: 'emails[type eq "work".value', value: 'x' }],
    ],
    ['with null and no path', 'invalidValue', [{ op: 'add', value: null }]],
    ['with an object for a text', 'invalidValue', [{ op: 'add', path: 'title', value: { value: 'x' } }]],
    ['with half a surrogate pair', 'invalidValue', [{ op: 'add', path: 'title', value: '\ud800' }]],
    [
      'whose last operation is wrong',
      'invalidPath',
      [
        { op: 'replace', path: 'title', value: 'Dean' },
        { op: 'replace', path: 'active', value: false },
        { op: 'replace', path: 'flavour', value: 'sweet' },
      ],
    ],
    [
      'with hundreds of long filters',
      'tooMany',
      many(250, () => ({
        op: 'remove',
        path: `emails[${many(99, () => 'value eq "somebody@uni.example"').join(' or ')}]`,
      })),
    ],
  ]
  for (const [what, word, operations] of patches) {
    test(what, () => isRefused(400, word, () => scim.patch(path, operations)))
  }
})

test('a PATCH may be odd and mean something: casing, flat keys, nested extensions, one value without its list', async () => {
  const { body } = await scim.post('/Users', aUser())
  const answer = await scim.patch(`/Users/${body.id}`, [
    { op: 'Replace', path: 'NAME.givenname', value: 'Augusta' },
    { op: 'add', value: { 'name.middleName': 'King', [`${enterpriseUrn}:department`]: 'Maths' } },
    { op: 'ADD', path: enterpriseUrn, value: { schemas: [enterpriseUrn], division: 'Engines' } },
    { op: 'add', path: 'roles', value: { value: 'reader' } },
    { op: 'add', path: 'roles', value: [{ value: 'writer' }] },
    { op: 'add', path: 'password', value: 'correct horse battery' },
  ])
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.body.name.givenName, 'Augusta')
  assert.equal(answer.body.name.middleName, 'King')
  assert.deepEqual(answer.body[enterpriseUrn], { division: 'Engines', department: 'Maths' })
  assert.deepEqual(
    answer.body.roles.map((role: JsonObject) => role.value),
    ['reader', 'writer'],
  )
  assert.doesNotMatch((await scim.get(`/Users/${body.id}?attributes=password,userName`)).text, /battery|password/)
})

describe('a list is refused', () => {
  const queries: readonly [what: string, scimType: string, query: Readonly<Record<string, string>>][] = [
    ['with one bracket too many', 'invalidFilter', { filter: 'userName eq "x")' }],
    ['with a filter without value', 'invalidFilter', { filter: 'userName eq' }],
    ['with a filter on what is unknown', 'invalidFilter', { filter: 'flavour eq "x"' }],
    ['with a filter on the password', 'invalidFilter', { filter: 'password sw "a"' }],
    ['with a number that is too large for one', 'invalidFilter', { filter: 'title eq 1e999' }],
    ['with an empty filter', 'invalidFilter', { filter: '' }],
    ['with a count that is no number', 'invalidValue', { count: 'abc' }],
    ['with half a row', 'invalidValue', { count: '1.5' }],
    ['with a startIndex beyond all numbers', 'invalidValue', { startIndex: '1e400' }],
    ['sorted in no order', 'invalidValue', { sortBy: 'userName', sortOrder: 'sideways' }],
    ['with both projections', 'invalidValue', { attributes: 'userName', excludedAttributes: 'emails' }],
  ]
  for (const [what, word, query] of queries) {
    test(what, () => isRefused(400, word, () => scim.get(`/Users?${new URLSearchParams(query)}`)))
  }
})

test('a filter that tries to be more than a value finds nobody, and touches nobody', async () => {
  const before = await traces()
  for (const value of [`x" or userName sw "p`, `' or 1=1 --`, '%', '_', '*', '\ud800', 'a\u0000b', '$(x)', '{{x}}']) {
    for (const name of ['userName', 'id', 'externalId', 'emails.value', 'emails[type eq "work"].value']) {
      const filter = `${name} eq ${JSON.stringify(value)}`
      const answer = await scim.get(`/Users?filter=${encodeURIComponent(filter)}`)
      assert.equal(answer.status, 200, answer.text)
      assert.equal(answer.body.totalResults, 0, filter)
    }
  }
  assert.deepEqual(await traces(), before)
})

test('sixteen pairs of alternatives are evaluated as they are written', async () => {
  const pairs = many(16, (n) => `(title eq "a${n}" or userName pr)`).join(' and ')
  const answer = await scim.get(`/Users?filter=${encodeURIComponent(pairs)}`)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.body.totalResults, (await scim.get('/Users?count=0')).body.totalResults)
})

test('paths with empty segments lead nowhere, and dots are an id like any other', async () => {
  const ask = (target: string) =>
    rawRequest(
      world.url,
      `GET ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${world.tokens.get('figshare')}\r\n\r\n`,
    )
  for (const target of [
    '//Users',
    '/Users//x',
    '/%2e%2e/Users',
    '/Users/../Groups',
    '/Users/%2e%2e%2fGroups',
    '/Users/%00',
  ]) {
    assert.match(await ask(`/figshare/scim/v2${target}`), /^HTTP\/1.1 404/, target)
  }
})
