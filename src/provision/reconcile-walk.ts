/**
 * One walk over a connection's accounts, step by step. After each step its place is durable: an interruption costs one page.
 * The platform is only read here; what a remedy writes goes through the outbox.
 */
import { setImmediate } from 'node:timers/promises'
import { startDeadline } from '../deadline.ts'
import { Broken, Fault, PlatformError, Unknown } from '../errors.ts'
import { walkAccounts, walkBatch, walkFailures, walkPageMs, walkPages, walkReads } from '../limits.ts'
import type { Call } from '../platforms/platform.ts'
import type { Walk } from '../store/walk-store.ts'
import type { ProvisionedConnection, World } from './connection.ts'
import { isActiveDocument, parseDocument } from './document.ts'
import { deletedFinding } from './reconcile-classify.ts'
import { finishWalk, forgetFailed } from './reconcile-finish.ts'
import { accountsWithOtherGrants } from './reconcile-grants.ts'
import { importAccount, type ToDocument } from './reconcile-import.ts'
import { keysOfDocument } from './reconcile-keys.ts'
import { noteAccounts, type OnStranger } from './reconcile-page.ts'
import { mayRepair, repair } from './reconcile-repair.ts'
import { retryWaitMs } from './retry.ts'

export interface WalkContext {
  readonly connection: ProvisionedConnection
  readonly world: World
  readonly toDocument: ToDocument
  /** Aborted when the process ends: the walk goes on with the next start. */
  readonly stopping: AbortSignal
}

/** A walk that lost more than this share of its accounts against the last one is reported as short. */
const shortShare = 0.8

export function hasEnded({ phase }: Walk): boolean {
  return phase === 'finished' || phase === 'failed'
}

/** Makes one step and answers the walk after it. Throws only failures of the store. */
export async function stepWalk(
  context: WalkContext,
  walk: Walk,
  noteFailure: (error: PlatformError) => void = () => {},
): Promise<Walk> {
  const { stopping } = context
  const deadline = startDeadline(walkPageMs, [stopping])
  const { signal } = deadline
  const refuse = () => Promise.reject(new Fault('a walk writes nothing'))
  const call: Call = { signal, beforeWrite: refuse, created: refuse }
  // SQLite answers at once: without a turn of the event loop a step that calls nothing would keep requests waiting.
  await setImmediate()
  try {
    const next = await step(call, context, walk)
    if (hasEnded(next)) return next
    return await store(context, { ...next, failures: 0, error: undefined })
  } catch (error) {
    if (stopping.aborted) return walk
    const failure = asFailure(error, signal)
    if (failure === undefined) throw error
    noteFailure(failure)
    return await putOff(context, walk, failure)
  } finally {
    deadline.end()
  }
}

function asFailure(error: unknown, signal: AbortSignal): PlatformError | undefined {
  if (error instanceof PlatformError) return error
  if (signal.aborted) return new Unknown(`a page took longer than ${walkPageMs} ms`, { cause: error })
  return undefined
}

/** Goes on later at the same place; after too many failures in a row the walk has failed, and nothing more is concluded. */
async function putOff(context: WalkContext, walk: Walk, failure: PlatformError): Promise<Walk> {
  const { connection, world } = context
  const failures = walk.failures + 1
  const line = { connection: connection.name, walk: walk.number, error: failure.kind, detail: failure.detail }
  const mustEnd = failures >= walkFailures || failure.rule.retry === 'stop'
  if (mustEnd) world.log.error({ ...line, alarm: true }, 'a walk over the accounts has failed')
  else world.log.warn(line, 'a walk over the accounts was interrupted')
  const { maximumRetryMs: maximumMs } = connection
  const waitMs = retryWaitMs(failures, { maximumMs, toldMs: failure.retryAfterMs, random: world.random })
  const later: Walk = { ...walk, failures, error: failure.kind, dueAt: world.clock.now() + waitMs }
  if (!mustEnd) return store(context, later)
  const failed = await store(context, { ...later, phase: 'failed', finishedAt: world.clock.now() })
  await forgetFailed(context, failed)
  return failed
}

async function store({ world }: WalkContext, walk: Walk): Promise<Walk> {
  await world.store.transaction((write) => write.updateWalk(walk))
  return walk
}

function step(call: Call, context: WalkContext, walk: Walk): Promise<Walk> {
  switch (walk.phase) {
    case 'asked':
      return begin(context, walk)
    case 'keys':
      return indexUsers(context, walk)
    case 'accounts':
      return walkPage(call, context, walk)
    case 'absent':
      return readMissing(call, context, walk)
    case 'repair':
      return repairSome(call, context, walk)
    default:
      throw new Fault(`walk ${walk.number} has ended`)
  }
}

async function begin({ connection, world }: WalkContext, walk: Walk): Promise<Walk> {
  if (walk.purpose === 'reconcile')
    await world.store.transaction((write) => write.hurryWatches(connection.name, world.clock.now()))
  return { ...walk, phase: 'keys', place: undefined }
}

