/** What a PromQL query asks for, by Prometheus' own grammar. */
import { parser } from '@prometheus-io/lezer-promql'

export interface Query {
  /** Metric → labels that it is chosen by. */
  readonly metrics: ReadonlyMap<string, ReadonlySet<string>>
  /** Labels of `by (…)`. */
  readonly groupedBy: readonly string[]
}

/** Throws on a query that Prometheus would not take. Variables of Grafana stand for something that it would. */
export function readQuery(written: string): Query {
  const text = written.replaceAll('$__rate_interval', '5m').replaceAll('$connection', '.*')
  const metrics = new Map<string, Set<string>>()
  const groupedBy: string[] = []
  let labels = new Set<string>()
  let isGrouping = false
  parser.parse(text).iterate({
    enter({ name, type, from, to }) {
      const part = text.slice(from, to)
      if (type.isError) throw new Error(`not PromQL at character ${from}: ${text}`)
      if (name === 'GroupingLabels') isGrouping = true
      if (name === 'LabelMatchers') isGrouping = false
      if (name === 'VectorSelector') labels = new Set()
      if (name === 'Identifier') {
        labels = metrics.get(part) ?? new Set()
        metrics.set(part, labels)
      }
      if (name === 'LabelName') {
        if (isGrouping) groupedBy.push(part)
        else labels.add(part)
      }
    },
    leave({ name }) {
      if (name === 'GroupingLabels') isGrouping = false
    },
  })
  return { metrics, groupedBy }
}
