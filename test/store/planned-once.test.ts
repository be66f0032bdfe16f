import assert from 'node:assert/strict'
import { constants } from 'node:sqlite'
import { test } from 'node:test'
import type { OpenedStore } from '../../src/store/open.ts'
import { aGroup, aLink, anOperation, aUser, later } from './builders.ts'
import { aFile, opened } from './places.ts'

const named = new Map([
  [constants.SQLITE_SELECT, 'select'],
  [constants.SQLITE_INSERT, 'insert'],
  [constants.SQLITE_UPDATE, 'update'],
  [constants.SQLITE_DELETE, 'delete'],
])

/** What SQLite plans from now on: it asks for leave to do it. Statements that there are already are planned once more. */
async function watchPlans(store: OpenedStore): Promise<string[]> {
  const plans: string[] = []
  await store.withDatabase((database) =>
    database.setAuthorizer((action, table) => {
      const name = named.get(action)
      if (name !== undefined) plans.push(`${name} ${table ?? ''}`.trim())
      return constants.SQLITE_OK
    }),
  )
  return plans
}

/** What requests and the outbox do all day, about other people each time. */
async function use(store: OpenedStore, nth: number): Promise<void> {
  const [user, group] = [`user${nth}`, `group${nth}`]
  await store.transaction(async (write) => {
    await write.insertResource('okta', aUser(user))
    await write.insertResource('okta', aGroup(group))
    await write.addMembers('okta', group, [user])
    await write.touchResources('okta', 'User', [user], later)
    await write.touchResources('okta', 'Group', [group], later)
    await write.putLink(aLink('okta', user))
    await write.putOperation('okta', anOperation(user))
    await write.noteUnknown('okta', user, nth)
  })
  for (const type of ['User', 'Group'] as const) {
    await store.getResource('okta', type, type === 'User' ? user : group)
    await store.list('okta', { type, limit: nth, offset: nth })
    await store.list('okta', { type, limit: nth, afterSeq: nth })
    await store.list('okta', { type, limit: nth, where: { attribute: 'externalId', equals: user } })
    await store.walk('okta', { type, limit: nth, order: { by: 'seq', descending: false } })
    await store.count('okta', type, { attribute: 'externalId', equals: user })
  }
  await store.getUser('okta', user)
  await store.listUsers('okta', { limit: nth, offset: nth })
  await store.listUsers('okta', { limit: nth, afterSeq: nth })
  await store.listUsers('okta', { limit: nth, where: { attribute: 'userName', equals: user } })
  await store.dueOperations('okta', nth, nth)
  await store.provisioningOf('okta', [user])
  await store.groupsOf('okta', [user])
}

test('what was said to SQLite once is not planned anew for other values', async (t) => {
  const store = await opened(t, aFile(t))
  const plans = await watchPlans(store)
  await use(store, 1)
  assert.ok(plans.length > 0)
  plans.length = 0
  await use(store, 2)
  assert.deepEqual(plans, [])
})
