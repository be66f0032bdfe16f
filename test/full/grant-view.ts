/**
 * Grants of every simulated platform in the words of `accounts.ts`: what the demonstration's mappings give for a group, what a
 * line of the ledger means, and how somebody gives and takes one by hand.
 */
import { createHash } from 'node:crypto'
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import type { JsonObject } from '../../src/json.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import type { SeenEntry, StoreView } from './store-view.ts'

const roleId = (role: string) => String(Number.parseInt(createHash('md5').update(role).digest('hex').slice(-7), 16))

/** Where groups are roles: what each group gives. Undefined: groups are groups there. */
export const namedGrants: Readonly<Record<DemoPlatform, ReadonlyMap<string, readonly string[]> | undefined>> = {
  figshare: new Map([
    ['figshare-reviewers', ['110/49']],
    ['figshare-admins', ['100/2', '110/49']],
  ]),
  ethosce: new Map([
    ['cme-reviewers', [roleId('reviewer')]],
    ['cme-authors', [roleId('course_author')]],
    ['cme-reporting', [roleId('report_viewer')]],
  ]),
  openspecimen: new Map([
    ['biobank-coordinators', ['Coordinator/']],
    ['biobank-technicians', ['Technician/Main Biobank']],
  ]),
  selfcommunity: undefined,
  dspace: undefined,
}

/** Whether an account's grants are written all at once: what somebody gives by hand between reading and writing is lost. */
export function isListWritten(platform: DemoPlatform): boolean {
  return platform === 'ethosce'
}

/** A group whose members are given one grant. */
export const aGivingGroup: Readonly<Record<DemoPlatform, string>> = {
  figshare: 'figshare-reviewers',
  ethosce: 'cme-reviewers',
  openspecimen: 'biobank-coordinators',
  selfcommunity: 'Readers',
  dspace: 'Readers',
}

/** Undefined: a group that is not on the platform. */
function groupNamed({ dspace, selfcommunity }: Sandbox, platform: DemoPlatform, name: string): string | undefined {
  if (platform === 'dspace') return dspace.logic.state.byName(name)?.uuid
  const tag = [...selfcommunity.logic.state.tags.values()].find((one) => one.name === name)
  return tag === undefined ? undefined : String(tag.id)
}

export function grantsOfGroup(sandbox: Sandbox, platform: DemoPlatform, name: string): readonly string[] {
  const named = namedGrants[platform]
  if (named !== undefined) return named.get(name) ?? []
  const group = groupNamed(sandbox, platform, name)
  return group === undefined ? [] : [group]
}

/** A group that has another name now is the same group. */
export function grantOfEntry(
  sandbox: Sandbox,
  platform: DemoPlatform,
  { key, grant }: SeenEntry,
  { groupLinks }: Pick<StoreView, 'groupLinks'>,
): string | undefined {
  const linked = key.startsWith('group:') ? groupLinks.get(key.slice('group:'.length)) : undefined
  return linked ?? grantText(sandbox, platform, grant)
}

function grantText(sandbox: Sandbox, platform: DemoPlatform, grant: JsonObject): string | undefined {
  switch (platform) {
    case 'figshare':
      return `${grant.group_id}/${grant.role_id}`
    case 'ethosce':
      return roleId(String(grant.role))
    case 'openspecimen':
      return `${grant.role}/${grant.site ?? ''}`
    case 'selfcommunity':
      return groupNamed(sandbox, platform, String(grant.tag))
    case 'dspace':
      return groupNamed(sandbox, platform, String(grant.group))
  }
}

const foreignName = 'Not of the bridge'

/** One that no group gives. It is there from now on, where it has to be. */
export function foreignGrant({ dspace, selfcommunity }: Sandbox, platform: DemoPlatform): string {
  switch (platform) {
    case 'figshare':
      return '100/7'
    case 'ethosce':
      return roleId('course_admin')
    case 'openspecimen':
      return 'Researcher/'
    case 'selfcommunity': {
      const { state } = selfcommunity.logic
      const there = [...state.tags.values()].find(({ name }) => name === foreignName)
      return String((there ?? state.addTag({ name: foreignName })).id)
    }
    case 'dspace': {
      const { state } = dspace.logic
      return (state.byName(foreignName) ?? state.addGroup({ name: foreignName })).uuid
    }
  }
}

type Change = (sandbox: Sandbox, id: string, grant: string, isGiven: boolean) => void

const changes: Readonly<Record<DemoPlatform, Change>> = {
  figshare: ({ figshare }, id, grant, isGiven) => {
    const roles = figshare.logic.state.accounts.get(Number(id))?.roles
    const [group = 0, role = 0] = grant.split('/').map(Number)
    const held = roles?.get(group) ?? new Set()
    if (isGiven) held.add(role)
    else held.delete(role)
    if (held.size > 0) roles?.set(group, held)
    else roles?.delete(group)
  },
  ethosce: ({ ethosce }, id, grant, isGiven) => {
    const user = ethosce.logic.state.users.rows.get(Number(id))
    if (user === undefined) return
    const others = user.roles.filter((role) => role !== Number(grant))
    user.roles = isGiven ? [...others, Number(grant)] : others
  },
  openspecimen: ({ openspecimen }, id, grant, isGiven) => {
    const user = openspecimen.logic.users.get(Number(id))
    if (user === undefined) return
    const [role = '', site = ''] = grant.split('/')
    const others = user.roles.filter((one) => one.role !== role || (one.site ?? '') !== site)
    const added = { id: 1_000_000 + user.id, role, systemRole: false, ...(site === '' ? {} : { site }) }
    user.roles = isGiven ? [...others, added] : others
  },
  selfcommunity: ({ selfcommunity }, id, grant, isGiven) => {
    const tags = selfcommunity.logic.state.users.get(Number(id))?.tags
    if (isGiven) tags?.add(Number(grant))
    else tags?.delete(Number(grant))
  },
  dspace: ({ dspace }, id, grant, isGiven) => {
    const { state } = dspace.logic
    const [group, person] = [state.groups.get(grant), state.epersons.get(id)]
    if (group === undefined || person === undefined) return
    if (isGiven) state.join(group, person)
    else state.leave(group, person)
  },
}

/** Past the bridge, and past the watch: see `Watch.byHand`. */
export function changeGrantByHand(
  sandbox: Sandbox,
  platform: DemoPlatform,
  id: string,
  grant: string,
  isGiven: boolean,
): void {
  changes[platform](sandbox, id, grant, isGiven)
}