/** In platform terms, and anew for each walk: the mapping may have changed. */
async function indexUsers({ connection, world }: WalkContext, walk: Walk): Promise<Walk> {
  const { name, mapping, facts } = connection
  const afterSeq = Number(walk.place ?? 0)
  const users = await world.store.list(name, { type: 'User', afterSeq, limit: walkBatch })
  await world.store.transaction(async (write) => {
    for (const user of users) {
      const keys = keysOfDocument(mapping, facts, parseDocument(user.json))
      for (const key of [...keys.match, ...keys.distinct]) await write.putMatchKey(name, walk.number, key, user.id)
    }
  })
  const last = users.at(-1)
  if (last === undefined || users.length < walkBatch) return { ...walk, phase: 'accounts', place: undefined }
  return { ...walk, place: String(last.seq) }
}

async function walkPage(call: Call, context: WalkContext, walk: Walk): Promise<Walk> {
  const { connection, world, toDocument } = context
  const readAt = world.clock.now()
  const { pages, cursor } = placeOf(walk)
  const { accounts, next } = await connection.platform.list(call, cursor)
  if (next !== undefined && next === cursor) throw new Broken(`${connection.name}: the list of accounts repeats itself`)
  const isImport = walk.purpose === 'import'
  const otherGrants = isImport
    ? new Set<string>()
    : await accountsWithOtherGrants(call, connection, world.store, accounts)
  return world.store.transaction(async (write) => {
    const importing: OnStranger = (account, finding) =>
      importAccount(write, { connection, world, walk }, toDocument, account, finding)
    const fresh = await noteAccounts(
      write,
      connection,
      { walk, accounts, readAt, otherGrants },
      isImport ? importing : undefined,
    )
    const walked = walk.accounts + fresh
    const isCutOff = next !== undefined && (walked >= walkAccounts || pages + 1 >= walkPages)
    const after: Walk = { ...walk, accounts: walked, isShort: isCutOff, place: `${pages + 1} ${next}` }
    if (next !== undefined && !isCutOff) {
      // In the transaction of what was found: a page is met once, and imported once.
      await write.updateWalk(after)
      return after
    }
    const last = await write.lastFinishedWalk(connection.name, walk.purpose)
    const isShort = isCutOff || (last !== undefined && walked < last.accounts * shortShare)
    const done: Walk = { ...after, isShort, phase: isImport ? 'repair' : 'absent', place: undefined }
    await write.updateWalk(done)
    return done
  })
}

/** Kept as `<pages> <cursor>`: a list that goes in circles ends, too. */
function placeOf({ place }: Walk): { pages: number; cursor: string | undefined } {
  if (place === undefined) return { pages: 0, cursor: undefined }
  const gap = place.indexOf(' ')
  return { pages: Number(place.slice(0, gap)), cursor: place.slice(gap + 1) }
}

/** A list proves no absence: rows shift, pages end early, rights change. A read by id does. */
async function readMissing(call: Call, { connection, world }: WalkContext, walk: Walk): Promise<Walk> {
  const { name, platform } = connection
  const missing = await world.store.transaction((write) =>
    write.missingAccounts(name, walk.number, walk.place ?? '', walkReads),
  )
  const [first] = missing
  if (first === undefined) return { ...walk, phase: 'repair', place: undefined }
  const { accountId, resourceId, json, operationState } = first
  const place = resourceId
  // On its way to somewhere: the operation finds out for itself.
  if (operationState !== undefined && operationState !== 'failed') return { ...walk, place }
  const readAt = world.clock.now()
  const account = await platform.read(call, accountId)
  return world.store.transaction(async (write) => {
    if (account !== undefined) await noteAccounts(write, connection, { walk, accounts: [account], readAt })
    else if ((await write.getLink(name, resourceId))?.accountId === accountId) {
      const isWanted = json !== undefined && isActiveDocument(parseDocument(json))
      await write.putFinding(name, walk.number, deletedFinding(accountId, resourceId, isWanted))
    }
    return { ...walk, place }
  })
}

async function repairSome(call: Call, context: WalkContext, walk: Walk): Promise<Walk> {
  const { connection, world } = context
  const afterAccount = walk.place ?? ''
  const isReconcile = walk.purpose === 'reconcile'
  const limit = walkReads
  const open = isReconcile
    ? await world.store.findings(connection.name, walk.number, { isOpen: true, afterAccount, limit })
    : []
  for (const finding of open) {
    if (!mayRepair(walk, finding)) continue
    const done = await repair(call, { connection, world, walk }, finding)
    await world.store.transaction((write) => write.putFinding(connection.name, walk.number, { ...finding, done }))
  }
  const last = open.at(-1)
  if (last === undefined || open.length < limit) return finishWalk(context, walk)
  return { ...walk, place: last.accountId }
}
