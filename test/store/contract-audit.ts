import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuditReads } from '../../src/store/audit.ts'
import type { Eraser } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { anAuditEntry, later, now } from './builders.ts'

type AuditedStore = Store & AuditReads & Eraser
interface Audited {
  readonly store: AuditedStore
  /** By hand, past the bridge. */
  readonly change: (statement: string) => Promise<unknown>
}
/** Opens an empty store; whoever opens it closes it after the test. */
type OpenAudited = (context: { after(close: () => void | Promise<void>): void }) => Promise<Audited>

const by = { at: later, requestId: 'request-9', caller: 'operator' }
const ofOkta = (id: number) => `where connection = 'okta' and id = ${id}`

const columns = [
  ...['at', 'event', 'request_id', 'caller', 'resource_id', 'operation_id', 'account_id', 'detail'],
  ...['hash', 'salt', 'subject_hash'],
]

/** Gives one column of the third line after the other another value, and takes it back. */
async function eachColumnChanged(
  change: Audited['change'],
  otherDetail: string,
  whenChanged: (column: string) => Promise<void>,
  afterwards: (column: string) => Promise<void>,
): Promise<void> {
  const values = new Map([
    ['event', "'calling'"],
    ['operation_id', '9'],
    ['detail', otherDetail],
  ])
  for (const column of columns) {
    const kept = `kept_${column}`
    await change(`create table ${kept} as select ${column} as kept from audit ${ofOkta(3)}`)
    await change(`update audit set ${column} = ${values.get(column) ?? "'other'"} ${ofOkta(3)}`)
    await whenChanged(column)
    await change(`update audit set ${column} = (select kept from ${kept}) ${ofOkta(3)}`)
    await afterwards(column)
  }
}

