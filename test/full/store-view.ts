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
export interface SeenLink {
  readonly resourceId: string
  readonly state: string
  readonly accountId: string | undefined
  readonly drift: readonly string[]
  readonly isApplied: boolean
}
export interface SeenOperation {
  readonly id: number
  readonly resourceId: string
  readonly kind: string
  readonly state: string
  readonly isDeprovisioning: boolean
  readonly mayActivate: boolean
  readonly errorMessage: string
}
export interface SeenAudit {
  readonly id: number
  readonly event: string
  readonly resourceId: string
  readonly operationId: number
  readonly detail: JsonObject
}

export interface StoreView {
  readonly resources: readonly SeenResource[]
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

export function viewStore(directory: string, connection: string, afterAudit = 0): StoreView {
  const database = new DatabaseSync(join(directory, 'bridge.sqlite'), { readOnly: true })
  try {
    const rows = (query: string, ...values: (string | number)[]) => database.prepare(query).all(connection, ...values)
    return {
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
          drift: Array.isArray(drift) ? drift.map(String) : [],
          isApplied: row.applied !== null,
        }
      }),
      operations: rows('select * from operation where connection = ? order by id').map((row) => ({
        id: Number(row.id),
        resourceId: String(row.resource_id),
        kind: String(row.kind),
        state: String(row.state),
        isDeprovisioning: row.is_deprovisioning === 1,
        mayActivate: row.may_activate === 1,
        errorMessage: String(row.error_message ?? ''),
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
