import { consoleRows } from '../limits.ts'
import {
  askWalk,
  listedSituations as listed,
  situationMeanings as meanings,
  readFindings,
} from '../operator/findings.ts'
import type { Order } from '../provision/operator-order.ts'
import { type Situation, situations, type Walk } from '../store/walk-store.ts'
import { act, confirmationPage } from './act.ts'
import type { ConsoleOptions } from './console.ts'
import { type Answer, type Page, queryText } from './view.ts'
import { chosenConnection, noSuchPage, type Visit, visibleTo } from './visit.ts'

/** What the last finished reconcile has found, and what can be done about it. */
export function createFindings({ connections, store }: ConsoleOptions): (visit: Visit) => Promise<Page> {
  return async (visit) => {
    const { name, provision } = chosenConnection(visit, connections)
    const [walk, current] = await Promise.all([store.lastFinishedWalk(name, 'reconcile'), store.currentWalk(name)])
    const situation = listed.find((one) => one === visit.query.get('situation')) ?? firstOf(walk)
    const afterAccount = visit.query.get('after') ?? ''
    const query = { situation, afterAccount, limit: consoleRows }
    const found = walk === undefined ? undefined : await readFindings(store, name, walk.number, query)
    return {
      title: 'Reconcile',
      template: 'findings',
      section: 'findings',
      content: {
        connection: name,
        names: visibleTo(visit, connections).map((one) => one.name),
        platform: provision.connection.facts.title,
        current: current && { accounts: current.accounts, error: current.error, askedAt: current.askedAt },
        walk: walk && { at: walk.finishedAt, accounts: walk.accounts, caller: walk.caller, isShort: walk.isShort },
        counts: situations.map((one) => ({
          situation: one,
          meaning: meanings[one],
          count: walk?.counts[one] ?? 0,
          isListed: listed.includes(one),
        })),
        situation,
        findings: found?.findings ?? [],
        next: found?.next,
      },
    }
  }
}

function firstOf(walk: Walk | undefined): Situation {
  return listed.find((situation) => (walk?.counts[situation] ?? 0) > 0) ?? 'drifted'
}

const walkActions = ['report', 'repair'] as const
type WalkAction = (typeof walkActions)[number]

const words: Readonly<Record<WalkAction, { readonly label: string; readonly meaning: string }>> = {
  report: {
    label: 'Reconcile now',
    meaning:
      'All accounts are read and compared, at the lowest priority. Nothing is written but what was accepted long ago: people who are off are switched off again.',
  },
  repair: {
    label: 'Reconcile and repair',
    meaning:
      'All accounts are read and compared; what differs is brought to what is stored, and accounts that fit exactly one person are linked. Disputed accounts and those that are gone are left to you.',
  },
}

/** Asks for confirmation. */
export function createAskWalk({ connections }: ConsoleOptions): (visit: Visit) => Promise<Answer> {
  return async (visit) => {
    const { name } = chosenConnection(visit, connections)
    const { label, meaning } = words[walkActionOf(visit)]
    return confirmationPage({
      title: label,
      section: 'findings',
      meaning: `${name}: ${meaning}`,
      button: label,
      action: `/findings/${walkActionOf(visit)}`,
      back: `/findings${queryText({ connection: name })}`,
      hidden: { connection: name },
    })
  }
}

/** Puts it in line: one walk goes at a time. */
export function createStartWalk({ connections, store, clock }: ConsoleOptions): (visit: Visit) => Promise<Answer> {
  return async (visit) => {
    const { name } = chosenConnection(visit, connections)
    const isRepair = walkActionOf(visit) === 'repair'
    const choices = { isRepair, requestId: visit.requestId }
    const work = (order: Order) => askWalk({ store, clock }, name, order, choices)
    return act(visit, work, `/findings${queryText({ connection: name })}`)
  }
}

function walkActionOf({ parameters }: Visit): WalkAction {
  const action = walkActions.find((one) => one === parameters.action)
  if (action === undefined) throw noSuchPage()
  return action
}
