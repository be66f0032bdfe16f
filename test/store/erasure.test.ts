import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { tracingTables } from '../../src/store/erasure.ts'
import type { OpenedStore } from '../../src/store/open.ts'
import { aLink, anAuditEntry, anOperation, aUser, later, now } from './builders.ts'
import { aFile, opened } from './places.ts'

const between = '2026-03-01T20:00:00.000Z'

/** Three lines of the first day, two of the second. */
async function anAudit(t: TestContext): Promise<OpenedStore> {
  const store = await opened(t, aFile(t))
  await store.transaction(async (write) => {
    for (const at of [now, now, now, later, later]) await write.appendAudit('okta', anAuditEntry({ at }))
    await write.appendAudit('entra', anAuditEntry({ at: now }))
  })
  return store
}

async function followed(store: OpenedStore, connection: string) {
  const { rows, brokenAt } = await store.verifyAudit(connection)
  return [rows, brokenAt]
}

test('old audit lines are erased from the front, a few at a time, and the chain goes on from there', async (t) => {
  const store = await anAudit(t)
  assert.equal(await store.erase((write) => write.eraseAudit('okta', between, 2)), 2)
  assert.deepEqual(await followed(store, 'okta'), [3, undefined])
  assert.equal(await store.erase((write) => write.eraseAudit('okta', between, 2)), 1)
  assert.equal(await store.erase((write) => write.eraseAudit('okta', between, 2)), 0)
  await store.transaction((write) => write.appendAudit('okta', anAuditEntry({ at: later })))
  assert.deepEqual(await followed(store, 'okta'), [3, undefined])
  assert.deepEqual(await followed(store, 'entra'), [1, undefined])
})

test('after old lines were erased, one more taken away by hand shows', async (t) => {
  const store = await anAudit(t)
  await store.erase((write) => write.eraseAudit('okta', between, 100))
  await store.withDatabase((database) => database.exec("delete from audit where connection = 'okta' and id = 4"))
  assert.deepEqual(await followed(store, 'okta'), [0, 4])
})

test('the newest audit line stays however old it is: the next one hangs on it', async (t) => {
  const store = await anAudit(t)
  assert.equal(await store.erase((write) => write.eraseAudit('okta', '2100-01-01T00:00:00.000Z', 100)), 4)
  await store.transaction((write) => write.appendAudit('okta', anAuditEntry()))
  assert.deepEqual(await followed(store, 'okta'), [2, undefined])
})

test('old tombstones are erased; younger ones, living links and unfinished work stay', async (t) => {
  const store = await opened(t, aFile(t))
  const tombstone = (id: string, deletedAt: string) => aLink('okta', id, { state: 'tombstone', deletedAt })
  await store.transaction(async (write) => {
    for (const id of ['old1', 'old2', 'old3', 'unfinished']) await write.putLink(tombstone(id, now))
    await write.putLink(tombstone('young', later))
    await write.putLink(aLink('okta', 'living', { deletedAt: now }))
    await write.putLink({ ...tombstone('elsewhere', now), connection: 'entra' })
    await write.putOperation('okta', anOperation('unfinished'))
  })
  assert.equal(await store.erase((write) => write.eraseTombstones('okta', between, 2)), 2)
  assert.equal(await store.erase((write) => write.eraseTombstones('okta', between, 2)), 1)
  assert.equal(await store.erase((write) => write.eraseTombstones('okta', between, 2)), 0)
  for (const id of ['unfinished', 'young', 'living']) assert.ok(await store.getLink('okta', id), id)
  assert.ok(await store.getLink('entra', 'elsewhere'))
})

test('what is deleted is overwritten in the file', async (t) => {
  const file = aFile(t)
  const store = await opened(t, file)
  const secret = 'somebody-who-wants-to-be-forgotten'
  await store.transaction((write) => write.insertResource('okta', aUser(secret)))
  await store.transaction((write) => write.deleteResource('okta', 'User', secret))
  await store.close()
  assert.equal(readFileSync(file).includes(secret), false)
})

test('every table that knows users is one that an erasure empties', async (t) => {
  const store = await opened(t, aFile(t))
  const tables = await store.withDatabase((database) =>
    database
      .prepare(
        "select name from sqlite_schema where type = 'table' and exists " +
          "(select 1 from pragma_table_info(sqlite_schema.name) as field where field.name = 'resource_id')",
      )
      .all(),
  )
  // Links of groups know no people; the others are told in `erasure.ts`.
  const known = new Set<unknown>([...tracingTables, 'operation', 'audit', 'group_link'])
  assert.deepEqual(new Set(tables.map(({ name }) => name)), known)
})

test('spans of requests are erased when they are old, so many at a time', async (t) => {
  const store = await opened(t, aFile(t))
  await store.transaction(async (write) => {
    for (const day of [1, 2, 3, 4]) {
      await write.keepRequestSpan('okta', `request ${day}`, 'a span', `2026-01-0${day}T00:00:00.000Z`)
    }
    await write.keepRequestSpan('entra', 'request 1', 'a span', '2026-01-01T00:00:00.000Z')
  })
  const erase = () => store.erase((write) => write.eraseRequestSpans('okta', '2026-01-04T00:00:00.000Z', 2))
  assert.deepEqual([await erase(), await erase(), await erase()], [2, 1, 0])
  const left = await Promise.all([1, 2, 3, 4].map((day) => store.requestSpan('okta', `request ${day}`)))
  assert.deepEqual(left, [undefined, undefined, undefined, 'a span'])
  assert.equal(await store.requestSpan('entra', 'request 1'), 'a span')
})
