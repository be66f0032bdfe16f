import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mail } from '../../src/sandbox/dspace/registrations.ts'
import { type Ask, type DspaceWorld, dspaceWorld, groupsPath, minuteMs, nobody, people } from './dspace-world.ts'

const path = '/api/eperson/registrations'
const byToken = (token: string) => `${path}/search/findByToken?token=${token}`
const dayMs = 24 * 60 * minuteMs

function register(world: DspaceWorld, change: object = {}, ask: Ask = {}) {
  const body = { email: 'new@x.example', type: 'registration', ...change }
  return world.call('POST', `${path}?accountRequestType=register`, { body, ...ask })
}

function lastMail({ dspace }: DspaceWorld): Mail {
  const mail = dspace.mails.at(-1)
  assert.ok(mail !== undefined)
  return mail
}

/** What the page behind the mail's link sends. */
function complete(world: DspaceWorld, token: string, change: object = {}) {
  const metadata = { 'eperson.firstname': [{ value: 'New' }], 'eperson.lastname': [{ value: 'Person' }] }
  const body = { metadata, password: 'longenough', canLogIn: true, type: 'eperson', ...change }
  return world.call('POST', `${people}?token=${token}`, { jwt: undefined, body })
}

test('registrations cannot be listed or read, and say nothing when they are made', async () => {
  const world = await dspaceWorld()
  assert.equal((await world.call('GET', path)).status, 405)
  assert.equal((await world.call('GET', `${path}/1`, { jwt: undefined })).status, 405)
  const made = await register(world)
  assert.deepEqual([made.status, made.text], [201, ''])
  const { token } = lastMail(world)
  assert.deepEqual(lastMail(world), { to: 'new@x.example', kind: 'register', token, link: `/register/${token}` })
})

test('a person completes a registration with the mailed token, once', async () => {
  const world = await dspaceWorld()
  await register(world, { email: 'New@X.example' }, { jwt: undefined })
  const { token } = lastMail(world)
  const bad = [
    [422, { metadata: {} }],
    [400, { password: undefined }],
    [422, { password: 'short' }],
    [400, { email: 'other@x.example' }],
  ] as const
  for (const [status, change] of bad) assert.equal((await complete(world, token, change)).status, status)
  const made = await complete(world, token)
  assert.equal(made.status, 201)
  assert.deepEqual([made.json.email, made.json.selfRegistered, made.json.name], ['new@x.example', true, 'New Person'])
  await world.jwtOf('new@x.example', 'longenough')
  assert.equal((await complete(world, token)).status, 400)
  assert.equal((await world.call('GET', byToken(token))).status, 404)
})

test('findByToken tells e-mail and account, and more since 9 and DSpace-CRIS 2023.02', async () => {
  const keys = {
    '8.1': ['email', 'user', 'type'],
    '9.0': ['email', 'user', 'type', 'id', 'registrationType', 'netId', 'registrationMetadata'],
    'cris-2021.01': ['email', 'user', 'type', 'groups', 'groupNames'],
  }
  for (const [flavour, expected] of Object.entries(keys)) {
    const world = await dspaceWorld({ flavour })
    await register(world)
    const { token } = lastMail(world)
    const found = await world.call('GET', byToken(token), { jwt: undefined })
    assert.deepEqual(Object.keys(found.json), expected)
    assert.deepEqual([found.json.email, found.json.user], ['new@x.example', null])
    const { uuid } = world.dspace.addEPerson({ email: 'new@x.example' })
    assert.equal((await world.call('GET', byToken(token))).json.user, uuid)
  }
  const world = await dspaceWorld()
  assert.equal((await world.call('GET', byToken('none'))).status, 404)
  assert.equal((await world.call('GET', `${path}/search/findByToken`)).status, 400)
})

test('groups are joined on DSpace-CRIS, refused by 7 and 8, and silently dropped by 9 and 10', async () => {
  const releases = [
    ['7.0', 422, 0],
    ['8.1', 422, 0],
    ['9.3', 201, 0],
    ['10.0', 201, 0],
    ['cris-2021.01', 201, 1],
    ['cris-2024.02', 201, 1],
    ['cris-2025.02', 201, 1],
  ] as const
  for (const [flavour, status, joined] of releases) {
    const world = await dspaceWorld({ flavour })
    const { uuid } = world.dspace.addGroup({ name: 'Invited' })
    assert.equal((await register(world, { groups: [uuid] })).status, status, flavour)
    assert.equal(world.dspace.mails.length, status === 201 ? 1 : 0)
    if (status !== 201) continue
    assert.equal((await complete(world, lastMail(world).token)).status, 201)
    assert.equal(world.dspace.memberEmails('Invited').length, joined, flavour)
  }
})

