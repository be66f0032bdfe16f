/** SelfCommunity's refusals. Their shape is not documented: any JSON, and none, must do. */
import type { PlatformAnswer } from '../client.ts'
import { errorList } from './answers.ts'

export interface FieldError {
  /** Empty when the error is about no field. */
  readonly field: string
  readonly codes: readonly string[]
}

export function fieldErrors(answer: PlatformAnswer): readonly FieldError[] {
  const parsed = errorList.safeParse(answer.json)
  if (!parsed.success) return []
  return parsed.data.errors.slice(0, 50).map((error) => ({
    field: error.field ?? '',
    codes: [error.code ?? '', ...(error.messages ?? []).map((message) => message.code ?? '')].filter(
      (code) => code !== '',
    ),
  }))
}

/** Attributes that the refusal names, in the words of our facts; all that were sent when it names none of them. */
export function namesOf(errors: readonly FieldError[], sent: readonly string[]): string {
  const named = errors.map(({ field }) => (field === 'new_email' ? 'email' : field))
  const hit = sent.filter((name) => named.includes(name) || named.includes(name.replace('metadata.', '')))
  return (hit.length > 0 ? hit : sent).join(' or ')
}

/** 404 and 410 mean "none" only from the API itself: a proxy's page proves nothing. */
export function saysNone(answer: PlatformAnswer): boolean {
  return (answer.status === 404 || answer.status === 410) && !answer.isHtml && answer.json !== undefined
}
