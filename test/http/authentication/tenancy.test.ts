/** What one connection's caller can learn of another: nothing, and not even that it is there. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { aUser, type BridgeWorld, type ScimClient, startBridgeWorld } from '../../bridge-world.ts'

let world: BridgeWorld
/** Whose resources are looked for. */
let theirs: ScimClient
/** Who looks. */
let ours: ScimClient
let theirUser = ''
let theirGroup = ''
const user = aUser()
const absent = crypto.randomUUID()
before(async () => {
  world = await startBridgeWorld()
  theirs = world.scim('dspace')
  ours = world.scim('figshare')
  theirUser = (await theirs.post('/Users', user)).body.id
  const group = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'Depositors' }
  theirGroup = (await theirs.post('/Groups', group)).body.id
  assert.ok(theirUser !== '' && theirGroup !== '')
})
after(() => world.stop())

const withoutId = (text: string) => text.replace(/request [0-9a-f-]{36}/, 'request')

/** The same answer for what is elsewhere and for what is nowhere. */
async function assertAsAbsent(
  ask: (id: string, type: 'Users' | 'Groups') => Promise<{ status: number; text: string }>,
) {
  for (const [type, id] of [
    ['Users', theirUser],
    ['Groups', theirGroup],
  ] as const) {
    const there = await ask(id, type)
    const nowhere = await ask(absent, type)
    assert.equal(there.status, 404, there.text)
    assert.equal(withoutId(there.text), withoutId(nowhere.text))
  }
}

const rename = [{ op: 'replace', path: 'displayName', value: 'ours now' }]

describe("another connection's resources", () => {
  test('TE 1 GET is 404', () => assertAsAbsent(async (id, type) => ours.get(`/${type}/${id}`)))

  test('TE 2 PUT is 404', () =>
    assertAsAbsent(async (id, type) => {
      const group = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'ours now' }
      return ours.put(`/${type}/${id}`, type === 'Users' ? aUser({ id }) : group)
    }))

  test('TE 3 PATCH is 404', () => assertAsAbsent(async (id, type) => ours.patch(`/${type}/${id}`, rename)))

  test('TE 4 DELETE is 404, and they are still there', async () => {
    await assertAsAbsent(async (id, type) => ours.delete(`/${type}/${id}`))
    assert.equal((await theirs.get(`/Users/${theirUser}`)).status, 200)
    assert.equal((await theirs.get(`/Groups/${theirGroup}`)).status, 200)
  })

  test('TE 5 a filter finds none of them', async () => {
    for (const filter of [
      `id eq "${theirUser}"`,
      `userName eq "${user.userName}"`,
      `externalId eq "${user.externalId}"`,
    ]) {
      const { status, body } = await ours.get(`/Users?filter=${encodeURIComponent(filter)}`)
      assert.deepEqual([status, body.totalResults], [200, 0], filter)
    }
    const groups = await ours.get(`/Groups?filter=${encodeURIComponent(`members.value eq "${theirUser}"`)}`)
    assert.equal(groups.body.totalResults, 0)
  })

  test('TE 6 a list or a search has none of them', async () => {
    for (const path of ['/Users', '/Groups']) assert.equal((await ours.get(path)).body.totalResults, 0)
    const search = { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'] }
    assert.equal((await ours.post('/.search', search)).body.totalResults, 0)
  })

  test('TE 7 bulk reaches none of them', async () => {
    const answer = await ours.post('/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [{ method: 'DELETE', path: `/Users/${theirUser}` }],
    })
    // Offered: 404 for the one operation. Not offered: 501.
    if (answer.status === 200) assert.equal(answer.body.Operations[0].status, '404')
    else assert.equal(answer.status, 501)
    assert.equal((await theirs.get(`/Users/${theirUser}`)).status, 200)
  })

  test('TE 8 a member of another connection is refused as one who is nowhere', async () => {
    const withMember = (id: string, name: string) =>
      ours.post('/Groups', {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
        displayName: name,
        members: [{ value: id }],
      })
    const there = await withMember(theirUser, 'a')
    const nowhere = await withMember(absent, 'b')
    assert.equal(there.status, nowhere.status)
    assert.ok(there.status >= 400, there.text)
    assert.equal(withoutId(there.text).replace(theirUser, 'id'), withoutId(nowhere.text).replace(absent, 'id'))
  })

  test('TE 9 no line of the log about our requests names their connection', async () => {
    const before = world.logLines.length
    await ours.get(`/Users/${theirUser}`)
    await ours.patch(`/Users/${theirUser}`, rename)
    const lines = world.logLines.slice(before)
    assert.ok(lines.length >= 2)
    for (const line of lines) assert.doesNotMatch(line, /dspace/)
  })

  test('TE 10 a cursor of theirs is none of ours', async () => {
    await theirs.post('/Users', aUser())
    const { body } = await theirs.get('/Users?cursor=&count=1')
    assert.ok(typeof body.nextCursor === 'string')
    const path = `/Users?cursor=${encodeURIComponent(body.nextCursor)}&count=1`
    assert.equal((await theirs.get(path)).status, 200)
    const answer = await ours.get(path)
    assert.deepEqual([answer.status, answer.body.scimType], [400, 'invalidCursor'])
  })

  test('TE 10 the same person in both is two links: what one does, the other does not notice', async () => {
    const created = await ours.post('/Users', user)
    assert.equal(created.status, 201)
    assert.notEqual(created.body.id, theirUser)
    assert.equal(
      (await ours.patch(`/Users/${created.body.id}`, [{ op: 'replace', path: 'active', value: false }])).status,
      200,
    )
    assert.equal((await theirs.get(`/Users/${theirUser}`)).body.active, true)
    world.sandbox.figshare.fault({ mode: 'down' })
    assert.equal(
      (await ours.patch(`/Users/${created.body.id}`, [{ op: 'replace', path: 'active', value: true }])).status,
      429,
    )
    assert.equal(
      (await theirs.patch(`/Users/${theirUser}`, [{ op: 'replace', path: 'title', value: 'Dr' }])).status,
      200,
    )
  })
})
