import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from '../../src/store/kysely.ts'
import { postgresDialect } from '../../src/store/postgres.ts'
import { sqliteDialect } from '../../src/store/sqlite.ts'
import { atMost, ofType, statement } from '../../src/store/statement.ts'

test('a limit that would have its statement planned anew with every value is a mistake, in either dialect', () => {
  for (const one of [sqliteDialect, postgresDialect]) {
    assert.throws(
      () => statement(one, ['most'], (slot) => sql`select 1 limit ${slot('most')}`),
      /a limit takes its value through atMost/,
    )
    assert.ok(statement(one, ['most'], (slot) => sql`select 1 limit ${atMost(slot('most'))}`))
  }
})

test('a condition on the type that would have its statement planned anew with every value is a mistake, in either dialect', () => {
  for (const one of [sqliteDialect, postgresDialect]) {
    assert.throws(
      () => statement(one, ['type'], (slot) => sql`select 1 from resource where type = ${slot('type')}`),
      /a type takes its value through ofType/,
    )
    assert.ok(statement(one, ['type'], (slot) => sql`select 1 from resource where ${ofType(slot('type'))}`))
  }
})
