import { Problem } from '../errors.ts'
import type { StoreWriter } from '../store/store.ts'
import type { ProvisionedConnection } from './connection.ts'

/** One change of a group's list of members, by the ids of users. */
export type MemberChange =
  | { readonly kind: 'add'; readonly ids: readonly string[] }
  | { readonly kind: 'remove'; readonly ids: readonly string[] }
  | { readonly kind: 'removeAll' }
  | { readonly kind: 'removeWhere'; readonly test: (id: string) => boolean }
  | { readonly kind: 'replace'; readonly ids: readonly string[] }

export interface ChangedMembers {
  readonly added: ReadonlySet<string>
  readonly removed: ReadonlySet<string>
}

/**
 * Cost depends on what changes, not on the size of the group. Somebody who is no user here is refused with a `Problem`, or
 * left out where the connection says so.
 */
export async function changeMembers(
  write: StoreWriter,
  { name: connection, unknownMembers }: Pick<ProvisionedConnection, 'name' | 'unknownMembers'>,
  groupId: string,
  changes: readonly MemberChange[],
): Promise<ChangedMembers> {
  const known = async (ids: readonly string[]): Promise<readonly string[]> => {
    const unknown = await write.unknownUsers(connection, ids)
    if (unknown.length === 0) return ids
    if (unknownMembers === 'refuse') throw unknownMember(unknown)
    const strangers = new Set(unknown)
    return ids.filter((id) => !strangers.has(id))
  }
  const added = new Set<string>()
  const removed = new Set<string>()
  const note = (ids: readonly string[], to: Set<string>, from: Set<string>) => {
    for (const id of ids) if (!from.delete(id)) to.add(id)
  }
  const add = (ids: readonly string[]) => note(ids, added, removed)
  const remove = (ids: readonly string[]) => note(ids, removed, added)
  for (const change of changes) {
    switch (change.kind) {
      case 'add':
        add(await write.addMembers(connection, groupId, await known(change.ids)))
        break
      case 'remove':
        remove(await write.removeMembers(connection, groupId, change.ids))
        break
      case 'removeAll':
        remove(await write.removeAllMembers(connection, groupId))
        break
      case 'removeWhere': {
        const ids = (await write.members(connection, groupId)).map(({ id }) => id).filter(change.test)
        remove(await write.removeMembers(connection, groupId, ids))
        break
      }
      case 'replace': {
        const difference = await write.replaceMembers(connection, groupId, await known(change.ids))
        remove(difference.removed)
        add(difference.added)
        break
      }
    }
  }
  return { added, removed }
}

/** The users whom the changes name, whether or not they change anything. */
export function namedMembers(changes: readonly MemberChange[]): readonly string[] {
  return [...new Set(changes.flatMap((change) => ('ids' in change ? change.ids : [])))]
}

function unknownMember(unknown: readonly string[]): Problem {
  const shown = unknown.slice(0, 5).map((id) => id.slice(0, 64))
  return new Problem(
    400,
    'invalidValue',
    `members: there is no User with id ${shown.join(', ')}; push the user first, then the membership.`,
  )
}
