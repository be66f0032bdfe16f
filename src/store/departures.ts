import { sql } from './kysely.ts'
import { type Dialect, type Run, statement } from './statement.ts'
import type { StoreWriter } from './store.ts'

type DepartureWrites = Pick<StoreWriter, 'putDeparture' | 'deleteDeparture' | 'countDepartures' | 'releaseHeld'>

/** Who left and when, as far back as a guardrail looks; and the operations that one has held. */
export function createDepartureWrites(dialect: Dialect): (run: Run) => DepartureWrites {
  const put = statement(
    dialect,
    ['connection', 'resourceId', 'at'],
    (slot) => sql<unknown>`
      insert into departure (connection, resource_id, at)
      values (${slot('connection')}, ${slot('resourceId')}, ${slot('at')})
      on conflict (connection, resource_id) do update set at = excluded.at`,
  )
  const remove = statement(
    dialect,
    ['connection', 'resourceId'],
    (slot) => sql<unknown>`
      delete from departure where connection = ${slot('connection')} and resource_id = ${slot('resourceId')}`,
  )
  const forget = statement(
    dialect,
    ['connection', 'since'],
    (slot) => sql<unknown>`delete from departure where connection = ${slot('connection')} and at < ${slot('since')}`,
  )
  const count = statement(
    dialect,
    ['connection'],
    (slot) => sql<{ count: number }>`
      select count(*) as count from departure where connection = ${slot('connection')}`,
  )
  const release = statement(
    dialect,
    ['connection', 'now'],
    (slot) => sql<{ id: number }>`
      update operation set state = 'waiting', due_at = ${slot('now')}
      where connection = ${slot('connection')} and state = 'held'
        and (error_kind is null or error_kind <> 'operator') returning id`,
  )
  return (run) => ({
    async putDeparture(connection, resourceId, at) {
      await run.tell(put({ connection, resourceId, at }))
    },
    async deleteDeparture(connection, resourceId) {
      await run.tell(remove({ connection, resourceId }))
    },
    async countDepartures(connection, since) {
      await run.tell(forget({ connection, since }))
      const { rows } = await run(count({ connection }))
      return rows[0]?.count ?? 0
    },
    async releaseHeld(connection, now) {
      const { rows } = await run(release({ connection, now }))
      return rows.length
    },
  })
}
