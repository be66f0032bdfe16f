/** A loaded mapping file, checked and compiled. Made only by `loadMapping`; everything in it is immutable. */
import type { AccountId, AttributeFact, Attributes, Grant, Json } from '../facts.ts'

/** A compiled SCIM path of the subset that mappings use, for example `emails[type eq "work"].value`. */
export interface Path {
  readonly text: string
  /** Canonical names from the root, extension URN first when there is one. */
  readonly steps: readonly PathStep[]
  /** Of the values that it finds. Undefined: something whole, or of a schema that is not known here. */
  readonly type: ValueType | undefined
}
export type ValueType = 'string' | 'boolean' | 'number'
export type PathStep =
  /** `key` is the name in lower case: resources are read without regard to case. */
  | { readonly kind: 'name'; readonly name: string; readonly key: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'filter'; readonly name: string; readonly key: string; readonly equals: string | number | boolean }

export type Test =
  | { readonly path: Path; readonly kind: 'equals'; readonly value: Json }
  | { readonly path: Path; readonly kind: 'one_of'; readonly values: readonly Json[] }
  | { readonly path: Path; readonly kind: 'present'; readonly value: boolean }
  | { readonly path: Path; readonly kind: 'starts_with' | 'ends_with'; readonly value: string }

export type Source =
  | { readonly kind: 'from'; readonly paths: readonly Path[] }
  | { readonly kind: 'const'; readonly value: Json }
  | { readonly kind: 'join'; readonly parts: readonly ({ readonly path: Path } | { readonly text: string })[] }
  | {
      readonly kind: 'when'
      readonly branches: readonly { readonly if: Test; readonly value: Json }[]
      readonly else: Json | undefined
    }

export interface Rule {
  readonly attribute: string
  readonly fact: AttributeFact
  readonly source: Source
  readonly transforms: readonly CompiledTransform[]
  readonly table: Table | undefined
  readonly default: Json | undefined
  readonly required: boolean
  readonly write: 'always' | 'create' | 'if_empty' | 'never'
  readonly onChange: 'apply' | 'refuse' | 'keep'
  readonly empty: 'clear' | 'keep'
  /** SCIM paths that are filled when reading back; empty for `read: never`. */
  readonly read: readonly Path[]
  readonly describe: string | undefined
}

export interface CompiledTransform {
  readonly name: string
  readonly kind: 'same' | 'back' | 'lossy'
  /** Undefined: not a value that it takes. `null`: no value. */
  run(value: Json, scim: ScimLookup): Json | undefined
  /** Only `same` and `back`. Undefined: the value is outside the image. */
  back?(value: Json): Json | undefined
}
/** Reads another SCIM path of the same resource (`unique_suffix` needs one). */
export type ScimLookup = (path: Path) => Json | undefined

export interface Table {
  readonly name: string
  readonly values: ReadonlyMap<string, Json>
  readonly unknown: 'refuse' | 'omit' | 'pass'
  /** Only when the values are unique. */
  readonly inverse: ReadonlyMap<Json, string> | undefined
}

export interface Lifecycle {
  readonly deactivate: Attributes
  readonly reactivate: Attributes
  /** Attribute → values that mean "on". Undefined: on is whatever is not exactly `deactivate`. */
  readonly activeWhen: ReadonlyMap<string, readonly Json[]> | undefined
  readonly delete: 'deactivate' | 'delete' | 'refuse'
  readonly revokeOnDeactivate: boolean
}

export interface ProtectTest {
  readonly attribute: string
  readonly kind: 'equals' | 'one_of' | 'starts_with' | 'ends_with' | 'contains' | 'present'
  readonly value: Json
}

export interface GroupsPolicy {
  readonly as: 'none' | 'grants' | 'groups'
  readonly match: 'displayName' | 'externalId'
  /** Group (by `match`, exact) → grants. */
  readonly grants: ReadonlyMap<string, readonly Grant[]>
  /** Every different grant of the file → its place in it. A grant given by several groups is one and the same object. */
  readonly listed: ReadonlyMap<Grant, number>
  /** Those of `listed` of which an account has one at a time: of several wanted ones only the first of the file counts. */
  readonly exclusive: ReadonlySet<Grant>
  readonly manage: 'granted' | 'listed'
  readonly unmatched: 'ignore' | 'refuse'
  readonly adopt: 'by_name' | 'never'
  readonly create: boolean
  readonly rename: 'apply' | 'refuse'
  readonly delete: 'release' | 'delete'
  readonly protect: readonly string[]
}

export interface Mapping {
  readonly platform: string
  readonly describe: string | undefined
  readonly mode: string
  readonly match: readonly string[]
  readonly distinct: readonly string[]
  readonly lifecycle: Lifecycle
  readonly protect: readonly ProtectTest[]
  readonly rules: ReadonlyMap<string, Rule>
  readonly groups: GroupsPolicy
}

/** Why a resource cannot be expressed on the platform. `message` starts with `user.attributes.<name>: `. */
export interface Refusal {
  readonly attribute: string
  /** The SCIM attribute to change, where there is one. */
  readonly scimPath: string | undefined
  readonly kind: 'invalidValue' | 'mutability'
  readonly message: string
}

/** What SCIM asks for, in platform terms. */
export interface Wanted {
  /** Every attribute that has a rule (absent value: not in the map), and the status attributes for `active`. */
  readonly attributes: Attributes
  readonly active: boolean
  /** Empty when the resource can be expressed whole. */
  readonly refusals: readonly Refusal[]
  /**
   * What refuses a *new* account beside them: values that the platform requires and that `empty: keep` leaves to an existing one,
   * and those of `write: create` that the platform does not take.
   */
  readonly createRefusals: readonly Refusal[]
}

/** The difference between what is wanted and an account as read. */
export interface Comparison {
  /** What an update writes; status attributes first when they switch on or off. */
  readonly changes: ReadonlyMap<string, Json>
  /** Attributes that differ and stay as they are (`keep`). */
  readonly drift: readonly string[]
  /** Differences that the mapping or the platform refuses (`on_change: refuse`). */
  readonly refusals: readonly Refusal[]
}

export type { AccountId, Attributes, Grant, Json }
