/** OpenSpecimen answers every business error with 400 and a list of codes: the codes decide, never the status. */
import { Absent, Conflict, Denied, Fault, Immutable, type PlatformError, Refused } from '../../errors.ts'
import { describeAnswer, unexpectedAnswer } from '../answer.ts'
import type { PlatformAnswer, PlatformRequest } from '../client.ts'
import { errorList } from './answers.ts'

const duplicates = new Map([
  ['USER_DUP_LOGIN_NAME', 'loginName'],
  ['USER_DUP_EMAIL', 'emailAddress'],
])

const goneCodes = new Set(['USER_NOT_FOUND', 'RBAC_SUBJECT_NOT_FOUND'])
const rightsCodes = new Set(['RBAC_ACCESS_DENIED', 'RBAC_ADMIN_RIGHTS_REQUIRED', 'RBAC_INST_ADMIN_RIGHTS_REQ'])

const immutable = new Map([
  ['USER_STATUS_CHANGE_NOT_ALLOWED', 'activityStatus: OpenSpecimen does not allow this change of status'],
  ['USER_EMAIL_SELF_UPDATE_NA', 'emailAddress: OpenSpecimen does not let an account change its own e-mail address'],
])

const refused = new Map([
  ['USER_FIRST_NAME_REQUIRED', 'firstName is required'],
  ['USER_LAST_NAME_REQUIRED', 'lastName is required'],
  ['USER_LOGIN_NAME_REQUIRED', 'loginName is required'],
  ['USER_SYS_LOGIN_NAME', 'loginName is the name of a built-in account'],
  ['USER_INVALID_EMAIL', 'emailAddress is not an e-mail address'],
  ['USER_EMAIL_REQUIRED', 'emailAddress is required'],
  ['USER_INST_REQUIRED', 'instituteName is required'],
  ['INSTITUTE_NOT_FOUND', 'instituteName names no institute on this server'],
  ['SITE_NOT_FOUND', 'primarySite or site names no site on this server'],
  ['SITE_INVALID_SITE_INSTITUTE', 'primarySite belongs to another institute than instituteName'],
  ['USER_DOMAIN_NAME_REQUIRED', 'domainName is required'],
  ['USER_DOMAIN_NOT_FOUND', 'domainName names no authentication domain on this server'],
  ['USER_INVALID_TYPE', 'type is none of NONE, INSTITUTE, SUPER, CONTACT'],
  ['RBAC_ROLE_NAME_REQUIRED', 'role is required'],
  ['RBAC_ROLE_NOT_FOUND', 'role names no role on this server'],
  ['RBAC_INV_SITE_USER', "site does not belong to the person's institute"],
  ['RBAC_INV_CP_SITE', 'collectionProtocol does not belong to the site'],
  ['RBAC_INV_CP_USER', "collectionProtocol does not belong to the person's institute"],
  ['CP_NOT_FOUND', 'collectionProtocol names no protocol on this server'],
  ['USER_ONE_OR_MORE_NOT_FOUND', 'one of the people is not on this server'],
  ['USER_GROUP_NOT_FOUND', 'the user group is not on this server'],
  ['USER_GROUP_DUP_NAME', 'another user group has this name'],
])

/** The end of this code differs between copies of the source. */
const otherInstitute = 'USER_GROUP_USER_NOT_OF_INST'

/** The codes of a 400, or `undefined` when the body is not OpenSpecimen's list (a proxy's answer). */
export function codesOf(answer: PlatformAnswer): readonly string[] | undefined {
  if (answer.status !== 400 || answer.isHtml) return undefined
  const parsed = errorList.safeParse(answer.json)
  return parsed.success ? parsed.data.map((entry) => entry.code.slice(0, 80)) : undefined
}

export function saysGone(answer: PlatformAnswer): boolean {
  return codesOf(answer)?.some((code) => goneCodes.has(code)) ?? false
}

/** The error class of an answer that is not the wanted 200. */
export function toError(request: PlatformRequest, answer: PlatformAnswer): PlatformError {
  const codes = codesOf(answer)
  if (codes === undefined) return unexpectedAnswer(request, answer)
  const known = codes.filter((code) => /^\w+$/.test(code))
  const detail = `${describeAnswer(request, answer)} ${known.join(' ')}`
  // Said of what was asked for; wrong credentials are a 401.
  if (codes.some((code) => rightsCodes.has(code))) return new Denied(detail, { isOfOne: true })
  if (codes.some((code) => goneCodes.has(code))) return new Absent(detail)
  if (codes.every((code) => duplicates.has(code))) {
    const names = codes.map((code) => duplicates.get(code)).join(' and ')
    return new Conflict(
      `OpenSpecimen has another account with this ${names}; give one of the two another value.`,
      detail,
    )
  }
  // A request that OpenSpecimen cannot read is our mistake, not the administrator's.
  if (codes.includes('INVALID_REQUEST')) return new Fault(detail)
  const reasons = codes.map(
    (code) => duplicateReason(code) ?? immutable.get(code) ?? refused.get(code) ?? unknownReason(code),
  )
  const message = `OpenSpecimen refuses the change: ${[...new Set(reasons)].join('; ')}.`
  return codes.every((code) => immutable.has(code)) ? new Immutable(message, detail) : new Refused(message, detail)
}

function duplicateReason(code: string): string | undefined {
  const name = duplicates.get(code)
  return name === undefined ? undefined : `${name} is taken by another account`
}

function unknownReason(code: string): string {
  if (code.startsWith(otherInstitute))
    return 'a user group takes only people of its own institute, and this person (or a member) belongs to another one'
  return /^\w+$/.test(code) ? `it says ${code}` : 'it gives no known reason'
}
