/**
 * Alarms: raised once when something becomes so, told again while it lasts, a few times, and cleared when it has ended. What
 * was told is durable: a restart raises nothing anew.
 */
import { type Clock, repeat } from '../clock.ts'
import type { Log } from '../log.ts'
import { createWebhook, type Webhook, type WebhookSettings } from '../platforms/webhook.ts'
import type { StoredAlarm } from '../store/alarm-store.ts'
import type { Store } from '../store/store.ts'
import { type AlarmKind, alarmKinds, conditionsOf, type Detail, sentenceOf, type Watched } from './conditions.ts'

const lookMs = 30_000
const longestWaitMs = 3_600_000
const never = Number.MAX_SAFE_INTEGER

/** As bridge.yaml says. */
export interface AlarmSettings {
  /** Undefined: nobody is told but the log and who reads the metrics. */
  readonly webhook: WebhookSettings | undefined
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
  deliveries(): { readonly taken: number; readonly failed: number }
  start(): void
  stop(): Promise<void>
}

export function createAlarms(
  watched: readonly Watched[],
  { store, clock, log }: { readonly store: Store; readonly clock: Clock; readonly log: Log },
  settings: AlarmSettings,
): Alarms {
  const webhook = settings.webhook === undefined ? undefined : createWebhook(settings.webhook)
  const departureMs = settings.departureMinutes * 60_000
  const repeatMs = settings.repeatHours * 3_600_000
  const stopping = new AbortController()
  const on = new Map<string, readonly AlarmKind[]>()
  let taken = 0
  let failed = 0
  let loop: Promise<void> | undefined

  async function look(one: Watched): Promise<void> {
    const { connection } = one
    const now = clock.now()
    const conditions = await conditionsOf(store, one, now, departureMs)
    on.set(connection, [...conditions.keys()])
    const known = new Map((await store.alarms(connection)).map((alarm) => [alarm.kind, alarm]))
    const changes = alarmKinds.flatMap((kind) => {
      const before = known.get(kind)
      const after = next({ connection, kind, now }, conditions.get(kind), before)
      return JSON.stringify(after) === JSON.stringify(before) ? [] : [{ kind, after }]
    })
    // Mostly nothing has changed, and writers are served one at a time.
    if (changes.length > 0) {
      await store.transaction(async (write) => {
        for (const { kind, after } of changes)
          await (after === undefined ? write.deleteAlarm(connection, kind) : write.putAlarm(after))
      })
    }
    if (webhook === undefined) return
    for (const alarm of await store.alarms(connection)) {
      if (alarm.dueAt <= now && !stopping.signal.aborted) await tell(webhook, alarm, now)
    }
  }

  async function tell(receiver: Webhook, alarm: StoredAlarm, now: number): Promise<void> {
    const { connection, since, told } = alarm
    const kind = alarmKinds.find((one) => one === alarm.kind)
    if (kind === undefined) return
    const state = alarm.isOver ? 'cleared' : told === 0 ? 'raised' : 'repeated'
    const times = { since: new Date(since).toISOString(), at: new Date(now).toISOString(), told: told + 1 }
    const text = sentenceOf(kind, connection, alarm.detail)
    const message = { version: 1, alarm: kind, state, connection, ...times, detail: alarm.detail, text }
    try {
      await receiver.send(message, now)
    } catch (error) {
      failed += 1
      const failures = alarm.failures + 1
      log.warn({ connection, kind, failures, reason: reasonOf(error) }, 'an alarm could not be delivered')
      const dueAt = now + Math.min(longestWaitMs, lookMs * 2 ** Math.min(failures, 10))
      await store.transaction((write) => write.putAlarm({ ...alarm, failures, dueAt }))
      return
    }
    taken += 1
    await store.transaction((write) => {
      if (alarm.isOver) return write.deleteAlarm(connection, kind)
      const dueAt = told >= settings.repeats ? never : now + repeatMs
      return write.putAlarm({ ...alarm, told: told + 1, failures: 0, dueAt })
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
  }

  return {
    active: () => [...on].flatMap(([connection, kinds]) => kinds.map((kind) => ({ connection, kind }))),
    deliveries: () => ({ taken, failed }),
    start() {
      loop ??= turn().then(() => repeat(clock, lookMs, stopping.signal, turn))
    },
    async stop() {
      stopping.abort(new Error('the bridge is stopping'))
      await loop
      await webhook?.close()
    },
  }
}

/** What is stored of one alarm after a look; undefined: nothing. */
function next(
  { connection, kind, now }: { readonly connection: string; readonly kind: AlarmKind; readonly now: number },
  detail: Detail | undefined,
  before: StoredAlarm | undefined,
): StoredAlarm | undefined {
  if (detail !== undefined) {
    if (before !== undefined && !before.isOver) return { ...before, detail }
    return { connection, kind, since: now, detail, isOver: false, told: 0, failures: 0, dueAt: now }
  }
  // What nobody was told of needs no end.
  if (before === undefined || before.told === 0) return undefined
  return before.isOver ? before : { ...before, isOver: true, failures: 0, dueAt: now }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
