import type { Clock } from '../clock.ts'
import type { ErasureWrites, Subject } from '../store/erasure.ts'
import type { Eraser } from '../store/open.ts'
import type { StoreWriter } from '../store/store.ts'
import { isActiveDocument, parseDocument } from './document.ts'

export interface Erased {
  /** Users and tombstones: one person may have come and gone several times. */
  readonly users: number
  readonly auditLines: number
}

/** Says why nobody was erased and what to do first. Nothing was changed. */
export class NotErased extends Error {
  override readonly name = 'NotErased'
}

/**
 * Removes what the store has of one person: user, link, tombstones, memberships, and the subject of audit lines. The account on
 * the platform stays as it is. Throws `NotErased` while that account may be in use, may still appear, or work on it is unfinished:
 * nobody would be left to finish it.
 */
export function eraseUser(store: Eraser, clock: Clock, connection: string, idOrUserName: string): Promise<Erased> {
  return store.erase(async (write) => {
    const ids = await idsOf(write, connection, idOrUserName)
    if (ids.length === 0) throw new NotErased(`connection ${connection} knows no such user, and no trace of one`)
    for (const id of ids) await refuseUnfinished(write, connection, id)
    const at = new Date(clock.now()).toISOString()
    const subjects: Subject[] = []
    for (const id of ids) subjects.push(await eraseOne(write, connection, id, at))
    const by = { at, requestId: crypto.randomUUID(), caller: 'operator' }
    const auditLines = await write.eraseSubjects(connection, subjects, by)
    return { users: ids.length, auditLines }
  })
}

async function idsOf(write: StoreWriter & ErasureWrites, connection: string, idOrUserName: string): Promise<string[]> {
  const user =
    (await write.getAnyResource(connection, 'User', idOrUserName)) ??
    (await write.findByUniqueName(connection, 'User', idOrUserName))
  const tombstones = await write.tombstonesNamed(connection, idOrUserName)
  return [...new Set([...(user === undefined ? [] : [user.id]), ...tombstones])]
}

async function refuseUnfinished(write: StoreWriter & ErasureWrites, connection: string, id: string): Promise<void> {
  if ((await write.getOperation(connection, id)) !== undefined) {
    throw new NotErased(
      `work on user ${id} is unfinished: start the bridge, let it finish or mend what stops it, then erase`,
    )
  }
  const watchedUntil = await write.watchedUntil(connection, id)
  if (watchedUntil !== undefined) {
    throw new NotErased(
      `an account of user ${id} may still appear on the platform, and would stay on: the bridge looks for it, with each ` +
        `reconcile, until ${new Date(watchedUntil).toISOString()} at the latest; erase when that is over`,
    )
  }
  const user = await write.getAnyResource(connection, 'User', id)
  if (user !== undefined && isActiveDocument(parseDocument(user.json))) {
    throw new NotErased(
      `user ${id} is active: have the identity provider deactivate or delete the user first, then erase`,
    )
  }
}

async function eraseOne(
  write: StoreWriter & ErasureWrites,
  connection: string,
  id: string,
  now: string,
): Promise<Subject> {
  const link = await write.getLink(connection, id)
  const groups = (await write.groupsOf(connection, [id])).get(id) ?? []
  await write.touchResources(
    connection,
    'Group',
    groups.map((group) => group.id),
    now,
  )
  const accountId = link?.accountId ?? link?.unlinkedAccountId
  const holder = accountId === undefined ? undefined : await write.findLinkByAccount(connection, accountId)
  await write.deleteResource(connection, 'User', id)
  await write.eraseTraces(connection, id)
  // An account that is somebody else's by now tells of them, not of who is erased.
  return { resourceId: id, accountId: holder === undefined || holder.resourceId === id ? accountId : undefined }
}
