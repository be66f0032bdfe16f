import { Problem } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { type NamedGroup, unmatchedGroups } from '../mapping/evaluate.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { ProvisionedConnection } from './connection.ts'

/** By what a mapping knows a group: of its stored document, or of a membership. */
export function namedGroup(group: { readonly displayName?: unknown; readonly externalId?: unknown }): NamedGroup {
  const displayName = typeof group.displayName === 'string' ? group.displayName : ''
  const { externalId } = group
  return typeof externalId === 'string' ? { displayName, externalId } : { displayName }
}

/** What a SCIM group is called where it is a group on the platform. */
export function platformNameOf(
  { groups }: Mapping,
  group: { readonly displayName?: unknown; readonly externalId?: unknown },
): string {
  const name = groups.match === 'externalId' ? group.externalId : group.displayName
  return typeof name === 'string' ? name : ''
}

/** What no platform has to be asked for: said before anything is stored. `before`: undefined for a new group. */
export function refuseGroup(
  { mapping, facts }: ProvisionedConnection,
  document: JsonObject,
  before: JsonObject | undefined,
): void {
  const { groups } = mapping
  if (groups.as === 'grants' && groups.unmatched === 'refuse') {
    if (unmatchedGroups(mapping, [namedGroup(document)]).length > 0)
      throw new Problem(
        400,
        'invalidValue',
        `${groups.match}: no line of groups.grants in this connection's mapping names this group; add one, or do not push the group.`,
      )
  }
  if (groups.as !== 'groups') return
  const name = platformNameOf(mapping, document)
  if (before !== undefined && platformNameOf(mapping, before) === name) return
  const limit = facts.groups?.maxNameLength ?? 0
  const length = [...name].length
  if (length === 0 || length > limit)
    throw new Problem(
      400,
      'invalidValue',
      `${groups.match}: ${facts.title} takes 1 to ${limit} characters as a group's name.`,
    )
  if (groups.protect.includes(name))
    throw new Problem(400, 'mutability', `${groups.match}: this ${facts.title} group is protected (groups.protect).`)
  if (before === undefined) return
  if (groups.protect.includes(platformNameOf(mapping, before)))
    throw new Problem(400, 'mutability', `${groups.match}: this ${facts.title} group is protected (groups.protect).`)
  if (groups.rename === 'refuse')
    throw new Problem(
      400,
      'mutability',
      `${groups.match}: this connection does not rename groups (groups.rename: refuse in its mapping).`,
    )
}
