import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { demoPlatforms } from '../../src/cli/demo-config.ts'
import type { JsonObject } from '../../src/json.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { emailOf, provisioningUrn } from '../figshare-bridge.ts'
import { viewOf } from '../platform-view.ts'

/** What each platform knows people by, in the demo's mappings. */
const ssoSource = {
  figshare: 'userName',
  ethosce: 'externalId',
  openspecimen: 'userName',
  selfcommunity: 'externalId',
  dspace: 'userName',
} as const

let world: BridgeWorld
before(async () => {
  world = await startBridgeWorld()
})
after(() => world.stop())

for (const platform of demoPlatforms) {
  describe(`on ${platform}`, () => {
    const seen = async (user: JsonObject) => {
      const accounts = await viewOf(world, platform).byEmail(emailOf(user))
      assert.equal(accounts.length, 1, `one account for ${emailOf(user)}`)
      return accounts[0]
    }

    test('a new person gets one account that is on and tied to single sign-on', async () => {
      const user = aUser()
      const answer = await world.scim(platform).post('/Users', user)
      assert.equal(answer.status, 201, answer.text)
      assert.equal(answer.headers['content-type'], 'application/scim+json')
      assert.equal(answer.headers.location, answer.body.meta.location)
      const account = await seen(user)
      assert.equal(account?.ssoId, user[ssoSource[platform]])
      assert.equal(account?.isOn, true)
      assert.equal(account?.givenName, 'Ada')
      assert.equal(answer.body[provisioningUrn].state, 'applied')
      assert.equal(answer.body[provisioningUrn].accountId, account?.id)
    })

    test('a person who is created switched off has no account that is on', async () => {
      const user = aUser({ active: false })
      const answer = await world.scim(platform).post('/Users', user)
      assert.equal(answer.status, 201, answer.text)
      assert.equal(answer.body.active, false)
      assert.equal((await seen(user))?.isOn, false)
    })

    test('the same person a second time is 409', async () => {
      const user = aUser()
      assert.equal((await world.scim(platform).post('/Users', user)).status, 201)
      const again = await world
        .scim(platform)
        .post('/Users', { ...user, userName: String(user.userName).toUpperCase() })
      assert.equal(again.status, 409, again.text)
      assert.equal(again.body.scimType, 'uniqueness')
      await seen(user)
    })

    test('a new family name reaches the platform', async () => {
      const user = aUser()
      const { body } = await world.scim(platform).post('/Users', user)
      const answer = await world
        .scim(platform)
        .patch(`/Users/${body.id}`, [{ op: 'Replace', path: 'name.familyName', value: 'King' }])
      assert.equal(answer.status, 200, answer.text)
      assert.equal(answer.body.name.familyName, 'King')
      assert.equal((await seen(user))?.familyName, 'King')
    })

    test('a leaver is switched off, an update leaves it so, and only an explicit active: true brings it back', async () => {
      const user = aUser()
      const { body } = await world.scim(platform).post('/Users', user)
      const path = `/Users/${body.id}`
      const off = await world.scim(platform).patch(path, [{ op: 'Replace', path: 'active', value: 'False' }])
      assert.equal(off.status, 200, off.text)
      assert.equal(off.body.active, false)
      assert.equal((await seen(user))?.isOn, false)

      const { active: _active, ...withoutActive } = user
      const put = await world
        .scim(platform)
        .put(path, { ...withoutActive, name: { givenName: 'Ada', familyName: 'King' } })
      assert.equal(put.status, 200, put.text)
      assert.equal(put.body.active, false)
      assert.equal((await seen(user))?.isOn, false)

      const on = await world.scim(platform).patch(path, [{ op: 'replace', value: { active: true } }])
      assert.equal(on.status, 200, on.text)
      const back = await seen(user)
      assert.equal(back?.isOn, true)
      assert.equal(back?.familyName, 'King')
    })

    test('a deleted person is 404 and the account is off; the same person later gets the account back', async () => {
      const user = aUser()
      const { body } = await world.scim(platform).post('/Users', user)
      const first = await seen(user)
      const gone = await world.scim(platform).delete(`/Users/${body.id}`)
      assert.equal(gone.status, 204, gone.text)
      assert.equal((await world.scim(platform).get(`/Users/${body.id}`)).status, 404)
      assert.equal((await world.scim(platform).delete(`/Users/${body.id}`)).status, 404)
      assert.equal((await seen(user))?.isOn, false)

      const again = await world.scim(platform).post('/Users', user)
      assert.equal(again.status, 201, again.text)
      assert.notEqual(again.body.id, body.id)
      const revived = await seen(user)
      assert.equal(revived?.id, first?.id)
      assert.equal(revived?.isOn, true)
    })

    test('a deleted person who comes again without active keeps an account that is off, and SCIM says so', async () => {
      const user = aUser()
      const { body } = await world.scim(platform).post('/Users', user)
      await world.scim(platform).delete(`/Users/${body.id}`)
      const { active: _active, ...withoutActive } = user
      const again = await world.scim(platform).post('/Users', withoutActive)
      assert.equal(again.status, 201, again.text)
      assert.equal(again.body.active, false)
      assert.equal((await seen(user))?.isOn, false)
    })
  })
}
