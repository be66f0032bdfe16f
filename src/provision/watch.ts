/**
 * Tombstones that keep watch. A create of unknown outcome may be carried out by the platform after its user was deleted:
 * one account, on, and nobody's. So the deletion looks again 10 and 60 minutes later, and with each reconcile of a month.
 */
import type { JsonObject } from '../json.ts'
import { walkBatch } from '../limits.ts'
import type { Operation, StoreWriter } from '../store/store.ts'
import type { Watch } from '../store/walk-store.ts'
import type { ProvisionedConnection, World } from './connection.ts'
import { parseDocument } from './document.ts'
import { isFoundAlike } from './reconcile-keys.ts'
import { putOwnOperation } from './reconcile-operation.ts'

const minute = 60_000
const looksAfterMs = [10 * minute, 60 * minute]
/** No platform finishes a request so late. The document of a deleted person is not kept for longer either. */
const watchMs = 30 * 24 * 60 * minute
/** An unfinished look is waited for. */
const againAfterMs = minute

/** Part of the commit that ends a deletion. */
export async function noteTakenAway(
  write: StoreWriter,
  operation: Operation,
  ended: { readonly accountId: string | undefined; readonly document: JsonObject; readonly now: number },
): Promise<void> {
  const { connection, resourceId } = operation
  const { accountId, document, now } = ended
  if (accountId !== undefined) await write.deleteWatch(connection, resourceId)
  else if (operation.unknownSince !== undefined) {
    const endsAt = now + watchMs
    await write.putWatch(connection, {
      resourceId,
      document: JSON.stringify(document),
      nextAt: nextLook(endsAt, now),
      endsAt,
    })
  }
}

/** Puts the looks that are due into the outbox. */
export async function askWatches(connection: ProvisionedConnection, world: World): Promise<void> {
  const { name } = connection
  const due = await world.store.dueWatches(name, world.clock.now(), walkBatch)
  if (due.length === 0) return
  await world.store.transaction(async (write) => {
    for (const watch of due) await askWatch(write, connection, world, watch)
  })
}

async function askWatch(
  write: StoreWriter,
  provisioned: ProvisionedConnection,
  world: World,
  watch: Watch,
): Promise<void> {
  const { name: connection } = provisioned
  const { resourceId, endsAt } = watch
  const now = world.clock.now()
  const link = await write.getLink(connection, resourceId)
  const document = parseDocument(watch.document)
  const { userName } = document
  const again = typeof userName === 'string' ? await write.findByUniqueName(connection, 'User', userName) : undefined
  // Who has come back and is searched by the same value finds the account, whenever it appears: it is theirs.
  const isBack = again !== undefined && isFoundAlike(provisioned, document, parseDocument(again.json))
  if (now >= endsAt || isBack || link?.state !== 'tombstone' || link.accountId !== undefined) {
    await write.deleteWatch(connection, resourceId)
    return
  }
  if ((await write.getOperation(connection, resourceId)) !== undefined) {
    await write.putWatch(connection, { ...watch, nextAt: now + againAfterMs })
    return
  }
  await write.putWatch(connection, { ...watch, nextAt: nextLook(endsAt, now) })
  await putOwnOperation(write, world, {
    connection,
    caller: 'tombstone',
    requestId: `watch of ${resourceId}`,
    resourceId,
    accountId: undefined,
    kind: 'delete',
    about: 'account',
    isDeprovisioning: true,
    mayActivate: false,
    before: watch.document,
    version: 0,
    unknownSince: undefined,
  })
}

function nextLook(endsAt: number, now: number): number {
  const startedAt = endsAt - watchMs
  return looksAfterMs.map((afterMs) => startedAt + afterMs).find((at) => at > now) ?? endsAt
}
