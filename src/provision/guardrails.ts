/**
 * Many people who leave within an hour are more often a mistake in the identity provider (an assignment taken from the
 * wrong group) than a wave of leavers. The alarm is always raised; holding is a choice, because it keeps real leavers active.
 */
import { massDepartureMinimum, massDepartureShare, massDepartureWindowMs } from '../limits.ts'
import type { Operation, StoreWriter } from '../store/store.ts'
import type { ProvisionedConnection, World } from './connection.ts'
import type { AcceptContext } from './intent.ts'

export interface Guardrails {
  /** Parks what exceeds the limit for a human. */
  readonly hold: boolean
}

/** Inside the transaction that accepts a departure. True: more than the limit have left within the window. */
export async function noteDeparture(write: StoreWriter, context: AcceptContext, resourceId: string): Promise<boolean> {
  const { connection, world } = context
  const { name } = connection
  const now = world.clock.now()
  await write.putDeparture(name, resourceId, now)
  const departures = await write.countDepartures(name, now - massDepartureWindowMs)
  const users = await write.count(name, 'User')
  const limit = Math.max(massDepartureMinimum, Math.floor(users * massDepartureShare))
  if (departures <= limit) return false
  // Once when the limit is passed, and again each time as many more have gone.
  if ((departures - 1) % limit === 0) {
    const line = { connection: name, departures, users, limit, held: connection.guardrails.hold, alarm: true }
    world.log.error(
      line,
      'unusually many people have left within an hour; look at the assignments in the identity provider',
    )
  }
  return connection.guardrails.hold
}

/** For the identity provider: the request is kept, and a human decides. */
const heldMessage =
  "Unusually many people were switched off or deleted within an hour; the bridge's operator has to confirm that. The change is kept."

/** What becomes of an operation that an operator holds. */
export const operatorHold = {
  state: 'held',
  errorKind: 'operator',
  errorMessage: "The bridge's operator holds the changes of this user back. The change is kept.",
} as const

/** Why a held operation is. */
export function heldBecause(operation: Partial<Pick<Operation, 'errorKind' | 'errorMessage'>>): string {
  return operation.errorKind === operatorHold.errorKind ? operatorHold.errorMessage : heldMessage
}

export function isHeldByOperator(operation: Pick<Operation, 'state' | 'errorKind'> | undefined): boolean {
  return isHeld(operation) && operation?.errorKind === operatorHold.errorKind
}

export function isHeld(operation: Pick<Operation, 'state'> | undefined): boolean {
  return operation?.state === 'held'
}

/** Who takes `guardrails.hold` away wants what was held to go on. */
export async function releaseHeld(
  { name, guardrails }: ProvisionedConnection,
  { store, clock, log }: World,
): Promise<void> {
  if (guardrails.hold) return
  const released = await store.transaction((write) => write.releaseHeld(name, clock.now()))
  if (released > 0) log.warn({ connection: name, released }, 'held operations go on')
}
