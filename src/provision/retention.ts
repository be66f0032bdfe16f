import type { Clock } from '../clock.ts'
import { erasedRows, requestSpanDays } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Eraser } from '../store/open.ts'

const dayMs = 86_400_000

export interface Retention {
  readonly tombstoneDays: number
  readonly auditDays: number
}

/** Erases what is older than it is kept, a few rows in each transaction. A failure is logged; the next day tries again. */
export async function eraseOld(
  store: Eraser,
  retention: Retention,
  { clock, log, signal }: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  const before = (days: number) => new Date(clock.now() - days * dayMs).toISOString()
  const kinds = [
    ['tombstones', 'eraseTombstones', before(retention.tombstoneDays)],
    ['tombstones of groups', 'eraseGroupTombstones', before(retention.tombstoneDays)],
    ['audit lines', 'eraseAudit', before(retention.auditDays)],
    ['spans of requests', 'eraseRequestSpans', before(requestSpanDays)],
  ] as const
  try {
    for (const connection of await store.erase((write) => write.connections())) {
      for (const [what, method, date] of kinds) {
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
