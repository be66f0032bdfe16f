import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Counters } from './counters.ts'
import { type AuditRow, toAudit } from './rows.ts'
import { atMost, type Dialect, type Run, statement } from './statement.ts'
import type { AuditEntry, Store, StoreWriter } from './store.ts'

/** Append-only; each row carries the hash of itself and of the row before, per connection, so that a gap shows. */
export function createAuditWrites(
  dialect: Dialect,
  counters: Counters,
): (run: Run) => Pick<StoreWriter, 'appendAudit'> {
  const hashOf = statement(
    dialect,
    ['connection', 'id'],
    (slot) =>
      sql<{ hash: string }>`select hash from audit where connection = ${slot('connection')} and id = ${slot('id')}`,
  )
  const insert = statement(
    dialect,
    [
      'connection',
      'id',
      'at',
      'event',
      'requestId',
      'caller',
      'resourceId',
      'operationId',
      'accountId',
      'detail',
      'hash',
    ],
    (slot) => sql<unknown>`
      insert into audit (connection, id, at, event, request_id, caller, resource_id, operation_id, account_id, detail, hash)
      values (${slot('connection')}, ${slot('id')}, ${slot('at')}, ${slot('event')}, ${slot('requestId')}, ${slot('caller')},
        ${slot('resourceId')}, ${slot('operationId')}, ${slot('accountId')}, ${slot('detail')}, ${slot('hash')})`,
  )
  return (run) => ({
    async appendAudit(connection, entry) {
      const id = await counters.add(run, connection, 'audit.id', 1)
      const before = await run(hashOf({ connection, id: id - 1 }))
      const detail = JSON.stringify(entry.detail)
      await run(
        insert({
          connection,
          id,
          at: entry.at,
          event: entry.event,
          requestId: entry.requestId,
          caller: entry.caller,
          resourceId: entry.resourceId ?? null,
          operationId: entry.operationId ?? null,
          accountId: entry.accountId ?? null,
          detail,
          hash: chainHash(before.rows[0]?.hash ?? '', connection, { ...entry, id }, detail),
        }),
      )
    },
  })
}

interface VerifiedRow extends AuditRow {
  /** 1 when the person it told of was erased from it. */
  readonly is_erased: number
}

/** Rows read at a time while verifying: a turn of the event loop lies between. */
const verifyBatch = 1_000

export interface AuditReads extends Pick<Store, 'readAudit'> {
  /**
   * Follows the chain: how many rows it has, and the id of the first that was changed, or whose predecessor is missing, or that
   * should be there and is not. It begins where retention has left off.
   */
  verifyAudit(connection: string): Promise<{ readonly rows: number; readonly brokenAt: number | undefined }>
}

export function createAuditReads(dialect: Dialect, counters: Counters): (run: Run) => AuditReads {
  const page = statement(
    dialect,
    ['connection', 'afterId', 'limit'],
    (slot) => sql<AuditRow>`
      select id, at, event, request_id, caller, resource_id, operation_id, account_id, detail, hash from audit
      where connection = ${slot('connection')} and id > ${slot('afterId')} order by id limit ${atMost(slot('limit'))}`,
  )
  const verifiedPage = statement(
    dialect,
    ['connection', 'afterId', 'limit'],
    (slot) => sql<VerifiedRow>`
      select id, at, event, request_id, caller, resource_id, operation_id, account_id, detail, hash,
        case when exists (select 1 from audit_erased
          where audit_erased.connection = audit.connection and audit_erased.id = audit.id) then 1 else 0 end as is_erased
      from audit
      where connection = ${slot('connection')} and id > ${slot('afterId')} order by id limit ${atMost(slot('limit'))}`,
  )
  const anchor = statement(
    dialect,
    ['connection'],
    (slot) => sql<{ id: number; hash: string }>`
      select id, hash from audit_anchor where connection = ${slot('connection')}`,
  )
  return (run) => ({
    async readAudit(connection, afterId, limit) {
      const { rows } = await run(page({ connection, afterId, limit }))
      return rows.map(toAudit)
    },
    async verifyAudit(connection) {
      const newest = await counters.read(run, connection, 'audit.id')
      const anchored = (await run(anchor({ connection }))).rows[0]
      let { id, hash } = anchored ?? { id: 0, hash: '' }
      let count = 0
      for (;;) {
        const { rows } = await run(verifiedPage({ connection, afterId: id, limit: verifyBatch }))
        // Lines may have been added since `newest` was read.
        if (rows.length === 0) return { rows: count, brokenAt: id < newest ? id + 1 : undefined }
        for (const row of rows) {
          if (row.id !== id + 1 || !isAsWritten(hash, connection, row)) return { rows: count, brokenAt: row.id }
          hash = row.hash
          id = row.id
          count += 1
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  })
}

/** Of a row whose person was erased only the hash is left to go on from; it must not tell of anybody again. */
function isAsWritten(before: string, connection: string, row: VerifiedRow): boolean {
  if (row.is_erased === 1) return row.resource_id === null && row.account_id === null && row.detail === '{}'
  return row.hash === chainHash(before, connection, toAudit(row), row.detail)
}

function chainHash(before: string, connection: string, entry: AuditEntry & { id: number }, detail: string): string {
  const fields = [
    connection,
    entry.id,
    entry.at,
    entry.event,
    entry.requestId,
    entry.caller,
    entry.resourceId ?? null,
    entry.operationId ?? null,
    entry.accountId ?? null,
    detail,
  ]
  return createHash('sha256').update(before).update('\n').update(JSON.stringify(fields)).digest('base64url')
}
