/**
 * What each operation asks of each platform, call by call, from SCIM request to answer. Platforms allow about one call a
 * second: one that is not needed costs a second of everybody's time.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Test } from 'supertest'
import { type DemoPlatform, demoPlatforms } from '../../src/cli/demo-config.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'

interface Calls {
  /** Below this path. */
  readonly base: string
  readonly create: readonly string[]
  /** Every operation on an account that is there begins so. */
  readonly read: readonly string[]
  /** What follows, the read-back included. */
  readonly rename: readonly string[]
  readonly switchOff: readonly string[]
  /** Default: as off. */
  readonly switchOn?: readonly string[]
}

// User, single sign-on row and profile are three resources, each with a search of its own.
const ethosce = [
  'GET user.json?uid&limit&page',
  'GET authmap.json?uid&limit&page',
  'GET profile2.json?user&type&limit&page',
]
const selfcommunity = ['GET user/*/', 'GET account/search/?username']
// As the person: the only place that says who is staff and must be left alone.
const isStaff = 'GET user/me/'
const openspecimen = ['GET users/*']
const dspace = ['GET epersons/*?embed&embed.size']

const expected: Readonly<Record<DemoPlatform, Calls>> = {
  figshare: {
    base: '/v2/account/',
    create: [
      'GET institution/accounts?institution_user_id&limit',
      'GET institution/accounts?email&limit',
      'POST institution/accounts',
      'GET institution/accounts/*',
      'GET institution/users/*',
    ],
    // The institution's list has no names, the profile no status: a whole account is two reads.
    read: ['GET institution/accounts/*', 'GET institution/users/*'],
    rename: ['PUT profile?user_id', 'GET institution/users/*'],
    switchOff: ['PUT institution/accounts/*', 'GET institution/accounts/*'],
  },
  ethosce: {
    base: '/',
    create: [
      'GET authmap.json?authname&limit&page',
      'GET user.json?name&limit&page',
      'GET user.json?mail&limit&page',
      'POST user',
      'POST authmap',
      'POST profile2',
      ...ethosce,
    ],
    read: ethosce,
    rename: ['PUT profile2/*', ...ethosce],
    switchOff: ['PUT user/*', ...ethosce],
  },
  openspecimen: {
    base: '/openspecimen/rest/ng/',
    create: ['GET users?activityStatus&loginName&domainName&start&maxResults', 'POST users', ...openspecimen],
    read: openspecimen,
    rename: ['PATCH users/*', ...openspecimen],
    switchOff: ['PUT users/*/activity-status', ...openspecimen],
  },
  selfcommunity: {
    base: '/api/v2/',
    create: ['GET account/search/?ext_id&provider', 'GET account/search/?email', 'POST sso/signup/', ...selfcommunity],
    read: selfcommunity,
    rename: [isStaff, 'PATCH user/*/', ...selfcommunity],
    switchOff: [isStaff, 'PATCH moderation/user/*/', ...selfcommunity],
    switchOn: [isStaff, 'PATCH moderation/user/*/', ...selfcommunity],
  },
  dspace: {
    base: '/server/api/eperson/',
    create: ['GET epersons/search/byEmail?email', 'POST epersons', ...dspace],
    read: dspace,
    rename: ['PATCH epersons/*', ...dspace],
    switchOff: ['PATCH epersons/*', ...dspace],
  },
}

/** Ids and values of the query vary; what is asked does not. */
function shapeOf(base: string, { method, path }: { readonly method: string; readonly path: string }): string {
  const [place = '', query] = path.slice(base.length).split('?', 2)
  const names = query === undefined ? [] : [...new URLSearchParams(query).keys()]
  const shape = place.replace(/[0-9a-f]{8}-[0-9a-f-]{27,}/g, '*').replace(/\/\d+(?=\/|$)/g, '/*')
  return `${method} ${shape}${names.length === 0 ? '' : `?${names.join('&')}`}`
}

const active = (value: boolean) => [{ op: 'replace', path: 'active', value }]

describe('platform calls of one operation', () => {
  let world: BridgeWorld
  before(async () => {
    world = await startBridgeWorld()
  })
  after(() => world.stop())

  for (const platform of demoPlatforms) {
    const { base, create, read, rename, switchOff, switchOn = switchOff } = expected[platform]
    test(platform, async () => {
      const scim = world.scim(platform)
      // Signing in is no part of any operation.
      await scim.post('/Users', aUser())
      const user = aUser()
      let path = ''
      const operations: readonly (readonly [string, () => Test, readonly string[]])[] = [
        ['create', () => scim.post('/Users', user), create],
        [
          'rename',
          () => scim.patch(path, [{ op: 'replace', path: 'name.familyName', value: 'Byron' }]),
          [...read, ...rename],
        ],
        ['change nothing', () => scim.patch(path, active(true)), []],
        ['deactivate', () => scim.patch(path, active(false)), [...read, ...switchOff]],
        ['reactivate', () => scim.patch(path, active(true)), [...read, ...switchOn]],
        ['delete', () => scim.delete(path), [...read, ...switchOff]],
      ]
      for (const [name, ask, calls] of operations) {
        world.sandbox[platform].forgetCalls()
        const answer = await ask()
        assert.ok(answer.status < 300, `${name}: ${answer.status} ${answer.text}`)
        path = name === 'create' ? `/Users/${answer.body.id}` : path
        const made = world.sandbox[platform].calls.map((call) => shapeOf(base, call))
        assert.deepEqual(made, calls, name)
      }
    })
  }
})
