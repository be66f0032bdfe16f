import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { eraseCommand } from '../../src/cli/erase.ts'
import type { JsonObject } from '../../src/json.ts'
import { aUser } from '../bridge-world.ts'
import { appear } from '../figshare-bridge.ts'
import { type ReconcileWorld, startReconcileWorld } from '../reconcile/reconcile-world.ts'

const minute = 60_000

/** A create of unknown outcome, and a deletion that has found nothing. */
async function aDeletedUnknown(t: Parameters<typeof startReconcileWorld>[0], user: JsonObject) {
  const world = await startReconcileWorld(t, { mode: 'deferred', maximumRetrySeconds: 3_600 })
  world.fault({ mode: '500', only: 'writes' })
  const { body } = await world.scim.post('/Users', user)
  await world.until('it is unknown', () => world.row('select error_kind as e from operation')?.e === 'unknown')
  assert.equal((await world.scim.delete(`/Users/${body.id}`)).status, 204)
  world.heal()
  await world.finished()
  assert.equal(world.account(user), undefined)
  assert.equal(world.row('select count(*) as n from watch')?.n, 1)
  return world
}

async function looked(world: ReconcileWorld): Promise<void> {
  const looks = "select count(*) as n from audit where caller = 'tombstone' and event = 'outcome'"
  const before = Number(world.row(looks)?.n)
  await world.until('the tombstone has looked', () => Number(world.row(looks)?.n) > before)
}

test('an account that appears after its user was deleted is switched off ten minutes later, and the watch ends', async (t) => {
  const user = aUser()
  const world = await aDeletedUnknown(t, user)
  const account = appear(world, user)
  world.world.clock.advance(10 * minute)
  await looked(world)
  assert.equal(account.active, false)
  assert.equal(world.row("select account_id as a from link where state = 'tombstone'")?.a, String(account.id))
  assert.equal(world.row('select count(*) as n from watch')?.n, 0)
})

test('one that appears later is found after an hour', async (t) => {
  const user = aUser()
  const world = await aDeletedUnknown(t, user)
  world.world.clock.advance(10 * minute)
  await looked(world)
  const account = appear(world, user)
  assert.equal(account.active, true)
  world.world.clock.advance(50 * minute)
  await looked(world)
  assert.equal(account.active, false)
})

test('one that appears later still is found by the next reconcile', async (t) => {
  const user = aUser()
  const world = await aDeletedUnknown(t, user)
  for (const wait of [10, 50]) {
    world.world.clock.advance(wait * minute)
    await looked(world)
  }
  const account = appear(world, user)
  world.world.clock.advance(24 * 60 * minute)
  await world.reconcile('figshare')
  await world.until('it is off', () => !account.active)
})

test('after a month nothing of the deleted person is kept for the watch, and nobody looks any more', async (t) => {
  const user = aUser()
  const world = await aDeletedUnknown(t, user)
  for (const wait of [10, 50]) {
    world.world.clock.advance(wait * minute)
    await looked(world)
  }
  world.world.clock.advance(30 * 24 * 60 * minute)
  await world.until('the watch has ended', () => world.row('select count(*) as n from watch')?.n === 0)
  const account = appear(world, user)
  await world.reconcile('figshare')
  await world.finished()
  assert.equal(account.active, true)
})

test('whoever is looked for is not erased, is switched off on appearing, and is erased then', async (t) => {
  const user = aUser()
  const world = await aDeletedUnknown(t, user)
  const { clock, directory } = world.world
  const erase = (tell: (text: string) => void) =>
    world.world.stopped(async () => {
      const words = ['--connection', 'figshare', '--user', String(user.userName)]
      const command = eraseCommand({ write: tell, environment: {}, clock })
      await command
        .parseAsync([...words, '--config', join(directory, 'bridge.yaml')], { from: 'user' })
        .catch((error: unknown) => tell(String(error)))
    })
  let said = ''
  await erase((text) => {
    said = text
  })
  assert.match(
    said,
    /^NotErased: an account of user .* may still appear on the platform.* until 2026-02-14T09:\d\d:\d\d/,
  )
  const account = appear(world, user)
  clock.advance(10 * minute)
  await looked(world)
  assert.equal(account.active, false)
  await erase((text) => {
    said = text
  })
  assert.match(said, /^erased: 1 user/)
})

test('a person who came back keeps the account that appears', async (t) => {
  const user = aUser()
  const world = await aDeletedUnknown(t, user)
  const account = appear(world, user)
  const { status, body } = await world.scim.post('/Users', user)
  assert.equal(status, 201)
  await world.finished()
  world.world.clock.advance(10 * minute)
  await world.until('the watch has ended', () => world.row('select count(*) as n from watch')?.n === 0)
  await world.finished()
  assert.equal(account.active, true)
  assert.equal(world.row("select resource_id as r from link where state = 'live'")?.r, body.id)
})

test('a deletion whose create is known keeps no watch', async (t) => {
  const world = await startReconcileWorld(t)
  const { body } = await world.scim.post('/Users', aUser())
  await world.scim.delete(`/Users/${body.id}`)
  assert.equal(world.row('select count(*) as n from watch')?.n, 0)
})
