/** `POST /Bulk` (RFC 7644 §3.7): many operations in one request, each as if it had come alone. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import type { Json, JsonObject } from '../../src/json.ts'
import { enterpriseUrn, groupUrn } from '../../src/scim/attribute.ts'
import { aUser, type BridgeWorld, type ScimClient, scimType, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { storeRows } from '../store-rows.ts'

const requestUrn = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

let world: BridgeWorld
let scim: ScimClient
before(async () => {
  world = await startBridgeWorld()
  scim = world.scim('figshare')
})
after(() => world.stop())

let groups = 0
function aGroup(members: readonly Json[]): JsonObject {
  groups += 1
  return { schemas: [groupUrn], displayName: `Bulk ${groups}`, members: [...members] }
}
const member = (bulkId: string) => ({ value: `bulkId:${bulkId}` })
const manager = (bulkId: string) => ({ [enterpriseUrn]: { manager: member(bulkId) } })
const post = (bulkId: string, data: JsonObject, path = '/Users'): JsonObject => ({ method: 'POST', path, bulkId, data })
const patch = (path: string, operations: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  method: 'PATCH',
  path,
  data: { schemas: [patchUrn], Operations: [...operations] },
  ...more,
})
const send = (operations: unknown, more: JsonObject = {}, client = scim) =>
  client.post('/Bulk', { schemas: [requestUrn], Operations: operations, ...more })
const many = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, index) => make(index))

interface Line {
  readonly method: string
  readonly bulkId?: string
  readonly location?: string
  readonly version?: string
  readonly status: string
  readonly response?: { readonly status: string; readonly scimType?: string; readonly detail: string }
}
async function done(operations: unknown, more: JsonObject = {}): Promise<readonly Line[]> {
  const answer = await send(operations, more)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.headers['content-type'], scimType)
  assert.deepEqual(answer.body.schemas, ['urn:ietf:params:scim:api:messages:2.0:BulkResponse'])
  return answer.body.Operations
}
const statuses = (lines: readonly Line[]) => lines.map(({ status }) => status)
const pathOf = (line: Line | undefined) => {
  const at = String(line?.location).indexOf('/scim/v2')
  return String(line?.location).slice(at + '/scim/v2'.length)
}
const idOf = (line: Line | undefined) => String(line?.location?.split('/').at(-1))
const count = async () => (await scim.get('/Users?count=0')).body.totalResults

test('users and a group with them are made in one request, each line with location, version and a status in text', async () => {
  const lines = await done([
    post('ada', aUser()),
    post('ben', aUser()),
    post('readers', aGroup([member('ada'), member('ben')]), '/Groups'),
  ])
  assert.deepEqual(
    lines.map(({ method, bulkId, status }) => [method, bulkId, status]),
    [
      ['POST', 'ada', '201'],
      ['POST', 'ben', '201'],
      ['POST', 'readers', '201'],
    ],
  )
  const group = await scim.get(pathOf(lines[2]))
  assert.deepEqual(
    group.body.members.map((one: JsonObject) => one.value).sort(),
    [idOf(lines[0]), idOf(lines[1])].sort(),
  )
  // Made, then changed by the membership.
  assert.deepEqual([lines[0]?.version, group.body.meta.version], ['W/"1"', lines[2]?.version])
  for (const line of lines) {
    assert.equal('response' in line, false)
    const read = await scim.get(pathOf(line))
    assert.equal(read.body.meta.location, line.location)
  }
})

test('endpoints are found in any letter case, as by themselves, and told in their own', async () => {
  const [made] = await done([post('a', aUser(), '/users')])
  assert.deepEqual([made?.status, pathOf(made)], ['201', `/Users/${idOf(made)}`])
  const lines = await done([
    patch(`USERS/${idOf(made)}`, [{ op: 'add', path: 'nickName', value: 'A' }]),
    { method: 'DELETE', path: `/users/${idOf(made)}` },
    post('g', aGroup([]), '/GROUPS'),
  ])
  assert.deepEqual(statuses(lines), ['200', '204', '201'])
  assert.equal(pathOf(lines[0]), `/Users/${idOf(made)}`)
})

test('a reference may come before what it refers to', async () => {
  const lines = await done([
    post('readers', aGroup([member('ada')]), '/Groups'),
    post('ada', aUser(manager('boss'))),
    post('boss', aUser()),
  ])
  assert.deepEqual(statuses(lines), ['201', '201', '201'])
  assert.deepEqual(
    lines.map(({ bulkId }) => bulkId),
    ['readers', 'ada', 'boss'],
  )
  const ada = await scim.get(pathOf(lines[1]))
  assert.equal(ada.body[enterpriseUrn].manager.value, idOf(lines[2]))
  assert.equal(ada.body.groups[0].value, idOf(lines[0]))
})

test('references work in paths, in the values and filters of a PATCH, and as bare text', async () => {
  const lines = await done([
    post('ada', aUser()),
    post('ben', aUser()),
    post('staff', aGroup(['bulkId:ada']), '/Groups'),
    patch('/Groups/bulkId:staff', [{ op: 'add', path: 'members', value: [member('ben')] }]),
    patch('/Groups/bulkId:staff', [{ op: 'remove', path: 'members[value eq "bulkId:ada"]' }]),
    patch('/Users/bulkId:ada', [{ op: 'add', path: `${enterpriseUrn}:manager`, value: 'bulkId:ben' }]),
    patch('/Users/bulkId:ben', [{ op: 'add', value: { title: 'bulkId:ada', manager: member('ada') } }]),
    { method: 'PUT', path: '/Users/bulkId:ada', bulkId: 'again', data: { ...aUser(), ...manager('ben') } },
  ])
  assert.deepEqual(statuses(lines), ['201', '201', '201', '200', '200', '200', '200', '200'])
  const [ada, ben, staff] = lines
  const readers = await scim.get(pathOf(staff))
  assert.deepEqual(
    readers.body.members.map((one: JsonObject) => one.value),
    [idOf(ben)],
  )
  assert.equal((await scim.get(pathOf(ada))).body[enterpriseUrn].manager.value, idOf(ben))
  const { title, [enterpriseUrn]: enterprise } = (await scim.get(pathOf(ben))).body
  // Only where a reference can stand is it one.
  assert.equal(title, 'bulkId:ada')
  assert.equal(enterprise.manager.value, idOf(ada))
  assert.equal(lines[3]?.location, staff?.location)
})

test('references that go in a circle are 409, also for who refers to the circle; the others are made', async () => {
  const before = await count()
  const lines = await done([
    post('a', aUser(manager('b'))),
    post('b', aUser(manager('c'))),
    post('c', aUser(manager('a'))),
    post('self', aUser(manager('self'))),
    post('behind', aUser(manager('a'))),
    post('free', aUser()),
  ])
  assert.deepEqual(statuses(lines), ['409', '409', '409', '409', '409', '201'])
  assert.match(String(lines[0]?.response?.detail), /go in a circle/)
  assert.equal(await count(), before + 1)
})

test('a reference to nothing is 400 invalidValue, one to what was not made fails as it did', async () => {
  const taken = aUser()
  await scim.post('/Users', taken)
  const lines = await done([
    post('x', aGroup([member('nobody')]), '/Groups'),
    patch('/Users/bulkId:nobody', [{ op: 'replace', path: 'title', value: 'x' }]),
    post('taken', taken),
    post('y', aGroup([member('taken')]), '/Groups'),
    { method: 'DELETE', path: '/Users/bulkId:taken' },
  ])
  assert.deepEqual(
    lines.map(({ status, response }) => [status, response?.scimType]),
    [
      ['400', 'invalidValue'],
      ['400', 'invalidValue'],
      ['409', 'uniqueness'],
      ['400', 'invalidValue'],
      ['400', 'invalidValue'],
    ],
  )
  assert.equal(lines[0]?.location, undefined)
})

test('an operation that fails is told as a SCIM error of its own, and stops no other one', async () => {
  const made = await done([post('ada', aUser()), post('ben', aUser())])
  const [ada, ben] = made.map(pathOf)
  assert.ok(ada !== undefined && ben !== undefined)
  const lines = await done([
    patch(ada, [{ op: 'replace', path: 'title', value: 'Dean' }], { version: 'W/"99"' }),
    patch(ada, [{ op: 'replace', path: 'flavour', value: 'sweet' }]),
    { method: 'delete', path: ben, version: made[1]?.version },
    { method: 'PUT', path: '/Users/absent', data: aUser() },
    post('bad', aUser({ userName: '' })),
    { method: 'POST', path: '/Users', data: aUser() },
    { method: 'POST', path: '/Users', bulkId: 'n' },
    { method: 'PATCH', path: ada, data: 'text' },
    { method: 'GET', path: ada },
    { method: 'POST', path: ada, bulkId: 'o', data: aUser() },
    { method: 'DELETE', path: '/Users' },
    { method: 'DELETE', path: '/Nothing/x' },
    { method: 'DELETE', path: '/Users/%E0%A4%A' },
    { method: 'DELETE' },
    post('deep', aUser(), '/Bulk'),
    patch(ada, [{ op: 'replace', path: 'title', value: 'Rector' }], { version: 'W/"1"' }),
  ])
  assert.deepEqual(
    lines.map(({ status, response }) => [status, response?.scimType]),
    [
      ['412', undefined],
      ['400', 'invalidPath'],
      ['204', undefined],
      ['404', undefined],
      ['400', 'invalidValue'],
      ['400', 'invalidSyntax'],
      ['400', 'invalidSyntax'],
      ['400', 'invalidSyntax'],
      ['405', undefined],
      ['405', undefined],
      ['405', undefined],
      ['404', undefined],
      ['400', 'invalidSyntax'],
      ['400', 'invalidSyntax'],
      ['404', undefined],
      ['200', undefined],
    ],
  )
  for (const { status, response } of lines) {
    if (Number(status) < 300) continue
    assert.equal(response?.status, status)
    assert.match(response.detail, /\(request [0-9a-f-]{36}\)$/)
  }
  assert.ok(lines[0]?.location?.endsWith(ada))
  assert.equal((await scim.get(ben)).status, 404)
  assert.equal((await scim.get(ada)).body.title, 'Rector')
  assert.equal(lines.at(-1)?.version, 'W/"2"')
})

test('failOnErrors ends the work after so many failures; what comes later is neither done nor answered', async () => {
  const before = await count()
  const bad = () => post(`bad${Math.random()}`, { schemas: ['x'] })
  const lines = await done([bad(), post('ada', aUser()), bad(), post('ben', aUser())], { failOnErrors: 2 })
  assert.deepEqual(statuses(lines), ['400', '201', '400'])
  assert.equal(await count(), before + 1)
  assert.deepEqual(statuses(await done([bad(), bad(), bad()], { FAILONERRORS: 5 })), ['400', '400', '400'])
})

test('a message that is none is refused as a whole, and nothing of it is done', async () => {
  const good = post('good', aUser())
  const before = [await count(), world.sandbox.figshare.calls.length]
  const messages: readonly [unknown, string][] = [
    [{ Operations: [good] }, 'invalidSyntax'],
    [{ schemas: [patchUrn], Operations: [good] }, 'invalidSyntax'],
    [{ schemas: [requestUrn] }, 'invalidSyntax'],
    [{ schemas: [requestUrn], Operations: [] }, 'invalidSyntax'],
    [{ schemas: [requestUrn], Operations: good }, 'invalidSyntax'],
    [{ schemas: [requestUrn], Operations: [good, 'x'] }, 'invalidSyntax'],
    [{ schemas: [requestUrn], Operations: [good, null] }, 'invalidSyntax'],
    [{ schemas: [requestUrn], Operations: [good, {}] }, 'invalidSyntax'],
    [{ schemas: [requestUrn], Operations: [good, { ...good, bulkId: 7 }] }, 'invalidSyntax'],
    [{ schemas: [requestUrn], Operations: [good, { ...good, bulkId: 'x', version: {} }] }, 'invalidSyntax'],
    [{ schemas: [requestUrn], Operations: [good, post('good', aUser())] }, 'invalidValue'],
    [{ schemas: [requestUrn], Operations: [good], failOnErrors: 0 }, 'invalidValue'],
    [{ schemas: [requestUrn], Operations: [good], failOnErrors: '1' }, 'invalidValue'],
    [
      `{"schemas":["${requestUrn}"],"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":{"__proto__":{"x":1}}}]}`,
      'invalidSyntax',
    ],
    [
      `{"schemas":["${requestUrn}"],"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":${'['.repeat(40)}${']'.repeat(40)}}]}`,
      'invalidSyntax',
    ],
  ]
  for (const [index, [message, word]] of messages.entries()) {
    const answer = await scim.post('/Bulk', message)
    assert.deepEqual([answer.status, answer.body.scimType], [400, word], `${index}: ${answer.text}`)
  }
  assert.deepEqual([await count(), world.sandbox.figshare.calls.length], before)
})

test('more operations or bytes than announced are 413, as many are taken', async () => {
  const { bulk } = (await scim.get('/ServiceProviderConfig')).body
  assert.deepEqual(bulk, { supported: true, maxOperations: 1_000, maxPayloadSize: 1_048_576 })
  const removal = { method: 'DELETE', path: '/Users/absent' }
  const tooMany = await send(many(bulk.maxOperations + 1, () => removal))
  assert.deepEqual([tooMany.status, tooMany.body.status], [413, '413'])
  const justSo = await done(many(bulk.maxOperations, () => removal))
  assert.equal(justSo.length, bulk.maxOperations)
  const text = JSON.stringify({ schemas: [requestUrn], Operations: [removal] })
  const filled = (length: number) => text + ' '.repeat(length - text.length)
  assert.equal((await scim.post('/Bulk', filled(bulk.maxPayloadSize + 1))).status, 413)
  assert.equal((await scim.post('/Bulk', filled(bulk.maxPayloadSize))).status, 200)
})

describe('a bulk that is meant to hurt', () => {
  test('a circle of a thousand references is a thousand times 409', async () => {
    const before = await count()
    const lines = await done(many(1_000, (n) => post(`u${n}`, aUser(manager(`u${(n + 1) % 1_000}`)))))
    assert.deepEqual(new Set(statuses(lines)), new Set(['409']))
    assert.equal(await count(), before)
  })

  test('a chain of a thousand references ends with the one that is wrong', async () => {
    const before = await count()
    const chain = many(1_000, (n) => post(`u${n}`, { ...aUser(manager(`u${n + 1}`)), schemas: [] }))
    assert.deepEqual(new Set(statuses(await done(chain))), new Set(['400']))
    assert.equal(await count(), before)
  })

  test("names of JavaScript's own are bulkIds, paths and methods like any other", async () => {
    const lines = await done([
      post('__proto__', aUser()),
      post('constructor', aGroup([member('__proto__')]), '/Groups'),
      { method: 'constructor', path: '/Users/x' },
      { method: 'DELETE', path: '/__proto__/x' },
      { method: 'DELETE', path: '/Users/__proto__' },
      patch('/Users/bulkId:__proto__', [{ op: 'add', path: '__proto__.polluted', value: 1 }]),
      patch('/Users/bulkId:toString', []),
    ])
    assert.deepEqual(statuses(lines), ['201', '201', '405', '404', '404', '400', '400'])
    assert.equal(Reflect.get({}, 'polluted'), undefined)
  })

  test('others are answered while a bulk is in work', async () => {
    const { body } = await scim.post('/Users', aUser())
    let isOver = false
    const bulk = done(many(500, (n) => post(`m${n}`, aGroup([]), '/Groups'))).finally(() => {
      isOver = true
    })
    let answered = 0
    while (!isOver) {
      assert.equal((await world.scim('figshare').get(`/Users/${body.id}`)).status, 200)
      if (!isOver) answered += 1
    }
    assert.deepEqual(new Set(statuses(await bulk)), new Set(['201']))
    assert.ok(answered >= 5, `${answered} reads were answered meanwhile`)
  })
})

test("another connection's resources are absent in a bulk, too", async () => {
  const stranger = (await world.scim('dspace').post('/Users', aUser())).body.id
  const lines = await done([
    { method: 'DELETE', path: `/Users/${stranger}` },
    patch(`/Users/${stranger}`, [{ op: 'replace', path: 'active', value: false }]),
    post('g', aGroup([{ value: stranger }]), '/Groups'),
  ])
  assert.deepEqual(statuses(lines), ['404', '404', '400'])
  assert.equal((await world.scim('dspace').get(`/Users/${stranger}`)).body.active, true)
})

function rows(of: BridgeWorld, text: string): JsonObject[] {
  return storeRows(of.directory, text).map((row): JsonObject => JSON.parse(JSON.stringify(row)))
}

test('every operation of a bulk is in the audit, and its creates count as answered', async () => {
  const [ada, ben] = [aUser(), aUser()]
  const answer = await send([
    post('ada', ada),
    post('ben', ben),
    patch('/Users/bulkId:ada', [{ op: 'replace', path: 'title', value: 'Dean' }]),
  ])
  const lines: Line[] = answer.body.Operations
  const asked = rows(
    world,
    `select resource_id as id, request_id as request from audit where event = 'asked' and request_id = '${answer.headers['x-request-id']}'`,
  )
  assert.deepEqual(
    asked.map(({ id }) => id),
    [idOf(lines[0]), idOf(lines[1]), idOf(lines[0])],
  )
  const flushed = () => rows(world, 'select resource_id as id from link where was_flushed = 1').map(({ id }) => id)
  await eventually('both are known to have been answered', async () => {
    const ids = flushed()
    return lines.slice(0, 2).every((line) => ids.includes(idOf(line)))
  })
  assert.equal((await scim.post('/Users', ada)).status, 409)
})

async function aSlowWorld(t: TestContext, workMs: number): Promise<BridgeWorld> {
  const slow = await startBridgeWorld(() => {}, { workMs })
  t.after(() => slow.stop())
  return slow
}

test('when the time of the request is over, the rest is 429 each, with one Retry-After, and nothing of it is done', async (t) => {
  const slow = await aSlowWorld(t, 700)
  const client = slow.scim('figshare')
  const [first, stuck, late, later] = [aUser(), aUser(), aUser(), aUser()]
  assert.equal((await client.post('/Users', first)).status, 201)
  slow.sandbox.figshare.fault({ mode: 'hang', only: 'writes' })
  const answer = await send(
    [post('stuck', stuck), post('late', late), patch('/Users/bulkId:stuck', []), post('later', later)],
    {},
    client,
  )
  slow.sandbox.figshare.fault({ mode: 'ok' })
  assert.equal(answer.status, 200)
  assert.deepEqual(statuses(answer.body.Operations), ['429', '429', '429', '429'])
  assert.match(String(answer.headers['retry-after']), /^[1-9]\d{0,3}$/)
  const names = rows(slow, 'select user_name_key as name from resource').map(({ name }) => name)
  assert.deepEqual(names.sort(), [first.userName, stuck.userName].sort())
})

test('while the platform is away a bulk is 429 line by line, and what was taken is made later', async (t) => {
  const slow = await aSlowWorld(t, 5_000)
  const client = slow.scim('dspace')
  const { body } = await client.post('/Users', aUser())
  slow.sandbox.dspace.fault({ mode: 'down' })
  const path = `/Users/${body.id}`
  const off = patch(path, [{ op: 'replace', path: 'active', value: false }])
  const answer = await send([off, post('ben', aUser()), patch('/Users/bulkId:ben', [])], {}, client)
  assert.deepEqual(statuses(answer.body.Operations), ['429', '429', '429'])
  assert.match(String(answer.headers['retry-after']), /^[1-9]\d{0,3}$/)
  assert.equal((await client.get(path)).body.active, false)
  slow.sandbox.dspace.fault({ mode: 'ok' })
  const applied = async () => JSON.stringify((await client.get(path)).body).includes('"state":"applied"')
  await eventually('the platform has it', applied, () => slow.clock.advance(1_000))
})
