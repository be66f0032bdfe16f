/** What an operation of a PATCH does, with names resolved and values normalised; independent of the document. */
import type { Json } from '../json.ts'
import type { MemberChange } from '../provision/member-change.ts'
import type { AttributeDefinition, ExtensionSchema } from './attribute.ts'
import type { Filter } from './filter-tree.ts'
import type { Parts } from './value.ts'

/** An attribute of the core (no extension) or of an extension. */
export interface Place {
  readonly extension: ExtensionSchema | undefined
  readonly attribute: AttributeDefinition
}

export type PatchStep =
  /** One simple value; undefined clears. */
  | { readonly kind: 'set'; readonly place: Place; readonly value: Json | undefined }
  /** Sub-attributes of a complex value; those not given stay (RFC 7644 §3.5.2.3). */
  | { readonly kind: 'merge'; readonly place: Place; readonly parts: Parts }
  /** A whole list, instead of the old one or added to it. */
  | { readonly kind: 'list'; readonly place: Place; readonly isAdd: boolean; readonly values: readonly Json[] }
  /** Sub-attributes of those values of a list that pass the filter (all without one). `isWhole`: instead of the old value. */
  | {
      readonly kind: 'each'
      readonly place: Place
      readonly filter: Filter | undefined
      readonly isWhole: boolean
      readonly parts: Parts
    }
  | { readonly kind: 'clear'; readonly place: Place }
  /** Of a list: the values that pass the filter. */
  | { readonly kind: 'removeWhere'; readonly place: Place; readonly filter: Filter }
  /** Of a list: the values that the client names (Entra sends `Remove` with a value). */
  | { readonly kind: 'removeNamed'; readonly place: Place; readonly values: readonly Json[] }
  | { readonly kind: 'removeExtension'; readonly extension: ExtensionSchema }
  | { readonly kind: 'members'; readonly change: MemberChange }
  /** A read-only attribute in a value without path: tolerated when it is as it was (Okta renames groups so). */
  | { readonly kind: 'unchanged'; readonly attribute: AttributeDefinition; readonly value: Json }
