import { sql } from './kysely.ts'
import { type Dialect, type Run, statement } from './statement.ts'
import type { StoreWriter } from './store.ts'

/** The next slot of a connection's pace, in one statement: nobody else can get the same one. */
export function createSlotWrites(dialect: Dialect): (run: Run) => Pick<StoreWriter, 'reserveSlot'> {
  const reserve = statement(
    dialect,
    ['connection', 'intervalMs', 'notBefore'],
    (slot) => sql<{ next_at: number }>`
      insert into pace (connection, next_at) values (${slot('connection')}, cast(${slot('notBefore')} as bigint) + ${slot('intervalMs')})
      on conflict (connection) do update set
        next_at = case when pace.next_at > ${slot('notBefore')} then pace.next_at else cast(${slot('notBefore')} as bigint) end
          + ${slot('intervalMs')}
      returning next_at`,
  )
  return (run) => ({
    async reserveSlot(connection, intervalMs, notBefore) {
      const { rows } = await run(reserve({ connection, intervalMs, notBefore }))
      return (rows[0]?.next_at ?? notBefore + intervalMs) - intervalMs
    },
  })
}
