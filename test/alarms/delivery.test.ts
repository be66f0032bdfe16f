import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDelivery } from '../../src/alarms/delivery.ts'
import type { Way } from '../../src/alarms/way.ts'
import { createLog } from '../../src/log.ts'
import { eventually } from '../eventually.ts'
import { ManualClock } from '../manual-clock.ts'
import { aFile, opened } from '../store/places.ts'

const hour = 3_600_000

test('what another process has told while this one was at something else is not told again', async (t) => {
  const store = await opened(t, aFile(t))
  const start = Date.UTC(2026, 0, 15)
  await store.transaction(async (write) => {
    for (const [kind, dueAt] of [['departure_late', start + 60_000] as const, ['failed', start] as const]) {
      const begun = { connection: 'okta', kind, way: 'webhook', since: start, dueAt }
      await write.putAlarm({ ...begun, detail: {}, isOver: false, told: 0, failures: 0 })
    }
  })
  const told: string[] = []
  const mayEnd = Promise.withResolvers<void>()
  const delivery = (name: string, clock: ManualClock, slow: string | undefined) => {
    const way: Way = {
      name: 'webhook',
      async tell({ kind }) {
        told.push(`${name}: ${kind}`)
        if (kind === slow) await mayEnd.promise
      },
      close: async () => {},
    }
    const never = new AbortController().signal
    const rest = { log: createLog('silent'), stopping: never, cutting: never, repeatMs: hour, repeats: 1 }
    return createDelivery(way, ['okta'], { store, clock, ...rest })
  }
  const [first, second] = [
    delivery('first', new ManualClock(start + 120_000), 'departure_late'),
    delivery('second', new ManualClock(start), undefined),
  ]
  first.begin()
  await eventually('the first is at it', () => told.length === 1)
  second.begin()
  await second.idle()
  mayEnd.resolve()
  await first.idle()
  assert.deepEqual(told, ['first: departure_late', 'second: failed'])
})
