/** What the store keeps for operators: requests to the process that holds it, and operations by what they failed of. */

import type { Operation } from './store.ts'

/** `refused`: nothing was done, or no more of it since somebody cancelled it; `answer` says why. */
export type RequestPhase = 'asked' | 'running' | 'done' | 'refused'

/** Something that an operator asked for beside the running bridge. */
export interface OperatorRequest {
  readonly connection: string
  readonly number: number
  readonly action: string
  /** Who asks, and the reason, as they said it. */
  readonly operator: string
  readonly why: string
  readonly resourceId: string | undefined
  /** The action's choices. */
  readonly detail: Readonly<Record<string, string | boolean>>
  readonly phase: RequestPhase
  /** Where a long one goes on: `seq` of the last user. */
  readonly place: number | undefined
  /** Done so far, of `total` where that is known. */
  readonly affected: number
  readonly total: number | undefined
  readonly answer: string | undefined
  /** Milliseconds since 1970. */
  readonly askedAt: number
  readonly finishedAt: number | undefined
}

export type NewOperatorRequest = Pick<
  OperatorRequest,
  'action' | 'operator' | 'why' | 'resourceId' | 'detail' | 'askedAt'
>

/** What operations stopped or wait for. Without `message`: all of the kind. */
export interface Cause {
  readonly kind: string
  readonly message: string | undefined
}

/** Unfinished work that waits for a person. */
export interface StoppedOperation {
  readonly id: number
  readonly resourceId: string
  readonly state: 'failed' | 'held'
  readonly kind: Operation['kind']
  readonly errorKind: string | undefined
  readonly errorMessage: string | undefined
  readonly isDeprovisioning: boolean
}

export interface OperatorReader {
  /** In the order of their ids. */
  stoppedOperations(connection: string, afterId: number, limit: number): Promise<readonly StoppedOperation[]>
  getOperatorRequest(connection: string, number: number): Promise<OperatorRequest | undefined>
  /** The oldest that is not finished; what goes over all users comes after everything else. */
  currentOperatorRequest(connection: string): Promise<OperatorRequest | undefined>
  /** The newest that goes over all users, finished or not. */
  lastReapplyRequest(connection: string): Promise<OperatorRequest | undefined>
}

export interface OperatorWriter extends OperatorReader {
  /** Answers its number. */
  addOperatorRequest(connection: string, request: NewOperatorRequest): Promise<number>
  /** Of one that is not finished: who has cancelled it meanwhile is not overruled. */
  updateOperatorRequest(
    connection: string,
    number: number,
    change: Pick<OperatorRequest, 'phase' | 'place' | 'affected' | 'total' | 'answer' | 'finishedAt'>,
  ): Promise<void>
  /** Finished ones but for the newest few. */
  forgetOperatorRequests(connection: string, keep: number): Promise<void>
  /** Takes a request back that nobody has taken up yet; false when somebody has. */
  withdrawOperatorRequest(connection: string, number: number): Promise<boolean>
  /** Unfinished ones that go over all users are finished as refused; answers how many. */
  cancelReapplyRequests(connection: string, answer: string, now: number): Promise<number>
  /** Failed and waiting operations with this last error are due now, as if never tried; answers how many. */
  retryOperations(connection: string, cause: Cause, now: number): Promise<number>
}
