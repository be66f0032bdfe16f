/** The same life of a membership on every platform, with the demonstration's mappings. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import { aUser, type BridgeWorld, type ScimClient, startBridgeWorld } from '../bridge-world.ts'
import { emailOf } from '../figshare-bridge.ts'
import { adding, aGroup, grantsSeen, removing } from './grants-world.ts'

const table: readonly { platform: DemoPlatform; group: string; other: string; gives: string; otherGives: string }[] = [
  {
    platform: 'figshare',
    group: 'figshare-reviewers',
    other: 'figshare-admins',
    gives: '110:49',
    otherGives: '100:2,110:49',
  },
  {
    platform: 'ethosce',
    group: 'cme-reviewers',
    other: 'cme-authors',
    gives: 'reviewer',
    otherGives: 'course_author',
  },
  {
    platform: 'openspecimen',
    group: 'biobank-coordinators',
    other: 'biobank-technicians',
    gives: 'Coordinator',
    otherGives: 'Technician at Main Biobank',
  },
  { platform: 'selfcommunity', group: 'Readers', other: 'Writers', gives: 'Readers', otherGives: 'Writers' },
  { platform: 'dspace', group: 'Readers', other: 'Writers', gives: 'Readers', otherGives: 'Writers' },
]

const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

let world: BridgeWorld
before(async () => {
  world = await startBridgeWorld()
})
after(() => world.stop())

for (const { platform, group, other, gives, otherGives } of table) {
  suite(platform, () => {
    let scim: ScimClient
    before(() => {
      scim = world.scim(platform)
    })
    const aPerson = async () => {
      // The site of a role has to be one of the person's institute.
      const user = aUser({ [enterpriseUrn]: { organization: 'HOSP' } })
      const { status, body } = await scim.post('/Users', user)
      assert.equal(status, 201)
      return { id: String(body.id), seen: () => grantsSeen(world, platform, emailOf(user)).join() }
    }
    const pushed = async (name: string, ...ids: string[]) => {
      const { status, body, text } = await scim.post('/Groups', aGroup(name, ...ids))
      assert.equal(status, 201, text)
      return `/Groups/${body.id}`
    }

    test('a pushed group gives, a member who is removed loses, a deleted group takes from the rest', async () => {
      const [ada, ben] = [await aPerson(), await aPerson()]
      const path = await pushed(group, ada.id)
      assert.equal(ada.seen(), gives)
      assert.equal((await scim.patch(path, adding(ben.id))).status, 204)
      assert.equal(ben.seen(), gives)
      assert.equal((await scim.patch(path, removing(ada.id))).status, 204)
      assert.deepEqual([ada.seen(), ben.seen()], ['', gives])
      assert.equal((await scim.delete(path)).status, 204)
      assert.equal(ben.seen(), '')
    })

    test('a member of two groups has what both give, and keeps the one when the other is left', async () => {
      const ada = await aPerson()
      const path = await pushed(group, ada.id)
      const second = await pushed(other, ada.id)
      assert.equal(ada.seen(), [...new Set([...gives.split(','), ...otherGives.split(',')])].toSorted().join())
      assert.equal((await scim.patch(path, removing(ada.id))).status, 204)
      assert.equal(ada.seen(), otherGives)
      await scim.delete(path)
      await scim.delete(second)
      assert.equal(ada.seen(), '')
    })

    test('a membership costs no read twice: the account, what it holds, the write, and what it holds now', async () => {
      const ada = await aPerson()
      const path = await pushed(group)
      world.sandbox[platform].forgetCalls()
      await scim.patch(path, adding(ada.id))
      const asked = world.sandbox[platform].calls.filter(({ method }) => method === 'GET').map((call) => call.path)
      const writes = world.sandbox[platform].calls.findIndex(({ method }) => method !== 'GET')
      const before = asked.slice(0, writes < 0 ? 0 : writes)
      assert.deepEqual(before, [...new Set(before)])
      await scim.delete(path)
    })

    test('who is deleted loses what was given', async () => {
      const ada = await aPerson()
      const path = await pushed(group, ada.id)
      assert.equal((await scim.delete(`/Users/${ada.id}`)).status, 204)
      assert.equal(ada.seen(), '')
      assert.equal((await scim.get(path)).body.members, undefined)
      await scim.delete(path)
    })

    test('a membership pushed while the platform is away is 429, and given when it is back', async () => {
      const ada = await aPerson()
      const path = await pushed(group)
      world.sandbox[platform].fault({ mode: 'down' })
      assert.equal((await scim.patch(path, adding(ada.id))).status, 429)
      assert.equal(ada.seen(), '')
      world.sandbox[platform].fault({ mode: 'ok' })
      for (let round = 0; round < 200 && ada.seen() !== gives; round += 1) {
        world.clock.advance(1_000)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      assert.equal(ada.seen(), gives)
      await scim.delete(path)
    })
  })
}

test('a role that EthosCE answers with 500 is tried again until it is given, however often that is', async () => {
  const scim = world.scim('ethosce')
  const user = aUser()
  const ada = String((await scim.post('/Users', user)).body.id)
  const { body } = await scim.post('/Groups', aGroup('cme-reporting'))
  world.sandbox.ethosce.fault({ mode: '500', only: 'writes' })
  for (let count = 0; count < 4; count += 1)
    assert.equal((await scim.patch(`/Groups/${body.id}`, adding(ada))).status, 429, `request ${count + 1}`)
  world.sandbox.ethosce.fault({ mode: 'ok' })
  assert.equal((await scim.patch(`/Groups/${body.id}`, adding(ada))).status, 204)
  assert.deepEqual(grantsSeen(world, 'ethosce', emailOf(user)), ['report_viewer'])
})
