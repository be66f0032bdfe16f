import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding, NewWalk } from '../../src/store/walk-store.ts'
import { aLink, anOperation, aUser, later, now } from './builders.ts'
import type { OpenEmpty } from './contract.ts'

const aWalk: NewWalk = {
  purpose: 'reconcile',
  caller: 'command',
  isRepair: true,
  isRecreate: false,
  isDryRun: false,
  askedAt: 5,
}

function aFinding(accountId: string, more: Partial<Finding> = {}): Finding {
  return {
    accountId,
    situation: 'linked',
    resourceId: undefined,
    attributes: [],
    otherAccounts: [],
    otherResources: [],
    remedy: undefined,
    done: undefined,
    ...more,
  }
}

export function walkContract(open: OpenEmpty): void {
  test('walks are numbered per connection, and worked on in the order asked', async (t) => {
    const store = await open(t)
    const numbers = await store.transaction(async (write) => [
      await write.addWalk('okta', aWalk),
      await write.addWalk('okta', { ...aWalk, purpose: 'import' }),
      await write.addWalk('entra', aWalk),
    ])
    assert.deepEqual(numbers, [1, 2, 1])
    const first = await store.currentWalk('okta')
    const asked = { connection: 'okta', number: 1, phase: 'asked', place: undefined, accounts: 0, isShort: false }
    const rest = { failures: 0, error: undefined, dueAt: 5, finishedAt: undefined, counts: {} }
    assert.deepEqual(first, { ...aWalk, ...asked, ...rest })
    assert.ok(first !== undefined)
    const ended = {
      ...first,
      phase: 'finished',
      accounts: 7,
      isShort: true,
      finishedAt: 9,
      counts: { linked: 7 },
    } as const
    await store.transaction((write) => write.updateWalk(ended))
    assert.deepEqual(await store.getWalk('okta', 1), ended)
    assert.deepEqual(await store.lastFinishedWalk('okta', 'reconcile'), ended)
    assert.equal((await store.currentWalk('okta'))?.number, 2)
    assert.equal((await store.lastAskedWalk('okta', 'import'))?.number, 2)
    assert.equal(await store.lastFinishedWalk('okta', 'import'), undefined)
    assert.equal(await store.lastFinishedWalk('entra', 'reconcile'), undefined)
  })

  test('findings are read back in the order of accounts, by situation and by what is left to do', async (t) => {
    const store = await open(t)
    const whole = aFinding('b', {
      situation: 'drifted',
      resourceId: 'ada',
      attributes: ['email', 'title'],
      otherAccounts: ['x'],
      otherResources: ['bob'],
      remedy: 'write',
    })
    const done = aFinding('c', { situation: 'drifted', remedy: 'write', done: 'asked' })
    await store.transaction(async (write) => {
      for (const finding of [done, whole, aFinding('a')]) await write.putFinding('okta', 1, finding)
      await write.putFinding('entra', 1, aFinding('z'))
      await write.putFinding('okta', 2, aFinding('y'))
    })
    const page = { afterAccount: '', limit: 10 }
    assert.deepEqual(await store.findings('okta', 1, page), [aFinding('a'), whole, done])
    assert.deepEqual(await store.findings('okta', 1, { ...page, situation: 'drifted', limit: 1 }), [whole])
    assert.deepEqual(await store.findings('okta', 1, { ...page, situation: 'drifted', afterAccount: 'b' }), [done])
    assert.deepEqual(await store.findings('okta', 1, { ...page, isOpen: true }), [whole])
    assert.deepEqual(await store.countFindings('okta', 1), { linked: 1, drifted: 2 })
    await store.transaction((write) => write.putFinding('okta', 1, { ...whole, situation: 'disputed' }))
    assert.deepEqual(await store.countFindings('okta', 1), { linked: 1, drifted: 1, disputed: 1 })
  })

  test('a walk knows which accounts it has met, and which live ones it has not', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      for (const id of ['ada', 'bob', 'cid']) {
        await write.insertResource('okta', aUser(id))
        await write.putLink(aLink('okta', id, { accountId: `of ${id}`, lastAppliedAt: now }))
      }
      await write.putLink(aLink('okta', 'dan', { accountId: 'of dan', state: 'proposed' }))
      await write.putLink(aLink('okta', 'eve', { accountId: 'of eve', state: 'tombstone' }))
      await write.putOperation('okta', anOperation('cid'))
      await write.putFinding('okta', 1, aFinding('of ada'))
    })
    await store.transaction(async (write) => {
      assert.deepEqual(await write.metAccounts('okta', 1, ['of ada', 'of bob']), new Set(['of ada']))
      assert.deepEqual(await write.metAccounts('okta', 2, ['of ada']), new Set())
      const missing = await write.missingAccounts('okta', 1, '', 10)
      assert.deepEqual(
        missing.map(({ resourceId, operationState }) => [resourceId, operationState]),
        [
          ['bob', undefined],
          ['cid', 'waiting'],
        ],
      )
      assert.deepEqual(missing[0]?.json, aUser('bob').json)
      assert.equal((await write.missingAccounts('okta', 1, 'bob', 10)).length, 1)
      assert.equal((await write.missingAccounts('entra', 1, '', 10)).length, 0)
      const held = await write.heldAccounts('okta', ['of ada', 'of dan', 'of eve', 'of nobody'])
      assert.deepEqual([...held.keys()].sort(), ['of ada', 'of dan'])
      assert.deepEqual([held.get('of ada')?.lastAppliedAt, held.get('of dan')?.json], [now, undefined])
      assert.equal((await write.heldAccounts('entra', ['of ada'])).size, 0)
    })
  })

  test('of several tombstones of one account the newest is found', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.putLink(aLink('okta', 'new', { accountId: '7', state: 'tombstone', deletedAt: later }))
      await write.putLink(aLink('okta', 'old', { accountId: '7', state: 'tombstone', deletedAt: now }))
      await write.putLink(aLink('okta', 'live', { accountId: '8' }))
      const found = await write.tombstonesOf('okta', ['7', '8'])
      assert.deepEqual([found.size, found.get('7')?.resourceId], [1, 'new'])
      assert.equal((await write.tombstonesOf('entra', ['7'])).size, 0)
    })
  })

  test('resources are found by their keys, within one walk of one connection', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.putMatchKey('okta', 1, 'k', 'ada')
      await write.putMatchKey('okta', 1, 'k', 'ada')
      await write.putMatchKey('okta', 1, 'k', 'bob')
      await write.putMatchKey('okta', 2, 'k', 'cid')
      await write.putMatchKey('entra', 1, 'k', 'dan')
      assert.deepEqual(await write.resourcesByKeys('okta', 1, ['k', 'l']), new Map([['k', ['ada', 'bob']]]))
    })
  })

  test('walks before one are forgotten in portions, but for the last finished one of each purpose', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      for (const purpose of ['reconcile', 'import', 'reconcile'] as const) {
        const number = await write.addWalk('okta', { ...aWalk, purpose })
        const walk = await write.getWalk('okta', number)
        assert.ok(walk !== undefined)
        await write.updateWalk({ ...walk, phase: 'finished' })
        for (const account of ['a', 'b', 'c']) await write.putFinding('okta', number, aFinding(account))
        await write.putMatchKey('okta', number, 'k', 'ada')
      }
      await write.putFinding('entra', 1, aFinding('a'))
      assert.equal(await write.forgetWalksBefore('okta', 3, 4), false)
      assert.equal(await write.forgetWalksBefore('okta', 3, 4), true)
    })
    const page = { afterAccount: '', limit: 10 }
    const left = await Promise.all([1, 2, 3].map(async (number) => (await store.findings('okta', number, page)).length))
    assert.deepEqual(left, [0, 0, 3])
    assert.equal((await store.findings('entra', 1, page)).length, 1)
    assert.deepEqual([await store.getWalk('okta', 1), (await store.getWalk('okta', 2))?.purpose], [undefined, 'import'])
  })

  test('what walks before one have found is forgotten in portions where they have failed, and only there', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      for (const phase of ['finished', 'failed', 'failed', 'failed'] as const) {
        const number = await write.addWalk('okta', aWalk)
        const walk = await write.getWalk('okta', number)
        assert.ok(walk !== undefined)
        await write.updateWalk({ ...walk, phase })
        for (const account of ['a', 'b']) await write.putFinding('okta', number, aFinding(account))
        await write.putMatchKey('okta', number, 'k', 'ada')
      }
      await write.putFinding('entra', 2, aFinding('a'))
      assert.equal(await write.forgetFailedBefore('okta', 4, 3), false)
      assert.equal(await write.forgetFailedBefore('okta', 4, 3), true)
      const keys = await Promise.all([1, 2, 3, 4].map((number) => write.resourcesByKeys('okta', number, ['k'])))
      assert.deepEqual(
        keys.map(({ size }) => size),
        [1, 0, 0, 1],
      )
    })
    const page = { afterAccount: '', limit: 10 }
    const numbers = [1, 2, 3, 4]
    const left = await Promise.all(numbers.map(async (number) => (await store.findings('okta', number, page)).length))
    assert.deepEqual(left, [2, 0, 0, 2])
    assert.equal((await store.findings('entra', 2, page)).length, 1)
    assert.equal((await store.getWalk('okta', 2))?.phase, 'failed')
  })

  test('watches look when they are due, sooner when hurried, and end when told', async (t) => {
    const store = await open(t)
    const watch = { resourceId: 'ada', document: '{"userName":"ada"}', nextAt: 100, endsAt: 1_000 }
    await store.transaction(async (write) => {
      await write.putWatch('okta', watch)
      await write.putWatch('entra', watch)
    })
    assert.deepEqual(await store.dueWatches('okta', 99, 10), [])
    assert.deepEqual(await store.dueWatches('okta', 100, 10), [watch])
    await store.transaction((write) => write.hurryWatches('okta', 50))
    assert.deepEqual(await store.dueWatches('okta', 50, 10), [{ ...watch, nextAt: 50 }])
    assert.deepEqual(await store.dueWatches('entra', 50, 10), [])
    await store.transaction((write) => write.deleteWatch('okta', 'ada'))
    assert.deepEqual(await store.dueWatches('okta', 1_000, 10), [])
    assert.equal((await store.dueWatches('entra', 1_000, 10)).length, 1)
  })

  test('documents of users whose create is not done are found, and no others', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      for (const id of ['ada', 'bob']) await write.insertResource('okta', aUser(id))
      await write.putLink(aLink('okta', 'ada', { state: 'proposed', accountId: undefined }))
      await write.putLink(aLink('okta', 'bob'))
      assert.deepEqual(await write.proposedDocuments('okta', 10), [aUser('ada').json])
      assert.deepEqual(await write.proposedDocuments('entra', 10), [])
    })
  })
}
