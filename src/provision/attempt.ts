/**
 * One attempt at one link, and its commit points. What is durable when:
 * - before it starts: the resource, the operation and the audit line "asked" (see `accept.ts`);
 * - before each write: the audit line "calling"; - as soon as an account exists: its id, alone;
 * - at the end: the applied state and the end of the operation, or its next due time, in one transaction (see `commit.ts`).
 * Wherever the process dies, the operation is still there, and its next attempt starts by finding.
 */
import { Fault, PlatformError, Unknown } from '../errors.ts'
import type { AccountId } from '../facts.ts'
import type { JsonObject } from '../json.ts'
import { isActive } from '../mapping/evaluate.ts'
import type { Call } from '../platforms/platform.ts'
import type { Membership } from '../store/grant-store.ts'
import { type Link, type Operation, StoreUnavailable } from '../store/store.ts'
import type { Claims } from './claims.ts'
import { type CommitContext, commitFailure, commitReached, putLink, type Settled } from './commit.ts'
import { parseDocument } from './document.ts'
import type { Situation } from './find-account.ts'
import { askForGroup } from './group-gone.ts'
import { leftOverGrants } from './left-over-grants.ts'
import { mayHaveLostGrants } from './lost-grants.ts'
import { type Reached, reachDeleted, reachWanted, unlessShown } from './reach.ts'
import { type ReachedGrants, reachGrants } from './reach-grants.ts'
import { isLetGo } from './reach-let-go.ts'
import { isFoundAlike } from './reconcile-keys.ts'
import { isOwnCaller } from './reconcile-operation.ts'
import { createRecording } from './recording.ts'

export interface AttemptContext extends CommitContext {
  readonly claims: Claims
}

/** What an attempt at a user starts from, as it was at one moment. */
export interface Start {
  readonly operation: Operation
  readonly link: Link
  /** The stored document. */
  readonly json: string
  readonly memberships: readonly Membership[]
}

/** A leaver whose account is still on after so long is a matter for a person. */
const lateLeaverMs = 3_600_000

export async function attempt(
  context: AttemptContext,
  { operation, link, json, memberships }: Start,
  signal: AbortSignal,
): Promise<Settled> {
  const { connection, world, claims } = context
  const { store, clock } = world
  const { resourceId } = operation
  let current = link
  let isMaking = false
  const changeLink = async (change: Partial<Link>) => {
    current = { ...current, ...change }
    await store.transaction((write) => putLink(write, current))
  }
  const { call, audit, hasWritten, mayHaveChanged, noteFailure } = createRecording(context, operation, {
    signal,
    isMaking: () => isMaking && current.accountId === undefined,
    isAsked: () => true,
    accountId: () => current.accountId,
    created: (id: AccountId) => changeLink({ accountId: id }),
  })
  const situation: Omit<Situation, 'document'> = {
    connection,
    link,
    operation,
    now: clock.now(),
    isLinkedElsewhere: async (id: AccountId) => {
      if (!claims.claim(id, resourceId)) return true
      if (!(await store.claim(connection.name, 'account', id, resourceId))) return true
      const holder = await store.findLinkByAccount(connection.name, id)
      return holder !== undefined && holder.resourceId !== resourceId
    },
    isMovingAway: async (id: AccountId) => {
      const holder = await store.findLinkByAccount(connection.name, id)
      if (holder === undefined || holder.resourceId === resourceId) return false
      return isToBeOther(context, holder.resourceId, parseDocument(json))
    },
    noteMaking: (isIt) => {
      isMaking = isIt
    },
    noteInvitations: (invitations: number, invitedAt: string | undefined) => changeLink({ invitations, invitedAt }),
    grants: {
      memberships,
      ledger: link.grants,
      async leftOver(id) {
        if (current.accountId === id) return []
        return store.transaction((write) => leftOverGrants(write, connection.name, id))
      },
      noteLedger: (grants) => changeLink({ grants }),
      platformGroupOf: async (groupId) => {
        const group = await store.getGroupLink(connection.name, groupId)
        return group && { id: group.groupId, name: group.name }
      },
      platformGroups: async () =>
        (await store.groupLinks(connection.name)).map(({ groupId, name }) => ({ id: groupId, name })),
      operationOf: (id) => store.getOperation(connection.name, id),
      askForGroup: (membership, found) =>
        store.transaction((write) => askForGroup(write, world, connection.name, operation, membership, found)),
    },
  }
  try {
    // Inside: a stored document that cannot be read is this operation's own misfortune, not its neighbours'.
    const document = parseDocument(json)
    const user = { ...situation, document }
    const { reached, grants } = await unlessShown(call, user, async () => {
      const reached = await (operation.kind === 'delete' ? reachDeleted(call, user) : reachWanted(call, user))
      return { reached, grants: await grantsOf(call, user, reached) }
    })
    if (grants.refusal !== undefined) logFailure(context, operation, grants.refusal)
    return await store.transaction(async (write) => {
      const [settled] = await Promise.all([
        commitReached(write, context, operation, current, document, { ...reached, grants }),
        audit(write, 'outcome', {
          ...outcomeOf(operation, grants),
          kind: operation.kind,
          drift: [...reached.drift],
        }),
      ])
      return settled
    })
  } catch (error) {
    const failure = asPlatformError(error, hasWritten() || signal.aborted)
    logFailure(context, operation, failure)
    return await store.transaction(async (write) => {
      await noteFailure(write, failure)
      return commitFailure(write, context, operation, current, failure, mayHaveChanged())
    })
  } finally {
    claims.release(resourceId)
  }
}

