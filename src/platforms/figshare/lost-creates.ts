/** Whom a create of ours may have made without our knowing: lists may lag, and "none" counts only when it is said twice. */
import type { Clock } from '../../clock.ts'
import type { Attributes } from '../../facts.ts'

/** How long after a lost create an empty search for that person is asked once more. */
const lostCreateMs = 120_000
/** More than a connection loses in that time: calls are suspended after five in a row. */
const mostLost = 1_000

export interface LostCreates {
  note(attributes: Attributes): void
  /** Whether the search is for somebody whose create was lost lately. Anybody else's search need not wait. */
  mayLag(value: string): boolean
}

export function createLostCreates(clock: Clock): LostCreates {
  const lostAt = new Map<string, number>()
  const keyOf = (value: string) => value.toLowerCase()
  const isOver = (at: number) => clock.now() - at >= lostCreateMs
  return {
    note(attributes) {
      for (const name of ['institution_user_id', 'email']) {
        const value = attributes.get(name)
        if (typeof value !== 'string') continue
        const key = keyOf(value)
        // Anew at the end: the oldest come first.
        lostAt.delete(key)
        lostAt.set(key, clock.now())
      }
      for (const [key, at] of lostAt) {
        if (!isOver(at) && lostAt.size <= mostLost) break
        lostAt.delete(key)
      }
    },
    mayLag(value) {
      const at = lostAt.get(keyOf(value))
      return at !== undefined && !isOver(at)
    },
  }
}
