/** What the identity provider sent and was answered, newest first. */
import type { KeptRequest } from '../store/console-store.ts'
import type { OperatedStore } from './connection.ts'
import { cut } from './page.ts'
import { searchPeople } from './people-search.ts'

/** Undefined: whatever. */
export interface RequestSearch {
  /** A name or an id of somebody; see `searchPeople`. */
  readonly person: string | undefined
  readonly requestId: string | undefined
  /** From and to, both included. */
  readonly statuses: readonly [number, number] | undefined
  /** Milliseconds since 1970, both included. */
  readonly from: number | undefined
  readonly to: number | undefined
}

/** A page, and where the next one goes on. */
export async function findRequests(
  store: OperatedStore,
  connection: string,
  { person, ...search }: RequestSearch,
  beforeId: number | undefined,
  limit: number,
): Promise<{
  readonly requests: readonly (KeptRequest & { readonly id: number })[]
  readonly next: number | undefined
}> {
  // Somebody who was deleted is known by the SCIM id only.
  const resourceIds = person === undefined ? undefined : [person, ...(await idsOf(store, connection, person))]
  const found = await store.requests(connection, { ...search, resourceIds, beforeId, limit: limit + 1 })
  const { rows, last } = cut(found, limit)
  return { requests: rows, next: last?.id }
}

async function idsOf(store: OperatedStore, connection: string, text: string): Promise<readonly string[]> {
  return (await searchPeople(store, connection, text)).people.map(({ id }) => id)
}
