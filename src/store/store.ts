/**
 * What the store keeps and promises. Every method takes the connection first: no query can leave it out (tenancy).
 * Methods of `Store` read committed data; everything that writes happens inside `transaction`, which is atomic and, when
 * it resolves, durable (SQLite: WAL with `synchronous=FULL`; PostgreSQL: its default `synchronous_commit`).
 */
import type { JsonObject } from '../json.ts'
import type { AlarmReader, AlarmWriter } from './alarm-store.ts'
import type { ClaimStore } from './claim-store.ts'
import type { GrantReader, GrantWriter, LedgerEntry } from './grant-store.ts'
import type { GuardWriter } from './guard-store.ts'
import type { GroupReference, MembershipReader } from './membership-store.ts'
import type { OperatorReader, OperatorWriter } from './operator-store.ts'
import type { IndexedCondition, ListQuery, PlacedResource, UserListQuery, WalkQuery } from './queries.ts'
import type { RequestSpanReader, RequestSpanWriter } from './request-spans.ts'
import type { WalkReader, WalkWriter } from './walk-store.ts'

export type { GroupReference, Member } from './membership-store.ts'
export type ResourceType = 'User' | 'Group'

/** A SCIM resource as stored: `json` is the canonical document without `groups`, `members` and Provisioning. */
export interface StoredResource {
  readonly connection: string
  readonly type: ResourceType
  readonly id: string
  /** Increasing per connection; the stable order of lists. */
  readonly seq: number
  readonly version: number
  readonly json: string
  /** ISO 8601 with milliseconds, UTC. */
  readonly created: string
  readonly modified: string
}

/** Values that lists are searched by. The store folds them itself (`keys.ts`: NFKC, lower case). */
export interface ResourceKeys {
  readonly userName?: string
  readonly displayName?: string
  readonly externalId?: string
  readonly emails?: readonly { readonly value: string; readonly type?: string }[]
  readonly active?: boolean
}

export interface NewResource {
  readonly type: ResourceType
  readonly id: string
  readonly json: string
  readonly keys: ResourceKeys
  /** False while a create has not been confirmed: invisible to `getResource` and lists. */
  readonly visible: boolean
  readonly now: string
}

/** Resource ↔ account. One row a resource; a tombstone outlives its resource. */
export interface Link {
  readonly connection: string
  readonly resourceId: string
  readonly state: 'proposed' | 'live' | 'tombstone'
  readonly accountId: string | undefined
  /** Platform attributes as last read back. */
  readonly applied: JsonObject | undefined
  readonly lastAppliedAt: string | undefined
  /** Attributes that differ and were left alone. */
  readonly drift: readonly string[]
  /** Whether the 2xx of the create reached the socket; false when unknown. */
  readonly wasFlushed: boolean
  /** Kept for tombstones: who this was. */
  readonly userName: string | undefined
  readonly externalId: string | undefined
  readonly deletedAt: string | undefined
  /** Only where people are invited and make the account themselves: when the last invitation was sent, and how many. */
  readonly invitedAt: string | undefined
  readonly invitations: number
  readonly grants: readonly LedgerEntry[]
  /**
   * The account that an operator has let go: read where that has to be known, and never written. `accountId` is undefined then,
   * and nothing but an operator gives the user an account again.
   */
  readonly unlinkedAccountId: string | undefined
}

/** A durable intent to bring one link to its desired state: the resource as stored now, or its end. At most one per link. */
export interface Operation {
  readonly id: number
  readonly connection: string
  readonly resourceId: string
  readonly kind: 'create' | 'update' | 'delete'
  /** `grants`: only memberships changed, there is nothing to undo in the document. `group`: the resource is a Group. */
  readonly about: 'account' | 'grants' | 'both' | 'group'
  /** Contains an unfinished switch-off: never given up. */
  readonly isDeprovisioning: boolean
  /** Explicit `active: true` was asked for: the only thing that may switch an account on. */
  readonly mayActivate: boolean
  /** The document before this request (JSON text), for a final refusal; undefined for a create. */
  readonly before: string | undefined
  /** Version of the resource when the operation was accepted. */
  readonly version: number
  readonly state: 'waiting' | 'running' | 'failed' | 'held'
  readonly attempts: number
  /** Milliseconds since 1970. */
  readonly dueAt: number
  /** Last error: its class and our log's detail. */
  readonly errorKind: string | undefined
  readonly errorMessage: string | undefined
  readonly requestId: string
  readonly caller: string
  readonly createdAt: string
  /** When the claim of a running operation ends; milliseconds since 1970. */
  readonly leaseUntil: number | undefined
  /** The latest possible moment at which a create of unknown outcome may still appear on the platform. */
  readonly unknownSince: number | undefined
}

