/**
 * The effects of one attempt: find or read, decide, write, read back. No commit happens here (`attempt.ts` makes them);
 * everything thrown is a `PlatformError`.
 */
import { Absent, Broken, Busy, Conflict, Disputed, Immutable, Invited, Refused, Unknown } from '../errors.ts'
import type { Account, Attributes } from '../facts.ts'
import { compare, createAttributes, isActive, protectedBecause, toPlatform } from '../mapping/evaluate.ts'
import type { Refusal, Wanted } from '../mapping/mapping.ts'
import type { Call } from '../platforms/platform.ts'
import type { Link } from '../store/store.ts'
import type { ProvisionedConnection } from './connection.ts'
import { findAccount, type Situation } from './find-account.ts'
import { invitePerson, isInvitationOpen } from './invitation.ts'
import { keepOff } from './reach-kept-off.ts'
import { isLetGo, settleLetGo } from './reach-let-go.ts'
import { removeAccount } from './reach-removed.ts'
import { hasEnded } from './retry.ts'

/** A create whose answer was lost may still be carried out by the platform for so long. */
export const lateCreateMs = 120_000

export interface Reached {
  /** As read last; undefined when the account is absent, as wanted. */
  readonly account: Account | undefined
  /** Attributes that differ and were left alone. */
  readonly drift: readonly string[]
  /** The account is off and nobody asked for it to be switched on. */
  readonly isLeftOff: boolean
  /** It was off, and this attempt has switched it on. */
  readonly isSwitchedOn: boolean
}

const nothing: Reached = { account: undefined, drift: [], isLeftOff: false, isSwitchedOn: false }

/** Brings the account to the state that the stored resource asks for. */
export async function reachWanted(call: Call, situation: Situation): Promise<Reached> {
  const { connection, document } = situation
  const wanted = toPlatform(connection.mapping, connection.facts, document, { activeDefault: true })
  if (isLetGo(situation.link)) {
    await settleLetGo(call, situation, wanted.active)
    return nothing
  }
  // A leaver is never kept because another attribute cannot be expressed: what cannot be said stays as it is.
  if (!wanted.active) return unlessGone(call, situation, () => bring(call, situation, wanted))
  refuseFirst(connection, wanted.refusals)
  return bring(call, situation, wanted)
}

async function bring(call: Call, situation: Situation, wanted: Wanted): Promise<Reached> {
  const { connection, link } = situation
  const linked = link.accountId === undefined ? undefined : await connection.platform.read(call, link.accountId)
  if (linked !== undefined) return adjust(call, situation, linked, wanted)
  const found = await findAccount(call, situation, wanted.attributes)
  requireSame(situation, found)
  if (found !== undefined) return adjust(call, situation, found, wanted)
  if (isLinked(link)) throw new Absent(`${connection.name}: the linked account is gone`)
  if (!wanted.active) {
    waitForLateCreate(situation)
    // It vanished while it was off: no new account is made for somebody who has left.
    if (link.state === 'live') return nothing
  }
  if (connection.mapping.mode === 'invitation') return invitePerson(call, situation, wanted)
  refuseFirst(connection, [...wanted.refusals, ...wanted.createRefusals])
  return create(call, situation, wanted)
}

/** Takes the account away as the mapping's `lifecycle.delete` says. */
export function reachDeleted(call: Call, situation: Situation): Promise<Reached> {
  return unlessGone(call, situation, () => takeAway(call, situation))
}

