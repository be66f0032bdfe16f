import type { PlatformFacts } from '../../facts.ts'

function refuseUsername(value: string): string | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(value)) return 'may have only letters a-z, digits, _ and -'
  return /[A-Za-z0-9]/.test(value) ? undefined : 'needs at least one letter or digit'
}

function refuseAvatar(value: string): string | undefined {
  return URL.canParse(value) && value.startsWith('https://') ? undefined : 'must be an https address'
}

export const facts: PlatformFacts = {
  platform: 'selfcommunity',
  title: 'SelfCommunity',
  attributes: new Map([
    // Never another one; but an account that never had any, made by hand, can be given one.
    ['ext_id', { type: 'string', write: 'create', addable: true, findable: true, maxLength: 255 }],
    [
      'username',
      {
        type: 'string',
        write: 'create',
        required: true,
        findable: true,
        minLength: 1,
        maxLength: 255,
        check: refuseUsername,
      },
    ],
    ['email', { type: 'string', write: 'always', required: true, caseExact: false, findable: true, maxLength: 254 }],
    ['real_name', { type: 'string', write: 'always', maxLength: 255 }],
    // `admin` is left out on purpose: an administrator is never made by provisioning.
    ['role', { type: 'string', write: 'create', values: ['moderator', 'editor'] }],
    ['avatar', { type: 'string', write: 'create', check: refuseAvatar }],
    ['status', { type: 'string', write: 'always', values: ['a', 'b', 'd'] }],
  ]),
  openAttributes: [{ prefix: 'metadata.', fact: { type: 'string', write: 'always' } }],
  statusAttributes: ['status'],
  canDelete: true,
  modes: ['direct'],
  grantKeys: new Map([
    ['tag', { type: 'string', required: false }],
    // A group of the community that the service user manages.
    ['group', { type: 'string', required: false }],
  ]),
  grantForms: [['tag'], ['group']],
  groups: { maxNameLength: 64 },
  // SelfCommunity documents no limit; this is what one person at a keyboard could cause.
  pace: { requestsPerSecond: 5, concurrency: 4 },
  locksOnWrongCredentials: false,
}
