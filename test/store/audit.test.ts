import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { backupStore } from '../../src/store/backup.ts'
import type { OpenedStore } from '../../src/store/open.ts'
import { openAudit } from '../../src/store/open-audit.ts'
import { anAuditEntry, now } from './builders.ts'
import { auditContract } from './contract-audit.ts'
import { aClock, aFile, opened } from './places.ts'

auditContract('the audit in SQLite', async (t) => {
  const store = await opened(t, aFile(t))
  return { store, change: (text) => tamper(store, text) }
})

const tamper = (store: OpenedStore, text: string) => store.withDatabase((database) => database.exec(text))

test('in a backup of a store in use the audit is whole, too, with its erased lines', async (t) => {
  const file = aFile(t)
  const store = await opened(t, file)
  await store.transaction(async (write) => {
    for (const resourceId of ['ada', 'bob', 'ada']) await write.appendAudit('okta', anAuditEntry({ resourceId }))
  })
  const subjects = [{ resourceId: 'ada', accountId: undefined }]
  await store.erase((write) => write.eraseSubjects('okta', subjects, { at: now, requestId: 'r', caller: 'o' }))
  const folder = join(dirname(file), 'backup')
  await backupStore({ kind: 'sqlite', file }, folder, aClock())
  const audit = openAudit({ file: join(folder, 'store.sqlite') })
  t.after(() => audit.close())
  assert.deepEqual(await audit.verifyAudit('okta'), { rows: 4, erased: 2, brokenAt: undefined, fault: undefined })
})

/** Lines as releases without salts have written them, the erased ones marked. */
async function anOlderAudit(t: TestContext, details: readonly object[], erased: readonly number[] = []) {
  const store = await opened(t, aFile(t))
  await store.withDatabase((database) => {
    const insert = database.prepare(
      `insert into audit (connection, id, at, event, request_id, caller, resource_id, detail, hash)
        values ('okta', ?, ?, 'asked', 'request', 'okta', ?, ?, ?)`,
    )
    const fields = (id: number, detail: string) => [
      'okta',
      id,
      now,
      'asked',
      'request',
      'okta',
      'ada',
      null,
      null,
      detail,
    ]
    let hash = ''
    details.forEach((detail, index) => {
      const id = index + 1
      const text = JSON.stringify(detail)
      const line = JSON.stringify(fields(id, text))
      hash = createHash('sha256').update(`${hash}\n${line}`).digest('base64url')
      if (erased.includes(id)) {
        database.prepare("insert into audit_erased (connection, id) values ('okta', ?)").run(id)
        insert.run(id, now, null, '{}', hash)
      } else {
        insert.run(id, now, 'ada', text, hash)
      }
    })
    database.exec(`insert into counter (connection, name, value) values ('okta', 'audit.id', ${details.length})`)
  })
  return store
}
const verified = async (store: OpenedStore) => {
  const { rows, erased, brokenAt, fault } = await store.verifyAudit('okta')
  return [rows, erased, brokenAt, fault]
}

test('lines of a release without salts are followed by the rule they were written with, and new ones hang on them', async (t) => {
  const store = await anOlderAudit(t, [{ a: 1 }, { a: 2 }, { a: 3 }])
  await store.transaction((write) => write.appendAudit('okta', anAuditEntry()))
  assert.deepEqual(await verified(store), [4, 0, undefined, undefined])
  await tamper(store, `update audit set detail = '{"a":4}' where id = 2`)
  assert.deepEqual(await verified(store), [1, 0, 2, 'altered'])
})

test('an older line is not made to look like a new one, nor a new one like an older', async (t) => {
  const store = await anOlderAudit(t, [{ a: 1 }, { a: 2 }])
  await tamper(store, "update audit set salt = '' where id = 2")
  assert.deepEqual(await verified(store), [1, 0, 2, 'altered'])
  await tamper(store, "update audit set salt = null where id = 2; update audit set subject_hash = '' where id = 1")
  assert.deepEqual(await verified(store), [0, 0, 1, 'altered'])
})

test('older lines that were erased before are told from those blanked by hand by their number', async (t) => {
  const store = await anOlderAudit(t, [{ a: 1 }, { a: 2 }, { a: 3 }, { action: 'erase', auditLines: 1 }], [2])
  assert.deepEqual(await verified(store), [4, 1, undefined, undefined])
  await tamper(store, "insert into audit_erased values ('okta', 3)")
  await tamper(store, "update audit set resource_id = null, detail = '{}' where id = 3")
  assert.deepEqual((await verified(store)).slice(2), [2, 'blanked'])
})

test('a person is erased from older lines, too, and one of them that is filled again shows', async (t) => {
  const store = await anOlderAudit(t, [{ a: 1 }, { a: 2 }])
  await store.erase((write) =>
    write.eraseSubjects('okta', [{ resourceId: 'ada', accountId: undefined }], {
      at: now,
      requestId: 'r',
      caller: 'o',
    }),
  )
  assert.deepEqual(await verified(store), [3, 2, undefined, undefined])
  await tamper(store, "update audit set resource_id = 'eve' where id = 2")
  assert.deepEqual((await verified(store)).slice(2), [2, 'altered'])
})
