/**
 * The words in which platforms, mappings and provisioning speak of accounts. Types only: a platform's facts are code
 * (`src/platforms/<platform>/facts.ts`), the choices made from them are YAML (`mappings/`), and neither imports the other.
 */
import type { Json, JsonObject } from './json.ts'

/** The platform's own id of an account, as text. */
export type AccountId = string

/** Platform attribute → value, spelled as the platform spells it. An absent name and `null` both mean "no value". */
export type Attributes = ReadonlyMap<string, Json>

/** A role or membership in the platform's own words, for example `{ group_id: 110, role_id: 49 }`. */
export type Grant = Readonly<Record<string, string | number>>

/** What a mapping names of the platform, whoever comes: looked up at set-up. */
export interface NamedByMapping {
  readonly mode: string
  /** Every different grant. */
  readonly grants: readonly Grant[]
  /** Platform attribute → values that its rule writes by itself: constants, tables, defaults. */
  readonly values: ReadonlyMap<string, readonly Json[]>
}

export interface Account {
  readonly id: AccountId
  /** As read, reduced to the attributes of the facts (open ones included), status attributes among them. */
  readonly attributes: Attributes
  /** Why the platform module forbids us to touch this account (service account, administrator, …). */
  readonly protectedBecause?: string
}

export interface AttributeFact {
  readonly type: 'string' | 'integer' | 'boolean' | 'object'
  /** `create`: can be set only with a new account. `read`: cannot be written, but may be tested by `protect`. */
  readonly write: 'always' | 'create' | 'read'
  readonly required?: boolean
  /** Whether a value can be taken away again. Absent means no. */
  readonly clearable?: boolean
  /** False: values that differ only in letter case are equal. Absent means true. */
  readonly caseExact?: boolean
  /** Whether an account that has no value can be given one later. Absent means that it can where `write` is `always`. */
  readonly addable?: boolean
  /** True: the platform takes grants away when it changes. Absent means no. */
  readonly endsGrants?: boolean
  /** Whether accounts can be found by it. Absent means no. */
  readonly findable?: boolean
  /** The attribute without which a value of this one says nothing (a log-in name is unique in its domain). */
  readonly companion?: string
  readonly minLength?: number
  /** In characters (code points). */
  readonly maxLength?: number
  /** The only values the platform takes. */
  readonly values?: readonly (string | number | boolean)[]
  /** More than length: returns what is wrong with a value ("has a character beyond …"), or undefined. */
  readonly check?: (value: string) => string | undefined
}

export interface GrantKeyFact {
  readonly type: 'string' | 'integer'
  readonly required: boolean
  /** Means something only beside this key (a site is the site *of a role*). Absent: it stands by itself. */
  readonly onlyWith?: string
}

/** A form of grant of which an account has exactly one at a time: giving another one moves it. */
export interface ExclusiveGrantFact {
  readonly form: readonly string[]
  /** The attribute that says the same: a mapping has a rule for it or such grants, never both. */
  readonly attribute: string
}

export interface PlatformFacts {
  /** The word in configuration: `figshare`. */
  readonly platform: string
  /** The name for people: `Figshare`. */
  readonly title: string
  readonly attributes: ReadonlyMap<string, AttributeFact>
  /** Attributes whose names differ from site to site, by prefix (`field_`, `metadata.`). */
  readonly openAttributes: readonly { readonly prefix: string; readonly fact: AttributeFact }[]
  /** Attributes that say whether the account is on; only `lifecycle` writes them, no rule may. */
  readonly statusAttributes: readonly string[]
  /** Whether `lifecycle.delete: delete` is possible. */
  readonly canDelete: boolean
  /** `['direct']` where the platform has no choice. */
  readonly modes: readonly string[]
  readonly grantKeys: ReadonlyMap<string, GrantKeyFact>
  /** False: grants that differ only in letter case are the same. Absent means true. */
  readonly grantsCaseExact?: boolean
  /** A grant has the keys of exactly one of these sets, for example `[['role'], ['rid']]`; keys of none of them come beside. */
  readonly grantForms: readonly (readonly string[])[]
  readonly exclusiveGrant?: ExclusiveGrantFact
  /** Whether a SCIM Group can be a group on the platform (`as: groups`), and how long its name may be. */
  readonly groups: { readonly maxNameLength: number } | undefined
  /** Default pace of a connection. */
  readonly pace: { readonly requestsPerSecond: number; readonly concurrency: number }
  /** Wrong credentials lock the service account: after a refusal nothing may try by itself. */
  readonly locksOnWrongCredentials: boolean
}

export type { Json, JsonObject }
