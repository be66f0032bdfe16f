/** Pages by cursor (RFC 9865), as a client that walks through a list sees them. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { groupUrn } from '../../src/scim/attribute.ts'
import { aUser, type BridgeWorld, type ScimClient, scimType, startBridgeWorld } from '../bridge-world.ts'

const searchUrn = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest'
type Query = Readonly<Record<string, string>>
type Answer = Awaited<ReturnType<ScimClient['get']>>

let world: BridgeWorld
let scim: ScimClient
before(async () => {
  world = await startBridgeWorld()
  scim = world.scim('dspace')
})
after(() => world.stop())

let series = 0
let title = ''
/** Seven people whom a filter by `title` finds, in the order made. */
let people: string[] = []
beforeEach(async () => {
  series += 1
  title = `Series ${series}`
  people = []
  for (let number = 1; number <= 7; number += 1) people.push(await aPerson(number))
})

async function aPerson(number: number): Promise<string> {
  // Two of them have no nickName and no displayName.
  const names: JsonObject = number % 3 === 0 ? {} : { nickName: `n${9 - number}`, displayName: `d${9 - number}` }
  const { status, body } = await scim.post('/Users', aUser({ title, ...names }))
  assert.equal(status, 201)
  return body.id
}

const get = (query: Query, path = '/Users') => scim.get(`${path}?${new URLSearchParams(query)}`)
const mine = (): Query => ({ filter: `title eq "${title}"` })
const idsOf = (answer: Answer): string[] => answer.body.Resources.map((user: JsonObject) => user.id)

async function page(query: Query): Promise<Answer> {
  const answer = await get(query)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.headers['content-type'], scimType)
  assert.equal(answer.body.itemsPerPage, answer.body.Resources.length)
  for (const name of ['nextCursor', 'previousCursor']) {
    if (name in answer.body) assert.match(answer.body[name], /^[A-Za-z0-9\-._~]+$/)
  }
  return answer
}

/** From the first page on, as long as there is a next one. */
async function walk(query: Query, onPage: (answer: Answer, number: number) => Promise<void> = async () => {}) {
  const ids: string[] = []
  const pages: Answer[] = []
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const answer: Answer = await page({ ...query, cursor })
    ids.push(...idsOf(answer))
    pages.push(answer)
    assert.ok(pages.length < 100, 'the walk ends')
    await onPage(answer, pages.length)
    cursor = answer.body.nextCursor
  }
  return { ids, pages }
}

test('an empty cursor begins a walk, nextCursor leads to every row once, and back again by previousCursor', async () => {
  const { ids, pages } = await walk({ ...mine(), count: '3' })
  assert.deepEqual(ids, people)
  assert.deepEqual(
    pages.map((one) => one.body.itemsPerPage),
    [3, 3, 1],
  )
  assert.deepEqual(
    pages.map((one) => one.body.totalResults),
    [7, 7, 7],
  )
  assert.deepEqual(
    pages.map((one) => 'nextCursor' in one.body),
    [true, true, false],
  )
  assert.deepEqual(
    pages.map((one) => 'previousCursor' in one.body),
    [false, true, true],
  )
  assert.equal('startIndex' in (pages[0]?.body ?? {}), false)
  const second = await page({ ...mine(), cursor: pages[2]?.body.previousCursor })
  assert.deepEqual(idsOf(second), people.slice(3, 6))
  const first = await page({ ...mine(), cursor: second.body.previousCursor })
  assert.deepEqual(idsOf(first), people.slice(0, 3))
  assert.equal('previousCursor' in first.body, false)
  assert.deepEqual(idsOf(await page({ ...mine(), cursor: first.body.nextCursor })), people.slice(3, 6))
})

describe('a walk passes every row once, forth and back,', () => {
  const orders: readonly [name: string, query: Query][] = [
    ['in no order of its own', {}],
    ['in the order of an index', { sortBy: 'userName' }],
    ['backwards through an index', { sortBy: 'userName', sortOrder: 'descending' }],
    ['with rows that lack the value', { sortBy: 'displayName' }],
    ['with rows that lack the value, backwards', { sortBy: 'displayName', sortOrder: 'descending' }],
    ['by time', { sortBy: 'meta.lastModified' }],
    ['in an order that no index has', { sortBy: 'nickName' }],
    ['in an order that no index has, backwards', { sortBy: 'nickName', sortOrder: 'descending' }],
    ['by a value that all have in common', { sortBy: 'title', sortOrder: 'descending' }],
  ]
  for (const [name, order] of orders) {
    test(name, async () => {
      const filters: readonly [query: Query, counts: readonly string[]][] = [
        [mine(), ['1', '2', '3', '7', '8']],
        [{}, ['20']],
      ]
      for (const [filter, counts] of filters) {
        const whole = idsOf(await get({ ...filter, ...order, count: '1000' }))
        for (const count of counts) {
          const { ids, pages } = await walk({ ...filter, ...order, count })
          assert.deepEqual(ids, whole, `count ${count}`)
          const back = [...idsOf(pages.at(-1) as Answer)]
          for (let cursor = pages.at(-1)?.body.previousCursor; cursor !== undefined; ) {
            const answer = await page({ ...filter, ...order, cursor })
            back.unshift(...idsOf(answer))
            cursor = answer.body.previousCursor
          }
          assert.deepEqual(back, whole, `count ${count}, back`)
        }
      }
    })
  }
})

