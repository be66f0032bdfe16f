/** What the bridge cannot read of its own store is put aside alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aUser } from '../bridge-world.ts'
import { startFigshareBridge } from '../figshare-bridge.ts'

for (const [what, statement] of [
  ['a document that is no JSON', 'update resource set json = substr(json, 1, 5) where id = ?'],
  ['an operation whose link is gone', 'delete from link where resource_id = ?'],
] as const) {
  test(`${what} is put aside, and its neighbours go on at once`, async (t) => {
    const bridge = await startFigshareBridge(t, { mode: 'deferred' })
    const people = [aUser(), aUser()]
    bridge.fault({ mode: 'down' })
    const ids: string[] = []
    for (const user of people) ids.push((await bridge.scim.post('/Users', user)).body.id)
    const [poisoned = '', other = ''] = ids
    bridge.change(statement, poisoned)
    bridge.heal()
    await bridge.finished()
    assert.equal(bridge.row('select state from operation where resource_id = ?', poisoned)?.state, 'failed')
    assert.equal(bridge.row('select error_kind as kind from operation where resource_id = ?', poisoned)?.kind, 'fault')
    assert.equal((await bridge.scim.get(`/Users/${other}`)).status, 200)
    assert.equal(people[1] && bridge.account(people[1])?.active, true)
    assert.equal(people[0] && bridge.account(people[0]), undefined)
  })
}
