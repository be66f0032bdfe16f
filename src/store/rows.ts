/** How the tables' rows become the words of `store.ts`. */
import { isJsonObject, type JsonObject } from '../json.ts'
import type { GroupLink, LedgerEntry, Membership } from './grant-store.ts'
import type { Sealer } from './sealing.ts'
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
  readonly deleted_at: string | null
}

export interface MembershipRow {
  readonly user_id: string
  readonly id: string
  readonly json: string
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

export function toResource(sealer: Sealer, row: ResourceRow): StoredResource {
  const { connection, type, id, seq, version, created, modified } = row
  const json = sealer.open('resource.json', [connection, id], row.json)
  return { connection, type, id, seq, version, json, created, modified }
}

export function toProvisioning(
  sealer: Sealer,
  connection: string,
  resourceId: string,
  row: Omit<ProvisioningRow, 'resource_id'>,
): ProvisioningView {
  const errorMessage = sealer.open('operation.error_message', [connection, resourceId], row.error_message)
  return {
    accountId: row.account_id ?? undefined,
    lastAppliedAt: row.last_applied_at ?? undefined,
    drift: row.drift === null || row.drift === '[]' ? [] : parseTexts(row.drift),
    isUnlinked: row.unlinked_account_id !== null,
    operationState: row.operation_state ?? undefined,
    errorMessage: errorMessage ?? undefined,
  }
}

export function toLink(sealer: Sealer, row: LinkRow): Link {
  const name = [row.connection, row.resource_id] as const
  const applied = sealer.open('link.applied', name, row.applied)
  const grants = sealer.open('link.grants', name, row.grants)
  return {
    connection: row.connection,
    resourceId: row.resource_id,
    state: row.state,
    accountId: row.account_id ?? undefined,
    applied: applied === null ? undefined : parseObject(applied),
    lastAppliedAt: row.last_applied_at ?? undefined,
    drift: parseTexts(row.drift),
    wasFlushed: row.was_flushed === 1,
    userName: sealer.open('link.user_name', name, row.user_name) ?? undefined,
    externalId: sealer.open('link.external_id', name, row.external_id) ?? undefined,
    deletedAt: row.deleted_at ?? undefined,
    invitedAt: row.invited_at ?? undefined,
    invitations: row.invitations,
    grants: grants === '[]' ? [] : parseLedger(grants),
    unlinkedAccountId: row.unlinked_account_id ?? undefined,
  }
}

export function toGroupLink(sealer: Sealer, row: GroupLinkRow): GroupLink {
  const { connection, state } = row
  return {
    connection,
    resourceId: row.resource_id,
    state,
    groupId: row.group_id,
    name: sealer.open('group_link.name', [connection, row.resource_id], row.name),
    wasCreated: row.was_created === 1,
    deletedAt: row.deleted_at ?? undefined,
  }
}

/** Out of the document: where values are sealed, the columns beside it cannot be read. */
export function toMembership(sealer: Sealer, connection: string, row: MembershipRow): Membership {
  const { displayName, externalId } = parseObject(sealer.open('resource.json', [connection, row.id], row.json))
  const name = row.name === null ? null : sealer.open('group_link.name', [connection, row.id], row.name)
  return {
    groupId: row.id,
    displayName: typeof displayName === 'string' ? displayName : '',
    externalId: typeof externalId === 'string' ? externalId : undefined,
    platformGroup: row.group_id === null || name === null ? undefined : { id: row.group_id, name },
  }
}

export function toOperation(sealer: Sealer, row: OperationRow): Operation {
  const name = [row.connection, row.resource_id] as const
  return {
    id: row.id,
    connection: row.connection,
    resourceId: row.resource_id,
    kind: row.kind,
    about: row.about,
    isDeprovisioning: row.is_deprovisioning === 1,
    mayActivate: row.may_activate === 1,
    before: sealer.open('operation.before', name, row.before) ?? undefined,
    version: row.version,
    state: row.state,
    attempts: row.attempts,
    dueAt: row.due_at,
    errorKind: row.error_kind ?? undefined,
    errorMessage: sealer.open('operation.error_message', name, row.error_message) ?? undefined,
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

export function parseLedger(text: string): readonly LedgerEntry[] {
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

export function toUserView(
  sealer: Sealer,
  connection: string,
  id: string,
  row: UserRow,
  groups: readonly GroupReference[],
): UserView {
  const { seq, version, created, modified } = row
  const json = sealer.open('resource.json', [connection, id], row.json)
  const resource = { connection, type: 'User', id, seq, version, json, created, modified } as const
  return { resource, provisioning: toProvisioning(sealer, connection, id, row), groups }
}