test('only who administers a group invites to it; what an administrator misspells is skipped in silence', async () => {
  const world = await dspaceWorld({ flavour: 'cris-2024.02' })
  const { dspace } = world
  const group = dspace.addGroup({ name: 'Invited' })
  const role = [...dspace.state.groups.values()].find(({ object }) => object !== undefined)
  assert.ok(role !== undefined)
  dspace.join(role, dspace.addEPerson({ email: 'ann@x.example', password: 'longenough', canLogIn: true }))
  const jwt = await world.jwtOf('ann@x.example', 'longenough')
  assert.equal((await register(world, { groups: [group.uuid] }, { jwt: undefined })).status, 401)
  assert.equal((await register(world, { groups: [group.uuid] }, { jwt })).status, 403)
  assert.equal((await register(world, { groups: [nobody] }, { jwt })).status, 422)
  assert.equal(dspace.mails.length, 0)
  assert.equal((await register(world, { groups: [role.uuid] }, { jwt })).status, 201)
  assert.equal((await register(world, { groups: [] }, { jwt: undefined })).status, 201)
  assert.equal((await register(world, { groups: [nobody, group.uuid] })).status, 201)
  const found = await world.call('GET', byToken(lastMail(world).token))
  assert.deepEqual(found.json.groupNames, [role.name, 'Invited'])
})

test('asking again mails the same token again, and further groups are added to the pending row', async () => {
  const world = await dspaceWorld({ flavour: 'cris-2025.02' })
  const [a, b] = ['A', 'B'].map((name) => world.dspace.addGroup({ name }).uuid)
  await register(world, { groups: [a] })
  await register(world, { groups: [b] })
  await register(world)
  const tokens = new Set(world.dspace.mails.map(({ token }) => token))
  assert.deepEqual([world.dspace.mails.length, tokens.size, world.dspace.registrations.size], [3, 1, 1])
  await complete(world, lastMail(world).token)
  assert.deepEqual(
    [world.dspace.memberEmails('A'), world.dspace.memberEmails('B')],
    [['new@x.example'], ['new@x.example']],
  )
})

test('since 9 a token ends after a day, and another request then makes another one', async () => {
  for (const [flavour, status] of [
    ['8.1', 201],
    ['9.3', 400],
  ] as const) {
    const world = await dspaceWorld({ flavour })
    await register(world)
    const { token } = lastMail(world)
    world.wait(dayMs)
    assert.equal((await world.call('GET', byToken(token))).status, 200)
    world.wait(1)
    assert.equal((await complete(world, token)).status, status, flavour)
    if (status === 201) continue
    await register(world, {}, { jwt: undefined })
    assert.notEqual(lastMail(world).token, token)
  }
})

test('the kind of request is required since 7.5 and DSpace-CRIS 2023.01', async () => {
  const releases = { '7.4': 201, '7.5': 400, '9.3': 400, 'cris-2022.03': 201, 'cris-2023.01': 400 }
  for (const [flavour, status] of Object.entries(releases)) {
    const world = await dspaceWorld({ flavour })
    const body = { email: 'new@x.example' }
    assert.equal((await world.call('POST', path, { body })).status, status, flavour)
    assert.equal((await world.call('POST', `${path}?accountRequestType=other`, { body })).status, status, flavour)
  }
})

test('an e-mail that has an account gets another mail, by release', async () => {
  const releases = [
    ['7.4', 'forgot'],
    ['7.5', 'register'],
    ['7.6', 'forgot'],
    ['9.3', 'forgot'],
    ['cris-2022.03', 'forgot'],
    ['cris-2024.02', 'register'],
    ['cris-2025.02', 'forgot'],
  ] as const
  for (const [flavour, kind] of releases) {
    const world = await dspaceWorld({ flavour })
    world.dspace.addEPerson({ email: 'new@x.example', canLogIn: true })
    assert.equal((await register(world)).status, 201)
    assert.equal(lastMail(world).kind, kind, flavour)
    // Its completion makes no second account.
    assert.equal((await complete(world, lastMail(world).token)).status, 400)
  }
  for (const [flavour, status] of [
    ['8.1', 201],
    ['9.3', 400],
  ] as const) {
    const world = await dspaceWorld({ flavour })
    world.dspace.addEPerson({ email: 'new@x.example' })
    assert.equal((await register(world)).status, status)
  }
})