async function takeAway(call: Call, situation: Situation): Promise<Reached> {
  const { connection, document, link } = situation
  const { mapping, platform, facts } = connection
  if (isLetGo(link)) {
    await settleLetGo(call, situation, false)
    return nothing
  }
  // Somebody else's by now: the person came back, and their account is linked anew.
  if (link.state === 'tombstone' && link.accountId !== undefined && (await situation.isLinkedElsewhere(link.accountId)))
    return nothing
  const wanted = toPlatform(mapping, facts, { ...document, active: false }, { activeDefault: false })
  let account = link.accountId === undefined ? undefined : await platform.read(call, link.accountId)
  account ??= await findOwn(call, situation, wanted.attributes)
  requireSame(situation, account)
  // Which account was theirs is known, and it is gone: another one that fits was made for somebody after them.
  if (link.state === 'tombstone' && link.accountId !== undefined && account?.id !== link.accountId) return nothing
  if (account === undefined) {
    waitForLateCreate(situation)
    if (isInvitationOpen(situation))
      throw new Invited(`${connection.name}: an open invitation may still become an account`)
    return nothing
  }
  refuseProtected(connection, account)
  if (mapping.lifecycle.delete === 'delete' && platform.remove !== undefined) {
    return { ...nothing, account: await removeAccount(call, connection, account) }
  }
  if (!isActive(mapping, account.attributes)) {
    await keepOff(call, situation, account)
    return { ...nothing, account }
  }
  const after = await platform.update(call, account, mapping.lifecycle.deactivate)
  if (isActive(mapping, after.attributes))
    throw new Broken(`${connection.name}: the account is still on after deactivation`)
  return { ...nothing, account: after }
}

function isLinked(link: Link): boolean {
  return link.state === 'live' && link.accountId !== undefined
}

/**
 * An account that was read as gone under our feet is gone for certain only when the search by `match` agrees. One that the
 * search shows is there, whatever the reading said.
 */
function requireSame({ connection, link }: Situation, found: Account | undefined): void {
  if (found === undefined || !isLinked(link) || found.id === link.accountId) return
  throw new Disputed(
    'The account of this user was replaced by another one on the platform; an operator has to decide which is right.',
    `${connection.name}: the linked account is gone and match finds another`,
  )
}

/** An account that fits and is not ours to take belongs to somebody else: this user has none. */
async function findOwn(
  call: Call,
  { connection, isLinkedElsewhere }: Situation,
  wanted: Attributes,
): Promise<Account | undefined> {
  try {
    return await findAccount(call, { connection, isLinkedElsewhere }, wanted)
  } catch (error) {
    if (error instanceof Conflict) return undefined
    throw error
  }
}

/** For somebody who leaves: an account that is gone is as off as can be. */
async function unlessGone(call: Call, situation: Situation, work: () => Promise<Reached>): Promise<Reached> {
  try {
    return await unlessShown(call, situation, work)
  } catch (error) {
    if (error instanceof Absent) return nothing
    throw error
  }
}

/**
 * What was written, or made, a moment ago may not be shown for a moment. Whatever step of an attempt says that the account is
 * gone, it is gone for certain only when the search by `match` agrees.
 */
export async function unlessShown<Result>(
  call: Call,
  situation: Situation,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Absent)) throw error
    const { connection, document } = situation
    const { attributes } = toPlatform(connection.mapping, connection.facts, document, { activeDefault: true })
    const found = await findOwn(call, situation, attributes)
    requireSame(situation, found)
    if (found === undefined) throw error
    throw new Unknown(`${connection.name}: the account was said to be gone, and match finds it`, { cause: error })
  }
}

/** Nobody is called gone while an account of theirs may still appear. No failure of the platform: we have asked, it answered. */
function waitForLateCreate({ connection, operation, now }: Situation): void {
  if (operation.unknownSince === undefined) return
  const retryAfterMs = operation.unknownSince + lateCreateMs - now
  if (retryAfterMs <= 0) return
  throw new Busy(`${connection.name}: a create of unknown outcome may still appear`, { retryAfterMs })
}

async function create(call: Call, situation: Situation, wanted: Wanted): Promise<Reached> {
  const { connection } = situation
  let account: Account
  situation.noteMaking(true)
  try {
    account = await connection.platform.create(call, createAttributes(connection.mapping, wanted))
  } catch (error) {
    // Made, and not shown yet, not by a search either.
    if (error instanceof Absent)
      throw new Unknown(`${connection.name}: the account that was made is not shown`, { cause: error })
    if (!isAboutValues(error)) throw error
    situation.noteMaking(false)
    // "Taken" is only a suspicion, and not every platform says it: the account may be the one that a lost answer of ours made.
    const found = error instanceof Conflict ? await findAccount(call, situation, wanted.attributes) : undefined
    if (found === undefined) {
      // And a search may not show it yet.
      waitForLateCreate(situation)
      throw error
    }
    account = found
  }
  return adjust(call, situation, account, wanted)
}

