import { randomUUID } from 'node:crypto'
import type { ClaimStore } from '../store/claim-store.ts'
import type { Watched } from './conditions.ts'

/** `elsewhere`: not here, but by another process that shares the store. */
export type Suspension = { readonly reason: string } | 'elsewhere' | undefined

/**
 * Whether calls are suspended anywhere: each process has its own look at the platform, and says in the store while it does not
 * call. What it said is forgotten with it.
 */
export interface Suspensions {
  of(watched: Watched): Promise<Suspension>
  /** This process says nothing any more. */
  end(): Promise<void>
}

export function createSuspensions(store: ClaimStore): Suspensions {
  const name = randomUUID()
  const owner = `suspension/${name}`
  const told = new Set<string>()

  async function takeBack(connection: string): Promise<void> {
    if (!told.has(connection)) return
    await store.releaseClaims(connection, owner)
    told.delete(connection)
  }

  return {
    async of({ connection, suspension }) {
      const reason = suspension()
      if (reason !== undefined) {
        told.add(connection)
        await store.claim(connection, 'suspension', name, owner)
        return { reason }
      }
      await takeBack(connection)
      return (await store.isClaimed(connection, 'suspension')) ? 'elsewhere' : undefined
    },
    async end() {
      // Not done when the store is away: it is forgotten in a minute.
      for (const connection of [...told]) await takeBack(connection).catch(() => undefined)
    },
  }
}
