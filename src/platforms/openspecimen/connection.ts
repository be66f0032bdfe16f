import { Absent, Broken, Conflict, Fault, Immutable } from '../../errors.ts'
import type { Account, AccountId, Attributes, Json } from '../../facts.ts'
import { parseAnswer } from '../answer.ts'
import type { Client, PlatformRequest } from '../client.ts'
import { remainingChanges, requireWritten } from '../difference.ts'
import { refuseUnfit } from '../fitting.ts'
import { isRefusal } from '../leaving.ts'
import type { Call, Changes, PlatformConnection } from '../platform.ts'
import { refuseProtected } from '../protection.ts'
import { createSeenAccounts } from '../seen-accounts.ts'
import { toBody } from './accounts.ts'
import { user } from './answers.ts'
import { facts } from './facts.ts'
import { createGroups } from './group-writes.ts'
import { outOfGroupsOf, readGrants, writeGrants } from './membership.ts'
import { probe } from './probe.ts'
import { codesOf, saysGone, toError } from './refusals.ts'
import type { Settings } from './settings.ts'
import { createSignedIn, type SignedIn } from './sign-in.ts'
import { findByLoginName, listUsers, readUser } from './users.ts'

export function createConnection(client: Client, settings: Settings, now: () => number): PlatformConnection {
  const signedIn = createSignedIn(client, settings)
  const seen = createSeenAccounts(now)
  return {
    async check(call) {
      signedIn.forgive()
      await send(signedIn, call, { method: 'GET', path: ['users', 'current-user'] })
    },
    probe: (call, named) => probe(signedIn, settings, call, named),
    async find(call, attribute, value, attributes) {
      if (attribute !== 'loginName') throw new Fault(`openspecimen cannot find accounts by ${attribute}`)
      const domainName = attributes.get('domainName')
      return findByLoginName(signedIn, call, value, typeof domainName === 'string' ? domainName : undefined)
    },
    read: (call, id) => readUser(signedIn, call, id),
    create: (call, attributes) => create(signedIn, call, attributes),
    update: (call, before, changes) => update(signedIn, call, settings, before, changes),
    remove: (call, id) => remove(signedIn, call, settings, id),
    list: (call, cursor) => listUsers(signedIn, call, seen, cursor),
    readGrants: (call, id) => readGrants(signedIn, call, settings, id),
    writeGrants: (call, id, give, take) => writeGrants(signedIn, call, settings, id, give, take),
    groups: createGroups(signedIn, settings),
    close: () => client.close(),
  }
}

/** Sends what answers 200 and nothing else when all is well. */
async function send(signedIn: SignedIn, call: Call, request: PlatformRequest) {
  const answer = await signedIn.send(call, request)
  if (answer.status !== 200) throw toError(request, answer)
  if (answer.isHtml) throw new Broken(`${request.method} /${request.path.join('/')} answered 200 with HTML`)
  return answer
}

async function readBack(signedIn: SignedIn, call: Call, id: AccountId): Promise<Account> {
  const account = await readUser(signedIn, call, id)
  if (account === undefined) throw new Absent(`account ${id} is gone after a write`)
  return account
}

async function create(signedIn: SignedIn, call: Call, attributes: Attributes): Promise<Account> {
  const wanted = remainingChanges(facts, new Map(), attributes)
  // Both are said always: what OpenSpecimen does with an absent one is a default of its version.
  if (!wanted.has('type')) wanted.set('type', 'NONE')
  if (!wanted.has('activityStatus')) wanted.set('activityStatus', 'Active')
  requireKnownStatus(wanted)
  refuseUnfit(facts, wanted, 'create')
  const request: PlatformRequest = { method: 'POST', path: ['users'], body: toBody(wanted) }
  const { id } = parseAnswer(user.pick({ id: true }), request, await send(signedIn, call, request))
  await call.created(String(id))
  const account = await readBack(signedIn, call, String(id))
  // Among others it shows an institute that OpenSpecimen replaced: a service account that is not SUPER can use only its own.
  requireWritten(facts, account, wanted)
  return account
}