test('on DSpace-CRIS an existing account is invited to groups and joins them signed in', async () => {
  const world = await dspaceWorld({ flavour: 'cris-2025.02' })
  const { call, dspace } = world
  const ann = dspace.addEPerson({ email: 'new@x.example', password: 'longenough', canLogIn: true })
  const group = dspace.addGroup({ name: 'Invited' })
  await register(world, { groups: [group.uuid] })
  const { token, link } = lastMail(world)
  assert.equal(link, `/invitation/${token}`)
  const join = (jwt: string | undefined) => call('POST', `${people}/${ann.uuid}/groups?token=${token}`, { jwt })
  assert.equal((await join(undefined)).status, 401)
  assert.equal((await join(world.jwt)).status, 403)
  const jwt = await world.jwtOf('new@x.example', 'longenough')
  assert.equal((await join(jwt)).status, 201)
  assert.deepEqual(dspace.memberEmails('Invited'), ['new@x.example'])
  assert.equal((await join(jwt)).status, 400)
  assert.equal((await call('GET', `${groupsPath}/${group.uuid}`, { jwt })).status, 200)
})

test('registration can be closed, limited to domains, guarded by a captcha, or lose its mails', async () => {
  const world = await dspaceWorld()
  const { call, dspace } = world
  const site = (await call('GET', '/api/core/sites', { jwt: undefined })).json._embedded.sites[0]._links.self.href
  const feature = `/api/authz/authorizations/search/object?uri=${encodeURIComponent(site)}&feature=epersonRegistration`
  const isOpen = async () => (await call('GET', feature, { jwt: undefined })).json.page.totalElements > 0
  assert.equal(await isOpen(), true)
  dspace.knobs.registration = false
  assert.equal(await isOpen(), false)
  assert.equal('_embedded' in (await call('GET', feature)).json, false)
  assert.deepEqual([(await register(world)).status, (await register(world, {}, { jwt: undefined })).status], [403, 401])
  dspace.knobs.registration = true
  dspace.knobs.mailDomains = ['@uni.example']
  assert.equal((await register(world)).status, 422)
  assert.equal((await register(world, { email: 'new@UNI.example' })).status, 201)
  dspace.knobs.mailDomains = []
  dspace.knobs.captcha = true
  assert.equal((await register(world)).status, 403)
  assert.equal((await register(world, {}, { headers: { 'x-captcha-payload': 'solved' } })).status, 201)
  dspace.knobs.captcha = false
  dspace.knobs.mails = 'lost'
  const before = dspace.mails.length
  assert.equal((await register(world)).status, 201)
  assert.equal(dspace.mails.length, before)
  assert.equal((await call('GET', '/api/authz/authorizations/search/object')).status, 400)
})

test('a registration without a proper e-mail, or with a property that an older release does not know, is refused', async () => {
  const world = await dspaceWorld({ flavour: '7.6.2' })
  for (const change of [{ email: undefined }, { email: '' }, { email: 'nonsense' }, { givenName: 'Ann' }]) {
    assert.equal((await register(world, change)).status, 422)
  }
  assert.equal(world.dspace.mails.length, 0)
})

test('a forgotten password of nobody is answered as that of somebody, and may be switched off', async () => {
  const world = await dspaceWorld()
  const { call, dspace } = world
  const forgot = () =>
    call('POST', `${path}?accountRequestType=forgot`, { jwt: undefined, body: { email: 'n@x.example' } })
  assert.equal((await forgot()).status, 201)
  assert.equal(dspace.mails.length, 0)
  dspace.addEPerson({ email: 'n@x.example', canLogIn: true })
  assert.equal((await forgot()).status, 201)
  assert.equal(lastMail(world).kind, 'forgot')
  dspace.knobs.passwordReset = false
  assert.equal((await forgot()).status, 401)
})

test('the holder of a token can move the registration to another e-mail, since 9', async () => {
  const world = await dspaceWorld()
  const { call, dspace } = world
  await register(world)
  const { token } = lastMail(world)
  const { id } = (await call('GET', byToken(token))).json
  const move = (ask: string, value: unknown) =>
    call('PATCH', `${path}/${id}?token=${ask}`, { jwt: undefined, body: [{ op: 'replace', path: '/email', value }] })
  assert.equal((await move('wrong', ['b@x.example'])).status, 401)
  assert.equal((await move(token, ['nonsense'])).status, 422)
  assert.equal((await move(token, ['b@x.example'])).status, 204)
  assert.equal(lastMail(world).to, 'b@x.example')
  assert.equal((await call('GET', byToken(token))).status, 404)
  assert.equal((await complete(world, lastMail(world).token)).json.email, 'b@x.example')
  dspace.knobs.registrationDetails = false
  assert.equal((await move(token, ['c@x.example'])).status, 404)
})
