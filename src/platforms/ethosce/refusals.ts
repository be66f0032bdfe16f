/** EthosCE's errors are no JSON: one line of escaped text, or a page. The texts are those of Drupal's restws 2.9. */
import { Broken, Fault, Immutable, type PlatformError, Refused } from '../../errors.ts'
import { describeAnswer, unexpectedAnswer } from '../answer.ts'
import type { PlatformAnswer, PlatformRequest } from '../client.ts'

/** The one line, unescaped; `undefined` for a page or an empty body. */
function lineOf(answer: PlatformAnswer): string | undefined {
  const text = answer.text.trim()
  if (text === '' || text.length > 1_000 || /^</.test(text)) return undefined
  return text
    .replaceAll('&#039;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

/** The error of an answer that the call's own rules do not know. */
export function toError(request: PlatformRequest, answer: PlatformAnswer): PlatformError {
  const detail = describeAnswer(request, answer)
  const line = lineOf(answer) ?? ''
  if (answer.status === 406) return refusedValue(line, detail)
  if (answer.status === 422) return refusedEntity(request, line, detail)
  if (answer.status === 412) return new Fault(`${detail}: a filter that this site does not know`)
  return unexpectedAnswer(request, answer)
}

function refusedValue(line: string, detail: string): PlatformError {
  const unknown = /Unknown data property (\w+)/.exec(line)?.[1]
  if (unknown !== undefined) {
    return new Refused(
      `This EthosCE site has no field ${unknown}; the bridge's operator has to correct the mapping.`,
      `${detail}: unknown property`,
    )
  }
  const name = /Value at \w+\(\d*\)->(\w+)/.exec(line)?.[1]
  // The status is ours alone: a wrong one is a defect, not somebody's data.
  if (!line.includes('Invalid data value') || name === 'status' || name === 'roles') return new Fault(detail)
  return new Refused(`EthosCE refuses the value of ${name ?? 'an attribute'}; correct it.`, detail)
}

function refusedEntity(request: PlatformRequest, line: string, detail: string): PlatformError {
  const unchangeable = /Unable to change (\w+)/.exec(line)?.[1]
  if (unchangeable !== undefined) return new Immutable(`EthosCE cannot change ${unchangeable}; keep it.`, detail)
  if (request.path[0] === 'profile2') {
    return new Refused(
      'EthosCE refuses a field of the profile and does not say which: a text is too long, or a value is not in its list.',
      detail,
    )
  }
  // Every write to a person validates the groups that they are in as well, blocking included.
  return new Broken(`${detail}: the service account may have to join the groups that this person is in`, {
    message:
      'EthosCE refuses every change of this person, very likely because they are in a group (Learning or Enrollment group) ' +
      "that the bridge's service account is not a member of; add the service account to it. The change is kept.",
  })
}
