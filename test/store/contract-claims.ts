import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ClaimKind, type SharedTask, whileClaimed } from '../../src/store/claim-store.ts'
import type { OpenEmpty } from './contract.ts'

export function claimContract(open: OpenEmpty): void {
  test('what the only process claims, of whatever kind, it has, and claims again', async (t) => {
    const store = await open(t)
    const kinds: readonly ClaimKind[] = ['link', 'account', 'walk', 'bridge', 'requests', 'alarm', 'suspension']
    for (const kind of kinds) {
      assert.equal(await store.claim('okta', kind, 'x', 'x'), true, kind)
      assert.equal(await store.transaction((write) => write.claim('okta', kind, 'x', 'x')), true, kind)
    }
  })

  test('a shared task is done, one time after the other, also when it failed before', async (t) => {
    const store = await open(t)
    const task: SharedTask = { connection: 'okta', kind: 'requests', name: '' }
    await assert.rejects(
      whileClaimed(store, task, () => Promise.reject(new Error('in between'))),
      /in between/,
    )
    for (const round of [1, 2]) assert.equal(await whileClaimed(store, task, () => Promise.resolve(round)), round)
  })
}
