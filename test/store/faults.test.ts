import assert from 'node:assert/strict'
import { renameSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { StoreUnavailable } from '../../src/store/store.ts'
import { aUser } from './builders.ts'
import { aRequest } from './contract-console.ts'
import { aClock, aFile, opened } from './places.ts'

function unavailable(text: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof StoreUnavailable, String(error))
    assert.match(error.message, text)
    return true
  }
}

test('a lock of another program is waited for without stopping the process, then the store is unavailable', async (t) => {
  const file = aFile(t)
  const clock = aClock()
  const store = await opened(t, file, { clock, lockWaitMs: 5_000 })
  const other = new DatabaseSync(file)
  other.exec('begin immediate')
  let wasCalled = false
  const work = store.transaction(async () => {
    wasCalled = true
  })
  await assert.rejects(work, unavailable(/locked/))
  assert.equal(wasCalled, false)
  assert.equal(clock.slept, 100)
  other.exec('rollback')
  other.close()
  await store.transaction((write) => write.insertResource('okta', aUser('ada')))
  assert.equal(await store.count('okta', 'User'), 1)
})

test('a lock that ends in time is not noticed', async (t) => {
  const file = aFile(t)
  const clock = aClock()
  const store = await opened(t, file, { clock })
  const other = new DatabaseSync(file)
  other.exec('begin immediate')
  clock.onSleep = () => {
    if (clock.slept === 3) other.close()
  }
  await store.transaction((write) => write.insertResource('okta', aUser('ada')))
  assert.equal(clock.slept, 3)
  assert.equal(await store.count('okta', 'User'), 1)
})

test('what may not wait for a lock is refused at once, and those who asked with it wait without it', async (t) => {
  const file = aFile(t)
  const clock = aClock()
  const store = await opened(t, file, { clock })
  const other = new DatabaseSync(file)
  other.exec('begin immediate')
  let refusedAfter: number | undefined
  clock.onSleep = () => {
    if (clock.slept === 3) other.close()
  }
  const first = store.transaction((write) => write.insertResource('okta', aUser('ada')))
  const kept = store
    .keep((write) => write.keepRequests('okta', [aRequest()]))
    .finally(() => {
      refusedAfter = clock.slept
    })
  const last = store.transaction((write) => write.insertResource('okta', aUser('bob')))
  await Promise.all([first, assert.rejects(kept, unavailable(/locked/)), last])
  assert.ok(refusedAfter !== undefined && refusedAfter < 3, `refused after ${refusedAfter} waits`)
  assert.equal(await store.count('okta', 'User'), 2)
})

test('alone, what may not wait for a lock is refused without a wait, and is done once the lock is gone', async (t) => {
  const file = aFile(t)
  const clock = aClock()
  const store = await opened(t, file, { clock })
  const other = new DatabaseSync(file)
  other.exec('begin immediate')
  const keep = () => store.keep((write) => write.keepRequests('okta', [aRequest()]))
  await assert.rejects(keep(), unavailable(/locked/))
  assert.equal(clock.slept, 0)
  other.close()
  await keep()
})

test('reads go on while another program has the lock', async (t) => {
  const file = aFile(t)
  const store = await opened(t, file)
  await store.transaction((write) => write.insertResource('okta', aUser('ada')))
  const other = new DatabaseSync(file)
  other.exec('begin immediate')
  assert.equal((await store.getResource('okta', 'User', 'ada'))?.id, 'ada')
  await store.ping()
  other.close()
})

test('a full disk fails the transaction whole, even when its work swallows the error; the next one works', async (t) => {
  const store = await opened(t, aFile(t))
  const limit = (pages: number) =>
    store.withDatabase((database) => void database.prepare(`pragma max_page_count = ${pages}`).get())
  const big = aUser('big', { json: JSON.stringify('x'.repeat(1_000_000)) })
  await limit(1)
  const work = store.transaction(async (write) => {
    await write.insertResource('okta', aUser('small'))
    await write.insertResource('okta', big).catch(() => undefined)
    return 'done'
  })
  await assert.rejects(work, unavailable(/disk full/))
  assert.equal(await store.count('okta', 'User'), 0)
  assert.equal(await store.getResource('okta', 'User', 'small'), undefined)
  await limit(100_000)
  await store.transaction((write) => write.insertResource('okta', big))
  assert.equal(await store.count('okta', 'User'), 1)
})

for (const [what, spoil] of [
  ['deleted', (file: string) => rmSync(file)],
  ['replaced', (file: string) => renameSync(`${file}.other`, file)],
] as const) {
  test(`nothing is accepted after the file was ${what}, and readiness fails`, async (t) => {
    const file = aFile(t)
    const other = await opened(t, `${file}.other`)
    await other.close()
    const store = await opened(t, file)
    spoil(file)
    await assert.rejects(
      store.transaction((write) => write.insertResource('okta', aUser('ada'))),
      unavailable(/removed or replaced/),
    )
    await assert.rejects(store.ping(), unavailable(/removed or replaced/))
  })
}

test('a closed store is unavailable, and closing waits for what was asked before', async (t) => {
  const store = await opened(t, aFile(t))
  const asked = store.transaction((write) => write.insertResource('okta', aUser('ada')))
  const closing = Promise.all([store.close(), store.close()])
  assert.equal((await asked).id, 'ada')
  await closing
  await assert.rejects(
    store.transaction(async () => undefined),
    unavailable(/closed/),
  )
  await assert.rejects(store.getResource('okta', 'User', 'ada'), unavailable(/closed/))
  await assert.rejects(store.ping(), unavailable(/closed/))
})
