import { operatorNameLength, operatorReasonLength } from '../limits.ts'
import type { StoreWriter } from '../store/store.ts'
import type { World } from './connection.ts'
import { operatorCaller } from './reconcile-operation.ts'

/** Who wants it and why: both are in the audit. Personal data has no place in a reason. */
export interface Order {
  readonly operator: string
  readonly why: string
}

/** What was done. */
export interface Done {
  /** How many operations or users it was about. */
  readonly affected: number
  /** For the operator: what happens next. */
  readonly text: string
}

export type NotDoneCode =
  | 'bad_order'
  | 'no_user'
  | 'nothing_unfinished'
  | 'unfinished'
  | 'unfinished_departure'
  | 'held'
  | 'not_held'
  | 'no_account'
  | 'linked'
  | 'linked_elsewhere'
  | 'protected'
  | 'no_such_account'
  | 'forbidden'
  | 'platform_away'

/** Nothing was changed. The message says why, and what to do instead. */
export class NotDone extends Error {
  override readonly name = 'NotDone'
  readonly code: NotDoneCode
  constructor(code: NotDoneCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Throws `NotDone` when the audit could not say who and why. */
export function checkOrder({ operator, why }: Order): void {
  for (const [what, text, length] of [
    ["the operator's name", operator, operatorNameLength],
    ['the reason', why, operatorReasonLength],
  ] as const) {
    const isLine = text.trim() !== '' && text.length <= length && !/\p{Cc}/u.test(text)
    if (!isLine) throw new NotDone('bad_order', `${what} has to be one line of 1 to ${length} characters`)
  }
}

export interface Line {
  readonly action: string
  readonly resourceId?: string | undefined
  readonly operationId?: number | undefined
  readonly accountId?: string | undefined
  readonly detail?: Readonly<Record<string, string | number | boolean>>
}

/** The audit line of an operator's action, in the transaction that does it. */
export async function auditOrder(
  write: StoreWriter,
  { clock, newId }: Pick<World, 'clock' | 'newId'>,
  connection: string,
  order: Order,
  line: Line,
): Promise<void> {
  await write.appendAudit(connection, {
    at: new Date(clock.now()).toISOString(),
    event: 'outcome',
    requestId: newId(),
    caller: operatorCaller(order.operator),
    resourceId: line.resourceId,
    operationId: line.operationId,
    accountId: line.accountId,
    detail: { action: line.action, why: order.why, ...line.detail },
  })
}

/** The id of a user by id or userName; of a group by its id. A deleted user counts while work on it is unfinished. */
export async function findSubject(
  write: Pick<StoreWriter, 'getAnyResource' | 'findByUniqueName' | 'getOperation'>,
  connection: string,
  idOrName: string,
): Promise<string> {
  const user =
    (await write.getAnyResource(connection, 'User', idOrName)) ??
    (await write.findByUniqueName(connection, 'User', idOrName))
  if (user !== undefined) return user.id
  if ((await write.getOperation(connection, idOrName)) !== undefined) return idOrName
  throw new NotDone('no_user', `connection ${connection} has no user with this id or userName`)
}
