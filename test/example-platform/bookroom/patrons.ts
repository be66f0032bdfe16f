/** Bookroom's patrons as they are read, and what its refusals mean. */
import { z } from 'zod'
import { Broken, Conflict, type PlatformError, Refused } from '../../../src/errors.ts'
import type { Account, AccountId, Json } from '../../../src/facts.ts'
import { describeAnswer, parseAnswer, unexpectedAnswer } from '../../../src/platforms/answer.ts'
import type { Client, PlatformAnswer, PlatformRequest } from '../../../src/platforms/client.ts'
import type { Call } from '../../../src/platforms/platform.ts'

const patron = z.object({
  id: z.int().positive(),
  email: z.string(),
  name: z.string(),
  active: z.boolean(),
  roles: z.array(z.string()),
})
export type Patron = z.infer<typeof patron>
const page = z.object({ items: z.array(patron), next: z.int().positive().nullable() })
const refusal = z.object({ error: z.literal('invalid'), field: z.string() })

/** Sends, and gives back an answer of the API with one of these statuses; a proxy's page is none. */
export async function ask(
  client: Client,
  call: Call,
  request: PlatformRequest,
  statuses: readonly number[],
): Promise<PlatformAnswer> {
  const answer = await client.send(call, request)
  if (statuses.includes(answer.status) && answer.json !== undefined) return answer
  throw toError(request, answer)
}

/** Bookroom answers a taken address as it answers a bad one, and ours are well formed: taken is what we suspect. */
function toError(request: PlatformRequest, answer: PlatformAnswer): PlatformError {
  const said = refusal.safeParse(answer.json)
  if (answer.status !== 400 || !said.success) return unexpectedAnswer(request, answer)
  const detail = describeAnswer(request, answer)
  if (said.data.field === 'email')
    return new Conflict('Another Bookroom patron already has this e-mail address; change one of the two.', detail)
  return new Refused('Bookroom refuses a value or a role; correct the mapping, or add the role in Bookroom.', detail)
}

export async function readPatron(client: Client, call: Call, id: AccountId): Promise<Patron | undefined> {
  const request: PlatformRequest = { method: 'GET', path: ['patrons', id] }
  const answer = await ask(client, call, request, [200, 404])
  return answer.status === 404 ? undefined : parseAnswer(patron, request, answer)
}

/** Rows ascend by id, and a page goes on after the last one: nobody is listed twice. */
export async function readPage(client: Client, call: Call, after: string | undefined, email?: string) {
  const query = [...(email === undefined ? [] : [['email', email] as const]), ['after', after ?? '0'] as const]
  const request: PlatformRequest = { method: 'GET', path: ['patrons'], query }
  const { items, next } = parseAnswer(page, request, await ask(client, call, request, [200]))
  if (next !== null && next <= Number(after ?? 0)) throw new Broken('GET /patrons does not come to an end')
  return { accounts: items.map(toAccount), next: next === null ? undefined : String(next) }
}

export function toAccount({ id, roles, ...values }: Patron): Account {
  const account = { id: String(id), attributes: new Map<string, Json>(Object.entries(values)) }
  return roles.includes('admin') ? { ...account, protectedBecause: 'it administers Bookroom' } : account
}
