/**
 * Requests of operators that came in beside the running bridge: taken up in their order, one at a time, soon, by one of the
 * processes that share the store. Another one goes on with what a process that died had taken up.
 */
import { rememberedRequests } from '../limits.ts'
import { claimTask, type SharedTask, whileClaimed } from '../store/claim-store.ts'
import type { OperatorRequest } from '../store/operator-store.ts'
import { storeOfClaim } from './claims.ts'
import type { ProvisionedConnection, World } from './connection.ts'
import { createOperator, type OperatorActions, type Workplace } from './operator.ts'
import { type Done, NotDone, type Order } from './operator-order.ts'

const tickMs = 500

/** What can be asked for beside the bridge, by the word in the store. */
export const requestedActions = [
  'retry',
  'retry_cause',
  'resume',
  'hold',
  'release',
  'release_all',
  'reapply',
  'reapply_all',
  'cancel_reapply',
  'unlink',
  'adopt',
] as const
export type RequestedAction = (typeof requestedActions)[number]

export interface OperatorRequests {
  start(): void
  /** A long one goes on with the next start. */
  stop(): Promise<void>
}

export function createOperatorRequests(
  connection: ProvisionedConnection,
  world: World,
  workplace: Workplace,
): OperatorRequests {
  const { clock, log } = world
  const { name } = connection
  const task: SharedTask = { connection: name, kind: 'requests', name: '' }
  // Who was taken for dead meanwhile does nothing more: another one is at it.
  const store = storeOfClaim(world.store, (write) => claimTask(write, task))
  const operator = createOperator(connection, { ...world, store }, workplace)
  const stopping = new AbortController()
  let loop: Promise<void> | undefined

  /** False: nothing is left to do here now. */
  async function turn(): Promise<boolean> {
    // Mostly nobody asks, and nothing has to be claimed.
    if ((await store.currentOperatorRequest(name)) === undefined) return false
    return (await whileClaimed(store, task, step)) ?? false
  }

  async function step(): Promise<boolean> {
    const request = await store.currentOperatorRequest(name)
    if (request === undefined) return false
    const next = await perform(operator, request)
    const isFinished = next.phase === 'done' || next.phase === 'refused'
    await store.transaction(async (write) => {
      const finishedAt = isFinished ? clock.now() : undefined
      await write.updateOperatorRequest(name, request.number, { ...next, finishedAt })
      if (isFinished) await write.forgetOperatorRequests(name, rememberedRequests)
    })
    return isFinished || next.place !== request.place
  }

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      let mayGoOn = false
      try {
        mayGoOn = await turn()
      } catch (error) {
        log.error({ connection: name, err: error }, 'what an operator asked for could not be done')
      }
      if (!mayGoOn) await clock.sleep(tickMs, stopping.signal).catch(() => undefined)
    }
  }

  return {
    start() {
      loop ??= work()
    },
    async stop() {
      stopping.abort(new Error('the bridge is stopping'))
      await loop
    },
  }
}

type Progress = Pick<OperatorRequest, 'phase' | 'place' | 'affected' | 'total' | 'answer'>

/** One step of it. Throws what a failing store throws: the request is tried again then. */
export async function perform(operator: OperatorActions, request: OperatorRequest): Promise<Progress> {
  const { place, affected, total } = request
  try {
    if (request.action !== 'reapply_all') {
      const done = await performOnce(operator, request)
      return { phase: 'done', place, affected: done.affected, total, answer: done.text }
    }
    const batch = await operator.reapplyBatch(orderOf(request), place ?? 0)
    const soFar = affected + batch.affected
    const users = (total ?? batch.users) - batch.passedBy
    if (batch.place === undefined)
      return { phase: 'done', place, affected: soFar, total: users, answer: `${soFar} accounts are written again` }
    return { phase: 'running', place: batch.place, affected: soFar, total: users, answer: batch.text }
  } catch (error) {
    if (!(error instanceof NotDone)) throw error
    return { phase: 'refused', place, affected, total, answer: error.message }
  }
}

async function performOnce(operator: OperatorActions, request: OperatorRequest): Promise<Done> {
  const order = orderOf(request)
  const { action, resourceId = '', detail } = request
  switch (action) {
    case 'retry':
      return operator.retry(order, resourceId)
    case 'retry_cause':
      return operator.retryCause(order, { kind: textOf(detail.kind) ?? '', message: textOf(detail.message) })
    case 'resume':
      return operator.resume(order)
    case 'hold':
      return operator.hold(order, resourceId)
    case 'release':
      return operator.release(order, resourceId)
    case 'release_all':
      return operator.releaseAll(order)
    case 'reapply':
      return operator.reapply(order, resourceId)
    case 'cancel_reapply':
      return operator.cancelReapply(order)
    case 'unlink':
      return operator.unlink(order, resourceId, { isForced: detail.isForced === true })
    case 'adopt':
      return operator.adopt(order, resourceId, textOf(detail.accountId) ?? '')
    default:
      throw new NotDone('bad_order', `this bridge knows no action '${action}'`)
  }
}

function orderOf({ operator, why }: OperatorRequest): Order {
  return { operator, why }
}

function textOf(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
