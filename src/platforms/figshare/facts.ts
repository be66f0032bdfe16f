import type { PlatformFacts } from '../../facts.ts'

export const facts: PlatformFacts = {
  platform: 'figshare',
  title: 'Figshare',
  attributes: new Map([
    // The single sign-on key; no API sets or changes it on an existing account.
    ['institution_user_id', { type: 'string', write: 'create', findable: true, minLength: 1, maxLength: 50 }],
    [
      'email',
      {
        type: 'string',
        write: 'create',
        required: true,
        caseExact: false,
        findable: true,
        minLength: 3,
        maxLength: 150,
        check: refuseNonAddress,
      },
    ],
    // First and last name together take 255 characters; the module checks the sum.
    ['first_name', { type: 'string', write: 'always', maxLength: 255 }],
    ['last_name', { type: 'string', write: 'always', required: true, minLength: 1, maxLength: 255 }],
    ['job_title', { type: 'string', write: 'always' }],
    ['orcid', { type: 'string', write: 'always', check: refuseNonOrcid }],
    ['group_id', { type: 'integer', write: 'always' }],
    ['symplectic_user_id', { type: 'string', write: 'create', maxLength: 50 }],
    // Bytes. Figshare gives 0 when nothing is sent.
    ['quota', { type: 'integer', write: 'create' }],
    ['is_active', { type: 'boolean', write: 'always' }],
    // The public author's id; the profile call is addressed by it.
    ['user_id', { type: 'integer', write: 'read' }],
  ]),
  openAttributes: [],
  statusAttributes: ['is_active'],
  canDelete: false,
  modes: ['direct'],
  grantKeys: new Map([
    ['group_id', { type: 'integer', required: true }],
    ['role_id', { type: 'integer', required: false }],
  ]),
  // A group alone is the association: an account belongs to one group.
  grantForms: [['group_id', 'role_id'], ['group_id']],
  exclusiveGrant: { form: ['group_id'], attribute: 'group_id' },
  groups: undefined,
  // "Do not make more than one request per second" (API documentation).
  pace: { requestsPerSecond: 1, concurrency: 1 },
  locksOnWrongCredentials: false,
}

function refuseNonAddress(value: string): string | undefined {
  return /^[^\s@]+@[^\s@]+$/.test(value) ? undefined : 'is not an e-mail address'
}

/** Figshare shows the bare iD whatever was sent; a URL would differ from what is read back, for ever. */
function refuseNonOrcid(value: string): string | undefined {
  return /^\d{4}-\d{4}-\d{4}-\d{3}[\dX]$/.test(value) ? undefined : 'is not a bare ORCID iD such as 0000-0002-1825-0097'
}
