import { consoleRows } from '../limits.ts'
import { operationStates, operationsOfCause, readCauses } from '../operator/causes.ts'
import { counted, errorText, stateText } from '../operator/words.ts'
import type { Order } from '../provision/operator-order.ts'
import { isUnfinished } from '../provision/operator-reapply.ts'
import type { CauseCount } from '../store/console-store.ts'
import { act, confirmationPage } from './act.ts'
import type { ConsoleOptions } from './console.ts'
import { type Answer, type Page, queryText } from './view.ts'
import { chosenConnection, noSuchPage, numberOf, type Visit, visibleTo } from './visit.ts'

/** What is unfinished, by cause: what failed first. */
export function createOperations({ connections, store }: ConsoleOptions): (visit: Visit) => Promise<Page> {
  return async (visit) => {
    const { name, provision } = chosenConnection(visit, connections)
    const { causes, ...rest } = await readCauses(store, name)
    const suspension = provision.suspension()
    const reapply = await store.lastReapplyRequest(name)
    return {
      title: 'Operations',
      template: 'operations',
      section: 'operations',
      content: {
        connection: name,
        names: visibleTo(visit, connections).map((one) => one.name),
        suspension: suspension === undefined ? undefined : errorText(suspension),
        ...rest,
        reapply: reapply && {
          isUnfinished: isUnfinished(reapply),
          affected: reapply.affected,
          total: reapply.total,
          text: reapply.answer,
          who: reapply.operator,
          at: reapply.finishedAt ?? reapply.askedAt,
        },
        causes: causes.map((cause) => ({
          ...cause,
          text: errorText(cause.errorKind),
          stateText: stateText(cause.state),
        })),
      },
    }
  }
}

/** The operations of one cause. */
export function createOperationsOfCause({ connections, store }: ConsoleOptions): (visit: Visit) => Promise<Page> {
  return async (visit) => {
    const { name } = chosenConnection(visit, connections)
    const cause = causeOf(visit)
    const after = numberOf(visit.query.get('after')) ?? 0
    const { operations, next } = await operationsOfCause(store, name, cause, after, consoleRows)
    return {
      title: `Operations: ${stateText(cause.state)}`,
      template: 'operations-of-cause',
      section: 'operations',
      content: {
        connection: name,
        cause,
        text: errorText(cause.errorKind),
        next,
        operations: operations.map(({ state, dueAt, ...operation }) => ({
          ...operation,
          nextAt: state === 'waiting' ? dueAt : undefined,
        })),
      },
    }
  }
}

function causeOf({ query }: Visit): Pick<CauseCount, 'state' | 'errorKind' | 'errorMessage'> {
  const state = operationStates.find((one) => one === query.get('state'))
  if (state === undefined) throw noSuchPage()
  return { state, errorKind: query.get('kind') ?? undefined, errorMessage: query.get('message') ?? undefined }
}

const wholeActions = ['retry-cause', 'release-all', 'resume', 'reapply-all', 'cancel-reapply'] as const
type WholeAction = (typeof wholeActions)[number]

const words: Readonly<Record<WholeAction, { readonly label: string; readonly meaning: string }>> = {
  'retry-cause': {
    label: 'Try all of this cause again',
    meaning:
      'Everything of the connection that failed of, or waits for, this very error is attempted again, at its pace.',
  },
  'release-all': {
    label: 'Release the departures that are held',
    meaning:
      'The guardrail has held them because unusually many people left within an hour. Released, they are carried out: these accounts are switched off or deleted now.',
  },
  resume: {
    label: 'Ask the platform now',
    meaning:
      'Calls are suspended. The platform is asked at once whether it is back; where wrong log-ins lock the service account, renew the credentials first.',
  },
  'reapply-all': {
    label: 'Apply all again',
    meaning:
      'Every account is read, and everything that differs from what is stored is written, in portions that leave room for others. Nobody is switched on by it.',
  },
  'cancel-reapply': {
    label: 'Stop applying all again',
    meaning: 'No more accounts are put in line. What is in line already is written.',
  },
}

/** Asks for confirmation. */
export function createAskWhole({ connections }: ConsoleOptions): (visit: Visit) => Promise<Answer> {
  return async (visit) => {
    const { name } = chosenConnection(visit, connections)
    const action = wholeActionOf(visit)
    const kind = visit.query.get('kind') ?? ''
    const message = visit.query.get('message') ?? ''
    const ofCause = action === 'retry-cause' ? ` ${errorText(kind)}. ${message}` : ''
    return confirmationPage({
      title: words[action].label,
      section: 'operations',
      meaning: `${name}: ${words[action].meaning}${ofCause}`,
      button: words[action].label,
      action: `/operations/${action}`,
      back: `/operations${queryText({ connection: name })}`,
      hidden: action === 'retry-cause' ? { connection: name, kind, message } : { connection: name },
    })
  }
}

/** Does it. */
export function createActOnWhole({ connections }: ConsoleOptions): (visit: Visit) => Promise<Answer> {
  return async (visit) => {
    const { name, provision } = chosenConnection(visit, connections)
    const action = wholeActionOf(visit)
    const { operator } = provision
    const message = visit.form.get('message') ?? ''
    const cause = { kind: visit.form.get('kind') ?? '', message: message === '' ? undefined : message }
    const work = async (order: Order) => {
      if (action === 'resume') return operator.resume(order)
      if (action === 'cancel-reapply') return operator.cancelReapply(order)
      if (action === 'reapply-all') {
        const { affected, text } = await operator.reapplyAll(order)
        return { affected, text: `${counted(affected, 'person', 'people')}: ${text}` }
      }
      const done = await (action === 'release-all' ? operator.releaseAll(order) : operator.retryCause(order, cause))
      return { ...done, text: `${counted(done.affected, 'operation', 'operations')}: ${done.text}` }
    }
    return act(visit, work, `/operations${queryText({ connection: name })}`)
  }
}

function wholeActionOf({ parameters }: Visit): WholeAction {
  const action = wholeActions.find((one) => one === parameters.action)
  if (action === undefined) throw noSuchPage()
  return action
}
