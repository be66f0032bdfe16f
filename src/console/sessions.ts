import { createHmac, hash, randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { consoleIdleMs, consoleSessionMs, consoleSessions, consoleUseStepMs } from '../limits.ts'
import type { SessionStore } from '../store/session-store.ts'

export interface Session {
  /** Of the token that it was begun with; see `Door`. */
  readonly key: string
  /** What every form of the session carries along. */
  readonly formToken: string
}

/** Sessions of all replicas: they end when nobody uses them, after a working day, and when somebody signs out at any of them. */
export interface Sessions {
  /** Answers the value of the cookie; the session itself is known by its digest only. */
  begin(key: string): Promise<string>
  /** `isUse`: the session is used, and lives on. */
  find(cookie: string, isUse: boolean): Promise<Session | undefined>
  end(cookie: string): Promise<void>
}

const sessionBytes = 32

export function createSessions(store: SessionStore, clock: Clock): Sessions {
  return {
    async begin(key) {
      const cookie = randomBytes(sessionBytes).toString('base64url')
      const now = clock.now()
      const bounds = { usedBefore: now - consoleIdleMs, beganBefore: now - consoleSessionMs, most: consoleSessions }
      await store.begin({ digest: digestOf(cookie), key, beganAt: now, usedAt: now }, bounds)
      return cookie
    },
    async find(cookie, isUse) {
      const digest = digestOf(cookie)
      const session = await store.get(digest)
      if (session === undefined) return undefined
      const { key, beganAt, usedAt } = session
      const now = clock.now()
      if (now - usedAt >= consoleIdleMs || now - beganAt >= consoleSessionMs) {
        await store.end(digest)
        return undefined
      }
      // A store that takes nothing at the moment must not put out who looks for the reason.
      if (isUse && now - usedAt >= consoleUseStepMs) await store.use(digest, now).catch(() => undefined)
      return { key, formToken: derived(cookie, 'form') }
    },
    end: (cookie) => store.end(digestOf(cookie)),
  }
}

/** Who has the cookie has it, and nobody else: neither the store nor another session. */
export function derived(cookie: string, purpose: string): string {
  return createHmac('sha256', cookie).update(purpose).digest('base64url')
}

/** Looked up by digest: how long the look-up takes tells nothing of the cookies that there are. */
function digestOf(cookie: string): string {
  return hash('sha256', cookie, 'base64url')
}
