import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { startFigshareBridge } from '../figshare-bridge.ts'
import { operate } from './operate.ts'

test('a user is not let go while an attempt is in work: the action comes after it, and stays', async (t) => {
  const bridge = await startFigshareBridge(t, { mode: 'deferred' })
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  await bridge.finished()
  bridge.fault({ mode: 'hang', only: 'writes' })
  await bridge.scim.patch(`/Users/${body.id}`, [{ op: 'replace', path: 'title', value: 'Countess' }])
  await bridge.held()
  const unlinked = operate(bridge.world, 'unlink', { user: body.id, detail: { isForced: true } })
  await bridge.until('it is asked', () => bridge.row('select 1 as one from operator_request') !== undefined)
  bridge.world.clock.advance(5_000)
  assert.equal(bridge.row('select unlinked_account_id as id from link')?.id, null)
  bridge.heal()
  assert.equal((await unlinked).phase, 'done')
  const link = () => bridge.row('select account_id as ours, unlinked_account_id as letGo from link')
  assert.deepEqual({ ...link() }, { ours: null, letGo: String(bridge.account(user)?.id) })
  await bridge.until('nothing waits', () => bridge.row("select 1 from operation where state = 'waiting'") === undefined)
  assert.deepEqual({ ...link() }, { ours: null, letGo: String(bridge.account(user)?.id) })
})
