import { z } from 'zod'
import { Denied } from '../../errors.ts'
import type { NamedByMapping } from '../../facts.ts'
import { checkedNames } from '../../limits.ts'
import { parseAnswer } from '../answer.ts'
import type { Client, PlatformRequest } from '../client.ts'
import { inGrants, lookUp, oneByOne } from '../looking-up.ts'
import type { Call, ProbeStep } from '../platform.ts'
import { probeInOrder } from '../probing.ts'
import { type Group, groupPage, root } from './answers.ts'
import { allGroups, findGroup, groupsPath } from './groups.ts'
import { invitationQuestions } from './probe-invitation.ts'
import { toError } from './refusals.ts'
import type { Session } from './session.ts'
import type { Settings } from './settings.ts'

const status = z.object({ authenticated: z.boolean().nullish() })

/** Version and flavour as the server says them to anybody, then the log-in, then an administrator's right. */
export function probe(
  client: Client,
  session: Session,
  settings: Settings,
  call: Call,
  named: NamedByMapping,
): Promise<readonly ProbeStep[]> {
  const inMapping = inGrants(named.grants, 'group')
  const get = async <T>(
    shape: z.ZodType<T>,
    sender: Pick<Client, 'send'>,
    asked: Call,
    path: string[],
    query: PlatformRequest['query'] = [],
  ) => {
    const request: PlatformRequest = { method: 'GET', path: ['api', ...path], query }
    const answer = await sender.send(asked, request)
    if (answer.status !== 200) throw toError(request, answer)
    return parseAnswer(shape, request, answer)
  }
  return probeInOrder(call, [
    {
      name: 'version',
      remedy: 'baseUrl has to be the REST address, which ends in /server, not that of the user interface',
      async ask(asked) {
        const { dspaceVersion, crisVersion } = await get(root, client, asked, [])
        const isCris = crisVersion || /cris/i.test(dspaceVersion ?? '')
        const seen = [dspaceVersion, crisVersion].filter((version) => version).join(', ') || 'not told'
        const flavour = isCris ? 'cris' : 'dspace'
        if (settings.flavour === 'auto' || settings.flavour === flavour) return `${seen} (${flavour})`
        return {
          seen: `${seen} (${flavour})`,
          remedy: `settings.flavour says ${settings.flavour}: take it out, or write ${flavour}`,
        }
      },
    },
    {
      name: 'log-in',
      remedy:
        'put e-mail address and password of the service account into settings.user and settings.password; log-in with a password must be switched on (PasswordAuthentication)',
      async ask(asked) {
        const { authenticated } = await get(status, session, asked, ['authn', 'status'])
        if (authenticated !== true) throw new Denied('GET /api/authn/status: not logged in')
        return `account ${session.ownId ?? 'not told'}`
      },
    },
    {
      name: 'administrator',
      remedy: 'make the service account a member of the group Administrator',
      async ask(asked) {
        const { page } = await get(groupPage, session, asked, ['eperson', 'groups'], [['size', '1']])
        return `${page.totalElements} groups may be read`
      },
    },
    ...[...new Set([...settings.roleGroups, ...settings.nest.map(({ into }) => into)])].map((name) => ({
      name: `group ${name}`,
      isOptional: true,
      remedy: 'correct the name in settings.roleGroups or settings.nest, or make the group in DSpace',
      async ask(asked: Call) {
        const path = ['eperson', 'groups', 'search', 'byMetadata']
        const found = await get(groupPage, session, asked, path, [['query', name]])
        const isThere = found._embedded?.groups?.some((group) => group.name === name) === true
        return isThere
          ? 'is there'
          : { seen: 'not among the first groups found', remedy: 'look whether a group has exactly this name' }
      },
    })),
    ...lookUp({
      what: 'groups',
      names: inMapping,
      remedy: 'correct group in groups.grants, or make the group in DSpace (names differ by letter case)',
      ...(inMapping.length <= checkedNames
        ? oneByOne(async (asked, name) => (await findGroup(session, asked, String(name))) !== undefined)
        : { present: async (asked: Call) => new Set((await allGroups(session, asked, groupsPath))?.map(nameOf)) }),
    }),
    ...(named.mode === 'invitation' ? invitationQuestions(client, session) : []),
  ])
}

function nameOf({ name }: Group): string {
  return name ?? ''
}
