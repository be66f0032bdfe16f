import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { createLog } from '../../src/log.ts'
import { openPostgres } from '../../src/store/open-postgres.ts'
import { plainSealer } from '../../src/store/sealing.ts'
import type { Store } from '../../src/store/store.ts'
import { type PostgresServer, skipPostgres, startPostgres } from '../postgres-server.ts'
import { aGroup, aUser, later } from '../store/builders.ts'
import { aFile, opened } from '../store/places.ts'

/** More than one statement changes, and more than one page of members, by one. */
const everybody = Array.from({ length: 5_001 }, (_, index) => `user${String(index).padStart(5, '0')}`)

async function goesThroughALargeGroup(store: Store): Promise<void> {
  await store.transaction(async (write) => {
    for (const id of everybody) await write.insertResource('okta', aUser(id))
    await write.insertResource('okta', aGroup('g'))
  })
  const memberIds = async () => (await store.members('okta', 'g')).map(({ id }) => id)
  const change = store.transaction
  const added = await change((write) => write.addMembers('okta', 'g', everybody.toReversed()))
  assert.deepEqual(added.toSorted(), everybody)
  assert.deepEqual(await memberIds(), everybody)
  await change((write) => write.touchResources('okta', 'User', everybody, later))
  const last = await store.getResource('okta', 'User', everybody.at(-1) ?? '')
  assert.deepEqual([last?.version, last?.modified], [2, later])
  const odd = everybody.filter((_, index) => index % 2 === 1)
  const removed = await change((write) => write.removeMembers('okta', 'g', [...odd, 'nobody']))
  assert.deepEqual(removed.toSorted(), odd)
  const replaced = await change((write) => write.replaceMembers('okta', 'g', odd))
  assert.deepEqual([replaced.added.toSorted(), replaced.removed.length], [odd, everybody.length - odd.length])
  assert.deepEqual(await memberIds(), odd)
}

test('a group of five thousand is filled, read, thinned out and replaced whole, in SQLite', async (t) => {
  await goesThroughALargeGroup(await opened(t, aFile(t)))
})

describe('PostgreSQL', { skip: skipPostgres }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.end())

  test('a group of five thousand is filled, read, thinned out and replaced whole, in PostgreSQL', async (t) => {
    const options = { clock: systemClock, log: createLog('silent'), sealer: plainSealer }
    const store = await openPostgres(server.location(), options)
    t.after(() => store.close())
    await goesThroughALargeGroup(store)
  })
})
