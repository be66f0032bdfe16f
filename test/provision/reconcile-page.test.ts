import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { builtInMappings, provisionedConnection, readConfig } from '../../src/bridge.ts'
import { demoConfig, newDemoToken } from '../../src/cli/demo-config.ts'
import type { Account, Json } from '../../src/facts.ts'
import { createLog } from '../../src/log.ts'
import { noteAccounts } from '../../src/provision/reconcile-page.ts'
import { repair } from '../../src/provision/reconcile-repair.ts'
import { ManualClock } from '../manual-clock.ts'
import { aLink, anOperation, aUser } from '../store/builders.ts'
import { aFile, opened } from '../store/places.ts'

const anAccount: Account = { id: '7', attributes: new Map<string, Json>([['email', 'ada@uni.example']]) }

/** A store, a walk, and a connection whose platform nobody calls. */
async function aWalk(t: Parameters<typeof aFile>[0]) {
  const file = aFile(t)
  const config = join(dirname(file), 'bridge.yaml')
  const nowhere = { platform: 'dspace', token: newDemoToken(), baseUrl: 'http://127.0.0.1:9', credentials: {} } as const
  const credentials = { user: 'admin@uni.example', password: 'x' }
  const connections = [{ ...nowhere, credentials }]
  writeFileSync(config, demoConfig({ port: 1, sharedToken: undefined, mappings: builtInMappings, connections }))
  const read = readConfig(config, {})
  const [dspace] = read.connections
  assert.ok(dspace !== undefined)
  const clock = new ManualClock()
  const connection = provisionedConnection(dspace, read, clock)
  t.after(() => connection.platform.close())
  const store = await opened(t, file)
  const wish = { purpose: 'reconcile', caller: 'test', isRepair: true, isRecreate: true, isDryRun: false } as const
  const number = await store.transaction((write) => write.addWalk('dspace', { ...wish, askedAt: 1 }))
  const walk = await store.getWalk('dspace', number)
  assert.ok(walk !== undefined)
  const world = { store, clock, log: createLog('silent'), random: () => 0, newId: () => 'new', attemptMs: 1 }
  return { store, walk, connection, world, clock }
}

test('an account that a page repeats, or that a page before had, is counted once', async (t) => {
  const { store, walk, connection, clock } = await aWalk(t)
  const page = { walk, readAt: clock.now() }
  const note = (accounts: readonly Account[]) =>
    store.transaction((write) => noteAccounts(write, connection, { ...page, accounts }))
  assert.equal(await note([anAccount, anAccount]), 1)
  assert.equal(await note([anAccount, { ...anAccount, id: '8' }]), 1)
  assert.equal(await note([anAccount]), 0)
  assert.deepEqual(await store.countFindings('dspace', walk.number), { unmatched: 2 })
})

test('what was applied after the platform had been asked is no drift', async (t) => {
  const { store, walk, connection, clock } = await aWalk(t)
  const readAt = clock.now()
  clock.advance(1_000)
  await store.transaction(async (write) => {
    await write.insertResource('dspace', aUser('ada'))
    const lastAppliedAt = new Date(clock.now()).toISOString()
    await write.putLink(aLink('dspace', 'ada', { accountId: '7', lastAppliedAt }))
    await noteAccounts(write, connection, { walk, accounts: [anAccount], readAt })
  })
  assert.deepEqual(await store.countFindings('dspace', walk.number), { linked: 1 })
})

for (const [what, remedy, situation] of [
  ['drifted', 'write', 'drifted'],
  ['gone', 'create', 'deleted'],
] as const) {
  test(`an account that was ${what} is left alone when a change has come meanwhile, and when its link has changed`, async (t) => {
    const { store, walk, connection, world, clock } = await aWalk(t)
    const finding = {
      accountId: '7',
      situation,
      resourceId: 'ada',
      attributes: [],
      otherAccounts: [],
      otherResources: [],
      remedy,
      done: undefined,
    }
    const never = () => Promise.reject(new Error('nothing is called'))
    const call = { signal: new AbortController().signal, beforeWrite: never, created: never }
    const mend = () => repair(call, { connection, world, walk }, finding)
    await store.transaction(async (write) => {
      await write.insertResource('dspace', aUser('ada'))
      await write.putLink(aLink('dspace', 'ada', { accountId: '7' }))
      await write.putOperation('dspace', anOperation('ada', { dueAt: clock.now() + 1_000_000 }))
    })
    const operation = await store.getOperation('dspace', 'ada')
    assert.equal(await mend(), 'left alone: an operation is under way')
    assert.deepEqual(await store.getOperation('dspace', 'ada'), operation)
    await store.transaction((write) => write.putLink(aLink('dspace', 'ada', { accountId: '9' })))
    assert.equal(await mend(), 'left alone: it has changed meanwhile')
    assert.equal((await store.getLink('dspace', 'ada'))?.accountId, '9')
  })
}
