import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSeenAccounts } from '../../src/platforms/seen-accounts.ts'

const rows = (...ids: string[]) => ids.map((id) => ({ id }))

test('an account comes once in a walk, also when one page has it twice', () => {
  const seen = createSeenAccounts(() => 1_000)
  const walk = seen.begin()
  assert.deepEqual(seen.fresh(walk, rows('a', 'b', 'a')), rows('a', 'b'))
  assert.deepEqual(seen.fresh(walk, rows('b', 'c')), rows('c'))
  assert.equal(seen.count(walk), 3)
})

test('a new walk starts from nothing, and an old cursor is not measured by it', () => {
  const seen = createSeenAccounts(() => 1_000)
  const first = seen.begin()
  seen.fresh(first, rows('a'))
  const second = seen.begin()
  assert.notEqual(second, first)
  assert.deepEqual(seen.fresh(second, rows('a')), rows('a'))
  assert.deepEqual(seen.fresh(first, rows('a')), rows('a'))
  assert.equal(seen.count(first), undefined)
  assert.equal(seen.count(second), 1)
})

test('a cursor of an earlier process meets no walk of this one', () => {
  const earlier = createSeenAccounts(() => 1_000).begin()
  const seen = createSeenAccounts(() => 2_000)
  assert.notEqual(seen.begin(), earlier)
})