describe('rows that come and go while a client walks make no gap and no repetition', () => {
  const orders: readonly Query[] = [{}, { sortBy: 'userName' }, { sortBy: 'nickName', sortOrder: 'descending' }]
  for (const order of orders) {
    for (const filter of ['title', 'indexed'] as const) {
      test(`${JSON.stringify(order)}, filter by ${filter}`, async () => {
        const query: Query = {
          ...(filter === 'title' ? mine() : { filter: 'active eq true' }),
          ...order,
          count: filter === 'title' ? '2' : '9',
        }
        const before = idsOf(await get({ ...query, count: '1000' }))
        const gone: string[] = []
        const { ids } = await walk(query, async (answer, number) => {
          if (number > 3) return
          // The row that the cursor stands on goes, and so does one that is still to come.
          const ahead = before.filter((id) => !gone.includes(id) && !idsOf(answer).includes(id))
          for (const id of [idsOf(answer).at(-1), ahead.at(-number)]) {
            if (id === undefined) continue
            gone.push(id)
            assert.equal((await scim.delete(`/Users/${id}`)).status, 204)
          }
          await aPerson(number)
        })
        assert.equal(new Set(ids).size, ids.length, 'nobody twice')
        const stayed = before.filter((id) => !gone.includes(id))
        assert.deepEqual(
          ids.filter((id) => stayed.includes(id)),
          stayed,
        )
      })
    }
  }
})

test('a page whose rows are all gone still shows the way', async () => {
  const first = await page({ ...mine(), count: '2', cursor: '' })
  const second = await page({ ...mine(), cursor: first.body.nextCursor })
  for (const id of people.slice(0, 2)) await scim.delete(`/Users/${id}`)
  const back = await page({ ...mine(), cursor: second.body.previousCursor })
  assert.deepEqual([idsOf(back), 'previousCursor' in back.body], [[], false])
  assert.deepEqual(idsOf(await page({ ...mine(), cursor: back.body.nextCursor })), people.slice(2, 4))
})

test('without cursor a list is paged by index, as before', async () => {
  const answer = await get({ ...mine(), count: '3' })
  assert.deepEqual([answer.body.startIndex, answer.body.itemsPerPage], [1, 3])
  assert.equal('nextCursor' in answer.body, false)
})

test('count 0 and an empty list have no cursors; a count beyond all bounds is cut', async () => {
  const queries: readonly Query[] = [
    { ...mine(), count: '0' },
    { ...mine(), count: '-3' },
    { filter: 'title eq "Nobody"' },
  ]
  for (const query of queries) {
    const { body } = await page({ ...query, cursor: '' })
    assert.deepEqual([body.Resources, 'nextCursor' in body, 'previousCursor' in body], [[], false, false])
  }
  const { body } = await page({ ...mine(), count: '1000000000', cursor: '' })
  assert.equal(body.itemsPerPage, 7)
})

async function isRefused(query: Query, scimTypeWanted: string, path = '/Users'): Promise<void> {
  const answer = await get(query, path)
  assert.deepEqual(
    [answer.status, answer.body.scimType],
    [400, scimTypeWanted],
    `${JSON.stringify(query)} ${answer.text}`,
  )
}

