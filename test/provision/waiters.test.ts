import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestBudgetMs } from '../../src/limits.ts'
import { createWaiters } from '../../src/provision/waiters.ts'
import { ManualClock } from '../manual-clock.ts'

const never = new AbortController().signal
const applied = { kind: 'applied' } as const

test('who begins to wait for an operation that was replaced in the same commit gets what comes of its successor', async () => {
  const waiters = createWaiters(new ManualClock())
  waiters.supersede('ada', 1, 2)
  waiters.supersede('ada', 2, 3)
  const settled = waiters.wait('ada', 1, never, true)
  waiters.begin('ada', 3)
  waiters.settle('ada', 3, applied)
  assert.deepEqual(await settled, applied)
})

test('an operation that is in work when it is replaced answers those who wait for it itself', async () => {
  const waiters = createWaiters(new ManualClock())
  waiters.begin('ada', 1)
  waiters.supersede('ada', 1, 2)
  const settled = waiters.wait('ada', 1, never, true)
  waiters.settle('ada', 1, applied)
  assert.deepEqual(await settled, applied)
  assert.equal(waiters.hasAny('ada'), false)
})

test('what was replaced before an attempt is forgotten with its end', () => {
  const waiters = createWaiters(new ManualClock())
  waiters.supersede('ada', 1, 2)
  waiters.begin('ada', 2)
  waiters.end('ada')
  void waiters.wait('ada', 1, never, true)
  assert.equal(waiters.hasAsker('ada', 1), true)
})

test('what was replaced, and is attempted by another process, is forgotten when no request can ask for it any more', () => {
  const clock = new ManualClock()
  const waiters = createWaiters(clock)
  waiters.supersede('ada', 1, 2)
  clock.advance(requestBudgetMs)
  waiters.supersede('ben', 3, 4)
  void waiters.wait('ada', 1, never, true)
  assert.equal(waiters.hasAsker('ada', 2), true)
  clock.advance(1)
  waiters.supersede('eve', 5, 6)
  void waiters.wait('ada', 1, never, true)
  assert.equal(waiters.hasAsker('ada', 1), true)
  void waiters.wait('ben', 3, never, true)
  assert.equal(waiters.hasAsker('ben', 4), true)
})

test('who waits for memberships alone has not asked for what else the operation does', () => {
  const waiters = createWaiters(new ManualClock())
  void waiters.wait('ada', 1, never, false)
  assert.deepEqual([waiters.hasAsker('ada', 1), waiters.hasAny('ada')], [false, true])
  void waiters.wait('ada', 1, never, true)
  assert.equal(waiters.hasAsker('ada', 1), true)
})