export type NewOperation = Omit<
  Operation,
  'id' | 'connection' | 'state' | 'attempts' | 'errorKind' | 'errorMessage' | 'leaseUntil'
> & {
  /** An attempt at what it replaces counts as one of its own. */
  readonly isTried?: boolean
}

export interface AuditEntry {
  readonly at: string
  readonly event: 'asked' | 'calling' | 'outcome'
  readonly requestId: string
  readonly caller: string
  readonly resourceId: string | undefined
  readonly operationId: number | undefined
  readonly accountId: string | undefined
  /** Names, methods, classes; never values, tokens or bodies. */
  readonly detail: JsonObject
}

/** What has become of a user on the platform, so far as clients see it. */
export interface ProvisioningView {
  readonly accountId: string | undefined
  readonly lastAppliedAt: string | undefined
  readonly drift: readonly string[]
  /** An operator has let the account go. */
  readonly isUnlinked: boolean
  /** Of the unfinished operation; undefined when nothing is unfinished. */
  readonly operationState: Operation['state'] | undefined
  readonly errorMessage: string | undefined
}

export interface UserView {
  readonly resource: StoredResource
  readonly provisioning: ProvisioningView
  readonly groups: readonly GroupReference[]
}

export interface StoreReader
  extends WalkReader,
    GrantReader,
    OperatorReader,
    AlarmReader,
    RequestSpanReader,
    MembershipReader {
  /** Visible ones only. */
  getResource(connection: string, type: ResourceType, id: string): Promise<StoredResource | undefined>
  /** A visible user with everything that an answer shows of it: the hot path of GET. */
  getUser(connection: string, id: string): Promise<UserView | undefined>
  list(connection: string, query: ListQuery): Promise<readonly StoredResource[]>
  /** A page of visible users in the order of `seq`, each as `getUser` answers it. */
  listUsers(connection: string, query: UserListQuery): Promise<readonly UserView[]>
  /** As `list`, from a place on: rows that come and go meanwhile cause no gap and no repetition. */
  walk(connection: string, query: WalkQuery): Promise<readonly PlacedResource[]>
  /** Visible resources of the type; with `where`, those that match. Without `where` from a counter row: O(1). */
  count(connection: string, type: ResourceType, where?: IndexedCondition): Promise<number>
  getLink(connection: string, resourceId: string): Promise<Link | undefined>
  /** What a client is told of the state of each user, in one query; users without a link are absent from the answer. */
  provisioningOf(connection: string, userIds: readonly string[]): Promise<ReadonlyMap<string, ProvisioningView>>
  /** The proposed or live link that holds this account. */
  findLinkByAccount(connection: string, accountId: string): Promise<Link | undefined>
  getOperation(connection: string, resourceId: string): Promise<Operation | undefined>
  /** The unfinished operations of these resources. */
  operationsOf(connection: string, resourceIds: readonly string[]): Promise<readonly Operation[]>
  /** Waiting operations whose time has come: deactivations and deletions first, then by due time. */
  dueOperations(connection: string, now: number, limit: number): Promise<readonly Operation[]>
  countOperations(connection: string): Promise<number>
}

