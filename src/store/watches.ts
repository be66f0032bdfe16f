import { sql } from './kysely.ts'
import { atMost, type Dialect, type Run, statement } from './statement.ts'
import type { WalkReader, WalkWriter, Watch } from './walk-store.ts'

interface WatchRow {
  readonly resource_id: string
  readonly document: string
  readonly next_at: number
  readonly ends_at: number
}

export function createWatchReads(dialect: Dialect): (run: Run) => Pick<WalkReader, 'dueWatches'> {
  const due = statement(
    dialect,
    ['connection', 'now', 'limit'],
    (slot) => sql<WatchRow>`
      select resource_id, document, next_at, ends_at from watch
      where connection = ${slot('connection')} and next_at <= ${slot('now')} order by next_at limit ${atMost(slot('limit'))}`,
  )
  return (run) => ({
    async dueWatches(connection, now, limit) {
      const { rows } = await run(due({ connection, now, limit }))
      return rows.map(
        (row): Watch => ({
          resourceId: row.resource_id,
          document: run.sealer.open('watch.document', [connection, row.resource_id], row.document),
          nextAt: row.next_at,
          endsAt: row.ends_at,
        }),
      )
    },
  })
}

export function createWatchWrites(
  dialect: Dialect,
): (run: Run) => Pick<WalkWriter, 'putWatch' | 'deleteWatch' | 'hurryWatches'> {
  const put = statement(
    dialect,
    ['connection', 'resourceId', 'document', 'nextAt', 'endsAt'],
    (slot) => sql<unknown>`
      insert into watch (connection, resource_id, document, next_at, ends_at)
      values (${slot('connection')}, ${slot('resourceId')}, ${slot('document')}, ${slot('nextAt')},
        ${slot('endsAt')})
      on conflict (connection, resource_id) do update set document = excluded.document,
        next_at = excluded.next_at, ends_at = excluded.ends_at`,
  )
  const remove = statement(
    dialect,
    ['connection', 'resourceId'],
    (slot) =>
      sql<unknown>`delete from watch where connection = ${slot('connection')} and resource_id = ${slot('resourceId')}`,
  )
  const hurry = statement(
    dialect,
    ['connection', 'now'],
    (slot) => sql<unknown>`
      update watch set next_at = ${slot('now')} where connection = ${slot('connection')} and next_at > ${slot('now')}`,
  )
  return (run) => ({
    async putWatch(connection, watch) {
      const document = run.sealer.seal('watch.document', [connection, watch.resourceId], watch.document)
      await run.tell(put({ connection, ...watch, document }))
    },
    async deleteWatch(connection, resourceId) {
      await run.tell(remove({ connection, resourceId }))
    },
    async hurryWatches(connection, now) {
      await run.tell(hurry({ connection, now }))
    },
  })
}
