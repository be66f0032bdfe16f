import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { type KnownMetric, knownMetrics } from '../deploy/known-metrics.ts'
import { pageText } from './code-blocks.ts'

const page = pageText('docs/metrics.md')

/** By the convention of Prometheus: the name says the unit. */
function unitOf({ name, type }: KnownMetric): string {
  if (name.endsWith('_timestamp_seconds')) return 'seconds since 1970'
  if (name.endsWith('_seconds')) return 'seconds'
  return type === 'counter' ? 'count since the start' : 'number'
}

function row(metric: KnownMetric): string {
  const { name, type, help, labels } = metric
  return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${unitOf(metric)} | ${help} |`
}

test('docs/metrics.md has a row for every metric, and no other', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `scim_bridge_'))
  assert.deepEqual(rows, knownMetrics().map(row))
})

test('docs/metrics.md explains every label', () => {
  const labels = new Set(knownMetrics().flatMap((metric) => metric.labels))
  const explained = [...page.matchAll(/^\* `(\w+)`/gm)].map(([, label = '']) => label)
  assert.deepEqual(explained.sort(), [...labels].sort())
})

let world: BridgeWorld
before(async () => {
  world = await startBridgeWorld()
})
after(() => world.stop())

test('a running bridge has these metrics, with these explanations', async () => {
  const text = await (await fetch(`${world.url}/metrics`)).text()
  for (const { name, help, type } of knownMetrics()) {
    assert.ok(text.includes(`# HELP ${name} ${help}\n`), name)
    assert.ok(text.includes(`# TYPE ${name} ${type}\n`), name)
  }
  const served = [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name = '']) => name)
  assert.deepEqual(
    served,
    knownMetrics().map(({ name }) => name),
  )
})

test('an alarm of the log is counted, by its text and connection', async () => {
  await world.scim('dspace').get('/Users')
  const count = async () => {
    const text = await (await fetch(`${world.url}/metrics`)).text()
    return /^scim_bridge_alarms_total\{connection="dspace",alarm="calls to the platform are suspended"\} (\d+)$/m.exec(
      text,
    )?.[1]
  }
  assert.equal(await count(), undefined)
  world.sandbox.dspace.fault({ mode: '401' })
  assert.equal((await world.scim('dspace').post('/Users', aUser())).status, 429)
  assert.equal(await count(), '1')
  const line = world.logLines.find((text) => text.includes('calls to the platform are suspended'))
  assert.equal(JSON.parse(line ?? '').alarm, true)
})
