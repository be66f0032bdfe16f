import { sql } from 'kysely'
import type { RequestWrites } from './console-store.ts'
import type { Counters } from './counters.ts'
import { type Dialect, type Run, statement } from './statement.ts'

export function createRequestWrites(dialect: Dialect, counters: Counters): (run: Run) => RequestWrites {
  const insert = statement(
    dialect,
    [
      ...(['connection', 'id', 'at', 'requestId', 'caller', 'method', 'route', 'resourceId'] as const),
      ...(['query', 'status', 'ms', 'detail', 'sent', 'answered'] as const),
    ],
    (slot) => sql<unknown>`
      insert into scim_request (connection, id, at, request_id, caller, method, route, resource_id, query, status, ms,
        detail, sent, answered)
      values (${slot('connection')}, ${slot('id')}, ${slot('at')}, ${slot('requestId')}, ${slot('caller')},
        ${slot('method')}, ${slot('route')}, ${slot('resourceId')}, ${slot('query')}, ${slot('status')}, ${slot('ms')},
        ${slot('detail')}, ${slot('sent')}, ${slot('answered')})`,
  )
  const forget = statement(
    dialect,
    ['connection', 'before', 'lastId'],
    (slot) => sql<unknown>`
      delete from scim_request
      where connection = ${slot('connection')} and (id <= ${slot('lastId')} or at < ${slot('before')})`,
  )
  return (run) => ({
    async keepRequests(connection, requests) {
      const last = await counters.add(run, connection, 'request.id', requests.length)
      let id = last - requests.length
      for (const {
        resourceId = null,
        query = null,
        detail = null,
        sent = null,
        answered = null,
        ...rest
      } of requests) {
        id += 1
        await run(insert({ connection, id, ...rest, resourceId, query, detail, sent, answered }))
      }
    },
    async forgetRequests(connection, before, most) {
      const last = await counters.read(run, connection, 'request.id')
      await run(forget({ connection, before, lastId: last - most }))
    },
  })
}
