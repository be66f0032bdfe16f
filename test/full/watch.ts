/** The memory of the invariants between two looks: what was seen last, and what was done by hand since. */
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import type { RecordedCall } from '../../src/sandbox/simulator.ts'
import { type InnerAccount, innerAccounts } from './accounts.ts'
import { oursByAccount } from './grant-invariants.ts'
import { viewStore } from './store-view.ts'

export interface WatchedWorld {
  readonly sandbox: Sandbox
  /** Of the store. */
  readonly directory: string
  readonly logLines: readonly string[]
  /** Secrets of which nothing may be written anywhere. */
  readonly tokens: ReadonlyMap<DemoPlatform, string>
}

export interface WatchOptions {
  readonly mode?: 'confirmed' | 'deferred'
  /** Grants that the bridge may give and take at all; default: those that its ledger knows. */
  readonly isManagedGrant?: (platform: DemoPlatform, grant: string) => boolean
}

/** What is remembered of one connection. */
export interface Memory {
  accounts: ReadonlyMap<string, InnerAccount>
  /** Those of them that belonged to somebody, or were about to: what was written before an operator let go is seen later. */
  tied: ReadonlySet<string>
  lastAudit: number
  /** Account → last line of the audit when it was last seen on. */
  readonly lastOn: Map<string, number>
  /** Resources whose unfinished operation may switch on, at the last look. */
  mayActivate: ReadonlySet<string>
  /** Operations that were asked for with "active: true". */
  readonly activating: Set<number>
  /** Resource → last line of the audit in which one of those announces a call: it goes on when another takes its place. */
  readonly switchingOn: Map<string, number>
  /** Account → how it looked when somebody changed it by hand. */
  readonly byHand: Map<string, string>
  readonly switchedByHand: Set<string>
  /** Accounts that somebody switched on by hand, and that have not been off since. */
  readonly onByHand: Set<string>
  /** Account → the operation that was at work on it, and may have read it before, when somebody switched it by hand. */
  readonly switchedMeanwhile: Map<string, number>
  /** Account → grants that somebody gave by hand when the bridge had nothing to do with them. */
  readonly givenByHand: Map<string, Set<string>>
  /** Account → grants that somebody gave by hand while the bridge was at work on it. */
  readonly givenMeanwhile: Map<string, Set<string>>
  /** Account → grants that somebody took by hand, and that it has not had since. */
  readonly takenByHand: Map<string, Set<string>>
  /** Account → grants that the bridge had given, or was about to give, at the last look. */
  ours: ReadonlyMap<string, ReadonlySet<string>>
  readonly madeByHand: Set<string>
  readonly removedByHand: Set<string>
  readonly seenCalls: WeakSet<RecordedCall>
  /** Method and path → audit lines "calling" that no call has used. */
  readonly announced: Map<string, number>
  /** Resource → the newest operation that called or ended. */
  readonly newestOperation: Map<string, number>
  /** Operation that called and has no outcome yet → its resource. */
  readonly open: Map<number, string>
}

export interface Watch {
  readonly world: WatchedWorld
  readonly platforms: readonly DemoPlatform[]
  readonly options: WatchOptions
  memoryOf(platform: DemoPlatform): Memory
  logLinesSeen: number
  /** Somebody works on the platform itself, past the bridge. Answers what `work` does. */
  byHand<Result>(platform: DemoPlatform, work: () => Result): Result
}

export function startWatch(world: WatchedWorld, platforms: readonly DemoPlatform[], options: WatchOptions = {}): Watch {
  const present = (platform: DemoPlatform) =>
    new Map(innerAccounts(world.sandbox, platform).map((account) => [account.id, account]))
  const memories = new Map(platforms.map((platform) => [platform, newMemory(present(platform))]))
  const memoryOf = (platform: DemoPlatform): Memory => {
    const memory = memories.get(platform)
    if (memory === undefined) throw new Error(`${platform} is not watched`)
    return memory
  }
  return {
    world,
    platforms,
    options,
    memoryOf,
    logLinesSeen: 0,
    byHand(platform, work) {
      const memory = memoryOf(platform)
      const before = present(platform)
      const store = viewStore(world.directory, platform, Number.MAX_SAFE_INTEGER)
      const ours = oursByAccount(world.sandbox, platform, store)
      const result = work()
      const after = present(platform)
      const accounts = new Map(memory.accounts)
      for (const [id, account] of after) {
        if (before.get(id)?.text === account.text) continue
        if (!before.has(id)) memory.madeByHand.add(id)
        if (before.get(id)?.textBesidesGrants !== account.textBesidesGrants)
          memory.byHand.set(id, account.textBesidesGrants)
        const ties = store.links.filter(({ accountId }) => accountId === id).map(({ resourceId }) => resourceId)
        const work = store.operations.find(({ resourceId }) => ties.includes(resourceId))
        if (before.get(id)?.isOn !== account.isOn) {
          memory.switchedByHand.add(id)
          if (account.isOn) memory.onByHand.add(id)
          if (work !== undefined) memory.switchedMeanwhile.set(id, work.id)
        }
        noteGrantsByHand(memory, before.get(id), account, work === undefined ? (ours.get(id) ?? new Set()) : undefined)
        accounts.set(id, account)
      }
      for (const id of before.keys()) {
        if (after.has(id)) continue
        memory.removedByHand.add(id)
        accounts.delete(id)
      }
      memory.accounts = accounts
      return result
    },
  }
}

/** `ours` is undefined while the bridge may be giving or taking something itself. */
function noteGrantsByHand(
  memory: Memory,
  before: InnerAccount | undefined,
  { id, grants }: InnerAccount,
  ours: ReadonlySet<string> | undefined,
): void {
  const [given, taken] = [memory.givenByHand, memory.takenByHand].map((of) => of.get(id) ?? new Set<string>())
  if (given === undefined || taken === undefined) return
  for (const grant of before?.grants ?? []) if (!grants.includes(grant)) taken.add(grant)
  for (const grant of taken) given.delete(grant)
  const meanwhile = memory.givenMeanwhile.get(id) ?? new Set()
  for (const grant of grants) {
    taken.delete(grant)
    if (before?.grants.includes(grant) === true) continue
    if (ours === undefined) meanwhile.add(grant)
    else if (!ours.has(grant)) given.add(grant)
  }
  memory.givenMeanwhile.set(id, meanwhile)
  memory.givenByHand.set(id, given)
  memory.takenByHand.set(id, taken)
}

function newMemory(accounts: ReadonlyMap<string, InnerAccount>): Memory {
  return {
    accounts,
    tied: new Set(),
    lastAudit: 0,
    lastOn: new Map(),
    mayActivate: new Set(),
    activating: new Set(),
    switchingOn: new Map(),
    byHand: new Map(),
    switchedByHand: new Set(),
    onByHand: new Set(),
    switchedMeanwhile: new Map(),
    givenByHand: new Map(),
    givenMeanwhile: new Map(),
    takenByHand: new Map(),
    ours: new Map(),
    madeByHand: new Set(accounts.keys()),
    removedByHand: new Set(),
    seenCalls: new WeakSet(),
    announced: new Map(),
    newestOperation: new Map(),
    open: new Map(),
  }
}
