import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { AlarmCount } from '../log.ts'
import { situations } from '../store/walk-store.ts'

/** Names start with `scim_bridge_`; labels are connections, routes, statuses and classes, never people. */
export interface Metrics {
  readonly registry: Registry
  countRequest(labels: RequestLabels, seconds: number): void
  /** `connection`: `-` when there is none of this name. */
  countFailedAuthentication(connection: string, reason: string): void
}

/** Each from a closed set: names of connections, routes of the table, methods, statuses. */
export interface RequestLabels {
  readonly connection: string
  readonly route: string
  readonly method: string
  readonly status: number
}

export interface ConnectionState {
  readonly connection: string
  /** Undefined: the store does not answer. */
  readonly stored: StoredState | undefined
  readonly isSuspended: boolean
  /** Undefined: walks begin only when somebody asks. */
  readonly reconcileEveryHours: number | undefined
  /** Attributes ignored since the start: no schema has them. */
  readonly ignored: number
}

/** What is read from the store. */
export interface StoredState {
  readonly waiting: number
  /** The last finished walk over the accounts: when, and how many were in which situation. */
  readonly reconciled: { readonly at: number; readonly counts: Readonly<Record<string, number>> } | undefined
}

export interface AlarmState {
  /** All kinds that there are, and those that are on. */
  readonly kinds: readonly string[]
  readonly active: readonly { readonly connection: string; readonly kind: string }[]
  /** Of each way that alarms are told in. */
  readonly deliveries: readonly { readonly way: string; readonly taken: number; readonly failed: number }[]
}

export interface Gauges {
  read(): Promise<readonly ConnectionState[]>
  /** Alarms that last, see docs/alarms.md. */
  lasting(): AlarmState
  alarms(): Iterable<AlarmCount>
}

export function createMetrics(asked: Gauges): Metrics {
  const gauges = { ...asked, read: together(asked.read) }
  const registry = new Registry()
  /** Counted here and handed over when somebody asks: finding a counter by its labels costs more than counting. */
  const counts = new Map<string, { readonly labels: RequestLabels; count: number }>()
  new Counter({
    name: 'scim_bridge_requests_total',
    help: 'SCIM requests answered',
    labelNames: ['connection', 'route', 'method', 'status'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { labels, count } of counts.values()) this.inc({ ...labels }, count)
    },
  })
  const duration = new Histogram({
    name: 'scim_bridge_request_seconds',
    help: 'Time from the first byte of a request to the end of its answer',
    labelNames: ['connection'],
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 25],
    registers: [registry],
  })
  /** By connection: looking one up by its labels costs more than observing. */
  const observers = new Map<string, Histogram.Internal<'connection'>>()
  const failedAuthentications = new Counter({
    name: 'scim_bridge_authentication_failures_total',
    help: 'Callers who were not let in',
    labelNames: ['connection', 'reason'],
    registers: [registry],
  })
  const gauge = (name: string, help: string, value: (state: ConnectionState) => number | undefined) =>
    new Gauge({
      name,
      help,
      labelNames: ['connection'],
      registers: [registry],
      async collect() {
        // What is not known any more is absent, and not as it was.
        this.reset()
        for (const state of await gauges.read()) {
          const known = value(state)
          if (known !== undefined) this.set({ connection: state.connection }, known)
        }
      },
    })
  gauge('scim_bridge_operations_unfinished', 'Operations that are not applied yet', ({ stored }) => stored?.waiting)
  gauge(
    'scim_bridge_store_answers',
    '0 while the store does not answer; what is read from it is absent then',
    ({ stored }) => (stored === undefined ? 0 : 1),
  )
  gauge('scim_bridge_platform_suspended', '1 while calls to the platform are suspended', ({ isSuspended }) =>
    isSuspended ? 1 : 0,
  )
  reconcileGauges(registry, gauges)
  alarmGauges(registry, gauges)
  new Counter({
    name: 'scim_bridge_alarms_total',
    help: 'Log lines that an operator has to look at, by their text',
    labelNames: ['connection', 'alarm'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { connection, text, count } of gauges.alarms()) this.inc({ connection, alarm: text }, count)
    },
  })
  new Counter({
    name: 'scim_bridge_attributes_ignored_total',
    help: 'Attributes and extensions that clients sent and no schema of the connection has',
    labelNames: ['connection'],
    registers: [registry],
    async collect() {
      this.reset()
      for (const { connection, ignored } of await gauges.read()) this.inc({ connection }, ignored)
    },
  })
  return {
    registry,
    countFailedAuthentication: (connection, reason) => failedAuthentications.inc({ connection, reason }),
    countRequest({ connection, route, method, status }, seconds) {
      const key = `${connection} ${route} ${method} ${status}`
      const known = counts.get(key)
      if (known !== undefined) known.count += 1
      else counts.set(key, { labels: { connection, route, method, status }, count: 1 })
      const observer = observers.get(connection) ?? duration.labels(connection)
      observers.set(connection, observer)
      observer.observe(seconds)
    },
  }
}

/** All that a scrape wants to know begins to be asked at once: what is read from the store for one of them does for all. */
function together<Read>(read: () => Promise<Read>): () => Promise<Read> {
  let reading: Promise<Read> | undefined
  return () => {
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }
}

function reconcileGauges(registry: Registry, gauges: Gauges): void {
  new Gauge({
    name: 'scim_bridge_accounts',
    help: 'Accounts by what the last finished reconcile found them to be',
    labelNames: ['connection', 'situation'],
    registers: [registry],
    async collect() {
      // A situation without accounts is 0, not absent: an alarm on it ends.
      this.reset()
      for (const { connection, stored } of await gauges.read()) {
        const reconciled = stored?.reconciled
        if (reconciled === undefined) continue
        for (const situation of situations) this.set({ connection, situation }, reconciled.counts[situation] ?? 0)
      }
    },
  })
  new Gauge({
    name: 'scim_bridge_reconciled_timestamp_seconds',
    help: 'When the last reconcile finished, in seconds since 1970',
    labelNames: ['connection'],
    registers: [registry],
    async collect() {
      this.reset()
      for (const { connection, stored } of await gauges.read())
        if (stored?.reconciled !== undefined) this.set({ connection }, Math.round(stored.reconciled.at / 1_000))
    },
  })
  new Gauge({
    name: 'scim_bridge_reconcile_interval_seconds',
    help: 'How often a reconcile is to run, where bridge.yaml says so',
    labelNames: ['connection'],
    registers: [registry],
    async collect() {
      // Absent where none is due: the one that somebody once asked for is not overdue.
      for (const { connection, reconcileEveryHours } of await gauges.read())
        if (reconcileEveryHours !== undefined) this.set({ connection }, reconcileEveryHours * 3_600)
    },
  })
}

function alarmGauges(registry: Registry, gauges: Gauges): void {
  new Gauge({
    name: 'scim_bridge_alarm',
    help: '1 while the alarm is on',
    labelNames: ['connection', 'alarm'],
    registers: [registry],
    async collect() {
      const { kinds, active } = gauges.lasting()
      for (const { connection } of await gauges.read()) for (const alarm of kinds) this.set({ connection, alarm }, 0)
      for (const { connection, kind } of active) this.set({ connection, alarm: kind }, 1)
    },
  })
  new Counter({
    name: 'scim_bridge_alarm_deliveries_total',
    help: 'Alarms handed to the webhook or the mail server, by whether it took them',
    labelNames: ['way', 'result'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { way, taken, failed } of gauges.lasting().deliveries) {
        this.inc({ way, result: 'taken' }, taken)
        this.inc({ way, result: 'failed' }, failed)
      }
    },
  })
}
