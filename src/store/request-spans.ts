import { sql } from './kysely.ts'
import { atMost, type Dialect, type Run, statement } from './statement.ts'

/** In which span of which trace a request was asked: what is attempted for it later goes back to it. Only where traces are on. */
export interface RequestSpanReader {
  /** As W3C writes it in `traceparent`. */
  requestSpan(connection: string, requestId: string): Promise<string | undefined>
}

export interface RequestSpanWriter {
  /** The first one stays. `at` as ISO 8601. */
  keepRequestSpan(connection: string, requestId: string, span: string, at: string): Promise<void>
}

export interface RequestSpanErasure {
  /** At most so many from before then. Answers how many. */
  eraseRequestSpans(connection: string, before: string, limit: number): Promise<number>
}

export function createRequestSpanReads(dialect: Dialect): (run: Run) => RequestSpanReader {
  const read = statement(
    dialect,
    ['connection', 'requestId'],
    (slot) => sql<{ span: string }>`
      select span from request_span where connection = ${slot('connection')} and request_id = ${slot('requestId')}`,
  )
  return (run) => ({
    async requestSpan(connection, requestId) {
      const { rows } = await run(read({ connection, requestId }))
      return rows[0]?.span
    },
  })
}

export function createRequestSpanWrites(dialect: Dialect): (run: Run) => RequestSpanWriter {
  const keep = statement(
    dialect,
    ['connection', 'requestId', 'span', 'at'],
    (slot) => sql<unknown>`
      insert into request_span (connection, request_id, span, at)
      values (${slot('connection')}, ${slot('requestId')}, ${slot('span')}, ${slot('at')})
      on conflict (connection, request_id) do nothing`,
  )
  return (run) => ({
    async keepRequestSpan(connection, requestId, span, at) {
      await run.tell(keep({ connection, requestId, span, at }))
    },
  })
}

export function createRequestSpanErasure(dialect: Dialect): (run: Run) => RequestSpanErasure {
  const erase = statement(
    dialect,
    ['connection', 'before', 'limit'],
    (slot) => sql<{ request_id: string }>`
      delete from request_span where (connection, request_id) in (
        select connection, request_id from request_span
        where connection = ${slot('connection')} and at < ${slot('before')} limit ${atMost(slot('limit'))})
      returning request_id`,
  )
  return (run) => ({
    async eraseRequestSpans(connection, before, limit) {
      const { rows } = await run(erase({ connection, before, limit }))
      return rows.length
    },
  })
}
