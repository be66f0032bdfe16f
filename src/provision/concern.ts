/** Whose grants a change of a group concerns, and their operations; inside the transaction of `accept-group.ts`. */
import type { JsonObject } from '../json.ts'
import { requestBudgetMs } from '../limits.ts'
import { grantsOf } from '../mapping/evaluate.ts'
import type { StoredResource, StoreWriter } from '../store/store.ts'
import type { ProvisionedConnection } from './connection.ts'
import { parseDocument } from './document.ts'
import { grantRules, wantedKeys } from './grants.ts'
import { namedGroup } from './group-name.ts'
import type { AcceptContext } from './intent.ts'
import { lackingMembers } from './lacking-members.ts'
import type { ChangedMembers } from './member-change.ts'

export interface Concerned {
  readonly members: ChangedMembers
  /** Users whose grants this request concerns; their operations may not be done. */
  readonly concerned: readonly string[]
  /** Operations that got a new id: who waits for the old one waits for the new one. */
  readonly renewed: readonly { readonly resourceId: string; readonly id: number; readonly replacedId: number }[]
}

/**
 * Users get operations only where their grants really change: a grant that another group gives, too, stays. `named`: users
 * whom the request names without changing anything; what an earlier request asked for them may be unfinished.
 */
export async function concern(
  write: StoreWriter,
  context: AcceptContext,
  stored: StoredResource,
  members: ChangedMembers,
  named: readonly string[],
  before: JsonObject | undefined,
): Promise<Concerned> {
  const { connection, world, asked } = context
  const { name } = connection
  const moved = [...members.added, ...members.removed]
  const now = world.clock.now()
  await write.touchResources(name, 'User', moved, new Date(now).toISOString())
  if (connection.mapping.groups.as === 'none') return { members, concerned: [], renewed: [] }
  const changed = await changedUsers(write, context, stored, members, before)
  const others = [...members.removed].filter((id) => !changed.has(id))
  for (const id of await holdingMore(write, connection, others)) changed.add(id)
  const settled = named.filter((id) => !changed.has(id))
  const again = [
    ...(await failedUsers(write, name, named)),
    ...(await lackingMembers(write, connection, stored, settled)),
  ]
  const operations = await write.putGrantOperations(name, [...new Set([...changed, ...again])], {
    dueAt: connection.mode === 'deferred' ? now : now + requestBudgetMs,
    requestId: asked.requestId,
    caller: asked.caller,
    createdAt: new Date(now).toISOString(),
  })
  const renewed = operations.flatMap(({ resourceId, id, replacedId }) =>
    replacedId === undefined ? [] : [{ resourceId, id, replacedId }],
  )
  return { members, concerned: [...new Set([...changed, ...named])], renewed }
}

/** Whom a request names again although their grants could not be given: it is tried once more. */
async function failedUsers(
  write: StoreWriter,
  connection: string,
  named: readonly string[],
): Promise<readonly string[]> {
  const unfinished = await write.operationsOf(connection, named)
  return unfinished.flatMap(({ state, about, resourceId }) =>
    state === 'failed' && (about === 'grants' || about === 'both') ? [resourceId] : [],
  )
}

async function changedUsers(
  write: StoreWriter,
  { connection }: AcceptContext,
  stored: StoredResource,
  members: ChangedMembers,
  before: JsonObject | undefined,
): Promise<Set<string>> {
  const { name, mapping } = connection
  const moved = [...members.added, ...members.removed]
  if (mapping.groups.as === 'groups') {
    const link = await write.getGroupLink(name, stored.id)
    // Before the group is on the platform there is nothing to be a member of.
    return new Set(link === undefined ? [] : moved)
  }
  const now = namedGroup(parseDocument(stored.json))
  const earlier = before === undefined ? now : namedGroup(before)
  const gives = grantsOf(mapping, [now])
  const gave = grantsOf(mapping, [earlier])
  const isSame = gives.length === gave.length && gives.every((grant) => gave.includes(grant))
  const touched = isSame ? moved : [...moved, ...(await write.members(name, stored.id)).map(({ id }) => id)]
  const users = new Set(touched)
  if (gives.length === 0 && gave.length === 0) return new Set()
  const memberships = await write.membershipsOf(name, [...users])
  const differing = [...users].filter((id) => {
    const others = (memberships.get(id) ?? []).filter(({ groupId }) => groupId !== stored.id).map(namedGroup)
    const kept = new Set(grantsOf(mapping, others))
    const wasMember = !members.added.has(id)
    const isMember = !members.removed.has(id)
    const had = wasMember ? gave : []
    const has = isMember ? gives : []
    return [...had, ...has].some((grant) => !kept.has(grant) && had.includes(grant) !== has.includes(grant))
  })
  return new Set(differing)
}

/** Of those who have left a group that gives nothing of theirs now: who holds what an earlier mapping gave for it. */
async function holdingMore(
  write: StoreWriter,
  connection: ProvisionedConnection,
  left: readonly string[],
): Promise<readonly string[]> {
  const { name } = connection
  const ledgers = await write.ledgersOf(name, left)
  const memberships = await write.membershipsOf(name, [...ledgers.keys()])
  return [...ledgers].flatMap(([id, ledger]) => {
    const keys = wantedKeys(grantRules(connection), memberships.get(id) ?? [])
    return ledger.some(({ key, origin }) => origin !== 'found' && !keys.has(key)) ? [id] : []
  })
}
