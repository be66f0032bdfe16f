/** How resources are looked for: what indexes can answer, in which order, from where on. */
import type { ResourceType, StoredResource } from './store.ts'

/** What an index can answer; a filter's remaining parts are tested on the documents. */
export type IndexedCondition =
  | EqualCondition
  | { readonly attribute: 'active'; readonly equals: boolean }
  | TimeCondition
  | PrefixCondition
  /** At least one of them holds. An e-mail's type is not looked at. */
  | { readonly attribute: 'anyOf'; readonly of: readonly EqualCondition[] }

/** The value begins with this text, without regard to letter case where that does not count. */
export interface PrefixCondition {
  readonly attribute: 'prefix'
  readonly of: 'id' | 'userName' | 'externalId' | 'displayName'
  readonly startsWith: string
}

export interface TimeCondition {
  readonly attribute: 'created' | 'lastModified'
  readonly operator: 'ge' | 'gt' | 'le' | 'lt'
  readonly value: string
}

export type EqualCondition =
  | { readonly attribute: 'id' | 'userName' | 'externalId' | 'displayName'; readonly equals: string }
  | { readonly attribute: 'email'; readonly equals: string; readonly type?: string }
  | { readonly attribute: 'member'; readonly equals: string }

export interface ListQuery {
  readonly type: ResourceType
  readonly where?: IndexedCondition
  readonly order?: {
    readonly by: 'seq' | 'id' | 'userName' | 'displayName' | 'externalId' | 'created' | 'lastModified'
    readonly descending: boolean
  }
  /** Only with order by `seq` ascending: rows after this one. */
  readonly afterSeq?: number
  readonly offset?: number
  readonly limit: number
}

/** Users in the order of `seq`. */
export type UserListQuery = Pick<ListQuery, 'where' | 'afterSeq' | 'offset' | 'limit'>

export interface WalkQuery {
  readonly type: ResourceType
  readonly where?: IndexedCondition
  readonly order: NonNullable<ListQuery['order']>
  /** Rows beyond this place, in the direction of the order. Nothing needs to be there any more. */
  readonly from?: Place
  readonly limit: number
}

/** Where a row is in an order: the folded value it is ordered by (null: it has none), then `seq`. */
export interface Place {
  readonly key: string | null
  readonly seq: number
}

export interface PlacedResource {
  readonly resource: StoredResource
  readonly place: Place
}
