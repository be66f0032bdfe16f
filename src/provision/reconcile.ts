/** Reconciling one connection inside the bridge: walks that were asked for or are due, one at a time, behind everything else. */

import { claimRenewalMs } from '../limits.ts'
import type { Walk } from '../store/walk-store.ts'
import { claimWalk, releaseWalk, storeOfClaim } from './claims.ts'
import type { World } from './connection.ts'
import type { Provision } from './provision.ts'
import type { ToDocument } from './reconcile-import.ts'
import { reconcileCaller } from './reconcile-operation.ts'
import { hasEnded, stepWalk, type WalkContext } from './reconcile-walk.ts'
import { askWatches } from './watch.ts'

const tickMs = 1_000

export interface Reconcile {
  start(): void
  /** The walk under way goes on with the next start. */
  stop(): Promise<void>
}

export interface ReconcileSettings {
  /** Milliseconds from one report to the next; undefined: only when asked. */
  readonly everyMs: number | undefined
  readonly toDocument: ToDocument
}

export function createReconcile(provision: Provision, world: World, settings: ReconcileSettings): Reconcile {
  const { connection } = provision
  const { store, clock, log } = world
  const { name } = connection
  const stopping = new AbortController()
  const walking = { ...world, store: storeOfClaim(store, (write) => claimWalk(write, name)) }
  const context: WalkContext = {
    connection,
    world: walking,
    toDocument: settings.toDocument,
    stopping: stopping.signal,
  }
  let claim: { isOurs: boolean; readonly askedAt: number } | undefined
  let loop: Promise<void> | undefined

  /** Whoever waits for the platform goes first, and a platform that is away is left alone. */
  async function mustWait(): Promise<boolean> {
    if (provision.suspension() !== undefined || provision.isBusy()) return true
    return (await store.dueOperations(name, clock.now(), 1)).length > 0
  }

  async function askWhenDue(): Promise<void> {
    const { everyMs } = settings
    if (everyMs === undefined || (await store.currentWalk(name)) !== undefined) return
    const last = await store.lastAskedWalk(name, 'reconcile')
    const now = clock.now()
    if (last !== undefined && last.askedAt + everyMs > now) return
    await store.transaction((write) => write.addWalk(name, { ...scheduled, askedAt: now }))
  }

  /** Of several processes one walks: it renews its claim, the others ask for it, every 20 s. */
  async function isOurs(): Promise<boolean> {
    // The store's time, not the world's: how long it is since it was asked.
    const now = performance.now()
    if (claim === undefined || now - claim.askedAt >= claimRenewalMs) {
      claim = { isOurs: await claimWalk(store, name), askedAt: now }
    }
    return claim.isOurs
  }

  async function turn(): Promise<void> {
    if (!(await isOurs())) return
    // A page of accounts may take minutes.
    const renewal = setInterval(() => void isOurs().catch(() => undefined), claimRenewalMs)
    try {
      await walk()
    } finally {
      clearInterval(renewal)
    }
  }

  async function walk(): Promise<void> {
    await askWatches(connection, walking)
    await askWhenDue()
    let current: Walk | undefined = await store.currentWalk(name)
    if (current === undefined) return
    while (!hasEnded(current) && !stopping.signal.aborted) {
      if (current.dueAt > clock.now() || (await mustWait())) return
      const { failures } = current
      current = await stepWalk(context, current, (error) => provision.noteFailure(error))
      if (current.failures > failures) return
    }
    // A repair has put operations into the outbox.
    provision.wake()
  }

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await turn()
      } catch (error) {
        log.error({ connection: name, err: error }, 'reconciling could not go on')
      }
      await clock.sleep(tickMs, stopping.signal).catch(() => undefined)
    }
  }

  return {
    start() {
      loop ??= work()
    },
    async stop() {
      stopping.abort(new Error('the bridge is stopping'))
      await loop
      if (claim?.isOurs === true) await releaseWalk(store, name).catch(() => undefined)
    },
  }
}

/** A report; what was accepted long ago is mended all the same. */
const scheduled = {
  purpose: 'reconcile',
  caller: reconcileCaller,
  isRepair: false,
  isRecreate: false,
  isDryRun: false,
} as const
