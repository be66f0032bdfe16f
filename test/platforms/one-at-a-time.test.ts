import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOneAtATime } from '../../src/platforms/one-at-a-time.ts'

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
