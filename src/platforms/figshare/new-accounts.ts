/** Accounts that we have made lately: lists may not show them yet, and their people may be deleted and pushed again meanwhile. */
import type { Clock } from '../../clock.ts'
import type { AccountId, Attributes } from '../../facts.ts'

/** Longer than lists are taken to lag. */
const newMs = 120_000
/** More than are made in that time, at about a call a second. */
const mostNew = 1_000

export interface NewAccounts {
  note(id: AccountId, attributes: Attributes): void
  /** Made with this value, whatever they have by now. */
  madeWith(value: string): readonly AccountId[]
}

export function createNewAccounts(clock: Clock): NewAccounts {
  const made = new Map<AccountId, { readonly keys: readonly string[]; readonly at: number }>()
  const keyOf = (value: string) => value.toLowerCase()
  const isOver = (at: number) => clock.now() - at >= newMs
  return {
    note(id, attributes) {
      const values = ['institution_user_id', 'email'].map((name) => attributes.get(name))
      const keys = values.filter((value) => typeof value === 'string').map(keyOf)
      made.set(id, { keys, at: clock.now() })
      // The oldest come first.
      for (const [old, { at }] of made) {
        if (!isOver(at) && made.size <= mostNew) break
        made.delete(old)
      }
    },
    madeWith(value) {
      const key = keyOf(value)
      const found: AccountId[] = []
      for (const [id, { keys, at }] of made) if (keys.includes(key) && !isOver(at)) found.push(id)
      return found
    },
  }
}
