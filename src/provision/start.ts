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
    const [resource, groupLink] = await Promise.all([
      write.getAnyResource(connection, 'Group', resourceId),
      write.getGroupLink(connection, resourceId),
    ])
    return { operation, groupLink, json: resource?.json }
  }
  const [link, resource, memberships] = await Promise.all([
    write.getLink(connection, resourceId),
    write.getAnyResource(connection, 'User', resourceId),
    write.membershipsOf(connection, [resourceId]),
  ])
  // A tombstone's account is taken away without a resource: the operation says who it was.
  const json = resource?.json ?? (operation.kind === 'delete' ? operation.before : undefined)
  if (link === undefined || json === undefined) throw new Error('an operation without link or resource')
  return { operation, link, json, memberships: memberships.get(resourceId) ?? [] }
}
