import { z } from 'zod'
import { Broken, Denied } from '../../errors.ts'
import type { NamedByMapping } from '../../facts.ts'
import { parseAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import { inGrants, inRules, lookUp, oneByOne } from '../looking-up.ts'
import type { Call, ProbeStep } from '../platform.ts'
import { probeInOrder } from '../probing.ts'
import { user } from './answers.ts'
import { toError } from './refusals.ts'
import type { Settings } from './settings.ts'
import type { SignedIn } from './sign-in.ts'
import { findGroup } from './user-groups.ts'

const self = z.object({ id: z.int(), type: z.string().nullish(), admin: z.boolean().nullish() })
const namedRows = z.array(z.object({ name: z.string() }))

const superRemedy = 'give the service account the type SUPER: others see and change only people of their own institute'

/** The session, what the service account may, and what this installation knows. */
export function probe(
  signedIn: SignedIn,
  settings: Settings,
  call: Call,
  named: NamedByMapping,
): Promise<readonly ProbeStep[]> {
  signedIn.forgive()
  let domains: ReadonlySet<string> | undefined
  const get = async <T>(shape: z.ZodType<T>, asked: Call, path: string[], query: PlatformRequest['query'] = []) => {
    const request: PlatformRequest = { method: 'GET', path, query }
    const answer = await signedIn.send(asked, request)
    if (answer.status !== 200) throw toError(request, answer)
    return parseAnswer(shape, request, answer)
  }
  /** A search by a part of the name, in any letter case, as names are compared. */
  const isNamed = (path: string) =>
    oneByOne(async (asked, name) => {
      const query = [
        ['name', String(name)],
        ['exactMatch', 'true'],
      ] as const
      const rows = await get(namedRows, asked, path.split('/'), query)
      return rows.some((row) => row.name.toLowerCase() === String(name).toLowerCase())
    })
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
        const rows = await get(namedRows, asked, ['auth-domains'])
        domains = new Set(rows.map(({ name }) => name))
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
              await get(namedRows, asked, ['user-groups'], [['maxResults', '1']])
              return 'may be listed'
            },
          },
          {
            name: 'institute of user groups',
            remedy: 'give settings.userGroups.institute the name of an institute of this installation',
            async ask(asked: Call) {
              const rows = await get(namedRows, asked, ['institutes'], [['name', userGroups.institute]])
              if (!rows.some(({ name }) => name === userGroups.institute))
                throw new Broken('GET /institutes: no institute has the name in settings.userGroups.institute')
              return 'is there'
            },
          },
        ]),
    ...lookUp({
      what: 'authentication domains',
      names: inRules(named, 'domainName'),
      remedy: 'correct domainName in the mapping, or make the domain (Settings, Authentication)',
      present: () =>
        domains === undefined
          ? Promise.reject(new Denied('the list of authentication domains was refused'))
          : Promise.resolve(domains),
    }),
    ...lookUp({
      what: 'institutes',
      names: inRules(named, 'instituteName'),
      remedy: 'correct instituteName (or its table) in the mapping, or make the institute in OpenSpecimen',
      ...isNamed('institutes'),
    }),
    ...lookUp({
      what: 'sites',
      names: [...new Set([...inRules(named, 'primarySite'), ...inGrants(named.grants, 'site')])],
      remedy: 'correct primarySite (or its table) and site in groups.grants, or make the site in OpenSpecimen',
      ...isNamed('sites'),
    }),
    ...lookUp({
      what: 'roles',
      names: inGrants(named.grants, 'role'),
      remedy: 'correct role in groups.grants, or make the role in OpenSpecimen (Users, Roles)',
      ...isNamed('rbac/roles'),
    }),
    ...lookUp({
      what: 'user groups',
      names: inGrants(named.grants, 'group'),
      remedy:
        userGroups === undefined
          ? 'give settings.userGroups an institute: without it nobody is put into a user group'
          : 'correct group in groups.grants, or make the user group in OpenSpecimen',
      ...oneByOne(
        async (asked, name) =>
          userGroups !== undefined && (await findGroup(signedIn, asked, String(name))) !== undefined,
      ),
    }),
  ])
}
