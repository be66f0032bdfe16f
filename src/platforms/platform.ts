/**
 * What a platform module is: facts, settings, and a connection that finds, reads and writes accounts.
 *
 * Rules that every module keeps (the contract suite asks them all):
 * - A write returns the account *as read afterwards*, never what was sent, never "ok". Trust the state, not the status.
 * - `find` compares the rows itself (exactly, or ignoring case where the facts say so): platforms search by substring,
 *   wildcard and collation. It returns every match, also switched-off, archived and protected ones. None is `[]`.
 * - A POST is never repeated by a module: after a lost answer it throws `Unknown`, and the caller finds before it tries again.
 * - Modules throw only the classes of `errors.ts`. A suspicion of "taken" is thrown as `Conflict`; the caller proves it.
 * - A write that would change nothing calls nothing.
 * - Nothing is switched on except by a status attribute in `changes`.
 */
import type { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Account, AccountId, Attributes, Grant, Json, NamedByMapping, PlatformFacts } from '../facts.ts'
import type { ClientSettings } from './client.ts'

/** One attempt at one account. Passed through every method to the HTTP client. */
export interface Call {
  /** Aborts every HTTP request of this attempt when its time is over. */
  readonly signal: AbortSignal
  /** Awaited before each request that writes: the audit line "calling" is durable before the platform hears of it. */
  beforeWrite(what: WriteDescription): Promise<void>
  /** Awaited as soon as the platform has given a new account its id, before the remaining requests of a create. */
  created(id: AccountId): Promise<void>
}

/** Attribute names, never values. */
export interface WriteDescription {
  readonly method: string
  /** Without query. */
  readonly path: string
}

/** New values by platform attribute; `null` takes a value away. Status attributes included. */
export type Changes = ReadonlyMap<string, Json>

/** A group on the platform that a SCIM Group can be (`groups.as: groups`). */
export interface PlatformGroup {
  /** The platform's own id of the group, as text. */
  readonly id: string
  readonly name: string
  /** Why the module forbids us to rename, remove or fill this group (built in, carries rights of its own). */
  readonly protectedBecause?: string
}

/** As with accounts: a write returns what was read afterwards, and a write that would change nothing calls nothing. */
export interface PlatformGroups {
  /** The group with exactly this name; `undefined` when there is none. */
  find(call: Call, name: string): Promise<PlatformGroup | undefined>
  /** The group with this id; `undefined` only when its absence is certain. */
  read(call: Call, id: string): Promise<PlatformGroup | undefined>
  /** Makes it; a name that is there already is `Conflict`. Read back. After `Unknown` the caller finds before it tries again. */
  create(call: Call, name: string): Promise<PlatformGroup>
  /** Members stay. `Absent` when it is gone, `Conflict` when another group has the name, `Immutable` when it is protected. */
  rename(call: Call, id: string, name: string): Promise<PlatformGroup>
  /**
   * Ends the group itself, whoever is in it (SelfCommunity: flags inactive and deleted). Returns when it was read as gone;
   * `Immutable` when it is protected. May be repeated.
   */
  remove(call: Call, id: string): Promise<void>
  /** The grant that membership in this group is, as `readGrants` says it. With `id` beside it, the id decides and not the name. */
  grantOf(group: PlatformGroup): Grant
  /** The groups that the account is a direct member of, instead of `readGrants`: told apart by ids, which outlive a new name. */
  heldBy(call: Call, id: AccountId): Promise<readonly PlatformGroup[]>
}

/** One thing that was looked at before a connection goes into use. */
export interface ProbeStep {
  readonly name: string
  /** `warning`: it works, in part or perhaps. `skipped`: something before it failed, or the platform has no way to tell. */
  readonly result: 'ok' | 'warning' | 'failed' | 'skipped'
  /** Names, numbers and versions; never a value of a person, never a secret. */
  readonly seen: string
  /** What to mend, where something is to be mended. */
  readonly remedy: string | undefined
}

