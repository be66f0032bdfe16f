import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ConsoleReads, KeptRequest } from '../../src/store/console-store.ts'
import type { RequestKeeper } from '../../src/store/open.ts'
import type { SessionKeeper } from '../../src/store/session-store.ts'
import type { Store } from '../../src/store/store.ts'
import { aGroup, anAuditEntry, anOperation, aUser } from './builders.ts'

export type OpenForConsole = (context: {
  after(close: () => Promise<void>): void
}) => Promise<Store & ConsoleReads & RequestKeeper & SessionKeeper>

export function aRequest(more: Partial<KeptRequest> = {}): KeptRequest {
  return {
    at: 1_000,
    requestId: 'request-1',
    caller: 'token-1',
    method: 'GET',
    route: 'Users/*',
    resourceId: undefined,
    query: undefined,
    status: 200,
    ms: 3,
    detail: undefined,
    sent: undefined,
    answered: undefined,
    ...more,
  }
}

/** What every store promises to the operator's pages. */
export function consoleContract(title: string, open: OpenForConsole): void {
  describe(title, () => {
    test('members of a group come page by page in the order of their ids, and are counted', async (t) => {
      const store = await open(t)
      const ids = ['a', 'b', 'c', 'd']
      await store.transaction(async (write) => {
        for (const connection of ['okta', 'entra']) {
          for (const id of ids) await write.insertResource(connection, aUser(id))
          for (const group of ['g', 'h']) await write.insertResource(connection, aGroup(group))
          await write.addMembers(connection, 'h', ids)
        }
        await write.addMembers('okta', 'g', ['d', 'b', 'a'])
      })
      assert.deepEqual(await store.memberIds('okta', 'g', '', 2), ['a', 'b'])
      assert.deepEqual(await store.memberIds('okta', 'g', 'b', 2), ['d'])
      assert.deepEqual(await store.memberIds('entra', 'g', '', 2), [])
      assert.deepEqual(await Promise.all([store.countMembers('okta', 'g'), store.countMembers('entra', 'g')]), [3, 0])
    })

    test('sessions are found until they end, those that are over or too many are forgotten, and the newest stays', async (t) => {
      const { sessions } = await open(t)
      const bounds = { usedBefore: 0, beganBefore: 0, most: 2 }
      const begin = (digest: string, at: number, more = bounds) =>
        sessions.begin({ digest, key: `key of ${digest}`, beganAt: at, usedAt: at }, more)
      await begin('a', 10)
      await begin('b', 20)
      assert.deepEqual(await sessions.get('a'), { digest: 'a', key: 'key of a', beganAt: 10, usedAt: 10 })
      await sessions.use('a', 30)
      await sessions.use('a', 25)
      assert.equal((await sessions.get('a'))?.usedAt, 30, 'a slower replica takes nothing back')
      await begin('c', 40)
      assert.equal(await sessions.get('a'), undefined, 'the oldest of three')
      await begin('d', 50, { ...bounds, usedBefore: 30 })
      assert.equal(await sessions.get('b'), undefined, 'used by nobody')
      await begin('e', 60, { ...bounds, beganBefore: 50, most: 9 })
      assert.equal(await sessions.get('c'), undefined, 'begun long ago')
      await sessions.end('d')
      assert.equal(await sessions.get('d'), undefined)
      assert.equal((await sessions.get('e'))?.beganAt, 60)
    })

    test('a sign-in that has begun is finished once, and too old ones and too many are forgotten', async (t) => {
      const { sessions } = await open(t)
      const bounds = { beganBefore: 0, most: 2 }
      await sessions.beginSignIn('a', 10, bounds)
      assert.equal(await sessions.finishSignIn('a'), 10)
      assert.equal(await sessions.finishSignIn('a'), undefined)
      await sessions.beginSignIn('b', 20, bounds)
      await sessions.beginSignIn('c', 30, { ...bounds, beganBefore: 25 })
      assert.equal(await sessions.finishSignIn('b'), undefined)
      await sessions.beginSignIn('d', 40, bounds)
      await sessions.beginSignIn('e', 50, bounds)
      assert.deepEqual([await sessions.finishSignIn('c'), await sessions.finishSignIn('d')], [undefined, 40])
    })

    test('operations are counted by state and error, the commonest first, of one connection', async (t) => {
      const store = await open(t)
      await store.transaction(async (write) => {
        for (const [id, kind] of [
          ['a', 'refused'],
          ['b', 'refused'],
          ['c', undefined],
        ] as const) {
          const number = await write.putOperation('okta', anOperation(id))
          if (kind !== undefined)
            await write.updateOperation('okta', number, { state: 'failed', errorKind: kind, errorMessage: 'e-mail' })
        }
        await write.putOperation('entra', anOperation('d'))
      })
      const causes = await store.causes('okta', 10)
      assert.deepEqual(
        causes.map(({ state, errorKind, errorMessage, count }) => [state, errorKind, errorMessage, count]),
        [
          // Sealed texts cannot be compared: causes are told apart by their kinds alone.
          ['failed', 'refused', store.hasSealedNames ? undefined : 'e-mail', 2],
          ['waiting', undefined, undefined, 1],
        ],
      )
      assert.equal((await store.causes('okta', 1)).length, 1)
      const [refused, inTurn] = causes
      assert.ok(refused !== undefined && inTurn !== undefined)
      const found = await store.operationsOfCause('okta', refused, 0, 10)
      assert.deepEqual(
        found.map(({ resourceId }) => resourceId),
        ['a', 'b'],
      )
      assert.deepEqual(
        (await store.operationsOfCause('okta', refused, found[0]?.id ?? 0, 10)).map(({ resourceId }) => resourceId),
        ['b'],
      )
      assert.deepEqual(
        (await store.operationsOfCause('okta', inTurn, 0, 10)).map(({ resourceId }) => resourceId),
        ['c'],
      )
      assert.deepEqual(await store.operationsOfCause('entra', refused, 0, 10), [])
    })

    test("a person's history is the person's lines of the audit alone, newest first, page by page", async (t) => {
      const store = await open(t)
      await store.transaction(async (write) => {
        for (const resourceId of ['ada', 'grace', 'ada', 'ada'])
          await write.appendAudit('okta', anAuditEntry({ resourceId }))
        await write.appendAudit('entra', anAuditEntry({ resourceId: 'ada' }))
      })
      const ids = async (beforeId: number | undefined) =>
        (await store.historyOf('okta', 'ada', beforeId, 2)).map(({ id }) => id)
      assert.deepEqual(await ids(undefined), [4, 3])
      assert.deepEqual(await ids(3), [1])
    })

    test('requests are read back as kept, newest first, of one connection', async (t) => {
      const store = await open(t)
      const whole = aRequest({
        resourceId: 'ada',
        query: 'count=1',
        detail: 'no',
        sent: '{}',
        answered: '{"a":1}',
        status: 409,
      })
      await store.keep((write) => write.keepRequests('okta', [aRequest(), whole]))
      await store.keep((write) => write.keepRequests('entra', [aRequest({ requestId: 'of entra' })]))
      assert.deepEqual(await store.requests('okta', { beforeId: undefined, limit: 10 }), [
        { id: 2, ...whole },
        { id: 1, ...aRequest() },
      ])
    })

    test('more requests at once than one statement takes keep their order', async (t) => {
      const store = await open(t)
      const all = Array.from({ length: 137 }, (_, n) => aRequest({ requestId: `request ${n}` }))
      await store.keep((write) => write.keepRequests('okta', all))
      const read = await store.requests('okta', { beforeId: undefined, limit: 1_000 })
      assert.deepEqual(
        read.toReversed().map(({ requestId }) => requestId),
        all.map(({ requestId }) => requestId),
      )
      assert.deepEqual(
        read.map(({ id }) => id),
        Array.from({ length: 137 }, (_, n) => 137 - n),
      )
    })

    test('requests are found by person, request id, status and time, all at once', async (t) => {
      const store = await open(t)
      await store.keep((write) =>
        write.keepRequests('okta', [
          aRequest({ requestId: 'a', resourceId: 'ada', status: 201, at: 1 }),
          aRequest({ requestId: 'b', resourceId: 'grace', status: 400, at: 2 }),
          aRequest({ requestId: 'c', resourceId: 'ada', status: 409, at: 3 }),
        ]),
      )
      const find = async (query: Partial<Parameters<typeof store.requests>[1]>) =>
        (await store.requests('okta', { beforeId: undefined, limit: 10, ...query })).map(({ requestId }) => requestId)
      assert.deepEqual(await find({ resourceIds: ['ada', 'x'] }), ['c', 'a'])
      assert.deepEqual(await find({ resourceIds: [] }), [])
      assert.deepEqual(await find({ requestId: 'b' }), ['b'])
      assert.deepEqual(await find({ statuses: [400, 499] }), ['c', 'b'])
      assert.deepEqual(await find({ from: 2, to: 2 }), ['b'])
      assert.deepEqual(await find({ resourceIds: ['ada'], statuses: [400, 499], from: 1 }), ['c'])
      assert.deepEqual(await find({ beforeId: 3, limit: 1 }), ['b'])
    })

    test('old requests, and all but the newest, are forgotten, of one connection', async (t) => {
      const store = await open(t)
      const times = [1, 2, 3, 4, 5].map((at) => aRequest({ at }))
      await store.keep((write) => write.keepRequests('okta', times))
      await store.keep((write) => write.keepRequests('entra', times))
      const left = async (connection: string) =>
        (await store.requests(connection, { beforeId: undefined, limit: 10 })).map(({ at }) => at)
      await store.keep((write) => write.forgetRequests('okta', 3, 10))
      assert.deepEqual(await left('okta'), [5, 4, 3])
      await store.keep((write) => write.forgetRequests('okta', 0, 1))
      assert.deepEqual(await left('okta'), [5])
      assert.equal((await left('entra')).length, 5)
    })
  })
}
