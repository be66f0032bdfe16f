/** Changes that SelfCommunity lets only the person make, with a token of the person, and not while blocked. */
import { Absent, Broken, Conflict, Denied, Immutable, type PlatformError, Refused, Unknown } from '../../errors.ts'
import type { Account, Json } from '../../facts.ts'
import { describeAnswer, unexpectedAnswer } from '../answer.ts'
import type { PlatformAnswer, PlatformRequest } from '../client.ts'
import { refuseUnfit } from '../fitting.ts'
import type { Call, Changes } from '../platform.ts'
import { metadataField } from './accounts.ts'
import { facts } from './facts.ts'
import { fieldErrors, namesOf, saysNone } from './refusals.ts'
import type { Caller } from './tokens.ts'
import { findUsers, isLinkedBy, readUser } from './users.ts'

/** Throws when one of the edits can never be made; calls nothing. */
export function refuseImpossible(before: Account, edits: Changes): void {
  for (const name of edits.keys()) {
    if (!name.startsWith('metadata.') || metadataField(name) !== undefined) continue
    throw new Immutable(`SelfCommunity: ${name} is no profile field that can be written.`, `${name} is not writable`)
  }
  refuseUnfit(facts, withoutFirstExtId(before, edits), 'change')
}

/** An account that never had an ext_id can be given one: that is how an account made by hand is adopted. */
function withoutFirstExtId(before: Account, edits: Changes): Changes {
  const rest = new Map(edits)
  if (!before.attributes.has('ext_id') && typeof edits.get('ext_id') === 'string') rest.delete('ext_id')
  return rest
}

/** The e-mail first: it is the one that may be taken, and then nothing has been changed. */
export async function makeEdits(caller: Caller, call: Call, before: Account, edits: Changes): Promise<void> {
  const email = edits.get('email')
  if (typeof email === 'string') await changeEmail(caller, call, before, email)
  const extId = edits.get('ext_id')
  if (typeof extId === 'string') await linkExtId(caller, call, before, extId)
  const profile = new Map<string, Json>()
  for (const [name, value] of edits) {
    const field = name === 'real_name' ? name : metadataField(name)
    if (field !== undefined) profile.set(field, value)
  }
  if (profile.size === 0) return
  const path = ['api', 'v2', 'user', before.id]
  const request: PlatformRequest = { method: 'PATCH', path, body: Object.fromEntries(profile) }
  const answer = await caller.asPerson(call, Number(before.id), request)
  if (answer.status === 200) return
  const sent = [...edits.keys()].filter((name) => name === 'real_name' || name.startsWith('metadata.'))
  throw await whyRefused(caller, call, before, sent, request, answer)
}

async function changeEmail(caller: Caller, call: Call, before: Account, email: string): Promise<void> {
  const path = ['api', 'v2', 'user', before.id, 'change_email']
  // confirm 0 changes at once; 1 would wait for a code.
  const request: PlatformRequest = { method: 'PATCH', path, body: { new_email: email, confirm: 0 } }
  const answer = await caller.asPerson(call, Number(before.id), request)
  if (answer.status === 204 || answer.status === 200) return
  if (answer.status === 400 && !answer.isHtml) {
    const holders = await findUsers(caller, call, 'email', email)
    if (holders.some((holder) => holder.id !== before.id)) {
      const message = 'SelfCommunity has another account with this email; give one of the two another e-mail address.'
      throw new Conflict(message, `${describeAnswer(request, answer)}: email is taken`)
    }
  }
  throw await whyRefused(caller, call, before, ['email'], request, answer)
}

/** Links the identity provider's id, once: an account that was given it may not show it. */
async function linkExtId(caller: Caller, call: Call, before: Account, extId: string): Promise<void> {
  if (await isLinkedBy(caller, call, extId, before.id)) return
  const path = ['api', 'v2', 'user', before.id, 'provider']
  const body = { provider: 'external', ext_id: extId }
  const request: PlatformRequest = { method: 'POST', path, body }
  const answer = await caller.asService(call, request)
  if (answer.status === 201 || answer.status === 200) return
  if (answer.status === 400 && (await findUsers(caller, call, 'ext_id', extId)).length > 0)
    throw new Conflict(
      'SelfCommunity has another account with this ext_id.',
      `${describeAnswer(request, answer)}: taken`,
    )
  throw await whyRefused(caller, call, before, ['ext_id'], request, answer)
}

async function whyRefused(
  caller: Caller,
  call: Call,
  before: Account,
  sent: readonly string[],
  request: PlatformRequest,
  answer: PlatformAnswer,
): Promise<PlatformError> {
  const detail = describeAnswer(request, answer)
  if (answer.status === 400 && !answer.isHtml) {
    const names = namesOf(fieldErrors(answer), sent)
    return new Refused(`SelfCommunity refuses ${names}; give it another value.`, detail)
  }
  if (answer.status === 401 || answer.status === 403 || saysNone(answer)) {
    const now = await readUser(caller, call, before.id)
    if (now === undefined) return new Absent(detail)
    // Blocked by somebody else while we were at work: the next attempt sees it.
    if (now.attributes.get('status') !== 'a') return new Unknown(`${detail}: blocked meanwhile`)
    return new Denied(`${detail} to the person's own token`, { isOfOne: true })
  }
  if (answer.status === 200 || answer.status === 204) return new Broken(detail)
  return unexpectedAnswer(request, answer)
}
