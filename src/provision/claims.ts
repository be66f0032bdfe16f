import type { AccountId } from '../facts.ts'
import type { ClaimStore } from '../store/claim-store.ts'
import { type Store, StoreUnavailable, type StoreWriter } from '../store/store.ts'

/**
 * Accounts that attempts in work are about to take over. The store learns of it only at their end, and two users who fit
 * one account at the same time would both write to it before.
 */
export interface Claims {
  /** False when another resource has claimed the account. */
  claim(account: AccountId, resourceId: string): boolean
  /** Gives back everything that the resource has claimed. */
  release(resourceId: string): void
}

export function createClaims(): Claims {
  const holders = new Map<AccountId, string>()
  return {
    claim(account, resourceId) {
      const holder = holders.get(account) ?? resourceId
      if (holder !== resourceId) return false
      holders.set(account, resourceId)
      return true
    },
    release(resourceId) {
      for (const [account, holder] of holders) if (holder === resourceId) holders.delete(account)
    },
  }
}

/** Another process has taken over what this one was at. */
export class ClaimLost extends StoreUnavailable {}

/** One process at a time is at a link; false while it is another one. Claimed again, the time begins anew. */
export function claimLink(store: ClaimStore, connection: string, resourceId: string): Promise<boolean> {
  return store.claim(connection, 'link', resourceId, resourceId)
}

/** False when another process has been at the link meanwhile: it may have changed what an attempt of this one has read. */
export function keepLink(store: ClaimStore, connection: string, resourceId: string): Promise<boolean> {
  return store.renewClaim(connection, 'link', resourceId, resourceId)
}

/** Not done when the store is away: the claim ends by itself. */
export async function releaseLink(store: ClaimStore, connection: string, resourceId: string): Promise<void> {
  await store.releaseClaims(connection, resourceId).catch(() => undefined)
}

/** One process at a time walks over the accounts of a connection. */
export function claimWalk(store: ClaimStore, connection: string): Promise<boolean> {
  return store.claim(connection, 'walk', '', walkOwner)
}

export function releaseWalk(store: ClaimStore, connection: string): Promise<void> {
  return store.releaseClaims(connection, walkOwner)
}

const walkOwner = 'walk'

/**
 * The store as the holder of a claim uses it: everything that it writes, the line before each of its calls included, needs the
 * claim. Who was taken for dead meanwhile calls no more, and stores nothing over what the next one has found.
 */
export function storeOfClaim(store: Store, claim: (write: StoreWriter) => Promise<boolean>): Store {
  return {
    ...store,
    transaction: (work) =>
      store.transaction(async (write) => {
        // Asked together, so that the claim costs no time of its own: what is done without it is not stored.
        const begun = async () => work(write)
        const [isOurs, done] = await Promise.allSettled([claim(write), begun()])
        if (isOurs.status === 'rejected') throw isOurs.reason
        if (!isOurs.value) throw new ClaimLost('this took too long: another process has taken it over')
        if (done.status === 'rejected') throw done.reason
        return done.value
      }),
  }
}
