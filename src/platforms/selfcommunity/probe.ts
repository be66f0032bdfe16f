import { Denied } from '../../errors.ts'
import type { NamedByMapping } from '../../facts.ts'
import { parseAnswer, unexpectedAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import { inGrants, lookUp, oneByOne } from '../looking-up.ts'
import type { Call, ProbeStep } from '../platform.ts'
import { probeInOrder } from '../probing.ts'
import { me, tagPage } from './answers.ts'
import { managedGroups } from './community-groups.ts'
import type { Settings } from './settings.ts'
import { isUserTag, tagsNamed } from './tags.ts'
import type { Caller } from './tokens.ts'
import { findUsers } from './users.ts'

/** The secret, and that the service user administrates and moderates: two rights that need not come together. */
export function probe(
  caller: Caller,
  { communityGroups }: Pick<Settings, 'communityGroups'>,
  call: Call,
  named: NamedByMapping,
): Promise<readonly ProbeStep[]> {
  let username = ''
  const get = async (asked: Call, path: string[], query: PlatformRequest['query'] = []) => {
    const request: PlatformRequest = { method: 'GET', path: ['api', 'v2', ...path], suffix: '/', query }
    const answer = await caller.asService(asked, request)
    if (answer.status !== 200) throw unexpectedAnswer(request, answer)
    return { request, answer }
  }
  return probeInOrder(call, [
    {
      name: 'service user',
      remedy:
        'put the community’s JWT secret and the id of the service user into settings.jwtSecret and settings.userId, and set this machine’s clock',
      async ask(asked) {
        const { request, answer } = await get(asked, ['user', 'me'])
        const self = parseAnswer(me, request, answer)
        username = self.username
        if (self.role !== undefined && self.role !== null && self.role !== 'admin')
          throw new Denied(`the service user has the role ${self.role}`)
        return `user ${self.id}, role ${self.role ?? 'not told'}`
      },
    },
    {
      name: 'right to administrate',
      remedy: 'make the service user an administrator of the community',
      async ask(asked) {
        await findUsers(caller, asked, 'username', username)
        return 'accounts may be searched'
      },
    },
    {
      name: 'right to moderate',
      remedy: 'make the service user a moderator, too: without it nobody can be switched off',
      async ask(asked) {
        await get(asked, ['moderation', 'user'], [['limit', '1']])
        return 'accounts may be blocked'
      },
    },
    {
      name: 'tags',
      isOptional: true,
      remedy: 'tags cannot be listed: memberships cannot become tags',
      async ask(asked) {
        const { request, answer } = await get(
          asked,
          ['tag'],
          [
            ['type', 'user'],
            ['limit', '1'],
          ],
        )
        return `${parseAnswer(tagPage, request, answer).count} tags`
      },
    },
    {
      name: 'single sign-on rows',
      isOptional: true,
      remedy: 'rows of single sign-on cannot be read: whether ext_id has one has to be looked at by hand',
      async ask(asked) {
        const id = String(caller.serviceUserId)
        const request: PlatformRequest = { method: 'GET', path: ['api', 'v2', 'user', id, 'provider'], suffix: '/' }
        const answer = await caller.asService(asked, request)
        if (answer.status === 200) return 'at user/{id}/provider'
        await get(asked, ['user', 'provider'], [['user_id', id]])
        return 'at user/provider'
      },
    },
    ...lookUp({
      what: 'tags',
      names: inGrants(named.grants, 'tag'),
      remedy: 'correct tag in groups.grants, or make the user tag in SelfCommunity',
      ...oneByOne(async (asked, name) => (await tagsNamed(caller, asked, String(name))).some(isUserTag)),
    }),
    ...lookUp({
      what: 'groups',
      names: inGrants(named.grants, 'group'),
      remedy: communityGroups
        ? 'correct group in groups.grants, make the group in SelfCommunity, or hand it over to the service user'
        : 'say settings.communityGroups: true: without it nobody is put into a group of the community',
      present: async (asked) =>
        new Set(communityGroups ? (await managedGroups(caller, asked)).map(({ name }) => name) : []),
    }),
  ])
}
