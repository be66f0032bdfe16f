import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../src/store/store.ts'
import { aGroup, aUser } from './builders.ts'
import type { OpenEmpty } from './contract.ts'

async function aGroupWith(store: Store, members: readonly string[]): Promise<void> {
  await store.transaction(async (write) => {
    for (const id of ['ada', 'bob', 'cleo', 'dan']) await write.insertResource('okta', aUser(id))
    await write.insertResource('okta', aGroup('g'))
    await write.addMembers('okta', 'g', members)
  })
}
const memberIds = async (store: Store) => (await store.members('okta', 'g')).map((member) => member.id)

export function groupContract(open: OpenEmpty): void {
  test('adding members answers only those that are new', async (t) => {
    const store = await open(t)
    await aGroupWith(store, ['bob'])
    const added = await store.transaction((write) => write.addMembers('okta', 'g', ['ada', 'bob', 'ada']))
    assert.deepEqual(added, ['ada'])
    assert.deepEqual(await memberIds(store), ['ada', 'bob'])
    assert.deepEqual(await store.transaction((write) => write.addMembers('okta', 'g', [])), [])
  })

  test('removing members answers only those that were there', async (t) => {
    const store = await open(t)
    await aGroupWith(store, ['ada', 'bob'])
    const removed = await store.transaction((write) => write.removeMembers('okta', 'g', ['bob', 'cleo', 'nobody']))
    assert.deepEqual(removed, ['bob'])
    assert.deepEqual(await memberIds(store), ['ada'])
    assert.deepEqual(await store.transaction((write) => write.removeMembers('okta', 'g', [])), [])
  })

  test('removing all members answers them', async (t) => {
    const store = await open(t)
    await aGroupWith(store, ['ada', 'bob'])
    const removed = await store.transaction((write) => write.removeAllMembers('okta', 'g'))
    assert.deepEqual(removed.toSorted(), ['ada', 'bob'])
    assert.deepEqual(await memberIds(store), [])
  })

  test('replacing members answers the difference', async (t) => {
    const store = await open(t)
    await aGroupWith(store, ['ada', 'bob'])
    const difference = await store.transaction((write) => write.replaceMembers('okta', 'g', ['bob', 'cleo', 'cleo']))
    assert.deepEqual(difference, { added: ['cleo'], removed: ['ada'] })
    assert.deepEqual(await memberIds(store), ['bob', 'cleo'])
    const emptied = await store.transaction((write) => write.replaceMembers('okta', 'g', []))
    assert.deepEqual([emptied.added, emptied.removed.toSorted()], [[], ['bob', 'cleo']])
  })

  test('unknown users are those that are no visible user of this connection, once each', async (t) => {
    const store = await open(t)
    await aGroupWith(store, [])
    const unknown = await store.transaction(async (write) => {
      await write.insertResource('okta', aUser('hidden', { visible: false }))
      await write.insertResource('entra', aUser('eve'))
      return write.unknownUsers('okta', ['ada', 'g', 'hidden', 'eve', 'nobody', 'nobody'])
    })
    assert.deepEqual(unknown.toSorted(), ['eve', 'g', 'hidden', 'nobody'])
    assert.deepEqual(await store.transaction((write) => write.unknownUsers('okta', [])), [])
  })

  test('a member is shown by displayName, else by userName, as spelled', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.insertResource('okta', aUser('ada', { keys: { userName: 'Ada', displayName: 'Ada LOVELACE' } }))
      await write.insertResource('okta', aUser('bob', { keys: { userName: 'BOB@Uni.example' } }))
      await write.insertResource('okta', aGroup('g'))
      await write.addMembers('okta', 'g', ['ada', 'bob'])
    })
    assert.deepEqual(await store.members('okta', 'g'), [
      { id: 'ada', display: 'Ada LOVELACE' },
      { id: 'bob', display: 'BOB@Uni.example' },
    ])
  })

  test("a user's groups and several groups' members come in one answer, without empty entries", async (t) => {
    const store = await open(t)
    await aGroupWith(store, ['ada', 'bob'])
    await store.transaction(async (write) => {
      await write.insertResource('okta', aGroup('h'))
      await write.insertResource('okta', aGroup('unconfirmed', { visible: false }))
      await write.addMembers('okta', 'h', ['ada'])
      await write.addMembers('okta', 'unconfirmed', ['ada'])
    })
    const groups = await store.groupsOf('okta', ['ada', 'bob', 'cleo'])
    assert.deepEqual(
      groups,
      new Map([
        [
          'ada',
          [
            { id: 'g', display: 'Group g' },
            { id: 'h', display: 'Group h' },
          ],
        ],
        ['bob', [{ id: 'g', display: 'Group g' }]],
      ]),
    )
    const members = await store.membersOf('okta', ['g', 'h', 'nothing'])
    assert.deepEqual(
      [...members].map(([id, list]) => [id, list.map((member) => member.id)]),
      [
        ['g', ['ada', 'bob']],
        ['h', ['ada']],
      ],
    )
    assert.equal((await store.groupsOf('okta', [])).size, 0)
    assert.equal((await store.membersOf('okta', [])).size, 0)
  })

  test('a deleted user is in no group, and a deleted group has no members', async (t) => {
    const store = await open(t)
    await aGroupWith(store, ['ada', 'bob'])
    await store.transaction((write) => write.deleteResource('okta', 'User', 'ada'))
    assert.deepEqual(await memberIds(store), ['bob'])
    await store.transaction((write) => write.deleteResource('okta', 'Group', 'g'))
    assert.equal((await store.groupsOf('okta', ['bob'])).size, 0)
  })
}