/** Whether an unfinished change makes the account of this user one that the document does not fit. */
async function isToBeOther(
  { connection, world: { store } }: AttemptContext,
  resourceId: string,
  document: JsonObject,
): Promise<boolean> {
  const [operation, resource] = await Promise.all([
    store.getOperation(connection.name, resourceId),
    store.getResource(connection.name, 'User', resourceId),
  ])
  if (operation === undefined || operation.state === 'failed' || operation.kind === 'delete') return false
  return resource !== undefined && !isFoundAlike(connection, parseDocument(resource.json), document)
}

/** Of an operation that is about more, the rest is as wanted all the same. */
function outcomeOf({ about }: Operation, { refusal }: ReachedGrants): JsonObject {
  if (refusal === undefined) return { outcome: 'applied' }
  return { outcome: about === 'grants' ? refusal.rule.outcome : 'applied', error: refusal.kind }
}

async function grantsOf(call: Call, situation: Situation, { account, isSwitchedOn }: Reached): Promise<ReachedGrants> {
  const { connection, operation, grants, link } = situation
  // What was given to an account that was let go is remembered for its return.
  if (isLetGo(link)) return { ledger: grants.ledger, refusal: undefined, isIncomplete: false }
  if (account === undefined) return { ledger: [], refusal: undefined, isIncomplete: false }
  const isOn = isActive(connection.mapping, account.attributes)
  const standing = operation.kind === 'delete' ? 'gone' : isOn ? 'active' : 'leaving'
  // The ledger says what was given; a reconcile or an operator asks because somebody may have taken it.
  const mustLook = isSwitchedOn || isOwnCaller(operation.caller) || mayHaveLostGrants(connection, link.applied, account)
  const isTakenOver = link.accountId === undefined && grants.ledger.length === 0
  const ledger = isTakenOver ? await grants.leftOver(account.id) : grants.ledger
  return reachGrants(call, connection, { ...grants, ledger }, account, standing, mustLook)
}

/** Anything that is no `PlatformError` is ours: a fault, unless something may have happened or the store was away. */
export function asPlatformError(error: unknown, isUncertain: boolean): PlatformError {
  if (error instanceof PlatformError) return error
  const cause = error instanceof Error ? error : new Error(String(error))
  if (isUncertain || cause instanceof StoreUnavailable) return new Unknown(`interrupted: ${cause.name}`, { cause })
  return new Fault(`unexpected ${cause.name}`, { cause })
}

export function logFailure({ connection, world }: CommitContext, operation: Operation, error: PlatformError): void {
  const line = {
    connection: connection.name,
    operation: operation.id,
    kind: operation.kind,
    attempt: operation.attempts + 1,
    error: error.kind,
    detail: error.detail,
    requestId: operation.requestId,
  }
  const isLate = operation.isDeprovisioning && world.clock.now() - Date.parse(operation.createdAt) >= lateLeaverMs
  if (error.kind === 'fault')
    world.log.error({ ...line, err: error.cause }, 'an operation failed through a defect of the bridge')
  else if (isLate) world.log.error({ ...line, alarm: true }, 'somebody who left still has an account that may be on')
  else if (error.rule.alarm) world.log.error({ ...line, alarm: true }, 'an operation needs an operator')
  else world.log.warn(line, 'an operation did not succeed')
}
