import type { PlatformError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { Call, WriteDescription } from '../platforms/platform.ts'
import type { AuditEntry, Operation, StoreWriter } from '../store/store.ts'
import type { CommitContext } from './commit.ts'

/**
 * The audit of one attempt, and the call that it makes: "calling" is durable before each write, and with it, before something is
 * made, that it may appear whatever becomes of us. It is the link's operation that knows, also when another one takes its place.
 */
export interface Recording {
  readonly call: Call
  /** Whether a write has been announced: what came of it is uncertain until it is read. */
  hasWritten(): boolean
  /** Whether something may have been changed before what went wrong: by a write, or by an earlier attempt. One that was killed has left no trace. */
  mayHaveChanged(): boolean
  /** Part of the commit of an attempt that has failed: its outcome, and whether something that it made may still appear. */
  noteFailure(write: StoreWriter, error: PlatformError): Promise<void>
  audit(write: StoreWriter, event: AuditEntry['event'], detail: JsonObject): Promise<void>
}

export function createRecording(
  { connection, world: { store, clock } }: CommitContext,
  { id, resourceId, kind, requestId, caller, unknownSince, attempts }: Operation,
  options: {
    readonly signal: AbortSignal
    readonly accountId: () => string | undefined
    readonly created: Call['created']
    /** Whether a write now makes what has no id yet. */
    readonly isMaking: () => boolean
    /** Whether what is made would still be taken for the link's own: another operation may have taken the place of this one. */
    readonly isAsked: (write: StoreWriter) => boolean | Promise<boolean>
  },
): Recording {
  let writes = 0
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
    hasWritten: () => writes > 0,
    mayHaveChanged: () => writes > 0 || attempts > 0,
    async noteFailure(write, error) {
      const { outcome } = error.rule
      await audit(write, 'outcome', { outcome, kind, error: error.kind })
      const isUnknown = writes > 0 && options.isMaking() && outcome === 'unknown'
      if (!(await options.isAsked(write))) return
      await write.noteUnknown(connection.name, resourceId, isUnknown ? clock.now() : unknownSince)
    },
    call: {
      signal: options.signal,
      created: options.created,
      beforeWrite: ({ method, path }: WriteDescription) => {
        writes += 1
        return store.transaction(async (write) => {
          if (options.isMaking() && (await options.isAsked(write)))
            await write.noteUnknown(connection.name, resourceId, clock.now())
          await audit(write, 'calling', { method, path })
        })
      },
    },
  }
}
