import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { StoreUnavailable } from '../../src/store/store.ts'
import { aUser } from './builders.ts'
import { aFile, opened } from './places.ts'

/** Counts the commits of all stores of this process while the test runs. */
function countCommits(t: TestContext): () => number {
  let count = 0
  const { prepare } = DatabaseSync.prototype
  t.after(() => {
    DatabaseSync.prototype.prepare = prepare
  })
  DatabaseSync.prototype.prepare = function (text, ...more) {
    const statement = prepare.call(this, text, ...more)
    if (text !== 'commit') return statement
    const { all } = statement
    return Object.assign(statement, {
      all: (...values: unknown[]) => {
        count += 1
        return Reflect.apply(all, statement, values)
      },
    })
  }
  return () => count
}

test('writers that ask at once share commits, and each has what it wrote', async (t) => {
  const commits = countCommits(t)
  const store = await opened(t, aFile(t))
  const ids = Array.from({ length: 50 }, (_, index) => `user${index}`)
  await Promise.all(ids.map((id) => store.transaction((write) => write.insertResource('okta', aUser(id)))))
  assert.ok(commits() <= 2, `${commits()} commits`)
  assert.equal(await store.count('okta', 'User'), 50)
})

test('one that fails among others takes nobody along, and leaves nothing', async (t) => {
  const commits = countCommits(t)
  const store = await opened(t, aFile(t))
  const wrong = new Error('changed its mind')
  const results = await Promise.allSettled([
    store.transaction((write) => write.insertResource('okta', aUser('ada'))),
    store.transaction(async (write) => {
      await write.insertResource('okta', aUser('bob'))
      throw wrong
    }),
    // The same userName as the first one, which is seen though it is not committed yet.
    store.transaction((write) => write.insertResource('okta', { ...aUser('eve'), keys: aUser('ada').keys })),
    store.transaction((write) => write.insertResource('okta', aUser('cleo'))),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  )
  assert.equal(results[1]?.status === 'rejected' && results[1].reason, wrong)
  assert.equal(results[2]?.status === 'rejected' && results[2].reason.name, 'NameTaken')
  assert.equal(commits(), 1)
  const users = await store.list('okta', { type: 'User', limit: 10 })
  assert.deepEqual(
    users.map(({ id }) => id),
    ['ada', 'cleo'],
  )
  assert.equal(await store.count('okta', 'User'), 2)
})

test('when the disk is full in the middle of a shared commit, those before are told so, and those after try anew', async (t) => {
  const store = await opened(t, aFile(t))
  const big = aUser('big', { json: JSON.stringify('x'.repeat(1_000_000)) })
  await store.withDatabase((database) => void database.prepare('pragma max_page_count = 1').get())
  const before = store.transaction((write) => write.insertResource('okta', aUser('ada')))
  const full = store.transaction((write) => write.insertResource('okta', big))
  const after = store.withDatabase((database) => void database.prepare('pragma max_page_count = 100000').get())
  await assert.rejects(before, StoreUnavailable)
  await assert.rejects(full, StoreUnavailable)
  await after
  assert.equal(await store.count('okta', 'User'), 0)
  await store.transaction((write) => write.insertResource('okta', aUser('ada')))
  assert.equal((await store.getResource('okta', 'User', 'ada'))?.id, 'ada')
})

test('work that is in a transaction may not ask for another one, also among others', async (t) => {
  const store = await opened(t, aFile(t))
  const nested = () => store.transaction(() => store.transaction(async () => undefined))
  const results = await Promise.allSettled([nested(), store.transaction(async () => 'done'), nested()])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled', 'rejected'],
  )
})
