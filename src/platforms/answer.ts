/** Judging answers: what every module needs before it looks at its own platform's words. */
import type { z } from 'zod'
import { Broken, Denied, type PlatformError, Unknown } from '../errors.ts'
import type { PlatformAnswer, PlatformRequest } from './client.ts'
import { isWrite } from './http.ts'

/** `PATCH /users/7 answered 500`: for our log; never a body, a query or a value. */
export function describeAnswer(request: PlatformRequest, answer: PlatformAnswer): string {
  const html = answer.isHtml ? ' with HTML' : ''
  return `${request.method} /${request.path.join('/')}${request.suffix ?? ''} answered ${answer.status}${html}`
}

/** The body in the expected shape; `Broken` when it has another (a log-in page with 200, a proxy's notice, no JSON). */
export function parseAnswer<T>(shape: z.ZodType<T>, request: PlatformRequest, answer: PlatformAnswer): T {
  const parsed = shape.safeParse(answer.json)
  if (answer.isHtml || !parsed.success) throw new Broken(`${describeAnswer(request, answer)} in an unexpected shape`)
  return parsed.data
}

/**
 * What an answer means when the module's own table has no row for it: never a success, never our 401, 403 or 404. A redirect
 * (3xx) is never followed: after a write nobody knows what it did.
 */
export function unexpectedAnswer(request: PlatformRequest, answer: PlatformAnswer): PlatformError {
  const detail = describeAnswer(request, answer)
  const { status } = answer
  if (status === 401 || status === 403 || status === 407) return new Denied(detail)
  if (status >= 500 || status === 408 || status === 425) return new Unknown(detail)
  if (status >= 300 && status < 400 && isWrite(request)) return new Unknown(detail)
  return new Broken(detail)
}
