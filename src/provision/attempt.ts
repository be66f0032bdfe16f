/**
 * One attempt at one link, and its commit points. What is durable when:
 * - before it starts: the resource, the operation and the audit line "asked" (see `accept.ts`);
 * - before each write: the audit line "calling"; - as soon as an account exists: its id, alone;
 * - at the end: the applied state and the end of the operation, or its next due time, in one transaction.
 * Wherever the process dies, the operation is still there, and its next attempt starts by finding.
 */
import { Disputed, Fault, PlatformError, Unknown } from '../errors.ts'
import type { Account, AccountId } from '../facts.ts'
import type { JsonObject } from '../json.ts'
import type { Call, WriteDescription } from '../platforms/platform.ts'
import { AccountTaken, type AuditEntry, type Link, type Operation, type StoreWriter } from '../store/store.ts'
import type { ProvisionedConnection, World } from './connection.ts'
import { isActiveDocument, keysOf, parseDocument } from './document.ts'
import { type Reached, reachDeleted, reachWanted } from './reach.ts'
import { retryWaitMs } from './retry.ts'

/** What an attempt came to. `refused`: nothing was changed, and the operation has ended. */
export type Settled =
  | { readonly kind: 'applied' }
  | { readonly kind: 'refused'; readonly error: PlatformError }
  | { readonly kind: 'waiting'; readonly error: PlatformError; readonly dueAt: number }

/** A deactivation or deletion that is refused for good is still tried so often: a leaver's access is a security matter. */
const refusedLeaverRetryMs = 3_600_000
const brokenAttempts = 3

export interface AttemptContext {
  readonly connection: ProvisionedConnection
  readonly world: World
  /** True when somebody waits for the answer: a final refusal is then theirs to know, and what was asked is undone. */
  readonly isAwaited: boolean
}

export async function attempt(
  context: AttemptContext,
  operation: Operation,
  link: Link,
  resource: { readonly json: string; readonly version: number },
  signal: AbortSignal,
): Promise<Settled> {
  const { connection, world } = context
  const { store, clock } = world
  const document = parseDocument(resource.json)
  let current = link
  let hasWritten = false
  const audit = (write: StoreWriter, event: AuditEntry['event'], detail: JsonObject) =>
    write.appendAudit(connection.name, {
      at: new Date(clock.now()).toISOString(),
      event,
      requestId: operation.requestId,
      caller: operation.caller,
      resourceId: operation.resourceId,
      operationId: operation.id,
      accountId: current.accountId,
      detail,
    })
  const call: Call = {
    signal,
    beforeWrite: (what: WriteDescription) => {
      hasWritten = true
      return store.transaction((write) => audit(write, 'calling', { method: what.method, path: what.path }))
    },
    created: async (id: AccountId) => {
      current = { ...current, accountId: id }
      await store.transaction((write) => putLink(write, current))
    },
  }
  const situation = {
    connection,
    document,
    link,
    operation,
    now: clock.now(),
    isLinkedElsewhere: async (id: AccountId) => {
      const holder = await store.findLinkByAccount(connection.name, id)
      return holder !== undefined && holder.resourceId !== operation.resourceId
    },
    noteInvitation: async () => {
      const invitedAt = new Date(clock.now()).toISOString()
      current = { ...current, invitedAt, invitations: current.invitations + 1 }
      await store.transaction((write) => putLink(write, current))
    },
  }
  try {
    const reached = await (operation.kind === 'delete' ? reachDeleted(call, situation) : reachWanted(call, situation))
    await store.transaction(async (write) => {
      await audit(write, 'outcome', { outcome: 'applied', kind: operation.kind, drift: [...reached.drift] })
      await commitReached(write, context, operation, current, document, reached)
    })
    return { kind: 'applied' }
  } catch (error) {
    const failure = asPlatformError(error, hasWritten)
    logFailure(context, operation, failure)
    return store.transaction(async (write) => {
      await audit(write, 'outcome', { outcome: failure.rule.outcome, kind: operation.kind, error: failure.kind })
      return commitFailure(write, context, operation, current, failure)
    })
  }
}