/** Writes the difference between what is wanted and the account as read, if there is one. */
async function adjust(call: Call, situation: Situation, account: Account, asked: Wanted): Promise<Reached> {
  const { connection, operation, document } = situation
  const { mapping, facts } = connection
  refuseProtected(connection, account)
  const isOn = isActive(mapping, account.attributes)
  // Only an explicit `active: true` switches an account on: not a retry, an update, or a default.
  const isLeftOff = asked.active && !isOn && !operation.mayActivate
  const wanted = isLeftOff
    ? toPlatform(mapping, facts, { ...document, active: false }, { activeDefault: false })
    : asked
  if (!asked.active && !isOn) await keepOff(call, situation, account)
  const comparison = compare(mapping, facts, wanted, account.attributes)
  if (wanted.active) refuseFirst(connection, comparison.refusals)
  const lost = [...wanted.refusals, ...comparison.refusals].map((refusal) => refusal.attribute)
  const drift = [...comparison.drift, ...lost, ...(isLeftOff ? facts.statusAttributes : [])]
  if (comparison.changes.size === 0) return { account, drift, isLeftOff, isSwitchedOn: false }

  const after = await write(call, situation, account, wanted, comparison.changes)
  if (isActive(mapping, after.attributes) !== wanted.active) {
    throw new Broken(`${connection.name}: the account is ${wanted.active ? 'off' : 'on'} after it was switched`)
  }
  const remaining = [...compare(mapping, facts, wanted, after.attributes).changes.keys()]
  // Some platforms do not edit an account that is off: its edits wait, as drift, until it is switched on again.
  if (remaining.length > 0 && wanted.active)
    throw new Broken(`${connection.name}: unchanged after a write: ${remaining.join(', ')}`)
  return { account: after, drift: [...drift, ...remaining], isLeftOff, isSwitchedOn: !isOn && wanted.active }
}

async function write(
  call: Call,
  situation: Situation,
  account: Account,
  wanted: Wanted,
  changes: Attributes,
): Promise<Account> {
  const { connection, operation } = situation
  const { platform, mapping, facts } = connection
  try {
    return await platform.update(call, account, changes)
  } catch (error) {
    const isBroken = error instanceof Broken
    if (wanted.active || !(isBroken || isAboutValues(error))) throw error
    // Something else in the request of a leaver was refused or went wrong: switching off must not wait for it.
    const now = (await platform.read(call, account.id)) ?? account
    const off = isActive(mapping, now.attributes) ? await platform.update(call, now, mapping.lifecycle.deactivate) : now
    // What was refused is refused again next time. An answer that nobody can make sense of is not: it is looked into as
    // often as that of anybody else, and then, the account being off, the rest stays as drift.
    const isApplied = () => compare(mapping, facts, wanted, off.attributes).changes.size === 0
    if (isBroken && !hasEnded(operation, error, operation.attempts + 1, situation.now) && !isApplied()) throw error
    return off
  }
}

/** The platform was asked properly, understood, and does not want these values. */
function isAboutValues(error: unknown): boolean {
  return error instanceof Refused || error instanceof Immutable || error instanceof Conflict
}

function refuseProtected(connection: ProvisionedConnection, account: Account): void {
  const protection = account.protectedBecause ?? protectedBecause(connection.mapping, account.attributes)
  if (protection === undefined) return
  throw new Immutable(
    `This ${connection.facts.title} account is protected (${protection}); the bridge never changes it. Remove the user from the assignment, or change the protection in the mapping.`,
    `${connection.name}: account ${account.id} is protected`,
  )
}

/** The first refusal as the error that the identity provider's administrator reads. */
export function refuseFirst(connection: ProvisionedConnection, refusals: readonly Refusal[]): void {
  const [refusal] = refusals
  if (refusal === undefined) return
  const what = refusal.message.replace(/^user\.attributes\./, '')
  const message = `${connection.facts.title} cannot take this user: ${what}`
  const detail = `${connection.name}: the mapping refuses ${refusal.attribute}`
  throw refusal.kind === 'mutability' ? new Immutable(message, detail) : new Refused(message, detail)
}
