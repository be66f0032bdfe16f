import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Broken, Denied, Unknown, Unreachable } from '../../src/errors.ts'
import { createBreaker } from '../../src/provision/breaker.ts'
import { ManualClock } from '../manual-clock.ts'

function aBreaker(change: { deniedWaitMs?: number; maximumWaitMs?: number } = {}) {
  const clock = new ManualClock()
  const breaker = createBreaker({
    clock,
    maximumWaitMs: change.maximumWaitMs ?? 3_600_000,
    deniedWaitMs: change.deniedWaitMs,
  })
  return { clock, breaker }
}

test('four failures in a row do not stop the calls, the fifth does', () => {
  const { breaker } = aBreaker()
  for (let count = 0; count < 4; count += 1) breaker.failed(new Unreachable('refused'))
  assert.equal(breaker.isClosed(), true)
  breaker.failed(new Unknown('reset'))
  assert.equal(breaker.isClosed(), false)
  assert.equal(breaker.reason(), 'unknown')
})

test('a success between failures starts the count again', () => {
  const { breaker } = aBreaker()
  for (let count = 0; count < 4; count += 1) breaker.failed(new Unreachable('refused'))
  breaker.succeeded()
  for (let count = 0; count < 4; count += 1) breaker.failed(new Unreachable('refused'))
  assert.equal(breaker.isClosed(), true)
})

test('an answer that breaks the contract is no sign that the platform is away', () => {
  const { breaker } = aBreaker()
  for (let count = 0; count < 10; count += 1) breaker.failed(new Broken('unchanged'))
  assert.equal(breaker.isClosed(), true)
})

test('one refusal of our credentials stops the calls at once', () => {
  const { breaker } = aBreaker()
  breaker.failed(new Denied('401'))
  assert.equal(breaker.isClosed(), false)
})

test('where wrong log-ins lock the account, no probe ever comes by itself', () => {
  const { breaker, clock } = aBreaker()
  breaker.failed(new Denied('403'))
  clock.advance(365 * 24 * 3_600_000)
  assert.equal(breaker.isProbeDue(), false)
  assert.equal(breaker.nextProbeAt(), undefined)
})

test('a platform that is away is probed after 30 s, then less and less often, at most every 15 minutes', () => {
  const { breaker, clock } = aBreaker()
  for (let count = 0; count < 5; count += 1) breaker.failed(new Unreachable('refused'))
  const waits: number[] = []
  for (let probe = 0; probe < 7; probe += 1) {
    const at = breaker.nextProbeAt() ?? 0
    waits.push((at - clock.now()) / 1_000)
    clock.advance(at - clock.now())
    assert.equal(breaker.isProbeDue(), true)
    breaker.failed(new Unreachable('refused'))
  }
  assert.deepEqual(waits, [30, 60, 120, 300, 600, 900, 900])
})

test('the wait between two probes never exceeds the connection’s maximum', () => {
  const { breaker, clock } = aBreaker({ maximumWaitMs: 5_000 })
  for (let count = 0; count < 5; count += 1) breaker.failed(new Unreachable('refused'))
  assert.equal((breaker.nextProbeAt() ?? 0) - clock.now(), 5_000)
})

test('a failure of another kind while suspended for refused credentials does not bring earlier probes', () => {
  const { breaker } = aBreaker()
  breaker.failed(new Denied('403'))
  breaker.failed(new Unreachable('refused'))
  assert.equal(breaker.reason(), 'denied')
  assert.equal(breaker.nextProbeAt(), undefined)
})

test('new credentials end the wait after a refusal of the old ones, and no other wait', () => {
  const refused = aBreaker()
  refused.breaker.failed(new Denied('no'))
  assert.equal(refused.breaker.isProbeDue(), false)
  refused.breaker.renewed()
  assert.equal(refused.breaker.isProbeDue(), true)
  assert.equal(refused.breaker.isClosed(), false)
  const away = aBreaker()
  for (let count = 0; count < 5; count += 1) away.breaker.failed(new Unreachable('no'))
  away.breaker.renewed()
  assert.equal(away.breaker.isProbeDue(), false)
})

test('a clock that is set back does not put off the next look at the platform', () => {
  const { clock, breaker } = aBreaker()
  for (let count = 0; count < 5; count += 1) breaker.failed(new Unreachable('refused'))
  clock.setBack(7_200_000)
  assert.equal(breaker.isProbeDue(), false)
  clock.advance(30_000)
  assert.equal(breaker.isProbeDue(), true)
})
