import { z } from 'zod'
import { Broken } from '../../errors.ts'
import { parseAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { Call, ProbeStep } from '../platform.ts'
import { probeInOrder } from '../probing.ts'
import { user } from './answers.ts'
import { toError } from './refusals.ts'
import type { Settings } from './settings.ts'
import type { SignedIn } from './sign-in.ts'

const self = z.object({ id: z.int(), type: z.string().nullish(), admin: z.boolean().nullish() })
const named = z.array(z.object({ name: z.string() }))

const superRemedy = 'give the service account the type SUPER: others see and change only people of their own institute'

/** The session, what the service account may, and what this installation knows. */
export function probe(signedIn: SignedIn, settings: Settings, call: Call): Promise<readonly ProbeStep[]> {
  signedIn.forgive()
  const get = async <T>(shape: z.ZodType<T>, asked: Call, path: string[], query: PlatformRequest['query'] = []) => {
    const request: PlatformRequest = { method: 'GET', path, query }
    const answer = await signedIn.send(asked, request)
    if (answer.status !== 200) throw toError(request, answer)
    return parseAnswer(shape, request, answer)
  }
  const { userGroups } = settings
  return probeInOrder(call, [
    {
      name: 'sign-in',
      remedy:
        'put the log-in name, password and domain of the service account into settings; look whether five wrong passwords locked it, or whether it has to set a first password',
      async ask(asked) {
        const own = await get(self, asked, ['users', 'current-user'])
        const type = own.type ?? (own.admin === true ? 'SUPER' : 'unknown')
        const seen = `account ${own.id}, type ${type}`
        return own.admin === true || own.type === 'SUPER' ? seen : { seen, remedy: superRemedy }
      },
    },
    {
      name: 'right to read users',
      remedy: superRemedy,
      async ask(asked) {
        await get(user, asked, ['users', signedIn.ownId ?? '0'])
        return 'users may be read'
      },
    },
    {
      name: 'authentication domains',
      isOptional: true,
      remedy: 'this version does not list its domains: look in OpenSpecimen whether the mapping’s domainName is one',
      async ask(asked) {
        const rows = await get(named, asked, ['auth-domains'])
        return rows.map(({ name }) => name).join(', ')
      },
    },
    ...(userGroups === undefined
      ? []
      : [
          {
            name: 'user groups',
            remedy:
              'this version has no user groups, or the service account may not list them: take userGroups out of settings',
            async ask(asked: Call) {
              await get(named, asked, ['user-groups'], [['maxResults', '1']])
              return 'may be listed'
            },
          },
          {
            name: 'institute of user groups',
            remedy: 'give settings.userGroups.institute the name of an institute of this installation',
            async ask(asked: Call) {
              const rows = await get(named, asked, ['institutes'], [['name', userGroups.institute]])
              if (!rows.some(({ name }) => name === userGroups.institute))
                throw new Broken('GET /institutes: no institute has the name in settings.userGroups.institute')
              return 'is there'
            },
          },
        ]),
  ])
}
