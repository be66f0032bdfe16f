import { isJsonObject } from '../json.ts'
import { sql } from './kysely.ts'
import type {
  OperatorReader,
  OperatorRequest,
  OperatorWriter,
  RequestPhase,
  StoppedOperation,
} from './operator-store.ts'
import type { Sealer } from './sealing.ts'
import { atMost, type Dialect, type Run, statement } from './statement.ts'

interface RequestRow {
  readonly connection: string
  readonly number: number
  readonly action: string
  readonly operator: string
  readonly why: string
  readonly resource_id: string | null
  readonly detail: string
  readonly phase: RequestPhase
  readonly place: number | null
  readonly affected: number
  readonly total: number | null
  readonly answer: string | null
  readonly asked_at: number
  readonly finished_at: number | null
}

interface StoppedRow {
  readonly id: number
  readonly resource_id: string
  readonly state: StoppedOperation['state']
  readonly kind: StoppedOperation['kind']
  readonly error_kind: string | null
  readonly error_message: string | null
  readonly is_deprovisioning: number
}

const columns = sql.raw(
  'connection, number, action, operator, why, resource_id, detail, phase, place, affected, total, answer, asked_at, finished_at',
)

export function createOperatorReads(dialect: Dialect): (run: Run) => OperatorReader {
  const get = statement(
    dialect,
    ['connection', 'number'],
    (slot) => sql<RequestRow>`
      select ${columns} from operator_request
      where connection = ${slot('connection')} and number = ${slot('number')}`,
  )
  const current = statement(
    dialect,
    ['connection'],
    (slot) => sql<RequestRow>`
      select ${columns} from operator_request
      where connection = ${slot('connection')} and phase in ('asked', 'running')
      order by case action when 'reapply_all' then 1 else 0 end, number limit 1`,
  )
  const reapply = statement(
    dialect,
    ['connection'],
    (slot) => sql<RequestRow>`
      select ${columns} from operator_request
      where connection = ${slot('connection')} and action = 'reapply_all' order by number desc limit 1`,
  )
  const stopped = statement(
    dialect,
    ['connection', 'afterId', 'limit'],
    (slot) => sql<StoppedRow>`
      select id, resource_id, state, kind, error_kind, error_message, is_deprovisioning from operation
      where connection = ${slot('connection')} and state in ('failed', 'held') and id > ${slot('afterId')}
      order by id limit ${atMost(slot('limit'))}`,
  )
  return (run) => {
    const one = async (query: ReturnType<typeof get>) => {
      const { rows } = await run(query)
      return rows[0] === undefined ? undefined : toRequest(rows[0])
    }
    return {
      getOperatorRequest: (connection, number) => one(get({ connection, number })),
      currentOperatorRequest: (connection) => one(current({ connection })),
      lastReapplyRequest: (connection) => one(reapply({ connection })),
      async stoppedOperations(connection, afterId, limit) {
        const { rows } = await run(stopped({ connection, afterId, limit }))
        return rows.map((row) => toStopped(run.sealer, connection, row))
      },
    }
  }
}

export function createOperatorWrites(dialect: Dialect): (run: Run) => Omit<OperatorWriter, keyof OperatorReader> {
  const texts = writeStatements(dialect)
  return (run) => ({
    async addOperatorRequest(connection, { resourceId = null, detail, ...request }) {
      const { rows } = await run(texts.insert({ connection, ...request, resourceId, detail: JSON.stringify(detail) }))
      if (rows[0] === undefined) throw new Error('a request was not stored')
      return rows[0].number
    },
    async updateOperatorRequest(connection, number, change) {
      const { phase, place = null, affected, total = null, answer = null, finishedAt = null } = change
      await run.tell(texts.update({ connection, number, phase, place, affected, total, answer, finishedAt }))
    },
    async forgetOperatorRequests(connection, keep) {
      await run.tell(texts.forget({ connection, keep }))
    },
    async withdrawOperatorRequest(connection, number) {
      const { rows } = await run(texts.withdraw({ connection, number }))
      return rows.length > 0
    },
    async cancelReapplyRequests(connection, answer, now) {
      const { rows } = await run(texts.cancel({ connection, answer, now }))
      return rows.length
    },
    async retryOperations(connection, { kind, message: wanted = null }, now) {
      // Sealed texts are never equal: all of the kind are meant.
      const message = run.sealer.keyId === undefined ? wanted : null
      const { rows } = await run(texts.retry({ connection, kind, message, now }))
      return rows.length
    },
  })
}

