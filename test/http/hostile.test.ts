/** Input that is meant to hurt: other tenants, the process, or everybody who waits behind it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import supertest from 'supertest'
import { groupUrn } from '../../src/scim/attribute.ts'
import { aUser, type BridgeWorld, type ScimClient, startBridgeWorld } from '../bridge-world.ts'

/** What an administrator can rely on, and no figure of this machine. */
const answerWithinMs = 2_000
const othersWaitAtMostMs = 1_000

const internals = ['__proto__', 'constructor', 'prototype']
const isInner = process.env.HOSTILE_HTTP_INNER === '1'

let world: BridgeWorld
let scim: ScimClient
let path = ''
before(async () => {
  world = await startBridgeWorld()
  scim = world.scim('figshare')
  path = `/Users/${(await scim.post('/Users', aUser())).body.id}`
})
after(() => world.stop())

type Answer = Awaited<ReturnType<ScimClient['get']>>
const list = (query: Record<string, string>) => scim.get(`/Users?${new URLSearchParams(query)}`)
const many = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, index) => make(index))

function isUnpolluted(): void {
  for (const name of ['p', 'polluted', 'x']) {
    assert.equal(Reflect.get({}, name), undefined)
    assert.equal(Reflect.get(Object, name), undefined)
    assert.equal(Reflect.get([], name), undefined)
  }
}

