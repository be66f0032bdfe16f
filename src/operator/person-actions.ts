/** What may be done about one person. Whether it is possible is decided where it is done. */
import type { OperatorActions } from '../provision/operator.ts'
import type { Done, Order } from '../provision/operator-order.ts'
import type { Link, Operation } from '../store/store.ts'

export const personActions = ['retry', 'hold', 'release', 'reapply', 'unlink', 'adopt'] as const
export type PersonAction = (typeof personActions)[number]

/** Those that could make sense now. */
export function actionsFor(link: Link | undefined, operation: Operation | undefined, isKnown: boolean): PersonAction[] {
  const actions: PersonAction[] = []
  const isHeld = operation?.state === 'held'
  const hasAccount = link?.accountId !== undefined && link.state === 'live'
  if (operation !== undefined && !isHeld) actions.push('retry', 'hold')
  if (isHeld) actions.push('release')
  if (isKnown && link?.state === 'live') actions.push('reapply')
  if (hasAccount) actions.push('unlink')
  if (isKnown && link !== undefined && link.state !== 'tombstone' && link.accountId === undefined) actions.push('adopt')
  return actions
}

export function isPersonAction(text: string | undefined): text is PersonAction {
  return personActions.some((action) => action === text)
}

export interface Choices {
  /** Of `adopt`. */
  readonly accountId: string
  /** Of `unlink`. */
  readonly isForced: boolean
}

/** Throws `NotDone`. */
export function actOnPerson(
  operator: OperatorActions,
  order: Order,
  user: string,
  action: PersonAction,
  { accountId, isForced }: Choices,
): Promise<Done> {
  if (action === 'unlink') return operator.unlink(order, user, { isForced })
  return action === 'adopt' ? operator.adopt(order, user, accountId) : operator[action](order, user)
}
