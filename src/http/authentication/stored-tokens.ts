import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import { type Credentials, lastUseStepMs, type StoredToken } from '../../store/credentials.ts'
import type { Caller } from './caller.ts'
import { sha256 } from './digest.ts'
import { NotAuthenticated } from './refusal.ts'

/** So that people, and programs that look for leaked secrets, see what it is. */
export const tokenPrefix = 'scimb_'

/** A token that `scim-bridge token create` has made; throws `NotAuthenticated` or `StoreUnavailable`. */
export type IdentifyStored = (connection: string, token: string) => Promise<Caller>

export function storedTokens({
  credentials,
  clock,
  log,
}: {
  readonly credentials: Credentials
  readonly clock: Clock
  readonly log: Log
}): IdentifyStored {
  const noted = new Map<number, number>()

  function noteUse({ id, lastUsedAt = 0 }: StoredToken): void {
    const now = clock.now()
    if (now - Math.max(lastUsedAt, noted.get(id) ?? 0) < lastUseStepMs) return
    noted.set(id, now)
    setImmediate(() => {
      // Nobody waits for it, and nothing is wrong without it.
      credentials
        .noteUse(id, now)
        .catch((error: unknown) => log.warn({ err: error }, 'a last use was not written down'))
    })
  }

  return async (connection, token) => {
    const presented = sha256(token)
    const stored = (await credentials.tokens()).get(presented.toString('hex'))
    if (stored === undefined || !timingSafeEqual(Buffer.from(stored.sha256, 'hex'), presented)) {
      throw new NotAuthenticated('unknown')
    }
    if (stored.connection !== connection) throw new NotAuthenticated('unknown')
    const caller = `token:${stored.name}`
    if (stored.revokedAt !== undefined) throw new NotAuthenticated('revoked', { caller })
    if (stored.expiresAt !== undefined && clock.now() >= stored.expiresAt) {
      throw new NotAuthenticated('expired', { caller })
    }
    noteUse(stored)
    return { name: caller, role: stored.role }
  }
}

export function isUsable(token: StoredToken, now: number): boolean {
  return token.revokedAt === undefined && (token.expiresAt === undefined || now < token.expiresAt)
}
