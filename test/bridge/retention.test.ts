import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isJsonObject } from '../../src/json.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { emailOf, type FigshareBridge, startFigshareBridge } from '../figshare-bridge.ts'
import { aGroup, grantsSeen, mappingWith } from '../grants/grants-world.ts'
import { storeRows } from '../store-rows.ts'

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

const doubt = 'the clock is far ahead of the last audit line: nothing is erased for a day'
const isDoubted = (bridge: FigshareBridge) => bridge.world.logLines.some((line) => line.includes(doubt))

test('what became too old while the bridge was off for years is erased a day after it has started', async (t) => {
  const bridge = await startFigshareBridge(t)
  await aLeaver(bridge)
  await bridge.world.stopped(async () => bridge.world.clock.advance(500 * dayMs))
  await bridge.until('the clock is in doubt', () => isDoubted(bridge))
  await bridge.until('the leaver is forgotten', () => {
    // Again: it may not have gone to sleep yet when it says so.
    bridge.world.clock.advance(dayMs)
    return counts(bridge).tombstones === 0
  })
  // The newest line stays, for the next one to hang on.
  await bridge.until('and the lines', () => counts(bridge).lines === 1)
})

test('a clock that is years ahead at the start, and is set right within the day, erases nothing', async (t) => {
  const bridge = await startFigshareBridge(t)
  const { clock } = bridge.world
  await aLeaver(bridge)
  const kept = counts(bridge)
  await bridge.world.stopped(async () => clock.advance(2_000 * dayMs))
  await bridge.until('the clock is in doubt', () => isDoubted(bridge))
  // Lines of the wrong time do not speak for it, nor does another start.
  await aLeaver(bridge)
  await bridge.world.restart()
  await bridge.until(
    'it is in doubt again',
    () => bridge.world.logLines.filter((line) => line.includes(doubt)).length > 1,
  )
  clock.setBack(2_000 * dayMs)
  await bridge.world.restart()
  await aLeaver(bridge)
  await bridge.world.restart()
  assert.deepEqual(counts(bridge), { tombstones: 3, lines: 3 * kept.lines })
})

test('what became too old in a few days without the bridge is erased when it starts', async (t) => {
  const bridge = await startFigshareBridge(t)
  await aLeaver(bridge)
  const { lines } = counts(bridge)
  bridge.world.clock.advance(395 * dayMs)
  await aLeaver(bridge)
  await bridge.world.stopped(async () => bridge.world.clock.advance(10 * dayMs))
  await bridge.until('the first leaver is forgotten', () => counts(bridge).tombstones === 1)
  await bridge.until('and the lines about them', () => counts(bridge).lines === lines)
  assert.ok(!isDoubted(bridge))
})

test('a person who came back keeps the account although the tombstone is gone', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user).expect(201)
  await bridge.scim.delete(`/Users/${body.id}`).expect(204)
  await bridge.world.stopped(async () => bridge.world.clock.advance(500 * dayMs))
  await bridge.until('the clock is in doubt', () => isDoubted(bridge))
  bridge.world.clock.advance(dayMs)
  await bridge.until('the leaver is forgotten', () => counts(bridge).tombstones === 0)
  await bridge.world.scim('figshare').post('/Users', user).expect(201)
  assert.equal(bridge.accounts(user).length, 1)
})

test('what is left of a deleted group is kept until the platform has answered, and then as long as that of a user', async (t) => {
  const world = await startBridgeWorld((config) => {
    const { connections } = config
    if (!isJsonObject(connections) || !isJsonObject(connections.dspace)) throw new Error('no such connection')
    connections.dspace.mode = 'deferred'
    config.retention = { tombstoneDays: 1, auditDays: 1 }
    connections.dspace.mapping = mappingWith(t, 'dspace', '{ as: groups, delete: delete }')
  })
  t.after(() => world.stop())
  const { dspace } = world.sandbox
  const pass = () => world.clock.advance(1_000)
  const has = (name: string) => [...dspace.logic.state.groups.values()].some((group) => group.name === name)
  const count = (from: string) => Number(storeRows(world.directory, `select count(*) as count from ${from}`)[0]?.count)
  const left = () => count("group_link where state = 'tombstone'")
  const user = aUser()
  const { body: person } = await world.scim('dspace').post('/Users', user).expect(201)
  const { body: group } = await world.scim('dspace').post('/Groups', aGroup('Editors', person.id)).expect(201)
  await eventually('she is in the group', () => grantsSeen(world, 'dspace', emailOf(user)).includes('Editors'), pass)

  dspace.fault({ mode: 'down' })
  await world.scim('dspace').delete(`/Groups/${group.id}`).expect(204)
  await world.stopped(async () => world.clock.advance(3 * dayMs))
  const said = (what: string) => world.logLines.some((line) => line.includes(`"what":"${what}"`))
  await eventually('what is too old was erased', () => said('audit lines'), pass)
  assert.equal(left(), 1)
  dspace.fault({ mode: 'ok' })
  await eventually('the group has ended', () => !has('Editors'), pass)
  await eventually('and the membership before', () => grantsSeen(world, 'dspace', emailOf(user)).length === 0, pass)
  // A call that is still under way would have lasted for days.
  await eventually('and the bridge has heard of it', () => count('operation') === 0, pass)
  await eventually(
    'and is forgotten',
    () => left() === 0,
    () => world.clock.advance(dayMs),
  )
  assert.ok(said('tombstones of groups'))
})
