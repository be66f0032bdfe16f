import type { GroupLink } from '../../src/store/grant-store.ts'
import type { AuditEntry, Link, NewOperation, NewResource } from '../../src/store/store.ts'

export const now = '2026-03-01T08:00:00.000Z'
export const later = '2026-03-02T08:00:00.000Z'

export function aUser(id: string, more: Partial<NewResource> = {}): NewResource {
  const keys = { userName: `${id}@uni.example`, ...more.keys }
  const json = JSON.stringify({ id, userName: keys.userName })
  return { type: 'User', id, json, visible: true, now, ...more, keys }
}

export function aGroup(id: string, more: Partial<NewResource> = {}): NewResource {
  const keys = { displayName: `Group ${id}`, ...more.keys }
  const json = JSON.stringify({ id, ...keys })
  return { type: 'Group', id, json, visible: true, now, ...more, keys }
}

export function aLink(connection: string, resourceId: string, more: Partial<Link> = {}): Link {
  return {
    connection,
    resourceId,
    state: 'live',
    accountId: `account of ${resourceId}`,
    applied: undefined,
    lastAppliedAt: undefined,
    drift: [],
    wasFlushed: false,
    userName: undefined,
    externalId: undefined,
    deletedAt: undefined,
    invitedAt: undefined,
    invitations: 0,
    grants: [],
    unlinkedAccountId: undefined,
    ...more,
  }
}

export function aGroupLink(resourceId: string, more: Partial<GroupLink> = {}): GroupLink {
  return {
    connection: 'okta',
    resourceId,
    state: 'live',
    groupId: '7',
    name: 'Readers',
    wasCreated: true,
    deletedAt: undefined,
    ...more,
  }
}

export function anOperation(resourceId: string, more: Partial<NewOperation> = {}): NewOperation {
  return {
    resourceId,
    kind: 'update',
    about: 'account',
    isDeprovisioning: false,
    mayActivate: false,
    before: undefined,
    version: 1,
    dueAt: 1_000,
    requestId: 'request-1',
    caller: 'okta',
    createdAt: now,
    unknownSince: undefined,
    ...more,
  }
}

export function anAuditEntry(more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    at: now,
    event: 'asked',
    requestId: 'request-1',
    caller: 'okta',
    resourceId: 'ada',
    operationId: undefined,
    accountId: undefined,
    detail: { attributes: ['email'] },
    ...more,
  }
}
