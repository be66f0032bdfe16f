/** What a set-up probe says of groups, roles and other names that a mapping has and the platform has not. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import type { Grant, NamedByMapping } from '../../src/facts.ts'
import { checkMapping } from '../../src/mapping/load.ts'
import { namedByMapping } from '../../src/mapping/named.ts'
import { facts } from '../../src/platforms/figshare/facts.ts'
import type { ProbeStep } from '../../src/platforms/platform.ts'
import { platforms } from '../../src/platforms/registry.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { noPace } from './scripted-server.ts'
import { aCall, nothingNamed } from './world.ts'

type Name = 'figshare' | 'ethosce' | 'openspecimen' | 'selfcommunity' | 'dspace'
let sandbox: Sandbox
before(async () => {
  sandbox = await startSandbox()
  sandbox.selfcommunity.logic.addTag({ name: 'staff' })
  sandbox.selfcommunity.logic.addTag({ name: 'gone', deleted: true })
  const managedBy = Number(sandbox.selfcommunity.credentials.userId)
  sandbox.selfcommunity.logic.addGroup({ name: 'Readers', managedBy })
  const stranger = sandbox.selfcommunity.logic.addUser({ username: 'stranger', email: 'stranger@uni.example' })
  sandbox.selfcommunity.logic.addGroup({ name: 'Of somebody else', managedBy: stranger.id })
  sandbox.dspace.logic.addGroup({ name: 'Depositors' })
})
after(() => sandbox.close())

async function probed(
  name: Name,
  named: Partial<NamedByMapping>,
  settings: Record<string, unknown> = {},
): Promise<readonly ProbeStep[]> {
  const { baseUrl, credentials } = sandbox[name]
  const platform = platforms.get(name)
  assert.ok(platform !== undefined)
  const client = { baseUrl, pace: noPace }
  const connection = platform.connect({ ...credentials, ...settings }, { client, clock: systemClock })
  const call = aCall()
  try {
    return await connection.probe(call, { ...nothingNamed, ...named })
  } finally {
    assert.deepEqual(call.writes, [])
    await connection.close()
  }
}

/** The steps about names, as `groups warning: missing: 7`. */
async function told(...asked: Parameters<typeof probed>): Promise<string[]> {
  const steps = await probed(...asked)
  return steps
    .filter(({ name }) => name.endsWith('of the mapping'))
    .map(({ name, result, seen }) => `${name.replace(' of the mapping', '')} ${result}: ${seen}`)
}

test('Figshare: groups of grants, of tables and of the settings, and roles', async () => {
  const values = new Map([['group_id', [101, 102]]])
  const grants: readonly Grant[] = [{ group_id: 110, role_id: 49 }, { group_id: 101 }]
  assert.deepEqual(await told('figshare', { grants, values }, { defaultGroupId: 102 }), [
    'groups ok: 3 named, all there',
    'roles ok: 1 named, all there',
  ])
  const wrong: readonly Grant[] = [...grants, { group_id: 7, role_id: 50 }]
  const others = new Map([['group_id', [101, 8]]])
  assert.deepEqual(await told('figshare', { grants: wrong, values: others }, { defaultGroupId: 9 }), [
    'groups warning: missing: 7, 8, 9',
    'roles warning: missing: 50',
  ])
  const steps = await probed('figshare', { grants: wrong })
  assert.match(steps.at(-1)?.remedy ?? '', /correct role_id in groups\.grants by GET \/account\/institution\/roles/)
})

test('EthosCE lists no roles, and that is said', async () => {
  assert.deepEqual(await told('ethosce', { grants: [{ role: 'reviewer' }, { rid: 77 }] }), [
    'roles skipped: 2 named; EthosCE has no list of roles',
  ])
})

test('OpenSpecimen: domains, institutes, sites, roles and user groups, in whatever letter case', async () => {
  const userGroups = { institute: 'Example University' }
  const right: Partial<NamedByMapping> = {
    grants: [{ role: 'coordinator' }, { role: 'Technician', site: 'Main Biobank' }],
    values: new Map([
      ['domainName', ['example-saml']],
      ['instituteName', ['Example Hospital']],
      ['primarySite', ['Pathology Store']],
    ]),
  }
  assert.deepEqual(await told('openspecimen', right), [
    'authentication domains ok: 1 named, all there',
    'institutes ok: 1 named, all there',
    'sites ok: 2 named, all there',
    'roles ok: 2 named, all there',
  ])
  const wrong: Partial<NamedByMapping> = {
    grants: [{ role: 'Coord' }, { role: 'Technician', site: 'Biobank' }, { group: 'Nobody' }],
    values: new Map([
      ['domainName', ['saml']],
      ['instituteName', ['Hospital']],
      ['primarySite', ['Main']],
    ]),
  }
  assert.deepEqual(await told('openspecimen', wrong, { userGroups }), [
    'authentication domains warning: missing: saml',
    'institutes warning: missing: Hospital',
    'sites warning: missing: Main, Biobank',
    'roles warning: missing: Coord',
    'user groups warning: missing: Nobody',
  ])
  const unset = await probed('openspecimen', { grants: [{ group: 'Nobody' }] })
  assert.match(unset.at(-1)?.remedy ?? '', /give settings\.userGroups an institute/)
})

