import { resourceColumns } from './conditions.ts'
import type { Counters } from './counters.ts'
import { isTaken } from './failures.ts'
import { foldKey } from './keys.ts'
import { sql } from './kysely.ts'
import { type ResourceRow, toResource } from './rows.ts'
import type { IndexedColumn } from './sealed-columns.ts'
import type { Sealer } from './sealing.ts'
import { type Dialect, listRows, listValues, mayBeTaken, ofType, type Run, statement } from './statement.ts'
import { NameTaken, type NewResource, type ResourceKeys, type StoreWriter } from './store.ts'

type ResourceWrites = Pick<
  StoreWriter,
  | 'getAnyResource'
  | 'findByUniqueName'
  | 'insertResource'
  | 'updateResource'
  | 'touchResources'
  | 'showResource'
  | 'hideResource'
  | 'deleteResource'
>

/** Reads and writes of resources that only a transaction may do. */
export function createResourceWrites(dialect: Dialect, counters: Counters): (run: Run) => ResourceWrites {
  const texts = resourceStatements(dialect)
  return (run) => {
    async function any(query: ReturnType<typeof texts.any>) {
      const { rows } = await run(query)
      return rows[0] === undefined ? undefined : { ...toResource(run.sealer, rows[0]), visible: rows[0].visible === 1 }
    }
    async function storeEmails(
      connection: string,
      id: string,
      keys: ResourceKeys,
      rows: readonly EmailRow[],
    ): Promise<void> {
      const wanted = emailRows(run.sealer, connection, keys)
      if (rows.length === wanted.length && rows.every((row) => wanted.some((email) => isSame(row, email)))) return
      if (rows.length > 0) await run.tell(texts.forgetEmails({ connection, id }))
      for (const email of wanted) await run.tell(texts.insertEmail({ connection, id, ...email }))
    }
    return {
      getAnyResource: (connection, type, id) => any(texts.any({ connection, type, id })),
      findByUniqueName: (connection, type, name) =>
        type === 'User'
          ? any(
              texts.byUserName({
                connection,
                key: run.sealer.index('resource.user_name_key', connection, foldKey(name)),
              }),
            )
          : any(
              texts.byGroupName({
                connection,
                key: run.sealer.index('resource.display_key', connection, foldKey(name)),
              }),
            ),
      async insertResource(connection, resource) {
        const { type, id, now } = resource
        const json = run.sealer.seal('resource.json', [connection, id], resource.json)
        const seq = await counters.add(run, connection, 'resource.seq', 1)
        const columns = keyColumns(run.sealer, connection, { type, id, keys: resource.keys })
        const visible = resource.visible ? 1 : 0
        const { rows } = await run(texts.insert({ connection, type, id, json, now, seq, visible, ...columns }))
        if (rows[0] === undefined) throw new NameTaken('the name is in use')
        for (const email of emailRows(run.sealer, connection, resource.keys)) {
          await run.tell(texts.insertEmail({ connection, id, ...email }))
        }
        if (resource.visible) await counters.change(run, connection, `visible.${type}`, 1)
        return toResource(run.sealer, rows[0])
      },
      async updateResource(connection, change) {
        const { type, id, now, expectedVersion } = change
        const json = run.sealer.seal('resource.json', [connection, id], change.json)
        const columns = keyColumns(run.sealer, connection, change)
        const values = { connection, type, id, json, now, expectedVersion, ...columns }
        const [kept, emails] = await Promise.all([run(texts.updateKept(values)), run(texts.emails({ connection, id }))])
        const { rows } = kept.rows.length > 0 ? kept : await unlessTaken(run(mayBeTaken(texts.update(values))))
        if (rows[0] === undefined) return undefined
        await storeEmails(connection, id, change.keys, emails.rows)
        return toResource(run.sealer, rows[0])
      },
      async touchResources(connection, type, ids, now) {
        for (const listed of listValues(ids)) await run.tell(texts.touch({ connection, type, ids: listed, now }))
      },
      async showResource(connection, type, id) {
        const { rows } = await run(texts.show({ connection, type, id }))
        if (rows.length > 0) await counters.change(run, connection, `visible.${type}`, rows.length)
      },
      async hideResource(connection, type, id) {
        const { rows } = await run(texts.hide({ connection, type, id }))
        if (rows.length > 0) await counters.change(run, connection, `visible.${type}`, -rows.length)
      },
      async deleteResource(connection, type, id) {
        const { rows } = await run(texts.remove({ connection, type, id }))
        if (rows[0]?.visible === 1) await counters.change(run, connection, `visible.${type}`, -1)
      },
    }
  }
}

