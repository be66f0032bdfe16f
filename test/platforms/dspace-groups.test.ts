import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Conflict, Immutable, Refused, Unknown } from '../../src/errors.ts'
import { dspace } from '../../src/platforms/dspace/dspace.ts'
import { dspaceWorld, startDspace } from './dspace-world.ts'
import { aCall, groupsOf } from './world.ts'

const administrators = { group: 'Administrator' }

async function aRepository(
  t: TestContext,
  settings: Readonly<Record<string, unknown>> = {},
  options: Parameters<typeof startDspace>[0] = {},
) {
  const world = await startDspace(options)
  t.after(() => world.close())
  const connection = world.connect({ settings })
  const make = (key: string) => connection.create(aCall(), dspaceWorld.person(key))
  const role = [...world.site.state.groups.values()].find(({ name }) => name.startsWith('COLLECTION_'))
  assert.ok(role)
  return { ...world, connection, make, role }
}

test('a role group that the settings name is given and taken, and still neither renamed nor deleted', async (t) => {
  const { make, connect, role } = await aRepository(t)
  const connection = connect({ settings: { roleGroups: [role.name] } })
  const ada = await make('ada')
  const grant = { group: role.name }
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [grant], []), [grant])
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [], [grant]), [])
  await assert.rejects(groupsOf(connection).remove(aCall(), role.uuid), Immutable)
  await assert.rejects(groupsOf(connection).rename(aCall(), role.uuid, 'Mine'), Immutable)
})

test('a group may not be called like the role of a collection, which DSpace would believe', async (t) => {
  const { connection } = await aRepository(t)
  const groups = groupsOf(connection)
  const { id } = await groups.create(aCall(), 'Biology')
  for (const name of ['COLLECTION_x_ADMIN', 'COMMUNITY_x']) {
    await assert.rejects(groups.create(aCall(), name), Refused)
    await assert.rejects(groups.rename(aCall(), id, name), Refused)
  }
})

for (const duplicateStatus of [409, 422, 500] as const) {
  test(`a name that somebody takes between look and write is refused, where the server says ${duplicateStatus}`, async (t) => {
    const { site, connection } = await aRepository(t, {}, { knobs: { duplicateStatus } })
    const racing = { ...aCall(), beforeWrite: async () => void site.addGroup({ name: 'Biology' }) }
    await assert.rejects(
      groupsOf(connection).create(racing, 'Biology'),
      // A 500 does not tell whose the group is.
      duplicateStatus === 500 ? Unknown : Conflict,
    )
    const other = await groupsOf(connection).create(aCall(), 'Botany')
    const again = { ...aCall(), beforeWrite: async () => void site.addGroup({ name: 'Zoology' }) }
    await assert.rejects(groupsOf(connection).rename(again, other.id, 'Zoology'), Conflict)
  })
}

test('a rename that was done and answered with 500 is done', async (t) => {
  const { simulator, site, connection } = await aRepository(t)
  const groups = groupsOf(connection)
  const { id } = await groups.create(aCall(), 'Biology')
  simulator.fault({ mode: '500-after', only: 'writes' })
  assert.deepEqual(await groups.rename(aCall(), id, 'Botany'), { id, name: 'Botany' })
  assert.equal(simulator.faultCount, 1)
  assert.equal(site.group('Botany')?.uuid, id)
})

test('a group that was made and answered with 500 is of unknown outcome, and no name that is taken', async (t) => {
  const { simulator, site, connection } = await aRepository(t)
  simulator.fault({ mode: '500-after', only: 'writes' })
  await assert.rejects(groupsOf(connection).create(aCall(), 'Biology'), Unknown)
  assert.notEqual(site.group('Biology'), undefined)
})

