/** What was noted of people a short while ago, by the values that their accounts are searched by. */
import type { Clock } from '../../clock.ts'
import type { Attributes } from '../../facts.ts'

export interface NotedLately<Noted> {
  note(attributes: Attributes, noted: Noted): void
  /** Of whoever had this value then, whatever they have by now. */
  of(value: string): readonly Noted[]
}

interface Entry<Noted> {
  readonly noted: Noted
  readonly at: number
}

/** `most`: values that are remembered, two for each person. */
export function createNotedLately<Noted>(
  clock: Clock,
  { ms, most }: { readonly ms: number; readonly most: number },
): NotedLately<Noted> {
  const byValue = new Map<string, readonly Entry<Noted>[]>()
  const keyOf = (value: string) => value.toLowerCase()
  const present = (key: string) => (byValue.get(key) ?? []).filter(({ at }) => clock.now() - at < ms)
  return {
    note(attributes, noted) {
      for (const name of ['institution_user_id', 'email']) {
        const value = attributes.get(name)
        if (typeof value !== 'string') continue
        const key = keyOf(value)
        const others = present(key).filter((entry) => entry.noted !== noted)
        // Anew at the end: the oldest come first.
        byValue.delete(key)
        byValue.set(key, [...others, { noted, at: clock.now() }])
      }
      for (const key of byValue.keys()) {
        if (present(key).length > 0 && byValue.size <= most) break
        byValue.delete(key)
      }
    },
    of: (value) => present(keyOf(value)).map(({ noted }) => noted),
  }
}
