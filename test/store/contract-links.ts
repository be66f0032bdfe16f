import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AccountTaken } from '../../src/store/store.ts'
import { aGroup, aLink, anAuditEntry, anOperation, aUser, later, now } from './builders.ts'
import type { OpenEmpty } from './contract.ts'

export function linkContract(open: OpenEmpty): void {
  test('a link is read back with everything it knows', async (t) => {
    const store = await open(t)
    const link = aLink('okta', 'ada', {
      applied: { email: 'ada@uni.example', quota: 5, groups: [1, 2] },
      lastAppliedAt: later,
      drift: ['email', 'quota'],
      wasFlushed: true,
      userName: 'ada',
      externalId: 'x',
      deletedAt: now,
    })
    await store.transaction((write) => write.putLink(link))
    assert.deepEqual(await store.getLink('okta', 'ada'), link)
    const bare = aLink('okta', 'bob', { state: 'proposed', accountId: undefined })
    await store.transaction((write) => write.putLink(bare))
    assert.deepEqual(await store.getLink('okta', 'bob'), bare)
  })

  test('what clients are told of a user is its link and its unfinished operation, for one user and for many', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.insertResource('okta', aUser('ada'))
      await write.insertResource('okta', aUser('bob'))
      await write.insertResource('okta', aGroup('staff'))
      await write.addMembers('okta', 'staff', ['ada'])
      await write.putLink(aLink('okta', 'ada', { lastAppliedAt: later, drift: ['email'] }))
      await write.putLink(aLink('okta', 'bob', { state: 'proposed', accountId: undefined }))
      const id = await write.putOperation('okta', anOperation('bob'))
      await write.updateOperation('okta', id, { state: 'failed', errorMessage: 'refused' })
    })
    const ada = {
      accountId: 'account of ada',
      lastAppliedAt: later,
      drift: ['email'],
      isUnlinked: false,
      operationState: undefined,
      errorMessage: undefined,
    }
    const bob = {
      accountId: undefined,
      lastAppliedAt: undefined,
      drift: [],
      isUnlinked: false,
      operationState: 'failed',
      errorMessage: 'refused',
    }
    const many = await store.provisioningOf('okta', ['ada', 'bob', 'nobody'])
    assert.deepEqual(
      many,
      new Map<string, unknown>([
        ['ada', ada],
        ['bob', bob],
      ]),
    )
    const one = await store.getUser('okta', 'ada')
    assert.deepEqual(one?.provisioning, ada)
    assert.deepEqual(one?.groups, [{ id: 'staff', display: 'Group staff' }])
    assert.deepEqual(one?.resource, await store.getResource('okta', 'User', 'ada'))
    assert.deepEqual((await store.getUser('okta', 'bob'))?.provisioning, bob)
    assert.equal((await store.provisioningOf('entra', ['ada'])).size, 0)
    assert.equal(await store.getUser('entra', 'ada'), undefined)
    assert.equal(await store.getUser('okta', 'staff'), undefined)
  })

  test('an account is held by one proposed or live link; tombstones and other connections do not hold it', async (t) => {
    const store = await open(t)
    const accountId = '7'
    await store.transaction(async (write) => {
      await write.putLink(aLink('okta', 'old', { accountId, state: 'tombstone' }))
      await write.putLink(aLink('okta', 'older', { accountId, state: 'tombstone' }))
      await write.putLink(aLink('okta', 'ada', { accountId, state: 'proposed' }))
      await write.putLink(aLink('entra', 'eve', { accountId }))
    })
    await assert.rejects(
      store.transaction((write) => write.putLink(aLink('okta', 'bob', { accountId }))),
      AccountTaken,
    )
    assert.equal((await store.findLinkByAccount('okta', accountId))?.resourceId, 'ada')
    await store.transaction(async (write) => {
      await write.putLink(aLink('okta', 'ada', { accountId, state: 'tombstone' }))
      await write.putLink(aLink('okta', 'bob', { accountId }))
    })
    assert.equal((await store.findLinkByAccount('okta', accountId))?.resourceId, 'bob')
    await store.transaction(async (write) => {
      await write.putLink(aLink('entra', 'bob'))
      await write.deleteLink('okta', 'bob')
    })
    assert.equal((await store.getLink('entra', 'bob'))?.resourceId, 'bob')
    assert.equal(await store.findLinkByAccount('okta', accountId), undefined)
    assert.equal(await store.getLink('okta', 'bob'), undefined)
  })

  test('the flush mark changes one link only', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.putLink(aLink('okta', 'ada'))
      await write.putLink(aLink('okta', 'bob'))
      await write.putLink(aLink('entra', 'ada'))
      await write.setFlushed('okta', 'ada')
    })
    assert.equal((await store.getLink('okta', 'ada'))?.wasFlushed, true)
    assert.equal((await store.getLink('okta', 'bob'))?.wasFlushed, false)
    assert.equal((await store.getLink('entra', 'ada'))?.wasFlushed, false)
  })

  test('an operation is read back as asked, waiting and not yet attempted', async (t) => {
    const store = await open(t)
    const asked = anOperation('ada', { kind: 'create', mayActivate: true, before: '{}', unknownSince: 5 })
    const id = await store.transaction((write) => write.putOperation('okta', asked))
    const stored = {
      ...asked,
      id,
      connection: 'okta',
      state: 'waiting',
      attempts: 0,
      errorKind: undefined,
      errorMessage: undefined,
      leaseUntil: undefined,
    }
    assert.deepEqual(await store.getOperation('okta', 'ada'), stored)
    assert.equal(await store.getOperation('entra', 'ada'), undefined)
  })

  test('a newer operation replaces the one of the same link, and the old id does nothing any more', async (t) => {
    const store = await open(t)
    const [old, next] = await store.transaction(async (write) => [
      await write.putOperation('okta', anOperation('ada')),
      await write.putOperation('okta', anOperation('ada', { kind: 'delete' })),
    ])
    assert.ok(old !== undefined && next !== undefined && next > old)
    await store.transaction(async (write) => {
      await write.updateOperation('okta', old, { state: 'failed' })
      await write.deleteOperation('okta', old)
    })
    const left = await store.getOperation('okta', 'ada')
    assert.deepEqual([left?.id, left?.kind, left?.state], [next, 'delete', 'waiting'])
    assert.equal(await store.countOperations('okta'), 1)
  })

  test('an update of an operation changes what it names; undefined takes a value away', async (t) => {
    const store = await open(t)
    const id = await store.transaction((write) => write.putOperation('okta', anOperation('ada', { unknownSince: 5 })))
    const change = { state: 'running', attempts: 2, errorKind: 'busy', errorMessage: '429', leaseUntil: 9 } as const
    await store.transaction((write) => write.updateOperation('okta', id, change))
    const first = await store.getOperation('okta', 'ada')
    assert.deepEqual([first?.state, first?.attempts, first?.errorKind], ['running', 2, 'busy'])
    assert.deepEqual([first?.errorMessage, first?.leaseUntil, first?.unknownSince], ['429', 9, 5])
    await store.transaction((write) =>
      write.updateOperation('okta', id, { dueAt: 77, leaseUntil: undefined, unknownSince: undefined }),
    )
    const second = await store.getOperation('okta', 'ada')
    assert.deepEqual([second?.dueAt, second?.leaseUntil, second?.unknownSince], [77, undefined, undefined])
    assert.deepEqual([second?.state, second?.attempts], ['running', 2])
  })

  test('due operations: switch-offs and deletions first, then by due time; only waiting ones', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.putOperation('okta', anOperation('late', { dueAt: 30 }))
      await write.putOperation('okta', anOperation('early', { dueAt: 10 }))
      await write.putOperation('okta', anOperation('same', { dueAt: 10 }))
      await write.putOperation('okta', anOperation('off', { dueAt: 25, isDeprovisioning: true }))
      await write.putOperation('okta', anOperation('gone', { dueAt: 20, kind: 'delete' }))
      await write.putOperation('okta', anOperation('future', { dueAt: 31, isDeprovisioning: true }))
      const failed = await write.putOperation('okta', anOperation('failed', { dueAt: 1 }))
      await write.updateOperation('okta', failed, { state: 'failed' })
      await write.putOperation('entra', anOperation('other', { dueAt: 1 }))
    })
    const due = async (limit: number) => (await store.dueOperations('okta', 30, limit)).map((row) => row.resourceId)
    assert.deepEqual(await due(10), ['gone', 'off', 'early', 'same', 'late'])
    assert.deepEqual(await due(3), ['gone', 'off', 'early'])
    assert.deepEqual(await due(2), ['gone', 'off'])
    assert.deepEqual(await due(1), ['gone'])
    assert.deepEqual(await due(0), [])
  })

  test('the number of operations follows what is put, replaced and deleted', async (t) => {
    const store = await open(t)
    const id = await store.transaction(async (write) => {
      await write.putOperation('okta', anOperation('ada'))
      await write.putOperation('okta', anOperation('bob'))
      await write.putOperation('entra', anOperation('ada'))
      return write.putOperation('okta', anOperation('ada'))
    })
    assert.equal(await store.countOperations('okta'), 2)
    await store.transaction(async (write) => {
      await write.deleteOperation('okta', id)
      await write.deleteOperation('okta', id)
    })
    assert.equal(await store.countOperations('okta'), 1)
    assert.equal(await store.countOperations('entra'), 1)
  })

  test("operations of one connection are not touched through another's, though their ids are the same", async (t) => {
    const store = await open(t)
    const [okta, entra] = await store.transaction(async (write) => [
      await write.putOperation('okta', anOperation('ada')),
      await write.putOperation('entra', anOperation('ada')),
    ])
    assert.equal(okta, entra)
    await store.transaction(async (write) => {
      await write.updateOperation('other', okta ?? 0, { state: 'failed' })
      await write.updateOperation('okta', okta ?? 0, { state: 'held', attempts: 3 })
    })
    const untouched = await store.getOperation('entra', 'ada')
    assert.deepEqual([untouched?.state, untouched?.attempts], ['waiting', 0])
    await store.transaction((write) => write.updateOperation('entra', entra ?? 0, { dueAt: 5 }))
    assert.deepEqual(
      [(await store.getOperation('entra', 'ada'))?.attempts, await store.countOperations('okta')],
      [0, 1],
    )
    await store.transaction((write) => write.deleteOperation('okta', okta ?? 0))
    assert.equal((await store.getOperation('entra', 'ada'))?.id, entra)
  })

  test('the audit is read in order, page by page, per connection', async (t) => {
    const store = await open(t)
    const outcome = anAuditEntry({ event: 'outcome', operationId: 4, accountId: '7', detail: { result: 'applied' } })
    await store.transaction(async (write) => {
      await write.appendAudit('okta', anAuditEntry())
      await write.appendAudit('entra', anAuditEntry({ caller: 'entra' }))
      await write.appendAudit('okta', outcome)
      await write.appendAudit('okta', anAuditEntry({ resourceId: undefined }))
    })
    assert.deepEqual(await store.readAudit('okta', 0, 2), [
      { id: 1, ...anAuditEntry() },
      { id: 2, ...outcome },
    ])
    assert.deepEqual(await store.readAudit('okta', 2, 2), [{ id: 3, ...anAuditEntry({ resourceId: undefined }) }])
    assert.deepEqual(await store.readAudit('okta', 3, 2), [])
  })
}
