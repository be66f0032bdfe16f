import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { isJsonObject } from '../../src/json.ts'
import { type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'

async function limited(t: TestContext, limits: Record<string, number> | undefined): Promise<BridgeWorld> {
  const world = await startBridgeWorld((config) => {
    if (limits === undefined) delete config.limits
    else config.limits = limits
    const figshare = isJsonObject(config.connections) ? config.connections.figshare : undefined
    if (!isJsonObject(figshare) || !Array.isArray(figshare.tokens)) throw new Error('no such connection')
    figshare.tokens.push('the-token-of-another-caller')
  })
  t.after(() => world.stop())
  return world
}

const statusesOf = async (world: BridgeWorld, count: number) => {
  const statuses: number[] = []
  for (let index = 0; index < count; index += 1) statuses.push((await world.scim('figshare').get('/Schemas')).status)
  return statuses
}

test('a caller who asks too fast gets 429 and the whole seconds to wait, and is served after them', async (t) => {
  const world = await limited(t, { requestsPerSecond: 0.5, burst: 3 })
  assert.deepEqual(await statusesOf(world, 4), [200, 200, 200, 429])
  const refused = await world.scim('figshare').get('/Schemas')
  assert.equal(refused.headers['retry-after'], '2')
  assert.match(refused.body.detail, /Too many requests in a short time; go slower\./)
  world.clock.advance(1_999)
  assert.deepEqual(await statusesOf(world, 1), [429])
  world.clock.advance(1)
  assert.deepEqual(await statusesOf(world, 2), [200, 429])
})

test('another caller of the same connection, and another connection, have their own measure', async (t) => {
  const world = await limited(t, { requestsPerSecond: 1, burst: 1 })
  assert.deepEqual(await statusesOf(world, 2), [200, 429])
  await world.scim('figshare').get('/Schemas', { Authorization: 'Bearer the-token-of-another-caller' }).expect(200)
  await world.scim('dspace').get('/Schemas').expect(200)
})

test('after a rest there is a burst, and not more', async (t) => {
  const world = await limited(t, { requestsPerSecond: 100, burst: 2 })
  await statusesOf(world, 2)
  world.clock.advance(86_400_000)
  assert.deepEqual(await statusesOf(world, 3), [200, 200, 429])
})

test("the default lets through what Entra's gallery asks for, 25 a second, without end", async (t) => {
  const world = await limited(t, undefined)
  for (let second = 0; second < 8; second += 1) {
    const statuses = await statusesOf(world, 25)
    assert.ok(statuses.every((status) => status === 200))
    world.clock.advance(1_000)
  }
})

test('a clock that is set back locks nobody out for longer than the limit says', async (t) => {
  const world = await limited(t, { requestsPerSecond: 1, burst: 1 })
  await statusesOf(world, 1)
  world.clock.advance(-3_600_000)
  assert.deepEqual(await statusesOf(world, 1), [429])
  world.clock.advance(1_000)
  assert.deepEqual(await statusesOf(world, 1), [200])
})
