/** Who may do what: the Administrator group all, administrators of a collection or community their role groups. */
import { denied } from './answers.ts'
import type { Call } from './call.ts'
import { administratorGroup, type DspaceState, type EPerson, type Group } from './state.ts'

export function isAdministrator(state: DspaceState, person: EPerson | undefined): boolean {
  const group = state.byName(administratorGroup)
  return person !== undefined && group !== undefined && isWithin(state, group, person)
}

/** Whether the person may change the members of the group: as administrator, or of the object whose role it is. */
export function administers(state: DspaceState, person: EPerson | undefined, group: Group): boolean {
  if (person === undefined) return false
  if (isAdministrator(state, person)) return true
  return adminGroups(state).some(
    (admins) => admins.object?.uuid === group.object?.uuid && isWithin(state, admins, person),
  )
}

/** Administrators of a collection or community may look people and groups up. */
export function managesGroups(state: DspaceState, person: EPerson | undefined): boolean {
  if (person === undefined) return false
  return isAdministrator(state, person) || adminGroups(state).some((admins) => isWithin(state, admins, person))
}

export function requireAdministrator(call: Call): void {
  require(call, isAdministrator(call.state, call.caller))
}

/** Throws access denied unless it holds. */
export function require(call: Call, isAllowed: boolean): void {
  if (!isAllowed) throw denied(call.caller !== undefined)
}

/** A member of the group or of a group nested in it. */
export function isWithin(state: DspaceState, group: Group, person: EPerson): boolean {
  for (const part of withSubgroups(state, group)) if (part.members.has(person.uuid)) return true
  return false
}

/** The group and all that are nested in it. */
export function withSubgroups(state: DspaceState, group: Group): ReadonlySet<Group> {
  const found = new Set([group])
  // A set's iterator also visits what is added on the way.
  for (const part of found) {
    for (const uuid of part.subgroups) {
      const child = state.groups.get(uuid)
      if (child !== undefined) found.add(child)
    }
  }
  return found
}

function adminGroups(state: DspaceState): Group[] {
  return [...state.groups.values()].filter(({ object, name }) => object !== undefined && name.endsWith('_ADMIN'))
}
