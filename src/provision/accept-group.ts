/** The first commit of a group request: what was asked, its members, and the operations of those whose grants change. */
import { Problem } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { requestBudgetMs } from '../limits.ts'
import type { GroupLink } from '../store/grant-store.ts'
import { NameTaken, type NewOperation, type Operation, type StoredResource, type StoreWriter } from '../store/store.ts'
import { type Concerned, concern } from './concern.ts'
import { keysOf, parseDocument, withId } from './document.ts'
import { platformNameOf, refuseGroup } from './group-name.ts'
import type { AcceptContext } from './intent.ts'
import { leavingMembers } from './leaving-members.ts'
import { changeMembers, type MemberChange, namedMembers } from './member-change.ts'

/** A group as asked for: its canonical document, and what is to happen to its members. */
export interface GroupChange {
  readonly document: JsonObject
  /** Whether the document differs from the stored one. */
  readonly changed: boolean
  readonly memberChanges: readonly MemberChange[]
  /** Nothing else is said: a name that was promised to another request is no matter of this one. */
  readonly isAboutMembersAlone: boolean
}

export interface AcceptedGroup extends Concerned {
  readonly stored: StoredResource
  /** The operation of the group itself, where groups are groups on the platform. */
  readonly operation:
    | {
        readonly kind: Operation['kind']
        readonly id: number
        readonly replacedId: number | undefined
        /** Whether the request asks for what the operation does to the group: a final refusal is its own then. */
        readonly isAsker: boolean
      }
    | undefined
}

export async function acceptGroupCreate(
  write: StoreWriter,
  context: AcceptContext,
  group: { readonly document: JsonObject; readonly members: readonly string[] },
): Promise<AcceptedGroup> {
  const { connection, world } = context
  refuseGroup(connection, group.document, undefined)
  const name = typeof group.document.displayName === 'string' ? group.document.displayName : ''
  const existing = await write.findByUniqueName(connection.name, 'Group', name)
  // Asked for before, and not answered with a success: the request is joined.
  if (existing !== undefined && !existing.visible)
    return acceptGroupUpdate(write, context, existing, () => ({
      document: group.document,
      changed: true,
      memberChanges: [{ kind: 'replace', ids: group.members }],
      isAboutMembersAlone: false,
    }))
  const isGroupThere = connection.mapping.groups.as === 'groups'
  const id = world.newId()
  const document = withId(group.document, id)
  const stored = await naming(() =>
    write.insertResource(connection.name, {
      type: 'Group',
      id,
      json: JSON.stringify(document),
      keys: keysOf(document),
      visible: !isGroupThere || connection.mode === 'deferred',
      now: nowOf(context),
    }),
  )
  const members = await changeMembers(write, connection, id, [{ kind: 'add', ids: group.members }])
  await audit(write, context, id, 'create group')
  const operation = isGroupThere
    ? {
        kind: 'create' as const,
        id: await putGroupOperation(write, context, id, { kind: 'create', before: undefined, version: 1 }),
        replacedId: undefined,
        isAsker: true,
      }
    : undefined
  return { stored, operation, ...(await concern(write, context, stored, members, group.members, undefined)) }
}

/** Read, computed and written in one transaction: two requests at once both survive. */
export async function acceptGroupUpdate(
  write: StoreWriter,
  context: AcceptContext,
  current: StoredResource,
  compute: (current: StoredResource) => GroupChange,
): Promise<AcceptedGroup> {
  const { connection } = context
  const { id } = current
  const change = compute(current)
  const before = parseDocument(current.json)
  if (change.changed) refuseGroup(connection, change.document, before)
  const members = await changeMembers(write, connection, id, change.memberChanges)
  let stored = current
  if (change.changed || members.added.size + members.removed.size > 0) {
    const document = withId(change.document, id)
    const updated = await naming(() =>
      write.updateResource(connection.name, {
        type: 'Group',
        id,
        expectedVersion: current.version,
        json: JSON.stringify(document),
        keys: keysOf(document),
        now: nowOf(context),
      }),
    )
    if (updated === undefined)
      throw new Problem(429, undefined, 'The group is being changed by another request; try again.', {
        headers: { 'Retry-After': '5' },
      })
    stored = updated
    await audit(write, context, id, 'change group')
  }
  const operation = await groupOperation(write, context, current, change)
  // When it gets on the platform only now, all its members do.
  const isMade = operation?.kind === 'create'
  const isAllNamed = isMade || asksAgain(context, change)
  const everybody = isAllNamed ? (await write.members(connection.name, id)).map((member) => member.id) : []
  const leaving = await leavingMembers(write, connection, stored, before, change.memberChanges)
  const named = [...new Set([...namedMembers(change.memberChanges), ...everybody, ...leaving])]
  return { stored, operation, ...(await concern(write, context, stored, members, named, before)) }
}

/**
 * What is stored already is asked for once more, a name that decides what members are granted, or which group they are in,
 * included: it is an answer to that, too, whether they have it.
 */
