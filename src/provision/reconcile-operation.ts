/** Operations that no request has asked for: they go the same durable way, and the audit says whose they are. */
import type { NewOperation, StoreWriter } from '../store/store.ts'
import type { World } from './connection.ts'

/** In audit lines and operations, in the place of the caller's name. */
export const reconcileCaller = 'reconcile'

export interface OwnOperation extends Omit<NewOperation, 'dueAt' | 'createdAt'> {
  readonly connection: string
  readonly accountId: string | undefined
}

/** Due at once; whoever waits for the platform goes first all the same. */
export async function putOwnOperation(write: StoreWriter, { clock }: World, own: OwnOperation): Promise<void> {
  const { connection, accountId, ...operation } = own
  const now = clock.now()
  const at = new Date(now).toISOString()
  const operationId = await write.putOperation(connection, { ...operation, dueAt: now, createdAt: at })
  const { requestId, caller, resourceId, kind } = operation
  await write.appendAudit(connection, {
    at,
    event: 'asked',
    requestId,
    caller,
    resourceId,
    operationId,
    accountId,
    detail: { kind },
  })
}
