/** What operators do in a history, beside the running bridge as their commands do it. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openBeside, type StoreBeside } from '../../src/store/beside.ts'
import type { BridgeWorld } from '../bridge-world.ts'
import type { HistoryConnection } from './history.ts'
import type { KnownPeople } from './history-groups.ts'

export type OperatorAction = 'retry' | 'reapply' | 'hold' | 'release' | 'unlink' | 'adopt'
export type OperatorStep =
  | {
      readonly do: 'reconcile'
      readonly at: HistoryConnection
      readonly isRepair: boolean
      readonly isRecreate: boolean
    }
  | {
      readonly do: 'operate'
      readonly at: HistoryConnection
      readonly who: number
      readonly action: OperatorAction
    }

/** Asks; what becomes of it takes time. */
export async function operate(
  world: BridgeWorld,
  step: OperatorStep,
  { idOf, accountOf }: Pick<KnownPeople, 'idOf' | 'accountOf'>,
): Promise<void> {
  if (step.do === 'operate') {
    const resourceId = idOf(step.who)
    if (resourceId !== undefined) await order(world, step.at, step.action, resourceId, accountOf(step.who)?.id)
    return
  }
  await beside(world, async (store) => {
    const { at, isRepair, isRecreate } = step
    if ((await store.currentWalk(at)) !== undefined) return
    const plain = { purpose: 'reconcile', caller: 'Grace', isDryRun: false } as const
    await store.addWalk(at, { ...plain, isRepair, isRecreate, askedAt: world.clock.now() })
  })
}

/** `accountId`: the one to adopt. Nobody is let go of by force. */
export function order(
  world: BridgeWorld,
  at: HistoryConnection,
  action: OperatorAction,
  resourceId: string,
  accountId: string | undefined,
): Promise<void> {
  const detail: Record<string, string> = action === 'adopt' && accountId !== undefined ? { accountId } : {}
  const askedAt = world.clock.now()
  return beside(world, async (store) => {
    await store.addOperatorRequest(at, { action, operator: 'Grace', why: 'history', resourceId, detail, askedAt })
  })
}

async function beside({ directory, clock }: BridgeWorld, work: (store: StoreBeside) => Promise<void>): Promise<void> {
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

/** Whether what was asked last about this user was refused. */
export function isRefused(directory: string, connection: string, resourceId: string): boolean {
  const database = new DatabaseSync(join(directory, 'bridge.sqlite'), { readOnly: true })
  try {
    const query =
      'select phase from operator_request where connection = ? and resource_id = ? order by number desc limit 1'
    return database.prepare(query).get(connection, resourceId)?.phase === 'refused'
  } finally {
    database.close()
  }
}
