import { chainHash, newSalt, subjectHash } from './audit-chain.ts'
import { type AuditVerification, createAuditVerification } from './audit-verify.ts'
import type { Counters } from './counters.ts'
import { sql } from './kysely.ts'
import { type AuditRow, toAudit } from './rows.ts'
import { atMost, type Dialect, type Run, statement, storedText } from './statement.ts'
import type { Store, StoreWriter } from './store.ts'

/** Append-only; each row carries the hash of itself and of the row before, per connection, so that a gap shows. */
export function createAuditWrites(dialect: Dialect): (run: Run) => Pick<StoreWriter, 'appendAudit'> {
  /** The next number, and the hash of the row before it. */
  const next = statement(
    dialect,
    ['connection'],
    (slot) => sql<{ id: number; before: string | null }>`
      insert into counter (connection, name, value) values (${slot('connection')}, 'audit.id', 1)
      on conflict (connection, name) do update set value = counter.value + 1
      returning value as id, (
        select hash from audit where audit.connection = counter.connection and audit.id = counter.value - 1) as before`,
  )
  const insert = statement(
    dialect,
    [
      ...['connection', 'id', 'at', 'event', 'request_id', 'caller', 'resource_id', 'operation_id', 'account_id'],
      ...['detail', 'salt', 'subject_hash', 'hash'],
    ],
    (slot) => sql<unknown>`
      insert into audit (connection, id, at, event, request_id, caller, resource_id, operation_id, account_id, detail, salt,
        subject_hash, hash)
      values (${slot('connection')}, ${slot('id')}, ${slot('at')}, ${slot('event')}, ${slot('request_id')}, ${slot('caller')},
        ${slot('resource_id')}, ${slot('operation_id')}, ${slot('account_id')}, ${slot('detail')}, ${slot('salt')},
        ${slot('subject_hash')}, ${slot('hash')})`,
  )
  return (run) => ({
    async appendAudit(connection, entry) {
      const { rows } = await run(next({ connection }))
      const { id, before } = rows[0] ?? unnumbered()
      const row = {
        id,
        at: entry.at,
        event: entry.event,
        request_id: storedText(entry.requestId),
        caller: storedText(entry.caller),
        resource_id: storedOrNull(entry.resourceId),
        operation_id: entry.operationId ?? null,
        account_id: storedOrNull(entry.accountId),
        detail: JSON.stringify(entry.detail),
      }
      const salt = newSalt()
      const subject_hash = subjectHash(salt, row)
      const hash = chainHash(before ?? '', connection, row, subject_hash)
      await run.tell(insert({ ...row, connection, salt, subject_hash, hash }))
    },
  })
}

function unnumbered(): never {
  throw new Error('the counter audit.id was not stored')
}

/** Hashes are over what will be read back. */
function storedOrNull(text: string | undefined): string | null {
  return text === undefined ? null : storedText(text)
}

export interface AuditReads extends Pick<Store, 'readAudit'>, AuditVerification {}

export function createAuditReads(dialect: Dialect, counters: Counters): (run: Run) => AuditReads {
  const page = statement(
    dialect,
    ['connection', 'afterId', 'limit'],
    (slot) => sql<AuditRow>`
      select id, at, event, request_id, caller, resource_id, operation_id, account_id, detail, hash from audit
      where connection = ${slot('connection')} and id > ${slot('afterId')} order by id limit ${atMost(slot('limit'))}`,
  )
  const verification = createAuditVerification(dialect, counters)
  return (run) => ({
    async readAudit(connection, afterId, limit) {
      const { rows } = await run(page({ connection, afterId, limit }))
      return rows.map(toAudit)
    },
    ...verification(run),
  })
}
