import type { PlatformFacts } from '../../facts.ts'

export const facts: PlatformFacts = {
  platform: 'dspace',
  title: 'DSpace',
  attributes: new Map([
    // Longer e-mails and netids end in a database error (500): DSpace does not check the length.
    ['email', { type: 'string', write: 'always', required: true, caseExact: false, findable: true, maxLength: 64 }],
    // Can be set at creation and replaced by another value later, never added to an account that has none.
    ['netid', { type: 'string', write: 'always', addable: false, maxLength: 64 }],
    ['firstname', { type: 'string', write: 'always', required: true }],
    ['lastname', { type: 'string', write: 'always', required: true }],
    ['phone', { type: 'string', write: 'always', clearable: true }],
    ['language', { type: 'string', write: 'always', clearable: true }],
    ['canLogIn', { type: 'boolean', write: 'always' }],
    ['requireCertificate', { type: 'boolean', write: 'always' }],
    // Names of the direct groups, an array; for `protect` only. Membership is written through grants.
    ['groups', { type: 'object', write: 'read' }],
  ]),
  openAttributes: [],
  statusAttributes: ['canLogIn'],
  canDelete: true,
  modes: ['direct', 'invitation'],
  grantKeys: new Map([['group', { type: 'string', required: true }]]),
  grantForms: [['group']],
  groups: { maxNameLength: 250 },
  pace: { requestsPerSecond: 10, concurrency: 4 },
  locksOnWrongCredentials: false,
}
