/**
 * The first commit: what was asked becomes durable, before anything is called. Each function runs inside one transaction
 * and answers the operation that carries the request.
 */
import { Problem } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { operationsPerConnection } from '../limits.ts'
import { toPlatform } from '../mapping/evaluate.ts'
import type { Link, Operation, StoredResource, StoreWriter } from '../store/store.ts'
import type { ProvisionedConnection } from './connection.ts'
import { isActiveDocument, keysOf, parseDocument, withId } from './document.ts'
import { type AcceptContext, type Accepted, duplicate, joinOperation, putOperation, storeDocument } from './intent.ts'
import { refuseFirst } from './reach.ts'
import { losesUnknownCreate, unknownCreateText } from './unknown-create.ts'

/** The canonical document and what the client said about `active`. */
export interface WantedUser {
  readonly document: JsonObject
  /** As sent; undefined when the client did not say. */
  readonly active: boolean | undefined
}

export async function acceptCreate(write: StoreWriter, context: AcceptContext, user: WantedUser): Promise<Accepted> {
  const { connection, world } = context
  const { userName } = user.document
  const [existing, waiting] = await Promise.all([
    typeof userName === 'string' ? write.findByUniqueName(connection.name, 'User', userName) : undefined,
    write.countOperations(connection.name),
  ])
  if (existing !== undefined) return acceptAgain(write, context, user, existing)
  refuseWhenFull(waiting)
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
  const wasAnswered = link === undefined || link.wasFlushed || context.isFlushed(existing.id)
  if (existing.visible && (wasAnswered || !isSamePerson)) throw duplicate()
  // Nothing but an explicit `active: true` switches on, also where the POST is repeated.
  const active = existing.visible && user.active === undefined ? isActiveDocument(before) : user.document.active
  const document = withId({ ...user.document, ...(active === undefined ? {} : { active }) }, existing.id)
  refuseInexpressible(connection, document, !existing.visible)
  const change = { from: before, to: document }
  if (operation !== undefined && losesUnknownCreate(connection, link, operation, change)) {
    return acceptDepartureAlone(write, context, existing, operation, change)
  }
  const stored = await storeDocument(write, context, existing, document)
  return putOperation(write, context, {
    id: existing.id,
    kind: operation?.kind ?? (existing.visible ? 'update' : 'create'),
    document,
    active: user.active,
    before: existing.visible ? existing.json : undefined,
    version: stored.version,
    replaced: operation,
  })
}

/** Computes the wanted user from the stored one. `changed` false: the documents are the same. */
export type ComputeUser = (current: StoredResource) => WantedUser & { readonly changed: boolean }

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
  const [current, operation, waiting] = await Promise.all([
    write.getResource(connection.name, 'User', id),
    write.getOperation(connection.name, id),
    write.countOperations(connection.name),
  ])
  if (current === undefined) return 'missing'
  const user = compute(current)
  if (operation?.kind === 'delete') throw beingDeleted(connection)
  if (!user.changed && !(await mustSwitchOn(write, connection, id, user, operation))) {
    // What its memberships still have to give or take is no matter of this request.
    if (operation === undefined || operation.about === 'grants') return 'done'
    // A departure stays what was promised to another request, unless this one says so, too.
    return joinOperation(write, context, operation, !operation.isDeprovisioning || user.active === false)
  }
  const document = withId(user.document, id)
  if (isActiveDocument(document)) {
    refuseWhenFull(waiting)
    refuseInexpressible(connection, document, operation?.kind === 'create')
  }
  if (operation !== undefined) {
    const change = { from: parseDocument(current.json), to: document }
    const link = await write.getLink(connection.name, id)
    if (losesUnknownCreate(connection, link, operation, change))
      return acceptDepartureAlone(write, context, current, operation, change)
  }
  const { version } = user.changed ? await storeDocument(write, context, current, document) : current
  return putOperation(write, context, {
    id,
    kind: operation?.kind ?? 'update',
    document,
    active: user.active,
    before: current.json,
    version,
    replaced: operation,
  })
}

/** Nothing of the request is kept but that somebody leaves: their account is switched off wherever it is found. */
async function acceptDepartureAlone(
  write: StoreWriter,
  context: AcceptContext,
  current: StoredResource & { readonly visible?: boolean },
  operation: Operation,
  { from, to }: { readonly from: JsonObject; readonly to: JsonObject },
): Promise<Accepted> {
  const notKeptBecause = unknownCreateText
  if (isActiveDocument(to) || !isActiveDocument(from))
    return { ...(await joinOperation(write, context, operation, false)), notKeptBecause }
  const document: JsonObject = { ...from, active: false }
  const { version } = await storeDocument(write, context, current, document)
  const accepted = await putOperation(write, context, {
    id: current.id,
    kind: operation.kind,
    document,
    active: false,
    before: current.visible === false ? undefined : current.json,
    version,
    replaced: operation,
  })
  return { ...accepted, notKeptBecause }
}

/** SCIM says "on" already, but the account was left off, or is about to be: an explicit `active: true` still means something. */
async function mustSwitchOn(
  write: StoreWriter,
  connection: ProvisionedConnection,
  id: string,
  user: WantedUser,
  operation: Operation | undefined,
): Promise<boolean> {
  if (user.active !== true) return false
  // One about grants alone leaves the account as it is.
  if (operation !== undefined && operation.about !== 'grants') return !operation.mayActivate
  const link = await write.getLink(connection.name, id)
  return connection.facts.statusAttributes.some((attribute) => link?.drift.includes(attribute) === true)
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
    return joinOperation(write, context, operation, true)
  }
  const document: JsonObject = { ...parseDocument(current.json), active: false }
  const stored = await storeDocument(write, context, current, document)
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

/** Said before anything is stored: a resource that the mapping cannot express is refused at once, in both write modes. */
function refuseInexpressible(connection: ProvisionedConnection, document: JsonObject, isNew: boolean): void {
  const { refusals, createRefusals } = toPlatform(connection.mapping, connection.facts, document, {
    activeDefault: true,
  })
  refuseFirst(connection, isNew ? [...refusals, ...createRefusals] : refusals)
}

function refuseWhenFull(waiting: number): void {
  if (waiting < operationsPerConnection) return
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
    grants: [],
    unlinkedAccountId: undefined,
  }
}

function beingDeleted(connection: ProvisionedConnection): Problem {
  return new Problem(connection.busyStatus, undefined, 'This user is being deleted; try again when that is done.', {
    headers: { 'Retry-After': '30' },
  })
}
