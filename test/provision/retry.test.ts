import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryAfterSeconds, retryWaitMs } from '../../src/provision/retry.ts'

const hour = 3_600_000
const middle = () => 0.5

test('the waits grow as documented and stay at an hour', () => {
  const waits = Array.from(
    { length: 10 },
    (_, index) => retryWaitMs(index + 1, { maximumMs: hour, random: middle }) / 1_000,
  )
  assert.deepEqual(waits, [5, 15, 60, 180, 600, 1_200, 2_400, 3_600, 3_600, 3_600])
})

test('the jitter is a fifth either way and never exceeds the maximum', () => {
  assert.equal(retryWaitMs(1, { maximumMs: hour, random: () => 0 }), 4_000)
  assert.equal(Math.round(retryWaitMs(1, { maximumMs: hour, random: () => 0.999999 })), 6_000)
  assert.equal(retryWaitMs(8, { maximumMs: 5_000, random: () => 0.999999 }), 5_000)
})

test('a told wait wins when it is later, up to an hour', () => {
  assert.equal(retryWaitMs(1, { maximumMs: hour, toldMs: 90_000, random: middle }), 90_000)
  assert.equal(retryWaitMs(1, { maximumMs: hour, toldMs: 1_000, random: middle }), 5_000)
  assert.equal(retryWaitMs(1, { maximumMs: hour, toldMs: 10 * 365 * 24 * hour, random: middle }), hour)
})

test('the identity provider is told whole seconds between 5 and 3600, and 60 when nobody knows', () => {
  const now = 1_000_000
  assert.equal(retryAfterSeconds(undefined, now), 60)
  assert.equal(retryAfterSeconds(now - 5_000, now), 5)
  assert.equal(retryAfterSeconds(now + 5_001, now), 6)
  assert.equal(retryAfterSeconds(now + 100 * hour, now), 3_600)
})
