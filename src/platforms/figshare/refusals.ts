/** Figshare's refusals: 400 and 422 mean the same, so do 401 and 403; 404 is "not found" or "may not read". */
import { Conflict, type PlatformError, Refused } from '../../errors.ts'
import { describeAnswer, unexpectedAnswer } from '../answer.ts'
import type { PlatformAnswer, PlatformRequest } from '../client.ts'
import { failure } from './answers.ts'

export function saysBadValue(answer: PlatformAnswer): boolean {
  return (answer.status === 400 || answer.status === 422) && !answer.isHtml
}

/** Whether the refusal reads like "taken". A body may be absent, so its silence proves nothing. */
export function saysTaken(answer: PlatformAnswer): boolean {
  return /already|exists|taken|in use|duplicate|unique/i.test(reasonOf(answer) ?? '')
}

/** The error of an answer that the call's own rules do not know. */
export function toError(request: PlatformRequest, answer: PlatformAnswer): PlatformError {
  if (!saysBadValue(answer)) return unexpectedAnswer(request, answer)
  const reason = reasonOf(answer)
  return new Refused(
    `Figshare refuses the change${reason === undefined ? ' and gives no reason' : `: ${reason}`}.`,
    describeAnswer(request, answer),
  )
}

export function taken(request: PlatformRequest, answer: PlatformAnswer): Conflict {
  return new Conflict(
    'Another Figshare account already has this e-mail address or institution_user_id (it may belong to a private account ' +
      'outside the institution); change the value, or ask Figshare to free it.',
    describeAnswer(request, answer),
  )
}

/** Figshare's own words, for the administrator: one line, bounded. */
function reasonOf(answer: PlatformAnswer): string | undefined {
  const parsed = failure.safeParse(answer.json)
  if (!parsed.success) return undefined
  const text = parsed.data.message.replace(/\s+/g, ' ').trim().replace(/\.$/, '').slice(0, 200)
  return text === '' ? undefined : text
}
