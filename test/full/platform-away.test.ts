import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { demoPlatforms } from '../../src/cli/demo-config.ts'
import type { JsonObject } from '../../src/json.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { emailOf } from '../figshare-bridge.ts'
import { viewOf } from '../platform-view.ts'

let world: BridgeWorld
beforeEach(async () => {
  world = await startBridgeWorld()
})
afterEach(() => world.stop())

for (const platform of demoPlatforms) {
  describe(`on ${platform}`, () => {
    const accounts = (user: JsonObject) => viewOf(world, platform).byEmail(emailOf(user))
    const heal = () => world.sandbox[platform].fault({ mode: 'ok' })
    const moveOn = () => world.clock.advance(1_000)

    for (const mode of ['down', 'lost', 'html', '500', '401'] as const) {
      test(`a deactivation asked for in fault mode ${mode} is 429, shown at once, and made when the platform is back`, async () => {
        const user = aUser()
        const { body } = await world.scim(platform).post('/Users', user)
        world.sandbox[platform].fault({ mode })
        const answer = await world
          .scim(platform)
          .patch(`/Users/${body.id}`, [{ op: 'replace', value: { active: false } }])
        assert.ok(world.sandbox[platform].faultCount > 0, 'the fault fired')
        assert.equal(answer.status, 429, answer.text)
        assert.match(String(answer.headers['retry-after']), /^[1-9]\d{0,3}$/)
        assert.equal(answer.headers['content-type'], 'application/scim+json')
        const shown = await world.scim(platform).get(`/Users/${body.id}`)
        assert.equal(shown.status, 200)
        assert.equal(shown.body.active, false)
        heal()
        await eventually('the account is off', async () => (await accounts(user))[0]?.isOn === false, moveOn)
      })

      test(`a create asked for in fault mode ${mode} is 429, and the person has exactly one account afterwards`, async () => {
        const user = aUser()
        world.sandbox[platform].fault({ mode })
        const answer = await world.scim(platform).post('/Users', user)
        assert.equal(answer.status, 429, answer.text)
        const hidden = await world
          .scim(platform)
          .get(`/Users?filter=${encodeURIComponent(`userName eq "${user.userName}"`)}`)
        assert.equal(hidden.body.totalResults, 0)
        heal()
        const shown = async () => {
          const found = await world
            .scim(platform)
            .get(`/Users?filter=${encodeURIComponent(`userName eq "${user.userName}"`)}`)
          return found.body.totalResults === 1
        }
        await eventually('the user appears', shown, moveOn)
        assert.equal((await accounts(user)).length, 1)
        const repeated = await world.scim(platform).post('/Users', user)
        assert.equal(repeated.status, 201, 'the first answer never said created')
        assert.equal((await accounts(user)).length, 1)
      })
    }

    test('while this platform is down, another connection notices nothing', async () => {
      const other = platform === 'figshare' ? 'dspace' : 'figshare'
      world.sandbox[platform].fault({ mode: 'down' })
      assert.equal((await world.scim(platform).post('/Users', aUser())).status, 429)
      assert.equal((await world.scim(other).post('/Users', aUser())).status, 201)
    })

    test('a deactivation outlives a restart of the bridge', async () => {
      const user = aUser()
      const { body } = await world.scim(platform).post('/Users', user)
      world.sandbox[platform].fault({ mode: 'down' })
      assert.equal(
        (await world.scim(platform).patch(`/Users/${body.id}`, [{ op: 'replace', path: 'active', value: false }]))
          .status,
        429,
      )
      heal()
      await world.restart()
      await eventually('the account is off', async () => (await accounts(user))[0]?.isOn === false, moveOn)
    })
  })
}
