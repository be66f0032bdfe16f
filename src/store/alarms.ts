import { isJsonObject } from '../json.ts'
import type { AlarmReader, AlarmWriter, StoredAlarm } from './alarm-store.ts'
import { sql } from './kysely.ts'
import { type Dialect, type Run, statement } from './statement.ts'

interface AlarmRow {
  readonly connection: string
  readonly kind: string
  readonly way: string
  readonly since: number
  readonly detail: string
  readonly is_over: number
  readonly told: number
  readonly failures: number
  readonly due_at: number
}

export function createAlarmReads(dialect: Dialect): (run: Run) => AlarmReader {
  const all = statement(
    dialect,
    ['connection'],
    (slot) => sql<AlarmRow>`
      select connection, kind, way, since, detail, is_over, told, failures, due_at from alarm_telling
      where connection = ${slot('connection')} order by kind, way`,
  )
  const failed = statement(
    dialect,
    ['connection'],
    (slot) => sql<{ count: number }>`
      select count(*) as count from operation where connection = ${slot('connection')} and state = 'failed'`,
  )
  const late = statement(
    dialect,
    ['connection', 'before'],
    (slot) => sql<{ count: number }>`
      select count(*) as count from operation
      where connection = ${slot('connection')} and precedence = 0 and is_deprovisioning = 1 and created_at < ${slot('before')}`,
  )
  const left = statement(
    dialect,
    ['connection', 'since'],
    (slot) => sql<{ count: number }>`
      select count(*) as count from departure where connection = ${slot('connection')} and at >= ${slot('since')}`,
  )
  return (run) => ({
    async alarms(connection) {
      const { rows } = await run(all({ connection }))
      return rows.map(toAlarm)
    },
    async alarming(connection, before, since) {
      const ended = await run(failed({ connection }))
      const waiting = await run(late({ connection, before }))
      const gone = await run(left({ connection, since }))
      const countOf = ({ rows }: { rows: readonly { count: number }[] }) => rows[0]?.count ?? 0
      return { failed: countOf(ended), lateDepartures: countOf(waiting), left: countOf(gone) }
    },
  })
}

export function createAlarmWrites(dialect: Dialect): (run: Run) => AlarmWriter {
  const put = statement(
    dialect,
    ['connection', 'kind', 'way', 'since', 'detail', 'isOver', 'told', 'failures', 'dueAt'],
    (slot) => sql<unknown>`
      insert into alarm_telling (connection, kind, way, since, detail, is_over, told, failures, due_at)
      values (${slot('connection')}, ${slot('kind')}, ${slot('way')}, ${slot('since')}, ${slot('detail')},
        ${slot('isOver')}, ${slot('told')}, ${slot('failures')}, ${slot('dueAt')})
      on conflict (connection, kind, way) do update set since = excluded.since, detail = excluded.detail,
        is_over = excluded.is_over, told = excluded.told, failures = excluded.failures, due_at = excluded.due_at`,
  )
  const remove = statement(
    dialect,
    ['connection', 'kind', 'way'],
    (slot) => sql<unknown>`
      delete from alarm_telling
      where connection = ${slot('connection')} and kind = ${slot('kind')} and way = ${slot('way')}`,
  )
  return (run) => ({
    async putAlarm({ detail, isOver, ...alarm }) {
      await run.tell(put({ ...alarm, detail: JSON.stringify(detail), isOver: isOver ? 1 : 0 }))
    },
    async deleteAlarm({ connection, kind, way }) {
      await run.tell(remove({ connection, kind, way }))
    },
  })
}

function toAlarm({ is_over, due_at: dueAt, detail, ...row }: AlarmRow): StoredAlarm {
  const value: unknown = JSON.parse(detail)
  if (!isJsonObject(value)) throw new TypeError('a stored detail is not a JSON object')
  const parts = Object.entries(value).filter(
    (entry): entry is [string, string | number] => typeof entry[1] === 'string' || typeof entry[1] === 'number',
  )
  return { ...row, detail: Object.fromEntries(parts), isOver: is_over === 1, dueAt }
}