async function putLink(write: StoreWriter, link: Link): Promise<void> {
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

async function commitReached(
  write: StoreWriter,
  { connection, world }: AttemptContext,
  operation: Operation,
  link: Link,
  document: JsonObject,
  reached: Reached,
): Promise<void> {
  const now = new Date(world.clock.now()).toISOString()
  const { resourceId } = operation
  await write.deleteOperation(connection.name, operation.id)
  if (operation.kind === 'delete') {
    await write.deleteResource(connection.name, 'User', resourceId)
    await putLink(write, {
      ...link,
      state: 'tombstone',
      accountId: reached.account?.id ?? link.accountId,
      deletedAt: now,
    })
    return
  }
  await putLink(write, {
    ...link,
    state: 'live',
    accountId: reached.account?.id,
    applied: reached.account === undefined ? undefined : appliedState(reached.account),
    lastAppliedAt: now,
    drift: [...new Set(reached.drift)],
  })
  await write.showResource(connection.name, 'User', resourceId)
  // Taken over while off, and nobody asked for on: SCIM has to say what is, or the next full PUT would switch it on.
  if (reached.isLeftOff && link.state === 'proposed' && isActiveDocument(document)) {
    const off = { ...document, active: false }
    await write.updateResource(connection.name, {
      type: 'User',
      id: resourceId,
      expectedVersion: operation.version,
      json: JSON.stringify(off),
      keys: keysOf(off),
      now,
    })
  }
}

function appliedState(account: Account): JsonObject {
  return Object.fromEntries(account.attributes)
}

/** Decides, by the class of the error alone, whether the operation ends, waits, or is put aside. */
async function commitFailure(
  write: StoreWriter,
  context: AttemptContext,
  operation: Operation,
  link: Link,
  error: PlatformError,
): Promise<Settled> {
  const { connection, world } = context
  const now = world.clock.now()
  const attempts = operation.attempts + 1
  const isFinal = error.rule.retry === 'stop' || (error.kind === 'broken' && attempts >= brokenAttempts)
  const change = { attempts, errorKind: error.kind, errorMessage: error.message }
  if (!isFinal) {
    const { maximumRetryMs: maximumMs } = connection
    const dueAt = now + retryWaitMs(attempts, { maximumMs, toldMs: error.retryAfterMs, random: world.random })
    const unknownSince = operation.kind === 'create' && error.rule.outcome === 'unknown' ? now : operation.unknownSince
    await write.updateOperation(connection.name, operation.id, { ...change, state: 'waiting', dueAt, unknownSince })
    return { kind: 'waiting', error, dueAt }
  }
  if (error.kind === 'absent') {
    await write.deleteOperation(connection.name, operation.id)
    // A newer operation of the same link finds this out for itself.
    if ((await write.getOperation(connection.name, operation.resourceId)) !== undefined)
      return { kind: 'refused', error }
    await write.deleteResource(connection.name, 'User', operation.resourceId)
    await write.putLink({ ...link, state: 'tombstone', deletedAt: new Date(now).toISOString() })
    return { kind: 'refused', error }
  }
  if (operation.isDeprovisioning && !context.isAwaited) {
    const dueAt = now + Math.min(refusedLeaverRetryMs, connection.maximumRetryMs)
    await write.updateOperation(connection.name, operation.id, { ...change, state: 'waiting', dueAt })
    return { kind: 'waiting', error, dueAt }
  }
  const mustStay = connection.mode === 'deferred' || error.kind === 'broken' || error.kind === 'fault'
  if (mustStay) {
    await write.updateOperation(connection.name, operation.id, { ...change, state: 'failed' })
    return { kind: 'refused', error }
  }
  await undo(write, connection, operation, now)
  return { kind: 'refused', error }
}

/** Confirmed mode: a refused request changes nothing, so that the identity provider and the store agree. */
async function undo(
  write: StoreWriter,
  connection: ProvisionedConnection,
  operation: Operation,
  now: number,
): Promise<void> {
  const { name } = connection
  await write.deleteOperation(name, operation.id)
  const newer = await write.getOperation(name, operation.resourceId)
  if (newer !== undefined) return
  if (operation.before === undefined) {
    await write.deleteResource(name, 'User', operation.resourceId)
    await write.deleteLink(name, operation.resourceId)
    return
  }
  await write.updateResource(name, {
    type: 'User',
    id: operation.resourceId,
    expectedVersion: operation.version,
    json: operation.before,
    keys: keysOf(parseDocument(operation.before)),
    now: new Date(now).toISOString(),
  })
}

/** Anything that is no `PlatformError` is ours: uncertain once a write was on its way, else a fault. */
function asPlatformError(error: unknown, hasWritten: boolean): PlatformError {
  if (error instanceof PlatformError) return error
  const cause = error instanceof Error ? error : new Error(String(error))
  const isAbort = cause.name === 'AbortError' || cause.name === 'TimeoutError'
  if (hasWritten || isAbort) return new Unknown(`interrupted: ${cause.name}`, { cause })
  return new Fault(`unexpected ${cause.name}`, { cause })
}

function logFailure({ connection, world }: AttemptContext, operation: Operation, error: PlatformError): void {
  const line = {
    connection: connection.name,
    operation: operation.id,
    kind: operation.kind,
    attempt: operation.attempts + 1,
    error: error.kind,
    detail: error.detail,
    requestId: operation.requestId,
  }
  if (error.kind === 'fault')
    world.log.error({ ...line, err: error.cause }, 'an operation failed through a defect of the bridge')
  else if (error.rule.alarm) world.log.error({ ...line, alarm: true }, 'an operation needs an operator')
  else world.log.warn(line, 'an operation did not succeed')
}
