/** Reading EPersons. */
import { Broken, Fault } from '../../errors.ts'
import type { Account, AccountId } from '../../facts.ts'
import { parseAnswer } from '../answer.ts'
import type { PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import type { SeenAccounts } from '../seen-accounts.ts'
import { toAccount } from './accounts.ts'
import { type EPerson, eperson, epersonPage } from './answers.ts'
import { groupsOf } from './groups.ts'
import { toError } from './refusals.ts'
import type { Session } from './session.ts'

const pageSize = 100
/** Rows move up when somebody before them is deleted during a walk: so often is it repeated. */
const maxPasses = 3
const embedGroups = [
  ['embed', 'groups'],
  ['embed.size', 'groups=100'],
] as const

export interface Reader {
  readonly session: Session
  /** E-mail of the service account. */
  readonly ownEmail: string
  readonly managesAdministrators: boolean
}

export async function readPerson(reader: Reader, call: Call, id: AccountId): Promise<Account | undefined> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return undefined
  const request: PlatformRequest = { method: 'GET', path: ['api', 'eperson', 'epersons', id], query: embedGroups }
  const answer = await reader.session.send(call, request)
  if (answer.status === 404 && !answer.isHtml && answer.json !== undefined) return undefined
  if (answer.status !== 200) throw toError(request, answer)
  const person = parseAnswer(eperson, request, answer)
  if (person.uuid.toLowerCase() !== id.toLowerCase())
    throw new Broken(`account ${id} was asked for, another one answered`)
  return withGroups(reader, call, person)
}

/** Groups decide whether an account is protected. Mostly they come with the EPerson; many, or none embedded, cost a call. */
async function withGroups(reader: Reader, call: Call, person: EPerson): Promise<Account | undefined> {
  const { ownEmail: email, managesAdministrators } = reader
  const own = { id: reader.session.ownId, email, managesAdministrators }
  const embedded = person._embedded?.groups
  const rows = embedded?._embedded?.groups ?? []
  const isWhole = embedded !== undefined && embedded !== null && rows.length >= embedded.page.totalElements
  const groups = isWhole ? rows : await groupsOf(reader.session, call, person.uuid)
  if (groups === undefined) return undefined
  const names = groups.flatMap(({ name }) => (name ? [name] : []))
  return toAccount(person, names, own)
}

export async function findPeople(reader: Reader, call: Call, attribute: string, value: string): Promise<Account[]> {
  if (attribute !== 'email') throw new Fault(`dspace cannot find accounts by ${attribute}`)
  const path = ['api', 'eperson', 'epersons', 'search', 'byEmail']
  const request: PlatformRequest = { method: 'GET', path, query: [['email', value]] }
  const answer = await reader.session.send(call, request)
  if (answer.status === 204) return []
  if (answer.status !== 200) throw toError(request, answer)
  const person = parseAnswer(eperson, request, answer)
  if (person.email?.toLowerCase() !== value.toLowerCase()) return []
  const account = await readPerson(reader, call, person.uuid)
  return account === undefined ? [] : [account]
}

async function pageOf(reader: Reader, call: Call, number: number, query: readonly (readonly [string, string])[]) {
  const paging = [
    ['page', String(number)],
    ['size', String(pageSize)],
  ] as const
  const request: PlatformRequest = { method: 'GET', path: ['api', 'eperson', 'epersons'], query: [...paging, ...query] }
  const answer = await reader.session.send(call, request)
  if (answer.status !== 200) throw toError(request, answer)
  const { page, _embedded } = parseAnswer(epersonPage, request, answer)
  return { page, people: _embedded?.epersons ?? [] }
}

/** One page of the walk over all accounts. A cursor is `<walk>.<pass>.<page>.<number of people when the pass began>`. */
export async function listPeople(reader: Reader, call: Call, seen: SeenAccounts, cursor: string | undefined) {
  const [walk = 0, pass = 1, number = 0, before] = cursor?.split('.').map(Number) ?? [seen.begin()]
  const { page, people } = await pageOf(reader, call, number, embedGroups)
  const total = before ?? page.totalElements
  const rows = seen.fresh(
    walk,
    people.map((person) => ({ id: person.uuid, person })),
  )
  const accounts: Account[] = []
  for (const { person } of rows) {
    const account = await withGroups(reader, call, person)
    if (account !== undefined) accounts.push(account)
  }
  if (number + 1 < page.totalPages) return { accounts, next: `${walk}.${pass}.${number + 1}.${total}` }
  const hasChanged = page.totalElements !== total || (seen.count(walk) ?? total) < total
  const isDoubtful = number > 0 && hasChanged && pass < maxPasses
  return { accounts, next: isDoubtful ? `${walk}.${pass + 1}.0` : undefined }
}

/** DSpace cannot search by netid: everybody is asked. Only to tell why a write failed, for which DSpace gives no reason. */
export async function isNetidTaken(reader: Reader, call: Call, netid: string, exceptId?: AccountId): Promise<boolean> {
  for (let number = 0; ; number++) {
    const { page, people } = await pageOf(reader, call, number, [])
    if (people.some((person) => person.netid === netid && person.uuid !== exceptId)) return true
    if (number + 1 >= page.totalPages) return false
  }
}
