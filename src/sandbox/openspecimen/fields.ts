/** From a request to the fields of a user: a create, a whole replacement with its defaults, or only what is present. */
import { randomUUID } from 'node:crypto'
import { type CodedError, invalidRequest, Refusal, sentence } from './answers.ts'
import { rowNamed } from './directory.ts'
import { flagOf, type Members, textOf } from './input.ts'
import type { Installation } from './show.ts'
import { isRange } from './signin.ts'
import type { ActivityStatus, UserFields, UserType } from './state.ts'

const types: ReadonlyMap<string, UserType> = new Map(
  (['SUPER', 'INSTITUTE', 'NONE', 'CONTACT'] as const).map((type) => [type, type]),
)
const statuses: ReadonlyMap<string, ActivityStatus> = new Map([
  ...(['Active', 'Locked', 'Expired', 'Pending', 'Closed', 'Disabled'] as const).map(
    (status) => [status, status] as const,
  ),
  ['Archived', 'Closed'] as const,
])
const emailPattern = /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/

const knownMembers = new Set([
  ...['id', 'firstName', 'lastName', 'emailAddress', 'domainName', 'loginName', 'instituteId', 'instituteName'],
  ...['primarySite', 'type', 'phoneNumber', 'address', 'timeZone', 'manageForms', 'manageWfs', 'managePrintJobs'],
  ...['dnd', 'apiUser', 'ipRange', 'defaultPrinter', 'downloadLabelsPrintFile', 'creationDate', 'activityStatus'],
])

export function parseStatus(text: string): ActivityStatus | undefined {
  return statuses.get(text)
}

export function parseType(text: string): UserType | undefined {
  return types.get(text)
}

/**
 * Throws one refusal with all codes of the first round. Without `existing` absent members get their defaults (type NONE,
 * Active, false, nothing); with it they keep their value.
 */
export function toFields(installation: Installation, input: Members, existing?: UserFields): UserFields {
  const { directory, knobs } = installation
  const errors: CodedError[] = []
  const wrong = (code: string) => errors.push({ code, message: sentence(code) })
  const unknown = [...input.keys()].find((name) => !knownMembers.has(name))
  if (unknown !== undefined && knobs.unknownMembers === 400) throw invalidRequest(`Unrecognized field "${unknown}"`)

  /** What is present, blank included; else what was there before. */
  const given = (name: string, before: string | undefined) => (input.has(name) ? textOf(input, name) : before)
  const required = (name: string, before: string | undefined, code: string): string => {
    const value = given(name, before)
    if (value === undefined) wrong(code)
    return value ?? ''
  }

  const typeText = given('type', existing?.type) ?? 'NONE'
  const type = parseType(typeText)
  if (type === undefined) wrong('USER_INVALID_TYPE')
  const firstName = required('firstName', existing?.firstName, 'USER_FIRST_NAME_REQUIRED')
  const lastName = required('lastName', existing?.lastName, 'USER_LAST_NAME_REQUIRED')
  const loginName =
    type === 'CONTACT' && given('loginName', existing?.loginName) === undefined
      ? randomUUID()
      : required('loginName', existing?.loginName, 'USER_LOGIN_NAME_REQUIRED')
  const activityStatus = parseStatus(given('activityStatus', existing?.activityStatus) ?? 'Active')
  if (activityStatus === undefined) wrong('ACTIVITY_STATUS_INVALID')
  const emailAddress = given('emailAddress', existing?.emailAddress) ?? ''
  if (!emailPattern.test(emailAddress)) wrong('USER_INVALID_EMAIL')

  const askedInstitute = required('instituteName', existing?.instituteName, 'USER_INST_REQUIRED')
  const institute = rowNamed(directory.institutes, askedInstitute, knobs.database)
  if (askedInstitute !== '' && institute === undefined) wrong('INSTITUTE_NOT_FOUND')
  const instituteName = institute?.name ?? askedInstitute
  const askedSite = given('primarySite', existing?.primarySite)
  const site = askedSite === undefined ? undefined : rowNamed(directory.sites, askedSite, knobs.database)
  if (askedSite !== undefined && site === undefined) wrong('SITE_NOT_FOUND')
  const primarySite = site?.name
  if (site !== undefined && site.instituteName !== instituteName) wrong('SITE_INVALID_SITE_INSTITUTE')

  const domainName =
    type === 'CONTACT'
      ? (given('domainName', existing?.domainName) ?? 'openspecimen')
      : required('domainName', existing?.domainName, 'USER_DOMAIN_NAME_REQUIRED')
  if (domainName !== '' && !directory.domains.has(domainName)) wrong('USER_DOMAIN_NOT_FOUND')

  const apiUser = flagOf(input, 'apiUser', existing?.apiUser ?? false)
  const ipRange = given('ipRange', existing?.ipRange)
  if (apiUser && ipRange === undefined) wrong('USER_IP_REQ')
  if (ipRange !== undefined && !isRange(ipRange)) wrong('USER_INVALID_IP')
  const defaultPrinter = given('defaultPrinter', existing?.defaultPrinter)
  if (defaultPrinter !== undefined && !directory.printers.has(defaultPrinter)) wrong('USER_INVALID_PRINTER_NAME')

  const fields: UserFields = {
    firstName,
    lastName,
    emailAddress,
    domainName,
    loginName,
    instituteName,
    primarySite,
    type: type ?? 'NONE',
    phoneNumber: given('phoneNumber', existing?.phoneNumber),
    address: given('address', existing?.address),
    timeZone: given('timeZone', existing?.timeZone),
    manageForms: flagOf(input, 'manageForms', existing?.manageForms ?? false),
    manageWfs: flagOf(input, 'manageWfs', existing?.manageWfs ?? false),
    managePrintJobs: flagOf(input, 'managePrintJobs', existing?.managePrintJobs ?? false),
    dnd: flagOf(input, 'dnd', existing?.dnd ?? false),
    apiUser,
    ipRange,
    defaultPrinter,
    downloadLabelsPrintFile: flagOf(input, 'downloadLabelsPrintFile', existing?.downloadLabelsPrintFile ?? false),
    activityStatus: activityStatus ?? 'Active',
  }
  if (errors.length > 0) throw new Refusal(errors)
  return fields
}
