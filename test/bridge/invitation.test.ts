import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { builtInMappings } from '../../src/bridge.ts'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { knobsOf } from '../../src/sandbox/dspace/knobs.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'
import { emailOf, provisioningUrn } from '../figshare-bridge.ts'
import { adding, aGroup, grantsSeen, removing } from '../grants/grants-world.ts'
import { eventuallyAfter } from '../long-time.ts'
import { viewOf } from '../platform-view.ts'

const hour = 3_600_000
const off = [{ op: 'replace', path: 'active', value: false }]
const override = `version: 1
platform: dspace
extends: ../dspace.yaml
user:
  mode: invitation
examples:
  - name: a member of staff
    scim: { userName: m@uni.example, name: { givenName: Marie, familyName: Curie } }
    account: { email: m@uni.example, firstname: Marie, lastname: Curie, language: en, canLogIn: true }
`

/** A mapping of the site's own that only switches the mode. */
function anOverride(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'invitation-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'connections'))
  copyFileSync(join(builtInMappings, 'dspace.yaml'), join(folder, 'dspace.yaml'))
  const file = join(folder, 'connections', 'invited.yaml')
  writeFileSync(file, override)
  return file
}

function change(config: JsonObject, mapping: string, mode: string): void {
  const dspace = isJsonObject(config.connections) ? config.connections.dspace : undefined
  if (isJsonObject(dspace)) Object.assign(dspace, { mapping, mode })
}

async function aWorld(t: TestContext, release = '9.3'): Promise<BridgeWorld> {
  const mapping = anOverride(t)
  const world = await startBridgeWorld((config) => change(config, mapping, 'deferred'))
  t.after(() => world.stop())
  Object.assign(world.sandbox.dspace.logic.knobs, knobsOf(release))
  return world
}

const mailsTo = (world: BridgeWorld, user: JsonObject) =>
  world.sandbox.dspace.logic.mails.filter(({ to, kind }) => to === emailOf(user) && kind === 'register')
const accountOf = async (world: BridgeWorld, user: JsonObject) =>
  (await viewOf(world, 'dspace').byEmail(emailOf(user)))[0]
const stateOf = async (world: BridgeWorld, id: string) =>
  (await world.scim('dspace').get(`/Users/${id}`)).body[provisioningUrn]
const until = (world: BridgeWorld, what: string, ask: () => boolean | Promise<boolean>) =>
  eventually(what, ask, () => world.clock.advance(1_000))

const groupNames = (world: BridgeWorld) => [...world.sandbox.dspace.logic.state.groups.values()].map(({ name }) => name)

async function invited(world: BridgeWorld, user: JsonObject): Promise<string> {
  const made = await world.scim('dspace').post('/Users', user)
  assert.equal(made.status, 201, made.text)
  await until(world, 'a mail is out', () => mailsTo(world, user).length > 0)
  return made.body.id
}

/** What the page behind the mail's link sends, in the person's browser. */
async function completeRegistration(world: BridgeWorld, user: JsonObject): Promise<void> {
  const { baseUrl, logic } = world.sandbox.dspace
  const token = mailsTo(world, user).at(-1)?.token
  const csrf = await fetch(`${baseUrl}/api/${logic.knobs.csrfEndpoint ? 'security/csrf' : 'authn/status'}`)
  const answer = await fetch(`${baseUrl}/api/eperson/epersons?token=${token}`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'X-XSRF-TOKEN': csrf.headers.get('dspace-xsrf-token') ?? '',
      Cookie: (csrf.headers.getSetCookie().at(-1) ?? '').split(';', 1)[0] ?? '',
    },
    body: JSON.stringify({
      metadata: { 'eperson.firstname': [{ value: 'A.' }], 'eperson.lastname': [{ value: 'L.' }] },
      password: 'a long enough one',
      canLogIn: true,
      type: 'eperson',
    }),
  })
  assert.equal(answer.status, 201, await answer.text())
}

for (const release of ['9.3', 'cris-2024.02']) {
  test(`${release}: a person is mailed once, is pending until they register, and is then linked and brought up to date`, async (t) => {
    const world = await aWorld(t, release)
    const user = aUser()
    const id = await invited(world, user)
    assert.equal((await stateOf(world, id)).state, 'pending')
    await until(world, 'it was looked for again', async () => /invited/.test((await stateOf(world, id)).detail ?? ''))
    assert.equal(await accountOf(world, user), undefined)
    await completeRegistration(world, user)
    await until(world, 'it is applied', async () => (await stateOf(world, id)).state === 'applied')
    const account = await accountOf(world, user)
    assert.deepEqual([account?.givenName, account?.isOn], ['Ada', true])
    assert.equal((await stateOf(world, id)).accountId, account?.id)
    assert.equal(mailsTo(world, user).length, 1)
  })
}

