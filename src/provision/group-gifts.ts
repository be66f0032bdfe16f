/** What membership in one SCIM group gives, for somebody who looks. */
import type { Grant } from '../facts.ts'
import type { JsonObject } from '../json.ts'
import { grantsOf } from '../mapping/evaluate.ts'
import { type GroupLink, groupKey } from '../store/grant-store.ts'
import type { ProvisionedConnection } from './connection.ts'
import { identityOf } from './grants.ts'
import { namedGroup } from './group-name.ts'

export interface GroupGifts {
  /** As the mapping's groups section says. */
  readonly as: 'none' | 'grants' | 'groups'
  readonly grants: readonly Grant[]
  /** The group on the platform, where it is one. */
  readonly platformGroup: { readonly id: string; readonly name: string; readonly wasCreated: boolean } | undefined
  /** As ledgers of accounts know them. */
  readonly keys: ReadonlySet<string>
}

export function giftsOf(
  { mapping, facts }: ProvisionedConnection,
  groupId: string,
  document: JsonObject,
  link: GroupLink | undefined,
): GroupGifts {
  const { as } = mapping.groups
  if (as === 'groups') {
    const isThere = link?.state === 'live'
    const platformGroup = isThere ? { id: link.groupId, name: link.name, wasCreated: link.wasCreated } : undefined
    return { as, grants: [], platformGroup, keys: new Set(isThere ? [groupKey(groupId)] : []) }
  }
  const grants = as === 'none' ? [] : grantsOf(mapping, [namedGroup(document)])
  return { as, grants, platformGroup: undefined, keys: new Set(grants.map((grant) => identityOf(grant, facts))) }
}
