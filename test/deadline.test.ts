import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { startDeadline, withDeadline } from '../src/deadline.ts'

const isOver = (signal: AbortSignal) => (signal.aborted ? Promise.resolve() : once(signal, 'abort'))

test('a deadline is over when its time is', async () => {
  const { signal } = startDeadline(1)
  // Its timer keeps nothing alive.
  const awake = setTimeout(() => {}, 60_000)
  await isOver(signal)
  clearTimeout(awake)
  assert.equal(signal.reason.name, 'TimeoutError')
})

test("it is over with another signal, before or after it has begun, for that one's reason", async () => {
  const other = new AbortController()
  const after = startDeadline(60_000, [new AbortController().signal, other.signal])
  other.abort(new Error('the bridge stops'))
  const before = startDeadline(60_000, [other.signal])
  for (const { signal } of [after, before]) {
    assert.ok(signal.aborted)
    assert.equal(signal.reason.message, 'the bridge stops')
  }
})

test('work that has ended is not told of anything any more, and leaves nothing with the signals it followed', async () => {
  const other = new AbortController()
  const seen: string[] = []
  const { addEventListener, removeEventListener } = other.signal
  other.signal.addEventListener = (...words: [string, () => void]) => {
    seen.push(`add ${words[0]}`)
    addEventListener.apply(other.signal, words)
  }
  other.signal.removeEventListener = (...words: [string, () => void]) => {
    seen.push(`remove ${words[0]}`)
    removeEventListener.apply(other.signal, words)
  }
  let signal: AbortSignal | undefined
  await assert.rejects(
    withDeadline(60_000, [other.signal], async (mine) => {
      signal = mine
      throw new Error('failed')
    }),
    /failed/,
  )
  other.abort()
  assert.deepEqual(seen, ['add abort', 'remove abort'])
  assert.equal(signal?.aborted, false)
})