export interface StoreWriter
  extends StoreReader,
    WalkWriter,
    GrantWriter,
    GuardWriter,
    OperatorWriter,
    AlarmWriter,
    RequestSpanWriter,
    ClaimStore {
  /** Also invisible ones. */
  getAnyResource(
    connection: string,
    type: ResourceType,
    id: string,
  ): Promise<(StoredResource & { visible: boolean }) | undefined>
  /** Also invisible ones: who holds this userName (Users) or displayName (Groups)? */
  findByUniqueName(
    connection: string,
    type: ResourceType,
    name: string,
  ): Promise<(StoredResource & { visible: boolean }) | undefined>
  /** Assigns `seq`, version 1, counts it when visible. Throws `NameTaken`. */
  insertResource(connection: string, resource: NewResource): Promise<StoredResource>
  /** Stores when the version is still `expectedVersion` and adds 1 to it; undefined when it is not. Throws `NameTaken`. */
  updateResource(
    connection: string,
    change: { type: ResourceType; id: string; expectedVersion: number; json: string; keys: ResourceKeys; now: string },
  ): Promise<StoredResource | undefined>
  /** Adds 1 to the version (a membership changed). */
  touchResources(connection: string, type: ResourceType, ids: readonly string[], now: string): Promise<void>
  showResource(connection: string, type: ResourceType, id: string): Promise<void>
  hideResource(connection: string, type: ResourceType, id: string): Promise<void>
  /** With its keys and memberships. */
  deleteResource(connection: string, type: ResourceType, id: string): Promise<void>

  /** Only users of this connection; answers which of `ids` are none. */
  unknownUsers(connection: string, ids: readonly string[]): Promise<readonly string[]>
  /** Return the ids whose membership really changed. */
  addMembers(connection: string, groupId: string, userIds: readonly string[]): Promise<readonly string[]>
  removeMembers(connection: string, groupId: string, userIds: readonly string[]): Promise<readonly string[]>
  removeAllMembers(connection: string, groupId: string): Promise<readonly string[]>
  /** A set difference in SQL: what was added and what was removed. */
  replaceMembers(
    connection: string,
    groupId: string,
    userIds: readonly string[],
  ): Promise<{ added: readonly string[]; removed: readonly string[] }>

  /** Inserts or replaces. Throws `AccountTaken` when another proposed or live link holds the account. */
  putLink(link: Link): Promise<void>
  deleteLink(connection: string, resourceId: string): Promise<void>
  setFlushed(connection: string, resourceId: string): Promise<void>

  /** Replaces the link's unfinished operation, if there is one, and answers the new one's id. */
  putOperation(connection: string, operation: NewOperation): Promise<number>
  updateOperation(
    connection: string,
    id: number,
    change: Partial<
      Pick<
        Operation,
        | 'kind'
        | 'about'
        | 'isDeprovisioning'
        | 'mayActivate'
        | 'before'
        | 'state'
        | 'attempts'
        | 'dueAt'
        | 'errorKind'
        | 'errorMessage'
        | 'leaseUntil'
        | 'unknownSince'
      >
    >,
  ): Promise<void>
  /**
   * Of the link's operation, whichever it is by now: since when an account may appear that nobody knows of. Undefined: what came
   * of the create is known.
   */
  noteUnknown(connection: string, resourceId: string, since: number | undefined): Promise<void>
  /** Only this very operation: a newer one of the same link stays. */
  deleteOperation(connection: string, id: number): Promise<void>

  /** The secret of this name; the proposed one when there is none yet. All processes that share the store share it. */
  keepSecret(connection: string, name: string, proposed: string): Promise<string>

  appendAudit(connection: string, entry: AuditEntry): Promise<void>
}

export interface Store extends StoreReader, ClaimStore {
  /** Names are sealed: indexes know them by whole values only, neither in order nor by how they begin. */
  readonly hasSealedNames: boolean
  /**
   * Runs `work` atomically; those about one connection are served one at a time. Durable when it resolves.
   * Throws `StoreUnavailable` (locked, disk full, file gone); whatever `work` throws rolls back and is thrown on.
   */
  transaction<T>(work: (write: StoreWriter) => Promise<T>): Promise<T>
  /** Rows of the audit after `afterId`, for export. */
  readAudit(connection: string, afterId: number, limit: number): Promise<readonly (AuditEntry & { id: number })[]>
  /** A small read; throws `StoreUnavailable`. For `/readyz`. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** userName or displayName is in use (without regard to case). */
export class NameTaken extends Error {
  override readonly name = 'NameTaken'
}
export class AccountTaken extends Error {
  override readonly name = 'AccountTaken'
}
/** Answered with 503 and Retry-After. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}
/** A sealed value was changed, or is another row's: `message` names it. 500; an operation that meets it is put aside. */
export class StoreUnsealable extends Error {
  override readonly name = 'StoreUnsealable'
}
