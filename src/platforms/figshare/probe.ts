import { z } from 'zod'
import { Denied } from '../../errors.ts'
import type { NamedByMapping } from '../../facts.ts'
import { parseAnswer } from '../answer.ts'
import type { Client, PlatformRequest } from '../client.ts'
import { inGrants, inRules, lookUp } from '../looking-up.ts'
import type { Call, ProbeStep } from '../platform.ts'
import { probeInOrder } from '../probing.ts'
import { rolesByGroup } from './answers.ts'
import * as api from './api.ts'
import type { FigshareSettings } from './settings.ts'

/** The top group of a portal has no parent, or 0. */
const groups = z.array(z.object({ id: z.int(), parent_id: z.int().nullish() }))
const roles = z.array(z.object({ id: z.int(), category: z.string().nullish() }))

/** Whose token it is, and whether it sees the whole institution: a token of one group silently misses everybody else. */
export function probe(
  client: Client,
  { defaultGroupId }: Pick<FigshareSettings, 'defaultGroupId'>,
  call: Call,
  named: NamedByMapping,
): Promise<readonly ProbeStep[]> {
  const namedGroups = new Set([
    ...inGrants(named.grants, 'group_id'),
    ...inRules(named, 'group_id'),
    ...(defaultGroupId === undefined ? [] : [defaultGroupId]),
  ])
  let groupIds: ReadonlySet<number> = new Set()
  let roleIds: ReadonlySet<number> | undefined
  let ownId = ''
  let topGroups: readonly number[] = []
  const get = async <T>(shape: z.ZodType<T>, asked: Call, ...path: string[]): Promise<T> => {
    const request: PlatformRequest = { method: 'GET', path: ['account', ...path] }
    return parseAnswer(shape, request, await api.expect(client, asked, request, [200]))
  }
  return probeInOrder(call, [
    {
      name: 'token',
      remedy:
        'make a personal token of an administrator of the whole institution (Applications, Create Personal Token) for settings.token',
      async ask(asked) {
        ownId = await api.readOwnId(client, asked)
        return `account ${ownId}`
      },
    },
    {
      name: 'institution',
      remedy:
        'the account of the token belongs to no institution, or may not administer it: use an administrator’s token',
      async ask(asked) {
        await api.checkInstitution(client, asked)
        return 'may be read'
      },
    },
    {
      name: 'accounts',
      remedy: 'the token may not list accounts: use the token of an administrator of the whole institution',
      async ask(asked) {
        const rows = await api.listAccounts(client, asked, 0, 1, [])
        return rows.length > 0 ? 'may be listed' : { seen: 'the list is empty', remedy: oneGroupRemedy }
      },
    },
    {
      name: 'groups',
      remedy: 'the token may not list groups: use the token of an administrator of the whole institution',
      async ask(asked) {
        const rows = await get(groups, asked, 'institution', 'groups')
        groupIds = new Set(rows.map(({ id }) => id))
        topGroups = rows
          .filter(({ parent_id: parent }) => parent === undefined || parent === null || parent === 0)
          .map(({ id }) => id)
        return `${rows.length} groups`
      },
    },
    {
      name: 'roles',
      isOptional: true,
      remedy: 'the token may not list roles: roles cannot be granted',
      async ask(asked) {
        const rows = await get(roles, asked, 'institution', 'roles')
        roleIds = new Set(rows.map(({ id }) => id))
        return `${rows.length} roles`
      },
    },
    {
      name: 'reach of the token',
      isOptional: true,
      remedy: oneGroupRemedy,
      async ask(asked) {
        const own = await get(rolesByGroup, asked, 'institution', 'roles', ownId)
        const isWhole = topGroups.some((id) => (own[String(id)] ?? []).length > 0)
        if (isWhole) return 'roles in the top group'
        return { seen: 'no role in the top group of the institution', remedy: oneGroupRemedy }
      },
    },
    ...lookUp({
      what: 'groups',
      names: [...namedGroups],
      remedy:
        'ids differ from portal to portal: correct group_id in groups.grants, in the rule (or its table) and in settings.defaultGroupId by GET /account/institution/groups',
      present: () => Promise.resolve(groupIds),
    }),
    ...lookUp({
      what: 'roles',
      names: inGrants(named.grants, 'role_id'),
      remedy: 'ids differ from portal to portal: correct role_id in groups.grants by GET /account/institution/roles',
      present: () =>
        roleIds === undefined ? Promise.reject(new Denied('the list of roles was refused')) : Promise.resolve(roleIds),
    }),
  ])
}

const oneGroupRemedy =
  'the token may see one group only, and everybody else would look absent: use the token of an administrator of the whole institution'
