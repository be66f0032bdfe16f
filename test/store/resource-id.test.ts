import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newResourceId } from '../../src/store/resource-id.ts'

test('ids are UUIDs of version 7, and those of later milliseconds come after those of earlier ones', () => {
  const times = [0, 1, 1_000, Date.UTC(2026, 0, 15), Date.UTC(2026, 0, 15) + 1, Date.UTC(2500, 0, 1)]
  const ids = times.map(newResourceId)
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.deepEqual([...ids].sort(), ids)
})

test('the rest of an id is random: nobody guesses one from the time', () => {
  const ids = Array.from({ length: 1_000 }, () => newResourceId(1_000))
  assert.equal(new Set(ids.map((id) => id.slice(-12))).size, ids.length)
})
