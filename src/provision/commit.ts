/**
 * The second commit: what an attempt has come to, in one transaction with the end of its operation or its next due time.
 * A newer request may have been accepted meanwhile: its operation then stands in the place of the attempted one.
 */
import { Disputed, type PlatformError } from '../errors.ts'
import type { Account } from '../facts.ts'
import type { JsonObject } from '../json.ts'
import { AccountTaken, type Link, NameTaken, type Operation, type StoreWriter } from '../store/store.ts'
import type { ProvisionedConnection, World } from './connection.ts'
import { isActiveDocument, keysOf, parseDocument } from './document.ts'
import { mayBeOn } from './may-be-on.ts'
import { putOff, setAside } from './put-off.ts'
import type { Reached } from './reach.ts'
import type { ReachedGrants } from './reach-grants.ts'
import { isLetGo } from './reach-let-go.ts'
import { isOperatorCaller, isOwnCaller, putOwnOperation, reconcileCaller } from './reconcile-operation.ts'
import { hasEnded } from './retry.ts'
import { noteTakenAway } from './watch.ts'

/**
 * What an attempt came to. `refused`: the operation has ended, or was put aside for an operator. `ungranted`: only what the
 * memberships give was refused, which is no answer to whoever asked for the rest.
 */
export type Settled =
  /** `isGroupNew`: the group was made, or taken over, just now, and its members get in by operations of their own. */
  | { readonly kind: 'applied'; readonly isGroupNew?: boolean }
  | { readonly kind: 'refused' | 'ungranted'; readonly error: PlatformError }
  | { readonly kind: 'waiting'; readonly error: PlatformError; readonly dueAt: number }

export interface CommitContext {
  readonly connection: ProvisionedConnection
  readonly world: World
  /** Whether who asked for it waits for the answer: a final refusal is then theirs to know, and what was asked is undone. */
  readonly isAwaited: () => boolean
}

/** A deactivation or deletion that is refused for good is still tried so often: a leaver's access is a security matter. */
const refusedLeaverRetryMs = 3_600_000

/** Throws `Disputed` when another link has the account. */
export async function putLink(write: StoreWriter, link: Link): Promise<void> {
  try {
    await write.putLink(link)
  } catch (error) {
    if (!(error instanceof AccountTaken)) throw error
    throw new Disputed(
      'The account that fits this user was linked to another user at the same time; an operator has to decide.',
      `account ${link.accountId} is held by another link`,
      { cause: error },
    )
  }
}

