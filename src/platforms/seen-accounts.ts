/**
 * Which accounts a walk has given out already. Rows shift between pages while people come and go, and OpenSpecimen
 * sorts without a tie-breaker: without this memory an account would be listed twice.
 */
import type { Account } from '../facts.ts'

export interface SeenAccounts {
  /** Starts a new walk and forgets the one before. Returns its number. */
  begin(): number
  /** Accounts of this page that the walk has not given out; all of them when the walk began in another process. */
  fresh<T extends Pick<Account, 'id'>>(walk: number, rows: readonly T[]): T[]
  /** How many the walk has given out; `undefined` when it did not begin here, so that the number means nothing. */
  count(walk: number): number | undefined
}

export function createSeenAccounts(now: () => number): SeenAccounts {
  let current = 0
  let seen = new Set<string>()
  return {
    begin() {
      // Time makes the number differ from those of an earlier process, whose cursors may be resumed here.
      current = Math.max(current + 1, now())
      seen = new Set()
      return current
    },
    fresh(walk, rows) {
      const before = walk === current ? seen : new Set<string>()
      return rows.filter((row) => !before.has(row.id) && before.add(row.id))
    },
    count: (walk) => (walk === current ? seen.size : undefined),
  }
}
