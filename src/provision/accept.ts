/**
 * The first commit: what was asked becomes durable, before anything is called. Each function runs inside one transaction
 * and answers the operation that carries the request.
 */
import { Problem } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { operationsPerConnection, requestBudgetMs } from '../limits.ts'
import { toPlatform } from '../mapping/evaluate.ts'
import { type Link, NameTaken, type Operation, type StoredResource, type StoreWriter } from '../store/store.ts'
import type { Asked, ProvisionedConnection, World } from './connection.ts'
import { isActiveDocument, keysOf, parseDocument } from './document.ts'
import { refuseFirst } from './reach.ts'

export interface Accepted {
  readonly resourceId: string
  readonly operationId: number
  /** The unfinished operation of the same link that this one replaces. */
  readonly replacedId: number | undefined
  /** A POST that repeats one whose answer was lost. */
  readonly isRepeat: boolean
}

/** The canonical document and what the client said about `active`. */
export interface WantedUser {
  readonly document: JsonObject
  /** As sent; undefined when the client did not say. */
  readonly active: boolean | undefined
}

export interface AcceptContext {
  readonly connection: ProvisionedConnection
  readonly world: World
  readonly asked: Asked
  /** Whether the 2xx of this user's create reached the socket, though the store may not know yet. */
  readonly isFlushed: (id: string) => boolean
}

export async function acceptCreate(write: StoreWriter, context: AcceptContext, user: WantedUser): Promise<Accepted> {
  const { connection, world } = context
  const { userName } = user.document
  const existing =
    typeof userName === 'string' ? await write.findByUniqueName(connection.name, 'User', userName) : undefined
  if (existing !== undefined) return acceptAgain(write, context, user, existing)
  await refuseWhenFull(write, connection)
  const id = world.newId()
  const document = withId(user.document, id)
  refuseInexpressible(connection, document, true)
  const now = new Date(world.clock.now()).toISOString()
  await write.insertResource(connection.name, {
    type: 'User',
    id,
    json: JSON.stringify(document),
    keys: keysOf(document),
    visible: connection.mode === 'deferred',
    now,
  })
  await write.putLink(newLink(connection.name, id, document))
  return putOperation(write, context, {
    id,
    kind: 'create',
    document,
    active: user.active,
    before: undefined,
    version: 1,
  })
}

/** The userName is known: a proposed user is joined, an unanswered POST repeated, anything else is a duplicate. */
async function acceptAgain(
  write: StoreWriter,
  context: AcceptContext,
  user: WantedUser,
  existing: StoredResource & { visible: boolean },
): Promise<Accepted> {
  const { connection } = context
  const link = await write.getLink(connection.name, existing.id)
  const operation = await write.getOperation(connection.name, existing.id)
  if (operation?.kind === 'delete') throw beingDeleted(connection)
  const before = parseDocument(existing.json)
  const isSamePerson = typeof user.document.externalId === 'string' && user.document.externalId === before.externalId
  const wasAnswered = link?.state !== 'live' || link.wasFlushed || context.isFlushed(existing.id)
  if (existing.visible && (wasAnswered || !isSamePerson)) throw duplicate()
  const document = withId(user.document, existing.id)
  refuseInexpressible(connection, document, !existing.visible)
  const stored = await update(write, context, existing, document)
  const kind = existing.visible ? 'update' : 'create'
  const accepted = await putOperation(write, context, {
    id: existing.id,
    kind,
    document,
    active: user.active,
    before: existing.visible ? existing.json : undefined,
    version: stored.version,
    replaced: operation,
  })
  return { ...accepted, isRepeat: existing.visible }
}

/** Computes the wanted user from the stored one; undefined when nothing changes. */
export type ComputeUser = (current: StoredResource) => WantedUser | undefined

/**
 * Read, computed and stored in one transaction. `missing`: there is no such user. `done`: nothing changes and nothing of
 * this user is unfinished. A request that changes nothing while an earlier one is unfinished waits for that one.
 */
export async function acceptUpdate(
  write: StoreWriter,
  context: AcceptContext,
  id: string,
  compute: ComputeUser,
): Promise<Accepted | 'missing' | 'done'> {
  const { connection } = context
  const current = await write.getResource(connection.name, 'User', id)
  if (current === undefined) return 'missing'
  const user = compute(current)
  const operation = await write.getOperation(connection.name, id)
  if (operation?.kind === 'delete') throw beingDeleted(connection)
  if (user === undefined) {
    if (operation === undefined) return 'done'
    await rearm(write, context, operation)
    return { resourceId: id, operationId: operation.id, replacedId: undefined, isRepeat: true }
  }
  const document = withId(user.document, id)
  if (isActiveDocument(document)) {
    await refuseWhenFull(write, connection)
    refuseInexpressible(connection, document, operation?.kind === 'create')
  }
  const stored = await update(write, context, current, document)
  return putOperation(write, context, {
    id,
    kind: operation?.kind ?? 'update',
    document,
    active: user.active,
    before: current.json,
    version: stored.version,
    replaced: operation,
  })
}

