/** A first load in deferred mode goes at the platform's pace: not faster, and hardly slower. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isJsonObject } from '../../src/json.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'

const creates = 200
/** What a create asks of Figshare; `test/platforms/call-counts.test.ts` counts them one by one. */
const callsEach = 5
const requestsPerSecond = 10
const stepMs = 10
/** So many turns of the event loop without a new call, and nothing in flight: everybody sleeps until the clock moves. */
const quietTurns = 25

async function untilQuiet({ sandbox }: BridgeWorld): Promise<void> {
  const { calls } = sandbox.figshare
  let seen = calls.length
  for (let quiet = 0; quiet < quietTurns; quiet += 1) {
    await nextTurn()
    const isInFlight = calls.slice(-10).some(({ status }) => status === undefined || status === 0)
    if (calls.length !== seen || isInFlight) quiet = 0
    seen = calls.length
  }
}

test('creates of a first load keep at least 95 % of the pace that the platform allows, and never exceed it', async (t) => {
  const world = await startBridgeWorld((config) => {
    const figshare = isJsonObject(config.connections) ? config.connections.figshare : undefined
    if (isJsonObject(figshare))
      Object.assign(figshare, { mode: 'deferred', pace: { requestsPerSecond, concurrency: 4 } })
  })
  t.after(() => world.stop())
  const { figshare } = world.sandbox
  const scim = world.scim('figshare')
  for (let count = 0; count < creates; count += 1) {
    const answer = await scim.post('/Users', aUser())
    assert.equal(answer.status, 201, answer.text)
  }
  const present = figshare.logic.state.accounts.size
  const callsBefore = figshare.calls.length
  const startedAt = world.clock.now()
  const expectedMs = ((creates * callsEach - callsBefore) * 1_000) / requestsPerSecond
  const made = () => figshare.logic.state.accounts.size - 1
  assert.ok(present - 1 < creates / 10, 'nearly all of them wait')
  // One more than enough time: a load that is too slow ends the test with a number, not with a time-out.
  while (figshare.calls.length < creates * callsEach && world.clock.now() - startedAt < expectedMs * 2) {
    world.clock.advance(stepMs)
    await untilQuiet(world)
  }
  const tookMs = world.clock.now() - startedAt
  assert.equal(made(), creates)
  assert.ok(tookMs <= expectedMs / 0.95, `${((expectedMs / tookMs) * 100).toFixed(1)} % of the pace`)
  assert.ok(tookMs >= expectedMs - 1_000, `faster than allowed: ${tookMs} ms for ${expectedMs} ms`)
})
