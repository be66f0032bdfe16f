import { createAuditWrites } from './audit.ts'
import { nobody } from './audit-chain.ts'
import { erasureDetails } from './audit-erasures.ts'
import type { Counters } from './counters.ts'
import { createGroupTombstoneWrites, type GroupTombstoneWrites } from './group-tombstones.ts'
import { foldKey } from './keys.ts'
import { sql } from './kysely.ts'
import { createRequestSpanErasure, type RequestSpanErasure } from './request-spans.ts'
import { atMost, type Dialect, type Run, statement } from './statement.ts'
import type { AuditEntry } from './store.ts'

/** What may be forgotten: what is older than it has to be kept, and one person's traces. Inside a transaction. */
export interface ErasureWrites extends GroupTombstoneWrites, RequestSpanErasure {
  /** Of every connection that has ever stored something, also of those that the configuration no longer names. */
  connections(): Promise<readonly string[]>
  /** At most so many tombstones from before then; those with unfinished work, or a watch, stay. Answers how many. */
  eraseTombstones(connection: string, before: string, limit: number): Promise<number>
  /**
   * At most so many audit lines from before then, oldest first; the newest line of all stays. What the chain goes on from is
   * kept, so that it can be followed and nobody else can take lines from its front unseen.
   */
  eraseAudit(connection: string, before: string, limit: number): Promise<number>
  /** When the oldest audit line of all was written, and the newest from before then; undefined: none is from before. */
  auditSpan(connection: string, before: string): Promise<AuditSpan | undefined>
  /** Ids of users by tombstones alone: with this id, or with this userName in any letter case. */
  tombstonesNamed(connection: string, idOrUserName: string): Promise<readonly string[]>
  /** Until when it is looked for an account of somebody who was deleted; undefined: it is not. */
  watchedUntil(connection: string, resourceId: string): Promise<number | undefined>
  /** Takes what `tracingTables` have of a user. */
  eraseTraces(connection: string, resourceId: string): Promise<void>
  /**
   * Takes people out of all audit lines; the lines stay, and the chain goes on through them. Which they were is recorded in
   * new lines. Answers how many.
   */
  eraseSubjects(
    connection: string,
    subjects: readonly Subject[],
    by: Pick<AuditEntry, 'at' | 'requestId' | 'caller'>,
  ): Promise<number>
}

export interface AuditSpan {
  readonly oldest: string
  readonly newest: string
}

export interface Subject {
  readonly resourceId: string
  readonly accountId: string | undefined
}

/**
 * Tables that know users by `resource_id`, besides `operation`, which is empty of somebody who may be erased, and `audit`,
 * whose lines stay. A test finds the one that was forgotten here.
 */
export const tracingTables = [
  'link',
  'departure',
  'email_value',
  'finding',
  'match_key',
  'operator_request',
  'watch',
  'scim_request',
] as const

export function createErasureWrites(dialect: Dialect, counters: Counters): (run: Run) => ErasureWrites {
  const texts = erasureStatements(dialect)
  const audit = createAuditWrites(dialect)
  const groupTombstones = createGroupTombstoneWrites(dialect)
  const requestSpans = createRequestSpanErasure(dialect)
  return (run) => ({
    ...groupTombstones(run),
    ...requestSpans(run),
    async connections() {
      const { rows } = await run(texts.connections({}))
      return rows.map(({ connection }) => connection)
    },
    async eraseTombstones(connection, before, limit) {
      const { rows } = await run(texts.tombstones({ connection, before, limit }))
      return rows.length
    },
    async eraseAudit(connection, before, limit) {
      const newest = await counters.read(run, connection, 'audit.id')
      const { rows } = await run(texts.oldest({ connection, limit }))
      const firstKept = rows.findIndex(({ id, at }) => at >= before || id === newest)
      const old = firstKept === -1 ? rows : rows.slice(0, firstKept)
      const last = old.at(-1)
      if (last === undefined) return 0
      await run.tell(texts.anchor({ connection, id: last.id, hash: last.hash }))
      await run.tell(texts.forgetAudit({ connection, id: last.id }))
      await run.tell(texts.forgetErased({ connection, id: last.id }))
      return old.length
    },
    async auditSpan(connection, before) {
      const newest = (await run(texts.newestBefore({ connection, before }))).rows[0]?.at
      const oldest = (await run(texts.oldest({ connection, limit: 1 }))).rows[0]?.at
      return newest === undefined || oldest === undefined ? undefined : { oldest, newest }
    },
    async tombstonesNamed(connection, idOrUserName) {
      const { rows } = await run(texts.names({ connection }))
      const key = foldKey(idOrUserName)
      return rows
        .filter((row) => {
          if (row.resource_id === idOrUserName) return true
          const userName = run.sealer.open('link.user_name', [connection, row.resource_id], row.user_name)
          return userName !== null && foldKey(userName) === key
        })
        .map((row) => row.resource_id)
    },
    async watchedUntil(connection, resourceId) {
      const { rows } = await run(texts.watch({ connection, resourceId }))
      return rows[0]?.ends_at
    },
    async eraseTraces(connection, resourceId) {
      for (const remove of texts.traces) await run.tell(remove({ connection, resourceId }))
    },
    async eraseSubjects(connection, subjects, by) {
      const erased: number[] = []
      for (const { resourceId, accountId = null } of subjects) {
        const { rows } = await run(texts.blank({ connection, resourceId, accountId, ...nobody }))
        for (const { id, subject_hash } of rows) {
          erased.push(id)
          if (subject_hash === null) await run.tell(texts.markErased({ connection, id }))
        }
      }
      const unsaid = { resourceId: undefined, operationId: undefined, accountId: undefined }
      for (const detail of erasureDetails(subjects.length, erased)) {
        await audit(run).appendAudit(connection, { ...by, ...unsaid, event: 'outcome', detail })
      }
      return erased.length
    },
  })
}

