import { reapplyBacklog, reapplyBatchSize } from '../limits.ts'
import type { OperatorRequest } from '../store/operator-store.ts'
import type { Link, Operation, StoredResource, StoreWriter } from '../store/store.ts'
import { isActiveDocument, parseDocument } from './document.ts'
import { isHeld } from './guardrails.ts'
import { sinceWhen } from './intent.ts'
import type { OperatorContext } from './operator.ts'
import { auditOrder, type Done, NotDone, type Order } from './operator-order.ts'
import { onSubject } from './operator-subject.ts'
import { isLetGo } from './reach-let-go.ts'
import { operatorCaller, putOwnOperation } from './reconcile-operation.ts'

export interface ReappliedBatch extends Done {
  /** Users passed by: without an account of ours, held, or with unfinished work that does the same. */
  readonly passedBy: number
  /** Of the connection. */
  readonly users: number
  /** Where the next batch goes on; undefined: these were the last ones. */
  readonly place: number | undefined
}

export function reapply(context: OperatorContext, order: Order, user: string): Promise<Done> {
  const { name } = context.connection
  return onSubject(context, user, async (write, resourceId) => {
    const resource = await write.getResource(name, 'User', resourceId)
    const link = await write.getLink(name, resourceId)
    const operation = await write.getOperation(name, resourceId)
    if (isHeld(operation)) throw new NotDone('held', 'the work on this user is held; release it')
    if (operation !== undefined && operation.state !== 'failed')
      throw new NotDone('unfinished', 'the work on this user is unfinished and does the same; use retry to hurry it')
    if (resource === undefined || link === undefined || link.state !== 'live')
      throw new NotDone('no_account', 'this user has no account yet; use retry to have it made')
    if (isLetGo(link)) throw new NotDone('no_account', 'the account of this user was let go; link one with adopt')
    await putReapplied(write, context, order, { resource, link, operation })
    return { affected: 1, text: 'the account is brought to what is stored now' }
  })
}

export function reapplyBatch(context: OperatorContext, order: Order, place: number): Promise<ReappliedBatch> {
  const { connection, world } = context
  const { name } = connection
  return world.store.transaction(async (write) => {
    // Requests of identity providers must find room, and their turn, beside it.
    const waiting = await write.dueOperations(name, Number.MAX_SAFE_INTEGER, reapplyBacklog)
    const room = Math.min(reapplyBatchSize, reapplyBacklog - waiting.length)
    const count = await write.count(name, 'User')
    if (room <= 0)
      return { affected: 0, passedBy: 0, users: count, place, text: 'the outbox is full; it goes on when work is done' }
    const users = await write.list(name, { type: 'User', afterSeq: place, limit: room })
    const ids = users.map(({ id }) => id)
    const operations = new Map((await write.operationsOf(name, ids)).map((one) => [one.resourceId, one]))
    let affected = 0
    for (const resource of users) {
      const link = await write.getLink(name, resource.id)
      const operation = operations.get(resource.id)
      const isUnfinished = operation !== undefined && operation.state !== 'failed'
      if (link?.state !== 'live' || isLetGo(link) || isUnfinished) continue
      await putReapplied(write, context, order, { resource, link, operation })
      affected += 1
    }
    const last = users.length < room ? undefined : users.at(-1)?.seq
    return {
      affected,
      passedBy: users.length - affected,
      users: count,
      place: last,
      text: `${affected} accounts are written again`,
    }
  })
}

/** Leaves it to the loop of `operator-requests.ts`, which goes on with it over restarts. */
export function reapplyAll({ connection, world }: OperatorContext, { operator, why }: Order): Promise<Done> {
  const { name } = connection
  return world.store.transaction(async (write) => {
    const last = await write.lastReapplyRequest(name)
    if (last !== undefined && isUnfinished(last))
      throw new NotDone('unfinished', `all users of ${name} are being written again already; wait, or cancel that`)
    const request = { action: 'reapply_all', operator, why, resourceId: undefined, detail: {} }
    await write.addOperatorRequest(name, { ...request, askedAt: world.clock.now() })
    return {
      affected: await write.count(name, 'User'),
      text: 'they are written again in portions, as the outbox has room',
    }
  })
}

export function cancelReapply({ connection, world }: OperatorContext, order: Order): Promise<Done> {
  const { name } = connection
  return world.store.transaction(async (write) => {
    const answer = `cancelled by ${order.operator}: what is in line already is written, the rest is left as it is`
    const affected = await write.cancelReapplyRequests(name, answer, world.clock.now())
    if (affected === 0)
      throw new NotDone('nothing_unfinished', `nobody writes all users of ${name} again at the moment`)
    await auditOrder(write, world, name, order, { action: 'cancel_reapply', detail: { affected } })
    return { affected, text: 'no more accounts are put in line; what is in line already is written' }
  })
}

export function isUnfinished({ phase }: Pick<OperatorRequest, 'phase'>): boolean {
  return phase === 'asked' || phase === 'running'
}

interface Present {
  readonly resource: StoredResource
  readonly link: Link
  /** Failed, and replaced by this one. */
  readonly operation: Operation | undefined
}

export async function putReapplied(
  write: StoreWriter,
  { connection, world }: Pick<OperatorContext, 'connection' | 'world'>,
  order: Order,
  { resource, link, operation }: Present,
  action: 'reapply' | 'adopt' = 'reapply',
): Promise<void> {
  const isOn = isActiveDocument(parseDocument(resource.json))
  await putOwnOperation(write, world, {
    connection: connection.name,
    caller: operatorCaller(order.operator),
    requestId: world.newId(),
    resourceId: resource.id,
    accountId: link.accountId,
    kind: 'update',
    about: 'both',
    isDeprovisioning: !isOn,
    // Only what a request has asked for explicitly and has not got yet.
    mayActivate: isOn && operation?.mayActivate === true,
    before: resource.json,
    version: resource.version,
    unknownSince: operation?.unknownSince,
    createdAt: sinceWhen(operation, isOn),
    detail: { action, why: order.why },
  })
}
