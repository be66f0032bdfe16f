import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { OpenedStore } from '../../src/store/open.ts'
import { anAuditEntry } from './builders.ts'
import { aFile, opened } from './places.ts'

async function anAudit(t: TestContext, rows: number): Promise<OpenedStore> {
  const store = await opened(t, aFile(t))
  await store.transaction(async (write) => {
    for (let index = 0; index < rows; index += 1) {
      await write.appendAudit('okta', anAuditEntry({ requestId: `request-${index}` }))
      await write.appendAudit('entra', anAuditEntry())
    }
  })
  return store
}
const tamper = (store: OpenedStore, text: string) => store.withDatabase((database) => database.exec(text))

test('an audit that nobody touched is whole, connection by connection', async (t) => {
  const store = await anAudit(t, 5)
  assert.deepEqual(await store.verifyAudit('okta'), { rows: 5, brokenAt: undefined })
  assert.deepEqual(await store.verifyAudit('entra'), { rows: 5, brokenAt: undefined })
  assert.deepEqual(await store.verifyAudit('nobody'), { rows: 0, brokenAt: undefined })
})

for (const [what, text, brokenAt] of [
  ['a changed caller', "update audit set caller = 'eve' where connection = 'okta' and id = 3", 3],
  ['a changed detail', `update audit set detail = '{"a":1}' where connection = 'okta' and id = 3`, 3],
  ['a changed account', "update audit set account_id = '9' where connection = 'okta' and id = 1", 1],
  ['a row taken out', "delete from audit where connection = 'okta' and id = 3", 4],
  ['a row that changed connections', "update audit set connection = 'x' where connection = 'okta' and id = 2", 3],
] as const) {
  test(`${what} shows`, async (t) => {
    const store = await anAudit(t, 5)
    await tamper(store, text)
    assert.equal((await store.verifyAudit('okta')).brokenAt, brokenAt)
    assert.equal((await store.verifyAudit('entra')).brokenAt, undefined)
  })
}

test('lines taken from the end show, and so do lines taken from the front by hand', async (t) => {
  const store = await anAudit(t, 5)
  await tamper(store, "delete from audit where connection = 'okta' and id = 5")
  await tamper(store, "delete from audit where connection = 'entra' and id <= 2")
  assert.equal((await store.verifyAudit('okta')).brokenAt, 5)
  assert.equal((await store.verifyAudit('entra')).brokenAt, 3)
})
