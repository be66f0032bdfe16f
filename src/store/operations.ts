import { sql } from 'kysely'
import type { Counters } from './counters.ts'
import { operationColumns } from './reads.ts'
import { type OperationRow, toOperation } from './rows.ts'
import { type Dialect, type Run, statement } from './statement.ts'
import type { Operation, StoreWriter } from './store.ts'

type OperationWrites = Pick<StoreWriter, 'putOperation' | 'updateOperation' | 'deleteOperation'>

export function createOperationWrites(dialect: Dialect, counters: Counters): (run: Run) => OperationWrites {
  const texts = operationStatements(dialect)
  return (run) => ({
    async putOperation(connection, operation) {
      const replaced = await run(texts.replace({ connection, resourceId: operation.resourceId }))
      const change = 1 - replaced.rows.length
      const id = await counters.addWith(run, connection, ['operation.id', 1], ['operation.count', change])
      await run.tell(
        texts.insert({
          connection,
          id,
          resourceId: operation.resourceId,
          kind: operation.kind,
          about: operation.about,
          isDeprovisioning: operation.isDeprovisioning ? 1 : 0,
          mayActivate: operation.mayActivate ? 1 : 0,
          before: run.sealer.seal('operation.before', [connection, operation.resourceId], operation.before ?? null),
          version: operation.version,
          dueAt: operation.dueAt,
          requestId: operation.requestId,
          caller: operation.caller,
          createdAt: operation.createdAt,
          unknownSince: operation.unknownSince ?? null,
          precedence: precedence(operation),
        }),
      )
      return id
    },
    async updateOperation(connection, id, change) {
      const { rows } = await run(texts.read({ connection, id }))
      if (rows[0] === undefined) return
      const next: Operation = { ...toOperation(run.sealer, rows[0]), ...change }
      const name = [connection, next.resourceId] as const
      await run.tell(
        texts.update({
          connection,
          id,
          kind: next.kind,
          about: next.about,
          before: run.sealer.seal('operation.before', name, next.before ?? null),
          state: next.state,
          attempts: next.attempts,
          dueAt: next.dueAt,
          errorKind: next.errorKind ?? null,
          errorMessage: run.sealer.seal('operation.error_message', name, next.errorMessage ?? null),
          leaseUntil: next.leaseUntil ?? null,
          unknownSince: next.unknownSince ?? null,
          isDeprovisioning: next.isDeprovisioning ? 1 : 0,
          mayActivate: next.mayActivate ? 1 : 0,
          precedence: precedence(next),
        }),
      )
    },
    async deleteOperation(connection, id) {
      const { rows } = await run(texts.remove({ connection, id }))
      if (rows.length > 0) await counters.change(run, connection, 'operation.count', -1)
    },
  })
}

/** Leavers first: an account that should be off is the one thing that cannot wait behind an initial load. */
function precedence(operation: Pick<Operation, 'kind' | 'isDeprovisioning'>): 0 | 1 {
  return operation.isDeprovisioning || operation.kind === 'delete' ? 0 : 1
}

function operationStatements(dialect: Dialect) {
  return {
    replace: statement(
      dialect,
      ['connection', 'resourceId'],
      (slot) => sql<{ id: number }>`
        delete from operation where connection = ${slot('connection')} and resource_id = ${slot('resourceId')}
        returning id`,
    ),
    insert: statement(
      dialect,
      [
        'connection',
        'id',
        'resourceId',
        'kind',
        'about',
        'isDeprovisioning',
        'mayActivate',
        'before',
        'version',
        'dueAt',
        'requestId',
        'caller',
        'createdAt',
        'unknownSince',
        'precedence',
      ],
      (slot) => sql<unknown>`
        insert into operation (connection, id, resource_id, kind, about, is_deprovisioning, may_activate, before, version, state,
          attempts, due_at, request_id, caller, created_at, unknown_since, precedence)
        values (${slot('connection')}, ${slot('id')}, ${slot('resourceId')}, ${slot('kind')}, ${slot('about')}, ${slot('isDeprovisioning')},
          ${slot('mayActivate')}, ${slot('before')}, ${slot('version')}, 'waiting', 0, ${slot('dueAt')},
          ${slot('requestId')}, ${slot('caller')}, ${slot('createdAt')}, ${slot('unknownSince')}, ${slot('precedence')})`,
    ),
    read: statement(
      dialect,
      ['connection', 'id'],
      (slot) => sql<OperationRow>`
        select ${operationColumns} from operation where connection = ${slot('connection')} and id = ${slot('id')}`,
    ),
    update: statement(
      dialect,
      [
        'connection',
        'id',
        'kind',
        'about',
        'before',
        'state',
        'attempts',
        'dueAt',
        'errorKind',
        'errorMessage',
        'leaseUntil',
        'unknownSince',
        'isDeprovisioning',
        'mayActivate',
        'precedence',
      ],
      (slot) => sql<unknown>`
        update operation set kind = ${slot('kind')}, about = ${slot('about')}, before = ${slot('before')}, state = ${slot('state')}, attempts = ${slot('attempts')}, due_at = ${slot('dueAt')},
          error_kind = ${slot('errorKind')}, error_message = ${slot('errorMessage')}, lease_until = ${slot('leaseUntil')},
          unknown_since = ${slot('unknownSince')}, is_deprovisioning = ${slot('isDeprovisioning')},
          may_activate = ${slot('mayActivate')}, precedence = ${slot('precedence')}
        where connection = ${slot('connection')} and id = ${slot('id')}`,
    ),
    remove: statement(
      dialect,
      ['connection', 'id'],
      (slot) => sql<{ id: number }>`
        delete from operation where connection = ${slot('connection')} and id = ${slot('id')} returning id`,
    ),
  }
}
