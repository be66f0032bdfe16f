import type { AttributeFact, PlatformFacts } from '../../facts.ts'

/** Text columns of a profile end at 255: a longer value answers 422 without naming the field. */
const profileText: AttributeFact = {
  type: 'string',
  write: 'always',
  clearable: true,
  maxLength: 255,
  check: refuseWide,
}

export const facts: PlatformFacts = {
  platform: 'ethosce',
  title: 'EthosCE',
  attributes: new Map([
    [
      'name',
      {
        type: 'string',
        write: 'always',
        required: true,
        caseExact: false,
        findable: true,
        minLength: 1,
        maxLength: 60,
        check: refuseName,
      },
    ],
    // Not unique on the platform: two accounts with one address are accepted.
    [
      'mail',
      {
        type: 'string',
        write: 'always',
        required: true,
        caseExact: false,
        findable: true,
        minLength: 3,
        maxLength: 254,
        check: refuseMail,
      },
    ],
    // The single sign-on key, a row of its own; whether an existing one may be replaced is `ssoKeyChange` of the settings.
    ['authname', { type: 'string', write: 'always', findable: true, minLength: 1, maxLength: 128, check: refuseWide }],
    ['module', { type: 'string', write: 'always', minLength: 1, maxLength: 128, check: refuseWide }],
    ['location.street', profileText],
    ['location.additional', profileText],
    ['location.city', profileText],
    // Stored as its code (`PA`), whatever was sent (`pa`).
    ['location.province', { ...profileText, caseExact: false }],
    ['location.postal_code', profileText],
    // A country that is not two letters ends in a bare 500. An address without one gets the site's own.
    ['location.country', { type: 'string', write: 'always', caseExact: false, check: refuseCountry }],
    // Booleans are refused, and an account that is created without a status is created blocked.
    ['status', { type: 'integer', write: 'always', values: [0, 1] }],
    // Machine names where they are known, else the role's number as text; for `protect` only. Roles are written as grants.
    ['roles', { type: 'object', write: 'read' }],
  ]),
  openAttributes: [{ prefix: 'field_', fact: profileText }],
  statusAttributes: ['status'],
  canDelete: true,
  modes: ['direct'],
  grantKeys: new Map([
    ['role', { type: 'string', required: false }],
    ['rid', { type: 'integer', required: false }],
  ]),
  grantForms: [['role'], ['rid']],
  groups: undefined,
  pace: { requestsPerSecond: 2, concurrency: 1 },
  // Five wrong passwords in six hours lock the service account, for the right password too.
  locksOnWrongCredentials: true,
}

function refuseName(value: string): string | undefined {
  if (/^restws/i.test(value)) return 'begins with restws, which marks service accounts'
  return refuseWide(value)
}

function refuseMail(value: string): string | undefined {
  return /^[^\s@]+@[^\s@]+$/.test(value) ? refuseWide(value) : 'is not an e-mail address'
}

/** The database stores three bytes a character; a longer one (emoji) ends in a bare 500. */
function refuseWide(value: string): string | undefined {
  return /[\u{10000}-\u{10ffff}]/u.test(value)
    ? 'has a character (such as an emoji) that EthosCE cannot store'
    : undefined
}

function refuseCountry(value: string): string | undefined {
  return /^[A-Za-z]{2}$/.test(value) ? undefined : 'is not a two-letter country code (ISO 3166 alpha-2)'
}
