import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IndexedCondition, ListQuery, Place, TimeCondition, WalkQuery } from '../../src/store/queries.ts'
import type { Store } from '../../src/store/store.ts'
import { aGroup, aUser, later, now } from './builders.ts'
import type { OpenEmpty } from './contract.ts'

/** What sealed names cannot be put in, and what a store says that is asked for it nevertheless. */
const nameOrders: ReadonlySet<string> = new Set(['userName', 'displayName', 'externalId'])
const haveNoOrder = /sealed names have no order/

/** `ids` of the users that the query lists. */
async function listed(store: Store, query: Partial<ListQuery>): Promise<string[]> {
  const rows = await store.list('okta', { type: 'User', limit: 100, ...query })
  return rows.map((row) => row.id)
}

async function walked(store: Store, query: Omit<WalkQuery, 'type'>): Promise<{ ids: string[]; places: Place[] }> {
  const rows = await store.walk('okta', { type: 'User', ...query })
  return { ids: rows.map(({ resource }) => resource.id), places: rows.map(({ place }) => place) }
}

async function people(store: Store): Promise<void> {
  await store.transaction(async (write) => {
    const emails = [
      { value: 'Ada@Uni.Example', type: 'work' },
      { value: 'ada@home.example', type: 'home' },
      { value: 'ada@uni.example', type: 'other' },
    ]
    const adaKeys = { userName: 'Charlie', externalId: 'X2', displayName: 'Åsa', emails, active: true }
    await write.insertResource('okta', aUser('2', { keys: adaKeys, now: later }))
    await write.insertResource('okta', aUser('1', { keys: { userName: 'alice', displayName: 'berta' } }))
    await write.insertResource('okta', aUser('3', { keys: { userName: 'Bob', externalId: 'x1', active: false } }))
    await write.insertResource('okta', aGroup('g'))
  })
}

