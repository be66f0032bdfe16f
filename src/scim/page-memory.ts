import type { Clock } from '../clock.ts'

/** A walk that paused for longer starts counting again: rows may have been deleted before its place. */
const walkPauseMs = 60_000

export interface PageMemory {
  /** The `seq` of the row before 0-based `offset`, when a walk has just been there. */
  recall(place: readonly string[], offset: number): number | undefined
  remember(place: readonly string[], offset: number, seq: number): void
}

/**
 * Remembers where walks by `startIndex` are: the next page then starts by key, which costs the same on every page, while
 * counting rows from the start costs more with each. Bounded: the place used longest ago is forgotten first.
 *
 * A row deleted before the remembered place moves later rows forward by one; a walk by key still returns every remaining
 * row once, where counting would skip one.
 */
export function createPageMemory(limit: number, clock: Clock): PageMemory {
  const places = new Map<string, { readonly seq: number; readonly at: number }>()
  const key = (place: readonly string[], offset: number) => JSON.stringify([...place, offset])
  return {
    recall(place, offset) {
      const known = places.get(key(place, offset))
      return known === undefined || clock.now() - known.at > walkPauseMs ? undefined : known.seq
    },
    remember(place, offset, seq) {
      const name = key(place, offset)
      places.delete(name)
      places.set(name, { seq, at: clock.now() })
      if (places.size <= limit) return
      const [oldest] = places.keys()
      if (oldest !== undefined) places.delete(oldest)
    },
  }
}
