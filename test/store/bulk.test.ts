import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BulkRow, bulkLoad } from '../../src/store/bulk.ts'
import { aLink, aUser } from './builders.ts'
import { aFile, opened } from './places.ts'

function* people(count: number): Generator<BulkRow> {
  for (let index = 0; index < count; index += 1) {
    const emails = [{ value: `u${index}@Uni.example`, type: 'work' }]
    yield { resource: aUser(`u${index}`, { keys: { emails } }), link: aLink('okta', `u${index}`) }
  }
}

test('users that are loaded in bulk are found like any other', async (t) => {
  const store = await opened(t, aFile(t))
  await store.transaction((write) => write.insertResource('okta', aUser('first')))
  assert.equal(await bulkLoad(store, 'okta', people(500)), 500)
  assert.equal(await store.count('okta', 'User'), 501)
  const where = { attribute: 'email', equals: 'U7@uni.example', type: 'work' } as const
  const found = await store.list('okta', { type: 'User', where, limit: 2 })
  assert.deepEqual(found, [await store.getResource('okta', 'User', 'u7')])
  assert.equal(found[0]?.seq, 9)
  assert.deepEqual(await store.getLink('okta', 'u7'), aLink('okta', 'u7'))
  const next = await store.transaction((write) => write.insertResource('okta', aUser('last')))
  assert.equal(next.seq, 502)
})

test('a name that is taken fails the whole load', async (t) => {
  const store = await opened(t, aFile(t))
  await store.transaction((write) => write.insertResource('okta', aUser('x', { keys: { userName: 'U3@uni.example' } })))
  await assert.rejects(bulkLoad(store, 'okta', people(5)))
  assert.equal(await store.count('okta', 'User'), 1)
  assert.equal(await store.getLink('okta', 'u0'), undefined)
})
