import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../src/http/metrics.ts'

test('a scrape asks for the state of connections once, whatever the number of metrics, and the next one asks anew', async () => {
  let reads = 0
  const { registry } = createMetrics({
    async read() {
      reads += 1
      return [
        {
          connection: 'figshare',
          stored: { waiting: reads, reconciled: undefined },
          isSuspended: false,
          reconcileEveryHours: undefined,
          ignored: 0,
        },
      ]
    },
    lasting: () => ({ kinds: [], active: [], deliveries: [] }),
    alarms: () => [],
  })
  for (const expected of [1, 2]) {
    assert.ok(
      (await registry.metrics()).includes(`scim_bridge_operations_unfinished{connection="figshare"} ${expected}\n`),
    )
    assert.equal(reads, expected)
  }
})
