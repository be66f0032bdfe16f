/** What operators do in a history, beside the running bridge as their commands do it. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openBeside, type StoreBeside } from '../../src/store/beside.ts'
import type { BridgeWorld } from '../bridge-world.ts'
import type { HistoryConnection } from './history.ts'

export type OperatorStep =
  | { readonly do: 'reconcile'; readonly at: HistoryConnection; readonly isRepair: boolean }
  | {
      readonly do: 'operate'
      readonly at: HistoryConnection
      readonly who: number
      readonly action: 'retry' | 'reapply'
    }

/** Asks; what becomes of it takes time. */
export async function operate(
  { directory, clock }: BridgeWorld,
  step: OperatorStep,
  idOf: (who: number) => string | undefined,
): Promise<void> {
  await beside(directory, clock, async (store) => {
    const askedAt = clock.now()
    if (step.do === 'operate') {
      const { action, at, who } = step
      const resourceId = idOf(who)
      if (resourceId === undefined) return
      await store.addOperatorRequest(at, { action, operator: 'Grace', why: 'history', resourceId, detail: {}, askedAt })
      return
    }
    const { at, isRepair } = step
    if ((await store.currentWalk(at)) !== undefined) return
    const plain = { purpose: 'reconcile', caller: 'Grace', isRecreate: false, isDryRun: false } as const
    await store.addWalk(at, { ...plain, isRepair, askedAt })
  })
}

async function beside(
  directory: string,
  clock: BridgeWorld['clock'],
  work: (store: StoreBeside) => Promise<void>,
): Promise<void> {
  const store = openBeside({ kind: 'sqlite', file: join(directory, 'bridge.sqlite') }, clock)
  try {
    await work(store)
  } finally {
    await store.close()
  }
}

/** A press, after the platform has broken its contract too often. False: the bridge is writing just now. */
export function retry(directory: string, connection: string, id: number): boolean {
  const database = new DatabaseSync(join(directory, 'bridge.sqlite'))
  try {
    database
      .prepare(
        "update operation set state = 'waiting', attempts = 0, due_at = 0 where connection = ? and id = ? and state = 'failed'",
      )
      .run(connection, id)
    return true
  } catch {
    return false
  } finally {
    database.close()
  }
}