const updated = [
  ...(['connection', 'type', 'id', 'json', 'now', 'expectedVersion'] as const),
  ...(['userNameKey', 'displayKey', 'externalId', 'display', 'active'] as const),
]

function resourceStatements(dialect: Dialect) {
  return {
    any: statement(
      dialect,
      ['connection', 'type', 'id'],
      (slot) => sql<ResourceRow>`
        select ${resourceColumns} from resource
        where connection = ${slot('connection')} and id = ${slot('id')} and ${ofType(slot('type'))}`,
    ),
    byUserName: statement(
      dialect,
      ['connection', 'key'],
      (slot) => sql<ResourceRow>`
        select ${resourceColumns} from resource
        where connection = ${slot('connection')} and type = 'User' and user_name_key = ${slot('key')}`,
    ),
    byGroupName: statement(
      dialect,
      ['connection', 'key'],
      (slot) => sql<ResourceRow>`
        select ${resourceColumns} from resource
        where connection = ${slot('connection')} and type = 'Group' and display_key = ${slot('key')}`,
    ),
    insert: statement(
      dialect,
      [
        'connection',
        'type',
        'id',
        'json',
        'now',
        'seq',
        'visible',
        'userNameKey',
        'displayKey',
        'externalId',
        'display',
        'active',
      ],
      (slot) => sql<ResourceRow>`
        insert into resource (connection, id, type, seq, version, visible, json, user_name_key, display_key, external_id,
          display, active, created, modified)
        values (${slot('connection')}, ${slot('id')}, ${slot('type')}, ${slot('seq')}, 1, ${slot('visible')}, ${slot('json')},
          ${slot('userNameKey')}, ${slot('displayKey')}, ${slot('externalId')}, ${slot('display')}, ${slot('active')}, ${slot('now')}, ${slot('now')})
        on conflict do nothing
        returning ${resourceColumns}`,
    ),
    // Most changes leave the keys as they are. Named in `set`, all of their indexes would be written anew.
    updateKept: statement(
      dialect,
      updated,
      (slot) => sql<ResourceRow>`
        update resource set version = version + 1, json = ${slot('json')}, display = ${slot('display')},
          modified = ${slot('now')}
        where connection = ${slot('connection')} and id = ${slot('id')} and ${ofType(slot('type'))}
          and version = ${slot('expectedVersion')} and user_name_key is not distinct from ${slot('userNameKey')}
          and display_key is not distinct from ${slot('displayKey')}
          and external_id is not distinct from ${slot('externalId')} and active is not distinct from ${slot('active')}
        returning ${resourceColumns}`,
    ),
    update: statement(
      dialect,
      updated,
      (slot) => sql<ResourceRow>`
        update resource set version = version + 1, json = ${slot('json')}, user_name_key = ${slot('userNameKey')},
          display_key = ${slot('displayKey')}, external_id = ${slot('externalId')}, display = ${slot('display')},
          active = ${slot('active')}, modified = ${slot('now')}
        where connection = ${slot('connection')} and id = ${slot('id')} and ${ofType(slot('type'))}
          and version = ${slot('expectedVersion')}
        returning ${resourceColumns}`,
    ),
    // Pairs: with `id in (…)` alone SQLite prefers an index on the type, and walks every user.
    touch: statement(
      dialect,
      ['connection', 'type', 'ids', 'now'],
      (slot) => sql<unknown>`
        update resource set version = version + 1, modified = ${slot('now')}
        where (connection, id) in (select ${slot('connection')}, value from ${listRows(slot('ids'))})
          and ${ofType(slot('type'))}`,
    ),
    show: statement(
      dialect,
      ['connection', 'type', 'id'],
      (slot) => sql<{ id: string }>`
        update resource set visible = 1
        where connection = ${slot('connection')} and id = ${slot('id')} and ${ofType(slot('type'))} and visible = 0
        returning id`,
    ),
    hide: statement(
      dialect,
      ['connection', 'type', 'id'],
      (slot) => sql<{ id: string }>`
        update resource set visible = 0
        where connection = ${slot('connection')} and id = ${slot('id')} and ${ofType(slot('type'))} and visible = 1
        returning id`,
    ),
    remove: statement(
      dialect,
      ['connection', 'type', 'id'],
      (slot) => sql<{ visible: number }>`
        delete from resource where connection = ${slot('connection')} and id = ${slot('id')} and ${ofType(slot('type'))}
        returning visible`,
    ),
    emails: statement(
      dialect,
      ['connection', 'id'],
      (slot) => sql<EmailRow>`
        select value_key, email_type from email_value
        where connection = ${slot('connection')} and resource_id = ${slot('id')}`,
    ),
    forgetEmails: statement(
      dialect,
      ['connection', 'id'],
      (slot) => sql<unknown>`
        delete from email_value where connection = ${slot('connection')} and resource_id = ${slot('id')}`,
    ),
    insertEmail: statement(
      dialect,
      ['connection', 'id', 'valueKey', 'emailType'],
      (slot) => sql<unknown>`
        insert into email_value (connection, resource_id, value_key, email_type)
        values (${slot('connection')}, ${slot('id')}, ${slot('valueKey')}, ${slot('emailType')})`,
    ),
  }
}

