/** Finding accounts by a value. Lists may lag behind what we have made ourselves. */
import type { Clock } from '../../clock.ts'
import { Fault } from '../../errors.ts'
import type { Account, AccountId, Attributes } from '../../facts.ts'
import type { Client } from '../client.ts'
import type { Call } from '../platform.ts'
import type { ShortAccount } from './answers.ts'
import { searchAccounts } from './api.ts'
import { createNotedLately } from './noted-lately.ts'
import type { FigshareSettings } from './settings.ts'

/** Longer than lists are taken to lag. */
const lagMs = 120_000
/** Values of more people than a connection loses in that time: calls are suspended after five in a row. */
const mostLost = 1_000
/** Values of more people than are made in that time, at about a call a second. */
const mostMade = 2_000

export interface Searching {
  /** A create that may have made an account without our knowing: "none" counts for this person only when it is said twice. */
  noteLost(attributes: Attributes): void
  /** An account that lists may not show yet, and whose person may be deleted and pushed again meanwhile. */
  noteMade(attributes: Attributes, id: AccountId): void
  listed(call: Call, attribute: string, value: string): Promise<ShortAccount[]>
  /** Those listed, and those made lately that have the value still. `read`: undefined for one that is gone. */
  found(
    call: Call,
    attribute: string,
    value: string,
    read: (id: AccountId) => Promise<Account | undefined>,
  ): Promise<Account[]>
}

export function createSearching(
  client: Client,
  settings: Pick<FigshareSettings, 'findDelayMs'>,
  clock: Clock,
): Searching {
  const lost = createNotedLately<true>(clock, { ms: lagMs, most: mostLost })
  const made = createNotedLately<AccountId>(clock, { ms: lagMs, most: mostMade })

  async function listed(call: Call, attribute: string, value: string): Promise<ShortAccount[]> {
    if (value === '') return []
    const held = heldUnder(attribute)
    const look = async () => {
      const rows = await searchAccounts(client, call, { name: attribute, value })
      return rows.filter((row) => isSame(attribute, held(row), value))
    }
    const hits = await look()
    // Anybody else's search need not wait.
    if (hits.length > 0 || lost.of(value).length === 0 || settings.findDelayMs === 0) return hits
    await clock.sleep(settings.findDelayMs, call.signal)
    return look()
  }

  return {
    noteLost: (attributes) => lost.note(attributes, true),
    noteMade: (attributes, id) => made.note(attributes, id),
    listed,
    async found(call, attribute, value, read) {
      const ids = new Set((await listed(call, attribute, value)).map((row) => String(row.id)))
      const found: Account[] = []
      for (const id of new Set([...ids, ...made.of(value)])) {
        const account = await read(id)
        if (account === undefined) continue
        if (ids.has(id) || isSame(attribute, account.attributes.get(attribute), value)) found.push(account)
      }
      return found
    },
  }
}

function heldUnder(attribute: string): (row: ShortAccount) => unknown {
  if (attribute === 'institution_user_id') return (row) => row.institution_user_id
  if (attribute === 'email') return (row) => row.email
  throw new Fault(`figshare accounts cannot be found by ${attribute}`)
}

function isSame(attribute: string, held: unknown, value: string): boolean {
  if (typeof held !== 'string') return false
  return attribute === 'email' ? held.toLowerCase() === value.toLowerCase() : held === value
}
