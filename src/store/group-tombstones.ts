import { groupIdOf } from './grant-store.ts'
import { sql } from './kysely.ts'
import { parseLedger } from './rows.ts'
import { atMost, type Dialect, listRows, listValue, type Run, statement } from './statement.ts'

/** Users whose ledgers are read at a time. */
const ledgerBatch = 1_000

export interface GroupTombstoneWrites {
  /**
   * At most so many tombstones of groups from before then. Those stay that unfinished work still needs: of the group itself, or
   * of somebody who has yet to be taken out of it. Answers how many.
   */
  eraseGroupTombstones(connection: string, before: string, limit: number): Promise<number>
}

export function createGroupTombstoneWrites(dialect: Dialect): (run: Run) => GroupTombstoneWrites {
  const texts = tombstoneStatements(dialect)

  /** Groups that the ledgers of people name on whom the bridge has work, or will have when an operator gives them an account. */
  async function groupsInWork(run: Run, connection: string): Promise<ReadonlySet<string>> {
    const groups = new Set<string>()
    for (let afterId = ''; ; ) {
      const { rows } = await run(texts.ledgers({ connection, afterId, limit: ledgerBatch }))
      for (const { resource_id, grants } of rows) {
        const ledger = run.sealer.open('link.grants', [connection, resource_id], grants)
        for (const { key } of parseLedger(ledger)) {
          const id = groupIdOf(key)
          if (id !== undefined) groups.add(id)
        }
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < ledgerBatch) return groups
      afterId = last.resource_id
    }
  }

  return (run) => ({
    async eraseGroupTombstones(connection, before, limit) {
      await run(texts.date({ connection }))
      // Ledgers are read only where there is something to erase.
      const { rows: old } = await run(texts.anyOld({ connection, before }))
      if (old.length === 0) return 0
      const kept = listValue([...(await groupsInWork(run, connection))])
      const { rows } = await run(texts.erase({ connection, before, kept, limit }))
      return rows.length
    },
  })
}

function tombstoneStatements(dialect: Dialect) {
  return {
    // Deleted by a release that kept no date: the last audit line about the group is no earlier than that.
    date: statement(
      dialect,
      ['connection'],
      (slot) => sql<unknown>`
        update group_link set deleted_at = coalesce(
          (select max(at) from audit where audit.connection = group_link.connection and audit.resource_id = group_link.resource_id),
          (select max(at) from audit where audit.connection = group_link.connection))
        where connection = ${slot('connection')} and state = 'tombstone' and deleted_at is null`,
    ),
    anyOld: statement(
      dialect,
      ['connection', 'before'],
      (slot) => sql<{ resource_id: string }>`
        select resource_id from group_link
        where connection = ${slot('connection')} and state = 'tombstone' and deleted_at < ${slot('before')} limit 1`,
    ),
    ledgers: statement(
      dialect,
      ['connection', 'afterId', 'limit'],
      (slot) => sql<{ resource_id: string; grants: string }>`
        select resource_id, grants from link
        where connection = ${slot('connection')} and resource_id > ${slot('afterId')}
          and (unlinked_account_id is not null or exists (select 1 from operation
            where operation.connection = link.connection and operation.resource_id = link.resource_id))
        order by resource_id limit ${atMost(slot('limit'))}`,
    ),
    erase: statement(
      dialect,
      ['connection', 'before', 'kept', 'limit'],
      (slot) => sql<{ resource_id: string }>`
        delete from group_link where (connection, resource_id) in (
          select connection, resource_id from group_link
          where connection = ${slot('connection')} and state = 'tombstone' and deleted_at < ${slot('before')}
            and resource_id not in (select value from ${listRows(slot('kept'))})
            and not exists (select 1 from operation
              where operation.connection = group_link.connection and operation.resource_id = group_link.resource_id)
          limit ${atMost(slot('limit'))})
        returning resource_id`,
    ),
  }
}
