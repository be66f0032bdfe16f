/** What a request asks for, as rows of the store. Everything runs inside the transaction of `accept.ts`. */
import { Problem } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { requestBudgetMs } from '../limits.ts'
import { NameTaken, type Operation, type StoredResource, type StoreWriter } from '../store/store.ts'
import type { Asked, ProvisionedConnection, World } from './connection.ts'
import { isActiveDocument, keysOf, parseDocument } from './document.ts'
import { heldBecause, isHeld, isHeldByOperator, noteDeparture, operatorHold } from './guardrails.ts'

export interface Accepted {
  readonly resourceId: string
  readonly operationId: number
  /** The unfinished operation of the same link that this one replaces. */
  readonly replacedId: number | undefined
  /** Parked for a human, and why; undefined: it is attempted. */
  readonly heldBecause: string | undefined
  /** Whether the request asks for what the operation does to the account: a final refusal is its own then. */
  readonly isAsker: boolean
  /** What the request asks for beside is not kept, and why: it has to be asked for again, whatever comes of the operation. */
  readonly notKeptBecause?: string
}

export interface AcceptContext {
  readonly connection: ProvisionedConnection
  readonly world: World
  readonly asked: Asked
  /** Whether the 2xx of this user's create reached the socket, though the store may not know yet. */
  readonly isFlushed: (id: string) => boolean
}

/**
 * The request waits for what is unfinished already. In confirmed mode it is attempted at once, and the outbox keeps away
 * for so long; in deferred mode it is due as it was, so that a client that repeats itself delays nothing.
 */
export async function joinOperation(
  write: StoreWriter,
  { connection, world }: AcceptContext,
  operation: Operation,
  isAsker: boolean,
): Promise<Accepted> {
  const now = world.clock.now()
  const isWaiting = operation.state === 'waiting'
  const joined = { resourceId: operation.resourceId, operationId: operation.id, replacedId: undefined, isAsker }
  if (isHeld(operation)) return { ...joined, heldBecause: heldBecause(operation) }
  if (connection.mode === 'confirmed' || !isWaiting) {
    const dueAt = connection.mode === 'confirmed' ? now + requestBudgetMs : now
    await write.updateOperation(connection.name, operation.id, { state: 'waiting', dueAt })
  }
  return { ...joined, heldBecause: undefined }
}

/** Throws a `Problem` when another user has the name. */
export async function storeDocument(
  write: StoreWriter,
  { connection, world }: AcceptContext,
  current: StoredResource,
  document: JsonObject,
): Promise<StoredResource> {
  try {
    const stored = await write.updateResource(connection.name, {
      type: 'User',
      id: current.id,
      expectedVersion: current.version,
      json: JSON.stringify(document),
      keys: keysOf(document),
      now: new Date(world.clock.now()).toISOString(),
    })
    if (stored !== undefined) return stored
    throw new Problem(429, undefined, 'The user is being changed by another request; try again.', {
      headers: { 'Retry-After': '5' },
    })
  } catch (error) {
    if (error instanceof NameTaken) throw duplicate()
    throw error
  }
}

interface Intent {
  readonly id: string
  readonly kind: Operation['kind']
  readonly document: JsonObject
  readonly active: boolean | undefined
  readonly before: string | undefined
  readonly version: number
  readonly replaced?: Operation | undefined
}

export async function putOperation(write: StoreWriter, context: AcceptContext, intent: Intent): Promise<Accepted> {
  const { connection, world, asked } = context
  const now = world.clock.now()
  const isOn = intent.kind !== 'delete' && isActiveDocument(intent.document)
  const { replaced } = intent
  const operationId = await write.putOperation(connection.name, {
    resourceId: intent.id,
    kind: intent.kind,
    about: replaced === undefined || replaced.about === 'account' ? 'account' : 'both',
    isDeprovisioning: !isOn,
    // A replaced operation's wish to switch on lives on while the resource is still to be on; nothing else may switch on.
    mayActivate: isOn && (intent.active === true || replaced?.mayActivate === true),
    // What the identity provider was last told is the state before the *first* unfinished operation. But a deactivation
    // that was accepted stays accepted, also when what takes its place is refused.
    before: keepsEarlier(replaced, isOn) ? replaced.before : intent.before,
    version: intent.version,
    // The request attempts it itself; after a crash the outbox takes it when this time has come.
    dueAt: connection.mode === 'deferred' ? now : now + requestBudgetMs,
    requestId: asked.requestId,
    caller: asked.caller,
    createdAt: sinceWhen(replaced, isOn) ?? new Date(now).toISOString(),
    unknownSince: replaced?.unknownSince,
    // What an attempt at it may have written is taken back with this one, too.
    isTried: replaced !== undefined && replaced.about !== 'grants',
  })
  await write.appendAudit(connection.name, {
    at: new Date(now).toISOString(),
    event: 'asked',
    requestId: asked.requestId,
    caller: asked.caller,
    resourceId: intent.id,
    operationId,
    accountId: undefined,
    detail: { kind: intent.kind, ...(intent.active === undefined ? {} : { active: intent.active }) },
  })
  const mustHold = await mustBeHeld(write, context, intent, isOn)
  const hold: Pick<Operation, 'state'> & Partial<Operation> = isHeldByOperator(replaced)
    ? operatorHold
    : { state: 'held' }
  if (mustHold) await write.updateOperation(connection.name, operationId, hold)
  const because = mustHold ? heldBecause(hold) : undefined
  return { resourceId: intent.id, operationId, replacedId: replaced?.id, heldBecause: because, isAsker: true }
}

/** A departure that is edited, or asked for again, is as late as it was: who is told of it would be told that it has ended. */
export function sinceWhen(replaced: Operation | undefined, isOn: boolean): string | undefined {
  return replaced?.isDeprovisioning === true && !isOn ? replaced.createdAt : undefined
}

/** What a guardrail has held stays held, unless the person is to be on after all; what an operator holds, in any case. */
async function mustBeHeld(
  write: StoreWriter,
  context: AcceptContext,
  { id, before, replaced }: Intent,
  isOn: boolean,
): Promise<boolean> {
  if (isOn) {
    await write.deleteDeparture(context.connection.name, id)
    return isHeldByOperator(replaced)
  }
  if (isHeld(replaced)) return true
  const wasOn = before !== undefined && isActiveDocument(parseDocument(before))
  return wasOn && noteDeparture(write, context, id)
}

function keepsEarlier(replaced: Operation | undefined, isOn: boolean): replaced is Operation {
  if (replaced === undefined || replaced.about === 'grants') return false
  return !(replaced.isDeprovisioning && (isOn || wasOnBefore(replaced)))
}

function wasOnBefore({ before }: Operation): boolean {
  return before !== undefined && isActiveDocument(parseDocument(before))
}

export function duplicate(): Problem {
  return new Problem(409, 'uniqueness', 'A user with this userName exists already; find it by userName and update it.')
}
