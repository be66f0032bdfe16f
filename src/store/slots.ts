import { sql } from './kysely.ts'
import { type Dialect, type Run, statement } from './statement.ts'
import type { StoreWriter } from './store.ts'

/**
 * A platform is left alone for an hour at most, and some wait behind that. What lies farther ahead was planned by a clock that was
 * wrong before the start, and would keep the connection waiting until then.
 */
const longestAheadMs = 2 * 3_600_000

/**
 * The next slot of a connection's pace, in one statement: nobody else can get the same one. `storeNow`: where several processes share
 * the store, its own clock; theirs may differ, and one that is ahead would keep the others waiting.
 */
export function createSlotWrites(
  dialect: Dialect,
  storeNow?: ReturnType<typeof sql.raw>,
): (run: Run) => Pick<StoreWriter, 'reserveSlot'> {
  const reserve = statement(dialect, ['connection', 'intervalMs', 'delayMs', 'now', 'laterMs'], (slot) => {
    const now = storeNow ?? sql`cast(${slot('now')} as bigint)`
    return sql<{ wait_ms: number }>`
      insert into pace (connection, next_at)
      values (${slot('connection')}, ${now} + cast(${slot('delayMs')} as bigint) + ${slot('intervalMs')})
      on conflict (connection) do update set
        next_at = case
          when pace.next_at + ${slot('laterMs')} > excluded.next_at
            and pace.next_at + ${slot('laterMs')} <= excluded.next_at + ${sql.raw(String(longestAheadMs))}
            then pace.next_at + ${slot('laterMs')}
          else excluded.next_at end
      returning next_at - cast(${slot('intervalMs')} as bigint) - ${now} as wait_ms`
  })
  return (run) => ({
    async reserveSlot(connection, { intervalMs, delayMs, now, setBackMs }) {
      const laterMs = intervalMs - (storeNow === undefined ? setBackMs : 0)
      const { rows } = await run(reserve({ connection, intervalMs, delayMs, now, laterMs }))
      return Math.max(0, rows[0]?.wait_ms ?? delayMs)
    },
  })
}
