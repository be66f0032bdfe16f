import { Absent, Broken, Conflict, Denied, Immutable } from '../../errors.ts'
import type { Account, AccountId, Attributes, Json } from '../../facts.ts'
import { describeAnswer, parseAnswer, unexpectedAnswer } from '../answer.ts'
import type { Client, PlatformRequest } from '../client.ts'
import { remainingChanges, requireWritten } from '../difference.ts'
import { refuseUnfit } from '../fitting.ts'
import { isRefusal } from '../leaving.ts'
import type { Call, Changes, PlatformConnection } from '../platform.ts'
import { refuseProtected } from '../protection.ts'
import { createSeenAccounts } from '../seen-accounts.ts'
import { me } from './answers.ts'
import { makeEdits, refuseImpossible } from './edits.ts'
import { facts } from './facts.ts'
import { readGrants, writeGrants } from './grants.ts'
import { probe } from './probe.ts'
import { saysNone } from './refusals.ts'
import type { Settings } from './settings.ts'
import { signUp } from './sign-up.ts'
import { createTagGroups } from './tag-groups.ts'
import { type Caller, createCaller } from './tokens.ts'
import { findUsers, inRole, isBlockedForDays, isLinkedBy, listUsers, readRole, readUser, withRole } from './users.ts'

export function createConnection(client: Client, settings: Settings, now: () => number): PlatformConnection {
  const caller = createCaller(client, settings, now)
  const seen = createSeenAccounts(now)
  return {
    check: (call) => check(caller, call),
    probe: (call, named) => probe(caller, settings, call, named),
    find: (call, attribute, value) => findUsers(caller, call, attribute, value),
    read: (call, id) => readUser(caller, call, id),
    create: (call, attributes) => create(caller, call, attributes),
    update: (call, before, changes) => update(caller, call, before, changes, settings.editBlocked),
    keepOff: (call, account, changes) => keepOff(caller, call, account, changes),
    remove: (call, id) => remove(caller, call, id),
    refuseAdoption,
    list: (call, cursor) => listUsers(caller, call, seen, cursor),
    readGrants: (call, id) => readGrants(caller, call, settings, id),
    writeGrants: (call, id, give, take) => writeGrants(caller, call, settings, id, give, take),
    groups: createTagGroups(caller),
    close: () => client.close(),
  }
}

/** Asks for each right that provisioning needs: the role, the search of accounts, moderation. */
async function check(caller: Caller, call: Call): Promise<void> {
  const request: PlatformRequest = { method: 'GET', path: ['api', 'v2', 'user', 'me'] }
  const answer = await caller.asService(call, request)
  if (answer.status !== 200) throw unexpectedAnswer(request, answer)
  const self = parseAnswer(me, request, answer)
  if (self.role !== undefined && self.role !== 'admin')
    throw new Denied(`${describeAnswer(request, answer)}: the service user is no administrator`)
  await findUsers(caller, call, 'username', self.username)
  const list: PlatformRequest = { method: 'GET', path: ['api', 'v2', 'moderation', 'user'], query: [['limit', '1']] }
  const listed = await caller.asService(call, list)
  if (listed.status !== 200) throw unexpectedAnswer(list, listed)
}

function refuseAdoption(account: Account, wanted: Attributes): string | undefined {
  const has = account.attributes.get('ext_id')
  if (has === undefined || has === wanted.get('ext_id')) return undefined
  return 'it has another ext_id, so it belongs to another identity'
}

async function create(caller: Caller, call: Call, attributes: Attributes): Promise<Account> {
  const wanted = remainingChanges(facts, new Map(), attributes)
  refuseUnfit(facts, wanted, 'create')
  const id = await signUp(caller, call, wanted)
  await call.created(id)
  const made: Account = { id, attributes: new Map() }
  const metadata = new Map([...wanted].filter(([name]) => name.startsWith('metadata.')))
  if (metadata.size > 0) {
    refuseImpossible(made, metadata)
    refuseProtected(facts, await withRole(caller, call, made))
    await makeEdits(caller, call, made, metadata)
  }
  const status = wanted.get('status')
  if (status !== undefined && status !== 'a') await setStatus(caller, call, id, status)
  const account = await readBack(caller, call, id)
  // Nobody but the person sees the role, and the picture gets another address.
  for (const name of ['role', 'avatar']) wanted.delete(name)
  requireWritten(facts, account, wanted)
  return account
}

async function readBack(caller: Caller, call: Call, id: AccountId): Promise<Account> {
  const account = await readUser(caller, call, id)
  if (account === undefined) throw new Absent(`account ${id} is gone after a write`)
  return account
}

