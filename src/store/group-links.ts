import { isTaken } from './failures.ts'
import { sql } from './kysely.ts'
import { groupLinkColumns } from './reads.ts'
import { type Dialect, mayBeTaken, type Run, statement } from './statement.ts'
import { AccountTaken, type StoreWriter } from './store.ts'

export function createGroupLinkWrites(dialect: Dialect): (run: Run) => Pick<StoreWriter, 'putGroupLink'> {
  const put = statement(
    dialect,
    ['connection', 'resourceId', 'state', 'groupId', 'name', 'wasCreated', 'deletedAt'],
    (slot) => sql<unknown>`
      insert into group_link (${groupLinkColumns}) values (${slot('connection')}, ${slot('resourceId')}, ${slot('state')},
        ${slot('groupId')}, ${slot('name')}, ${slot('wasCreated')},
        ${slot('deletedAt')})
      on conflict (connection, resource_id) do update set state = excluded.state, group_id = excluded.group_id,
        name = excluded.name, was_created = excluded.was_created, deleted_at = excluded.deleted_at`,
  )
  return (run) => ({
    async putGroupLink({ connection, resourceId, state, groupId, ...link }) {
      const name = run.sealer.seal('group_link.name', [connection, resourceId], link.name)
      try {
        const wasCreated = link.wasCreated ? 1 : 0
        const deletedAt = link.deletedAt ?? null
        await run(mayBeTaken(put({ connection, resourceId, state, groupId, name, wasCreated, deletedAt })))
      } catch (error) {
        if (isTaken(error)) throw new AccountTaken('another link holds the group', { cause: error })
        throw error
      }
    },
  })
}
