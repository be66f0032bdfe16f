import { claimMs, outboxBatch } from '../limits.ts'
import type { ClaimStore } from './claim-store.ts'
import { sql } from './kysely.ts'
import { postgresDialect } from './postgres.ts'
import { operationColumns } from './reads.ts'
import { type OperationRow, toOperation } from './rows.ts'
import { atMost, type Run, statement } from './statement.ts'
import type { StoreReader } from './store.ts'

/** Replicas' clocks may differ by minutes: all of them go by the database's. */
export const databaseNow = sql.raw('(extract(epoch from clock_timestamp()) * 1000)::bigint')

const take = statement(
  postgresDialect,
  ['connection', 'kind', 'name', 'holder', 'claimMs'],
  (slot) => sql<{ name: string }>`
    insert into claim (connection, kind, name, holder, claimed_until)
    values (${slot('connection')}, ${slot('kind')}, ${slot('name')}, ${slot('holder')}, ${databaseNow} + ${slot('claimMs')})
    on conflict (connection, kind, name) do update
      set holder = excluded.holder, claimed_until = excluded.claimed_until
      where claim.holder = excluded.holder or claim.claimed_until <= ${databaseNow}
    returning name`,
)
const renew = statement(
  postgresDialect,
  ['connection', 'kind', 'name', 'holder', 'claimMs'],
  (slot) => sql<{ name: string }>`
    update claim set claimed_until = ${databaseNow} + ${slot('claimMs')}
    where connection = ${slot('connection')} and kind = ${slot('kind')} and name = ${slot('name')}
      and holder = ${slot('holder')}
    returning name`,
)
const anybody = statement(
  postgresDialect,
  ['connection', 'kind'],
  (slot) => sql<{ name: string }>`
    select name from claim
    where connection = ${slot('connection')} and kind = ${slot('kind')} and claimed_until > ${databaseNow} limit 1`,
)
const release = statement(
  postgresDialect,
  ['connection', 'holder'],
  (slot) => sql<unknown>`
    delete from claim where connection = ${slot('connection')} and holder = ${slot('holder')}`,
)
const forget = statement(
  postgresDialect,
  ['limit'],
  (slot) => sql<unknown>`
    delete from claim where (connection, kind, name) in (
      select connection, kind, name from claim where claimed_until < ${databaseNow} - 3600000
      limit ${atMost(slot('limit'))} for update skip locked)`,
)
// Those whose links others have claimed are theirs. Rows that a transaction of another process holds are passed over.
const due = statement(
  postgresDialect,
  ['connection', 'precedence', 'now', 'limit', 'holders'],
  (slot) => sql<OperationRow>`
    select ${operationColumns} from operation
    where connection = ${slot('connection')} and precedence = ${slot('precedence')} and state = 'waiting'
      and due_at <= ${slot('now')}
      and not exists (select 1 from claim
        where claim.connection = operation.connection and claim.kind = 'link' and claim.name = operation.resource_id
          and claim.claimed_until > ${databaseNow} and not starts_with(claim.holder, ${slot('holders')}))
    order by due_at, id limit ${atMost(slot('limit'))} for update of operation skip locked`,
)

/** `process` tells this one from all others. */
export function createPostgresClaims(process: string) {
  const holderOf = (owner: string) => `${process}/${owner}`
  return {
    claims: (run: Run): ClaimStore => ({
      async claim(connection, kind, name, owner) {
        const { rows } = await run(take({ connection, kind, name, holder: holderOf(owner), claimMs }))
        return rows.length > 0
      },
      async renewClaim(connection, kind, name, owner) {
        const { rows } = await run(renew({ connection, kind, name, holder: holderOf(owner), claimMs }))
        return rows.length > 0
      },
      async isClaimed(connection, kind) {
        const { rows } = await run(anybody({ connection, kind }))
        return rows.length > 0
      },
      async releaseClaims(connection, owner) {
        await run(release({ connection, holder: holderOf(owner) }))
      },
    }),
    /** For who has just accepted the link's operation, which nobody else knows yet. */
    claimAccepted: (run: Run, connection: string, resourceId: string): Promise<void> =>
      run.tell(take({ connection, kind: 'link', name: resourceId, holder: holderOf(resourceId), claimMs })),
    /** What this process may take up. */
    outbox: (run: Run): Pick<StoreReader, 'dueOperations'> => ({
      async dueOperations(connection, now, limit) {
        const holders = holderOf('')
        const first = await run(due({ connection, precedence: 0, now, limit, holders }))
        const left = limit - first.rows.length
        if (left <= 0) return first.rows.map((row) => toOperation(run.sealer, row))
        const then = await run(due({ connection, precedence: 1, now, limit: left, holders }))
        return [...first.rows, ...then.rows].map((row) => toOperation(run.sealer, row))
      },
    }),
    /** Says that a bridge runs here, and forgets what nobody renews any more. */
    async register(run: Run): Promise<void> {
      await run(take({ connection: '', kind: 'bridge', name: process, holder: holderOf('bridge'), claimMs }))
      await run(forget({ limit: outboxBatch }))
    },
    unregister: (run: Run) => run(release({ connection: '', holder: holderOf('bridge') })),
  }
}

/** Whether a bridge runs on the store, anywhere. */
export async function isBridgeRunning(run: Run): Promise<boolean> {
  const { rows } = await run(anybody({ connection: '', kind: 'bridge' }))
  return rows.length > 0
}
