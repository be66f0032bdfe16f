import type { DatabaseSync } from 'node:sqlite'
import { linkValues } from './links.ts'
import { emailRows, keyColumns } from './resources.ts'
import type { Sealer } from './sealing.ts'
import type { Link, NewResource } from './store.ts'

export interface BulkRow {
  readonly resource: NewResource
  readonly link: Link
}

/** What `openStore` answers, as far as this file is concerned: one transaction on the bare handle. */
export interface BulkTarget {
  withDatabase<Result>(work: (database: DatabaseSync, sealer: Sealer) => Result): Promise<Result>
}

/**
 * Fills a store quickly, for trying it out with many users: one transaction, without a step per row through the query
 * layer. Answers how many were stored; a name or account that is taken fails the whole.
 */
export function bulkLoad(store: BulkTarget, connection: string, rows: Iterable<BulkRow>): Promise<number> {
  return store.withDatabase((database, sealer) => load(database, sealer, connection, rows))
}

function load(database: DatabaseSync, sealer: Sealer, connection: string, rows: Iterable<BulkRow>): number {
  const addTo = database.prepare(
    'insert into counter (connection, name, value) values (?, ?, ?) ' +
      'on conflict (connection, name) do update set value = counter.value + excluded.value returning value',
  )
  const insertResource = database.prepare(
    'insert into resource (connection, id, type, seq, version, visible, json, user_name_key, display_key, external_id, ' +
      'display, active, created, modified) values (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const insertEmail = database.prepare(
    'insert into email_value (connection, resource_id, value_key, email_type) values (?, ?, ?, ?)',
  )
  const insertLink = database.prepare(
    'insert into link (connection, resource_id, state, account_id, applied, last_applied_at, drift, was_flushed, ' +
      'user_name, external_id, deleted_at, invited_at, invitations, grants) ' +
      'values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const start = Number(addTo.get(connection, 'resource.seq', 0)?.value ?? 0)
  const visible = { User: 0, Group: 0 }
  let count = 0
  for (const { resource, link } of rows) {
    count += 1
    const { type, id, json, now } = resource
    const keys = keyColumns(sealer, connection, resource)
    const isVisible = resource.visible ? 1 : 0
    const { userNameKey, displayKey, externalId, display, active } = keys
    insertResource.run(
      connection,
      id,
      type,
      start + count,
      isVisible,
      sealer.seal('resource.json', [connection, id], json),
      userNameKey,
      displayKey,
      externalId,
      display,
      active,
      now,
      now,
    )
    for (const { valueKey, emailType } of emailRows(sealer, connection, resource.keys)) {
      insertEmail.run(connection, id, valueKey, emailType)
    }
    const values = linkValues(sealer, link)
    insertLink.run(
      connection,
      id,
      values.state,
      values.accountId,
      values.applied,
      values.lastAppliedAt,
      values.drift,
      values.wasFlushed,
      values.userName,
      values.externalId,
      values.deletedAt,
      values.invitedAt,
      values.invitations,
      values.grants,
    )
    visible[type] += isVisible
  }
  addTo.get(connection, 'resource.seq', count)
  addTo.get(connection, 'visible.User', visible.User)
  addTo.get(connection, 'visible.Group', visible.Group)
  return count
}
