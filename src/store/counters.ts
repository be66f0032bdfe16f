import { sql } from './kysely.ts'
import { type Dialect, type Run, statement } from './statement.ts'
import type { ResourceType } from './store.ts'

/** Rows of `counter`: numbers that would otherwise need a scan or an auto-increment, one set per connection. */
export type Counter =
  | 'resource.seq'
  | `visible.${ResourceType}`
  | 'operation.id'
  | 'operation.count'
  | 'audit.id'
  | 'request.id'

export function createCounters(dialect: Dialect) {
  const read = statement(
    dialect,
    ['connection', 'name'],
    (slot) =>
      sql<{
        value: number
      }>`select value from counter where connection = ${slot('connection')} and name = ${slot('name')}`,
  )
  const add = statement(
    dialect,
    ['connection', 'name', 'by'],
    (slot) => sql<{ value: number }>`
      insert into counter (connection, name, value) values (${slot('connection')}, ${slot('name')}, ${slot('by')})
      on conflict (connection, name) do update set value = counter.value + excluded.value
      returning value`,
  )
  return {
    async read(run: Run, connection: string, name: Counter): Promise<number> {
      const { rows } = await run(read({ connection, name }))
      return rows[0]?.value ?? 0
    },
    /** Answers the new value. */
    async add(run: Run, connection: string, name: Counter, by: number): Promise<number> {
      const { rows } = await run(add({ connection, name, by }))
      const row = rows[0]
      if (row === undefined) throw new Error(`the counter ${name} was not stored`)
      return row.value
    },
    /** As `add`; nobody needs the new value. */
    async change(run: Run, connection: string, name: Counter, by: number): Promise<void> {
      await run.tell(add({ connection, name, by }))
    },
  }
}

export type Counters = ReturnType<typeof createCounters>
