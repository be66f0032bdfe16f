import type { PlatformFacts } from '../../../src/facts.ts'

export const facts: PlatformFacts = {
  platform: 'bookroom',
  title: 'Bookroom',
  attributes: new Map([
    ['email', { type: 'string', write: 'always', required: true, caseExact: false, findable: true, check: noAddress }],
    // Longer names are cut without a word: the limit has to be ours.
    ['name', { type: 'string', write: 'always', required: true, minLength: 1, maxLength: 80 }],
    ['active', { type: 'boolean', write: 'always' }],
  ]),
  openAttributes: [],
  statusAttributes: ['active'],
  // Bookings outlive the people who made them.
  canDelete: false,
  modes: ['direct'],
  grantKeys: new Map([['role', { type: 'string', required: true }]]),
  grantForms: [['role']],
  groups: undefined,
  // "Clients send ten requests a second or fewer."
  pace: { requestsPerSecond: 10, concurrency: 2 },
  locksOnWrongCredentials: false,
}

function noAddress(value: string): string | undefined {
  return /^[^\s@]+@[^\s@]+$/.test(value) ? undefined : 'is not an e-mail address'
}