export async function commitReached(
  write: StoreWriter,
  context: CommitContext,
  operation: Operation,
  link: Link,
  document: JsonObject,
  reached: Reached & { readonly grants: ReachedGrants },
): Promise<Settled> {
  const { connection, world } = context
  const now = new Date(world.clock.now()).toISOString()
  const { name } = connection
  const { resourceId } = operation
  const { refusal } = reached.grants
  const [stored, present] = await Promise.all([write.getLink(name, resourceId), write.getOperation(name, resourceId)])
  let settled: Settled = { kind: 'applied' }
  if (refusal !== undefined && isAboutGrants(operation)) settled = { kind: 'ungranted', error: refusal }
  // The account is as wanted but for what its memberships give: that stays visible, for an operator or the next change.
  if (settled.kind === 'ungranted' && operation.kind !== 'delete')
    await setAside(write, context, operation, settled.error, { ...grantsOnly, unknownSince: undefined })
  else await write.deleteOperation(name, operation.id)
  const known = {
    ...link,
    grants: reached.grants.ledger,
    userName: typeof document.userName === 'string' ? document.userName : undefined,
    externalId: typeof document.externalId === 'string' ? document.externalId : undefined,
    // Marked while the attempt ran.
    wasFlushed: link.wasFlushed || stored?.wasFlushed === true,
  }
  if (operation.kind === 'delete') {
    await write.deleteResource(name, 'User', resourceId)
    const accountId = reached.account?.id ?? link.accountId
    await putLink(write, { ...known, state: 'tombstone', accountId, deletedAt: link.deletedAt ?? now })
    await noteTakenAway(write, operation, { accountId, document, now: world.clock.now() })
    return { kind: 'applied' }
  }
  await putLink(write, {
    ...known,
    state: 'live',
    accountId: reached.account?.id,
    applied: reached.account === undefined ? undefined : appliedState(reached.account),
    lastAppliedAt: now,
    drift: [...new Set([...reached.drift, ...(refusal || reached.grants.isIncomplete ? ['groups'] : [])])],
  })
  // Taken over while off, or made off by the create before this one, and nobody asked for on: SCIM has to say what is.
  const wasOff = operation.before !== undefined && !isActiveDocument(parseDocument(operation.before))
  const isTakenOverOff = reached.isLeftOff && (link.state === 'proposed' || wasOff) && isActiveDocument(document)
  const applied = isTakenOverOff ? { ...document, active: false } : document
  const newer = present?.id === operation.id ? undefined : present
  if (newer === undefined) {
    if (isTakenOverOff) await storeDocument(write, name, resourceId, JSON.stringify(applied), now)
  } else {
    // A refusal of the newer request goes back to what has just been reached.
    const kind = newer.kind === 'create' ? 'update' : newer.kind
    const rest = isRenewal(newer, operation) ? grantsOnly : {}
    const unknownSince = reached.account === undefined ? operation.unknownSince : undefined
    const before = JSON.stringify(applied)
    // What it took the place of is made: nothing of that would have to be taken back with it.
    await write.updateOperation(name, newer.id, { kind, before, attempts: 0, unknownSince, ...rest })
  }
  // Deleted meanwhile, and hidden since: it must not be seen again.
  if (newer?.kind !== 'delete') await write.showResource(name, 'User', resourceId)
  return settled
}

/** What is left of an operation whose account is as wanted. */
const grantsOnly = { about: 'grants', kind: 'update', isDeprovisioning: false, mayActivate: false } as const

/** The same request, put off because a membership changed while it was in work: its account need not be looked at again. */
function isRenewal(newer: Operation, { requestId, createdAt, version }: Operation): boolean {
  return newer.requestId === requestId && newer.createdAt === createdAt && newer.version === version
}

function isAboutGrants({ about }: Operation): boolean {
  return about === 'grants' || about === 'both'
}

function appliedState(account: Account): JsonObject {
  return Object.fromEntries(account.attributes)
}

/** Decides, by the class of the error alone, whether the operation ends, waits, or is put aside. */
export async function commitFailure(
  write: StoreWriter,
  context: CommitContext,
  operation: Operation,
  link: Link,
  error: PlatformError,
  mayHaveChanged: boolean,
): Promise<Settled> {
  const { connection, world } = context
  const { name } = connection
  const now = world.clock.now()
  const isLeaver = operation.isDeprovisioning
  if (error.rule.retry !== 'stop') {
    const attempts = operation.attempts + 1
    if (hasEnded(operation, error, attempts, now) && !isLeaver) {
      return setAside(write, context, operation, error)
    }
    return putOff(write, context, operation, error)
  }
  // An operator brings many people's accounts back at once: a platform that has lost them must not make users disappear.
  if (error.kind === 'absent' && !isOperatorCaller(operation.caller)) {
    await write.deleteOperation(name, operation.id)
    // A newer operation of the same link finds this out for itself.
    if ((await write.getOperation(name, operation.resourceId)) !== undefined) return { kind: 'refused', error }
    await write.deleteResource(name, 'User', operation.resourceId)
    await write.putLink({ ...link, state: 'tombstone', deletedAt: new Date(now).toISOString() })
    return { kind: 'refused', error }
  }
  const again = () =>
    putOff(write, context, operation, error, now + Math.min(refusedLeaverRetryMs, connection.maximumRetryMs))
  // A defect of ours is no answer to a leaver, and who was told "kept" is not told anything else later.
  if (isLeaver && (error.kind === 'fault' || !context.isAwaited())) return again()
  if (
    connection.mode === 'deferred' ||
    // No request is undone by its refusal: an operator asked, and sees what became of it.
    isOwnCaller(operation.caller) ||
    // Not what was asked is wrong: an operator has taken the account away from the user.
    (isLetGo(link) && !context.isAwaited()) ||
    error.kind === 'fault' ||
    !(await undo(write, connection, world, { operation, link, mayHaveChanged }))
  )
    // What is not undone stays asked, and a leaver's is never given up.
    return isLeaver ? again() : setAside(write, context, operation, error)
  return { kind: 'refused', error }
}

