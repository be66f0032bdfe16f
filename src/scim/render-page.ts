import { isJsonObject, type JsonObject } from '../json.ts'
import type { GroupReference, Member, ProvisioningView, StoredResource } from '../store/store.ts'
import type { ScimContext } from './context.ts'
import type { Projection } from './projection.ts'
import { membersText, renderGroup, renderUser, shownMembers } from './render.ts'
import type { TypeQuery } from './type-query.ts'

export interface PageRow {
  readonly resource: StoredResource
  /** Of a user, when they were read with it. */
  readonly groups?: readonly GroupReference[]
  readonly provisioning?: ProvisioningView
}

/** The rows as they go out, each whole or cut by the projection. */
export async function renderPage(
  context: ScimContext,
  { type, projection }: TypeQuery,
  page: readonly PageRow[],
): Promise<string[]> {
  const { store, connection } = context
  const [first] = page
  if (first === undefined) return []
  if (first.groups !== undefined && projection.isWhole) {
    return page.map(({ resource, groups = [], provisioning }) =>
      renderUser(connection.baseUrl, resource, {
        groups,
        provisioning: projection.wantsProvisioning ? provisioning : undefined,
      }),
    )
  }
  const rows = page.map(({ resource }) => resource)
  const ids = rows.map((row) => row.id)
  const cut = (text: string) => (projection.isWhole ? text : JSON.stringify(project(projection, text)))
  if (type === 'Group') {
    const none: readonly Member[] = []
    const members = projection.wantsMembers ? await store.membersOf(connection.name, ids) : undefined
    const textOf = (id: string) =>
      membersText(connection.baseUrl, shownMembers(connection.schemas, members?.get(id) ?? none))
    return rows.map((row) => cut(renderGroup(connection.baseUrl, row, textOf(row.id))))
  }
  const [groups, provisioning] = await Promise.all([
    projection.wantsGroups ? store.groupsOf(connection.name, ids) : undefined,
    projection.wantsProvisioning ? store.provisioningOf(connection.name, ids) : undefined,
  ])
  return rows.map((row) =>
    cut(
      renderUser(connection.baseUrl, row, {
        groups: groups?.get(row.id) ?? [],
        provisioning: provisioning?.get(row.id),
      }),
    ),
  )
}

function project(projection: Projection, text: string): JsonObject {
  const parsed: unknown = JSON.parse(text)
  if (!isJsonObject(parsed)) throw new Error('a rendered resource is not a JSON object')
  return projection.project(parsed)
}