test('a group is nested as the settings say, once, when it is made and when somebody joins it', async (t) => {
  const { connect, role, simulator, site, make } = await aRepository(t)
  const nest = [
    { group: 'Depositors', into: role.name },
    { group: 'Researchers', into: role.name },
  ]
  const connection = connect({ settings: { nest } })
  const depositors = await groupsOf(connection).create(aCall(), 'Depositors')
  assert.ok(role.subgroups.has(depositors.id))
  for (const key of ['ada', 'bob'])
    await connection.writeGrants(aCall(), (await make(key)).id, [{ group: 'Researchers' }], [])
  assert.ok(role.subgroups.has(site.group('Researchers')?.uuid ?? ''))
  const nestings = simulator.calls.filter(({ method, path }) => method === 'POST' && path.endsWith('/subgroups'))
  assert.equal(nestings.length, 2)
  assert.equal(role.members.size, 0)
})

test('a nesting that would run in a circle is refused, and nobody joins', async (t) => {
  const nest = [{ group: 'Researchers', into: 'Library Staff' }]
  const { site, make, connection } = await aRepository(t, { nest })
  site.group('Researchers')?.subgroups.add(site.group('Library Staff')?.uuid ?? '')
  const ada = await make('ada')
  await assert.rejects(
    connection.writeGrants(aCall(), ada.id, [{ group: 'Researchers' }], []),
    (error) => error instanceof Refused && /cannot contain itself/.test(error.message),
  )
  assert.deepEqual(await connection.readGrants(aCall(), ada.id), [])
})

test('no group is nested into the administrators: the settings are refused', () => {
  const nest = [{ group: 'Researchers', into: 'Administrator' }]
  const parsed = dspace.settings.safeParse({ user: 'a@uni.example', password: 'x', nest })
  assert.match(parsed.error?.message ?? '', /nested into Administrator/)
})

test('the last administrator who can log in is neither taken, nor switched off, nor deleted', async (t) => {
  const { connection, make } = await aRepository(t, { roleGroups: ['Administrator'] })
  const [ada, bob] = [await make('ada'), await make('bob')]
  await connection.writeGrants(aCall(), ada.id, [administrators], [])
  const admin = await connection.read(aCall(), ada.id)
  assert.ok(admin)
  assert.equal(admin.protectedBecause, undefined)
  // The bridge's own account is an administrator too, and does not count.
  const lastSays = (error: unknown) => error instanceof Immutable && /last administrator/.test(error.message)
  await assert.rejects(connection.writeGrants(aCall(), ada.id, [], [administrators]), lastSays)
  await assert.rejects(connection.update(aCall(), admin, dspaceWorld.off), lastSays)
  await assert.rejects(connection.remove?.(aCall(), ada.id) ?? Promise.resolve(), lastSays)
  await connection.writeGrants(aCall(), bob.id, [administrators], [])
  assert.deepEqual(await connection.writeGrants(aCall(), ada.id, [], [administrators]), [])
})

test('writes to one group wait for each other, so that a membership given twice at once is given once', async (t) => {
  const { site, make, connection } = await aRepository(t, {}, { knobs: { memberAddMs: 20 } })
  const ada = await make('ada')
  const grant = [dspaceWorld.grants.one]
  const both = [connection.writeGrants(aCall(), ada.id, grant, []), connection.writeGrants(aCall(), ada.id, grant, [])]
  assert.deepEqual(await Promise.all(both), [grant, grant])
  assert.equal(site.group('Researchers')?.members.size, 1)
})

test('an invitation promises no protected group: that is refused, and said, once the account is there', async (t) => {
  const { site, connection } = await aRepository(t, {}, { flavour: 'cris-2025.02' })
  await connection.invite?.(aCall(), dspaceWorld.person('eve'), [administrators, dspaceWorld.grants.one])
  const promised = [...site.registrations.values()].flatMap((registration) => [...registration.groups])
  assert.deepEqual(promised, [site.group('Researchers')?.uuid])
})

test('a group whose name looks like an id is found by it, though DSpace searches for an id then', async (t) => {
  const { connection } = await aRepository(t)
  const name = crypto.randomUUID()
  const made = await groupsOf(connection).create(aCall(), name)
  assert.deepEqual(await groupsOf(connection).find(aCall(), name), made)
  await assert.rejects(groupsOf(connection).create(aCall(), name), Conflict)
})
