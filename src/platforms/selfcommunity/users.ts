/** Reading users. `user/{id}/` has neither e-mail nor status; `account/search/` has both and finds exactly one. */
import { Absent, Broken, Fault, Immutable, type PlatformError } from '../../errors.ts'
import type { Account, AccountId } from '../../facts.ts'
import { parseAnswer, unexpectedAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import type { SeenAccounts } from '../seen-accounts.ts'
import { toAccount } from './accounts.ts'
import { me, type User, user, userPage } from './answers.ts'
import { pageQuery, pageSize, pages } from './pages.ts'
import { saysNone } from './refusals.ts'
import type { Caller } from './tokens.ts'

const elevatedRoles: ReadonlySet<string> = new Set(['admin', 'moderator'])

/** The one account that SelfCommunity finds, hard-deleted ones excepted. */
async function search(caller: Caller, call: Call, attribute: string, value: string): Promise<User | undefined> {
  const query: [string, string][] = [[attribute, value]]
  // Without its provider an ext_id is refused, or means something else.
  if (attribute === 'ext_id') query.push(['provider', 'external'])
  const request: PlatformRequest = { method: 'GET', path: ['api', 'v2', 'account', 'search'], query }
  const answer = await caller.asService(call, request)
  if (saysNone(answer)) return undefined
  if (answer.status !== 200) throw unexpectedAnswer(request, answer)
  const found = parseAnswer(user, request, answer)
  return found.status === 'u' ? undefined : found
}

export async function findUsers(caller: Caller, call: Call, attribute: string, value: string): Promise<Account[]> {
  if (attribute !== 'ext_id' && attribute !== 'email' && attribute !== 'username')
    throw new Fault(`selfcommunity cannot find accounts by ${attribute}`)
  // An empty parameter counts as none, which is refused.
  const found = value === '' ? undefined : await search(caller, call, attribute, value)
  if (found === undefined) return []
  const has = found[attribute]
  const isMeant = attribute === 'email' ? has?.toLowerCase() === value.toLowerCase() : has === value
  if (!isMeant) return []
  const account = toAccount(found, undefined, caller.serviceUserId)
  if (!account.attributes.has('status')) throw new Broken(`account/search/ shows no status of account ${account.id}`)
  return [await withRole(caller, call, account)]
}

/** Whether the account is found by this ext_id. That it shows what it was given later is not documented. */
export async function isLinkedBy(caller: Caller, call: Call, extId: string, id: AccountId): Promise<boolean> {
  const found = await search(caller, call, 'ext_id', extId)
  return found !== undefined && String(found.id) === id
}

/** SelfCommunity shows a role only to its owner: asked for accounts that are about to be linked or written. */
export async function withRole(caller: Caller, call: Call, account: Account): Promise<Account> {
  return account.protectedBecause === undefined ? inRole(account, await readRole(caller, call, account.id)) : account
}

export function inRole(account: Account, role: string | undefined): Account {
  if (role === undefined || !elevatedRoles.has(role)) return account
  return { ...account, protectedBecause: `it has the role ${role}` }
}

/** Empty when the person has none; `undefined` when it cannot be read (a blocked person's token may be refused). */
export async function readRole(caller: Caller, call: Call, id: AccountId): Promise<string | undefined> {
  const request: PlatformRequest = { method: 'GET', path: ['api', 'v2', 'user', 'me'] }
  const answer = await caller.asPerson(call, Number(id), request)
  if (answer.status === 401 || answer.status === 403 || saysNone(answer)) return undefined
  if (answer.status !== 200) throw unexpectedAnswer(request, answer)
  const person = parseAnswer(me, request, answer)
  if (String(person.id) !== id) throw new Broken(`user/me/ answered with another account than ${id}`)
  return person.role ?? ''
}

export async function readUser(caller: Caller, call: Call, id: AccountId): Promise<Account | undefined> {
  if (!/^[1-9]\d{0,14}$/.test(id)) return undefined
  const request: PlatformRequest = { method: 'GET', path: ['api', 'v2', 'user', id] }
  const answer = await caller.asService(call, request)
  if (saysNone(answer)) return readDeleted(caller, call, id)
  if (answer.status !== 200) throw unexpectedAnswer(request, answer)
  const profile = parseAnswer(user, request, answer)
  const found = await search(caller, call, 'username', profile.username)
  if (found === undefined) return readDeleted(caller, call, id)
  if (String(found.id) !== id) throw new Broken(`account/search/ answered with another account than ${id}`)
  // The profile first: only it is sure to have the community's own fields.
  const account = toAccount({ ...profile, ...found }, undefined, caller.serviceUserId)
  if (!account.attributes.has('status')) throw new Broken(`account/search/ shows no status of account ${id}`)
  return account
}

/** Soft-deleted accounts may be hidden everywhere but here. Not here either: the account is gone for certain. */
async function readDeleted(caller: Caller, call: Call, id: AccountId): Promise<Account | undefined> {
  const path = ['api', 'v2', 'moderation', 'user']
  for await (const rows of pages(caller, call, path, [['status', 'd']], userPage)) {
    const row = rows.find((candidate) => String(candidate.id) === id)
    if (row !== undefined) return toAccount(row, 'd', caller.serviceUserId)
  }
  return undefined
}

/** Why what an account holds is not shown; undefined when the account is no reason. What hides a soft-deleted one may hide that, too. */
export async function whyNotShown(
  caller: Caller,
  call: Call,
  id: AccountId,
  what: 'tags' | 'groups',
): Promise<PlatformError | undefined> {
  const account = await readUser(caller, call, id)
  if (account === undefined) return new Absent(`account ${id} has no ${what} because it is gone`)
  if (account.attributes.get('status') !== 'd') return undefined
  return new Immutable(
    `SelfCommunity does not show the ${what} of a deleted account.`,
    `the ${what} of account ${id} are not shown: it is deleted`,
  )
}

/** Whether the block ends by itself; only the list for moderation tells. */
export async function isBlockedForDays(caller: Caller, call: Call, { id, attributes }: Account): Promise<boolean> {
  const username = attributes.get('username')
  const query: [string, string][] = [
    ['status', 'b'],
    ['days_blocked', 'days'],
    ...(typeof username === 'string' ? [['search', username] as [string, string]] : []),
  ]
  for await (const rows of pages(caller, call, ['api', 'v2', 'moderation', 'user'], query, userPage)) {
    const row = rows.find((candidate) => String(candidate.id) === id)
    if (row !== undefined) return typeof row.expire_at === 'string'
  }
  return false
}

const walkedStatuses = ['a', 'b', 'd'] as const

/** Rows move up when somebody's status changes between pages: so often are the pages of one status walked. */
const maxPasses = 3

/**
 * One page of the walk over all accounts: active ones, then blocked, then soft-deleted. A cursor is
 * `<walk>.<status>.<pass>.<offset>.<number of people when the pass began>`; statuses are numbered.
 */
export async function listUsers(caller: Caller, call: Call, seen: SeenAccounts, cursor: string | undefined) {
  const [walk = 0, at = 0, pass = 1, offset = 0, before] = cursor?.split('.').map(Number) ?? [seen.begin()]
  const status = walkedStatuses[at] ?? 'a'
  const request: PlatformRequest = {
    method: 'GET',
    path: ['api', 'v2', 'moderation', 'user'],
    // Newcomers at the end: they must not push anybody over to a page already seen.
    query: [['status', status], ['order_by', 'date_joined'], ...pageQuery(offset, pageSize)],
  }
  const answer = await caller.asService(call, request)
  if (answer.status !== 200) throw unexpectedAnswer(request, answer)
  const page = parseAnswer(userPage, request, answer)
  const rows = seen.fresh(
    walk,
    page.results.map((row) => ({ id: String(row.id), row })),
  )
  const accounts: Account[] = []
  for (const { row } of rows) {
    const account = await completed(caller, call, row, status)
    if (account !== undefined) accounts.push(account)
  }
  const total = before ?? page.count
  const reached = offset + page.results.length
  if (page.results.length > 0 && reached < page.count)
    return { accounts, next: `${walk}.${at}.${pass}.${reached}.${total}` }
  if (offset > 0 && page.count !== total && pass < maxPasses) return { accounts, next: `${walk}.${at}.${pass + 1}.0` }
  return { accounts, next: at + 1 < walkedStatuses.length ? `${walk}.${at + 1}` : undefined }
}

/** Whether rows carry the e-mail is not documented. Where they do not, the account is searched. */
async function completed(caller: Caller, call: Call, row: User, status: string): Promise<Account | undefined> {
  if (row.status === 'u') return undefined
  if (row.email !== undefined) return toAccount(row, status, caller.serviceUserId)
  const found = await search(caller, call, 'username', row.username)
  return toAccount(found?.id === row.id ? { ...row, ...found } : row, status, caller.serviceUserId)
}
