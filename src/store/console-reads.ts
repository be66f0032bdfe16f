import type { CauseCount, ConsoleReads, KeptRequest } from './console-store.ts'
import { sql } from './kysely.ts'
import { operationColumns } from './reads.ts'
import { type AuditRow, type OperationRow, toAudit, toOperation } from './rows.ts'
import type { Sealer } from './sealing.ts'
import { atMost, type Dialect, listRows, listValue, type Run, statement } from './statement.ts'
import type { Operation } from './store.ts'

interface CauseRow {
  readonly state: Operation['state']
  readonly error_kind: string | null
  readonly error_message: string | null
  readonly count: number
  readonly since: string
}

interface RequestRow {
  readonly id: number
  readonly at: number
  readonly request_id: string
  readonly caller: string
  readonly method: string
  readonly route: string
  readonly resource_id: string | null
  readonly query: string | null
  readonly status: number
  readonly ms: number
  readonly detail: string | null
  readonly sent: string | null
  readonly answered: string | null
}

/** Greater than every id. */
const end = Number.MAX_SAFE_INTEGER

export function createConsoleReads(dialect: Dialect): (run: Run) => ConsoleReads {
  const texts = { ...operationStatements(dialect), ...historyStatements(dialect), ...memberStatements(dialect) }
  return (run) => ({
    async causes(connection, limit) {
      const { rows } = await run((hasSealedTexts(run) ? texts.kinds : texts.causes)({ connection, limit }))
      return rows.map(toCause)
    },
    async operationsOfCause(connection, wanted, afterId, limit) {
      const { state, errorKind = null, errorMessage = null } = wanted
      const isAnyText = hasSealedTexts(run) || wanted.isAnyText === true ? 1 : 0
      const { rows } = await run(
        texts.ofCause({ connection, state, errorKind, errorMessage, isAnyText, afterId, limit }),
      )
      return rows.map((row) => toOperation(run.sealer, row))
    },
    async historyOf(connection, resourceId, beforeId = end, limit) {
      const { rows } = await run(texts.history({ connection, resourceId, beforeId, limit }))
      return rows.map(toAudit)
    },
    async memberIds(connection, groupId, afterId, limit) {
      const { rows } = await run(texts.memberIds({ connection, groupId, afterId, limit }))
      return rows.map(({ id }) => id)
    },
    async countMembers(connection, groupId) {
      const { rows } = await run(texts.countMembers({ connection, groupId }))
      return rows[0]?.count ?? 0
    },
    async requests(connection, query) {
      const { beforeId = end, limit, resourceIds, requestId, statuses = [0, 999], from = 0, to = end } = query
      const { rows } = await run(
        texts.requests({
          connection,
          beforeId,
          limit,
          // Absent conditions are true for every row: one statement serves every search.
          isOfPeople: resourceIds === undefined ? 0 : 1,
          people: listValue(resourceIds ?? []),
          isOfRequest: requestId === undefined ? 0 : 1,
          requestId: requestId ?? '',
          lowest: statuses[0],
          highest: statuses[1],
          from,
          to,
        }),
      )
      return rows.map((row) => toRequest(run.sealer, connection, row))
    },
  })
}

function toCause(row: CauseRow): CauseCount {
  const { state, count, since } = row
  return { state, count, since, errorKind: row.error_kind ?? undefined, errorMessage: row.error_message ?? undefined }
}

/** No two of them are equal as they lie there: causes are told apart by their kinds alone. */
function hasSealedTexts({ sealer }: Run): boolean {
  return sealer.keyId !== undefined
}

function toRequest(sealer: Sealer, connection: string, row: RequestRow): KeptRequest & { id: number } {
  const { id, at, caller, method, route, status, ms } = row
  const open = (column: 'query' | 'detail' | 'sent' | 'answered') =>
    sealer.open(`scim_request.${column}`, [connection, String(id)], row[column]) ?? undefined
  return {
    ...{ id, at, caller, method, route, status, ms },
    requestId: row.request_id,
    resourceId: row.resource_id ?? undefined,
    query: open('query'),
    detail: open('detail'),
    sent: open('sent'),
    answered: open('answered'),
  }
}

function operationStatements(dialect: Dialect) {
  return {
    causes: statement(
      dialect,
      ['connection', 'limit'],
      (slot) => sql<CauseRow>`
        select state, error_kind, error_message, count(*) as count, min(created_at) as since from operation
        where connection = ${slot('connection')} group by state, error_kind, error_message
        order by count desc, since limit ${atMost(slot('limit'))}`,
    ),
    kinds: statement(
      dialect,
      ['connection', 'limit'],
      (slot) => sql<CauseRow>`
        select state, error_kind, null as error_message, count(*) as count, min(created_at) as since from operation
        where connection = ${slot('connection')} group by state, error_kind
        order by count desc, since limit ${atMost(slot('limit'))}`,
    ),
    ofCause: statement(
      dialect,
      ['connection', 'state', 'errorKind', 'errorMessage', 'isAnyText', 'afterId', 'limit'],
      (slot) => sql<OperationRow>`
        select ${operationColumns} from operation
        where connection = ${slot('connection')} and id > ${slot('afterId')} and state = ${slot('state')}
          and error_kind is not distinct from ${slot('errorKind')}
          and (${slot('isAnyText')} = 1 or error_message is not distinct from ${slot('errorMessage')})
        order by id limit ${atMost(slot('limit'))}`,
    ),
  }
}

function memberStatements(dialect: Dialect) {
  return {
    memberIds: statement(
      dialect,
      ['connection', 'groupId', 'afterId', 'limit'],
      (slot) => sql<{ id: string }>`
        select user_id as id from member
        where connection = ${slot('connection')} and group_id = ${slot('groupId')} and user_id > ${slot('afterId')}
        order by user_id limit ${atMost(slot('limit'))}`,
    ),
    countMembers: statement(
      dialect,
      ['connection', 'groupId'],
      (slot) => sql<{ count: number }>`
        select count(*) as count from member
        where connection = ${slot('connection')} and group_id = ${slot('groupId')}`,
    ),
  }
}

function historyStatements(dialect: Dialect) {
  return {
    history: statement(
      dialect,
      ['connection', 'resourceId', 'beforeId', 'limit'],
      (slot) => sql<AuditRow>`
        select id, at, event, request_id, caller, resource_id, operation_id, account_id, detail, hash from audit
        where connection = ${slot('connection')} and resource_id = ${slot('resourceId')} and id < ${slot('beforeId')}
        order by id desc limit ${atMost(slot('limit'))}`,
    ),
    requests: statement(
      dialect,
      [
        ...(['connection', 'beforeId', 'limit', 'isOfPeople', 'people', 'isOfRequest', 'requestId'] as const),
        ...(['lowest', 'highest', 'from', 'to'] as const),
      ],
      (slot) => sql<RequestRow>`
        select id, at, request_id, caller, method, route, resource_id, query, status, ms, detail, sent, answered
        from scim_request
        where connection = ${slot('connection')} and id < ${slot('beforeId')}
          and (${slot('isOfPeople')} = 0 or resource_id in (select value from ${listRows(slot('people'))}))
          and (${slot('isOfRequest')} = 0 or request_id = ${slot('requestId')})
          and status >= ${slot('lowest')} and status <= ${slot('highest')}
          and at >= ${slot('from')} and at <= ${slot('to')}
        order by id desc limit ${atMost(slot('limit'))}`,
    ),
  }
}
