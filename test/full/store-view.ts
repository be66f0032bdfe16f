/** What the store believes, row by row, read past the bridge. Only what is committed is seen. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isJsonObject, type JsonObject } from '../../src/json.ts'

export interface SeenResource {
  readonly id: string
  readonly isVisible: boolean
  readonly text: string
  readonly document: JsonObject
}
export interface SeenGroup {
  readonly id: string
  readonly isVisible: boolean
  readonly text: string
  readonly name: string
  /** Ids of users, sorted. */
  readonly members: readonly string[]
  /** The group that it is on the platform, where groups are groups there. */
  readonly platformGroup: string | undefined
}
/** What the store says of a grant that an account has, or had, through a membership. */
export interface SeenEntry {
  readonly key: string
  readonly grant: JsonObject
  readonly origin: string
}
export interface SeenLink {
  readonly resourceId: string
  readonly state: string
  readonly accountId: string | undefined
  /** An operator has let go of it. */
  readonly unlinkedAccountId: string | undefined
  readonly drift: readonly string[]
  readonly isApplied: boolean
  readonly ledger: readonly SeenEntry[]
}
export interface SeenOperation {
  readonly id: number
  readonly resourceId: string
  readonly kind: string
  readonly about: string
  readonly state: string
  readonly isDeprovisioning: boolean
  readonly mayActivate: boolean
  /** What a refusal leads back to. */
  readonly before: string | undefined
  readonly errorKind: string
  readonly errorMessage: string
  readonly requestId: string
}
export interface SeenAudit {
  readonly id: number
  readonly event: string
  readonly resourceId: string
  readonly operationId: number
  readonly detail: JsonObject
}

export interface StoreView {
  /** Users. */
  readonly resources: readonly SeenResource[]
  readonly groups: readonly SeenGroup[]
  /** Platform group of every SCIM group that is or was there, by the id of the latter. */
  readonly groupLinks: ReadonlyMap<string, string>
  readonly links: readonly SeenLink[]
  readonly operations: readonly SeenOperation[]
  /** Rows after `afterAudit`. */
  readonly audit: readonly SeenAudit[]
}

const object = (text: unknown): JsonObject => {
  const value: unknown = JSON.parse(String(text))
  return isJsonObject(value) ? value : {}
}
const optional = (value: unknown) => (value === null || value === undefined ? undefined : String(value))

function ledgerOf(text: unknown): readonly SeenEntry[] {
  const entries: unknown = JSON.parse(String(text))
  return (Array.isArray(entries) ? entries : []).filter(isJsonObject).map(({ key, grant, origin }) => ({
    key: String(key),
    grant: isJsonObject(grant) ? grant : {},
    origin: String(origin),
  }))
}

export function viewStore(directory: string, connection: string, afterAudit = 0): StoreView {
  const database = new DatabaseSync(join(directory, 'bridge.sqlite'), { readOnly: true })
  try {
    const rows = (query: string, ...values: (string | number)[]) => database.prepare(query).all(connection, ...values)
    const members = new Map<string, string[]>()
    for (const row of rows('select group_id, user_id from member where connection = ? order by group_id, user_id')) {
      const groupId = String(row.group_id)
      members.set(groupId, [...(members.get(groupId) ?? []), String(row.user_id)])
    }
    const groupLinks = rows('select * from group_link where connection = ?')
    const live = new Map(
      groupLinks.filter(({ state }) => state === 'live').map((row) => [row.resource_id, row.group_id]),
    )
    return {
      groups: rows("select id, visible, json from resource where connection = ? and type = 'Group' order by seq").map(
        (row) => ({
          id: String(row.id),
          isVisible: row.visible === 1,
          text: String(row.json),
          name: String(object(row.json).displayName),
          members: members.get(String(row.id)) ?? [],
          platformGroup: optional(live.get(row.id)),
        }),
      ),
      groupLinks: new Map(groupLinks.map((row) => [String(row.resource_id), String(row.group_id)])),
      resources: rows("select id, visible, json from resource where connection = ? and type = 'User' order by seq").map(
        (row) => ({
          id: String(row.id),
          isVisible: row.visible === 1,
          text: String(row.json),
          document: object(row.json),
        }),
      ),
      links: rows('select * from link where connection = ?').map((row) => {
        const drift: unknown = JSON.parse(String(row.drift))
        return {
          resourceId: String(row.resource_id),
          state: String(row.state),
          accountId: optional(row.account_id),
          unlinkedAccountId: optional(row.unlinked_account_id),
          drift: Array.isArray(drift) ? drift.map(String) : [],
          isApplied: row.applied !== null,
          ledger: ledgerOf(row.grants),
        }
      }),
      operations: rows('select * from operation where connection = ? order by id').map((row) => ({
        id: Number(row.id),
        resourceId: String(row.resource_id),
        kind: String(row.kind),
        about: String(row.about),
        state: String(row.state),
        isDeprovisioning: row.is_deprovisioning === 1,
        mayActivate: row.may_activate === 1,
        before: optional(row.before),
        errorKind: String(row.error_kind ?? ''),
        errorMessage: String(row.error_message ?? ''),
        requestId: String(row.request_id),
      })),
      audit: rows('select * from audit where connection = ? and id > ? order by id', afterAudit).map((row) => ({
        id: Number(row.id),
        event: String(row.event),
        resourceId: String(row.resource_id),
        operationId: Number(row.operation_id),
        detail: object(row.detail),
      })),
    }
  } finally {
    database.close()
  }
}