/** Until the account is off or gone, the user stays visible, switched off. Undefined: no such user. */
export async function acceptDelete(
  write: StoreWriter,
  context: AcceptContext,
  id: string,
  isExpected: (version: number) => boolean,
): Promise<Accepted | undefined> {
  const { connection } = context
  const current = await write.getAnyResource(connection.name, 'User', id)
  if (current === undefined || !current.visible) return undefined
  if (!isExpected(current.version)) throw new Problem(412, undefined, 'The user was changed meanwhile; read it again.')
  if (connection.mapping.lifecycle.delete === 'refuse') {
    throw new Problem(
      400,
      'mutability',
      'This connection refuses deletion (lifecycle.delete: refuse in its mapping); set active to false instead.',
    )
  }
  const operation = await write.getOperation(connection.name, id)
  if (operation?.kind === 'delete') {
    await rearm(write, context, operation)
    return { resourceId: id, operationId: operation.id, replacedId: undefined, isRepeat: true }
  }
  const document: JsonObject = { ...parseDocument(current.json), active: false }
  const stored = await update(write, context, current, document)
  // Deferred mode answers 204 now, and a deleted user is gone from then on.
  if (connection.mode === 'deferred') await write.hideResource(connection.name, 'User', id)
  return putOperation(write, context, {
    id,
    kind: 'delete',
    document,
    active: false,
    before: current.json,
    version: stored.version,
    replaced: operation,
  })
}

async function rearm(write: StoreWriter, { connection, world }: AcceptContext, operation: Operation): Promise<void> {
  await write.updateOperation(connection.name, operation.id, {
    state: 'waiting',
    dueAt: world.clock.now() + requestBudgetMs,
  })
}

async function update(
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

async function putOperation(write: StoreWriter, context: AcceptContext, intent: Intent): Promise<Accepted> {
  const { connection, world, asked } = context
  const now = world.clock.now()
  const isOn = intent.kind !== 'delete' && isActiveDocument(intent.document)
  const { replaced } = intent
  const operationId = await write.putOperation(connection.name, {
    resourceId: intent.id,
    kind: intent.kind,
    isDeprovisioning: !isOn,
    // A replaced operation's wish to switch on lives on while the resource is still to be on; nothing else may switch on.
    mayActivate: isOn && (intent.active === true || replaced?.mayActivate === true),
    // What the identity provider was last told is the state before the *first* unfinished operation.
    before: replaced === undefined ? intent.before : replaced.before,
    version: intent.version,
    // The request attempts it itself; after a crash the outbox takes it when this time has come.
    dueAt: connection.mode === 'deferred' ? now : now + requestBudgetMs,
    requestId: asked.requestId,
    caller: asked.caller,
    createdAt: new Date(now).toISOString(),
    unknownSince: replaced?.unknownSince,
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
  return { resourceId: intent.id, operationId, replacedId: replaced?.id, isRepeat: false }
}

/** Said before anything is stored: a resource that the mapping cannot express is refused at once, in both write modes. */
function refuseInexpressible(connection: ProvisionedConnection, document: JsonObject, isNew: boolean): void {
  const { refusals, createRefusals } = toPlatform(connection.mapping, connection.facts, document, {
    activeDefault: true,
  })
  refuseFirst(connection, isNew ? [...refusals, ...createRefusals] : refusals)
}

async function refuseWhenFull(write: StoreWriter, connection: ProvisionedConnection): Promise<void> {
  if ((await write.countOperations(connection.name)) < operationsPerConnection) return
  throw new Problem(429, undefined, 'Too many changes are waiting for the platform; try again later.', {
    headers: { 'Retry-After': '300' },
  })
}

function newLink(connection: string, resourceId: string, document: JsonObject): Link {
  return {
    connection,
    resourceId,
    state: 'proposed',
    accountId: undefined,
    applied: undefined,
    lastAppliedAt: undefined,
    drift: [],
    wasFlushed: false,
    userName: typeof document.userName === 'string' ? document.userName : undefined,
    externalId: typeof document.externalId === 'string' ? document.externalId : undefined,
    deletedAt: undefined,
    invitedAt: undefined,
    invitations: 0,
  }
}

/** `schemas` and `id` come first: clients and people look for them there. */
function withId(document: JsonObject, id: string): JsonObject {
  const { schemas, ...rest } = document
  return { schemas: schemas ?? [], id, ...rest }
}

function duplicate(): Problem {
  return new Problem(409, 'uniqueness', 'A user with this userName exists already; find it by userName and update it.')
}

function beingDeleted(connection: ProvisionedConnection): Problem {
  return new Problem(connection.busyStatus, undefined, 'This user is being deleted; try again when that is done.', {
    headers: { 'Retry-After': '30' },
  })
}
