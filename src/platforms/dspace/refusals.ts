import { Denied, type PlatformError } from '../../errors.ts'
import { describeAnswer, unexpectedAnswer } from '../answer.ts'
import type { PlatformAnswer, PlatformRequest } from '../client.ts'

/**
 * The error of an answer that the call's own rules do not know. 403 is said to somebody who is logged in, of what was asked for
 * (a CSRF pair that is refused is renewed before); wrong credentials are a 401.
 */
export function toError(request: PlatformRequest, answer: PlatformAnswer): PlatformError {
  if (answer.status === 403) return new Denied(describeAnswer(request, answer), { isOfOne: true })
  return unexpectedAnswer(request, answer)
}
