/** What is done about a finding. Each remedy looks again first: between the walk and now anything may have happened. */
import { PlatformError } from '../errors.ts'
import { compare, isActive, toPlatform } from '../mapping/evaluate.ts'
import type { Call } from '../platforms/platform.ts'
import { AccountTaken, type Operation, type StoreWriter } from '../store/store.ts'
import type { Finding, Walk } from '../store/walk-store.ts'
import type { ProvisionedConnection, World } from './connection.ts'
import { isActiveDocument, parseDocument } from './document.ts'
import { findAccount } from './find-account.ts'
import { leftOverGrants } from './left-over-grants.ts'
import { isLetGo } from './reach-let-go.ts'
import { grantsAttribute } from './reconcile-grants.ts'
import { putOwnOperation, reconcileCaller } from './reconcile-operation.ts'

export interface RepairContext {
  readonly connection: ProvisionedConnection
  readonly world: World
  readonly walk: Walk
}

const asked = 'asked'
const linked = 'linked'
const underWay = 'left alone: an operation is under way'
const changed = 'left alone: it has changed meanwhile'

/** Whether this walk may do it. Switching off was accepted long ago and needs nobody's word. */
export function mayRepair({ isRepair, isRecreate }: Walk, { remedy }: Finding): boolean {
  if (remedy === 'switch_off') return true
  return remedy === 'create' ? isRecreate : remedy !== undefined && isRepair
}

/** Answers what was done, or why nothing. Throws `PlatformError` when the platform could not be asked. */
export async function repair(call: Call, context: RepairContext, finding: Finding): Promise<string> {
  if (finding.remedy === 'link') return link(call, context, finding)
  return context.world.store.transaction((write) =>
    finding.situation === 'revived' ? switchOffFormer(write, context, finding) : bring(write, context, finding),
  )
}

/** Drifted, or to be made again: what is stored goes the way of every update. */
async function bring(write: StoreWriter, context: RepairContext, finding: Finding): Promise<string> {
  const { connection } = context
  const { resourceId = '', remedy } = finding
  const present = await linkedResource(write, context, finding)
  if (present === undefined) return changed
  const { json, version, operation, link } = present
  if (isUnfinished(operation)) return underWay
  const isOn = isActiveDocument(parseDocument(json))
  if (isOn !== (remedy !== 'switch_off')) return changed
  const isNew = remedy === 'create'
  // The account is gone, and what it was given: without its id the next attempt finds none and makes one.
  if (isNew) await write.putLink({ ...link, accountId: undefined, applied: undefined, grants: [] })
  await putOwnOperation(write, context.world, {
    connection: connection.name,
    caller: reconcileCaller,
    requestId: requestIdOf(context),
    resourceId,
    accountId: finding.accountId,
    kind: isNew ? 'create' : 'update',
    about: finding.attributes.includes(grantsAttribute) ? 'both' : (operation?.about ?? 'account'),
    isDeprovisioning: !isOn,
    // Only what a request has asked for explicitly and has not got yet.
    mayActivate: isOn && operation?.mayActivate === true,
    before: json,
    version,
    unknownSince: operation?.unknownSince,
  })
  return asked
}

async function linkedResource(write: StoreWriter, { connection: { name } }: RepairContext, finding: Finding) {
  const { resourceId = '', accountId } = finding
  const link = await write.getLink(name, resourceId)
  const resource = await write.getAnyResource(name, 'User', resourceId)
  if (link?.state !== 'live' || link.accountId !== accountId || resource === undefined) return undefined
  const operation = await write.getOperation(name, resourceId)
  return { link, operation, json: resource.json, version: resource.version }
}

function isUnfinished(operation: Operation | undefined): boolean {
  return operation !== undefined && operation.state !== 'failed'
}

