import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectGarbage, startProvisionLoad } from '../provision-load.ts'

test('of requests that have been answered, and of their calls to the platform, nothing is held', async (t) => {
  const load = await startProvisionLoad(8)
  t.after(() => load.stop())
  const seen: WeakRef<object>[] = []
  await load.people(40, (held) => seen.push(new WeakRef(held)))
  // The last ones are held by what comes next: sockets, prepared statements, promises that were awaited last.
  const earlier = seen.slice(0, seen.length / 2)
  await collectGarbage()
  const held = earlier.filter((reference) => reference.deref() !== undefined)
  assert.ok(earlier.length >= 300)
  assert.equal(held.length, 0, `${held.length} of ${earlier.length} requests, documents and calls`)
})
