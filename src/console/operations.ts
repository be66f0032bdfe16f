import { consoleCauses, consoleRows } from '../limits.ts'
import type { Order } from '../provision/operator-order.ts'
import type { CauseCount } from '../store/console-store.ts'
import { act, confirmationPage } from './act.ts'
import type { ConsoleOptions } from './console.ts'
import { personOf } from './people-search.ts'
import { type Answer, type Page, queryText } from './view.ts'
import { chosenConnection, noSuchPage, numberOf, type Visit, visibleTo } from './visit.ts'
import { counted, errorText, stateText } from './words.ts'

type State = CauseCount['state']
const states: readonly State[] = ['failed', 'held', 'waiting', 'running']

/** What is unfinished, by cause: what failed first. */
export function createOperations({ connections, store }: ConsoleOptions): (visit: Visit) => Promise<Page> {
  return async (visit) => {
    const { name, provision } = chosenConnection(visit, connections)
    const causes = await store.causes(name, consoleCauses)
    const sorted = [...causes].sort((a, b) => states.indexOf(a.state) - states.indexOf(b.state) || b.count - a.count)
    const suspension = provision.suspension()
    return {
      title: 'Operations',
      template: 'operations',
      section: 'operations',
      content: {
        connection: name,
        names: visibleTo(visit, connections).map((one) => one.name),
        suspension: suspension === undefined ? undefined : errorText(suspension),
        hasGuardrailHold: causes.some(({ state, errorKind }) => state === 'held' && errorKind !== 'operator'),
        isCut: causes.length === consoleCauses,
        causes: sorted.map((cause) => ({
          ...cause,
          text: errorText(cause.errorKind),
          stateText: stateText(cause.state),
          mayRetry: cause.errorKind !== undefined && (cause.state === 'failed' || cause.state === 'waiting'),
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
    const found = await store.operationsOfCause(name, cause, after, consoleRows + 1)
    const shown = found.slice(0, consoleRows)
    return {
      title: `Operations: ${stateText(cause.state)}`,
      template: 'operations-of-cause',
      section: 'operations',
      content: {
        connection: name,
        cause,
        text: errorText(cause.errorKind),
        next: found.length > consoleRows ? shown.at(-1)?.id : undefined,
        operations: await Promise.all(
          shown.map(async (operation) => {
            const { id, kind, attempts, createdAt, dueAt, resourceId, isDeprovisioning, state } = operation
            const user = await store.getResource(name, 'User', resourceId)
            const group = operation.about === 'group' ? await store.getResource(name, 'Group', resourceId) : undefined
            const person = user === undefined ? undefined : personOf(JSON.parse(user.json))
            const link = person === undefined ? await store.getLink(name, resourceId) : undefined
            const title = person?.userName ?? link?.userName ?? displayNameOf(group?.json) ?? resourceId
            const nextAt = state === 'waiting' ? dueAt : undefined
            return { id, kind, attempts, createdAt, resourceId, isDeprovisioning, nextAt, title }
          }),
        ),
      },
    }
  }
}

function displayNameOf(json: string | undefined): string | undefined {
  const name: unknown = json === undefined ? undefined : JSON.parse(json).displayName
  return typeof name === 'string' ? name : undefined
}

function causeOf({ query }: Visit): Pick<CauseCount, 'state' | 'errorKind' | 'errorMessage'> {
  const state = states.find((one) => one === query.get('state'))
  if (state === undefined) throw noSuchPage()
  return { state, errorKind: query.get('kind') ?? undefined, errorMessage: query.get('message') ?? undefined }
}

const wholeActions = ['retry-cause', 'release-all', 'resume'] as const
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
