import { sql } from './kysely.ts'
import { operationColumns } from './reads.ts'
import { type OperationRow, toOperation } from './rows.ts'
import { type Dialect, type Run, statement } from './statement.ts'
import type { Operation, StoreWriter } from './store.ts'

type OperationWrites = Pick<StoreWriter, 'putOperation' | 'updateOperation' | 'noteUnknown' | 'deleteOperation'>

export function createOperationWrites(dialect: Dialect): (run: Run) => OperationWrites {
  const texts = operationStatements(dialect)
  return (run) => ({
    async putOperation(connection, operation) {
      const { resourceId } = operation
      const { rows } = await run(texts.number({ connection, resourceId }))
      const id = rows.find(({ name }) => name === 'operation.id')?.value
      if (id === undefined) throw new Error('the counter operation.id was not stored')
      await run.tell(texts.replace({ connection, resourceId }))
      await run.tell(
        texts.insert({
          connection,
          id,
          resourceId,
          kind: operation.kind,
          about: operation.about,
          isDeprovisioning: operation.isDeprovisioning ? 1 : 0,
          mayActivate: operation.mayActivate ? 1 : 0,
          before: run.sealer.seal('operation.before', [connection, resourceId], operation.before ?? null),
          version: operation.version,
          attempts: operation.isTried === true ? 1 : 0,
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
    noteUnknown: (connection, resourceId, since) =>
      run.tell(texts.noteUnknown({ connection, resourceId, unknownSince: since ?? null })),
    async deleteOperation(connection, id) {
      await run.tell(texts.countOff({ connection, id }))
      await run.tell(texts.remove({ connection, id }))
    },
  })
}

/** Leavers first: an account that should be off is the one thing that cannot wait behind an initial load. */
function precedence(operation: Pick<Operation, 'kind' | 'isDeprovisioning'>): 0 | 1 {
  return operation.isDeprovisioning || operation.kind === 'delete' ? 0 : 1
}

function operationStatements(dialect: Dialect) {
  return {
    /** The next number, and the count as it will be: one that is replaced does not count again. */
    number: statement(
      dialect,
      ['connection', 'resourceId'],
      (slot) => sql<{ name: string; value: number }>`
        insert into counter (connection, name, value) values (${slot('connection')}, 'operation.id', 1),
          (${slot('connection')}, 'operation.count', 1 - (select count(*) from operation
            where connection = ${slot('connection')} and resource_id = ${slot('resourceId')}))
        on conflict (connection, name) do update set value = counter.value + excluded.value
        returning name, value`,
    ),
    replace: statement(
      dialect,
      ['connection', 'resourceId'],
      (slot) => sql<unknown>`
        delete from operation where connection = ${slot('connection')} and resource_id = ${slot('resourceId')}`,
    ),
    countOff: statement(
      dialect,
      ['connection', 'id'],
      (slot) => sql<unknown>`
        insert into counter (connection, name, value)
        select ${slot('connection')}, 'operation.count', -count(*) from operation
        where connection = ${slot('connection')} and id = ${slot('id')}
        on conflict (connection, name) do update set value = counter.value + excluded.value`,
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
        'attempts',
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
          ${slot('mayActivate')}, ${slot('before')}, ${slot('version')}, 'waiting', ${slot('attempts')}, ${slot('dueAt')},
          ${slot('requestId')}, ${slot('caller')}, ${slot('createdAt')}, ${slot('unknownSince')}, ${slot('precedence')})`,
    ),
    noteUnknown: statement(
      dialect,
      ['connection', 'resourceId', 'unknownSince'],
      (slot) => sql<unknown>`
        update operation set unknown_since = ${slot('unknownSince')}
        where connection = ${slot('connection')} and resource_id = ${slot('resourceId')}`,
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
      (slot) => sql<unknown>`
        delete from operation where connection = ${slot('connection')} and id = ${slot('id')}`,
    ),
  }
}