/** `display` is what members and groups are shown by; it keeps its spelling. */
export function keyColumns(
  sealer: Sealer,
  connection: string,
  { type, id, keys }: Pick<NewResource, 'type' | 'id' | 'keys'>,
) {
  const isUser = type === 'User'
  const index = (column: IndexedColumn, value: string | undefined) =>
    value === undefined ? null : sealer.index(column, connection, value)
  const folded = (value: string | undefined) => (value === undefined ? undefined : foldKey(value))
  const display = keys.displayName ?? (isUser ? keys.userName : undefined) ?? null
  return {
    userNameKey: isUser ? index('resource.user_name_key', folded(keys.userName)) : null,
    displayKey: index('resource.display_key', folded(keys.displayName)),
    externalId: index('resource.external_id', keys.externalId),
    display: sealer.seal('resource.display', [connection, id], display),
    active: keys.active === undefined ? null : keys.active ? 1 : 0,
  }
}

/** Without repetitions; an e-mail without type has the empty one. */
export function emailRows(
  sealer: Sealer,
  connection: string,
  keys: ResourceKeys,
): readonly { valueKey: string; emailType: string }[] {
  const rows: { valueKey: string; emailType: string }[] = []
  for (const { value, type = '' } of keys.emails ?? []) {
    const row = {
      valueKey: sealer.index('email_value.value_key', connection, foldKey(value)),
      emailType: sealer.index('email_value.email_type', connection, foldKey(type)),
    }
    if (!rows.some((known) => known.valueKey === row.valueKey && known.emailType === row.emailType)) rows.push(row)
  }
  return rows
}

interface EmailRow {
  readonly value_key: string
  readonly email_type: string
}

function isSame(row: EmailRow, email: { valueKey: string; emailType: string }): boolean {
  return row.value_key === email.valueKey && row.email_type === email.emailType
}

async function unlessTaken<Result>(result: Promise<Result>): Promise<Result> {
  try {
    return await result
  } catch (error) {
    if (isTaken(error)) throw new NameTaken('the name is in use', { cause: error })
    throw error
  }
}
