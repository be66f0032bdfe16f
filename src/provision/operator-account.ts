/** Whose an account is: let go of, and taken over by an operator's word. */
import { withDeadline } from '../deadline.ts'
import { PlatformError } from '../errors.ts'
import type { Account, AccountId } from '../facts.ts'
import { compare, protectedBecause, toPlatform } from '../mapping/evaluate.ts'
import { AccountTaken, type Link, type StoreWriter } from '../store/store.ts'
import type { Claims } from './claims.ts'
import { parseDocument } from './document.ts'
import { isHeld } from './guardrails.ts'
import { leftOverGrants } from './left-over-grants.ts'
import type { OperatorContext } from './operator.ts'
import { auditOrder, type Done, findSubject, NotDone, type Order } from './operator-order.ts'
import { putReapplied } from './operator-reapply.ts'
import { betweenAttempts, onSubject } from './operator-subject.ts'
import { isLetGo } from './reach-let-go.ts'

export interface Claimed {
  readonly claims: Claims
}

export function unlink(context: OperatorContext, order: Order, user: string, isForced: boolean): Promise<Done> {
  const { connection, world } = context
  const { name } = connection
  return onSubject(context, user, async (write, resourceId) => {
    const link = await write.getLink(name, resourceId)
    if (link === undefined || link.state === 'tombstone' || link.accountId === undefined)
      throw new NotDone('no_account', 'this user is linked to no account')
    const operation = await write.getOperation(name, resourceId)
    if (link.state === 'proposed')
      throw new NotDone('unfinished', 'the account of this user is still being made; retry or wait, then unlink')
    if (operation?.isDeprovisioning === true && !isForced) {
      throw new NotDone(
        'unfinished_departure',
        'this user was to be switched off, which is not done: wait or retry. With force it is let go all the same; then switch ' +
          'the account off on the platform yourself, and the bridge asks until it reads it as off',
      )
    }
    if (operation !== undefined && operation.state !== 'failed' && !isForced)
      throw new NotDone('unfinished', 'work on this user is unfinished: wait, retry, or unlink with force')
    const { accountId } = link
    await write.putLink({ ...link, accountId: undefined, unlinkedAccountId: accountId, applied: undefined, drift: [] })
    const detail = { isForced, ...(operation === undefined ? {} : { unfinished: operation.kind }) }
    const operationId = operation?.id
    await auditOrder(write, world, name, order, { action: 'unlink', resourceId, operationId, accountId, detail })
    const text = `account ${accountId} is no longer written for this user; another one is linked with adopt only`
    return { affected: 1, text }
  })
}

export async function adopt(context: OperatorContext, order: Order, user: string, accountId: AccountId): Promise<Done> {
  const { connection, world, workplace } = context
  const { store } = world
  const resourceId = await store.transaction((write) => findSubject(write, connection.name, user))
  return betweenAttempts(context, resourceId, async () => {
    try {
      // Somebody else's attempt may be about to take the same account, here or in another process.
      const isOurs =
        workplace.claims.claim(accountId, resourceId) &&
        (await store.claim(connection.name, 'account', accountId, resourceId))
      if (!isOurs) throw elsewhere(accountId, 'another user, whose work is under way')
      await store.transaction((write) => adoptableLink(write, connection.name, resourceId, accountId))
      const account = await readAccount(context, accountId)
      return await store.transaction((write) => link(write, context, order, resourceId, account))
    } catch (error) {
      if (error instanceof AccountTaken) throw elsewhere(accountId, 'another user')
      throw error
    } finally {
      workplace.claims.release(resourceId)
    }
  })
}

async function adoptableLink(
  write: StoreWriter,
  name: string,
  resourceId: string,
  accountId: AccountId,
): Promise<Link> {
  const link = await write.getLink(name, resourceId)
  const resource = await write.getAnyResource(name, 'User', resourceId)
  if (link === undefined || link.state === 'tombstone' || resource === undefined)
    throw new NotDone('no_user', 'this user was deleted')
  if (link.accountId !== undefined)
    throw new NotDone('linked', `this user is linked to account ${link.accountId}; unlink it first`)
  if (isHeld(await write.getOperation(name, resourceId)))
    throw new NotDone('held', 'the work on this user is held; release it first')
  const holder = await write.findLinkByAccount(name, accountId)
  if (holder !== undefined) throw elsewhere(accountId, `user ${holder.resourceId}`)
  return link
}

async function readAccount({ connection, world }: OperatorContext, accountId: AccountId): Promise<Account> {
  const { platform, facts, mapping } = connection
  const nothing = () => Promise.resolve()
  let account: Account | undefined
  try {
    account = await withDeadline(world.attemptMs, [], (signal) =>
      platform.read({ signal, beforeWrite: nothing, created: nothing }, accountId),
    )
  } catch (cause) {
    if (!(cause instanceof PlatformError)) throw cause
    throw new NotDone('platform_away', `${facts.title} could not be asked for the account: ${cause.detail}`, { cause })
  }
  if (account === undefined) throw new NotDone('no_such_account', `${facts.title} has no account ${accountId}`)
  const protection = account.protectedBecause ?? protectedBecause(mapping, account.attributes)
  if (protection !== undefined)
    throw new NotDone('protected', `account ${accountId} is protected (${protection}) and is never taken over`)
  return account
}

async function link(
  write: StoreWriter,
  context: OperatorContext,
  order: Order,
  resourceId: string,
  account: Account,
): Promise<Done> {
  const { connection, world } = context
  const { name, mapping, facts, platform } = connection
  const before = await adoptableLink(write, name, resourceId, account.id)
  const resource = await write.getAnyResource(name, 'User', resourceId)
  if (resource === undefined) throw new NotDone('no_user', 'this user was deleted')
  const wanted = toPlatform(mapping, facts, parseDocument(resource.json), { activeDefault: true })
  const wasOurs = before.unlinkedAccountId === account.id
  // It has been this very user's: what differs by now would not have ended the link either.
  const refusal = wasOurs ? undefined : platform.refuseAdoption?.(account, wanted.attributes)
  if (refusal !== undefined) throw new NotDone('forbidden', refusal)
  const { changes, drift } = compare(mapping, facts, wanted, account.attributes)
  const after: Link = {
    ...before,
    state: 'live',
    accountId: account.id,
    unlinkedAccountId: undefined,
    applied: Object.fromEntries(account.attributes),
    drift: [...new Set([...changes.keys(), ...drift])],
    // What was given to this very account is still ours to take.
    grants: wasOurs ? before.grants : await leftOverGrants(write, name, account.id),
  }
  await write.putLink(after)
  const operation = await write.getOperation(name, resourceId)
  await auditOrder(write, world, name, order, {
    action: 'adopt',
    resourceId,
    operationId: operation?.id,
    accountId: account.id,
    detail: { wasLetGo: isLetGo(before) },
  })
  if (operation?.kind === 'delete') {
    await write.updateOperation(name, operation.id, { state: 'waiting', attempts: 0, dueAt: world.clock.now() })
    return { affected: 1, text: 'the account is linked, and is taken away now, as the deletion of this user asks' }
  }
  await write.showResource(name, 'User', resourceId)
  await putReapplied(write, context, order, { resource, link: after, operation }, 'adopt')
  const isOff = !wanted.active
  return {
    affected: 1,
    text: isOff
      ? 'the account is linked, and is switched off now: the user is not active'
      : 'the account is linked, and is brought to what is stored now',
  }
}

function elsewhere(accountId: AccountId, whom: string): NotDone {
  return new NotDone('linked_elsewhere', `account ${accountId} belongs to ${whom}; unlink it there first`)
}
