export interface Member {
  readonly id: string
  /** The user's displayName, else userName, at the time of reading. */
  readonly display: string | undefined
}
export interface GroupReference {
  readonly id: string
  readonly display: string | undefined
}

/** Who is in which group, as clients are shown it. */
export interface MembershipReader {
  /** Direct groups of each user, in one query; users without groups are absent from the answer. */
  groupsOf(connection: string, userIds: readonly string[]): Promise<ReadonlyMap<string, readonly GroupReference[]>>
  members(connection: string, groupId: string): Promise<readonly Member[]>
  /** The same in pages, each as it is when it is read: between two of them others have their turn. Without empty ones. */
  memberPages(connection: string, groupId: string): AsyncIterable<readonly Member[]>
  /** Members of several groups at once, for a page of a list. */
  membersOf(connection: string, groupIds: readonly string[]): Promise<ReadonlyMap<string, readonly Member[]>>
}