test('SelfCommunity: living tags, and groups that the service user manages', async () => {
  const grants: readonly Grant[] = [{ tag: 'staff' }, { group: 'Readers' }]
  assert.deepEqual(await told('selfcommunity', { grants }, { communityGroups: true }), [
    'tags ok: 1 named, all there',
    'groups ok: 1 named, all there',
  ])
  const wrong: readonly Grant[] = [...grants, { tag: 'gone' }, { tag: 'Staff' }, { group: 'Of somebody else' }]
  assert.deepEqual(await told('selfcommunity', { grants: wrong }, { communityGroups: true }), [
    'tags warning: missing: gone, Staff',
    'groups warning: missing: Of somebody else',
  ])
  const unset = await probed('selfcommunity', { grants })
  assert.match(unset.at(-1)?.remedy ?? '', /settings\.communityGroups: true/)
})

test('DSpace: groups by their exact names, also many of them', async () => {
  assert.deepEqual(await told('dspace', { grants: [{ group: 'Depositors' }] }), ['groups ok: 1 named, all there'])
  const grants: readonly Grant[] = [{ group: 'Depositors' }, { group: 'depositors' }, { group: 'Deposit' }]
  assert.deepEqual(await told('dspace', { grants }), ['groups warning: missing: depositors, Deposit'])
  const many = Array.from({ length: 40 }, (_, index) => ({ group: `G${index}` }))
  sandbox.dspace.forgetCalls()
  const [line = ''] = await told('dspace', { grants: [...grants, ...many] })
  assert.match(line, /^groups warning: missing: depositors, Deposit, G0, G1, .*, G17 and 22 more$/)
  assert.ok(sandbox.dspace.calls.length < 12)
})

describe('DSpace, in the mode invitation', () => {
  const registration = async () =>
    (await probed('dspace', { mode: 'invitation' }))
      .filter(({ name }) => name.startsWith('registration'))
      .map(({ name, result, seen }) => `${name} ${result}: ${seen}`)

  test('registration has to be open, without a CAPTCHA', async () => {
    assert.deepEqual(await registration(), [
      'registration ok: is open',
      'registration without a CAPTCHA ok: none is wanted',
    ])
  })

  test('a site whose registration is closed', async (t) => {
    const { knobs } = sandbox.dspace.logic
    knobs.registration = false
    t.after(() => {
      knobs.registration = true
    })
    assert.deepEqual(await registration(), [
      'registration failed: denied: the site does not offer epersonRegistration',
      'registration without a CAPTCHA skipped: not asked',
    ])
  })

  test('a site whose registration wants a CAPTCHA', async (t) => {
    const { knobs } = sandbox.dspace.logic
    knobs.captcha = true
    t.after(() => {
      knobs.captcha = false
    })
    const [, line] = await registration()
    assert.equal(line, 'registration without a CAPTCHA failed: refused: registration.verification.enabled is true')
  })

  test('in the mode direct nobody registers, and nothing of it is asked', async () => {
    const { knobs } = sandbox.dspace.logic
    knobs.registration = false
    const steps = await probed('dspace', {})
    knobs.registration = true
    assert.ok(steps.every(({ name, result }) => !name.startsWith('registration') && result === 'ok'))
  })
})

test('more names than a check has time for are not all looked up, and that is said', async () => {
  const grants = Array.from({ length: 30 }, (_, index) => ({ role: index < 25 ? 'Technician' : `R${index}` }))
  const distinct = Array.from({ length: 30 }, (_, index) => ({ role: `R${index}` }))
  assert.deepEqual(await told('openspecimen', { grants }), ['roles warning: missing: R25, R26, R27, R28, R29'])
  const [line = ''] = await told('openspecimen', { grants: distinct })
  assert.match(line, /; 5 more were not looked up$/)
})

test('a mapping names what its grants, tables, constants and defaults say, and nothing that a transform makes', () => {
  const text = `
version: 1
platform: figshare
describe: A mapping that names ids.
tables: { faculty: { values: { Physics: 101, Chemistry: 102 }, unknown: omit } }
user:
  match: [email]
  lifecycle: { deactivate: { is_active: false }, reactivate: { is_active: true } }
  attributes:
    email: { from: userName, required: true, on_change: refuse }
    last_name: { const: Doe, transform: [upper] }
    first_name: { when: [{ if: { path: active, equals: true }, value: On }], else: Off, read: never, empty: keep }
    job_title: { from: title, default: Reader }
    group_id: { from: title, table: faculty, default: 100, read: never }
groups:
  as: grants
  grants:
    - { group: a, grant: { group_id: 110, role_id: 49 } }
    - { group: b, grant: { role_id: 49, group_id: 110 } }
examples:
  - { name: nobody, scim: {}, error: 'user.attributes.email: required value is missing (from userName)' }
`
  const { mapping } = checkMapping({ file: 'x.yaml', text, facts })
  const { mode, grants, values } = namedByMapping(mapping)
  assert.equal(mode, 'direct')
  assert.deepEqual(grants, [{ group_id: 110, role_id: 49 }])
  assert.deepEqual(Object.fromEntries(values), {
    email: [],
    last_name: [],
    first_name: ['On', 'Off'],
    job_title: ['Reader'],
    group_id: [101, 102, 100],
  })
})
