import { askWalk, readFindings, situationMeanings } from '../operator/findings.ts'
import { situations, type Walk } from '../store/walk-store.ts'
import { doneAnswer, timeOf } from './done.ts'
import { readOrder } from './order.ts'
import { writeCursor } from './parameters.ts'
import { type AdminOptions, type AdminVisit, connectionOf } from './visit.ts'

/** The last finished reconcile, and the walk that is under way or in line. */
export function createReconcile({ store, ...options }: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const { name } = connectionOf(visit, options)
    const [last, current] = await Promise.all([store.lastFinishedWalk(name, 'reconcile'), store.currentWalk(name)])
    return {
      last: last && {
        ...shownWalk(last),
        isShort: last.isShort,
        finishedAt: timeOf(last.finishedAt),
        counts: situations.map((situation) => ({
          situation,
          meaning: situationMeanings[situation],
          count: last.counts[situation] ?? 0,
        })),
      },
      current: current && { ...shownWalk(current), phase: current.phase, error: current.error },
    }
  }
}

function shownWalk({ number, purpose, caller, isRepair, accounts, askedAt }: Walk): object {
  return { number, purpose, askedBy: caller, isRepair, accounts, askedAt: timeOf(askedAt) }
}

export function createFindings({ store, ...options }: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const { name } = connectionOf(visit, options)
    const { query } = visit
    const situation = query.choice('situation', situations)
    const [limit, afterAccount] = [query.limit(), query.key('findings') ?? '']
    const walk = await store.lastFinishedWalk(name, 'reconcile')
    if (walk === undefined) return { items: [] }
    const page = { ...(situation === undefined ? {} : { situation }), afterAccount, limit }
    const { findings, next } = await readFindings(store, name, walk.number, page)
    return { walk: walk.number, items: findings, next: writeCursor('findings', next) }
  }
}

export function createAskWalk(options: AdminOptions): (visit: AdminVisit) => Promise<object> {
  return async (visit) => {
    const { name } = connectionOf(visit, options)
    const ordered = readOrder(visit, { repair: 'flag' })
    const choices = { isRepair: ordered.flag('repair'), requestId: visit.requestId }
    return doneAnswer(name, 'reconcile', await askWalk(options, name, ordered.order, choices))
  }
}
