import { consoleRows } from '../limits.ts'
import { auditOrder, checkOrder, type Order } from '../provision/operator-order.ts'
import { operatorCaller } from '../provision/reconcile-operation.ts'
import { type Situation, situations, type Walk } from '../store/walk-store.ts'
import { act, confirmationPage } from './act.ts'
import type { ConsoleOptions } from './console.ts'
import { type Answer, type Page, queryText } from './view.ts'
import { chosenConnection, noSuchPage, type Visit, visibleTo } from './visit.ts'

const meanings: Readonly<Record<Situation, string>> = {
  linked: 'as wanted',
  drifted: 'linked, and differs from what is stored',
  deleted: 'linked, and gone from the platform',
  unlinked: 'nobody is linked, and exactly one person fits',
  disputed: 'two accounts for one person, or one for two: choose whose it is',
  revived: 'belonged to somebody who was deleted, and is on again',
  protected: 'never written',
  former: 'belonged to somebody who was deleted, and is off',
  unmatched: "nobody's",
}
/** Those that somebody has to look at. */
const listed: readonly Situation[] = ['drifted', 'disputed', 'deleted', 'unlinked', 'revived']

/** What the last finished reconcile has found, and what can be done about it. */
export function createFindings({ connections, store }: ConsoleOptions): (visit: Visit) => Promise<Page> {
  return async (visit) => {
    const { name, provision } = chosenConnection(visit, connections)
    const [walk, current] = await Promise.all([store.lastFinishedWalk(name, 'reconcile'), store.currentWalk(name)])
    const situation = listed.find((one) => one === visit.query.get('situation')) ?? firstOf(walk)
    const afterAccount = visit.query.get('after') ?? ''
    const query = { situation, afterAccount, limit: consoleRows + 1 }
    const found = walk === undefined ? [] : await store.findings(name, walk.number, query)
    const shown = found.slice(0, consoleRows)
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
        findings: shown,
        next: found.length > consoleRows ? shown.at(-1)?.accountId : undefined,
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
    const work = async (order: Order) => {
      checkOrder(order)
      await store.transaction(async (write) => {
        const choices = { isRepair, isRecreate: false, isDryRun: false }
        const caller = operatorCaller(order.operator)
        await write.addWalk(name, { purpose: 'reconcile', caller, ...choices, askedAt: clock.now() })
        const world = { clock, newId: () => visit.requestId }
        await auditOrder(write, world, name, order, { action: 'reconcile', detail: { isRepair } })
      })
      return { affected: 1, text: 'the walk over the accounts begins when nothing else waits for the platform' }
    }
    return act(visit, work, `/findings${queryText({ connection: name })}`)
  }
}

function walkActionOf({ parameters }: Visit): WalkAction {
  const action = walkActions.find((one) => one === parameters.action)
  if (action === undefined) throw noSuchPage()
  return action
}
