/**
 * Alarms: raised once when something becomes so, told again while it lasts, a few times, and cleared when it has ended. What
 * was told, in which way, is durable: a restart raises nothing anew, and of processes that share a store one tells it.
 */
import { type Clock, repeat } from '../clock.ts'
import { alarmStopMs } from '../limits.ts'
import type { Log } from '../log.ts'
import type { StoredAlarm } from '../store/alarm-store.ts'
import type { Store } from '../store/store.ts'
import { type AlarmKind, alarmKinds, conditionsOf, type Detail, type Watched } from './conditions.ts'
import { createDelivery } from './delivery.ts'
import { createSuspensions } from './suspensions.ts'
import { unsaid, type Way, type WayName } from './way.ts'

const lookMs = 30_000

/** As bridge.yaml says. */
export interface AlarmSettings {
  /** None: nobody is told but the log, and who reads the metrics or asks. */
  readonly ways: readonly Way[]
  /** A departure that is not done after so long. */
  readonly departureMinutes: number
  /** From one telling to the next while it lasts, and how often at most after the first. */
  readonly repeatHours: number
  readonly repeats: number
}

export interface Alarms {
  /** Which are on, for metrics. */
  active(): readonly { readonly connection: string; readonly kind: AlarmKind }[]
  /** Deliveries since the start. */
  deliveries(): readonly { readonly way: WayName; readonly taken: number; readonly failed: number }[]
  start(): void
  stop(): Promise<void>
}

export function createAlarms(
  watched: readonly Watched[],
  { store, clock, log }: { readonly store: Store; readonly clock: Clock; readonly log: Log },
  { ways, departureMinutes, repeatHours, repeats }: AlarmSettings,
): Alarms {
  const stopping = new AbortController()
  const cutting = new AbortController()
  const on = new Map<string, readonly AlarmKind[]>()
  const connections = watched.map(({ connection }) => connection)
  const signals = { stopping: stopping.signal, cutting: cutting.signal }
  const telling = { store, clock, log, ...signals, repeatMs: repeatHours * 3_600_000, repeats }
  const deliveries = ways.map((way) => ({ way: way.name, delivery: createDelivery(way, connections, telling) }))
  const names = ways.length === 0 ? [unsaid] : ways.map(({ name }) => name)
  const suspensions = createSuspensions(store)
  let loop: Promise<void> | undefined

  async function look(one: Watched): Promise<void> {
    const { connection } = one
    const place = { connection, names, now: clock.now() }
    const suspension = await suspensions.of(one)
    const seen = async (read: Pick<Store, 'alarms' | 'alarming' | 'count'>) => {
      const known = await read.alarms(connection)
      const suspended = suspension === 'elsewhere' ? detailOf('suspended', known) : suspension
      const conditions = await conditionsOf(read, { connection, suspended }, place.now, departureMinutes * 60_000)
      return { conditions, changes: changesOf(place, conditions, known) }
    }
    const { conditions, changes } = await seen(store)
    on.set(connection, [...conditions.keys()])
    // Mostly nothing has changed, and writers are served one at a time.
    if (changes.length === 0) return
    await store.transaction(async (write) => {
      // Seen anew: something may have been told meanwhile, or another process has seen more.
      for (const { before, after } of (await seen(write)).changes) {
        if (after !== undefined) await write.putAlarm(after)
        else if (before !== undefined) await write.deleteAlarm(before)
      }
    })
  }

  async function turn(): Promise<void> {
    for (const one of watched) {
      try {
        await look(one)
      } catch (error) {
        log.error({ connection: one.connection, err: error }, 'alarms could not be looked at')
      }
    }
    if (stopping.signal.aborted) return
    for (const { delivery } of deliveries) delivery.begin()
  }

  return {
    active: () => [...on].flatMap(([connection, kinds]) => kinds.map((kind) => ({ connection, kind }))),
    deliveries: () => deliveries.map(({ way, delivery }) => ({ way, ...delivery.counts })),
    start() {
      loop ??= turn().then(() => repeat(clock, lookMs, stopping.signal, turn))
    },
    async stop() {
      stopping.abort(new Error('the bridge is stopping'))
      await loop
      await suspensions.end()
      const cut = setTimeout(() => cutting.abort(new Error('the bridge is stopping')), alarmStopMs)
      await Promise.all(deliveries.map(({ delivery }) => delivery.idle()))
      clearTimeout(cut)
      await Promise.all(ways.map((way) => way.close()))
    },
  }
}

/** What is known of an alarm that lasts. */
function detailOf(kind: AlarmKind, known: readonly StoredAlarm[]): Detail | undefined {
  return known.find((alarm) => alarm.kind === kind && !alarm.isOver)?.detail
}

interface Change {
  readonly before: StoredAlarm | undefined
  readonly after: StoredAlarm | undefined
}

function changesOf(
  { connection, names, now }: { readonly connection: string; readonly names: readonly string[]; readonly now: number },
  conditions: ReadonlyMap<AlarmKind, Detail>,
  known: readonly StoredAlarm[],
): readonly Change[] {
  const changes = alarmKinds.flatMap((kind) => {
    const ofKind = known.filter((alarm) => alarm.kind === kind)
    // A way that was added later tells since when it is really so.
    const since = ofKind.find(({ isOver }) => !isOver)?.since ?? now
    return names.map((way): Change => {
      const before = ofKind.find((alarm) => alarm.way === way)
      return { before, after: next({ connection, kind, way, since, dueAt: now }, conditions.get(kind), before) }
    })
  })
  // A way that bridge.yaml does not name any more has nobody to tell.
  const left = known.filter(({ way }) => !names.includes(way)).map((before): Change => ({ before, after: undefined }))
  return [...changes, ...left].filter(({ before, after }) => JSON.stringify(after) !== JSON.stringify(before))
}

/** What is stored of one alarm and way after a look; undefined: nothing. */
function next(
  begun: Pick<StoredAlarm, 'connection' | 'kind' | 'way' | 'since' | 'dueAt'>,
  detail: Detail | undefined,
  before: StoredAlarm | undefined,
): StoredAlarm | undefined {
  if (detail !== undefined) {
    if (before !== undefined && !before.isOver) return { ...before, detail }
    return { ...begun, detail, isOver: false, told: 0, failures: 0 }
  }
  // What nobody was told of needs no end.
  if (before === undefined || before.told === 0) return undefined
  return before.isOver ? before : { ...before, isOver: true, failures: 0, dueAt: begun.dueAt }
}
