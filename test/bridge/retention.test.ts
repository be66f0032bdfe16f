import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { type FigshareBridge, startFigshareBridge } from '../figshare-bridge.ts'

const dayMs = 86_400_000

function counts(bridge: FigshareBridge) {
  const count = (from: string) => Number(bridge.row(`select count(*) as count from ${from}`)?.count)
  return { tombstones: count("link where state = 'tombstone'"), lines: count('audit') }
}

async function aLeaver(bridge: FigshareBridge): Promise<void> {
  const { body } = await bridge.world.scim('figshare').post('/Users', aUser()).expect(201)
  await bridge.world.scim('figshare').delete(`/Users/${body.id}`).expect(204)
}

test('tombstones and audit lines are erased in the night after their 400 days, and not before', async (t) => {
  const bridge = await startFigshareBridge(t)
  await aLeaver(bridge)
  const { lines } = counts(bridge)
  bridge.world.clock.advance(399 * dayMs)
  await aLeaver(bridge)
  assert.deepEqual(counts(bridge), { tombstones: 2, lines: 2 * lines })
  bridge.world.clock.advance(2 * dayMs)
  await bridge.until('the first leaver is forgotten', () => counts(bridge).tombstones === 1)
  await bridge.until('and the lines about them', () => counts(bridge).lines === lines)
  assert.ok(bridge.world.logLines.some((line) => line.includes('"what":"tombstones","erased":1')))
})

test('what became too old while the bridge was off is erased when it starts', async (t) => {
  const bridge = await startFigshareBridge(t)
  await aLeaver(bridge)
  await bridge.world.stopped(async () => bridge.world.clock.advance(500 * dayMs))
  await bridge.until('the leaver is forgotten', () => counts(bridge).tombstones === 0)
  // The newest line stays, for the next one to hang on.
  await bridge.until('and the lines', () => counts(bridge).lines === 1)
})

test('a person who came back keeps the account although the tombstone is gone', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user).expect(201)
  await bridge.scim.delete(`/Users/${body.id}`).expect(204)
  await bridge.world.stopped(async () => bridge.world.clock.advance(500 * dayMs))
  await bridge.until('the leaver is forgotten', () => counts(bridge).tombstones === 0)
  await bridge.world.scim('figshare').post('/Users', user).expect(201)
  assert.equal(bridge.accounts(user).length, 1)
})
