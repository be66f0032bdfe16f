/** One person or group: SCIM beside the account, grants, unfinished work, and what may be done. */
import type { Clock } from '../clock.ts'
import type { Grant } from '../facts.ts'
import type { JsonObject } from '../json.ts'
import { parseDocument } from '../provision/document.ts'
import { type ComparedAttribute, compareUser, explainUser } from '../provision/explain-user.ts'
import type { FreshAccount } from '../provision/read-account.ts'
import type { LedgerEntry, Membership } from '../store/grant-store.ts'
import type { AuditEntry, Link, Operation } from '../store/store.ts'
import type { OperatedConnection, OperatedStore } from './connection.ts'
import { cut } from './page.ts'
import { type FoundPerson, personOf } from './people-search.ts'
import { actionsFor, type PersonAction } from './person-actions.ts'

export interface Person {
  readonly id: string
  readonly isGroup: boolean
  /** Whether the identity provider sees the resource. */
  readonly isKnown: boolean
  readonly document: JsonObject
  readonly names: Omit<FoundPerson, 'id' | 'provisioning'>
  readonly link: Link | undefined
  readonly operation: Operation | undefined
  /** Empty for a group, and for somebody who was deleted. */
  readonly attributes: readonly ComparedAttribute[]
  readonly memberships: readonly Membership[]
  readonly grants: readonly PersonGrant[]
  readonly actions: readonly PersonAction[]
}

export interface PersonGrant {
  readonly grant: Grant | LedgerEntry['grant']
  /** `missing`: a membership asks for it, and the account does not hold it. */
  readonly origin: LedgerEntry['origin'] | 'missing'
}

/** Undefined: there is none with this id. A person who was deleted, or whose create is not done, has a link or an operation still. */
export async function readPerson(
  store: OperatedStore,
  { name, provision }: Pick<OperatedConnection, 'name' | 'provision'>,
  id: string,
): Promise<Person | undefined> {
  const [user, link, operation] = await Promise.all([
    store.getUser(name, id),
    store.getLink(name, id),
    store.getOperation(name, id),
  ])
  const group = user === undefined ? await store.getResource(name, 'Group', id) : undefined
  if ([user, group, link, operation].every((one) => one === undefined)) return undefined
  const document = parseDocument((user?.resource ?? group)?.json ?? '{}')
  const memberships = (await store.membershipsOf(name, [id])).get(id) ?? []
  const { connection } = provision
  return {
    id,
    isGroup: group !== undefined,
    isKnown: user !== undefined || group !== undefined,
    document,
    names: personOf(document),
    link,
    operation,
    attributes: user === undefined ? [] : compareUser(connection, document, link?.applied ?? {}),
    memberships,
    grants: grantsOf(link, user === undefined ? [] : explainUser(connection, document, memberships).grants),
    actions: actionsFor(link, operation, user !== undefined),
  }
}

/** The account as it is on the platform now, beside what is wanted; nothing of it is stored. */
export interface ReadAgain {
  readonly at: number
  readonly fresh: FreshAccount
  /** Empty where it could not be read. */
  readonly attributes: readonly ComparedAttribute[]
}

/** Undefined: there is no account to read. */
export async function readAgain(
  { provision }: Pick<OperatedConnection, 'provision'>,
  { link, document, attributes }: Pick<Person, 'link' | 'document' | 'attributes'>,
  clock: Clock,
): Promise<ReadAgain | undefined> {
  const accountId = accountOf(link)
  if (accountId === undefined) return undefined
  const fresh = await provision.readAccount(accountId)
  const at = clock.now()
  // Somebody who was deleted: nothing is wanted any more.
  if (fresh.kind !== 'read' || attributes.length === 0) return { at, fresh, attributes: [] }
  const held = Object.fromEntries(fresh.account.attributes)
  return { at, fresh, attributes: compareUser(provision.connection, document, held) }
}

/** The person's, or the one that an operator has let go. */
export function accountOf(link: Link | undefined): string | undefined {
  return link?.accountId ?? link?.unlinkedAccountId
}

export interface History {
  readonly lines: readonly (AuditEntry & { readonly id: number })[]
  /** Where the next page goes on; undefined: this is the end. */
  readonly before: number | undefined
}

/** A page of somebody's lines of the audit, newest first. */
export async function readHistory(
  store: OperatedStore,
  connection: string,
  id: string,
  before: number | undefined,
  limit: number,
): Promise<History> {
  const { rows, last } = cut(await store.historyOf(connection, id, before, limit + 1), limit)
  return { lines: rows, before: last?.id }
}

/** What the account holds for a membership, and what memberships ask for and it does not hold. */
function grantsOf(link: Link | undefined, wanted: readonly Grant[]): readonly PersonGrant[] {
  const held = (link?.grants ?? []).map(({ grant, origin }): PersonGrant => ({ grant, origin }))
  const known = new Set(held.map(({ grant }) => JSON.stringify(grant)))
  const missing = wanted.filter((grant) => !known.has(JSON.stringify(grant)))
  return [...held, ...missing.map((grant): PersonGrant => ({ grant, origin: 'missing' }))]
}
