/** The end of a walk: its counts, the alarms, and the walks before it forgotten. */
import { setImmediate } from 'node:timers/promises'
import { walkBatch } from '../limits.ts'
import type { StoreWriter } from '../store/store.ts'
import type { Situation, Walk } from '../store/walk-store.ts'
import type { ProvisionedConnection, World } from './connection.ts'

const alarms: readonly (readonly [Situation, string])[] = [
  ['deleted', 'accounts of users are gone from the platform'],
  ['disputed', 'accounts have to be sorted out by a person'],
  ['revived', 'accounts of deleted users were on again'],
]

interface Finishing {
  readonly connection: ProvisionedConnection
  readonly world: World
}

export async function finishWalk({ connection, world }: Finishing, walk: Walk): Promise<Walk> {
  const { name } = connection
  const { store, clock, log } = world
  const counts = await store.countFindings(name, walk.number)
  const finished: Walk = { ...walk, phase: 'finished', place: undefined, finishedAt: clock.now(), counts }
  await store.transaction((write) => write.updateWalk({ ...finished, failures: 0, error: undefined }))
  const line = { connection: name, walk: walk.number, accounts: walk.accounts }
  log.info({ ...line, purpose: walk.purpose, counts }, 'a walk over the accounts has finished')
  if (walk.isShort)
    log.error({ ...line, alarm: true }, 'the platform listed far fewer accounts than before, or too many to walk over')
  for (const [situation, what] of alarms) {
    const count = counts[situation] ?? 0
    if (count > 0) log.error({ ...line, situation, count, alarm: true }, what)
  }
  await inPortions(world, (write) => write.forgetWalksBefore(name, walk.number, walkBatch))
  return finished
}

/** Where no walk comes to its end, none would be forgotten: each leaves a row for every user and account. */
export function forgetFailed({ connection: { name }, world }: Finishing, { number }: Walk): Promise<void> {
  return inPortions(world, (write) => write.forgetFailedBefore(name, number, walkBatch))
}

/** One transaction each, and others between them, until it answers that nothing is left. */
async function inPortions({ store }: World, forget: (write: StoreWriter) => Promise<boolean>): Promise<void> {
  while (!(await store.transaction(forget))) await setImmediate()
}