describe('a cursor is refused', () => {
  const cursorOf = async (query: Query = mine()) => (await page({ ...query, count: '2', cursor: '' })).body.nextCursor

  test('that is forged, cut or changed in any character: invalidCursor', async () => {
    const cursor: string = await cursorOf()
    const [payload = '', tag = ''] = cursor.split('.')
    const fields = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const forged = Buffer.from(JSON.stringify([1, 1_000, ...fields.slice(2)])).toString('base64url')
    const others = [
      'x',
      '.',
      '..',
      `${forged}.${tag}`,
      payload,
      `${payload}.`,
      `${cursor}.`,
      `${cursor}=`,
      `.${tag}`,
      `${cursor} `,
    ]
    others.push('é', '\u0000', '__proto__', 'x'.repeat(4_000), `${cursor}${tag}`)
    for (let at = 0; at < cursor.length; at += 5) {
      const other = cursor[at] === 'A' ? 'B' : 'A'
      others.push(cursor.slice(0, at) + other + cursor.slice(at + 1))
    }
    for (const other of others) await isRefused({ ...mine(), cursor: other }, 'invalidCursor')
    assert.equal((await page({ ...mine(), cursor })).body.itemsPerPage, 2)
  })

  test('of another filter, order, type or connection: invalidCursor', async () => {
    const cursor = await cursorOf()
    await isRefused({ cursor }, 'invalidCursor')
    await isRefused({ filter: 'title pr', cursor }, 'invalidCursor')
    await isRefused({ ...mine(), sortBy: 'userName', cursor }, 'invalidCursor')
    await isRefused({ ...mine(), sortOrder: 'descending', cursor }, 'invalidCursor')
    const plain = await cursorOf({})
    await isRefused({ cursor: plain }, 'invalidCursor', '/Groups')
    const other = await world.scim('figshare').get(`/Users?cursor=${plain}`)
    assert.deepEqual([other.status, other.body.scimType], [400, 'invalidCursor'])
  })

  test('that is older than announced: expiredCursor', async () => {
    const { pagination } = (await scim.get('/ServiceProviderConfig')).body
    assert.deepEqual(pagination, {
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: 100,
      maxPageSize: 1_000,
      cursorTimeout: 3_600,
    })
    const cursor = await cursorOf()
    await world.clock.advance(pagination.cursorTimeout * 1_000)
    assert.equal((await page({ ...mine(), cursor })).body.itemsPerPage, 2)
    await world.clock.advance(1)
    await isRefused({ ...mine(), cursor }, 'expiredCursor')
  })

  test('when count changes on the way or is no number: invalidCount', async () => {
    const cursor = await cursorOf()
    await isRefused({ ...mine(), cursor, count: '3' }, 'invalidCount')
    await isRefused({ ...mine(), cursor, count: 'many' }, 'invalidCount')
    await isRefused({ ...mine(), cursor: '', count: '1.5' }, 'invalidCount')
    assert.equal((await page({ ...mine(), cursor, count: '2' })).body.itemsPerPage, 2)
  })

  test('beside a startIndex, and where the value to go on from does not fit into an address: invalidValue', async () => {
    await isRefused({ ...mine(), cursor: '', startIndex: '2' }, 'invalidValue')
    await scim.post('/Users', aUser({ title, nickName: `zz${'x'.repeat(2_000)}` }))
    await scim.post('/Users', aUser({ title, nickName: 'zzzz' }))
    await isRefused(
      { filter: `title eq "${title}" and nickName sw "zz"`, sortBy: 'nickName', cursor: '', count: '1' },
      'invalidValue',
    )
  })
})

describe('a search', () => {
  const search = (path: string, body: JsonObject) => scim.post(`${path}/.search`, { schemas: [searchUrn], ...body })

  test('takes the cursor in its body, of one type and of both', async () => {
    const group = await scim.post('/Groups', { schemas: [groupUrn], displayName: `G ${title}` })
    assert.equal(group.status, 201)
    for (const [path, filter, wanted] of [
      ['/Users', `title eq "${title}"`, people],
      ['', `title eq "${title}" or displayName eq "G ${title}"`, [group.body.id, ...people]],
      ['', `meta.created pr and (title eq "${title}" or displayName sw "G ${title}")`, [group.body.id, ...people]],
    ] as const) {
      const found: string[] = []
      const backwards: string[] = []
      let last = ''
      for (let cursor: string | undefined = ''; cursor !== undefined; ) {
        const answer: Answer = await search(path, { filter, cursor, count: 2, attributes: ['id'] })
        assert.equal(answer.status, 200, answer.text)
        assert.equal(answer.body.totalResults, wanted.length)
        found.push(...idsOf(answer))
        last = cursor
        cursor = answer.body.nextCursor
      }
      assert.deepEqual(found, wanted)
      for (let cursor: string | undefined = last; cursor !== undefined; ) {
        const answer: Answer = await search(path, { filter, cursor, count: 2 })
        backwards.unshift(...idsOf(answer))
        cursor = answer.body.previousCursor
      }
      assert.deepEqual(backwards, wanted)
    }
  })

  test('at the root knows the attributes of both types, and no others', async () => {
    const name = aUser({ title })
    await scim.post('/Users', name)
    const one = await search('', { filter: `userName eq "${name.userName}"` })
    assert.equal(one.body.totalResults, 1)
    const none = await search('', { filter: 'members eq "nobody" or active eq null and userName sw "nobody"' })
    assert.equal(none.status, 200, none.text)
    assert.equal(none.body.totalResults, 0)
    assert.equal((await search('', { filter: 'flavour pr' })).body.scimType, 'invalidFilter')
    assert.equal((await search('/Groups', { filter: 'userName pr' })).body.scimType, 'invalidFilter')
    const sorted = await search('', {
      filter: `title eq "${title}"`,
      sortBy: 'userName',
      sortOrder: 'descending',
      count: 3,
    })
    assert.equal(sorted.status, 200)
    assert.equal(sorted.body.totalResults, 8)
  })

  test('with a cursor that is no text is invalidCursor, with null as without', async () => {
    const answer = await search('/Users', { cursor: 7 })
    assert.deepEqual([answer.status, answer.body.scimType], [400, 'invalidCursor'])
    const without = await search('/Users', { cursor: null, count: 1 })
    assert.equal(without.body.startIndex, 1)
  })
})

test('a cursor outlives a restart of the bridge', async () => {
  const first = await page({ ...mine(), count: '4', cursor: '' })
  await world.restart()
  scim = world.scim('dspace')
  const second = await page({ ...mine(), cursor: first.body.nextCursor })
  assert.deepEqual([...idsOf(first), ...idsOf(second)], people)
})
