import { Denied } from '../../errors.ts'
import { parseAnswer, unexpectedAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { Call, ProbeStep } from '../platform.ts'
import { probeInOrder } from '../probing.ts'
import { me, tagPage } from './answers.ts'
import type { Caller } from './tokens.ts'
import { findUsers } from './users.ts'

/** The secret, and that the service user administrates and moderates: two rights that need not come together. */
export function probe(caller: Caller, call: Call): Promise<readonly ProbeStep[]> {
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
  ])
}
