import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPace } from '../../src/platforms/pace.ts'
import { ManualClock } from '../manual-clock.ts'
import { aClock } from './contract.ts'

const { signal } = new AbortController()
/** Lets promises that are ready run. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('slots are an interval apart, also after a rest', async () => {
  const clock = aClock()
  const pace = createPace({ requestsPerSecond: 4, concurrency: 1 }, clock)
  const begin = clock.now()
  const at = []
  for (let number = 0; number < 4; number += 1) {
    const release = await pace.acquire(signal)
    at.push(clock.now() - begin)
    release()
  }
  assert.deepEqual(at, [0, 250, 500, 750])
  await clock.sleep(10_000)
  const rested = clock.now()
  for (let number = 0; number < 2; number += 1) (await pace.acquire(signal))()
  assert.equal(clock.now() - rested, 250)
})

test('no more requests are in flight than allowed, and the next one is the one that waited longest', async () => {
  const pace = createPace({ requestsPerSecond: 1e9, concurrency: 1 }, aClock())
  const order: string[] = []
  const release = await pace.acquire(signal)
  const frees: (() => void)[] = []
  const wait = async (name: string) => {
    frees.push(await pace.acquire(signal))
    order.push(name)
  }
  const both = Promise.all([wait('first'), wait('second')])
  await settle()
  assert.deepEqual(order, [])
  // Freed twice by mistake: one place, not two.
  release()
  release()
  await settle()
  assert.deepEqual(order, ['first'])
  frees[0]?.()
  await both
  assert.deepEqual(order, ['first', 'second'])
})

test('who gives up while waiting rejects with the reason and takes no place', async () => {
  const clock = new ManualClock()
  const pace = createPace({ requestsPerSecond: 1, concurrency: 1 }, clock)
  const release = await pace.acquire(signal)
  const impatient = new AbortController()
  const waiting = pace.acquire(impatient.signal)
  impatient.abort(new Error('no time left'))
  await assert.rejects(waiting, /no time left/)
  release()

  const asleep = new AbortController()
  const sleeping = pace.acquire(asleep.signal)
  await settle()
  asleep.abort(new Error('no time left either'))
  await assert.rejects(sleeping, /no time left either/)

  const patient = pace.acquire(signal)
  await settle()
  clock.advance(2_000)
  await settle()
  ;(await patient)()
})

test('a hold stops also those who sleep for their slot already', async () => {
  const clock = new ManualClock()
  const pace = createPace({ requestsPerSecond: 1, concurrency: 2 }, clock)
  ;(await pace.acquire(signal))()
  let isFree = false
  const waiting = pace.acquire(signal).then(() => (isFree = true))
  await settle()
  pace.hold(60_000)
  clock.advance(1_000)
  await settle()
  assert.equal(isFree, false)
  clock.advance(59_000)
  await settle()
  assert.equal(isFree, true)
  await waiting
})

test('after a hold those who slept through it begin one after the other', async () => {
  const clock = new ManualClock()
  const pace = createPace({ requestsPerSecond: 1, concurrency: 4 }, clock)
  ;(await pace.acquire(signal))()
  let begun = 0
  const waiting = [1, 2, 3].map(() => pace.acquire(signal).then(() => (begun += 1)))
  await settle()
  pace.hold(60_000)
  const seen: number[] = []
  for (let second = 0; second < 66; second += 1) {
    clock.advance(1_000)
    await settle()
    seen.push(begun)
  }
  assert.deepEqual(seen.slice(58, 64), [0, 1, 1, 2, 2, 3])
  await Promise.all(waiting)
})

test('after a platform has asked for patience it is asked half as often for five minutes', async () => {
  const clock = aClock()
  const pace = createPace({ requestsPerSecond: 1, concurrency: 1 }, clock)
  pace.hold(10_000)
  const at: number[] = []
  const begin = clock.now()
  for (let number = 0; number < 3; number += 1) {
    ;(await pace.acquire(signal))()
    at.push(clock.now() - begin)
  }
  assert.deepEqual(at, [10_000, 12_000, 14_000])
  await clock.sleep(300_000)
  const later = clock.now()
  for (let number = 0; number < 2; number += 1) (await pace.acquire(signal))()
  assert.equal(clock.now() - later, 1_000)
})

test('OL 17 after an outage the pace climbs from a quarter to the whole within a minute', async () => {
  const clock = aClock()
  const pace = createPace({ requestsPerSecond: 10, concurrency: 1 }, clock)
  for (let failure = 0; failure < 5; failure += 1) pace.noteAnswer(false)
  pace.noteAnswer(true)
  const begin = clock.now()
  const perTenSeconds: number[] = []
  while (clock.now() - begin < 70_000) {
    ;(await pace.acquire(signal))()
    const ten = Math.floor((clock.now() - begin) / 10_000)
    perTenSeconds[ten] = (perTenSeconds[ten] ?? 0) + 1
  }
  assert.ok((perTenSeconds[0] ?? 0) < 35, String(perTenSeconds))
  assert.deepEqual(
    perTenSeconds.slice(0, 6),
    perTenSeconds.slice(0, 6).toSorted((one, other) => one - other),
  )
  assert.ok((perTenSeconds[6] ?? 0) >= 99, String(perTenSeconds))
})

test('one failure is no outage', async () => {
  const clock = aClock()
  const pace = createPace({ requestsPerSecond: 10, concurrency: 1 }, clock)
  pace.noteAnswer(false)
  pace.noteAnswer(true)
  const begin = clock.now()
  for (let number = 0; number < 2; number += 1) (await pace.acquire(signal))()
  assert.equal(clock.now() - begin, 100)
})

test('a clock that is set back keeps nobody waiting: not for a slot, nor for the end of a hold', async () => {
  const clock = new ManualClock()
  const pace = createPace({ requestsPerSecond: 1, concurrency: 3 }, clock)
  ;(await pace.acquire(signal))()
  let begun = 0
  const acquire = () => pace.acquire(signal).then(() => (begun += 1))
  const asleep = acquire()
  await settle()
  clock.setBack(7_200_000)
  const after = acquire()
  await settle()
  clock.advance(1_000)
  await settle()
  clock.advance(1_000)
  await settle()
  assert.equal(begun, 2)
  await Promise.all([asleep, after])

  pace.hold(10_000)
  clock.setBack(7_200_000)
  const held = acquire()
  await settle()
  clock.advance(9_000)
  await settle()
  assert.equal(begun, 2)
  clock.advance(3_000)
  await settle()
  assert.equal(begun, 3)
  await held
})

test('a clock that is set back while the pace climbs leaves it at a quarter at least', async () => {
  const clock = new ManualClock()
  const pace = createPace({ requestsPerSecond: 1, concurrency: 3 }, clock)
  for (let failure = 0; failure < 5; failure += 1) pace.noteAnswer(false)
  pace.noteAnswer(true)
  clock.setBack(7_200_000)
  ;(await pace.acquire(signal))()
  let isFree = false
  const next = pace.acquire(signal).then(() => (isFree = true))
  await settle()
  clock.advance(3_900)
  await settle()
  assert.equal(isFree, false)
  clock.advance(200)
  await settle()
  assert.equal(isFree, true)
  await next
})
