import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'

let world: BridgeWorld
before(async () => {
  world = await startBridgeWorld()
})
after(() => world.stop())

const statusOf = async (path: string) => (await fetch(world.url + path, { redirect: 'manual' })).status

test('what a proxy keeps inside is found in one spelling only, so that no other one leads past the proxy', async () => {
  for (const [path, status] of [
    ['/livez', 200],
    ['/readyz', 200],
    ['/metrics', 200],
    ['/console', 303],
    ['/console/', 303],
    ['/admin/v1/connections', 401],
  ] as const) {
    assert.equal(await statusOf(path), status, path)
  }
  const others = [
    '/livez/',
    '/Readyz',
    '/metrics/',
    '/METRICS',
    '/Console',
    '/CONSOLE/sign-in',
    '/Admin/v1/connections',
  ]
  for (const path of others) assert.equal(await statusOf(path), 404, path)
})