export function listContract(open: OpenEmpty): void {
  const orders: readonly [NonNullable<ListQuery['order']>['by'], string[]][] = [
    ['seq', ['2', '1', '3']],
    ['id', ['1', '2', '3']],
    ['userName', ['1', '3', '2']],
    ['displayName', ['1', '2', '3']],
    ['externalId', ['2', '3', '1']],
    ['created', ['1', '3', '2']],
    ['lastModified', ['1', '3', '2']],
  ]
  for (const [by, ascending] of orders) {
    test(`lists are ordered by ${by}, missing values last, and descending is the reverse`, async (t) => {
      const store = await open(t)
      await people(store)
      if (store.hasSealedNames && nameOrders.has(by)) {
        await assert.rejects(listed(store, { order: { by, descending: false } }), haveNoOrder)
        return
      }
      assert.deepEqual(await listed(store, { order: { by, descending: false } }), ascending)
      assert.deepEqual(await listed(store, { order: { by, descending: true } }), ascending.toReversed())
    })
  }

  const conditions: readonly [string, IndexedCondition, string[]][] = [
    ['id, exactly', { attribute: 'id', equals: '2' }, ['2']],
    ['userName in any case', { attribute: 'userName', equals: 'CHARLIE' }, ['2']],
    ['displayName in any case', { attribute: 'displayName', equals: 'åSA' }, ['2']],
    ['externalId, exactly', { attribute: 'externalId', equals: 'X1' }, []],
    ['externalId', { attribute: 'externalId', equals: 'x1' }, ['3']],
    ['an e-mail in any case, once each', { attribute: 'email', equals: 'ADA@uni.example' }, ['2']],
    ['an e-mail of a type', { attribute: 'email', equals: 'ada@home.example', type: 'HOME' }, ['2']],
    ['an e-mail of another type', { attribute: 'email', equals: 'ada@home.example', type: 'work' }, []],
    ['part of a name', { attribute: 'userName', equals: 'char%' }, []],
    ['active', { attribute: 'active', equals: true }, ['2']],
    ['active false, which is not absent', { attribute: 'active', equals: false }, ['3']],
    ['created ge', { attribute: 'created', operator: 'ge', value: later }, ['2']],
    ['created lt', { attribute: 'created', operator: 'lt', value: later }, ['1', '3']],
    [
      'one of several, each once',
      {
        attribute: 'anyOf',
        of: [
          { attribute: 'userName', equals: 'ALICE' },
          { attribute: 'externalId', equals: 'X1' },
          { attribute: 'email', equals: 'ada@HOME.example' },
          { attribute: 'userName', equals: 'charlie' },
          { attribute: 'id', equals: '1' },
          { attribute: 'displayName', equals: 'BERTA' },
          { attribute: 'member', equals: '3' },
        ],
      },
      ['2', '1'],
    ],
    ['the beginning of userName in any case', { attribute: 'prefix', of: 'userName', startsWith: 'CHAR' }, ['2']],
    ['the whole of userName as its beginning', { attribute: 'prefix', of: 'userName', startsWith: 'bob' }, ['3']],
    ['the beginning of displayName', { attribute: 'prefix', of: 'displayName', startsWith: 'å' }, ['2']],
    ['the beginning of externalId, exactly', { attribute: 'prefix', of: 'externalId', startsWith: 'x' }, ['3']],
    ['a beginning that is none', { attribute: 'prefix', of: 'userName', startsWith: 'char%' }, []],
    ['one of none', { attribute: 'anyOf', of: [{ attribute: 'userName', equals: 'nobody' }] }, []],
    ['lastModified ge', { attribute: 'lastModified', operator: 'ge', value: later }, ['2']],
    ['lastModified gt', { attribute: 'lastModified', operator: 'gt', value: later }, []],
    ['lastModified le', { attribute: 'lastModified', operator: 'le', value: now }, ['1', '3']],
    ['lastModified lt', { attribute: 'lastModified', operator: 'lt', value: now }, []],
  ]
  for (const [title, where, expected] of conditions) {
    test(`users are found and counted by ${title}: ${JSON.stringify(where)}`, async (t) => {
      const store = await open(t)
      await people(store)
      if (store.hasSealedNames && where.attribute === 'prefix' && where.of !== 'id') {
        await assert.rejects(listed(store, { where }), haveNoOrder)
        await assert.rejects(store.count('okta', 'User', where), haveNoOrder)
        return
      }
      assert.deepEqual(await listed(store, { where }), expected)
      assert.equal(await store.count('okta', 'User', where), expected.length)
      assert.equal(await store.count('okta', 'Group', where), isTime(where) ? groups(where) : 0)
    })
  }

  test('groups are found by name and by member', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.insertResource('okta', aUser('ada'))
      for (const id of ['g1', 'g2', 'g3']) await write.insertResource('okta', aGroup(id))
      await write.addMembers('okta', 'g3', ['ada'])
      await write.addMembers('okta', 'g1', ['ada'])
    })
    const byMember = { attribute: 'member', equals: 'ada' } as const
    assert.deepEqual(await listed(store, { type: 'Group', where: byMember }), ['g1', 'g3'])
    assert.equal(await store.count('okta', 'Group', byMember), 2)
    const byName = { attribute: 'displayName', equals: 'GROUP G2' } as const
    assert.deepEqual(await listed(store, { type: 'Group', where: byName }), ['g2'])
  })

  test('an e-mail that was taken away finds nobody, a new one does', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.insertResource(
        'okta',
        aUser('ada', { keys: { emails: [{ value: 'old@uni.example', type: 'work' }] } }),
      )
      const keys = { userName: 'ada', emails: [{ value: 'new@uni.example', type: 'work' }] }
      await write.updateResource('okta', { type: 'User', id: 'ada', expectedVersion: 1, json: '{}', keys, now })
    })
    assert.deepEqual(await listed(store, { where: { attribute: 'email', equals: 'old@uni.example' } }), [])
    assert.deepEqual(await listed(store, { where: { attribute: 'email', equals: 'new@uni.example' } }), ['ada'])
    await store.transaction((write) => write.deleteResource('okta', 'User', 'ada'))
    assert.deepEqual(await listed(store, { where: { attribute: 'email', equals: 'new@uni.example' } }), [])
  })

  test('pages by key and pages by offset show the same rows in the same order', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      for (let index = 1; index <= 25; index += 1) await write.insertResource('okta', aUser(`u${index}`))
    })
    const byOffset = await store.list('okta', { type: 'User', offset: 10, limit: 10 })
    const byKey = await store.list('okta', { type: 'User', afterSeq: 10, limit: 10 })
    assert.deepEqual(byOffset, byKey)
    assert.deepEqual(
      byKey.map((row) => row.seq),
      [11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
    )
    assert.deepEqual(await listed(store, { offset: 25 }), [])
    assert.deepEqual(await listed(store, { limit: 0 }), [])
  })

  test('rows that come and go while a client walks by key cause no gap and no repeat', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      for (let index = 1; index <= 6; index += 1) await write.insertResource('okta', aUser(`u${index}`))
    })
    const first = await store.list('okta', { type: 'User', limit: 3 })
    await store.transaction(async (write) => {
      await write.deleteResource('okta', 'User', 'u1')
      await write.insertResource('okta', aUser('u7'))
    })
    assert.deepEqual(await listed(store, { afterSeq: first.at(-1)?.seq ?? 0 }), ['u4', 'u5', 'u6', 'u7'])
  })

  for (const [by, ascending] of orders) {
    for (const descending of [false, true]) {
      test(`a walk by ${by}, ${descending ? 'descending' : 'ascending'}, passes every row once, from any row on and back`, async (t) => {
        const store = await open(t)
        await people(store)
        const ids = descending ? ascending.toReversed() : ascending
        if (store.hasSealedNames && nameOrders.has(by)) {
          await assert.rejects(walked(store, { order: { by, descending }, limit: 10 }), haveNoOrder)
          return
        }
        const whole = await walked(store, { order: { by, descending }, limit: 10 })
        assert.deepEqual(whole.ids, ids)
        for (const [index, place] of whole.places.entries()) {
          const onward = await walked(store, { order: { by, descending }, from: place, limit: 10 })
          assert.deepEqual(onward.ids, ids.slice(index + 1))
          const back = await walked(store, { order: { by, descending: !descending }, from: place, limit: 10 })
          assert.deepEqual(back.ids, ids.slice(0, index).reverse())
          const next = await walked(store, { order: { by, descending }, from: place, limit: 1 })
          assert.deepEqual(next.ids, ids.slice(index + 1, index + 2))
        }
      })
    }
  }

  test('a walk keeps to its condition, and goes on from a row that is gone', async (t) => {
    const store = await open(t)
    await people(store)
    const query = {
      where: {
        attribute: 'anyOf',
        of: ['alice', 'bob', 'charlie'].map((equals) => ({ attribute: 'userName', equals }) as const),
      },
      order: { by: store.hasSealedNames ? 'id' : 'userName', descending: false },
    } as const
    const others = store.hasSealedNames ? ['2', '3'] : ['3', '2']
    const [first] = (await walked(store, { ...query, limit: 1 })).places
    await store.transaction((write) => write.deleteResource('okta', 'User', '1'))
    assert.ok(first !== undefined)
    assert.deepEqual((await walked(store, { ...query, from: first, limit: 9 })).ids, others)
    const rest = await store.walk('entra', { type: 'User', ...query, limit: 9 })
    assert.deepEqual(rest, [])
  })

  test('a secret is made once, for each connection, and is the same for everybody after that', async (t) => {
    const store = await open(t)
    const keep = (connection: string, name: string, value: string) =>
      store.transaction((write) => write.keepSecret(connection, name, value))
    assert.equal(await keep('okta', 'cursor', 'a'), 'a')
    assert.equal(await keep('okta', 'cursor', 'b'), 'a')
    assert.equal(await keep('okta', 'other', 'c'), 'c')
    assert.equal(await keep('entra', 'cursor', 'd'), 'd')
  })

  test('a page by key in any other order is a mistake of the caller', async (t) => {
    const store = await open(t)
    const order = { by: 'seq', descending: true } as const
    await assert.rejects(store.list('okta', { type: 'User', afterSeq: 1, order, limit: 1 }), TypeError)
  })
}

function isTime(where: IndexedCondition): where is TimeCondition {
  return where.attribute === 'lastModified' || where.attribute === 'created'
}

/** The one group of `people` was made at `now`. */
function groups(where: TimeCondition): number {
  return where.operator === 'le' || (where.operator === 'lt' && where.value === later) ? 1 : 0
}
