import type { Operation, StoreWriter } from '../store/store.ts'
import type { Start } from './attempt.ts'
import type { GroupStart } from './attempt-group.ts'

/** What an attempt starts from, as it is at one moment. Throws when the store has no link or resource for the operation. */
export async function readStart(
  write: StoreWriter,
  connection: string,
  operation: Operation,
): Promise<Start | GroupStart> {
  const { resourceId } = operation
  if (operation.about === 'group') {
    const resource = await write.getAnyResource(connection, 'Group', resourceId)
    return { operation, groupLink: await write.getGroupLink(connection, resourceId), json: resource?.json }
  }
  const link = await write.getLink(connection, resourceId)
  const resource = await write.getAnyResource(connection, 'User', resourceId)
  // A tombstone's account is taken away without a resource: the operation says who it was.
  const json = resource?.json ?? (operation.kind === 'delete' ? operation.before : undefined)
  if (link === undefined || json === undefined) throw new Error('an operation without link or resource')
  const memberships = await write.membershipsOf(connection, [resourceId])
  return { operation, link, json, memberships: memberships.get(resourceId) ?? [] }
}
