/** Reading users: one by id, those of a log-in name, and a walk over all. */
import { Broken } from '../../errors.ts'
import type { Account, AccountId } from '../../facts.ts'
import { parseAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import type { SeenAccounts } from '../seen-accounts.ts'
import { toAccount } from './accounts.ts'
import { count, type UserRow, user, userRows } from './answers.ts'
import { saysGone, toError } from './refusals.ts'
import type { SignedIn } from './sign-in.ts'

const pageSize = 100
/** Each row of a walk costs a request of its own: rows lack phone, address, time zone and whether it is an API user. */
const walkPageSize = 50
/** 100,000 accounts with one log-in name's letters: beyond, the server repeats itself. */
const maxPages = 1_000
/** Rows are missed when people with equal names change places, or somebody is deleted, between pages: so often is a walk repeated. */
const maxPasses = 3

type Query = readonly (readonly [string, string])[]

export async function readUser(signedIn: SignedIn, call: Call, id: AccountId): Promise<Account | undefined> {
  // Ids are numbers; OpenSpecimen would call anything else a malformed request.
  if (!/^\d{1,18}$/.test(id)) return undefined
  const request: PlatformRequest = { method: 'GET', path: ['users', id] }
  const answer = await signedIn.send(call, request)
  if (saysGone(answer)) return undefined
  if (answer.status !== 200) throw toError(request, answer)
  const found = parseAnswer(user, request, answer)
  if (String(found.id) !== id) throw new Broken(`GET /users/${id} answered with another account`)
  return found.activityStatus === 'Disabled' ? undefined : toAccount(found, signedIn.ownId)
}

/** Accounts whose log-in name is `loginName` ignoring case, in that domain, or in all domains when none is given. */
export async function findByLoginName(
  signedIn: SignedIn,
  call: Call,
  loginName: string,
  domainName: string | undefined,
): Promise<readonly Account[]> {
  const query: [string, string][] = [['activityStatus', 'all']]
  const letters = longestPlainRun(loginName)
  if (letters !== '') query.push(['loginName', letters])
  if (domainName !== undefined) query.push(['domainName', domainName])
  const ids = new Set<string>()
  for (const row of await allRows(signedIn, call, query)) {
    const isMeant = row.loginName?.toLowerCase() === loginName.toLowerCase()
    if (isMeant && (domainName === undefined || row.domain === domainName)) ids.add(String(row.id))
  }
  const accounts: Account[] = []
  for (const id of ids) {
    const account = await readUser(signedIn, call, id)
    if (account !== undefined) accounts.push(account)
  }
  return accounts
}

/** OpenSpecimen searches by LIKE and leaves `%`, `_` and `\` alive: only what has none of them narrows the search. */
export function longestPlainRun(text: string): string {
  return text.split(/[%_\\]/).reduce((longest, run) => (run.length > longest.length ? run : longest), '')
}

async function allRows(signedIn: SignedIn, call: Call, query: Query): Promise<readonly UserRow[]> {
  const rows = new Map<number, UserRow>()
  for (let pass = 1; pass <= maxPasses; pass++) {
    let start = 0
    for (let pages = 1; ; pages++) {
      const page = await rowsFrom(signedIn, call, query, start, pageSize)
      for (const row of page) rows.set(row.id, row)
      start += page.length
      if (page.length < pageSize) break
      if (pages >= maxPages) throw new Broken('GET /users does not come to an end')
    }
    // One short page cannot have missed anybody.
    if (start < pageSize || rows.size >= (await countRows(signedIn, call, query))) return [...rows.values()]
  }
  throw new Broken(`GET /users listed fewer accounts than /users/count says, ${maxPasses} times`)
}

async function rowsFrom(signedIn: SignedIn, call: Call, query: Query, start: number, size: number) {
  const paging: Query = [
    ['start', String(start)],
    ['maxResults', String(size)],
  ]
  const request: PlatformRequest = { method: 'GET', path: ['users'], query: [...query, ...paging] }
  const answer = await signedIn.send(call, request)
  if (answer.status !== 200) throw toError(request, answer)
  return parseAnswer(userRows, request, answer)
}

async function countRows(signedIn: SignedIn, call: Call, query: Query): Promise<number> {
  const request: PlatformRequest = { method: 'GET', path: ['users', 'count'], query }
  const answer = await signedIn.send(call, request)
  if (answer.status !== 200) throw toError(request, answer)
  return parseAnswer(count, request, answer).count
}

/** One page of the walk over all accounts. A cursor is `<walk>.<pass>.<start>.<number of users when the pass began>`. */
export async function listUsers(signedIn: SignedIn, call: Call, seen: SeenAccounts, cursor: string | undefined) {
  const [walk = 0, pass = 1, start = 0, before] = cursor?.split('.').map(Number) ?? [seen.begin()]
  const everybody: Query = [['activityStatus', 'all']]
  const rows = await rowsFrom(signedIn, call, everybody, start, walkPageSize)
  const isLast = rows.length < walkPageSize
  const total = before ?? (isLast ? 0 : await countRows(signedIn, call, everybody))
  const accounts: Account[] = []
  for (const { id } of seen.fresh(
    walk,
    rows.map((row) => ({ id: String(row.id) })),
  )) {
    const account = await readUser(signedIn, call, id)
    if (account !== undefined) accounts.push(account)
  }
  if (!isLast) return { accounts, next: `${walk}.${pass}.${start + rows.length}.${total}` }
  if (start === 0 || pass >= maxPasses) return { accounts, next: undefined }
  const isDoubtful = (seen.count(walk) ?? total) < total || (await countRows(signedIn, call, everybody)) !== total
  return { accounts, next: isDoubtful ? `${walk}.${pass + 1}.0` : undefined }
}