function writeStatements(dialect: Dialect) {
  return {
    insert: statement(
      dialect,
      ['connection', 'action', 'operator', 'why', 'resourceId', 'detail', 'askedAt'],
      (slot) => sql<{ number: number }>`
        insert into operator_request (connection, number, action, operator, why, resource_id, detail, phase, affected, asked_at)
        values (${slot('connection')},
          (select coalesce(max(number), 0) + 1 from operator_request where connection = ${slot('connection')}),
          ${slot('action')}, ${slot('operator')}, ${slot('why')}, ${slot('resourceId')}, ${slot('detail')},
          'asked', 0, ${slot('askedAt')})
        returning number`,
    ),
    update: statement(
      dialect,
      ['connection', 'number', 'phase', 'place', 'affected', 'total', 'answer', 'finishedAt'],
      (slot) => sql<unknown>`
        update operator_request set phase = ${slot('phase')}, place = ${slot('place')}, affected = ${slot('affected')},
          total = ${slot('total')}, answer = ${slot('answer')}, finished_at = ${slot('finishedAt')}
        where connection = ${slot('connection')} and number = ${slot('number')} and phase in ('asked', 'running')`,
    ),
    forget: statement(
      dialect,
      ['connection', 'keep'],
      (slot) => sql<unknown>`
        delete from operator_request
        where connection = ${slot('connection')} and phase in ('done', 'refused')
          and number <= (select max(number) from operator_request where connection = ${slot('connection')}) - ${slot('keep')}`,
    ),
    withdraw: statement(
      dialect,
      ['connection', 'number'],
      (slot) => sql<{ number: number }>`
        delete from operator_request
        where connection = ${slot('connection')} and number = ${slot('number')} and phase = 'asked'
        returning number`,
    ),
    cancel: statement(
      dialect,
      ['connection', 'answer', 'now'],
      (slot) => sql<{ number: number }>`
        update operator_request set phase = 'refused', answer = ${slot('answer')}, finished_at = ${slot('now')}
        where connection = ${slot('connection')} and action = 'reapply_all' and phase in ('asked', 'running')
        returning number`,
    ),
    retry: statement(
      dialect,
      ['connection', 'kind', 'message', 'now'],
      (slot) => sql<{ id: number }>`
        update operation set state = 'waiting', attempts = 0, due_at = ${slot('now')}
        where connection = ${slot('connection')} and error_kind = ${slot('kind')}
          and (cast(${slot('message')} as text) is null or error_message = ${slot('message')})
          and state in ('failed', 'waiting')
        returning id`,
    ),
  }
}

function toStopped(sealer: Sealer, connection: string, row: StoppedRow): StoppedOperation {
  const name = [connection, row.resource_id] as const
  return {
    id: row.id,
    resourceId: row.resource_id,
    state: row.state,
    kind: row.kind,
    errorKind: row.error_kind ?? undefined,
    errorMessage: sealer.open('operation.error_message', name, row.error_message) ?? undefined,
    isDeprovisioning: row.is_deprovisioning === 1,
  }
}

function toRequest(row: RequestRow): OperatorRequest {
  return {
    connection: row.connection,
    number: row.number,
    action: row.action,
    operator: row.operator,
    why: row.why,
    resourceId: row.resource_id ?? undefined,
    detail: parseDetail(row.detail),
    phase: row.phase,
    place: row.place ?? undefined,
    affected: row.affected,
    total: row.total ?? undefined,
    answer: row.answer ?? undefined,
    askedAt: row.asked_at,
    finishedAt: row.finished_at ?? undefined,
  }
}

function parseDetail(text: string): Record<string, string | boolean> {
  const value: unknown = JSON.parse(text)
  if (!isJsonObject(value)) throw new TypeError('a stored detail is not a JSON object')
  const detail: Record<string, string | boolean> = {}
  for (const [name, choice] of Object.entries(value)) {
    if (typeof choice === 'string' || typeof choice === 'boolean') detail[name] = choice
  }
  return detail
}