/** What an audit promises, whatever store it is in. */
export function auditContract(title: string, open: OpenAudited): void {
  /** Six lines: 2, 3 and 5 are Ada's. `entra` has as many. */
  async function anAudit(t: Parameters<OpenAudited>[0]): Promise<Audited> {
    const audited = await open(t)
    await audited.store.transaction(async (write) => {
      for (const connection of ['okta', 'entra']) {
        const append = (more: Parameters<typeof anAuditEntry>[0]) => write.appendAudit(connection, anAuditEntry(more))
        await append({ resourceId: 'bob', operationId: 4, accountId: '12' })
        await append({ resourceId: 'ada', detail: { path: '/accounts/77' } })
        await append({ resourceId: 'ada', accountId: '77', operationId: 5 })
        await append({ resourceId: 'bob' })
        await append({ resourceId: undefined, accountId: '77' })
        await append({ resourceId: 'bob', event: 'outcome' })
      }
    })
    return audited
  }
  async function anErasedAudit(t: Parameters<OpenAudited>[0]): Promise<Audited> {
    const audited = await anAudit(t)
    const subjects = [{ resourceId: 'ada', accountId: '77' }]
    assert.equal(await audited.store.erase((write) => write.eraseSubjects('okta', subjects, by)), 3)
    return audited
  }
  const verified = async (store: AuditedStore, connection = 'okta') => {
    const { rows, erased, brokenAt, fault } = await store.verifyAudit(connection)
    return [rows, erased, brokenAt, fault]
  }

  describe(title, () => {
    test('an audit that nobody touched is whole, connection by connection', async (t) => {
      const { store } = await anAudit(t)
      assert.deepEqual(await verified(store), [6, 0, undefined, undefined])
      assert.deepEqual(await verified(store, 'entra'), [6, 0, undefined, undefined])
      assert.deepEqual(await verified(store, 'nobody'), [0, 0, undefined, undefined])
    })

    test('texts that no database can hold as they came do not break it', async (t) => {
      const { store } = await open(t)
      const odd = 'a\0b\ud800'
      const entry = anAuditEntry({ requestId: odd, caller: odd, resourceId: odd, accountId: odd, detail: { odd } })
      await store.transaction((write) => write.appendAudit('okta', entry))
      assert.deepEqual(await verified(store), [1, 0, undefined, undefined])
    })

    test('a change of any column of a line shows, and which line it is', async (t) => {
      const { store, change } = await anAudit(t)
      await eachColumnChanged(
        change,
        `'{"path":"/accounts/78"}'`,
        async (column) => assert.deepEqual(await verified(store), [2, 0, 3, 'altered'], column),
        async (column) => assert.deepEqual(await verified(store), [6, 0, undefined, undefined], column),
      )
    })

    for (const [what, text, brokenAt, fault] of [
      ['a line taken out', `delete from audit ${ofOkta(3)}`, 3, 'missing'],
      ['the last line taken out', `delete from audit ${ofOkta(6)}`, 6, 'missing'],
      ['the first lines taken out', "delete from audit where connection = 'okta' and id < 3", 1, 'missing'],
      ['a line that changed connections', `update audit set connection = 'x' ${ofOkta(2)}`, 2, 'missing'],
      ['a line that changed its number', `update audit set id = 9 ${ofOkta(6)}`, 6, 'missing'],
      [
        'a line that was put behind the last',
        `insert into audit select connection, 7, at, event, request_id, caller, resource_id, operation_id, account_id, detail,
          hash, salt, subject_hash from audit ${ofOkta(6)}`,
        7,
        'altered',
      ],
      [
        'a line that was put before the first',
        `insert into audit select connection, 0, at, event, request_id, caller, resource_id, operation_id, account_id, detail,
          hash, salt, subject_hash from audit ${ofOkta(6)}`,
        0,
        'inserted',
      ],
      [
        'two lines that changed places',
        `update audit set id = 99 ${ofOkta(3)}; update audit set id = 3 ${ofOkta(4)}; update audit set id = 4 ${ofOkta(99)}`,
        3,
        'altered',
      ],
      [
        'a line that was written twice, the others moved up',
        `update audit set id = -id where connection = 'okta' and id > 3; update audit set id = 1 - id where connection = 'okta' and id < 0;
        insert into audit select connection, 4, at, event, request_id, caller, resource_id, operation_id, account_id, detail,
          hash, salt, subject_hash from audit ${ofOkta(3)}`,
        4,
        'altered',
      ],
    ] as const) {
      test(`${what} shows`, async (t) => {
        const { store, change } = await anAudit(t)
        await change(text)
        assert.deepEqual((await verified(store)).slice(2), [brokenAt, fault])
        assert.deepEqual((await verified(store, 'entra')).slice(2), [undefined, undefined])
      })
    }

    test('a line that was put behind the last with a right hash shows: none was written there', async (t) => {
      const { store, change } = await anAudit(t)
      await store.transaction((write) => write.appendAudit('okta', anAuditEntry()))
      await change("update counter set value = 6 where connection = 'okta' and name = 'audit.id'")
      assert.deepEqual(await verified(store), [7, 0, 7, 'inserted'])
    })

    test('a person is taken out of all lines, the others stay, and the chain is whole', async (t) => {
      const { store } = await anErasedAudit(t)
      const lines = await store.readAudit('okta', 0, 10)
      assert.deepEqual(
        lines.map(({ resourceId, accountId }) => [resourceId, accountId]),
        [
          ['bob', '12'],
          [undefined, undefined],
          [undefined, undefined],
          ['bob', undefined],
          [undefined, undefined],
          ['bob', undefined],
          [undefined, undefined],
        ],
      )
      assert.deepEqual(lines.at(-1)?.detail, {
        action: 'erase',
        users: 1,
        auditLines: 3,
        lines: [
          [2, 3],
          [5, 5],
        ],
      })
      assert.deepEqual(await verified(store), [7, 3, undefined, undefined])
      assert.deepEqual(await verified(store, 'entra'), [6, 0, undefined, undefined])
      await store.transaction((write) => write.appendAudit('okta', anAuditEntry({ at: now })))
      assert.deepEqual(await verified(store), [8, 3, undefined, undefined])
    })

    test('what is left of a line that a person was erased from is held by the chain, column by column', async (t) => {
      const { store, change } = await anErasedAudit(t)
      await eachColumnChanged(
        change,
        `'{"a":1}'`,
        async (column) => assert.deepEqual((await verified(store)).slice(2), [3, 'altered'], column),
        async (column) => assert.deepEqual((await verified(store)).slice(2), [undefined, undefined], column),
      )
      await change(`delete from audit ${ofOkta(3)}`)
      assert.deepEqual((await verified(store)).slice(2), [3, 'missing'])
    })

    test('a line that was blanked by hand is told from those that were erased on request', async (t) => {
      const { store, change } = await anErasedAudit(t)
      await change(`update audit set resource_id = null, account_id = null, detail = '{}', salt = null ${ofOkta(4)}`)
      assert.deepEqual(await verified(store), [7, 4, 4, 'blanked'])
    })

    test('a line that is put back after a person was erased from it shows, though it is as it was written', async (t) => {
      const { store, change } = await anAudit(t)
      await change(`create table kept as select * from audit ${ofOkta(3)}`)
      await store.erase((write) => write.eraseSubjects('okta', [{ resourceId: 'ada', accountId: '77' }], by))
      await change(`delete from audit ${ofOkta(3)}; insert into audit select * from kept`)
      assert.deepEqual((await verified(store)).slice(2), [3, 'refilled'])
    })

    test('retention cuts off erased lines with the others', async (t) => {
      const { store } = await anErasedAudit(t)
      assert.equal(await store.erase((write) => write.eraseAudit('okta', later, 3)), 3)
      assert.deepEqual(await verified(store), [4, 1, undefined, undefined])
      assert.equal(await store.erase((write) => write.eraseAudit('okta', later, 100)), 3)
      assert.deepEqual(await verified(store), [1, 0, undefined, undefined])
    })

    test('lines that are added, erased and cut off while they are verified are no fault', async (t) => {
      const { store } = await open(t)
      await store.transaction(async (write) => {
        for (let line = 0; line < 2_500; line += 1) {
          await write.appendAudit('okta', anAuditEntry({ resourceId: line % 2 === 0 ? 'ada' : 'bob', at: now }))
        }
      })
      const verifying = store.verifyAudit('okta')
      await store.erase((write) => write.eraseSubjects('okta', [{ resourceId: 'ada', accountId: undefined }], by))
      await store.erase((write) => write.eraseAudit('okta', later, 2_200))
      assert.deepEqual((await verifying).fault, undefined)
      assert.deepEqual(await verified(store), [300 + 3, 150, undefined, undefined])
    })
  })
}
