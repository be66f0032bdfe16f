/** How the tables' rows become the words of `store.ts`. */
import { isJsonObject, type JsonObject } from '../json.ts'
import type { GroupLink, LedgerEntry, Membership } from './grant-store.ts'
import type {
  AuditEntry,
  GroupReference,
  Link,
  Operation,
  ProvisioningView,
  ResourceType,
  StoredResource,
  UserView,
} from './store.ts'

export interface ResourceRow {
  readonly connection: string
  readonly id: string
  readonly type: ResourceType
  readonly seq: number
  readonly version: number
  readonly visible: number
  readonly json: string
  readonly created: string
  readonly modified: string
}

/** Link and operation of a user, as `provisioningColumns` names them. */
export interface ProvisioningRow {
  readonly resource_id: string
  readonly account_id: string | null
  readonly last_applied_at: string | null
  readonly drift: string | null
  readonly unlinked_account_id: string | null
  readonly operation_state: Operation['state'] | null
  readonly error_message: string | null
}

/** A user with what an answer shows of it. */
export type UserRow = Pick<ResourceRow, 'seq' | 'version' | 'json' | 'created' | 'modified'> &
  Omit<ProvisioningRow, 'resource_id'> & { readonly is_member: number }

export interface LinkRow {
  readonly connection: string
  readonly resource_id: string
  readonly state: Link['state']
  readonly account_id: string | null
  readonly applied: string | null
  readonly last_applied_at: string | null
  readonly drift: string
  readonly was_flushed: number
  readonly user_name: string | null
  readonly external_id: string | null
  readonly deleted_at: string | null
  readonly invited_at: string | null
  readonly invitations: number
  readonly grants: string
  readonly unlinked_account_id: string | null
}

export interface GroupLinkRow {
  readonly connection: string
  readonly resource_id: string
  readonly state: GroupLink['state']
  readonly group_id: string
  readonly name: string
  readonly was_created: number
}

export interface MembershipRow {
  readonly user_id: string
  readonly id: string
  readonly display: string | null
  readonly external_id: string | null
  readonly group_id: string | null
  readonly name: string | null
}

export interface OperationRow {
  readonly connection: string
  readonly id: number
  readonly resource_id: string
  readonly kind: Operation['kind']
  readonly about: Operation['about']
  readonly is_deprovisioning: number
  readonly may_activate: number
  readonly before: string | null
  readonly version: number
  readonly state: Operation['state']
  readonly attempts: number
  readonly due_at: number
  readonly error_kind: string | null
  readonly error_message: string | null
  readonly request_id: string
  readonly caller: string
  readonly created_at: string
  readonly lease_until: number | null
  readonly unknown_since: number | null
}

export interface AuditRow {
  readonly id: number
  readonly at: string
  readonly event: AuditEntry['event']
  readonly request_id: string
  readonly caller: string
  readonly resource_id: string | null
  readonly operation_id: number | null
  readonly account_id: string | null
  readonly detail: string
  readonly hash: string
}

export function toResource(row: ResourceRow): StoredResource {
  const { connection, type, id, seq, version, json, created, modified } = row
  return { connection, type, id, seq, version, json, created, modified }
}

export function toProvisioning(row: Omit<ProvisioningRow, 'resource_id'>): ProvisioningView {
  return {
    accountId: row.account_id ?? undefined,
    lastAppliedAt: row.last_applied_at ?? undefined,
    drift: row.drift === null || row.drift === '[]' ? [] : parseTexts(row.drift),
    isUnlinked: row.unlinked_account_id !== null,
    operationState: row.operation_state ?? undefined,
    errorMessage: row.error_message ?? undefined,
  }
}

export function toLink(row: LinkRow): Link {
  return {
    connection: row.connection,
    resourceId: row.resource_id,
    state: row.state,
    accountId: row.account_id ?? undefined,
    applied: row.applied === null ? undefined : parseObject(row.applied),
    lastAppliedAt: row.last_applied_at ?? undefined,
    drift: parseTexts(row.drift),
    wasFlushed: row.was_flushed === 1,
    userName: row.user_name ?? undefined,
    externalId: row.external_id ?? undefined,
    deletedAt: row.deleted_at ?? undefined,
    invitedAt: row.invited_at ?? undefined,
    invitations: row.invitations,
    grants: row.grants === '[]' ? [] : parseLedger(row.grants),
    unlinkedAccountId: row.unlinked_account_id ?? undefined,
  }
}

export function toGroupLink(row: GroupLinkRow): GroupLink {
  const { connection, state, name } = row
  return {
    connection,
    resourceId: row.resource_id,
    state,
    groupId: row.group_id,
    name,
    wasCreated: row.was_created === 1,
  }
}

export function toMembership(row: MembershipRow): Membership {
  return {
    groupId: row.id,
    displayName: row.display ?? '',
    externalId: row.external_id ?? undefined,
    platformGroup: row.group_id === null || row.name === null ? undefined : { id: row.group_id, name: row.name },
  }
}

export function toOperation(row: OperationRow): Operation {
  return {
    id: row.id,
    connection: row.connection,
    resourceId: row.resource_id,
    kind: row.kind,
    about: row.about,
    isDeprovisioning: row.is_deprovisioning === 1,
    mayActivate: row.may_activate === 1,
    before: row.before ?? undefined,
    version: row.version,
    state: row.state,
    attempts: row.attempts,
    dueAt: row.due_at,
    errorKind: row.error_kind ?? undefined,
    errorMessage: row.error_message ?? undefined,
    requestId: row.request_id,
    caller: row.caller,
    createdAt: row.created_at,
    leaseUntil: row.lease_until ?? undefined,
    unknownSince: row.unknown_since ?? undefined,
  }
}

export function toAudit(row: AuditRow): AuditEntry & { id: number } {
  return {
    id: row.id,
    at: row.at,
    event: row.event,
    requestId: row.request_id,
    caller: row.caller,
    resourceId: row.resource_id ?? undefined,
    operationId: row.operation_id ?? undefined,
    accountId: row.account_id ?? undefined,
    detail: parseObject(row.detail),
  }
}

function parseObject(text: string): JsonObject {
  const value: unknown = JSON.parse(text)
  if (!isJsonObject(value)) throw new TypeError('a stored object is not a JSON object')
  return value
}

function parseLedger(text: string): readonly LedgerEntry[] {
  const value: unknown = JSON.parse(text)
  if (!Array.isArray(value) || !value.every(isLedgerEntry)) throw new TypeError('a stored ledger is not one')
  return value
}

function isLedgerEntry(value: unknown): value is LedgerEntry {
  if (!isJsonObject(value) || typeof value.key !== 'string' || !isJsonObject(value.grant)) return false
  return value.origin === 'giving' || value.origin === 'given' || value.origin === 'found'
}

export function parseTexts(text: string): readonly string[] {
  const value: unknown = JSON.parse(text)
  if (!Array.isArray(value)) throw new TypeError('a stored list is not a JSON array')
  return value.filter((item) => typeof item === 'string')
}

export function toUserView(connection: string, id: string, row: UserRow, groups: readonly GroupReference[]): UserView {
  const { seq, version, json, created, modified } = row
  const resource = { connection, type: 'User', id, seq, version, json, created, modified } as const
  return { resource, provisioning: toProvisioning(row), groups }
}
