import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { postgresDialect } from '../../src/store/postgres.ts'
import { connectSqlite } from '../../src/store/sqlite.ts'
import { atMost, statement } from '../../src/store/statement.ts'

test('a limit that would have its statement planned anew with every value is a mistake, in either dialect', (t) => {
  const { database, dialect } = connectSqlite(':memory:', { readOnly: false, lockWaitMs: 0 })
  t.after(() => database.close())
  for (const one of [dialect, postgresDialect]) {
    assert.throws(
      () => statement(one, ['most'], (slot) => sql`select 1 limit ${slot('most')}`),
      /a limit takes its value through atMost/,
    )
    assert.ok(statement(one, ['most'], (slot) => sql`select 1 limit ${atMost(slot('most'))}`))
  }
})
