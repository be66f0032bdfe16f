/** What the last finished reconcile has found, and the next one asked for. */
import type { Clock } from '../clock.ts'
import { auditOrder, checkOrder, type Done, type Order } from '../provision/operator-order.ts'
import { operatorCaller } from '../provision/reconcile-operation.ts'
import type { Finding, Situation } from '../store/walk-store.ts'
import type { OperatedStore } from './connection.ts'
import { cut } from './page.ts'

export const situationMeanings: Readonly<Record<Situation, string>> = {
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
export const listedSituations: readonly Situation[] = ['drifted', 'disputed', 'deleted', 'unlinked', 'revived']

/** A page in the order of account ids, and where the next one goes on. */
export async function readFindings(
  store: OperatedStore,
  connection: string,
  walk: number,
  query: { readonly situation?: Situation; readonly afterAccount: string; readonly limit: number },
): Promise<{ readonly findings: readonly Finding[]; readonly next: string | undefined }> {
  const { limit } = query
  const { rows, last } = cut(await store.findings(connection, walk, { ...query, limit: limit + 1 }), limit)
  return { findings: rows, next: last?.accountId }
}

/** Puts a walk in line: one goes at a time. Throws `NotDone`. */
export async function askWalk(
  { store, clock }: { readonly store: OperatedStore; readonly clock: Clock },
  connection: string,
  order: Order,
  { isRepair, requestId }: { readonly isRepair: boolean; readonly requestId: string },
): Promise<Done> {
  checkOrder(order)
  await store.transaction(async (write) => {
    const choices = { isRepair, isRecreate: false, isDryRun: false }
    const caller = operatorCaller(order.operator)
    await write.addWalk(connection, { purpose: 'reconcile', caller, ...choices, askedAt: clock.now() })
    const world = { clock, newId: () => requestId }
    await auditOrder(write, world, connection, order, { action: 'reconcile', detail: { isRepair } })
  })
  return { affected: 1, text: 'the walk over the accounts begins when nothing else waits for the platform' }
}
