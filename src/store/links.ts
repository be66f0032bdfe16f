import { isTaken } from './failures.ts'
import { type RawBuilder, sql } from './kysely.ts'
import { linkColumns } from './reads.ts'
import type { Sealer } from './sealing.ts'
import { type Dialect, mayBeTaken, type Run, statement } from './statement.ts'
import { AccountTaken, type Link, type StoreWriter } from './store.ts'

const columns = [
  ...(['connection', 'resourceId', 'state', 'accountId', 'applied', 'lastAppliedAt', 'drift', 'wasFlushed'] as const),
  ...(['userName', 'externalId', 'deletedAt', 'invitedAt', 'invitations', 'grants', 'unlinkedAccountId'] as const),
]

/** What changes of a link while its account stays what it is. */
const changing = (slot: (name: (typeof columns)[number]) => RawBuilder<unknown>) => sql`
  applied = ${slot('applied')}, last_applied_at = ${slot('lastAppliedAt')}, drift = ${slot('drift')},
  was_flushed = ${slot('wasFlushed')}, user_name = ${slot('userName')}, external_id = ${slot('externalId')},
  invited_at = ${slot('invitedAt')}, invitations = ${slot('invitations')}, grants = ${slot('grants')},
  unlinked_account_id = ${slot('unlinkedAccountId')}`

export function createLinkWrites(
  dialect: Dialect,
): (run: Run) => Pick<StoreWriter, 'putLink' | 'deleteLink' | 'setFlushed'> {
  // Most changes leave the account as it is: nothing can be taken, and no index is written anew.
  const keep = statement(
    dialect,
    columns,
    (slot) => sql<unknown>`
      update link set ${changing(slot)}
      where connection = ${slot('connection')} and resource_id = ${slot('resourceId')} and state = ${slot('state')}
        and account_id is not distinct from ${slot('accountId')} and deleted_at is not distinct from ${slot('deletedAt')}
      returning resource_id`,
  )
  // What `put` would do, where that takes no account from another link.
  const hold = statement(
    dialect,
    columns,
    (slot) => sql<unknown>`
      update link set state = ${slot('state')}, account_id = ${slot('accountId')}, deleted_at = ${slot('deletedAt')},
        ${changing(slot)}
      where connection = ${slot('connection')} and resource_id = ${slot('resourceId')}
        and not exists (select 1 from link as other
          where other.connection = ${slot('connection')} and other.account_id = ${slot('accountId')}
            and other.resource_id <> ${slot('resourceId')} and other.state <> 'tombstone')
      returning resource_id`,
  )
  const put = statement(
    dialect,
    columns,
    (slot) => sql<unknown>`
      insert into link (${linkColumns}) values (${slot('connection')}, ${slot('resourceId')}, ${slot('state')},
        ${slot('accountId')}, ${slot('applied')}, ${slot('lastAppliedAt')}, ${slot('drift')}, ${slot('wasFlushed')},
        ${slot('userName')}, ${slot('externalId')}, ${slot('deletedAt')},
        ${slot('invitedAt')}, ${slot('invitations')}, ${slot('grants')},
        ${slot('unlinkedAccountId')})
      on conflict (connection, resource_id) do update set state = excluded.state, account_id = excluded.account_id,
        applied = excluded.applied, last_applied_at = excluded.last_applied_at, drift = excluded.drift,
        was_flushed = excluded.was_flushed, user_name = excluded.user_name, external_id = excluded.external_id,
        deleted_at = excluded.deleted_at, invited_at = excluded.invited_at, invitations = excluded.invitations,
        grants = excluded.grants, unlinked_account_id = excluded.unlinked_account_id`,
  )
  const remove = statement(
    dialect,
    ['connection', 'resourceId'],
    (slot) =>
      sql<unknown>`delete from link where connection = ${slot('connection')} and resource_id = ${slot('resourceId')}`,
  )
  const flush = statement(
    dialect,
    ['connection', 'resourceId'],
    (slot) => sql<unknown>`
      update link set was_flushed = 1 where connection = ${slot('connection')} and resource_id = ${slot('resourceId')}`,
  )
  return (run) => ({
    async putLink(link) {
      const values = linkValues(run.sealer, link)
      if (link.accountId === undefined) return void (await run.tell(put(values)))
      for (const text of [keep, hold]) {
        const { rows } = await run(text(values))
        if (rows.length > 0) return
      }
      try {
        await run(mayBeTaken(put(values)))
      } catch (error) {
        if (isTaken(error)) throw new AccountTaken('another link holds the account', { cause: error })
        throw error
      }
    },
    async deleteLink(connection, resourceId) {
      await run.tell(remove({ connection, resourceId }))
    },
    async setFlushed(connection, resourceId) {
      await run.tell(flush({ connection, resourceId }))
    },
  })
}

export function linkValues(sealer: Sealer, link: Link) {
  const name = [link.connection, link.resourceId] as const
  const applied = link.applied === undefined ? null : JSON.stringify(link.applied)
  return {
    connection: link.connection,
    resourceId: link.resourceId,
    state: link.state,
    accountId: link.accountId ?? null,
    applied: sealer.seal('link.applied', name, applied),
    lastAppliedAt: link.lastAppliedAt ?? null,
    drift: JSON.stringify(link.drift),
    wasFlushed: link.wasFlushed ? 1 : 0,
    userName: sealer.seal('link.user_name', name, link.userName ?? null),
    externalId: sealer.seal('link.external_id', name, link.externalId ?? null),
    deletedAt: link.deletedAt ?? null,
    invitedAt: link.invitedAt ?? null,
    invitations: link.invitations,
    grants: sealer.seal('link.grants', name, JSON.stringify(link.grants)),
    unlinkedAccountId: link.unlinkedAccountId ?? null,
  }
}
