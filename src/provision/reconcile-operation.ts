/** Operations that no request has asked for: they go the same durable way, and the audit says whose they are. */
import type { JsonObject } from '../json.ts'
import type { NewOperation, StoreWriter } from '../store/store.ts'
import type { World } from './connection.ts'

/** In audit lines and operations, in the place of the caller's name. */
export const reconcileCaller = 'reconcile'
const operatorPrefix = 'operator '

/** Callers of ours have a blank in their names, or are no names of clients (`token:…`, `client:…`). */
export function operatorCaller(name: string): string {
  return operatorPrefix + name
}

export function isOperatorCaller(caller: string): boolean {
  return caller.startsWith(operatorPrefix)
}

/** No request of an identity provider: nothing is undone by its refusal, and the platform is looked at whatever was given. */
export function isOwnCaller(caller: string): boolean {
  return caller === reconcileCaller || isOperatorCaller(caller)
}

export interface OwnOperation extends Omit<NewOperation, 'dueAt' | 'createdAt'> {
  readonly connection: string
  readonly accountId: string | undefined
  /** Undefined: now. */
  readonly createdAt?: string | undefined
  /** Beside the kind, in the audit. */
  readonly detail?: JsonObject
}

/** Due at once; whoever waits for the platform goes first all the same. */
export async function putOwnOperation(write: StoreWriter, { clock }: World, own: OwnOperation): Promise<void> {
  const now = clock.now()
  const at = new Date(now).toISOString()
  const { connection, accountId, detail, createdAt = at, ...operation } = own
  const operationId = await write.putOperation(connection, { ...operation, dueAt: now, createdAt })
  const { requestId, caller, resourceId, kind } = operation
  await write.appendAudit(connection, {
    at,
    event: 'asked',
    requestId,
    caller,
    resourceId,
    operationId,
    accountId,
    detail: { kind, ...detail },
  })
}
