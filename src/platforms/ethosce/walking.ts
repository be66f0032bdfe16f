import type { Account } from '../../facts.ts'
import type { Call } from '../platform.ts'
import type { SeenAccounts } from '../seen-accounts.ts'
import type { People } from './people.ts'
import type { Person } from './person.ts'

/** Rows move up when somebody before them is deleted during a walk: so often is it repeated. */
const maxPasses = 3

/** One page of the walk over all accounts. A cursor is `<walk>.<pass>.<page>.<number of people when the pass began>`. */
export async function listPeople(
  people: People,
  toAccount: (person: Person) => Account,
  call: Call,
  seen: SeenAccounts,
  cursor: string | undefined,
): Promise<{ accounts: readonly Account[]; next: string | undefined }> {
  const [walk = 0, pass = 1, number = 0, before] = cursor?.split('.').map(Number) ?? [seen.begin()]
  const page = await people.page(call, number)
  const isLast = page === undefined || page.isLast
  // One page cannot have missed anybody.
  if (isLast && number === 0) return { accounts: (page?.people ?? []).map(toAccount), next: undefined }
  const total = before ?? (await people.count(call)) ?? 0
  const accounts = seen.fresh(walk, (page?.people ?? []).map(toAccount))
  if (!isLast) return { accounts, next: `${walk}.${pass}.${number + 1}.${total}` }
  const now = (await people.count(call)) ?? 0
  const given = seen.count(walk)
  // Newcomers stand at the end, where this walk meets them.
  const mayMiss = given === undefined ? now !== total : now < total || given < now
  const isDoubtful = total > 0 && mayMiss && pass < maxPasses
  return { accounts, next: isDoubtful ? `${walk}.${pass + 1}.0` : undefined }
}
