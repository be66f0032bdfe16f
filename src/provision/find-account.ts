import { Busy, Conflict, Disputed } from '../errors.ts'
import type { Account, AccountId, Attributes } from '../facts.ts'
import type { JsonObject } from '../json.ts'
import { protectedBecause } from '../mapping/evaluate.ts'
import type { Call } from '../platforms/platform.ts'
import type { Link, Operation } from '../store/store.ts'
import type { ProvisionedConnection } from './connection.ts'
import type { GrantSituation } from './reach-grants.ts'

/** What one attempt starts from. */
export interface Situation {
  readonly connection: ProvisionedConnection
  readonly document: JsonObject
  readonly link: Link
  readonly operation: Operation
  readonly now: number
  isLinkedElsewhere(id: AccountId): Promise<boolean>
  /** Whether another user who has the account is to get other values than this one wants, and has not got them yet. */
  isMovingAway(id: AccountId): Promise<boolean>
  readonly grants: GrantSituation
  /** Whether what is written from now on makes an account; taking one over does not. */
  noteMaking(isMaking: boolean): void
  /** Makes durable how many invitations have gone out, and when the last one. */
  noteInvitations(count: number, lastAt: string | undefined): Promise<void>
}

/** Changes of other people are looked at again so soon. */
const movingRetryMs = 5_000

/** What a look-up needs of a situation; a plan has no operation. */
export type FindSituation = Pick<Situation, 'connection' | 'isLinkedElsewhere'> &
  Partial<Pick<Situation, 'isMovingAway'>>

/** Exactly one account that is ours to take, or none. Never "the first of several". */
export async function findAccount(
  call: Call,
  situation: FindSituation,
  wanted: Attributes,
): Promise<Account | undefined> {
  const { connection } = situation
  const hits = await findBy(call, connection, connection.mapping.match, wanted)
  if (hits.size > 1) {
    throw new Disputed(
      `More than one ${connection.facts.title} account fits this user (by ${connection.mapping.match.join(', ')}); an administrator of ${connection.facts.title} has to merge or correct them.`,
      `${connection.name}: ${hits.size} accounts match: ${[...hits.keys()].join(', ')}`,
    )
  }
  const [account] = hits.values()
  const others = await findBy(call, connection, connection.mapping.distinct, wanted)
  for (const id of others.keys()) {
    if (id === account?.id) continue
    throw new Conflict(
      `Another ${connection.facts.title} account already has this ${connection.mapping.distinct.join(' or ')}; change the value, or remove that account.`,
      `${connection.name}: a distinct attribute is held by account ${id}`,
    )
  }
  if (account === undefined) return undefined
  if (await situation.isMovingAway?.(account.id))
    throw new Busy(`${connection.name}: account ${account.id} fits until its user has other values`, {
      retryAfterMs: movingRetryMs,
    })
  const conflict = await whyNotOurs(situation, account, wanted)
  if (conflict !== undefined)
    throw new Conflict(conflict, `${connection.name}: account ${account.id} may not be adopted`)
  return account
}

async function findBy(
  call: Call,
  connection: ProvisionedConnection,
  attributes: readonly string[],
  wanted: Attributes,
): Promise<Map<AccountId, Account>> {
  const hits = new Map<AccountId, Account>()
  for (const attribute of attributes) {
    const value = wanted.get(attribute)
    if ((typeof value !== 'string' && typeof value !== 'number') || value === '') continue
    for (const account of await connection.platform.find(call, attribute, String(value), wanted))
      hits.set(account.id, account)
  }
  return hits
}

async function whyNotOurs(situation: FindSituation, account: Account, wanted: Attributes): Promise<string | undefined> {
  const { connection } = situation
  const { title } = connection.facts
  if (await situation.isLinkedElsewhere(account.id)) {
    return `The ${title} account that fits this user belongs to another user of this connection.`
  }
  const protection = account.protectedBecause ?? protectedBecause(connection.mapping, account.attributes)
  if (protection !== undefined)
    return `The ${title} account that fits this user is protected (${protection}) and is never taken over.`
  return connection.platform.refuseAdoption?.(account, wanted)
}
