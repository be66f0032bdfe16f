/**
 * Sixty-four kinds of bad input, each by its number: the right status and scimType, nothing stored, nothing asked of the
 * platform; and what looks bad but is what providers send is taken. More of each kind is in `bad-input.test.ts`.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { enterpriseUrn, groupUrn, userUrn } from '../../src/scim/attribute.ts'
import { aUser, type BridgeWorld, type ScimClient, scimType, startBridgeWorld } from '../bridge-world.ts'
import { rawRequest } from './raw-request.ts'

const campus = 'urn:example:params:scim:schemas:extension:campus:2.0:User'
const base = '/figshare/scim/v2'
let world: BridgeWorld
let scim: ScimClient
let path = ''
let userName = ''
before(async () => {
  world = await startBridgeWorld(({ connections }) => {
    assert.ok(isJsonObject(connections) && isJsonObject(connections.figshare))
    connections.figshare.extensions = { [campus]: { attributes: { seats: { type: 'integer' } } } }
  })
  scim = world.scim('figshare')
  const created = await scim.post('/Users', aUser())
  assert.equal(created.status, 201, created.text)
  path = `/Users/${created.body.id}`
  userName = created.body.userName
})
after(() => world.stop())

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: JsonObject
  readonly text: string
}
type Ask = () => PromiseLike<Answer>

const many = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, index) => make(index))
const post =
  (change: JsonObject): Ask =>
  () =>
    scim.post('/Users', aUser(change))
const postText =
  (text: () => string): Ask =>
  () =>
    scim.post('/Users', text())
/** A whole user with this beside everything else. */
const beside = (text: string): Ask => postText(() => JSON.stringify(aUser()).replace(/}$/, `,${text}}`))
const patch =
  (operations: unknown): Ask =>
  () =>
    scim.patch(path, operations)
const list =
  (query: Record<string, string>): Ask =>
  () =>
    scim.get(`/Users?${new URLSearchParams(query)}`)
const head = () => `Host: x\r\nAuthorization: Bearer ${world.tokens.get('figshare')}\r\nContent-Type: ${scimType}\r\n`

async function parsed(asking: Promise<string>): Promise<Answer> {
  const text = await asking
  const [top = '', rest = ''] = text.split('\r\n\r\n', 2)
  const [line = '', ...lines] = top.split('\r\n')
  const headers = Object.fromEntries(
    lines.map((one) => [one.slice(0, one.indexOf(':')).toLowerCase(), one.slice(one.indexOf(':') + 2)]),
  )
  return { status: Number(line.split(' ')[1]), headers, body: rest === '' ? {} : JSON.parse(rest), text: rest }
}
const get =
  (target: string): Ask =>
  () =>
    parsed(rawRequest(world.url, `GET ${base}${target} HTTP/1.1\r\n${head()}\r\n`))
const bytes =
  (body: Buffer): Ask =>
  () =>
    parsed(
      rawRequest(
        world.url,
        Buffer.concat([
          Buffer.from(`POST ${base}/Users HTTP/1.1\r\n${head()}Content-Length: ${body.length}\r\n\r\n`),
          body,
        ]),
      ),
    )

/** As a client does that does not know yet how much it is going to send. */
function chunked(text: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      Authorization: `Bearer ${world.tokens.get('figshare')}`,
      'Content-Type': scimType,
      'Transfer-Encoding': 'chunked',
    }
    const sending = httpRequest(`${world.url}${base}/Users`, { method: 'POST', headers }, (received) => {
      const parts: Buffer[] = []
      received.on('data', (part: Buffer) => parts.push(part))
      received.on('end', () => {
        const answer = Buffer.concat(parts).toString()
        const type = String(received.headers['content-type'])
        resolve({
          status: received.statusCode ?? 0,
          headers: { 'content-type': type },
          body: JSON.parse(answer),
          text: answer,
        })
      })
    })
    sending.on('error', reject)
    sending.end(text)
  })
}

/** Everything that a refused request must leave as it was. */
async function traces(): Promise<unknown> {
  const users = await scim.get('/Users?count=1000')
  const groups = await scim.get('/Groups?count=1000')
  return { users: users.body, groups: groups.body, calls: world.sandbox.figshare.calls.length }
}

