import type { Counters } from './counters.ts'
import type { GrantOperation } from './grant-store.ts'
import { sql } from './kysely.ts'
import { type Dialect, listRows, listValue, type Run, statement } from './statement.ts'
import type { StoreWriter } from './store.ts'

/** Operations of many users at once: two statements for those without one, whatever their number. */
export function createGrantOperationWrites(
  dialect: Dialect,
  counters: Counters,
): (run: Run) => Pick<StoreWriter, 'putGrantOperations'> {
  const texts = grantOperationStatements(dialect)
  return (run) => ({
    async putGrantOperations(connection, resourceIds, { dueAt, requestId, caller, createdAt }) {
      if (resourceIds.length === 0) return []
      const ids = listValue(resourceIds)
      await run.tell(texts.ofDeletions({ connection, ids }))
      const last = await counters.add(run, connection, 'operation.id', resourceIds.length)
      const base = last - resourceIds.length
      const unfinished = await run(texts.unfinished({ connection, ids }))
      const renewed: GrantOperation[] = []
      for (const [index, row] of unfinished.rows.entries()) {
        const id = base + index + 1
        await run.tell(texts.renew({ connection, replacedId: row.id, id, dueAt }))
        renewed.push({ resourceId: row.resource_id, id, replacedId: row.id })
      }
      const { rows } = await run(
        texts.insert({ connection, ids, base: base + renewed.length, dueAt, requestId, caller, createdAt }),
      )
      if (rows.length > 0) await counters.change(run, connection, 'operation.count', rows.length)
      return [...renewed, ...rows.map((row) => ({ resourceId: row.resource_id, id: row.id, replacedId: undefined }))]
    },
  })
}

interface Row {
  readonly id: number
  readonly resource_id: string
}

function grantOperationStatements(dialect: Dialect) {
  return {
    // It goes on under its id: whatever the memberships are, it takes everything, unless it is refused.
    ofDeletions: statement(
      dialect,
      ['connection', 'ids'],
      (slot) => sql<unknown>`
        update operation set about = 'both'
        where connection = ${slot('connection')} and resource_id in (select value from ${listRows(slot('ids'))})
          and kind = 'delete' and about = 'account'`,
    ),
    unfinished: statement(
      dialect,
      ['connection', 'ids'],
      (slot) => sql<Row>`
        select id, resource_id from operation
        where connection = ${slot('connection')} and resource_id in (select value from ${listRows(slot('ids'))})
          and kind <> 'delete'
        order by id`,
    ),
    renew: statement(
      dialect,
      ['connection', 'replacedId', 'id', 'dueAt'],
      (slot) => sql<unknown>`
        update operation set id = ${slot('id')}, due_at = ${slot('dueAt')},
          state = case state when 'held' then 'held' else 'waiting' end,
          about = case about when 'account' then 'both' else about end
        where connection = ${slot('connection')} and id = ${slot('replacedId')}`,
    ),
    insert: statement(
      dialect,
      ['connection', 'ids', 'base', 'dueAt', 'requestId', 'caller', 'createdAt'],
      (slot) => sql<Row>`
        insert into operation (connection, id, resource_id, kind, about, is_deprovisioning, may_activate, before, version,
          state, attempts, due_at, request_id, caller, created_at, unknown_since, precedence)
        select connection, ${slot('base')} + row_number() over (order by seq), id, 'update', 'grants', 0, 0, null, version,
          'waiting', 0, ${slot('dueAt')}, ${slot('requestId')}, ${slot('caller')}, ${slot('createdAt')}, null, 1
        from resource
        where (connection, id) in (select ${slot('connection')}, value from ${listRows(slot('ids'))})
          and type = 'User'
          and not exists (
            select 1 from operation
            where operation.connection = resource.connection and operation.resource_id = resource.id)
        returning id, resource_id`,
    ),
  }
}
