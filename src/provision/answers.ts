/** How what has become of an operation is said to the identity provider. */
import type { Clock } from '../clock.ts'
import { givenUpText, type PlatformError, Problem } from '../errors.ts'
import type { ProvisionedConnection } from './connection.ts'
import { retryAfterSeconds } from './retry.ts'

export interface Answers {
  /** A final refusal, or "later" for what time can mend. */
  problemOf(error: PlatformError): Problem
  /** What was asked is kept. `dueAt`: when it is tried next, where that is known. */
  notYet(message: string, dueAt: number | undefined, cause?: PlatformError): Problem
}

export function createAnswers({ busyStatus }: ProvisionedConnection, clock: Clock): Answers {
  function notYet(message: string, dueAt: number | undefined, cause?: PlatformError): Problem {
    const headers = { 'Retry-After': String(retryAfterSeconds(dueAt, clock.now())) }
    return new Problem(
      busyStatus,
      undefined,
      message,
      cause === undefined ? { headers } : { headers, cause, detail: cause.detail },
    )
  }
  return {
    notYet,
    problemOf(error) {
      const { rule } = error
      if (rule.status === 429 && error.kind !== 'broken') return notYet(error.message, undefined, error)
      const status = error.kind === 'broken' ? 500 : rule.status
      return new Problem(status, scimTypeOf(error), givenUpText(error), { cause: error, detail: error.detail })
    },
  }
}

function scimTypeOf(error: PlatformError): Problem['scimType'] {
  switch (error.kind) {
    case 'refused':
      return 'invalidValue'
    case 'immutable':
      return 'mutability'
    case 'conflict':
    case 'disputed':
      return 'uniqueness'
    default:
      return undefined
  }
}
