import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isJsonObject } from '../../src/json.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'

const hour = 3_600_000

/** A bridge whose figshare connection reports every day. */
async function aDailyBridge(t: { after(work: () => Promise<void>): void }) {
  const world = await startBridgeWorld((config) => {
    const { connections } = config
    if (!isJsonObject(connections) || !isJsonObject(connections.figshare)) throw new Error('no such connection')
    connections.figshare.reconcile = { everyHours: 24 }
  })
  t.after(() => world.stop())
  const reports = () => world.logLines.filter((line) => line.includes('a walk over the accounts has finished')).length
  const reported = (count: number) =>
    eventually(
      `${count} reports`,
      () => reports() === count,
      () => world.clock.advance(1_000),
    )
  return { world, reports, reported }
}

test('a connection with a schedule reports at its first start, then as often as it says, and no other does', async (t) => {
  const { world, reports, reported } = await aDailyBridge(t)
  await reported(1)
  world.clock.advance(23 * hour)
  for (let time = 0; time < 5; time += 1) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(reports(), 1)
  world.clock.advance(hour)
  await reported(2)
  assert.ok(world.logLines.filter((line) => line.includes('a walk over')).every((line) => line.includes('"figshare"')))
})

test('a restart does not bring the next report forward', async (t) => {
  const { world, reports, reported } = await aDailyBridge(t)
  await reported(1)
  await world.restart()
  world.clock.advance(10 * hour)
  for (let time = 0; time < 5; time += 1) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(reports(), 1)
})

test('RC 16 a scheduled report switches off whom somebody switched on after they left, and writes nothing else', async (t) => {
  const { world, reported } = await aDailyBridge(t)
  await reported(1)
  const scim = world.scim('figshare')
  const [left, changed] = [aUser(), aUser()]
  const { body } = await scim.post('/Users', left)
  await scim.post('/Users', changed)
  await scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'active', value: false }])
  const accountOf = (email: unknown) => world.sandbox.figshare.logic.state.byEmail(String(email))[0]
  const [leaver, other] = [accountOf(left.userName), accountOf(changed.userName)]
  assert.ok(leaver !== undefined && other !== undefined)
  leaver.active = true
  other.profile.last_name = 'By hand'
  world.clock.advance(24 * hour)
  await reported(2)
  await eventually(
    'the leaver is off',
    () => !leaver.active,
    () => world.clock.advance(1_000),
  )
  assert.equal(other.profile.last_name, 'By hand')
})

test('whoever watches is told how often a report is due, and of a connection without a schedule nothing', async (t) => {
  const { world } = await aDailyBridge(t)
  const text = await (await fetch(`${world.url}/metrics`)).text()
  const told = text.split('\n').filter((line) => line.startsWith('scim_bridge_reconcile_interval_seconds{'))
  assert.deepEqual(told, [`scim_bridge_reconcile_interval_seconds{connection="figshare"} ${24 * 3_600}`])
})
