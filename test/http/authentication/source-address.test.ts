import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sourceKey } from '../../../src/http/authentication/source-address.ts'
import { createThrottle } from '../../../src/http/authentication/throttle.ts'
import { ManualClock } from '../../manual-clock.ts'

test('all addresses of one IPv6 network of a customer are one source, IPv4 addresses each their own', () => {
  for (const address of ['2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2:ffff::']) {
    assert.equal(sourceKey(address), '2001:db8:1:2::/64', address)
  }
  assert.equal(sourceKey('2001:db8::1'), '2001:db8:0:0::/64')
  assert.equal(sourceKey('::1'), '0:0:0:0::/64')
  assert.notEqual(sourceKey('2001:db8:1:3::1'), sourceKey('2001:db8:1:2::1'))
  assert.equal(sourceKey('192.0.2.7'), '192.0.2.7')
})

test('failures are counted for a minute from the first of them, and say how much of it is left', () => {
  const clock = new ManualClock()
  const throttle = createThrottle(clock, 2)
  assert.deepEqual([throttle.count('a'), throttle.count('a'), throttle.count('a')], [false, false, true])
  assert.equal(throttle.isOver('a'), true)
  assert.equal(throttle.isOver('b'), false)
  clock.advance(20_000)
  assert.equal(throttle.retryAfter('a'), 40)
  clock.advance(40_000)
  assert.equal(throttle.isOver('a'), false)
  assert.equal(throttle.count('a'), false)
})

test('nobody is kept out for longer than a minute because the clock was set back', () => {
  const clock = new ManualClock()
  const throttle = createThrottle(clock, 1)
  throttle.count('a')
  clock.advance(-3_600_000)
  assert.equal(throttle.isOver('a'), false)
  assert.equal(throttle.count('a'), false)
  clock.advance(-20_000)
  assert.deepEqual([throttle.isOver('a'), throttle.retryAfter('a')], [true, 60])
})

test('of too many sources the one that began first is forgotten', () => {
  const throttle = createThrottle(new ManualClock(), 1, 2)
  for (const key of ['a', 'b', 'c']) throttle.count(key)
  assert.deepEqual(['a', 'b', 'c'].map(throttle.isOver), [false, true, true])
})