const refused: readonly [number: number, what: string, status: number, scimType: string | undefined, ask: Ask][] = [
  [1, 'an empty body', 400, 'invalidSyntax', postText(() => '')],
  [2, 'half a body', 400, 'invalidSyntax', postText(() => '{')],
  [3, 'a list for a body', 400, 'invalidSyntax', postText(() => JSON.stringify([aUser()]))],
  [4, 'a text for a body', 400, 'invalidSyntax', postText(() => '"userName"')],
  [5, 'a body of one byte too many', 413, undefined, postText(() => JSON.stringify(aUser()).padEnd(1_048_577))],
  [6, '33 levels', 400, 'invalidSyntax', beside(`"x":${'['.repeat(32)}${']'.repeat(32)}`)],
  [7, '1,000 levels', 400, 'invalidSyntax', beside(`"x":${'['.repeat(999)}${']'.repeat(999)}`)],
  [8, 'a key twice', 400, 'invalidSyntax', beside('"title":"a","title":"b"')],
  [9, 'a key __proto__', 400, 'invalidSyntax', beside('"__proto__":{"polluted":true}')],
  [10, 'a key constructor', 400, 'invalidSyntax', beside('"constructor":{"polluted":true}')],
  [11, 'a nested key prototype', 400, 'invalidSyntax', beside('"name":{"prototype":{"polluted":true}}')],
  [13, 'UTF-16', 400, 'invalidSyntax', () => bytes(Buffer.from(JSON.stringify(aUser()), 'utf16le'))()],
  [14, 'bytes that are no UTF-8', 400, 'invalidSyntax', bytes(Buffer.from('{"userName":"\xff\xfe"}', 'latin1'))],
  [15, 'half a surrogate pair', 400, 'invalidValue', beside('"title":"\\ud83d"')],
  [16, 'NUL', 400, 'invalidValue', beside('"title":"a\\u0000b"')],
  [17, 'a name that turns the reading direction', 400, 'invalidValue', post({ displayName: 'a\u202eb' })],
  [18, 'a text of 10 MB', 413, undefined, post({ title: 'x'.repeat(10_000_000) })],
  [19, 'a number for a text', 400, 'invalidValue', post({ title: 7 })],
  [20, 'a text for a number', 400, 'invalidValue', post({ [campus]: { seats: 'seven' } })],
  [21, 'null for everything', 400, 'invalidValue', post({ userName: null, name: null, emails: null, active: null })],
  [22, 'gzip', 415, undefined, () => scim.post('/Users', aUser(), { 'Content-Encoding': 'gzip' })],
  [
    23,
    'chunks beyond the limit',
    413,
    undefined,
    () => chunked(JSON.stringify(aUser({ title: 'x'.repeat(1_100_000) }))),
  ],
  [25, 'no schemas', 400, 'invalidSyntax', () => scim.post('/Users', { userName: 'ada' })],
  [26, 'the schema of a group', 400, 'invalidSyntax', post({ schemas: [groupUrn] })],
  [28, 'no userName', 400, 'invalidValue', () => scim.post('/Users', { schemas: [userUrn] })],
  [29, 'an empty userName', 400, 'invalidValue', post({ userName: '' })],
  [30, 'a userName of white space', 400, 'invalidValue', post({ userName: ' \t\u00a0 ' })],
  [
    31,
    '10,000 e-mail addresses',
    400,
    'invalidValue',
    post({ emails: many(10_000, (n) => ({ value: `${n}@x.example` })) }),
  ],
  [
    32,
    'two primaries',
    400,
    'invalidValue',
    post({ emails: many(2, (n) => ({ value: `${n}@x.example`, primary: true })) }),
  ],
  [34, 'active "maybe"', 400, 'invalidValue', post({ active: 'maybe' })],
  [35, 'active 0', 400, 'invalidValue', post({ active: 0 })],
  [36, 'active {}', 400, 'invalidValue', post({ active: { value: true } })],
  [38, 'another id in a PATCH', 400, 'mutability', patch([{ op: 'replace', path: 'id', value: 'x' }])],
  [40, '1,001 operations', 400, 'tooMany', patch(many(1_001, () => ({ op: 'add', path: 'title', value: 'x' })))],
  [41, 'an unknown op', 400, 'invalidSyntax', patch([{ op: 'move', path: 'title', value: 'x' }])],
  [
    43,
    'a bad filter in a path',
    400,
    'invalidFilter',
    patch([{ op: 'add', path: 'emails[type ?? "x"].value', value: 'x' }]),
  ],
  [44, 'a remove without path', 400, 'noTarget', patch([{ op: 'remove' }])],
  [49, 'a replace without value', 400, 'invalidValue', patch([{ op: 'replace', path: 'title' }])],
  [51, '2,000 brackets', 400, 'invalidFilter', list({ filter: `${'('.repeat(2_000)}title pr${')'.repeat(2_000)}` })],
  [52, '300 alternatives', 400, 'invalidFilter', list({ filter: many(300, (n) => `id eq "${n}"`).join(' or ') })],
  [53, 'an unbalanced bracket', 400, 'invalidFilter', list({ filter: '(userName eq "x"' })],
  [57, 'a parameter twice', 400, 'invalidValue', () => scim.get('/Users?count=1&count=2')],
  [58, 'an order by what is unknown', 400, 'invalidValue', list({ sortBy: 'flavour' })],
  [59, 'a forged cursor', 400, 'invalidCursor', list({ cursor: 'WzEsMTAwLDFd.AAAAAAAAAAAAAAAAAAAAAA' })],
  [61, 'another media type', 415, undefined, () => scim.post('/Users', '<x/>', { 'Content-Type': 'text/xml' })],
  [62, 'another method', 405, undefined, () => scim.put('/Users', aUser())],
  [64, 'a path of 8 kB', 404, undefined, () => scim.get(`/Users/${'x'.repeat(8_192)}`)],
]

