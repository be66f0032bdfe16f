import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { LedgerEntry } from '../../src/store/grant-store.ts'
import type { Eraser } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { aGroupLink, aLink, anAuditEntry, anOperation, later, now } from './builders.ts'

type ErasingStore = Store & Eraser
/** Opens an empty store; whoever opens it closes it after the test. */
type OpenErasing = (context: { after(close: () => Promise<void>): void }) => Promise<ErasingStore>

const between = '2026-03-01T20:00:00.000Z'
const erase = (store: ErasingStore, limit = 100) =>
  store.erase((write) => write.eraseGroupTombstones('okta', between, limit))
const aTombstone = (id: string, deletedAt: string | undefined) =>
  aGroupLink(id, { state: 'tombstone', groupId: `platform ${id}`, deletedAt })
const memberOf = (id: string): LedgerEntry => ({ key: `group:${id}`, grant: { tag: 'Readers' }, origin: 'giving' })

/** What every store forgets, and what it keeps. */
export function erasureContract(title: string, open: OpenErasing): void {
  describe(title, () => {
    test('old tombstones of groups are erased, a few at a time; younger ones and living links stay', async (t) => {
      const store = await open(t)
      await store.transaction(async (write) => {
        for (const id of ['old1', 'old2', 'old3']) await write.putGroupLink(aTombstone(id, now))
        await write.putGroupLink(aTombstone('young', later))
        await write.putGroupLink(aGroupLink('living'))
        await write.putGroupLink({ ...aTombstone('elsewhere', now), connection: 'entra' })
      })
      assert.deepEqual([await erase(store, 2), await erase(store, 2), await erase(store, 2)], [2, 1, 0])
      for (const id of ['young', 'living']) assert.ok(await store.getGroupLink('okta', id), id)
      assert.ok(await store.getGroupLink('entra', 'elsewhere'))
    })

    test('it is known when the oldest audit line was written, and the last one before a given time', async (t) => {
      const store = await open(t)
      const lineAt = (at: string) => store.transaction((write) => write.appendAudit('okta', { ...anAuditEntry(), at }))
      const span = () => store.erase((write) => write.auditSpan('okta', between))
      await lineAt(later)
      assert.equal(await span(), undefined)
      const days = ['2026-02-01T00:00:00.000Z', '2026-02-02T00:00:00.000Z']
      for (const at of [...days, later]) await lineAt(at)
      assert.deepEqual(await span(), { oldest: later, newest: days[1] })
    })

    test('a group that is still to be ended on the platform is not forgotten', async (t) => {
      const store = await open(t)
      const operation = await store.transaction(async (write) => {
        await write.putGroupLink(aTombstone('ending', now))
        return write.putOperation('okta', anOperation('ending', { kind: 'delete', about: 'group' }))
      })
      assert.equal(await erase(store), 0)
      await store.transaction((write) => write.deleteOperation('okta', operation))
      assert.equal(await erase(store), 1)
    })

    test('a group that somebody is still to be taken out of is not forgotten, and keeps no other from being so', async (t) => {
      const store = await open(t)
      const operation = await store.transaction(async (write) => {
        for (const id of ['left', 'done']) await write.putGroupLink(aTombstone(id, now))
        await write.putLink(aLink('okta', 'ada', { grants: [memberOf('left')] }))
        await write.putLink(aLink('okta', 'bob', { grants: [memberOf('done')] }))
        return write.putOperation('okta', anOperation('ada', { about: 'grants' }))
      })
      assert.equal(await erase(store, 1), 1)
      assert.deepEqual(
        [(await store.getGroupLink('okta', 'left'))?.groupId, await store.getGroupLink('okta', 'done')],
        ['platform left', undefined],
      )
      await store.transaction((write) => write.deleteOperation('okta', operation))
      assert.equal(await erase(store), 1)
    })

    test('a group is not forgotten while an account that was let go may be linked again, and be in it', async (t) => {
      const store = await open(t)
      await store.transaction(async (write) => {
        await write.putGroupLink(aTombstone('left', now))
        const letGo = { accountId: undefined, unlinkedAccountId: '7', grants: [memberOf('left')] }
        await write.putLink(aLink('okta', 'ada', letGo))
      })
      assert.equal(await erase(store), 0)
    })

    test('a group that was deleted by a release that kept no date has that of the last audit line about it', async (t) => {
      const store = await open(t)
      await store.transaction(async (write) => {
        for (const id of ['old', 'young', 'untold']) await write.putGroupLink(aTombstone(id, undefined))
        await write.appendAudit('okta', anAuditEntry({ resourceId: 'old', at: now }))
        await write.appendAudit('okta', anAuditEntry({ resourceId: 'young', at: now }))
        await write.appendAudit('okta', anAuditEntry({ resourceId: 'young', at: later }))
      })
      assert.equal(await erase(store), 1)
      assert.deepEqual(
        await Promise.all(
          ['old', 'young', 'untold'].map(async (id) => (await store.getGroupLink('okta', id))?.deletedAt),
        ),
        [undefined, later, later],
      )
    })

    test('a group that is there again has no date of its end', async (t) => {
      const store = await open(t)
      await store.transaction((write) => write.putGroupLink(aTombstone('g', now)))
      await store.transaction((write) => write.putGroupLink(aGroupLink('g')))
      assert.equal((await store.getGroupLink('okta', 'g'))?.deletedAt, undefined)
      assert.equal(await erase(store), 0)
    })

    test('a user of whom an account may still appear is not forgotten', async (t) => {
      const store = await open(t)
      await store.transaction(async (write) => {
        await write.putLink(aLink('okta', 'ada', { state: 'tombstone', accountId: undefined, deletedAt: now }))
        await write.putWatch('okta', { resourceId: 'ada', document: '{}', nextAt: 1, endsAt: 2 })
      })
      const users = () => store.erase((write) => write.eraseTombstones('okta', between, 100))
      const watched = () => store.erase((write) => write.watchedUntil('okta', 'ada'))
      assert.deepEqual([await users(), await watched()], [0, 2])
      await store.transaction((write) => write.deleteWatch('okta', 'ada'))
      assert.equal(await watched(), undefined)
      assert.equal(await users(), 1)
    })
  })
}
