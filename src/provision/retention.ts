import type { Clock } from '../clock.ts'
import { believedClockDays, erasedRows, requestSpanDays } from '../limits.ts'
import type { Log } from '../log.ts'
import type { AuditSpan } from '../store/erasure.ts'
import type { Eraser } from '../store/open.ts'

const dayMs = 86_400_000

export interface Retention {
  readonly tombstoneDays: number
  readonly auditDays: number
}

/**
 * Erases what is older than it is kept, a few rows in each transaction, once for each call: one a day. A failure is logged; the next
 * day tries again.
 *
 * What is erased does not come back, and a machine may start with a clock that is years ahead (an empty battery, a virtual machine
 * that was restored). So a clock is believed when the audit has a line that was written some days before, or when it was there
 * a day ago already. Until then traces and audit lines stay.
 */
export function createEraseOld(
  store: Eraser,
  retention: Retention,
  { clock, log, signal }: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
): () => Promise<void> {
  let lookedAt: number | undefined
  const before = (days: number) => new Date(clock.now() - days * dayMs).toISOString()

  async function mayErase(connections: readonly string[]): Promise<boolean> {
    const lastLook = lookedAt
    lookedAt = clock.now()
    if (lastLook !== undefined && lookedAt - lastLook < believedClockDays * dayMs) return true
    // Not of the last day: lines of now have their time from the very clock that is in doubt.
    const yesterday = before(1)
    const spans: AuditSpan[] = []
    for (const connection of connections) {
      const span = await store.erase((write) => write.auditSpan(connection, yesterday))
      if (span !== undefined) spans.push(span)
    }
    const isKnown = spans.some(({ newest }) => newest >= before(believedClockDays))
    if (isKnown || spans.length === 0) return true
    const due = before(Math.min(retention.tombstoneDays, retention.auditDays))
    // After a long silence this is how it is, too: told only where something would be lost.
    if (spans.some(({ oldest }) => oldest < due)) {
      log.error({ alarm: true }, 'the clock is far ahead of the last audit line: nothing is erased for a day')
    }
    return false
  }

  return async () => {
    const kinds = [
      ['tombstones', 'eraseTombstones', before(retention.tombstoneDays)],
      ['tombstones of groups', 'eraseGroupTombstones', before(retention.tombstoneDays)],
      ['audit lines', 'eraseAudit', before(retention.auditDays)],
    ] as const
    const spans = ['spans of requests', 'eraseRequestSpans', before(requestSpanDays)] as const
    try {
      const connections = await store.erase((write) => write.connections())
      const erasable = (await mayErase(connections)) ? [...kinds, spans] : [spans]
      for (const connection of connections) {
        for (const [what, method, date] of erasable) {
          let erased = 0
          for (let count = erasedRows; count === erasedRows && !signal.aborted; ) {
            count = await store.erase((write) => write[method](connection, date, erasedRows))
            erased += count
          }
          if (erased > 0) log.info({ connection, what, erased }, 'older than they are kept: erased')
        }
      }
    } catch (error) {
      if (!signal.aborted) log.error({ err: error, alarm: true }, 'what is too old could not be erased')
    }
  }
}