/** What is refused in several ways, or not by an answer of ours. */
const severally: readonly [
  number: number,
  what: string,
  answers: readonly [status: number, scimType: string | undefined, ask: Ask][],
][] = [
  [
    39,
    'Operations that are missing, empty or no list',
    [
      [400, 'invalidSyntax', patch([])],
      [400, 'invalidSyntax', patch({ op: 'add', path: 'title', value: 'x' })],
      [400, 'invalidSyntax', patch(undefined)],
    ],
  ],
  [
    63,
    'dots, empty segments and broken percent signs in a path',
    [
      [404, undefined, get('/Users/%2e%2e%2fGroups')],
      [404, undefined, get('/%2e%2e/Users')],
      [404, undefined, get('//Users')],
      [404, undefined, get('/Users//x')],
      [400, 'invalidSyntax', get('/Users/%')],
      [400, 'invalidSyntax', get('/Users/%E0%A4%A')],
    ],
  ],
]

async function isRefused(status: number, word: string | undefined, ask: Ask): Promise<void> {
  const answer = await ask()
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.body.scimType, word, answer.text)
  assert.equal(answer.body.status, String(status))
  assert.equal(answer.headers['content-type'], scimType)
  assert.doesNotMatch(answer.text, /node_modules|\.ts:\d|TypeError|SQLITE/)
  assert.equal(Reflect.get({}, 'polluted'), undefined)
}

