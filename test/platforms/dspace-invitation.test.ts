import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aRepository, connected, platformWrites, values } from './scripted-dspace.ts'
import { thrownBy } from './thrown.ts'
import { aCall } from './world.ts'

const staff = [{ group: 'Staff' }]
const registration = 'POST /api/eperson/registrations'

test('plain DSpace never gets groups with an invitation, which 9 and later would ignore silently', async (t) => {
  const { server, connection } = await connected(t, aRepository())
  await connection.invite?.(aCall(), values({ email: 'Eve@uni.example' }), staff)
  assert.deepEqual(server.bodyOf(registration), { email: 'eve@uni.example', type: 'registration' })
  const sent = server.requests.find(({ path }) => path.endsWith('/registrations'))
  assert.equal(sent?.query.get('accountRequestType'), 'register')
})

for (const version of [
  { dspaceVersion: 'DSpace 7.6', crisVersion: 'cris-2023.02.07' },
  { dspaceVersion: 'DSpace cris-2021.03.01' },
]) {
  test(`DSpace-CRIS (${Object.values(version).join(', ')}) is invited into groups by their uuids`, async (t) => {
    const repository = { ...aRepository(), version }
    const { server, connection } = await connected(t, repository)
    await connection.invite?.(aCall(), values({ email: 'eve@uni.example' }), staff)
    const groups = [repository.groups.find(({ name }) => name === 'Staff')?.uuid]
    assert.deepEqual(server.bodyOf(registration), { email: 'eve@uni.example', type: 'registration', groups })
  })
}

test('the setting decides about the flavour, and the server is not asked', async (t) => {
  const { server, connection } = await connected(t, aRepository(), { flavour: 'cris' })
  await connection.invite?.(aCall(), values({ email: 'eve@uni.example' }), staff)
  assert.ok(JSON.stringify(server.bodyOf(registration)).includes('groups'))
  assert.ok(!server.lines().includes('GET /api'))
})

test('a group that CRIS does not know is refused before anybody is mailed: CRIS would leave it out silently', async (t) => {
  const { server, connection } = await connected(t, aRepository(), { flavour: 'cris' })
  const invitation = connection.invite?.(aCall(), values({ email: 'eve@uni.example' }), [{ group: 'Nowhere' }])
  assert.ok(invitation)
  assert.equal((await thrownBy(invitation)).kind, 'refused')
  assert.deepEqual(platformWrites(server), [])
})

test('somebody who has an account is never invited: DSpace would mail a forgotten password', async (t) => {
  const { server, connection } = await connected(t, aRepository())
  const invitation = connection.invite?.(aCall(), values({ email: 'ADA@uni.example' }), [])
  assert.ok(invitation)
  assert.equal((await thrownBy(invitation)).kind, 'conflict')
  assert.deepEqual(platformWrites(server), [])
})

for (const [status, kind] of [
  [401, 'denied'],
  [403, 'denied'],
  [422, 'refused'],
  [500, 'unknown'],
] as const) {
  test(`an invitation that DSpace answers with ${status} is ${kind}`, async (t) => {
    const repository = aRepository()
    repository.before = ({ path }) =>
      path.endsWith('/registrations') ? { status, json: { message: 'no' } } : undefined
    const { connection } = await connected(t, repository)
    const invitation = connection.invite?.(aCall(), values({ email: 'eve@uni.example' }), [])
    assert.ok(invitation)
    assert.equal((await thrownBy(invitation)).kind, kind)
  })
}