/** Unblock, then edit, then block: SelfCommunity edits nobody who is blocked. */
async function update(
  caller: Caller,
  call: Call,
  before: Account,
  changes: Changes,
  editBlocked: Settings['editBlocked'],
): Promise<Account> {
  const wanted = remainingChanges(facts, before.attributes, changes)
  const status = wanted.get('status')
  const edits = new Map(wanted)
  edits.delete('status')
  const isOn = before.attributes.get('status') === 'a'
  const isLeaving = status !== undefined && status !== 'a'
  if (!isOn && status !== 'a') {
    if (edits.size > 0 && editBlocked === 'refuse' && !isLeaving) throw refusedWhileBlocked(before, edits)
    for (const name of edits.keys()) wanted.delete(name)
    edits.clear()
  }
  if (wanted.size === 0) return before
  const role = before.protectedBecause === undefined ? await readRole(caller, call, before.id) : undefined
  refuseProtected(facts, inRole(before, role))
  if (status === 'a') await setStatus(caller, call, before.id, status)
  // Where the token of somebody who is off is refused, only now can the role be read.
  const mustAskRole = status === 'a' && role === undefined
  const mustTry = edits.size > 0 || mustAskRole
  const failure = mustTry ? await tryEdits(caller, call, before, edits, mustAskRole) : undefined
  if (isLeaving) {
    // Whatever became of the edits, somebody who leaves is switched off in this attempt.
    await setStatus(caller, call, before.id, status)
    if (failure !== undefined && !isRefusal(failure)) throw failure
    if (failure !== undefined) for (const name of edits.keys()) wanted.delete(name)
  } else if (failure !== undefined) {
    // A refused edit must not leave somebody switched on whose return was not accepted.
    if (status === 'a' && isRefusal(failure))
      await setStatus(caller, call, before.id, before.attributes.get('status') ?? 'b')
    throw failure
  }
  const after = await withGivenExtId(caller, call, await readBack(caller, call, before.id), wanted.get('ext_id'))
  requireWritten(facts, after, wanted)
  return after
}

/** An adopted account may keep an empty ext_id: found by it is the proof. */
async function withGivenExtId(caller: Caller, call: Call, account: Account, extId: Json | undefined): Promise<Account> {
  if (typeof extId !== 'string' || account.attributes.has('ext_id')) return account
  if (!(await isLinkedBy(caller, call, extId, account.id))) return account
  return { ...account, attributes: new Map([...account.attributes, ['ext_id', extId]]) }
}

async function tryEdits(
  caller: Caller,
  call: Call,
  before: Account,
  edits: Changes,
  mustAskRole: boolean,
): Promise<Error | undefined> {
  try {
    refuseImpossible(before, edits)
    if (mustAskRole) refuseProtected(facts, await withRole(caller, call, before))
    await makeEdits(caller, call, before, edits)
    return undefined
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
}

function refusedWhileBlocked(before: Account, edits: Changes): Immutable {
  const names = [...edits.keys()].join(', ')
  return new Immutable(
    `SelfCommunity changes nothing of a blocked account (${names}); reactivate the user first.`,
    `edit of blocked account ${before.id}`,
  )
}

async function setStatus(caller: Caller, call: Call, id: AccountId, status: Json): Promise<void> {
  const path = ['api', 'v2', 'moderation', 'user', id]
  // No days_blocked: for ever.
  const request: PlatformRequest = { method: 'PATCH', path, body: { status } }
  const answer = await caller.asService(call, request)
  if (answer.status === 204 || answer.status === 200) return
  if (saysNone(answer) && (await readUser(caller, call, id)) === undefined) throw new Absent(`account ${id} is gone`)
  if (answer.status === 400 && !answer.isHtml) {
    const message =
      status === 'a'
        ? 'SelfCommunity does not restore this deleted account, and its ext_id stays reserved; ask its administrator.'
        : 'status: SelfCommunity refuses this status; correct the mapping.'
    const detail = describeAnswer(request, answer)
    throw status === 'a' ? new Conflict(message, detail) : new Immutable(message, detail)
  }
  throw unexpectedAnswer(request, answer)
}

/** A moderator may have blocked the account for some days. */
async function keepOff(caller: Caller, call: Call, account: Account, changes: Changes): Promise<void> {
  const status = changes.get('status')
  if (status === undefined || account.attributes.get('status') !== 'b') return
  if (!(await isBlockedForDays(caller, call, account))) return
  refuseProtected(facts, await withRole(caller, call, account))
  await setStatus(caller, call, account.id, status)
  if (await isBlockedForDays(caller, call, account))
    throw new Broken(`account ${account.id} is still blocked for some days only`)
}

/** The soft delete: content stays, username and ext_id stay reserved. Done when the account was read as deleted. */
async function remove(caller: Caller, call: Call, id: AccountId): Promise<Account | undefined> {
  const before = await readUser(caller, call, id)
  if (before === undefined || before.attributes.get('status') === 'd') return before
  refuseProtected(facts, await withRole(caller, call, before))
  const request: PlatformRequest = { method: 'DELETE', path: ['api', 'v2', 'user', id] }
  const answer = await caller.asService(call, request)
  // 400 is "already soft deleted"; both it and 404 are true only when the account says so itself.
  if (![200, 204, 400].includes(answer.status) && !saysNone(answer)) throw unexpectedAnswer(request, answer)
  const after = await readUser(caller, call, id)
  if (after !== undefined && after.attributes.get('status') !== 'd')
    throw new Broken(`${describeAnswer(request, answer)} and left the account`)
  return after
}
