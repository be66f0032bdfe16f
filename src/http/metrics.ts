import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Names start with `scim_bridge_`; labels are connections, routes, statuses and classes, never people. */
export interface Metrics {
  readonly registry: Registry
  countRequest(labels: { connection: string; route: string; method: string; status: number }, seconds: number): void
}

export interface Gauges {
  /** Connection → waiting operations and whether calls to its platform are suspended. */
  read(): Promise<readonly { readonly connection: string; readonly waiting: number; readonly isSuspended: boolean }[]>
}

export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry()
  const requests = new Counter({
    name: 'scim_bridge_requests_total',
    help: 'SCIM requests answered',
    labelNames: ['connection', 'route', 'method', 'status'],
    registers: [registry],
  })
  const duration = new Histogram({
    name: 'scim_bridge_request_seconds',
    help: 'Time from the first byte of a request to the end of its answer',
    labelNames: ['connection'],
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 25],
    registers: [registry],
  })
  const suspended = new Gauge({
    name: 'scim_bridge_platform_suspended',
    help: '1 while calls to the platform are suspended',
    labelNames: ['connection'],
    registers: [registry],
  })
  new Gauge({
    name: 'scim_bridge_operations_unfinished',
    help: 'Operations that are not applied yet',
    labelNames: ['connection'],
    registers: [registry],
    async collect() {
      for (const { connection, waiting, isSuspended } of await gauges.read()) {
        this.set({ connection }, waiting)
        suspended.set({ connection }, isSuspended ? 1 : 0)
      }
    },
  })
  return {
    registry,
    countRequest({ connection, route, method, status }, seconds) {
      requests.inc({ connection, route, method, status })
      duration.observe({ connection }, seconds)
    },
  }
}
