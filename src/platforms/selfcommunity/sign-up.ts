/** Making an account, the only moment at which ext_id, username, role and avatar can be given. */
import { Broken, Conflict, type PlatformError, Refused } from '../../errors.ts'
import type { AccountId, Attributes } from '../../facts.ts'
import { describeAnswer, parseAnswer, unexpectedAnswer } from '../answer.ts'
import type { PlatformAnswer, PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import { signedUp } from './answers.ts'
import { fieldErrors, namesOf } from './refusals.ts'
import type { Caller } from './tokens.ts'
import { findUsers } from './users.ts'

const members = ['username', 'ext_id', 'email', 'real_name', 'role', 'avatar'] as const
const uniqueMembers = ['ext_id', 'email', 'username'] as const
/** Codes that the official SDK's texts know for "taken". */
const takenCodes: ReadonlySet<string> = new Set(['unique', 'exist', 'exists'])

export async function signUp(caller: Caller, call: Call, attributes: Attributes): Promise<AccountId> {
  const body = Object.fromEntries(
    members.flatMap((name) => (attributes.has(name) ? [[name, attributes.get(name)]] : [])),
  )
  const request: PlatformRequest = { method: 'POST', path: ['api', 'v2', 'sso', 'signup'], body }
  const answer = await caller.asService(call, request)
  // The documentation says 201 in its table and 200 in its example.
  if (answer.status === 201 || answer.status === 200) return String(parseAnswer(signedUp, request, answer).id)
  if (answer.status !== 400) throw unexpectedAnswer(request, answer)
  throw await whyRefused(caller, call, attributes, request, answer)
}

/** No status and no code says for certain that a value is taken: so the accounts themselves are asked. */
async function whyRefused(
  caller: Caller,
  call: Call,
  attributes: Attributes,
  request: PlatformRequest,
  answer: PlatformAnswer,
): Promise<PlatformError> {
  const detail = describeAnswer(request, answer)
  if (answer.isHtml) return new Broken(detail)
  for (const name of uniqueMembers) {
    const value = attributes.get(name)
    if (typeof value !== 'string') continue
    if ((await findUsers(caller, call, name, value)).length > 0) return taken(name, detail)
  }
  const errors = fieldErrors(answer)
  const reserved = errors.find((error) => error.codes.some((code) => takenCodes.has(code)))
  const name = uniqueMembers.find((member) => member === reserved?.field)
  if (name !== undefined) return taken(name, `${detail}: reserved by an account that cannot be found`)
  const sent = members.filter((member) => attributes.has(member))
  return new Refused(`SelfCommunity refuses ${namesOf(errors, sent)}; give it another value.`, detail)
}

function taken(name: string, detail: string): Conflict {
  return new Conflict(
    `SelfCommunity has another account with this ${name}, or a deleted one that reserves it; give it another value.`,
    `${detail}: ${name} is taken`,
  )
}
