/** Reconciling one connection inside the bridge: walks that were asked for or are due, one at a time, behind everything else. */
import type { Walk } from '../store/walk-store.ts'
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
  const context: WalkContext = { connection, world, toDocument: settings.toDocument, stopping: stopping.signal }
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

  async function turn(): Promise<void> {
    await askWatches(connection, world)
    await askWhenDue()
    let walk: Walk | undefined = await store.currentWalk(name)
    if (walk === undefined) return
    while (!hasEnded(walk) && !stopping.signal.aborted) {
      if (walk.dueAt > clock.now() || (await mustWait())) return
      const { failures } = walk
      walk = await stepWalk(context, walk, (error) => provision.noteFailure(error))
      if (walk.failures > failures) return
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
