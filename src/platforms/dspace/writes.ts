/** Writing EPersons: one POST, one PATCH, one DELETE, each followed by a read. */
import { Absent, Broken, Conflict, Immutable, type PlatformError, Refused, Unknown } from '../../errors.ts'
import type { Account, AccountId, Attributes, Json } from '../../facts.ts'
import { describeAnswer, parseAnswer } from '../answer.ts'
import type { PlatformAnswer, PlatformRequest } from '../client.ts'
import { remainingChanges, requireWritten } from '../difference.ts'
import { refuseUnfit } from '../fitting.ts'
import { isRefusal } from '../leaving.ts'
import type { Call, Changes } from '../platform.ts'
import { refuseProtected } from '../protection.ts'
import { toNewPerson, toPatch } from './accounts.ts'
import { keepAnAdministrator } from './administrators.ts'
import { eperson } from './answers.ts'
import { facts } from './facts.ts'
import { findPeople, isNetidTaken, type Reader, readPerson } from './people.ts'
import { toError } from './refusals.ts'

async function readBack(reader: Reader, call: Call, id: AccountId): Promise<Account> {
  const account = await readPerson(reader, call, id)
  if (account === undefined) throw new Absent(`account ${id} is gone after a write`)
  return account
}

export async function createPerson(reader: Reader, call: Call, attributes: Attributes): Promise<Account> {
  const wanted = remainingChanges(facts, new Map(), attributes)
  // Nothing said means on, as for every new account; DSpace itself would make one that cannot log in.
  if (!wanted.has('canLogIn')) wanted.set('canLogIn', true)
  refuseUnfit(facts, wanted, 'create')
  const request: PlatformRequest = { method: 'POST', path: ['api', 'eperson', 'epersons'], body: toNewPerson(wanted) }
  const answer = await reader.session.send(call, request)
  if (answer.status !== 201) throw await whyRefused(reader, call, wanted, request, answer, undefined)
  const { uuid } = parseAnswer(eperson.pick({ uuid: true }), request, answer)
  await call.created(uuid)
  const account = await readBack(reader, call, uuid)
  requireWritten(facts, account, wanted)
  return account
}

export async function updatePerson(reader: Reader, call: Call, before: Account, changes: Changes): Promise<Account> {
  const wanted = remainingChanges(facts, before.attributes, changes)
  if (wanted.size === 0) return before
  refuseProtected(facts, before)
  if (wanted.get('canLogIn') === false) await keepAnAdministrator(reader.session, call, before)
  const leaving = wanted.get('canLogIn') === false ? new Map<string, Json>([['canLogIn', false]]) : undefined
  try {
    await patch(reader, call, before, wanted)
    return await confirmed(reader, call, before.id, wanted)
  } catch (error) {
    // One patch is all or nothing: somebody who leaves is switched off without what was refused or went wrong.
    const wasRefused = isRefusal(error)
    if (leaving === undefined || wanted.size === 1 || !(wasRefused || error instanceof Unknown)) throw error
    await patch(reader, call, before, leaving)
    const after = await confirmed(reader, call, before.id, leaving)
    if (!wasRefused) throw error
    return after
  }
}

async function confirmed(reader: Reader, call: Call, id: AccountId, written: Changes): Promise<Account> {
  const after = await readBack(reader, call, id)
  requireWritten(facts, after, written)
  return after
}

async function patch(reader: Reader, call: Call, before: Account, wanted: Changes): Promise<void> {
  refuseUnfit(facts, wanted, 'change')
  if (wanted.has('netid') && !before.attributes.has('netid'))
    throw new Immutable(
      'DSpace cannot give a netid to an account that has none (the first log-in by single sign-on does it); ' +
        'take netid out of the mapping, or say on_change: keep.',
      `netid of account ${before.id} cannot be added`,
    )
  const email = wanted.get('email')
  if (typeof email === 'string' && (await isEmailTaken(reader, call, email, before.id)))
    throw taken('email', `email wanted for account ${before.id}`)
  const request: PlatformRequest = {
    method: 'PATCH',
    path: ['api', 'eperson', 'epersons', before.id],
    body: toPatch(wanted),
    contentType: 'application/json-patch+json',
  }
  const answer = await reader.session.send(call, request)
  if (answer.status === 404 && !answer.isHtml && answer.json !== undefined)
    throw new Absent(describeAnswer(request, answer))
  if (answer.status !== 200 && answer.status !== 204)
    throw await whyRefused(reader, call, wanted, request, answer, before.id)
  if (answer.isHtml) throw new Broken(describeAnswer(request, answer))
}

async function isEmailTaken(reader: Reader, call: Call, email: string, exceptId: AccountId | undefined) {
  const holders = await findPeople(reader, call, 'email', email)
  return holders.some((holder) => holder.id !== exceptId)
}

function taken(name: string, detail: string): Conflict {
  const message = `DSpace has another account with this ${name}; give one of the two another value.`
  return new Conflict(message, `${detail}: ${name} is taken`)
}

/** DSpace says 500 to a value that is taken, other versions 422 or 409: the accounts themselves are asked. */
async function whyRefused(
  reader: Reader,
  call: Call,
  wanted: Changes,
  request: PlatformRequest,
  answer: PlatformAnswer,
  id: AccountId | undefined,
): Promise<PlatformError> {
  const detail = describeAnswer(request, answer)
  const { status } = answer
  if (status !== 400 && status !== 409 && status !== 422 && status !== 500) return toError(request, answer)
  if (answer.isHtml && status !== 500) return new Broken(detail)
  if (status !== 400) {
    const email = wanted.get('email')
    if (typeof email === 'string' && (await isEmailTaken(reader, call, email, id))) return taken('email', detail)
    const netid = wanted.get('netid')
    if (typeof netid === 'string' && (await isNetidTaken(reader, call, netid, id))) return taken('netid', detail)
  }
  if (status === 500) return new Unknown(detail)
  const names = [...wanted.keys()].join(', ')
  return new Refused(`DSpace refuses one of ${names}; give it another value.`, detail)
}

/** Deletes for ever. The last member of a workflow group cannot be deleted and is switched off instead. */
export async function removePerson(reader: Reader, call: Call, id: AccountId): Promise<Account | undefined> {
  // Looked at first: DSpace answers 500 to the deletion of what is not there.
  const before = await readPerson(reader, call, id)
  if (before === undefined) return undefined
  refuseProtected(facts, before)
  await keepAnAdministrator(reader.session, call, before)
  const request: PlatformRequest = { method: 'DELETE', path: ['api', 'eperson', 'epersons', id] }
  const answer = await reader.session.send(call, request)
  if (answer.status === 422) return updatePerson(reader, call, before, new Map([['canLogIn', false]]))
  const isDone = answer.status === 204 || answer.status === 200
  if (!isDone && answer.status !== 404 && answer.status !== 500) throw toError(request, answer)
  if ((await readPerson(reader, call, id)) === undefined) return undefined
  throw isDone ? new Broken(`${describeAnswer(request, answer)} and left the account`) : toError(request, answer)
}