for (const release of ['9.3', 'cris-2024.02']) {
  const isCris = release.startsWith('cris')

  test(`${release}: groups known before the mail are ${isCris ? 'promised in it' : 'kept back'}, and held after the registration`, async (t) => {
    const world = await aWorld(t, release)
    const scim = world.scim('dspace')
    const group = await scim.post('/Groups', aGroup('Editors'))
    await until(world, 'the group is made', () => groupNames(world).includes('Editors'))
    world.sandbox.dspace.fault({ mode: 'down' })
    const user = aUser()
    const { body } = await scim.post('/Users', user)
    await scim.patch(`/Groups/${group.body.id}`, adding(body.id))
    world.sandbox.dspace.fault({ mode: 'ok' })
    await until(world, 'a mail is out', () => mailsTo(world, user).length > 0)
    const sent = world.sandbox.dspace.calls.filter(
      ({ path, method }) => method === 'POST' && /registrations/.test(path),
    )
    assert.equal(
      sent.some(({ requestBody }) => requestBody.includes('groups')),
      isCris,
    )
    await completeRegistration(world, user)
    await until(world, 'it is applied', async () => (await stateOf(world, body.id)).state === 'applied')
    assert.deepEqual(grantsSeen(world, 'dspace', emailOf(user)), ['Editors'])
    await scim.patch(`/Groups/${group.body.id}`, removing(body.id))
    await until(world, 'it is taken', () => grantsSeen(world, 'dspace', emailOf(user)).length === 0)
  })

  test(`${release}: a membership pushed after the mail is given once the account is there`, async (t) => {
    const world = await aWorld(t, release)
    const scim = world.scim('dspace')
    const user = aUser()
    const id = await invited(world, user)
    assert.equal((await scim.post('/Groups', aGroup('Editors', id))).status, 201)
    await until(world, 'the group is made', () => groupNames(world).includes('Editors'))
    assert.equal(mailsTo(world, user).length, 1)
    await completeRegistration(world, user)
    await until(world, 'it is applied', async () => (await stateOf(world, id)).state === 'applied')
    assert.deepEqual(grantsSeen(world, 'dspace', emailOf(user)), ['Editors'])
  })
}

test('a person who is deactivated before they register is switched off as soon as the account appears', async (t) => {
  const world = await aWorld(t)
  const user = aUser()
  const id = await invited(world, user)
  const answer = await world.scim('dspace').patch(`/Users/${id}`, off)
  assert.deepEqual([answer.status, answer.body.active], [200, false])
  await completeRegistration(world, user)
  await until(world, 'the account is off', async () => (await accountOf(world, user))?.isOn === false)
  await until(world, 'it is applied', async () => (await stateOf(world, id)).state === 'applied')
})

test('a person who is deleted before they register is switched off as soon as the account appears', async (t) => {
  const world = await aWorld(t)
  const user = aUser()
  const id = await invited(world, user)
  assert.equal((await world.scim('dspace').delete(`/Users/${id}`)).status, 204)
  await completeRegistration(world, user)
  await until(world, 'the account is off', async () => (await accountOf(world, user))?.isOn === false)
})

test('a person who is off from the start is not invited', async (t) => {
  const world = await aWorld(t)
  const user = aUser({ active: false })
  const { body } = await world.scim('dspace').post('/Users', user)
  await until(world, 'it is applied', async () => (await stateOf(world, body.id)).state === 'applied')
  assert.equal(mailsTo(world, user).length, 0)
})

test('nobody is invited twice within 24 hours, nor more than three times', async (t) => {
  const world = await aWorld(t)
  const user = aUser()
  await invited(world, user)
  const end = world.clock.now() + 23 * hour
  await eventuallyAfter(hour / 4, world, 'a day is nearly over', () => world.clock.now() >= end)
  assert.equal(mailsTo(world, user).length, 1)
  await eventuallyAfter(hour / 4, world, 'the second mail', () => mailsTo(world, user).length === 2)
  const late = world.clock.now() + 8 * 24 * hour
  await eventuallyAfter(hour, world, 'a week has gone by', () => world.clock.now() >= late)
  assert.equal(mailsTo(world, user).length, 3)
})

test('a push that is repeated while the invitation is open mails nobody again', async (t) => {
  const world = await aWorld(t)
  const user = aUser()
  const id = await invited(world, user)
  const changed = await world
    .scim('dspace')
    .patch(`/Users/${id}`, [{ op: 'replace', path: 'name.familyName', value: 'King' }])
  assert.equal(changed.status, 200, changed.text)
  await until(world, 'it was looked for again', async () => /invited/.test((await stateOf(world, id)).detail ?? ''))
  assert.equal(mailsTo(world, user).length, 1)
  await completeRegistration(world, user)
  await until(world, 'it is applied', async () => (await stateOf(world, id)).state === 'applied')
  assert.equal((await accountOf(world, user))?.familyName, 'King')
})

test('a mail that DSpace certainly did not send does not cost the person a day', async (t) => {
  const world = await aWorld(t)
  const { dspace } = world.sandbox
  const user = aUser()
  dspace.fault({ mode: '429', path: '/api/eperson/registrations', retryAfter: '60' })
  const { body } = await world.scim('dspace').post('/Users', user)
  await until(world, 'it was turned away', () => dspace.faultCount > 0)
  dspace.fault({ mode: 'ok' })
  const end = world.clock.now() + hour
  await until(world, 'a mail is out', () => mailsTo(world, user).length > 0)
  assert.ok(world.clock.now() < end)
  assert.equal((await stateOf(world, body.id)).state, 'pending')
})

test('a person who has an account is not invited: theirs is taken over', async (t) => {
  const world = await aWorld(t)
  const user = aUser()
  const { dspace } = world.sandbox
  const person = dspace.logic.addEPerson({ email: emailOf(user), firstName: 'A.', lastName: 'L.', canLogIn: true })
  const { body } = await world.scim('dspace').post('/Users', user)
  await until(world, 'it is applied', async () => (await stateOf(world, body.id)).state === 'applied')
  assert.equal((await stateOf(world, body.id)).accountId, person.uuid)
  assert.equal(dspace.logic.mails.length, 0)
})

test('a connection that confirms cannot invite, and says so at the start', async (t) => {
  const mapping = anOverride(t)
  const starting = startBridgeWorld((config) => change(config, mapping, 'confirmed'))
  await assert.rejects(starting, /an invitation is answered before there is an account.*mode: deferred/)
})
