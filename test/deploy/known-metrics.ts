/** The metrics that a bridge has, from the very registry that it serves. */
import { createMetrics } from '../../src/http/metrics.ts'

export interface KnownMetric {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly labels: readonly string[]
}

export function knownMetrics(): KnownMetric[] {
  const { registry } = createMetrics({
    read: async () => [],
    alarms: () => [],
    lasting: () => ({ kinds: [], active: [], deliveries: [] }),
  })
  return registry.getMetricsAsArray().map((metric) => ({
    name: metric.name,
    type: String(metric.type),
    help: metric.help,
    // Not in the library's types, and what its own checks go by.
    labels: Reflect.get(metric, 'labelNames'),
  }))
}

/** Names as Prometheus has them (a histogram has three), with their labels. */
export function seriesLabels(): ReadonlyMap<string, readonly string[]> {
  return new Map(
    knownMetrics().flatMap(({ name, type, labels }): [string, readonly string[]][] =>
      type !== 'histogram'
        ? [[name, labels]]
        : [
            [`${name}_bucket`, [...labels, 'le']],
            [`${name}_sum`, labels],
            [`${name}_count`, labels],
          ],
    ),
  )
}
