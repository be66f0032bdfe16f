import { type Store, StoreUnavailable } from '../store/store.ts'
import type { StoredState } from './metrics.ts'

/** Undefined: the store is away, which is what whoever watches wants to see. */
export async function storedState(store: Store, connection: string): Promise<StoredState | undefined> {
  try {
    // As `/readyz`: what can be read, and not be written, is as good as away.
    await store.ping()
    const walk = await store.lastFinishedWalk(connection, 'reconcile')
    const waiting = await store.countOperations(connection)
    return { waiting, reconciled: walk && { at: walk.finishedAt ?? walk.askedAt, counts: walk.counts } }
  } catch (error) {
    if (error instanceof StoreUnavailable) return undefined
    throw error
  }
}