async function update(
  signedIn: SignedIn,
  call: Call,
  settings: Settings,
  before: Account,
  changes: Changes,
): Promise<Account> {
  const wanted = remainingChanges(facts, before.attributes, changes)
  // A locked or expired account is on already: switching on again would undo the lock.
  if (wanted.get('activityStatus') === 'Active' && !isOff(before)) wanted.delete('activityStatus')
  if (wanted.size === 0) return before
  refuseProtected(facts, before)
  requireKnownStatus(wanted)
  const edits = new Map(wanted)
  edits.delete('activityStatus')
  const status = wanted.get('activityStatus')
  const isLeaving = status === 'Closed'
  if (isLeaving) await setStatus(signedIn, call, before.id, status)
  try {
    if (edits.size > 0) await edit(signedIn, call, settings, before, edits)
  } catch (error) {
    if (!isLeaving || !isRefusal(error)) throw error
    for (const name of edits.keys()) wanted.delete(name)
  }
  // Switched on last: OpenSpecimen edits closed accounts, and a refused edit must not leave the account switched on.
  if (status === 'Active') await setStatus(signedIn, call, before.id, status)
  const after = await readBack(signedIn, call, before.id)
  requireWritten(facts, after, wanted)
  return after
}

function isOff(account: Account): boolean {
  const status = account.attributes.get('activityStatus')
  return status === 'Closed' || status === 'Pending'
}

function requireKnownStatus(wanted: Attributes): void {
  const status = wanted.get('activityStatus')
  if (status === undefined || status === 'Active' || status === 'Closed') return
  // Locked is ignored silently unless the account is Active, and leaves tokens alive; Disabled renames the log-in for ever.
  throw new Immutable(
    'activityStatus: accounts are switched on with Active and off with Closed, nothing else; correct the mapping.',
    'a status other than Active and Closed was asked for',
  )
}

async function setStatus(signedIn: SignedIn, call: Call, id: AccountId, activityStatus: Json): Promise<void> {
  const path = ['users', id, 'activity-status']
  const request: PlatformRequest = { method: 'PUT', path, body: { activityStatus } }
  const answer = parseAnswer(user.pick({ activityStatus: true }), request, await send(signedIn, call, request))
  // OpenSpecimen answers 200 to a change of status that it ignores.
  if (answer.activityStatus !== activityStatus)
    throw new Broken(`PUT /users/${id}/activity-status answered 200, unchanged`)
}

async function edit(
  signedIn: SignedIn,
  call: Call,
  { userGroups }: Settings,
  before: Account,
  edits: Changes,
): Promise<void> {
  refuseUnfit(facts, edits, 'change')
  await requireFreeLogin(signedIn, call, before, edits)
  const { id, attributes } = before
  const write = () => send(signedIn, call, { method: 'PATCH', path: ['users', id], body: toBody(edits) })
  const institute = attributes.get('instituteName')
  const isMoving = edits.has('instituteName') && userGroups !== undefined && typeof institute === 'string'
  await (isMoving ? outOfGroupsOf(institute, signedIn, call, id, write) : write())
}

/** OpenSpecimen does not look whether a log-in name is free when only the domain changes. */
async function requireFreeLogin(signedIn: SignedIn, call: Call, before: Account, edits: Changes): Promise<void> {
  if (!edits.has('loginName') && !edits.has('domainName')) return
  const loginName = edits.get('loginName') ?? before.attributes.get('loginName')
  const domainName = edits.get('domainName') ?? before.attributes.get('domainName')
  if (typeof loginName !== 'string' || typeof domainName !== 'string') return
  const holders = await findByLoginName(signedIn, call, loginName, domainName)
  if (holders.every((holder) => holder.id === before.id)) return
  throw new Conflict(
    'loginName is taken by another account of the same domainName; give one of the two another log-in name.',
    `log-in name wanted for account ${before.id} is held by another`,
  )
}

/** Deletes for ever, or closes an account that sites, protocols or specimens refer to: OpenSpecimen keeps those. */
async function remove(signedIn: SignedIn, call: Call, settings: Settings, id: AccountId): Promise<Account | undefined> {
  const before = await readUser(signedIn, call, id)
  if (before === undefined) return undefined
  refuseProtected(facts, before)
  const request: PlatformRequest = { method: 'DELETE', path: ['users', id] }
  const answer = await signedIn.send(call, request)
  if (codesOf(answer)?.includes('USER_REF_ENTITY_FOUND'))
    return update(signedIn, call, settings, before, new Map([['activityStatus', 'Closed']]))
  if (answer.status !== 200 && !saysGone(answer)) throw toError(request, answer)
  if ((await readUser(signedIn, call, id)) !== undefined) throw new Broken(`DELETE /users/${id} left the account`)
  return undefined
}
