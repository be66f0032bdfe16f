import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { root } from '../cli/processes.ts'
import { seriesLabels } from './known-metrics.ts'
import { readQuery } from './promql.ts'

const known: ReadonlyMap<string, readonly string[]> = new Map([...seriesLabels(), ['up', ['job', 'instance']]])

/** Every metric of the query is one of the bridge's, and has the labels that it is chosen and grouped by. */
function assertQuery(expr: string): readonly string[] {
  const { metrics, groupedBy } = readQuery(expr)
  const all = new Set<string>()
  for (const [name, labels] of metrics) {
    const has = known.get(name)
    assert.ok(has !== undefined, `${name} is no metric of the bridge: ${expr}`)
    for (const label of labels) assert.ok(has.includes(label), `${name} has no label ${label}: ${expr}`)
    for (const label of has) all.add(label)
  }
  for (const label of groupedBy) assert.ok(all.has(label), `no metric has the label ${label}: ${expr}`)
  return [...metrics.keys()]
}

/** Their lines are there from the start, with 0: the first event is an increase. Others begin with it. */
const countedFromZero = ['scim_bridge_attributes_ignored_total', 'scim_bridge_alarm_deliveries_total']

/** Counters whose first event the query would not see: Prometheus takes a line that begins at 1 for one that was 1 all along. */
function firstEventsMissed(expr: string): readonly string[] {
  const text = expr.replaceAll(/\s+/g, ' ')
  return [...text.matchAll(/increase\(((\w+)(?:\{[^}]*\})?)\[(\w+)\]\)/g)]
    .filter(([asked, series, name = '', range]) => {
      const whole = `(${series} unless ${series} offset ${range}) or ${asked}`
      return !countedFromZero.includes(name) && !text.includes(whole)
    })
    .map(([asked]) => asked)
}

describe('a query that would never answer', () => {
  test('is seen: a metric, a label and a bracket that are not there', () => {
    assert.throws(() => assertQuery('sum(scim_bridge_request_total)'), /no metric of the bridge/)
    assert.throws(() => assertQuery('scim_bridge_accounts{state="deleted"}'), /has no label state/)
    assert.throws(() => assertQuery('sum by (platform) (scim_bridge_accounts)'), /has the label platform/)
    assert.throws(() => assertQuery('sum(scim_bridge_accounts'), /not PromQL/)
  })

  test('is seen: the increase of what begins with its first event', () => {
    const increase = 'increase(scim_bridge_alarms_total[1h])'
    assert.deepEqual(firstEventsMissed(`sum(${increase}) > 0`), [increase])
    const news = '(scim_bridge_alarms_total unless scim_bridge_alarms_total offset 1h)'
    assert.deepEqual(firstEventsMissed(`sum(${news} or ${increase}) > 0`), [])
    assert.deepEqual(firstEventsMissed(`sum(${news.replace('1h', '2h')} or ${increase}) > 0`), [increase])
  })
})

const alertFormat = z.strictObject({
  alert: z.string().regex(/^ScimBridge[A-Za-z]+$/),
  expr: z.string(),
  for: z
    .string()
    .regex(/^\d+[mhd]$/)
    .optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'information']) }),
  annotations: z.strictObject({ summary: z.string(), runbook: z.string() }),
})
const { groups } = z
  .strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(alertFormat) })) })
  .parse(parse(readFileSync(join(root, 'deploy/prometheus/alerts.yaml'), 'utf8')))
const alerts = groups.flatMap(({ rules }) => rules)

describe('every alert', () => {
  const anchors = [...readFileSync(join(root, 'docs/runbook.md'), 'utf8').matchAll(/^#+ (.+)$/gm)].map(
    ([, title = '']) =>
      `docs/runbook.md#${title
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-')}`,
  )
  for (const { alert, expr, annotations } of alerts) {
    test(`${alert} asks for metrics that there are, and has its part of the runbook`, () => {
      const metrics = assertQuery(expr)
      assert.ok(metrics.length > 0)
      assert.deepEqual(firstEventsMissed(expr), [])
      assert.ok(anchors.includes(annotations.runbook), annotations.runbook)
      // A text may name the labels that the query keeps, and its value.
      const kept = ['value', 'instance', ...readQuery(expr).groupedBy]
      for (const [, name = ''] of annotations.summary.matchAll(/\{\{ \$(?:labels\.)?(\w+) \}\}/g))
        assert.ok(kept.includes(name), `${alert}: ${name}`)
    })
  }

  test('has a name of its own', () => assert.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length))
})

const panelFormat = z.looseObject({
  id: z.number(),
  title: z.string().min(1),
  gridPos: z.strictObject({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z.array(z.looseObject({ refId: z.string(), expr: z.string() })).min(1),
})
const dashboard = z
  .looseObject({
    panels: z.array(panelFormat),
    templating: z.looseObject({ list: z.array(z.looseObject({ name: z.string() })) }),
  })
  .parse(JSON.parse(readFileSync(join(root, 'deploy/grafana/scim-bridge.json'), 'utf8')))

describe('the dashboard', () => {
  for (const { title, targets } of dashboard.panels) {
    test(`asks for metrics that there are: ${title}`, () => {
      for (const { expr } of targets) {
        assert.ok(assertQuery(expr).length > 0, expr)
        assert.deepEqual(firstEventsMissed(expr), [])
      }
    })
  }

  test('shows every metric of the bridge', () => {
    const shown = new Set(dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => assertQuery(expr))))
    assert.deepEqual(
      [...known.keys()].filter((name) => !shown.has(name)),
      [],
    )
  })

  test('has the variables that its queries use, and panels that do not lie over each other', () => {
    const names = dashboard.templating.list.map(({ name }) => name)
    assert.deepEqual(names, ['datasource', 'connection'])
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    )
    assert.equal(new Set(cells).size, cells.length)
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
  })
})

test('Prometheus is told to read the alerts that are beside it', () => {
  const { rule_files, scrape_configs } = parse(readFileSync(join(root, 'deploy/prometheus/scrape.yaml'), 'utf8'))
  assert.deepEqual(rule_files, ['alerts.yaml'])
  assert.equal(scrape_configs[0].job_name, 'scim-bridge')
})
