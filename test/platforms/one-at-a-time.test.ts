import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOneAtATime, createOneAtATimeEach } from '../../src/platforms/one-at-a-time.ts'

const never = () => new AbortController().signal

test('tasks run one after the other, also after one that failed', async () => {
  const oneAtATime = createOneAtATime()
  const log: string[] = []
  const task = (name: string, fails = false) =>
    oneAtATime(never(), async () => {
      log.push(`${name} starts`)
      await Promise.resolve()
      log.push(`${name} ends`)
      if (fails) throw new Error(name)
      return name
    })
  const results = await Promise.allSettled([task('a'), task('b', true), task('c')])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(log, ['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends'])
})

test('who gives up while waiting is told at once, and its task never runs', async () => {
  const oneAtATime = createOneAtATime()
  let finish: () => void = () => undefined
  const slow = oneAtATime(never(), () => new Promise<void>((resolve) => (finish = resolve)))
  const abort = new AbortController()
  let hasRun = false
  const waiting = oneAtATime(abort.signal, async () => {
    hasRun = true
  })
  abort.abort(new Error('out of time'))
  await assert.rejects(waiting, /out of time/)
  await Promise.resolve()
  finish()
  await slow
  await oneAtATime(never(), async () => undefined)
  assert.equal(hasRun, false)
})

test('tasks of one key wait for each other, those of two keys do not', async () => {
  const each = createOneAtATimeEach()
  const log: string[] = []
  const task = (key: string, name: string) =>
    each(key, never(), async () => {
      log.push(`${name} starts`)
      await new Promise((resolve) => setImmediate(resolve))
      log.push(`${name} ends`)
    })
  await Promise.all([task('x', 'a'), task('x', 'b'), task('y', 'c')])
  assert.ok(log.indexOf('b starts') > log.indexOf('a ends'), log.join(', '))
  assert.ok(log.indexOf('c starts') < log.indexOf('a ends'), log.join(', '))
})

test('who gives up while waiting lets nobody start beside the one that runs', async () => {
  const each = createOneAtATimeEach()
  let finish: () => void = () => undefined
  const log: string[] = []
  const running = each('x', never(), () => new Promise<void>((resolve) => (finish = resolve)))
  const abort = new AbortController()
  const impatient = each('x', abort.signal, async () => void log.push('impatient'))
  abort.abort(new Error('enough'))
  await assert.rejects(impatient, /enough/)
  const last = each('x', never(), async () => void log.push('last'))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(log, [])
  finish()
  await Promise.all([running, last])
  assert.deepEqual(log, ['last'])
})