describe("names of JavaScript's own", () => {
  for (const name of internals) {
    test(`${name} is an unknown name wherever a request can have one`, async () => {
      const asked: readonly [PromiseLike<Answer>, number, string?][] = [
        [list({ filter: `${name}.x eq "y"` }), 400, 'invalidFilter'],
        [list({ filter: `emails[${name}.p eq "x"]` }), 400, 'invalidFilter'],
        [list({ filter: `${name}[p eq "x"]` }), 400, 'invalidFilter'],
        [list({ filter: `urn:${name}:p eq "x"` }), 400, 'invalidFilter'],
        [list({ sortBy: `${name}.p` }), 400, 'invalidValue'],
        [scim.patch(path, [{ op: 'add', path: `${name}.p`, value: 'polluted' }]), 400, 'invalidPath'],
        [scim.patch(path, [{ op: 'add', path: `emails[${name}.p eq "x"]`, value: { p: 1 } }]), 400, 'invalidFilter'],
        [scim.patch(path, [{ op: 'add', path: `name.${name}`, value: { p: 1 } }]), 400, 'invalidPath'],
        [scim.patch(path, [{ op: 'add', value: { [`${name}.p`]: 1 } }]), 400, 'invalidSyntax'],
        [scim.patch(path, [JSON.parse(`{"op":"add","value":{"${name}":{"p":1}}}`)]), 400, 'invalidSyntax'],
        [scim.post('/Users', aUser({ [`urn:x:${name}.p`]: 1 })), 400, 'invalidSyntax'],
        [scim.post('/Users', aUser({ name: JSON.parse(`{"${name}":{"p":1}}`) })), 400, 'invalidSyntax'],
        [scim.post('/.search', JSON.parse(`{"schemas":["x"],"${name}":{"p":1}}`)), 400, 'invalidSyntax'],
        [scim.get(`/Users/${name}`), 404],
        [scim.get(`/Groups/${name}`), 404],
        [scim.get(`/Schemas/${name}`), 404],
        [scim.get(`/ResourceTypes/${name}`), 404],
        [scim.get(`/${name}`), 404],
        [scim.get(`/${name}/x`), 404],
        [supertest(world.url).get(`/${name}/scim/v2/Users`).set('Authorization', 'Bearer x'), 401],
      ]
      for (const [index, [asking, status, scimType]] of asked.entries()) {
        const answer = await asking
        assert.deepEqual([answer.status, answer.body.scimType], [status, scimType], `${index}: ${answer.text}`)
      }
      for (const query of [
        `attributes=${name}.p`,
        `excludedAttributes=${name}`,
        `${name}=x`,
        `${name}[p]=x&filter[p]=x`,
      ]) {
        assert.equal((await scim.get(`${path}?${query}`)).status, 200, query)
      }
      isUnpolluted()
    })
  }

  test('as values they are texts like any other', async () => {
    const user = aUser({ title: '__proto__', nickName: 'constructor' })
    const { body } = await scim.post('/Users', user)
    assert.deepEqual([body.title, body.nickName], ['__proto__', 'constructor'])
    const found = await list({ filter: 'title eq "__proto__" and nickName eq "constructor"' })
    assert.equal(found.body.totalResults, 1)
  })

  test('all of this holds whether or not node keeps __proto__', { timeout: 60_000 }, () => {
    if (isInner) return
    const flags = Object.hasOwn(Object.prototype, '__proto__') ? ['--disable-proto=delete'] : []
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const pattern = "names of JavaScript's own"
    const output = execFileSync(
      process.execPath,
      [...flags, '--test-reporter=tap', `--test-name-pattern=${pattern}`, fileURLToPath(import.meta.url)],
      { env: { ...env, HOSTILE_HTTP_INNER: '1' }, encoding: 'utf8' },
    )
    assert.match(output, /^# fail 0$/m)
    assert.match(output, /^# pass [4-9]$/m)
  })
})

/** CPU milliseconds of this thread: what others use of the machine does not count. */
const cpuMs = () => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** Reads one user over and over, as a provider that has nothing to do with the attack; answers the longest turn of the event loop. */
async function longestTurn(work: () => Promise<void>): Promise<number> {
  const other = world.scim('dspace')
  const { body } = await other.post('/Users', aUser())
  let isOver = false
  let longest = 0
  let last = cpuMs()
  const turn = () => {
    const now = cpuMs()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(turn)
  }
  const reading = (async () => {
    while (!isOver) assert.equal((await other.get(`/Users/${body.id}`)).status, 200)
  })()
  turn()
  try {
    await work()
  } finally {
    isOver = true
    await reading
  }
  return longest
}

/** Every one is refused as it should be, at little cost, while others are served. */
async function areHarmless(attacks: readonly [what: string, status: number, ask: () => PromiseLike<Answer>][]) {
  const longest = await longestTurn(async () => {
    for (const [what, status, ask] of attacks) {
      const before = cpuMs()
      const answer = await ask()
      const usedMs = cpuMs() - before
      assert.equal(answer.status, status, `${what}: ${answer.text.slice(0, 300)}`)
      assert.ok(usedMs < answerWithinMs, `${what} took ${usedMs} ms of CPU`)
    }
  })
  assert.ok(longest < othersWaitAtMostMs, `another provider waited for ${longest} ms of CPU`)
}

describe('what is cheap to send is cheap to refuse', () => {
  test('filters that exhaust matchers and parsers', async () => {
    const filters = [
      `userName eq "${'\n'.repeat(26)}`,
      `userName eq "${'\\'.repeat(38)}`,
      `userName eq "${'\\'.repeat(3_900)}`,
      `userName eq ${'"'.repeat(3_999)}`,
      'userName eq '.repeat(300),
      '('.repeat(4_000),
      'not '.repeat(900),
      'not ('.repeat(700),
      'emails['.repeat(500),
      '['.repeat(4_000),
      ' '.repeat(4_000),
      'a.'.repeat(2_000),
      `${'urn:'.repeat(900)}x eq "y"`,
      many(130, () => 'id eq "x"').join(' or '),
      `(${many(60, () => 'a').join(' and (')}`,
      'x'.repeat(4_097),
    ]
    await areHarmless(filters.map((filter) => [filter.slice(0, 30), 400, () => list({ filter })]))
    // Sixteen alternatives of two, and a hundred comparisons, on every user: allowed, and no more than they say.
    const allowed = many(16, (n) => `(title co "a${n}" or nickName co "b${n}")`).join(' and ')
    await areHarmless([['alternatives', 200, () => list({ filter: allowed })]])
  })

  test('bodies of megabytes that would keep a parser busy for seconds', async () => {
    const post = (text: string) => () => scim.post('/Groups', text)
    const asGroup = (more: string) => `{"schemas":["${groupUrn}"],"displayName":"x",${more}}`
    await areHarmless([
      ['depth', 400, post('{"a":'.repeat(1_000_000))],
      ['lists in lists', 400, post('['.repeat(8_000_000))],
      ['names', 400, post(`{${many(600_000, (n) => `"k${n}":1`).join(',')}}`)],
      ['names in many objects', 400, post(asGroup(`"a":[${many(300_000, (n) => `{"k${n}":1}`).join(',')}]`))],
      ['empty objects', 400, post(asGroup(`"a":[${'{},'.repeat(2_500_000)}1]`))],
      ['numbers', 400, post(asGroup(`"a":[${'1,'.repeat(3_900_000)}1]`))],
      ['backslashes', 400, post(asGroup(`"externalId":"${'\\\\'.repeat(3_500_000)}"`))],
      ['one number', 400, post(asGroup(`"externalId":${'9'.repeat(4_000_000)}`))],
      ['one text', 400, post(asGroup(`"externalId":"${'x'.repeat(7_000_000)}"`))],
      ['members that are none', 400, post(asGroup(`"members":[${many(200_000, (n) => n).join(',')}]`))],
      ['unknown members', 400, post(asGroup(`"members":[${many(150_000, (n) => `"unknown-${n}"`).join(',')}]`))],
      ['more than allowed', 413, post(' '.repeat(8 * 1024 * 1024 + 1))],
    ])
    assert.equal((await scim.get('/Groups?count=0')).body.totalResults, 0)
  })

  test('PATCHes whose paths and filters are as long and as many as they may be', async () => {
    const filter = many(99, () => 'value eq "somebody@uni.example"').join(' or ')
    const group = await scim.post('/Groups', { schemas: [groupUrn], displayName: 'Everybody' })
    const patch = (target: string, operations: unknown) => () => scim.patch(target, operations)
    const groupPath = `/Groups/${group.body.id}`
    await areHarmless([
      [
        'long filters',
        400,
        patch(
          path,
          many(250, () => ({ op: 'remove', path: `emails[${filter}]` })),
        ),
      ],
      [
        'long member filters',
        400,
        patch(
          groupPath,
          many(1_000, () => ({ op: 'remove', path: `members[${filter}]` })),
        ),
      ],
      [
        'blanks',
        400,
        patch(
          groupPath,
          many(1_000, () => ({ op: 'remove', path: `members[${' '.repeat(4_000)}value pr]` })),
        ),
      ],
      ['long names', 400, patch(path, [{ op: 'add', path: 'x.'.repeat(400_000), value: 1 }])],
      ['long keys', 400, patch(path, [{ op: 'add', value: { ['emails['.repeat(100_000)]: 1 } }])],
      ['open brackets', 400, patch(path, [{ op: 'add', path: `emails${'['.repeat(4_000)}`, value: 1 }])],
      ['backslashes', 400, patch(path, [{ op: 'add', path: `emails[value eq "${'\\'.repeat(4_000)}`, value: 1 }])],
    ])
    await scim.delete(groupPath)
  })

  test('half characters, NUL and endless numbers, wherever they can be put', async () => {
    const half = '\ud800'
    const encoded = '%ED%A0%80'
    await areHarmless([
      ['an id', 400, () => scim.get(`/Users/${encoded}`)],
      ['an id that is cut off', 400, () => scim.get('/Users/%E2%82')],
      ['an id with NUL', 404, () => scim.delete('/Users/a%00b')],
      ['a raw filter', 200, () => scim.get(`/Users?filter=userName%20eq%20%22${encoded}%22`)],
      ['a filter', 200, () => list({ filter: 'userName eq "\\ud800\\u0000"' })],
      ['a number in a filter', 400, () => list({ filter: `title eq ${'9'.repeat(4_000)}` })],
      ['a count', 400, () => list({ count: '9'.repeat(4_000) })],
      [
        'a search',
        400,
        () =>
          scim.post('/.search', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"count":1e999}'),
      ],
      ['a name', 400, () => scim.post('/Users', aUser({ name: { familyName: half } }))],
      ['a userName', 400, () => scim.post('/Users', aUser({ userName: `${half}x` }))],
      ['an unknown name', 201, () => scim.post('/Users', aUser({ [half]: half }))],
      ['a member', 400, () => scim.post('/Groups', { schemas: [groupUrn], displayName: 'x', members: [half] })],
      ['a group', 400, () => scim.post('/Groups', { schemas: [groupUrn], displayName: 'a\u0000b' })],
      ['If-Match', 412, () => scim.delete(path, { 'If-Match': 'W/"1e999"' })],
    ])
    isUnpolluted()
  })
})
