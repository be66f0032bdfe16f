import type { JsonObject } from '../json.ts'
import type { Call, WriteDescription } from '../platforms/platform.ts'
import type { AuditEntry, Operation, StoreWriter } from '../store/store.ts'
import type { CommitContext } from './commit.ts'

/** The audit of one attempt, and the call that it makes: "calling" is durable before each write. */
export interface Recording {
  readonly call: Call
  /** Whether a write has been announced: what came of it is uncertain until it is read. */
  hasWritten(): boolean
  audit(write: StoreWriter, event: AuditEntry['event'], detail: JsonObject): Promise<void>
}

export function createRecording(
  { connection, world: { store, clock } }: CommitContext,
  { id, resourceId, requestId, caller }: Operation,
  options: {
    readonly signal: AbortSignal
    readonly accountId: () => string | undefined
    readonly created: Call['created']
  },
): Recording {
  let hasWritten = false
  const audit: Recording['audit'] = async (write, event, detail) =>
    write.appendAudit(connection.name, {
      at: new Date(clock.now()).toISOString(),
      event,
      requestId,
      caller,
      resourceId,
      operationId: id,
      accountId: options.accountId(),
      detail,
    })
  return {
    audit,
    hasWritten: () => hasWritten,
    call: {
      signal: options.signal,
      created: options.created,
      beforeWrite: ({ method, path }: WriteDescription) => {
        hasWritten = true
        return store.transaction((write) => audit(write, 'calling', { method, path }))
      },
    },
  }
}
