import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NewOperatorRequest } from '../../src/store/operator-store.ts'
import { aLink, anOperation, aUser } from './builders.ts'
import type { OpenEmpty } from './contract.ts'

function aRequest(more: Partial<NewOperatorRequest> = {}): NewOperatorRequest {
  return { action: 'retry', operator: 'grace', why: 'x', resourceId: 'ada', detail: {}, askedAt: 1_000, ...more }
}

export function operatorContract(open: OpenEmpty): void {
  test('requests of operators are served in their order, those that go over everybody last, each within its connection', async (t) => {
    const store = await open(t)
    const add = (connection: string, request: NewOperatorRequest) =>
      store.transaction((write) => write.addOperatorRequest(connection, request))
    assert.equal(await add('okta', aRequest({ action: 'reapply_all', resourceId: undefined })), 1)
    assert.equal(await add('okta', aRequest({ action: 'adopt', detail: { accountId: '7', isForced: true } })), 2)
    assert.equal(await add('entra', aRequest()), 1)
    const current = await store.currentOperatorRequest('okta')
    assert.deepEqual(current, {
      ...aRequest({ action: 'adopt', detail: { accountId: '7', isForced: true } }),
      connection: 'okta',
      number: 2,
      phase: 'asked',
      place: undefined,
      affected: 0,
      total: undefined,
      answer: undefined,
      finishedAt: undefined,
    })
    const change = { phase: 'done', place: 4, affected: 1, total: 9, answer: 'it is', finishedAt: 2_000 } as const
    await store.transaction((write) => write.updateOperatorRequest('okta', 2, change))
    assert.deepEqual(await store.getOperatorRequest('okta', 2), { ...current, ...change })
    assert.equal((await store.currentOperatorRequest('okta'))?.number, 1)
    assert.equal(await store.getOperatorRequest('entra', 2), undefined)
  })

  test('those that go over everybody are cancelled whether begun or not, within their connection, and stay so', async (t) => {
    const store = await open(t)
    const going = { phase: 'running', place: 4, affected: 3, total: 9, answer: 'x', finishedAt: undefined } as const
    assert.equal(await store.lastReapplyRequest('okta'), undefined)
    await store.transaction(async (write) => {
      for (const connection of ['okta', 'entra']) {
        for (const action of ['reapply_all', 'reapply_all', 'hold'])
          await write.addOperatorRequest(connection, aRequest({ action, resourceId: undefined }))
      }
      await write.updateOperatorRequest('okta', 1, going)
      assert.equal(await write.cancelReapplyRequests('okta', 'cancelled', 2_000), 2)
      assert.equal(await write.cancelReapplyRequests('okta', 'again', 3_000), 0)
      // A step that was under way meanwhile does not bring it back.
      await write.updateOperatorRequest('okta', 1, going)
    })
    const cancelled = await store.getOperatorRequest('okta', 1)
    assert.deepEqual(
      [cancelled?.phase, cancelled?.affected, cancelled?.answer, cancelled?.finishedAt],
      ['refused', 3, 'cancelled', 2_000],
    )
    assert.equal((await store.currentOperatorRequest('okta'))?.action, 'hold')
    assert.deepEqual(
      [(await store.lastReapplyRequest('entra'))?.number, (await store.lastReapplyRequest('entra'))?.phase],
      [2, 'asked'],
    )
  })

  test('a request is taken back while nobody has taken it up, and finished ones are forgotten but for the newest', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      for (let made = 0; made < 5; made += 1) await write.addOperatorRequest('okta', aRequest())
      const done = {
        phase: 'done',
        place: undefined,
        affected: 0,
        total: undefined,
        answer: '',
        finishedAt: 1,
      } as const
      for (const number of [1, 2, 4]) await write.updateOperatorRequest('okta', number, done)
      assert.equal(await write.withdrawOperatorRequest('okta', 4), false)
      assert.equal(await write.withdrawOperatorRequest('entra', 5), false)
      assert.equal(await write.withdrawOperatorRequest('okta', 3), true)
      await write.forgetOperatorRequests('okta', 2)
    })
    const left = await Promise.all([1, 2, 3, 4, 5].map((number) => store.getOperatorRequest('okta', number)))
    assert.deepEqual(
      left.flatMap((request) => request?.number ?? []),
      [4, 5],
    )
  })

  test('work that stopped is listed, and tried again by what it failed of; what an operator holds goes on only when told', async (t) => {
    const store = await open(t)
    const ids: number[] = []
    await store.transaction(async (write) => {
      const states = [
        { state: 'failed', errorKind: 'refused', errorMessage: 'a' },
        { state: 'failed', errorKind: 'refused', errorMessage: 'b' },
        { state: 'waiting', errorKind: 'busy' },
        { state: 'held' },
        { state: 'held', errorKind: 'operator' },
      ] as const
      for (const [index, state] of states.entries()) {
        await write.insertResource('okta', aUser(`user${index}`))
        await write.putLink(aLink('okta', `user${index}`))
        const id = await write.putOperation('okta', anOperation(`user${index}`, { isDeprovisioning: index === 1 }))
        await write.updateOperation('okta', id, { ...state, attempts: 3, dueAt: 9_000 })
        ids.push(id)
      }
    })
    const stopped = async (afterId = 0, limit = 9) =>
      (await store.stoppedOperations('okta', afterId, limit)).map(({ resourceId }) => resourceId)
    assert.deepEqual(await stopped(), ['user0', 'user1', 'user3', 'user4'])
    assert.deepEqual(await stopped(ids[0], 2), ['user1', 'user3'])
    assert.deepEqual((await store.stoppedOperations('okta', 0, 2))[1], {
      id: ids[1],
      resourceId: 'user1',
      state: 'failed',
      kind: 'update',
      errorKind: 'refused',
      errorMessage: 'b',
      isDeprovisioning: true,
    })
    await store.transaction(async (write) => {
      // Sealed texts cannot be compared: all of the kind are tried.
      const ofText = store.hasSealedNames ? 2 : 1
      assert.equal(await write.retryOperations('okta', { kind: 'refused', message: 'b' }, 5), ofText)
      assert.equal(await write.retryOperations('entra', { kind: 'refused', message: undefined }, 5), 0)
      assert.equal(await write.retryOperations('okta', { kind: 'refused', message: undefined }, 5), 2)
      assert.equal(await write.releaseHeld('okta', 5), 1)
    })
    assert.deepEqual(await stopped(), ['user4'])
    const again = await store.getOperation('okta', 'user0')
    assert.deepEqual([again?.state, again?.attempts, again?.dueAt], ['waiting', 0, 5])
  })

  test('what was told of an alarm is kept for each way, and taken out of one without the others', async (t) => {
    const store = await open(t)
    const alarm = (way: string, told: number) => ({
      ...{ connection: 'okta', kind: 'failed', way, since: 5, detail: { operations: 2, reason: 'x' } },
      ...{ isOver: false, told, failures: 0, dueAt: Number.MAX_SAFE_INTEGER },
    })
    await store.transaction(async (write) => {
      await write.putAlarm(alarm('webhook', 1))
      await write.putAlarm(alarm('email', 2))
      await write.putAlarm({ ...alarm('email', 3), connection: 'entra' })
      await write.putAlarm({ ...alarm('webhook', 4), isOver: true })
    })
    assert.deepEqual(await store.alarms('okta'), [alarm('email', 2), { ...alarm('webhook', 4), isOver: true }])
    await store.transaction((write) => write.deleteAlarm({ connection: 'okta', kind: 'failed', way: 'email' }))
    assert.deepEqual(await store.alarms('okta'), [{ ...alarm('webhook', 4), isOver: true }])
    assert.deepEqual(await store.alarms('entra'), [{ ...alarm('email', 3), connection: 'entra' }])
  })

  test('the span of a request is the one that it was asked in first, within its connection', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.keepRequestSpan('okta', 'first', 'a span', '2026-01-01T00:00:00.000Z')
      await write.keepRequestSpan('okta', 'first', 'a later one', '2026-01-03T00:00:00.000Z')
      await write.keepRequestSpan('entra', 'first', "entra's", '2026-01-01T00:00:00.000Z')
    })
    assert.equal(await store.requestSpan('okta', 'first'), 'a span')
    assert.equal(await store.requestSpan('okta', 'third'), undefined)
    assert.equal(await store.requestSpan('entra', 'first'), "entra's")
  })

  test('an account that was let go is remembered, shown as such, and held by nobody', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.insertResource('okta', aUser('ada'))
      await write.insertResource('okta', aUser('bob'))
      await write.putLink(aLink('okta', 'ada', { accountId: undefined, unlinkedAccountId: '7' }))
      await write.putLink(aLink('okta', 'bob', { accountId: '7' }))
    })
    assert.equal((await store.getLink('okta', 'ada'))?.unlinkedAccountId, '7')
    assert.equal((await store.findLinkByAccount('okta', '7'))?.resourceId, 'bob')
    assert.equal((await store.getUser('okta', 'ada'))?.provisioning.isUnlinked, true)
    assert.equal((await store.provisioningOf('okta', ['ada'])).get('ada')?.isUnlinked, true)
    assert.equal((await store.getUser('okta', 'bob'))?.provisioning.isUnlinked, false)
  })
}