describe('bad input is refused, and leaves no trace:', () => {
  for (const [number, what, status, word, ask] of refused) {
    test(`${number} ${what}`, async () => {
      const before = await traces()
      await isRefused(status, word, ask)
      assert.deepEqual(await traces(), before)
    })
  }
  for (const [number, what, answers] of severally) {
    test(`${number} ${what}`, async () => {
      const before = await traces()
      for (const [status, word, ask] of answers) await isRefused(status, word, ask)
      assert.deepEqual(await traces(), before)
    })
  }

  test('24 a body that is longer, or shorter, than announced', async () => {
    const before = await traces()
    const text = JSON.stringify(aUser())
    const announced = (length: number) =>
      `POST ${base}/Users HTTP/1.1\r\n${head()}Content-Length: ${length}\r\n\r\n${text}`
    assert.match(await rawRequest(world.url, announced(text.length - 5)), /^HTTP\/1.1 400/)
    assert.doesNotMatch(await rawRequest(world.url, announced(text.length + 5)), /^HTTP\/1.1 [25]/)
    const both = `POST ${base}/Users HTTP/1.1\r\n${head()}Content-Length: ${text.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
    assert.match(await rawRequest(world.url, both), /^HTTP\/1.1 400/)
    assert.deepEqual(await traces(), before)
  })
})

async function taken(ask: Ask, status = 200): Promise<JsonObject> {
  const answer = await ask()
  assert.equal(answer.status, status, answer.text)
  return answer.body
}

describe('what only looks bad is taken:', () => {
  test('12 a byte order mark', async () => {
    await taken(
      postText(() => `\ufeff${JSON.stringify(aUser())}`),
      201,
    )
  })

  test('27 an unknown attribute, which is left out', async () => {
    const body = await taken(post({ flavour: 'sweet', 'urn:unknown': { deep: [{ er: 1 }] } }), 201)
    assert.deepEqual(
      ['flavour', 'urn:unknown'].filter((name) => name in body),
      [],
    )
  })

  test('33 active "False"', async () => {
    assert.equal((await taken(post({ active: 'False' }), 201)).active, false)
  })

  test('37 an id in a PUT that is not the one of the path, which is ignored', async () => {
    const user = aUser()
    const { id } = await taken(() => scim.post('/Users', user), 201)
    const body = await taken(() => scim.put(`/Users/${id}`, { ...user, id: 'another', title: 'Dean' }))
    assert.deepEqual([body.id, body.title], [id, 'Dean'])
  })

  test('42 op, attributes, sub-attributes and URNs in any letter case', async () => {
    const operations = [
      { OP: 'Replace', PATH: 'NAME.givenname', Value: 'Augusta' },
      { op: 'ADD', path: `${enterpriseUrn.toUpperCase()}:DEPARTMENT`, value: 'Maths' },
    ]
    const body = await taken(patch(operations))
    assert.equal((body.name as JsonObject).givenName, 'Augusta')
    assert.deepEqual(body[enterpriseUrn], { department: 'Maths' })
  })

  test('45 a member that is removed by a filter, with a quote in it, too', async () => {
    const id = path.slice('/Users/'.length)
    const group = await taken(() => scim.post('/Groups', { schemas: [groupUrn], displayName: 'R', members: [id] }), 201)
    const remove = (filter: string) => scim.patch(`/Groups/${group.id}`, [{ op: 'remove', path: `members[${filter}]` }])
    assert.equal((await remove('value eq "a\\"b"')).status, 204)
    assert.equal(((await scim.get(`/Groups/${group.id}`)).body.members ?? []).length, 1)
    assert.equal((await remove(`value eq "${id}"`)).status, 204)
    assert.equal('members' in (await scim.get(`/Groups/${group.id}`)).body, false)
  })

  test('46 one value without its list, and a list of one for a single value', async () => {
    const body = await taken(
      patch([
        { op: 'add', path: 'roles', value: { value: 'reader' } },
        { op: 'add', path: 'roles', value: [{ value: 'writer' }] },
        { op: 'add', path: 'manager', value: [{ value: 'u2' }] },
      ]),
    )
    assert.deepEqual(
      (body.roles as JsonObject[]).map(({ value }) => value),
      ['reader', 'writer'],
    )
    assert.equal(((body[enterpriseUrn] as JsonObject).manager as JsonObject).value, 'u2')
  })

  test('47 flat keys', async () => {
    const body = await taken(patch([{ op: 'replace', value: { 'name.middleName': 'King', title: 'Countess' } }]))
    assert.deepEqual([(body.name as JsonObject).middleName, body.title], ['King', 'Countess'])
  })

  test('48 an extension as a path, and inside a value', async () => {
    await taken(patch([{ op: 'add', path: enterpriseUrn, value: { schemas: [enterpriseUrn], division: 'Engines' } }]))
    const body = await taken(patch([{ op: 'replace', value: { [enterpriseUrn]: { costCenter: '7' } } }]))
    assert.equal((body[enterpriseUrn] as JsonObject).costCenter, '7')
  })

  test('50 a path to password, which is dropped', async () => {
    await taken(patch([{ op: 'add', path: 'password', value: 'correct horse battery' }]))
    const calls = world.sandbox.figshare.calls.map(({ requestBody }) => requestBody).join()
    const { text } = await scim.get(`${path}?attributes=password,userName`)
    assert.doesNotMatch(text + calls + world.logLines.join(''), /battery/)
  })

  test('54 a filter that tries to be more than a value, which finds nobody', async () => {
    const before = await traces()
    for (const value of ['x" or userName sw "p', "' or 1=1 --", '%', '_', '*', 'a\u0000b', '$(x)', '{{x}}']) {
      const body = await taken(list({ filter: `userName eq ${JSON.stringify(value)}` }))
      assert.equal(body.totalResults, 0, value)
    }
    assert.deepEqual(await traces(), before)
  })

  test('55 a negative and a huge count; one that is no number is refused', async () => {
    assert.deepEqual((await taken(list({ count: '-1' }))).Resources, [])
    assert.ok(Number((await taken(list({ count: '1e9' }))).itemsPerPage) <= 1_000)
    await isRefused(400, 'invalidValue', list({ count: 'abc' }))
  })

  test('56 a startIndex of 0 and below, and one far beyond the end', async () => {
    for (const startIndex of ['0', '-5']) assert.equal((await taken(list({ startIndex }))).startIndex, 1)
    const far = await taken(list({ startIndex: '1e15' }))
    assert.deepEqual([far.Resources, far.itemsPerPage], [[], 0])
  })

  test('60 sixteen times (a or b), evaluated as it is written', async () => {
    const pairs = many(16, (n) => `(title eq "a${n}" or userName eq "${userName}")`).join(' and ')
    assert.equal((await taken(list({ filter: pairs }))).totalResults, 1)
  })
})

test('every number from 1 to 64 is there', () => {
  const here = readFileSync(import.meta.filename, 'utf8')
  const numbers = [
    ...refused.map(([number]) => number),
    ...severally.map(([number]) => number),
    ...[...here.matchAll(/ {2}test\('(\d+) /g)].map(([, number]) => Number(number)),
  ]
  assert.deepEqual(
    [...new Set(numbers)].sort((one, other) => one - other),
    many(64, (n) => n + 1),
  )
})
