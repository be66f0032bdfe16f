/** An address that one person gives up and another one gets, in whatever order the platform takes it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isJsonObject } from '../../src/json.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { emailOf } from '../figshare-bridge.ts'
import { storeRows } from '../store-rows.ts'

for (const mode of ['confirmed', 'deferred'] as const) {
  test(`${mode}: who gets the address of somebody whose new one waits is waited with, and not refused`, async (t) => {
    const world = await startBridgeWorld((config) => {
      const { connections } = config
      if (!isJsonObject(connections) || !isJsonObject(connections.dspace)) throw new Error('no such connection')
      connections.dspace.mode = mode
    })
    t.after(() => world.stop())
    const { dspace } = world.sandbox
    const scim = world.scim('dspace')
    const rows = (query: string) => storeRows(world.directory, query)
    const finished = () =>
      eventually(
        'nothing is unfinished',
        () => rows('select id from operation').length === 0,
        () => world.clock.advance(1_000),
      )
    const emails = (value: string) => ({ emails: [{ type: 'work', primary: true, value }] })
    const user = aUser()
    const { body } = await scim.post('/Users', user)
    await finished()
    dspace.fault({ mode: '503', only: 'writes', path: '/api/eperson/epersons', times: 1, retryAfter: '60' })
    await scim.put(`/Users/${body.id}`, { ...user, ...emails(`new-${emailOf(user)}`) })
    await eventually('it waits', () => dspace.faultCount === 1)
    const other = aUser(emails(emailOf(user)))
    const early = await scim.post('/Users', other)
    assert.equal(early.status, mode === 'confirmed' ? 429 : 201, early.text)
    await finished()
    const later = mode === 'confirmed' ? await scim.post('/Users', other) : await scim.get(`/Users/${early.body.id}`)
    assert.equal(emailOf(later.body), emailOf(user), later.text)
    assert.equal(rows("select 1 from link where state = 'live'").length, 2)
  })
}
