import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LedgerEntry } from '../../src/store/grant-store.ts'
import { AccountTaken } from '../../src/store/store.ts'
import { aGroup, aGroupLink, aLink, anOperation, aUser, now } from './builders.ts'
import type { OpenEmpty } from './contract.ts'

const entry: LedgerEntry = { key: 'group:g', grant: { tag: 'Readers', level: 2 }, origin: 'given' }
const asked = { dueAt: 5_000, requestId: 'request-2', caller: 'entra', createdAt: now }

export function grantContract(open: OpenEmpty): void {
  test('the ledger of grants is read back with its link', async (t) => {
    const store = await open(t)
    await store.transaction((write) => write.putLink(aLink('okta', 'ada', { grants: [entry] })))
    assert.deepEqual((await store.getLink('okta', 'ada'))?.grants, [entry])
    await store.transaction((write) => write.putLink(aLink('okta', 'ada', { grants: [] })))
    assert.deepEqual((await store.getLink('okta', 'ada'))?.grants, [])
  })

  test('a group of the platform is held by one live link of a connection; a tombstone holds it not', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.putGroupLink(aGroupLink('g'))
      await write.putGroupLink({ ...aGroupLink('g'), connection: 'entra' })
    })
    await assert.rejects(
      store.transaction((write) => write.putGroupLink(aGroupLink('h'))),
      AccountTaken,
    )
    assert.deepEqual(await store.findGroupLink('okta', '7'), aGroupLink('g'))
    await store.transaction(async (write) => {
      await write.putGroupLink(aGroupLink('g', { state: 'tombstone', deletedAt: now }))
      await write.putGroupLink(aGroupLink('h', { wasCreated: false }))
    })
    assert.equal((await store.findGroupLink('okta', '7'))?.resourceId, 'h')
    assert.deepEqual(await store.getGroupLink('okta', 'g'), aGroupLink('g', { state: 'tombstone', deletedAt: now }))
    assert.deepEqual(await store.groupLinks('okta'), [aGroupLink('h', { wasCreated: false })])
  })

  test('the memberships of users come with what grants are computed from; hidden groups give nothing', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      for (const id of ['ada', 'bob']) await write.insertResource('okta', aUser(id))
      await write.insertResource('okta', aGroup('g', { keys: { externalId: 'e-1' } }))
      await write.insertResource('okta', aGroup('h'))
      await write.insertResource('okta', aGroup('hidden', { visible: false }))
      for (const id of ['g', 'h', 'hidden']) await write.addMembers('okta', id, ['ada'])
      await write.putGroupLink(aGroupLink('g'))
      await write.putGroupLink(aGroupLink('h', { state: 'tombstone', groupId: '8' }))
    })
    const memberships = await store.membershipsOf('okta', ['ada', 'bob'])
    assert.deepEqual(memberships.get('ada'), [
      { groupId: 'g', displayName: 'Group g', externalId: 'e-1', platformGroup: { id: '7', name: 'Readers' } },
      { groupId: 'h', displayName: 'Group h', externalId: undefined, platformGroup: undefined },
    ])
    assert.equal(memberships.has('bob'), false)
  })

  test('whose grants are unfinished and who is outside of a group is told with what their account holds', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      for (const id of ['ada', 'bob', 'cyd', 'dan']) {
        await write.insertResource('okta', aUser(id))
        await write.putLink(aLink('okta', id, { grants: [entry] }))
      }
      await write.insertResource('okta', aGroup('g'))
      await write.addMembers('okta', 'g', ['bob'])
      await write.putGrantOperations('okta', ['ada', 'bob'], asked)
      await write.putOperation('okta', anOperation('dan'))
    })
    assert.deepEqual(await store.unfinishedOutside('okta', 'g'), [{ userId: 'ada', ledger: [entry] }])
  })

  test('of many unfinished ones nobody is passed over, and others are answered meanwhile', async (t) => {
    const store = await open(t)
    const ids = Array.from({ length: 2_001 }, (_, index) => `user-${String(index).padStart(4, '0')}`)
    const holding = ids.filter((_, index) => [0, 999, 1_000, 1_999, 2_000].includes(index))
    await store.transaction(async (write) => {
      await Promise.all(ids.map((id) => write.insertResource('okta', aUser(id))))
      for (const id of holding) await write.putLink(aLink('okta', id, { grants: [entry] }))
      await write.insertResource('okta', aGroup('g'))
      await write.putGrantOperations('okta', ids, asked)
    })
    let isAnswered = false
    setImmediate(() => {
      isAnswered = true
    })
    const found = await store.unfinishedOutside('okta', 'g')
    assert.deepEqual(
      found.map(({ userId }) => userId),
      holding,
    )
    assert.ok(isAnswered)
  })

  test('the ledgers of many users are read at once, of those who hold something', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.putLink(aLink('okta', 'ada', { grants: [entry] }))
      await write.putLink(aLink('okta', 'bob', { accountId: '8', grants: [] }))
      await write.putLink(aLink('okta', 'cyd', { accountId: '9', grants: [entry] }))
    })
    assert.deepEqual(await store.ledgersOf('okta', ['ada', 'bob', 'nobody']), new Map([['ada', [entry]]]))
    assert.equal((await store.ledgersOf('entra', ['ada'])).size, 0)
  })

  test('users without an unfinished operation get one about their grants; strangers get none', async (t) => {
    const store = await open(t)
    const put = await store.transaction(async (write) => {
      for (const id of ['ada', 'bob']) await write.insertResource('okta', aUser(id))
      await write.insertResource('entra', aUser('eve'))
      return write.putGrantOperations('okta', ['ada', 'bob', 'eve', 'nobody'], asked)
    })
    assert.deepEqual(put.map(({ resourceId }) => resourceId).toSorted(), ['ada', 'bob'])
    assert.equal(new Set(put.map(({ id }) => id)).size, 2)
    const operation = await store.getOperation('okta', 'ada')
    assert.deepEqual(
      [operation?.about, operation?.kind, operation?.state, operation?.before, operation?.dueAt, operation?.caller],
      ['grants', 'update', 'waiting', undefined, 5_000, 'entra'],
    )
    assert.equal(await store.countOperations('okta'), 2)
    assert.deepEqual((await store.dueOperations('okta', 5_000, 10)).length, 2)
    assert.equal((await store.operationsOf('okta', ['ada', 'nobody'])).length, 1)
  })

  test('an unfinished operation gets a new id and is about grants, too; its old id does nothing any more', async (t) => {
    const store = await open(t)
    const { first, second } = await store.transaction(async (write) => {
      await write.insertResource('okta', aUser('ada'))
      const id = await write.putOperation('okta', anOperation('ada', { before: '{}', isDeprovisioning: true }))
      await write.updateOperation('okta', id, { state: 'failed', attempts: 3 })
      const [renewed] = await write.putGrantOperations('okta', ['ada'], asked)
      return { first: id, second: renewed }
    })
    assert.equal(second?.replacedId, first)
    assert.notEqual(second?.id, first)
    await store.transaction((write) => write.deleteOperation('okta', first))
    const operation = await store.getOperation('okta', 'ada')
    assert.deepEqual(
      [operation?.id, operation?.about, operation?.before, operation?.isDeprovisioning, operation?.state],
      [second?.id, 'both', '{}', true, 'waiting'],
    )
    assert.equal(await store.countOperations('okta'), 1)
    await store.transaction((write) => write.putGrantOperations('okta', ['ada'], asked))
    assert.equal((await store.getOperation('okta', 'ada'))?.about, 'both')
  })

  test('an unfinished deletion is about grants, too, and stays the same operation', async (t) => {
    const store = await open(t)
    const { id, put } = await store.transaction(async (write) => {
      await write.insertResource('okta', aUser('ada'))
      const deletion = await write.putOperation('okta', anOperation('ada', { kind: 'delete', dueAt: 9_000 }))
      return { id: deletion, put: await write.putGrantOperations('okta', ['ada'], asked) }
    })
    assert.deepEqual(put, [])
    const operation = await store.getOperation('okta', 'ada')
    assert.deepEqual(
      [operation?.id, operation?.kind, operation?.about, operation?.dueAt],
      [id, 'delete', 'both', 9_000],
    )
    assert.equal(await store.countOperations('okta'), 1)
  })

  test('operations for many users at once cost a few statements and have ids of their own', async (t) => {
    const store = await open(t)
    const ids = Array.from({ length: 1_000 }, (_, index) => `u${index}`)
    const put = await store.transaction(async (write) => {
      for (const id of ids) await write.insertResource('okta', aUser(id))
      return write.putGrantOperations('okta', ids, asked)
    })
    assert.equal(new Set(put.map(({ id }) => id)).size, 1_000)
    assert.equal(await store.countOperations('okta'), 1_000)
    const next = await store.transaction(async (write) => {
      await write.insertResource('okta', aUser('last'))
      return write.putOperation('okta', anOperation('last'))
    })
    assert.equal(
      put.some(({ id }) => id === next),
      false,
    )
  })
}
