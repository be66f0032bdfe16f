import type { OperatedConnection } from '../operator/connection.ts'
import { createDay, type Hour } from '../operator/day.ts'
import { summaryOf } from '../operator/summary.ts'
import { counted } from '../operator/words.ts'
import type { ConsoleOptions } from './console.ts'
import type { Page } from './view.ts'
import { type Visit, visibleTo } from './visit.ts'

/** Every connection at a glance. */
export function createOverview({ connections, store, clock }: ConsoleOptions): (visit: Visit) => Promise<Page> {
  const readDay = createDay(store)
  return async (visit) => {
    const shown = await Promise.all(
      visibleTo(visit, connections).map(async (connection) => {
        const day = await readDay(connection.name, clock.now())
        const summary = await summaryOf(connection, store)
        const reconciled = summary.reconciled && {
          at: summary.reconciled.at,
          counts: Object.entries(summary.reconciled.counts),
        }
        const pace = paceText(summary.pace)
        return { ...summary, pace, reconciled, day, chart: chartOf(day), dayText: dayText(day) }
      }),
    )
    return {
      title: 'Overview',
      template: 'overview',
      section: 'overview',
      content: { connections: shown, now: clock.now() },
    }
  }
}

function paceText(pace: OperatedConnection['pace']): string {
  return pace === 'off' ? 'no limit' : `${pace.requestsPerSecond} per second, ${pace.concurrency} at a time`
}

const chartHeight = 40
const barWidth = 8

/** Bars of an SVG, applied below and not applied above. */
function chartOf(day: readonly Hour[]) {
  const most = Math.max(1, ...day.map(({ applied, notApplied }) => applied + notApplied))
  const scale = (count: number) => (count === 0 ? 0 : Math.max(1, Math.round((count / most) * chartHeight)))
  return {
    width: day.length * barWidth,
    height: chartHeight,
    bars: day.map(({ applied, notApplied }, index) => {
      const good = scale(applied)
      const bad = Math.min(scale(notApplied), chartHeight - Math.min(good, chartHeight - 1))
      return {
        x: index * barWidth,
        width: barWidth - 2,
        good,
        bad,
        goodY: chartHeight - good,
        badY: chartHeight - good - bad,
      }
    }),
  }
}

function dayText(day: readonly Hour[]): string {
  const sum = (of: (hour: Hour) => number) => day.reduce((total, hour) => total + of(hour), 0)
  const applied = counted(
    sum((hour) => hour.applied),
    'operation was applied',
    'operations were applied',
  )
  const not = sum((hour) => hour.notApplied)
  return `In the last day ${applied}, ${counted(not, 'attempt was not', 'attempts were not')}.`
}
