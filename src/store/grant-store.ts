/** What the store keeps of grants: why an account holds one, and which SCIM group is which group on the platform. */
import type { Operation } from './store.ts'

/** One grant that an account holds, or is about to hold, because of a membership. */
export interface LedgerEntry {
  /** The same for equal grants: the grant's content, or the SCIM group that is a group on the platform. */
  readonly key: string
  /** In the platform's words, as it was given. */
  readonly grant: Readonly<Record<string, string | number>>
  /**
   * `giving`: being given or taken; durable before the platform is asked, so that a crash cannot make it look like somebody else's.
   * `found`: held before any membership asked for it; it survives leaving the group.
   */
  readonly origin: 'giving' | 'given' | 'found'
}

/** Ledger key of what membership in a SCIM group gives where it is a group on the platform: it outlives a new name. */
export function groupKey(groupId: string): string {
  return `group:${groupId}`
}

export function groupIdOf(key: string): string | undefined {
  return key.startsWith('group:') ? key.slice('group:'.length) : undefined
}

/** SCIM group ↔ group on the platform, where groups are groups. A tombstone tells what is left to take from its members. */
export interface GroupLink {
  readonly connection: string
  readonly resourceId: string
  readonly state: 'live' | 'tombstone'
  /** The platform's id of the group. */
  readonly groupId: string
  /** As last read. */
  readonly name: string
  /** Made by us; only then is it ours to end. */
  readonly wasCreated: boolean
  /** Of a tombstone: when the group was deleted. */
  readonly deletedAt: string | undefined
}

/** A group that a user is in, with what grants are computed from. */
export interface Membership {
  readonly groupId: string
  readonly displayName: string
  readonly externalId: string | undefined
  /** Live ones only. */
  readonly platformGroup: { readonly id: string; readonly name: string } | undefined
}

export interface UnfinishedGrants {
  readonly userId: string
  readonly ledger: readonly LedgerEntry[]
}

/** `replacedId`: the id that the operation had before. */
export interface GrantOperation {
  readonly resourceId: string
  readonly id: number
  readonly replacedId: number | undefined
}

export interface GrantReader {
  /** As `groupsOf`, with what grants are computed from. */
  membershipsOf(connection: string, userIds: readonly string[]): Promise<ReadonlyMap<string, readonly Membership[]>>
  /** What the accounts of these users hold; users without grants are absent from the answer. */
  ledgersOf(connection: string, userIds: readonly string[]): Promise<ReadonlyMap<string, readonly LedgerEntry[]>>
  /** Users outside of a group whose grants are unfinished, and what their accounts hold so far. */
  unfinishedOutside(connection: string, groupId: string): Promise<readonly UnfinishedGrants[]>
  getGroupLink(connection: string, resourceId: string): Promise<GroupLink | undefined>
  /** The live link that holds this group of the platform. */
  findGroupLink(connection: string, groupId: string): Promise<GroupLink | undefined>
  /** All live ones. */
  groupLinks(connection: string): Promise<readonly GroupLink[]>
}

export interface GrantWriter {
  /** Inserts or replaces. Throws `AccountTaken` when another live link holds the group. */
  putGroupLink(link: GroupLink): Promise<void>
  /**
   * Memberships of these users changed. Those without an unfinished operation get one about their grants; an unfinished one
   * gets a new id and is about grants, too, so that an attempt in work does not end it unseen. A deletion keeps its id.
   */
  putGrantOperations(
    connection: string,
    resourceIds: readonly string[],
    operation: Pick<Operation, 'dueAt' | 'requestId' | 'caller' | 'createdAt'>,
  ): Promise<readonly GrantOperation[]>
}
