/** What has become of the operations of the last day, hour by hour, out of the audit. */
import { chartLines } from '../limits.ts'
import type { Store } from '../store/store.ts'

export interface Hour {
  /** Milliseconds since 1970. */
  readonly from: number
  readonly applied: number
  readonly notApplied: number
}

const hourMs = 3_600_000
const hours = 24
/** Lines read at a time: others get their turn in between. */
const batch = 1_000

/** Twenty-four hours, the oldest first; the last one has only begun. */
export type ReadDay = (connection: string, now: number) => Promise<readonly Hour[]>

interface Counted {
  /** Line of the audit that was looked at last. */
  lastId: number
  readonly byHour: Map<number, { applied: number; notApplied: number }>
  reading: Promise<void> | undefined
}

/** Lines are looked at once: what was counted before is kept. */
export function createDay(store: Pick<Store, 'readAudit'>): ReadDay {
  const known = new Map<string, Counted>()

  async function readOn(connection: string, counted: Counted, now: number): Promise<void> {
    const start = hourOf(now) - (hours - 1) * hourMs
    for (const hour of counted.byHour.keys()) if (hour < start) counted.byHour.delete(hour)
    if (counted.lastId === 0) counted.lastId = await lastBefore(store, connection, new Date(start).toISOString())
    for (let read = 0; read < chartLines; read += batch) {
      const lines = await store.readAudit(connection, counted.lastId, batch)
      for (const { id, at, event, detail } of lines) {
        counted.lastId = id
        // What operators do is an outcome, too, but none of an attempt.
        if (event !== 'outcome' || typeof detail.outcome !== 'string') continue
        count(counted, Date.parse(at), detail.outcome === 'applied')
      }
      if (lines.length < batch) return
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  return async (connection, now) => {
    const counted = known.get(connection) ?? { lastId: 0, byHour: new Map(), reading: undefined }
    known.set(connection, counted)
    counted.reading ??= readOn(connection, counted, now).finally(() => {
      counted.reading = undefined
    })
    await counted.reading
    return Array.from({ length: hours }, (_, index) => {
      const from = hourOf(now) - (hours - 1 - index) * hourMs
      return { from, applied: 0, notApplied: 0, ...counted.byHour.get(from) }
    })
  }
}

function hourOf(at: number): number {
  return Math.floor(at / hourMs) * hourMs
}

function count({ byHour }: Counted, at: number, isApplied: boolean): void {
  const hour = byHour.get(hourOf(at)) ?? { applied: 0, notApplied: 0 }
  byHour.set(hourOf(at), hour)
  if (isApplied) hour.applied += 1
  else hour.notApplied += 1
}

/** The last line from before then, found in some dozens of steps: lines are numbered in the order of their times. */
async function lastBefore(store: Pick<Store, 'readAudit'>, connection: string, start: string): Promise<number> {
  const isBefore = async (id: number) => {
    const [line] = await store.readAudit(connection, id, 1)
    return line !== undefined && line.at < start
  }
  let high = 1
  while (await isBefore(high)) high *= 2
  let low = 0
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (await isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}
