import type { PlatformFacts } from '../../facts.ts'
import { isTimeZone } from './time-zone.ts'

/** OpenSpecimen's column lengths are not documented; 255 is what its database uses for texts of this kind. */
const columnLength = 255

function refuseSystemLogin(value: string): string | undefined {
  return value.toLowerCase() === '$system' ? 'is the name of a built-in account' : undefined
}

function refuseTimeZone(value: string): string | undefined {
  return isTimeZone(value) ? undefined : 'is no time zone such as Europe/Berlin'
}

export const facts: PlatformFacts = {
  platform: 'openspecimen',
  title: 'OpenSpecimen',
  attributes: new Map([
    [
      'loginName',
      {
        type: 'string',
        write: 'always',
        required: true,
        caseExact: false,
        findable: true,
        companion: 'domainName',
        maxLength: columnLength,
        check: refuseSystemLogin,
      },
    ],
    ['domainName', { type: 'string', write: 'always', required: true, maxLength: columnLength }],
    ['emailAddress', { type: 'string', write: 'always', required: true, caseExact: false, maxLength: columnLength }],
    ['firstName', { type: 'string', write: 'always', required: true, maxLength: columnLength }],
    ['lastName', { type: 'string', write: 'always', required: true, maxLength: columnLength }],
    // Found by its name as the database compares names, mostly ignoring case, and read in its own spelling. Roles at sites and
    // protocols of the former institute go with it, without a word.
    [
      'instituteName',
      {
        type: 'string',
        write: 'always',
        required: true,
        caseExact: false,
        endsGrants: true,
        maxLength: columnLength,
      },
    ],
    ['primarySite', { type: 'string', write: 'always', clearable: true, caseExact: false, maxLength: columnLength }],
    ['phoneNumber', { type: 'string', write: 'always', clearable: true, maxLength: columnLength }],
    ['address', { type: 'string', write: 'always', clearable: true, maxLength: columnLength }],
    // OpenSpecimen stores whatever it is given.
    ['timeZone', { type: 'string', write: 'always', maxLength: columnLength, check: refuseTimeZone }],
    ['type', { type: 'string', write: 'always', values: ['NONE', 'INSTITUTE', 'SUPER', 'CONTACT'] }],
    ['apiUser', { type: 'boolean', write: 'read' }],
    // Only Active and Closed are ever written; the others can be read, and a mapping may count them as on or off.
    [
      'activityStatus',
      { type: 'string', write: 'always', values: ['Active', 'Closed', 'Locked', 'Expired', 'Pending'] },
    ],
  ]),
  openAttributes: [],
  statusAttributes: ['activityStatus'],
  canDelete: true,
  modes: ['direct'],
  grantKeys: new Map([
    ['role', { type: 'string', required: false }],
    ['site', { type: 'string', required: false, onlyWith: 'role' }],
    ['collectionProtocol', { type: 'string', required: false, onlyWith: 'role' }],
    // A user group: no rights, only lists and notifications.
    ['group', { type: 'string', required: false }],
  ]),
  grantForms: [['role'], ['group']],
  // As most of its databases compare names.
  grantsCaseExact: false,
  groups: { maxNameLength: 64 },
  pace: { requestsPerSecond: 5, concurrency: 4 },
  // Five refused sign-ins in a row lock the service account and mail every administrator.
  locksOnWrongCredentials: true,
}
