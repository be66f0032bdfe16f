import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { consoleIdleMs, consoleSessionMs, consoleSessions } from '../limits.ts'

export interface Session {
  /** Of the token that it was begun with; see `Door`. */
  readonly key: string
  /** What every form of the session carries along. */
  readonly formToken: string
  readonly beganAt: number
  usedAt: number
  /** What the next page says first: what a button has done. */
  notice: string | undefined
}

/** Sessions of this process: they end with it, when nobody uses them, and after a working day. */
export interface Sessions {
  /** Answers the value of the cookie; the session itself is known by its digest only. */
  begin(key: string): string
  /** `isUse`: the session is used, and lives on. */
  find(cookie: string, isUse: boolean): Session | undefined
  end(cookie: string): void
}

const sessionBytes = 32

export function createSessions(clock: Clock): Sessions {
  const sessions = new Map<string, Session>()
  return {
    begin(key) {
      const cookie = randomBytes(sessionBytes).toString('base64url')
      const now = clock.now()
      const formToken = randomBytes(sessionBytes).toString('base64url')
      sessions.set(digestOf(cookie), { key, formToken, beganAt: now, usedAt: now, notice: undefined })
      // The first of the Map is the oldest.
      const [oldest] = sessions.keys()
      if (sessions.size > consoleSessions && oldest !== undefined) sessions.delete(oldest)
      return cookie
    },
    find(cookie, isUse) {
      const digest = digestOf(cookie)
      const session = sessions.get(digest)
      if (session === undefined) return undefined
      const now = clock.now()
      if (now - session.usedAt >= consoleIdleMs || now - session.beganAt >= consoleSessionMs) {
        sessions.delete(digest)
        return undefined
      }
      if (isUse) session.usedAt = now
      return session
    },
    end(cookie) {
      sessions.delete(digestOf(cookie))
    },
  }
}

/** Looked up by digest: how long the look-up takes tells nothing of the cookies that there are. */
function digestOf(cookie: string): string {
  return hash('sha256', cookie, 'base64url')
}