function asksAgain({ connection }: AcceptContext, { changed, memberChanges }: GroupChange): boolean {
  return connection.mapping.groups.as !== 'none' && !changed && memberChanges.length === 0
}

/** Its members' grants go by their own operations; the group itself ends only where the mapping says so and we made it. */
export async function acceptGroupDelete(
  write: StoreWriter,
  context: AcceptContext,
  stored: StoredResource,
): Promise<AcceptedGroup> {
  const { connection } = context
  const { id } = stored
  const before = parseDocument(stored.json)
  const members = await changeMembers(write, connection, id, [{ kind: 'removeAll' }])
  const concerned = await concern(write, context, stored, members, [], before)
  await write.deleteResource(connection.name, 'Group', id)
  await audit(write, context, id, 'delete group')
  const unfinished = await write.getOperation(connection.name, id)
  const link = await write.getGroupLink(connection.name, id)
  if (link !== undefined) await write.putGroupLink({ ...link, state: 'tombstone', deletedAt: nowOf(context) })
  // One that is just being made, or may have been, is ours as well.
  const isOurs = link === undefined ? unfinished?.kind === 'create' : link.wasCreated && !isProtected(context, link)
  if (!isOurs || connection.mapping.groups.delete !== 'delete') {
    if (unfinished !== undefined) await write.deleteOperation(connection.name, unfinished.id)
    return { stored, operation: undefined, ...concerned }
  }
  const operation = await putGroupOperation(write, context, id, {
    kind: 'delete',
    before: stored.json,
    version: stored.version,
    unknownSince: unfinished?.unknownSince,
  })
  const ending = { kind: 'delete', id: operation, replacedId: unfinished?.id, isAsker: true } as const
  return { stored, operation: ending, ...concerned }
}

function isProtected({ connection }: AcceptContext, link: GroupLink): boolean {
  return connection.mapping.groups.protect.includes(link.name)
}

/** A group that has another name now, or none on the platform yet. An unfinished operation is waited for. */
async function groupOperation(
  write: StoreWriter,
  context: AcceptContext,
  current: StoredResource,
  change: GroupChange,
): Promise<AcceptedGroup['operation']> {
  const { connection, world } = context
  if (connection.mapping.groups.as !== 'groups') return undefined
  const { id } = current
  const link = await write.getGroupLink(connection.name, id)
  const unfinished = await write.getOperation(connection.name, id)
  const name = platformNameOf(connection.mapping, change.document)
  const isRenamed = platformNameOf(connection.mapping, parseDocument(current.json)) !== name
  if (link?.state === 'live' && unfinished === undefined && !isRenamed) return undefined
  if (unfinished !== undefined && !isRenamed) {
    const dueAt = world.clock.now() + (connection.mode === 'confirmed' ? requestBudgetMs : 0)
    await write.updateOperation(connection.name, unfinished.id, { state: 'waiting', dueAt })
    const { kind, id } = unfinished
    return { kind, id, replacedId: undefined, isAsker: kind !== 'update' || !change.isAboutMembersAlone }
  }
  const kind = link?.state === 'live' ? 'update' : 'create'
  const operation = await putGroupOperation(write, context, id, {
    kind,
    // What was last answered with a success; a group that nobody has seen yet has none.
    before: unfinished === undefined ? current.json : unfinished.before,
    version: current.version,
    // What an attempt at it may have written is taken back with this one, too.
    isTried: unfinished !== undefined,
  })
  return { kind, id: operation, replacedId: unfinished?.id, isAsker: true }
}

function putGroupOperation(
  write: StoreWriter,
  { connection, world, asked }: AcceptContext,
  resourceId: string,
  intent: Pick<NewOperation, 'kind' | 'before' | 'version'> & Partial<Pick<NewOperation, 'unknownSince' | 'isTried'>>,
): Promise<number> {
  const now = world.clock.now()
  return write.putOperation(connection.name, {
    resourceId,
    unknownSince: undefined,
    ...intent,
    about: 'group',
    isDeprovisioning: false,
    mayActivate: false,
    dueAt: connection.mode === 'deferred' ? now : now + requestBudgetMs,
    requestId: asked.requestId,
    caller: asked.caller,
    createdAt: new Date(now).toISOString(),
  })
}

async function naming<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof NameTaken)) throw error
    throw new Problem(
      409,
      'uniqueness',
      'A group with this displayName exists already; find it by displayName and update it.',
    )
  }
}

async function audit(write: StoreWriter, context: AcceptContext, id: string, kind: string): Promise<void> {
  await write.appendAudit(context.connection.name, {
    at: nowOf(context),
    event: 'asked',
    requestId: context.asked.requestId,
    caller: context.asked.caller,
    resourceId: id,
    operationId: undefined,
    accountId: undefined,
    detail: { kind },
  })
}

function nowOf({ world }: AcceptContext): string {
  return new Date(world.clock.now()).toISOString()
}
