/** One platform as the contract suite sees it: its simulator, its module, and the hand of somebody who works on the platform. */
import assert from 'node:assert/strict'
import type { Account, AccountId, Attributes, Grant, NamedByMapping, PlatformFacts } from '../../src/facts.ts'
import type { Pace } from '../../src/platforms/client.ts'
import type {
  Call,
  Changes,
  PlatformConnection,
  PlatformGroups,
  WriteDescription,
} from '../../src/platforms/platform.ts'
import type { RecordedCall, RunningSimulator } from '../../src/sandbox/simulator.ts'

export interface ConnectOptions {
  /** Default `right`. */
  readonly credentials?: 'right' | 'wrong'
  /** Default: no pace. */
  readonly pace?: Pace
  /** Default 10,000. */
  readonly timeoutMs?: number
  /** Besides the credentials. */
  readonly settings?: Readonly<Record<string, unknown>>
}

/** Started anew for each question; no state is shared between two. */
export interface StartedWorld {
  readonly simulator: RunningSimulator
  connect(options?: ConnectOptions): PlatformConnection
  /** The account disappears from the platform, by hand. */
  removeByHand(id: AccountId): Promise<void> | void
  /** Two accounts share a value that `find` may be asked for; absent where the platform's own search answers with one at most. */
  plantTwins?(): Promise<{ readonly attribute: string; readonly value: string; readonly wanted: Attributes }>
  /** An account that the module itself protects (service account, administrator). */
  plantProtected(): Promise<AccountId> | AccountId
  /** What the connection was signed in with stops being valid: a session ends, a token is withdrawn. */
  endSignIn(): Promise<void> | void
  /** Closes the simulator and every connection that `connect` gave. */
  close(): Promise<void>
}

export interface PlatformWorld {
  readonly facts: PlatformFacts
  /** What is wrong with recorded calls by the platform's published contract, where there is one. */
  readonly faultsOf?: (calls: readonly RecordedCall[]) => readonly string[]
  start(): Promise<StartedWorld>
  /** Everything that a new account gets, switched on; another `key` (a short lower-case word) is another person. */
  person(key: string): Attributes
  /** The attribute by which accounts are found and which no two may share. */
  readonly key: string
  /** A change of attributes that are no status, different from what `person` has. */
  readonly change: Changes
  readonly off: Changes
  /** How a removed account is still read, where the platform keeps it as deleted; absent where it is read as gone. */
  readonly removedAs?: Changes
  readonly on: Changes
  readonly grants: { readonly one: Grant; readonly two: Grant; readonly unknown: Grant }
  /** Accounts made with `stored` must not be found by any of `asked` (case, wildcards, substrings, accents). */
  readonly lookAlikes: { readonly attribute: string; readonly stored: string; readonly asked: readonly string[] }
  /** Values of one attribute that are written and read back as they are, and values that are refused. */
  readonly texts: {
    readonly attribute: string
    readonly accepted: readonly string[]
    readonly refused: readonly string[]
  }
  /** Whether the module signs in again by itself (sessions) or must stop (tokens, passwords). */
  readonly afterSignInEnds: 'renewed' | 'denied'
  /** Other forms of grants, and the settings that a connection needs for them. */
  readonly otherGrants?: readonly OtherGrants[]
  /** Requests that grants cost an account that was just made, by the handbook's count. */
  readonly grantCalls: {
    readonly read: number
    readonly unchanged: number
    readonly give: number
    readonly take: number
  }
  /** Where `facts.groups`. */
  readonly groups?: GroupsWorld
  /** Calls that one sign-in attempt costs when credentials are wrong; default 1. */
  readonly signInCalls?: number
}

export interface OtherGrants {
  readonly name: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly one: Grant
  readonly two: Grant
  readonly unknown: Grant
}

export interface GroupsWorld {
  /** What a connection needs besides its credentials. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** A group that is there from the start and that nobody may rename or delete. */
  readonly protectedName?: string
  /** Requests that each costs, by the handbook's count. */
  readonly calls: Readonly<Record<'find' | 'read' | 'create' | 'rename' | 'remove', number>>
}

/** A call as the core would make it, remembering what it was told. */
export interface WitnessedCall extends Call {
  readonly writes: WriteDescription[]
  readonly createdIds: AccountId[]
}

export function aCall(signal: AbortSignal = new AbortController().signal): WitnessedCall {
  const writes: WriteDescription[] = []
  const createdIds: AccountId[] = []
  return {
    signal,
    writes,
    createdIds,
    beforeWrite: async (what) => void writes.push(what),
    created: async (id) => void createdIds.push(id),
  }
}

/** The attributes of an account without those that only the platform writes, for comparison with what was asked. */
export function writtenOf(account: Account, facts: PlatformFacts): Map<string, unknown> {
  const written = [...account.attributes].filter(
    ([name, value]) => value !== null && facts.attributes.get(name)?.write !== 'read',
  )
  return new Map(written)
}

export function groupsOf(connection: PlatformConnection): PlatformGroups {
  assert.ok(connection.groups, 'the platform has groups')
  return connection.groups
}

/** A mapping that names nothing of the platform. */
export const nothingNamed: NamedByMapping = { mode: 'direct', grants: [], values: new Map() }
