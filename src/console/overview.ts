import { consoleCauses } from '../limits.ts'
import type { CauseCount, ConsoleReads } from '../store/console-store.ts'
import type { Store } from '../store/store.ts'
import type { ConsoleOptions } from './console.ts'
import { createDay, type Hour } from './day.ts'
import type { Page } from './view.ts'
import { type ConsoleConnection, type Visit, visibleTo } from './visit.ts'
import { counted, errorText, stateText } from './words.ts'

type State = CauseCount['state']

/** How a connection is, in the words of a badge. */
interface Health {
  readonly label: string
  readonly level: 'good' | 'warning' | 'bad'
  readonly text: string
}

/** Every connection at a glance. */
export function createOverview({ connections, store, clock }: ConsoleOptions): (visit: Visit) => Promise<Page> {
  const readDay = createDay(store)
  return async (visit) => {
    const shown = await Promise.all(
      visibleTo(visit, connections).map(async (connection) => {
        const day = await readDay(connection.name, clock.now())
        return { ...(await summaryOf(connection, store)), day, chart: chartOf(day), dayText: dayText(day) }
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

async function summaryOf({ name, provision, pace }: ConsoleConnection, store: Store & ConsoleReads) {
  const { mode, facts } = provision.connection
  const [users, active, groups, causes, walk] = await Promise.all([
    store.count(name, 'User'),
    store.count(name, 'User', { attribute: 'active', equals: true }),
    store.count(name, 'Group'),
    store.causes(name, consoleCauses),
    store.lastFinishedWalk(name, 'reconcile'),
  ])
  const inState = (state: State) => causes.reduce((sum, cause) => sum + (cause.state === state ? cause.count : 0), 0)
  const counts = { failed: inState('failed'), held: inState('held'), waiting: inState('waiting') + inState('running') }
  const worst = causes.find((cause) => cause.errorKind !== undefined)
  return {
    name,
    platform: facts.title,
    mode,
    pace: pace === 'off' ? 'no limit' : `${pace.requestsPerSecond} per second, ${pace.concurrency} at a time`,
    health: healthOf(provision.suspension(), counts, worst),
    users,
    active,
    groups,
    ...counts,
    lastError: worst && {
      text: errorText(worst.errorKind),
      detail: worst.errorMessage,
      state: stateText(worst.state),
      count: worst.count,
      since: worst.since,
    },
    reconciled: walk && { at: walk.finishedAt ?? walk.askedAt, counts: Object.entries(walk.counts) },
  }
}

function healthOf(
  suspension: string | undefined,
  { failed, held, waiting }: { failed: number; held: number; waiting: number },
  worst: CauseCount | undefined,
): Health {
  if (suspension !== undefined)
    return { label: 'Suspended', level: 'bad', text: `${errorText(suspension)}. What was asked is kept.` }
  if (held > 0)
    return {
      label: 'Held',
      level: 'bad',
      text: `${counted(held, 'departure waits', 'departures wait')} for your word.`,
    }
  if (failed > 0)
    return { label: 'Look', level: 'warning', text: `${counted(failed, 'operation has', 'operations have')} failed.` }
  if (worst !== undefined) return { label: 'Retrying', level: 'warning', text: `${errorText(worst.errorKind)}.` }
  if (waiting > 0)
    return {
      label: 'Working',
      level: 'good',
      text: `${counted(waiting, 'operation is', 'operations are')} on the way.`,
    }
  return { label: 'Well', level: 'good', text: 'Everything that was asked is done.' }
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
