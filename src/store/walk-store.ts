/**
 * What the store keeps of reconciling: walks over a platform's accounts with their place, what each account was found to
 * be, and the tombstones that keep watch. Rows of a walk are replaced by those of the next finished one.
 */
import type { Link, Operation } from './store.ts'

/** In the order in which reports tell them. */
export const situations = [
  /** As wanted, or about to be: an operation is unfinished. */
  'linked',
  /** Linked, and differs. */
  'drifted',
  /** Its link is live, and the account is gone: a read by id said so. */
  'deleted',
  /** No link, and exactly one resource fits. */
  'unlinked',
  /** Two accounts for one resource, or one for two. */
  'disputed',
  /** A tombstone's account that is on again. */
  'revived',
  'protected',
  /** A tombstone's account that is off, as it should be. */
  'former',
  /** Nobody's. */
  'unmatched',
] as const
export type Situation = (typeof situations)[number]

/** What would mend a finding. `switch_off` is made in every walk: it was accepted long ago. */
export type Remedy = 'switch_off' | 'write' | 'link' | 'create'

export interface Finding {
  readonly accountId: string
  readonly situation: Situation
  readonly resourceId: string | undefined
  /** Platform attributes that differ; names, never values. */
  readonly attributes: readonly string[]
  readonly otherAccounts: readonly string[]
  readonly otherResources: readonly string[]
  readonly remedy: Remedy | undefined
  /** What was done about it, or why nothing; undefined: not tried. */
  readonly done: string | undefined
}

/** `keys`: users are indexed by what accounts are matched by; `absent`: accounts that were not listed are read by id. */
export type Phase = 'asked' | 'keys' | 'accounts' | 'absent' | 'repair' | 'finished' | 'failed'

export interface Walk {
  readonly connection: string
  readonly number: number
  readonly purpose: 'reconcile' | 'import'
  readonly caller: string
  readonly isRepair: boolean
  readonly isRecreate: boolean
  readonly isDryRun: boolean
  readonly phase: Phase
  /** Where the phase goes on; undefined: at its beginning. */
  readonly place: string | undefined
  /** Different accounts that were listed. */
  readonly accounts: number
  /** More than a fifth shorter than the walk before, or cut off at the limit. */
  readonly isShort: boolean
  /** In a row. */
  readonly failures: number
  /** Class of the last error while the walk waits to go on, or why it failed. */
  readonly error: string | undefined
  /** Milliseconds since 1970. */
  readonly dueAt: number
  readonly askedAt: number
  readonly finishedAt: number | undefined
  /** Of a finished walk: accounts by situation. */
  readonly counts: Readonly<Record<string, number>>
}

export type NewWalk = Pick<Walk, 'purpose' | 'caller' | 'isRepair' | 'isRecreate' | 'isDryRun' | 'askedAt'>

/** An account's proposed or live link with what is wanted of it. */
export interface HeldAccount {
  readonly accountId: string
  readonly resourceId: string
  readonly lastAppliedAt: string | undefined
  /** The stored document; undefined while there is none. */
  readonly json: string | undefined
  readonly operationState: Operation['state'] | undefined
}

/** A deleted user whose account may still appear, because the outcome of its create was never known. */
export interface Watch {
  readonly resourceId: string
  /** The document as it was, for the search by `match`. */
  readonly document: string
  readonly nextAt: number
  readonly endsAt: number
}

export interface FindingQuery {
  readonly situation?: Situation
  /** Only those with a remedy of which nothing was tried yet. */
  readonly isOpen?: boolean
  readonly afterAccount: string
  readonly limit: number
}

export interface WalkReader {
  getWalk(connection: string, number: number): Promise<Walk | undefined>
  /** The oldest that is not finished. */
  currentWalk(connection: string): Promise<Walk | undefined>
  lastFinishedWalk(connection: string, purpose: Walk['purpose']): Promise<Walk | undefined>
  lastAskedWalk(connection: string, purpose: Walk['purpose']): Promise<Walk | undefined>
  /** In the order of account ids. */
  findings(connection: string, walk: number, query: FindingQuery): Promise<readonly Finding[]>
  countFindings(connection: string, walk: number): Promise<Readonly<Record<string, number>>>
  dueWatches(connection: string, now: number, limit: number): Promise<readonly Watch[]>
}

export interface WalkWriter extends WalkReader {
  /** Answers its number. */
  addWalk(connection: string, walk: NewWalk): Promise<number>
  updateWalk(walk: Walk): Promise<void>
  /** Walks before this one, with what they have found, at most `limit` rows; true when none are left. */
  forgetWalksBefore(connection: string, number: number, limit: number): Promise<boolean>
  /** What those of them have found that have failed; true when nothing of it is left. */
  forgetFailedBefore(connection: string, number: number, limit: number): Promise<boolean>
  putFinding(connection: string, walk: number, finding: Finding): Promise<void>
  /** Those of the accounts that the walk has met. */
  metAccounts(connection: string, walk: number, accountIds: readonly string[]): Promise<ReadonlySet<string>>
  /** Some of the accounts without a link that fit this resource. */
  findingsOfResource(connection: string, walk: number, resourceId: string): Promise<readonly Finding[]>
  heldAccounts(connection: string, accountIds: readonly string[]): Promise<ReadonlyMap<string, HeldAccount>>
  /** The newest tombstone of each account. */
  tombstonesOf(connection: string, accountIds: readonly string[]): Promise<ReadonlyMap<string, Link>>
  /** The user who is there and whose account this was until an operator let go of it. */
  letGoBy(connection: string, accountId: string): Promise<string | undefined>
  /** Accounts of live links that the walk has not met, in the order of their resources. */
  missingAccounts(
    connection: string,
    walk: number,
    afterResource: string,
    limit: number,
  ): Promise<readonly HeldAccount[]>
  /** Documents of users whose create is not done yet, in no order. */
  proposedDocuments(connection: string, limit: number): Promise<readonly string[]>
  putMatchKey(connection: string, walk: number, key: string, resourceId: string): Promise<void>
  /** Key → resources that have it. */
  resourcesByKeys(
    connection: string,
    walk: number,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, readonly string[]>>
  putWatch(connection: string, watch: Watch): Promise<void>
  deleteWatch(connection: string, resourceId: string): Promise<void>
  /** Every watch of the connection looks now. */
  hurryWatches(connection: string, now: number): Promise<void>
}
