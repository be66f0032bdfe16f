/** Figshare's calls, one function each: request, wanted status, shape. Numbers of accounts come and go as text. */
import { Broken, Unknown } from '../../errors.ts'
import type { AccountId } from '../../facts.ts'
import { parseAnswer } from '../answer.ts'
import type { Client, PlatformAnswer, PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import {
  account,
  type FigshareAccount,
  type FigshareUser,
  institution,
  ownAccount,
  type ShortAccount,
  shortAccounts,
  user,
} from './answers.ts'
import { toError } from './refusals.ts'

const accounts = ['account', 'institution', 'accounts']

/** Rows of one page; at most 1,000 are allowed. */
const pageRows = 100
/** A filter that matches more rows than this is no filter. */
const maxPages = 20

export interface AccountFilter {
  readonly name: string
  readonly value: string
}

export interface AccountState {
  readonly group_id: number
  readonly is_active: boolean
}

/** Sends and expects one of `statuses`; everything else is thrown. */
export async function expect(
  client: Client,
  call: Call,
  request: PlatformRequest,
  statuses: readonly number[],
): Promise<PlatformAnswer> {
  const answer = await client.send(call, request)
  if (statuses.includes(answer.status) && !answer.isHtml) return answer
  throw toError(request, answer)
}

/** The token's own account. */
export async function readOwnId(client: Client, call: Call): Promise<AccountId> {
  const request: PlatformRequest = { method: 'GET', path: ['account'] }
  const answer = await expect(client, call, request, [200])
  return String(parseAnswer(ownAccount, request, answer).id)
}

export async function checkInstitution(client: Client, call: Call): Promise<void> {
  const request: PlatformRequest = { method: 'GET', path: ['account', 'institution'] }
  parseAnswer(institution, request, await expect(client, call, request, [200]))
}

/** One page, ascending by id, from `fromId` on. */
export async function listAccounts(
  client: Client,
  call: Call,
  fromId: number,
  rows: number,
  filters: readonly AccountFilter[] = [],
): Promise<readonly ShortAccount[]> {
  const request: PlatformRequest = {
    method: 'GET',
    path: accounts,
    query: [
      ...filters.map(({ name, value }): [string, string] => [name, value]),
      ...(fromId === 0 ? [] : [['id_gte', String(fromId)] as const]),
      // By page or offset Figshare ends at 9,000 records; by id it does not.
      ['limit', String(rows)],
    ],
  }
  const answer = await expect(client, call, request, [200])
  return parseAnswer(shortAccounts, request, answer)
}

/**
 * Every row that the filter lets through. What the filter means (exact, prefix, case) is undocumented: compare the rows. Pages have
 * been seen to miss rows: each begins with the last one seen, and only one that is far from full, or brings nothing new, is the last.
 */
export async function searchAccounts(client: Client, call: Call, filter: AccountFilter): Promise<ShortAccount[]> {
  const found = new Map<number, ShortAccount>()
  let lastId = 0
  for (let page = 0; page < maxPages; page += 1) {
    const rows = await listAccounts(client, call, lastId, pageRows, [filter])
    if (rows.some((row) => row.id < lastId)) throw new Broken('a search of accounts goes back: id_gte is ignored')
    const before = found.size
    for (const row of rows) found.set(row.id, row)
    if (rows.length < pageRows / 2 || found.size === before) return [...found.values()]
    lastId = Math.max(...found.keys())
  }
  throw new Broken(`GET /${accounts.join('/')}: the filter ${filter.name} lets through more than ${maxPages} pages`)
}

/** `undefined` on 404, which is also said when the token may not read the account. */
export async function readAccount(client: Client, call: Call, id: AccountId): Promise<FigshareAccount | undefined> {
  const request: PlatformRequest = { method: 'GET', path: [...accounts, id] }
  const answer = await expect(client, call, request, [200, 404])
  return answer.status === 404 ? undefined : parseAnswer(account, request, answer)
}

export async function readUser(client: Client, call: Call, id: AccountId): Promise<FigshareUser | undefined> {
  const request: PlatformRequest = { method: 'GET', path: ['account', 'institution', 'users', id] }
  const answer = await expect(client, call, request, [200, 404])
  return answer.status === 404 ? undefined : parseAnswer(user, request, answer)
}

/** Both fields are required; the one that is not to change must be what was read just before. Answers 205, no body. */
export async function putAccount(
  client: Client,
  call: Call,
  id: AccountId,
  state: AccountState,
): Promise<'done' | 'absent'> {
  const request: PlatformRequest = { method: 'PUT', path: [...accounts, id], body: state }
  const answer = await expect(client, call, request, [200, 202, 204, 205, 404])
  return answer.status === 404 ? 'absent' : 'done'
}

export async function putProfile(
  client: Client,
  call: Call,
  owner: AccountFilter,
  profile: Readonly<Record<string, string>>,
): Promise<void> {
  const request: PlatformRequest = {
    method: 'PUT',
    path: ['account', 'profile'],
    query: [[owner.name, owner.value]],
    body: profile,
  }
  const answer = await expect(client, call, request, [200, 204, 205, 404])
  // Not found or not allowed; whether anything happened is seen by reading.
  if (answer.status === 404) throw new Unknown('PUT /account/profile answered 404 for an account that was read')
}

export function postAccount(client: Client, call: Call, body: object): [PlatformRequest, Promise<PlatformAnswer>] {
  const request: PlatformRequest = { method: 'POST', path: accounts, body }
  return [request, client.send(call, request)]
}
