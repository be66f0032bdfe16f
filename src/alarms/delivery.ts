/**
 * What is due is told in one way, one after the other, beside all other ways: one that is away, or slow, holds up no other. Of
 * processes that share the store one tells it; what was not taken, or was being told when its process died, is told by whoever is
 * there.
 */
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { StoredAlarm } from '../store/alarm-store.ts'
import { whileClaimed } from '../store/claim-store.ts'
import type { Store } from '../store/store.ts'
import { alarmKinds } from './conditions.ts'
import type { Way } from './way.ts'

const firstWaitMs = 30_000
const longestWaitMs = 3_600_000
const never = Number.MAX_SAFE_INTEGER

export interface Delivery {
  /** Deliveries since the start. */
  readonly counts: { readonly taken: number; readonly failed: number }
  /** Begins with what is due, unless it is at it. */
  begin(): void
  /** Resolves when nothing is on its way. */
  idle(): Promise<void>
}

export interface DeliverySurroundings {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** Nothing is begun any more. */
  readonly stopping: AbortSignal
  /** What is on its way is given up, and stays due. */
  readonly cutting: AbortSignal
  readonly repeatMs: number
  readonly repeats: number
}

export function createDelivery(
  way: Way,
  connections: readonly string[],
  { store, clock, log, stopping, cutting, repeatMs, repeats }: DeliverySurroundings,
): Delivery {
  const counts = { taken: 0, failed: 0 }
  let work: Promise<void> | undefined

  async function deliver(): Promise<void> {
    for (const connection of connections) {
      try {
        for (const alarm of await store.alarms(connection)) {
          if (stopping.aborted) return
          if (isDue(alarm)) await tellInTurn(alarm)
        }
      } catch (error) {
        log.error({ connection, way: way.name, err: error }, 'alarms could not be looked at')
      }
    }
  }

  function isDue({ way: name, dueAt }: StoredAlarm): boolean {
    return name === way.name && dueAt <= clock.now()
  }

  /** Claimed, and read anew: another process may be telling it, or have told it just now. */
  async function tellInTurn({ connection, kind }: StoredAlarm): Promise<void> {
    await whileClaimed(store, { connection, kind: 'alarm', name: `${kind}/${way.name}` }, async () => {
      const present = (await store.alarms(connection)).find((alarm) => alarm.kind === kind && isDue(alarm))
      if (present !== undefined && !stopping.aborted) await tell(present)
    })
  }

  async function tell(alarm: StoredAlarm): Promise<void> {
    const { connection, since, told, detail } = alarm
    const kind = alarmKinds.find((one) => one === alarm.kind)
    if (kind === undefined) return
    const now = clock.now()
    const state = alarm.isOver ? 'cleared' : told === 0 ? 'raised' : 'repeated'
    try {
      await way.tell({ connection, kind, state, since, now, told: told + 1, detail }, cutting)
    } catch (error) {
      if (cutting.aborted) return
      counts.failed += 1
      const failures = alarm.failures + 1
      log.warn(
        { connection, kind, way: way.name, failures, reason: reasonOf(error) },
        'an alarm could not be delivered',
      )
      const dueAt = now + Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(failures, 10))
      await note(alarm, (present) => (present?.isOver === alarm.isOver ? { ...present, failures, dueAt } : present))
      return
    }
    counts.taken += 1
    await note(alarm, (present) => {
      if (alarm.isOver) return undefined
      // It has ended meanwhile, before anybody knew of it: now somebody does.
      const isOver = present === undefined || present.isOver
      const dueAt = isOver ? now : told >= repeats ? never : now + repeatMs
      return { ...(present ?? alarm), isOver, told: told + 1, failures: 0, dueAt }
    })
  }

  /** `present` is the same alarm as it is now; one that began anew meanwhile is left alone. */
  async function note(
    alarm: StoredAlarm,
    change: (present: StoredAlarm | undefined) => StoredAlarm | undefined,
  ): Promise<void> {
    await store.transaction(async (write) => {
      const present = (await write.alarms(alarm.connection)).find(
        ({ kind, way }) => kind === alarm.kind && way === alarm.way,
      )
      if (present !== undefined && present.since !== alarm.since) return
      const after = change(present)
      await (after === undefined ? write.deleteAlarm(alarm) : write.putAlarm(after))
    })
  }

  return {
    counts,
    begin() {
      work ??= deliver().finally(() => {
        work = undefined
      })
    },
    idle: async () => work,
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