/**
 * Confirmed mode: a refused request changes nothing, so that the identity provider and the store agree. False, and nothing
 * done, when the former userName has been given to somebody else, or what was refused is a deactivation that was accepted before.
 */
async function undo(
  write: StoreWriter,
  connection: ProvisionedConnection,
  world: World,
  { operation, link, mayHaveChanged }: { operation: Operation; link: Link; mayHaveChanged: boolean },
): Promise<boolean> {
  const now = world.clock.now()
  const { name } = connection
  const { resourceId, before, isDeprovisioning } = operation
  // Nothing of the document was asked for.
  if (operation.about === 'grants') return false
  const present = await write.getOperation(name, resourceId)
  // A newer request has taken its place, and goes back further by itself when it is refused, too.
  if (present?.id !== operation.id) return true
  const again = { ...operation, about: present.about, isDeprovisioning: true, mayActivate: false, dueAt: now }
  if (before === undefined) {
    // Made by this very create, and refused afterwards: it must not stay on without anybody to look after it. Of one whose
    // answer was lost nobody knows the id, and it may not have appeared yet.
    if (link.accountId !== undefined || operation.unknownSince !== undefined)
      await write.putOperation(name, { ...again, kind: 'delete' })
    else {
      await write.deleteOperation(name, operation.id)
      await write.deleteResource(name, 'User', resourceId)
      await write.deleteLink(name, resourceId)
    }
    return true
  }
  const wasOn = isActiveDocument(parseDocument(before))
  // The refused request had taken the place of a deactivation, which may be unfinished.
  const isToBeOff = !wasOn && (!isDeprovisioning || mayBeOn(connection, link))
  if (isToBeOff && isDeprovisioning && operation.kind !== 'delete') return false
  try {
    await storeDocument(write, name, resourceId, before, new Date(now).toISOString())
  } catch (error) {
    if (error instanceof NameTaken) return false
    throw error
  }
  if (isToBeOff) await write.putOperation(name, { ...again, kind: 'update' })
  else if (mayHaveChanged)
    // What was written before the refusal, by an edit in whose place it came, too, is taken back: the user is as before.
    await putOwnOperation(write, world, {
      ...again,
      connection: name,
      accountId: link.accountId,
      kind: 'update',
      isDeprovisioning: !wasOn,
      caller: reconcileCaller,
      createdAt: undefined,
    })
  // Memberships may have changed while the attempt ran.
  else if (present.about === 'both')
    await write.updateOperation(name, operation.id, { ...grantsOnly, state: 'waiting', dueAt: now })
  else await write.deleteOperation(name, operation.id)
  return true
}

/** Whatever the version is now: memberships change it at any time. Throws `NameTaken`. */
async function storeDocument(
  write: StoreWriter,
  connection: string,
  id: string,
  json: string,
  now: string,
): Promise<void> {
  const current = await write.getAnyResource(connection, 'User', id)
  if (current === undefined) return
  const keys = keysOf(parseDocument(json))
  await write.updateResource(connection, { type: 'User', id, expectedVersion: current.version, json, keys, now })
}