function erasureStatements(dialect: Dialect) {
  return {
    connections: statement(
      dialect,
      [],
      () => sql<{ connection: string }>`select distinct connection from counter order by connection`,
    ),
    tombstones: statement(
      dialect,
      ['connection', 'before', 'limit'],
      (slot) => sql<{ resource_id: string }>`
        delete from link where (connection, resource_id) in (
          select connection, resource_id from link
          where connection = ${slot('connection')} and state = 'tombstone' and deleted_at < ${slot('before')}
            and not exists (select 1 from operation
              where operation.connection = link.connection and operation.resource_id = link.resource_id)
            and not exists (select 1 from watch
              where watch.connection = link.connection and watch.resource_id = link.resource_id)
          limit ${atMost(slot('limit'))})
        returning resource_id`,
    ),
    oldest: statement(
      dialect,
      ['connection', 'limit'],
      (slot) => sql<{ id: number; at: string; hash: string }>`
        select id, at, hash from audit where connection = ${slot('connection')} order by id limit ${atMost(slot('limit'))}`,
    ),
    newestBefore: statement(
      dialect,
      ['connection', 'before'],
      (slot) => sql<{ at: string }>`
        select at from audit where connection = ${slot('connection')} and at < ${slot('before')} order by id desc limit 1`,
    ),
    anchor: statement(
      dialect,
      ['connection', 'id', 'hash'],
      (slot) => sql<unknown>`
        insert into audit_anchor (connection, id, hash) values (${slot('connection')}, ${slot('id')}, ${slot('hash')})
        on conflict (connection) do update set id = excluded.id, hash = excluded.hash`,
    ),
    forgetAudit: statement(
      dialect,
      ['connection', 'id'],
      (slot) => sql<unknown>`delete from audit where connection = ${slot('connection')} and id <= ${slot('id')}`,
    ),
    forgetErased: statement(
      dialect,
      ['connection', 'id'],
      (slot) => sql<unknown>`delete from audit_erased where connection = ${slot('connection')} and id <= ${slot('id')}`,
    ),
    names: statement(
      dialect,
      ['connection'],
      (slot) => sql<{ resource_id: string; user_name: string | null }>`
        select resource_id, user_name from link where connection = ${slot('connection')} and state = 'tombstone'`,
    ),
    watch: statement(
      dialect,
      ['connection', 'resourceId'],
      (slot) => sql<{ ends_at: number }>`
        select ends_at from watch where connection = ${slot('connection')} and resource_id = ${slot('resourceId')}`,
    ),
    traces: tracingTables.map((table) =>
      statement(
        dialect,
        ['connection', 'resourceId'],
        (slot) => sql<unknown>`
          delete from ${sql.raw(table)}
          where connection = ${slot('connection')} and resource_id = ${slot('resourceId')}`,
      ),
    ),
    blank: statement(
      dialect,
      ['connection', 'resourceId', 'accountId', 'resource_id', 'account_id', 'detail'],
      (slot) => sql<{ id: number; subject_hash: string | null }>`
        update audit set resource_id = ${slot('resource_id')}, account_id = ${slot('account_id')}, detail = ${slot('detail')},
          salt = null
        where connection = ${slot('connection')}
          and (resource_id = ${slot('resourceId')} or account_id = ${slot('accountId')})
        returning id, subject_hash`,
    ),
    markErased: statement(
      dialect,
      ['connection', 'id'],
      (slot) => sql<unknown>`
        insert into audit_erased (connection, id) values (${slot('connection')}, ${slot('id')})
        on conflict (connection, id) do nothing`,
    ),
  }
}