export interface PlatformConnection {
  /** Asks whether the platform answers and accepts our credentials. Reads only. */
  check(call: Call): Promise<void>
  /**
   * At set-up, in the order of asking: credentials, rights, version, what is optional, what the mapping names. Reads only; a
   * refusal is a step, not an error.
   */
  probe(call: Call, named: NamedByMapping): Promise<readonly ProbeStep[]>
  /** Every account whose `attribute` equals `value`, whole (all attributes of the facts). `attributes` are all wanted ones, for keys that need a companion (`loginName` with `domainName`). */
  find(call: Call, attribute: string, value: string, attributes: Attributes): Promise<readonly Account[]>
  /** The whole account; `undefined` only when its absence is certain. */
  read(call: Call, id: AccountId): Promise<Account | undefined>
  /** Makes the account and everything that belongs to it, in the given state (on or off). Calls `call.created` at once. */
  create(call: Call, attributes: Attributes): Promise<Account>
  /** `before` is the account as read in this attempt. Resumes a half-made account (adds a missing SSO row or profile). */
  update(call: Call, before: Account, changes: Changes): Promise<Account>
  /**
   * Only where somebody on the platform can switch an account off for some days, after which it is on again by itself. Asked
   * of an account that was found off and is to stay so: returns when it is off for good, by the status in `changes`.
   */
  keepOff?(call: Call, account: Account, changes: Changes): Promise<void>
  /**
   * Only where `facts.canDelete`. Answers what is left when the account was read as absent, or as deleted (SelfCommunity shows
   * status `d`), or, where the platform refuses to delete this one, as off.
   */
  remove?(call: Call, id: AccountId): Promise<Account | undefined>
  /** Why this account, found by `match`, must not be linked to the wanted attributes; `undefined` when it may. */
  refuseAdoption?(account: Account, wanted: Attributes): string | undefined
  /** All accounts, page by page, de-duplicated by id. `cursor` of the last page seen resumes a walk. */
  list(call: Call, cursor: string | undefined): Promise<{ accounts: readonly Account[]; next: string | undefined }>
  /** Grants that the account holds, in the platform's words. */
  readGrants(call: Call, id: AccountId): Promise<readonly Grant[]>
  /** Gives and takes in as few calls as possible, and returns the grants as read. Idempotent both ways. */
  writeGrants(call: Call, id: AccountId, give: readonly Grant[], take: readonly Grant[]): Promise<readonly Grant[]>
  /** Present exactly where `facts.groups` is defined. `writeGrants` never makes groups: an unknown one is `Refused`. */
  readonly groups?: PlatformGroups
  /**
   * Only for the mode `invitation`, instead of `create`: mails the person a link by which the account is made. There is no
   * account and no id yet, so the link stays proposed and the caller asks `find` again later; everything else (grants, a
   * deactivation meanwhile) is written then. Throws `Conflict`, nothing sent, when an account is there already: adopt it.
   * After `Unknown` the mail may be out, and no find can tell: treat it as sent. Each repetition mails again.
   * `give`: grants that the platform can promise within the invitation; those that it cannot are left out.
   */
  invite?(call: Call, attributes: Attributes, give: readonly Grant[]): Promise<void>
  close(): Promise<void>
}

/** Where the module's requests go and how, ready made: base URL, time-outs, caps, pace. */
export interface PlatformEnvironment {
  readonly client: ClientSettings
  readonly clock: Clock
  /** Settings that are read anew whenever they are needed, by name: secrets in files, which are replaced while we run. */
  readonly secrets?: ReadonlyMap<string, () => string>
}

export interface Platform<Settings> {
  readonly facts: PlatformFacts
  /** Shape of `connections.<name>.settings` in bridge.yaml: credentials and choices of this platform. Strict: unknown keys are errors. */
  readonly settings: z.ZodType<Settings>
  /** What stands in the platform's paths beside ids and names: traces show these, and of everything else that it was there. */
  readonly pathWords: ReadonlySet<string>
  /** Opens nothing yet: sign-in happens with the first call. */
  connect(settings: Settings, environment: PlatformEnvironment): PlatformConnection
}
