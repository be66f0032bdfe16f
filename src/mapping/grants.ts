/** Which grants of an account a mapping manages: what may be revoked, and what was given by hand and stays. */
import type { Grant } from '../facts.ts'
import type { Mapping } from './mapping.ts'

/** Equal for grants with the same keys and values in any order. */
export function grantKey(grant: Grant): string {
  return JSON.stringify(Object.entries(grant).sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function isSameGrant(one: Grant, other: Grant): boolean {
  return grantKey(one) === grantKey(other)
}

/** The grants of `all` that are not in `others`, each once. */
export function without(all: readonly Grant[], others: readonly Grant[]): Grant[] {
  const known = new Set(others.map(grantKey))
  return all.filter((grant) => {
    const key = grantKey(grant)
    return !known.has(key) && known.add(key)
  })
}

/**
 * The grants that an account holds and that may be revoked when nobody wants them any more. `manage: granted`: those that
 * we gave. `manage: listed`: also those that the file names, or that are the linked groups of `as: groups`, whoever gave them.
 * @param given what we gave, by our own record
 * @param ofGroups the grants of all groups of this connection that are linked (`as: groups`)
 */
export function managedGrants(
  mapping: Mapping,
  held: readonly Grant[],
  given: readonly Grant[],
  ofGroups: readonly Grant[] = [],
): Grant[] {
  const { manage, listed } = mapping.groups
  const ours = manage === 'granted' ? given : [...given, ...listed.keys(), ...ofGroups]
  const keys = new Set(ours.map(grantKey))
  return held.filter((grant) => keys.has(grantKey(grant)))
}

/** What makes the held grants the wanted ones, leaving alone what is not managed. */
export function grantChanges(
  wanted: readonly Grant[],
  held: readonly Grant[],
  managed: readonly Grant[],
): { readonly give: readonly Grant[]; readonly take: readonly Grant[] } {
  return { give: without(wanted, held), take: without(managed, wanted) }
}
