import { operationStates, operationsOfCause, readCauses } from '../operator/causes.ts'
import { errorText } from '../operator/words.ts'
import { doneAnswer, timeOf } from './done.ts'
import { readOrder } from './order.ts'
import { writeCursor } from './parameters.ts'
import { shownOperation } from './people.ts'
import { AdminProblem } from './problems.ts'
import { type AdminOptions, type AdminVisit, connectionOf } from './visit.ts'

/** What is unfinished, by cause; what failed first. */
export function createCauses({ store, ...options }: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const { name, provision } = connectionOf(visit, options)
    const { causes, isCut, hasGuardrailHold } = await readCauses(store, name)
    return {
      suspendedFor: provision.suspension(),
      hasGuardrailHold,
      isCut,
      items: causes.map(({ state, errorKind, errorMessage, count, since, mayRetry }) => ({
        state,
        errorKind,
        errorText: errorText(errorKind),
        errorMessage,
        count,
        since,
        mayRetry,
      })),
    }
  }
}

/** The operations of one cause, as `causes` tells it apart. */
export function createOperations({ store, ...options }: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const { name } = connectionOf(visit, options)
    const { query } = visit
    const state = query.choice('state', operationStates)
    if (state === undefined) throw new AdminProblem('invalid_parameter', 'The parameter state is missing.')
    const errorMessage = query.text('errorMessage')
    const isAnyText = errorMessage === undefined
    const cause = { state, errorKind: query.text('errorKind'), errorMessage, isAnyText }
    const { operations, next } = await operationsOfCause(
      store,
      name,
      cause,
      query.number('operations') ?? 0,
      query.limit(),
    )
    return {
      items: operations.map((operation) => ({ ...shownOperation(operation), title: operation.title })),
      next: writeCursor('operations', next),
    }
  }
}

/** All of one cause; of one person it is an action of the person. */
export function createRetryCause(options: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const { name, provision } = connectionOf(visit, options)
    const ordered = readOrder(visit, { errorKind: 'text', errorMessage: 'text' }, ['errorKind'])
    const cause = { kind: ordered.text('errorKind') ?? '', message: ordered.text('errorMessage') }
    return doneAnswer(name, 'retry_cause', await provision.operator.retryCause(ordered.order, cause))
  }
}

type Whole = 'resume' | 'releaseAll' | 'reapplyAll' | 'cancelReapply'
const actionNames: Readonly<Record<Whole, string>> = {
  resume: 'resume',
  releaseAll: 'release_all',
  reapplyAll: 'reapply_all',
  cancelReapply: 'cancel_reapply',
}

/** What needs a reason only. */
export function createWholeAction(options: AdminOptions, action: Whole): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const { name, provision } = connectionOf(visit, options)
    const { order } = readOrder(visit)
    return doneAnswer(name, actionNames[action], await provision.operator[action](order))
  }
}

/** How far the last writing of all accounts has come. */
export function createReapply({ store, ...options }: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const { name } = connectionOf(visit, options)
    const last = await store.lastReapplyRequest(name)
    return {
      last: last && {
        phase: last.phase,
        affected: last.affected,
        total: last.total,
        text: last.answer,
        askedBy: last.operator,
        why: last.why,
        askedAt: timeOf(last.askedAt),
        finishedAt: timeOf(last.finishedAt),
      },
    }
  }
}
