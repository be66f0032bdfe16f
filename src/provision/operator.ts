/**
 * What the bridge's operator may do about one user, one cause, or a whole connection. Each action is one transaction with
 * its audit line, and runs while no attempt at the user is in work. Whoever calls must have established who the operator is.
 */
import type { ProvisionedConnection, World } from './connection.ts'
import { adopt, type Claimed, unlink } from './operator-account.ts'
import { hold, release, releaseAll } from './operator-hold.ts'
import { checkOrder, type Done, type Order } from './operator-order.ts'
import { cancelReapply, type ReappliedBatch, reapply, reapplyAll, reapplyBatch } from './operator-reapply.ts'
import { resume, retry, retryCause } from './operator-retry.ts'

/** What the actions need of the runner. Without one (the bridge does not run) nothing is in work. */
export interface Workplace extends Claimed {
  alone<Result>(resourceId: string, work: () => Promise<Result>): Promise<Result>
  /** The platform is asked at once whether it is back. */
  resume(): void
  wake(): void
}

export interface OperatorContext {
  readonly connection: ProvisionedConnection
  readonly world: World
  readonly workplace: Workplace
}

/** `user`: id or userName; where a group's work failed, its id. All throw `NotDone`, or a failure of the store. */
export interface OperatorActions {
  /** A failed or waiting operation is due now, as if never tried. */
  retry(order: Order, user: string): Promise<Done>
  /** All of the connection that failed of, or wait for, the same: an error's class (`disputed`), and its text when given. */
  retryCause(order: Order, cause: { readonly kind: string; readonly message?: string | undefined }): Promise<Done>
  /** Calls to a platform that are suspended: it is asked now, also after it refused our credentials. */
  resume(order: Order): Promise<Done>
  /** Nothing is attempted for the user, whatever is pushed, until `release`. Needs unfinished work. */
  hold(order: Order, user: string): Promise<Done>
  release(order: Order, user: string): Promise<Done>
  /** Everything that `guardrails.hold` has held; not what an operator holds. */
  releaseAll(order: Order): Promise<Done>
  /** The account is brought to what is stored once more, grants included; nobody is switched on by it. */
  reapply(order: Order, user: string): Promise<Done>
  /** Every user of the connection, in portions, in the background. */
  reapplyAll(order: Order): Promise<Done>
  /** No more portions of it: what is in line already is written. */
  cancelReapply(order: Order): Promise<Done>
  /** The next few users after `place` (0: from the beginning), while the outbox has room. */
  reapplyBatch(order: Order, place: number): Promise<ReappliedBatch>
  /**
   * The account is the user's no more and is not written; SCIM goes on showing the user, and says so. `isForced`: although work is
   * unfinished; nothing of it is dropped, and a departure ends only when the account is read as off.
   */
  unlink(order: Order, user: string, options: { readonly isForced: boolean }): Promise<Done>
  /** This account is the user's from now on, whatever `match` says, and is brought to what is stored. */
  adopt(order: Order, user: string, accountId: string): Promise<Done>
}

export function createOperator(connection: ProvisionedConnection, world: World, workplace: Workplace): OperatorActions {
  const context: OperatorContext = { connection, world, workplace }
  const checked = async <Result>(order: Order, work: () => Promise<Result>): Promise<Result> => {
    checkOrder(order)
    const result = await work()
    workplace.wake()
    return result
  }
  return {
    retry: (order, user) => checked(order, () => retry(context, order, user)),
    retryCause: (order, { kind, message }) => checked(order, () => retryCause(context, order, { kind, message })),
    resume: (order) => checked(order, () => resume(context, order)),
    hold: (order, user) => checked(order, () => hold(context, order, user)),
    release: (order, user) => checked(order, () => release(context, order, user)),
    releaseAll: (order) => checked(order, () => releaseAll(context, order)),
    reapply: (order, user) => checked(order, () => reapply(context, order, user)),
    reapplyAll: (order) => checked(order, () => reapplyAll(context, order)),
    cancelReapply: (order) => checked(order, () => cancelReapply(context, order)),
    reapplyBatch: (order, place) => checked(order, () => reapplyBatch(context, order, place)),
    unlink: (order, user, { isForced }) => checked(order, () => unlink(context, order, user, isForced)),
    adopt: (order, user, accountId) => checked(order, () => adopt(context, order, user, accountId)),
  }
}

/** For a command while no bridge runs: nothing is in work, and the bridge's next start takes up what was changed. */
export const emptyWorkplace: Workplace = {
  alone: (_resourceId, work) => work(),
  claims: { claim: () => true, release: () => undefined },
  resume: () => undefined,
  wake: () => undefined,
}
