/** What operators are told of, and whether it is so now. */
import { massDepartureMinimum, massDepartureShare, massDepartureWindowMs } from '../limits.ts'
import type { AlarmReader } from '../store/alarm-store.ts'
import type { StoreReader } from '../store/store.ts'

export const alarmKinds = ['suspended', 'departure_late', 'failed', 'mass_departure'] as const
export type AlarmKind = (typeof alarmKinds)[number]

export type Detail = Readonly<Record<string, string | number>>

export interface Watched {
  readonly connection: string
  /** Why calls to the platform are suspended; undefined: they are not. */
  suspension(): string | undefined
}

/**
 * Those that are so, each with what is known of it. Counts and classes, nothing of a person. `suspended`: undefined when calls are
 * not suspended.
 */
export async function conditionsOf(
  store: Pick<StoreReader & AlarmReader, 'alarming' | 'count'>,
  { connection, suspended }: { readonly connection: string; readonly suspended: Detail | undefined },
  now: number,
  departureMs: number,
): Promise<ReadonlyMap<AlarmKind, Detail>> {
  const found = new Map<AlarmKind, Detail>()
  if (suspended !== undefined) found.set('suspended', suspended)
  const before = new Date(now - departureMs).toISOString()
  const { failed, lateDepartures, left: people } = await store.alarming(connection, before, now - massDepartureWindowMs)
  if (lateDepartures > 0) found.set('departure_late', { people: lateDepartures, minutes: departureMs / 60_000 })
  if (failed > 0) found.set('failed', { operations: failed })
  const users = await store.count(connection, 'User')
  const limit = Math.max(massDepartureMinimum, Math.floor(users * massDepartureShare))
  if (people > limit) found.set('mass_departure', { people, users, limit })
  return found
}

/** One sentence for whoever is woken by it: what is so, and where to look. */
export function sentenceOf(kind: AlarmKind, connection: string, detail: Detail): string {
  const sentences: Readonly<Record<AlarmKind, string>> = {
    suspended: `${connection}: calls to the platform are suspended (${detail.reason}); see scim-bridge check and scim-bridge resume`,
    departure_late: `${connection}: ${detail.people} who left may still have an account that is on, after more than ${detail.minutes} minutes`,
    failed: `${connection}: ${detail.operations} changes were given up; see scim-bridge users show`,
    mass_departure: `${connection}: ${detail.people} of ${detail.users} people left within an hour; look at the assignments in the identity provider`,
  }
  return sentences[kind]
}