/** A deleted user's account is on again: the deletion is made once more. */
async function switchOffFormer(write: StoreWriter, context: RepairContext, finding: Finding): Promise<string> {
  const { name } = context.connection
  const { resourceId = '', accountId } = finding
  const tombstone = await write.getLink(name, resourceId)
  if (tombstone?.state !== 'tombstone' || tombstone.accountId !== accountId) return changed
  if ((await write.findLinkByAccount(name, accountId)) !== undefined) return changed
  if ((await write.letGoBy(name, accountId)) !== undefined) return changed
  if ((await write.getOperation(name, resourceId)) !== undefined) return underWay
  const { userName, externalId } = tombstone
  await putOwnOperation(write, context.world, {
    connection: name,
    caller: reconcileCaller,
    requestId: requestIdOf(context),
    resourceId,
    accountId,
    kind: 'delete',
    about: 'account',
    isDeprovisioning: true,
    mayActivate: false,
    before: JSON.stringify({ userName, externalId, active: false }),
    version: 0,
    unknownSince: undefined,
  })
  return asked
}

/** The same search as before a create has to find this very account; then the two belong together. Nothing is written but that a leaver is off. */
async function link(call: Call, context: RepairContext, finding: Finding): Promise<string> {
  const { connection, world } = context
  const { name, mapping, facts } = connection
  const { resourceId = '', accountId } = finding
  const resource = await world.store.getResource(name, 'User', resourceId)
  if (resource === undefined) return changed
  const wanted = toPlatform(mapping, facts, parseDocument(resource.json), { activeDefault: true })
  const isLinkedElsewhere = async (id: string) => {
    const holder = await world.store.findLinkByAccount(name, id)
    return holder !== undefined && holder.resourceId !== resourceId
  }
  try {
    const account = await findAccount(call, { connection, isLinkedElsewhere }, wanted.attributes)
    if (account?.id !== accountId) return changed
    const { changes, drift } = compare(mapping, facts, wanted, account.attributes)
    const isOff = wanted.active && !isActive(mapping, account.attributes)
    const differing = [...changes.keys(), ...drift, ...(isOff ? facts.statusAttributes : [])]
    return await world.store.transaction(async (write) => {
      const present = await write.getLink(name, resourceId)
      const operation = await write.getOperation(name, resourceId)
      if (present === undefined || present.state === 'tombstone' || present.accountId !== undefined) return changed
      if (isLetGo(present)) return changed
      if (isUnfinished(operation)) return underWay
      const applied = Object.fromEntries(account.attributes)
      await write.putLink({
        ...present,
        state: 'live',
        accountId,
        applied,
        drift: [...new Set(differing)],
        // Nothing was given to this account for this user yet.
        grants: await leftOverGrants(write, name, accountId),
      })
      await write.showResource(name, 'User', resourceId)
      // The account that it could not make is here.
      if (operation?.kind === 'create') await write.deleteOperation(name, operation.id)
      await auditLinked(write, context, finding, 'link')
      // Accepted long ago: somebody who has left must not stay on until the next walk.
      const isStillOn = !wanted.active && isActive(mapping, account.attributes)
      const done = isStillOn ? await bring(write, context, { ...finding, remedy: 'switch_off' }) : linked
      return done === asked ? asked : linked
    })
  } catch (error) {
    if (error instanceof AccountTaken) return changed
    if (error instanceof PlatformError && error.rule.retry === 'stop') return `left alone: ${error.kind}`
    throw error
  }
}

export async function auditLinked(
  write: StoreWriter,
  context: RepairContext,
  { resourceId, accountId }: Pick<Finding, 'resourceId' | 'accountId'>,
  kind: 'link' | 'import',
): Promise<void> {
  await write.appendAudit(context.connection.name, {
    at: new Date(context.world.clock.now()).toISOString(),
    event: 'outcome',
    requestId: requestIdOf(context),
    caller: reconcileCaller,
    resourceId,
    operationId: undefined,
    accountId,
    detail: { outcome: 'linked', kind },
  })
}

function requestIdOf({ walk }: RepairContext): string {
  return `${walk.purpose} ${walk.number}`
}
