/**
 * What each operation asks of each platform, call by call, from SCIM request to answer. Platforms allow about one call a
 * second: one that is not needed costs a second of everybody's time.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'

type Operation = 'create' | 'rename' | 'change nothing' | 'deactivate' | 'reactivate' | 'delete'

/** Below this path: */
const bases: Readonly<Record<DemoPlatform, string>> = {
  figshare: '/v2/account/',
  ethosce: '/',
  openspecimen: '/openspecimen/rest/ng/',
  selfcommunity: '/api/v2/',
  dspace: '/server/api/eperson/',
}

const expected: Readonly<Record<DemoPlatform, Readonly<Record<Operation, readonly string[]>>>> = {
  // The institution's list has no names, the profile no status: a whole account is two reads.
  figshare: {
    create: [
      'GET institution/accounts?institution_user_id&limit',
      'GET institution/accounts?email&limit',
      'POST institution/accounts',
      'GET institution/accounts/*',
      'GET institution/users/*',
    ],
    rename: ['GET institution/accounts/*', 'GET institution/users/*', 'PUT profile?user_id', 'GET institution/users/*'],
    'change nothing': [],
    deactivate: [
      'GET institution/accounts/*',
      'GET institution/users/*',
      'PUT institution/accounts/*',
      'GET institution/accounts/*',
    ],
    reactivate: [
      'GET institution/accounts/*',
      'GET institution/users/*',
      'PUT institution/accounts/*',
      'GET institution/accounts/*',
    ],
    delete: [
      'GET institution/accounts/*',
      'GET institution/users/*',
      'PUT institution/accounts/*',
      'GET institution/accounts/*',
    ],
  },
  // User, single sign-on row and profile are three resources, each with a search of its own.
  ethosce: {
    create: [
      'GET authmap.json?authname&limit&page',
      'GET user.json?name&limit&page',
      'GET user.json?mail&limit&page',
      'POST user',
      'POST authmap',
      'POST profile2',
      'GET user.json?uid&limit&page',
      'GET authmap.json?uid&limit&page',
      'GET profile2.json?user&type&limit&page',
    ],
    rename: [
      'GET user.json?uid&limit&page',
      'GET authmap.json?uid&limit&page',
      'GET profile2.json?user&type&limit&page',
      'PUT profile2/*',
      'GET user.json?uid&limit&page',
      'GET authmap.json?uid&limit&page',
      'GET profile2.json?user&type&limit&page',
    ],
    'change nothing': [],
    deactivate: [
      'GET user.json?uid&limit&page',
      'GET authmap.json?uid&limit&page',
      'GET profile2.json?user&type&limit&page',
      'PUT user/*',
      'GET user.json?uid&limit&page',
      'GET authmap.json?uid&limit&page',
      'GET profile2.json?user&type&limit&page',
    ],
    reactivate: [
      'GET user.json?uid&limit&page',
      'GET authmap.json?uid&limit&page',
      'GET profile2.json?user&type&limit&page',
      'PUT user/*',
      'GET user.json?uid&limit&page',
      'GET authmap.json?uid&limit&page',
      'GET profile2.json?user&type&limit&page',
    ],
    delete: [
      'GET user.json?uid&limit&page',
      'GET authmap.json?uid&limit&page',
      'GET profile2.json?user&type&limit&page',
      'PUT user/*',
      'GET user.json?uid&limit&page',
      'GET authmap.json?uid&limit&page',
      'GET profile2.json?user&type&limit&page',
    ],
  },
  openspecimen: {
    create: ['GET users?activityStatus&loginName&domainName&start&maxResults', 'POST users', 'GET users/*'],
    rename: ['GET users/*', 'PATCH users/*', 'GET users/*'],
    'change nothing': [],
    deactivate: ['GET users/*', 'PUT users/*/activity-status', 'GET users/*'],
    reactivate: ['GET users/*', 'PUT users/*/activity-status', 'GET users/*'],
    delete: ['GET users/*', 'PUT users/*/activity-status', 'GET users/*'],
  },
  // `user/me/`, as the person: the only place that says who is staff and must be left alone.
  selfcommunity: {
    create: [
      'GET account/search/?ext_id&provider',
      'GET account/search/?email',
      'POST sso/signup/',
      'GET user/*/',
      'GET account/search/?username',
    ],
    rename: [
      'GET user/*/',
      'GET account/search/?username',
      'GET user/me/',
      'PATCH user/*/',
      'GET user/*/',
      'GET account/search/?username',
    ],
    'change nothing': [],
    deactivate: [
      'GET user/*/',
      'GET account/search/?username',
      'GET user/me/',
      'PATCH moderation/user/*/',
      'GET user/*/',
      'GET account/search/?username',
    ],
    reactivate: [
      'GET user/*/',
      'GET account/search/?username',
      'PATCH moderation/user/*/',
      'GET user/*/',
      'GET account/search/?username',
    ],
    delete: [
      'GET user/*/',
      'GET account/search/?username',
      'GET user/me/',
      'PATCH moderation/user/*/',
      'GET user/*/',
      'GET account/search/?username',
    ],
  },
  dspace: {
    create: ['GET epersons/search/byEmail?email', 'POST epersons', 'GET epersons/*?embed&embed.size'],
    rename: ['GET epersons/*?embed&embed.size', 'PATCH epersons/*', 'GET epersons/*?embed&embed.size'],
    'change nothing': [],
    deactivate: ['GET epersons/*?embed&embed.size', 'PATCH epersons/*', 'GET epersons/*?embed&embed.size'],
    reactivate: ['GET epersons/*?embed&embed.size', 'PATCH epersons/*', 'GET epersons/*?embed&embed.size'],
    delete: ['GET epersons/*?embed&embed.size', 'PATCH epersons/*', 'GET epersons/*?embed&embed.size'],
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

  for (const platform of ['figshare', 'ethosce', 'openspecimen', 'selfcommunity', 'dspace'] as const) {
    test(platform, async () => {
      const scim = world.scim(platform)
      // Signing in is no part of any operation.
      await scim.post('/Users', aUser())
      const made: Record<string, readonly string[]> = {}
      const calls = async (operation: Operation, work: () => PromiseLike<{ status: number; text: string }>) => {
        const before = world.sandbox[platform].calls.length
        const answer = await work()
        assert.ok(answer.status < 300, `${operation}: ${answer.status} ${answer.text}`)
        made[operation] = world.sandbox[platform].calls.slice(before).map((call) => shapeOf(bases[platform], call))
      }
      const user = aUser()
      let id = ''
      await calls('create', async () => {
        const answer = await scim.post('/Users', user)
        id = answer.body.id
        return answer
      })
      const path = `/Users/${id}`
      await calls('rename', () => scim.patch(path, [{ op: 'replace', path: 'name.familyName', value: 'Byron' }]))
      await calls('change nothing', () => scim.patch(path, active(true)))
      await calls('deactivate', () => scim.patch(path, active(false)))
      await calls('reactivate', () => scim.patch(path, active(true)))
      await calls('delete', () => scim.delete(path))
      assert.deepEqual(made, expected[platform])
    })
  }
})
