/** One attempt at a SCIM group that is a group on the platform, and its commit. Its members' grants follow by their own operations. */
import { Absent, Conflict, Fault, Immutable, Unknown } from '../errors.ts'
import type { Call, PlatformGroup, PlatformGroups } from '../platforms/platform.ts'
import type { GroupLink } from '../store/grant-store.ts'
import type { Operation, StoreWriter } from '../store/store.ts'
import { asPlatformError, logFailure } from './attempt.ts'
import type { CommitContext, Settled } from './commit.ts'
import { commitGroup, commitGroupFailure, type ReachedGroup } from './commit-group.ts'
import type { ProvisionedConnection } from './connection.ts'
import { parseDocument } from './document.ts'
import { platformNameOf } from './group-name.ts'
import { createRecording } from './recording.ts'

/** What an attempt at a group starts from, as it was at one moment. */
export interface GroupStart {
  readonly operation: Operation
  readonly groupLink: GroupLink | undefined
  /** The stored document; undefined when the group has been deleted. */
  readonly json: string | undefined
}

export async function attemptGroup(context: CommitContext, start: GroupStart, signal: AbortSignal): Promise<Settled> {
  const { connection, world } = context
  const { operation } = start
  let isMaking = operation.kind === 'create'
  const { call, audit, hasWritten, mayHaveChanged, noteFailure } = createRecording(context, operation, {
    signal,
    isMaking: () => isMaking,
    isAsked: (write) => hasKeptName(write, connection, start),
    accountId: () => undefined,
    created: () => Promise.resolve(),
  })
  try {
    const holderOf = (groupId: string) => world.store.findGroupLink(connection.name, groupId)
    const reached = await reachGroup(call, connection, start, holderOf, () => {
      isMaking = true
    })
    return await world.store.transaction(async (write) => {
      await audit(write, 'outcome', { outcome: 'applied', kind: operation.kind, about: 'group' })
      await commitGroup(write, context, operation, start.json, reached)
      return { kind: 'applied', isGroupNew: reached?.isNew === true }
    })
  } catch (error) {
    const failure = asPlatformError(error, hasWritten() || signal.aborted)
    logFailure(context, operation, failure)
    return await world.store.transaction(async (write) => {
      await noteFailure(write, failure)
      return commitGroupFailure(write, context, operation, failure, mayHaveChanged())
    })
  }
}

/** Under the name that was asked for meanwhile there may be a group of somebody else's, which none of our writes has made. */
async function hasKeptName(
  write: StoreWriter,
  { name, mapping }: ProvisionedConnection,
  { operation, json }: GroupStart,
): Promise<boolean> {
  const { resourceId } = operation
  const [present, resource] = await Promise.all([
    write.getOperation(name, resourceId),
    write.getAnyResource(name, 'Group', resourceId),
  ])
  const [then, now] = [json ?? operation.before, resource?.json ?? present?.before].map((text) =>
    text === undefined ? undefined : platformNameOf(mapping, parseDocument(text)),
  )
  return then === now
}

type Holder = (groupId: string) => Promise<GroupLink | undefined>

async function reachGroup(
  call: Call,
  connection: ProvisionedConnection,
  { operation, groupLink: link, json }: GroupStart,
  holderOf: Holder,
  noteMaking: () => void,
): Promise<ReachedGroup> {
  const { groups } = connection.platform
  if (groups === undefined) throw new Fault(`${connection.name}: the platform has no groups`)
  if (operation.kind === 'delete') {
    const ours = await findOurs(call, connection, groups, operation, link)
    // Somebody else's meanwhile, when a new SCIM group has adopted it.
    if (ours !== undefined && (await holderOf(ours.id)) === undefined) await groups.remove(call, ours.id)
    return undefined
  }
  const name = platformNameOf(connection.mapping, parseDocument(json ?? '{}'))
  const linked = link?.state === 'live' ? await groups.read(call, link.groupId) : undefined
  if (link !== undefined && linked !== undefined) {
    const { wasCreated } = link
    if (linked.name === name) return { groupId: linked.id, name, wasCreated, isNew: false }
    refuseProtected(connection, linked)
    const renamed = await groups.rename(call, linked.id, name)
    return { groupId: renamed.id, name: renamed.name, wasCreated, isNew: false }
  }
  // The one that was to get another name may be gone.
  noteMaking()
  return adoptOrCreate(call, connection, groups, name, operation, holderOf)
}

/** The group to end: the linked one that we made, or the one that a create of unknown outcome has made. */
async function findOurs(
  call: Call,
  { mapping }: ProvisionedConnection,
  groups: PlatformGroups,
  { before, unknownSince }: Operation,
  link: GroupLink | undefined,
): Promise<PlatformGroup | undefined> {
  if (link !== undefined) return link.wasCreated ? groups.read(call, link.groupId) : undefined
  return unknownSince === undefined || before === undefined
    ? undefined
    : groups.find(call, platformNameOf(mapping, parseDocument(before)))
}

async function adoptOrCreate(
  call: Call,
  connection: ProvisionedConnection,
  groups: PlatformGroups,
  name: string,
  { resourceId, unknownSince }: Operation,
  holderOf: Holder,
): Promise<ReachedGroup> {
  const { mapping, facts } = connection
  const found = await groups.find(call, name)
  if (found !== undefined) {
    const holder = await holderOf(found.id)
    if (holder !== undefined && holder.resourceId !== resourceId)
      throw new Conflict(
        `The ${facts.title} group with this name belongs to another group of this connection.`,
        `${connection.name}: group ${found.id} is held by another link`,
      )
    refuseProtected(connection, found)
    // There was none when we asked for it, and the answer was lost: this is it.
    if (unknownSince !== undefined) return { groupId: found.id, name: found.name, wasCreated: true, isNew: true }
    if (mapping.groups.adopt === 'never')
      throw new Conflict(
        `${facts.title} has a group with this name already, and this connection takes over none (groups.adopt: never).`,
        `${connection.name}: group ${found.id} may not be adopted`,
      )
    return { groupId: found.id, name: found.name, wasCreated: false, isNew: true }
  }
  if (!mapping.groups.create)
    throw new Immutable(
      `${facts.title} has no group with this name, and this connection makes none (groups.create: false).`,
      `${connection.name}: groups are not made`,
    )
  const made = await groups.create(call, name).catch((error: unknown) => {
    if (!(error instanceof Absent)) throw error
    // Made, and not shown yet: the next attempt has to know that it is ours.
    throw new Unknown(`${connection.name}: the group that was made is not shown`, { cause: error })
  })
  return { groupId: made.id, name: made.name, wasCreated: true, isNew: true }
}

function refuseProtected({ name, facts, mapping }: ProvisionedConnection, group: PlatformGroup): void {
  const isNamed = mapping.groups.protect.includes(group.name)
  const reason = group.protectedBecause ?? (isNamed ? 'groups.protect' : undefined)
  if (reason === undefined) return
  throw new Immutable(
    `This ${facts.title} group is protected (${reason}); the bridge never takes it over or changes it.`,
    `${name}: group ${group.id} is protected`,
  )
}
