import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Conflict, Denied, Immutable, Unknown } from '../../src/errors.ts'
import { contractSuite } from './contract.ts'
import { dspaceWorld, startDspace } from './dspace-world.ts'
import { aCall, groupsOf } from './world.ts'

contractSuite(dspaceWorld)

async function aRepository(t: TestContext, options: Parameters<typeof startDspace>[0] = {}) {
  const world = await startDspace(options)
  t.after(() => world.close())
  return { ...world, connection: world.connect() }
}

const person = (key: string) => dspaceWorld.person(key)

for (const flavour of ['7.0', '7.6.2', '8.1', '9.0', '9.3', '10.0', 'cris-2021.01', 'cris-2025.02']) {
  test(`release ${flavour}: a person is made, joins, is changed, switched off and deleted`, async (t) => {
    const { site, connection } = await aRepository(t, { flavour })
    await connection.check(aCall())
    const made = await connection.create(aCall(), person('ada'))
    await connection.writeGrants(aCall(), made.id, [dspaceWorld.grants.one], [])
    assert.deepEqual(site.memberEmails('Researchers'), ['ada@uni.example'])
    const changed = await connection.update(aCall(), made, new Map([...dspaceWorld.change, ...dspaceWorld.off]))
    assert.equal(changed.attributes.get('canLogIn'), false)
    assert.equal(changed.attributes.get('email'), 'ada.king@uni.example')
    await connection.remove?.(aCall(), made.id)
    assert.equal(await connection.read(aCall(), made.id), undefined)
  })
}

for (const duplicateStatus of [409, 422, 500] as const) {
  test(`taken e-mails and netids are Conflict, where the server says ${duplicateStatus}`, async (t) => {
    const { connection } = await aRepository(t, { knobs: { duplicateStatus } })
    await connection.create(aCall(), person('ada'))
    const bob = await connection.create(aCall(), person('bob'))
    const sameNetid = new Map([...person('cyd'), ['netid', 'ada@idp']])
    await assert.rejects(connection.create(aCall(), sameNetid), Conflict)
    for (const [name, value] of [
      ['email', 'ADA@uni.example'],
      ['netid', 'ada@idp'],
    ] as const) {
      await assert.rejects(
        connection.update(aCall(), bob, new Map([[name, value]])),
        (error) => error instanceof Conflict && error.message.includes(name),
      )
    }
  })
}

test('a create whose answer was lost is Unknown, is not repeated, and is found afterwards', async (t) => {
  const { simulator, connection } = await aRepository(t)
  await connection.check(aCall())
  simulator.fault({ mode: 'reset-after', only: 'writes' })
  await assert.rejects(connection.create(aCall(), person('ada')), Unknown)
  simulator.fault({ mode: 'ok' })
  const creates = simulator.calls.filter((call) => call.method === 'POST' && call.path.endsWith('/epersons'))
  assert.equal(creates.length, 1)
  assert.equal((await connection.find(aCall(), 'email', 'Ada@uni.example', person('ada'))).length, 1)
})

test('a connection works on through half an hour and through a night', async (t) => {
  const { simulator, connection, pass } = await aRepository(t)
  const made = await connection.create(aCall(), person('ada'))
  for (const minutes of [27, 1.5, 27, 40, 600]) {
    await pass(minutes * 60_000)
    assert.deepEqual(await connection.read(aCall(), made.id), made)
  }
  assert.ok(!simulator.calls.some((call) => call.path.includes('logout')))
  assert.ok(!simulator.calls.some((call) => call.status === 401))
})

test('names are kept to the last character', async (t) => {
  const { connection } = await aRepository(t)
  let account = await connection.create(aCall(), person('ada'))
  for (const lastname of ["O'Brien-Müller & <Söhne>", '王小明 🎓', 'x'.repeat(255), ' \\ / ~1 "']) {
    account = await connection.update(aCall(), account, new Map([['lastname', lastname]]))
    assert.equal(account.attributes.get('lastname'), lastname)
  }
})

test('a walk over more than one page gives everybody once', async (t) => {
  const { site, connection } = await aRepository(t)
  for (let number = 0; number < 230; number += 1) site.addEPerson({ email: `p${number}@uni.example`, lastName: 'P' })
  const listed: string[] = []
  let cursor: string | undefined
  do {
    const page = await connection.list(aCall(), cursor)
    // Somebody near the front disappears: everybody moves up, over the end of a page that was seen.
    if (cursor === undefined) site.removeEPerson(String(page.accounts[1]?.attributes.get('email')))
    listed.push(...page.accounts.map(({ id }) => id))
    cursor = page.next
  } while (cursor !== undefined)
  assert.equal(new Set(listed).size, listed.length)
  for (const uuid of site.state.epersons.keys()) assert.ok(listed.includes(uuid))
})

test('a walk that another process continues misses nobody when somebody was deleted meanwhile', async (t) => {
  const { site, connection, connect } = await aRepository(t)
  for (let number = 0; number < 130; number += 1) site.addEPerson({ email: `p${number}@uni.example`, lastName: 'P' })
  const first = await connection.list(aCall(), undefined)
  site.removeEPerson(String(first.accounts[1]?.attributes.get('email')))
  const listed = first.accounts.map(({ id }) => id)
  const later = connect()
  for (let cursor = first.next; cursor !== undefined; ) {
    const page = await later.list(aCall(), cursor)
    listed.push(...page.accounts.map(({ id }) => id))
    cursor = page.next
  }
  for (const uuid of site.state.epersons.keys()) assert.ok(listed.includes(uuid))
})

test('role groups and built-in groups are never given', async (t) => {
  const { site, connection } = await aRepository(t)
  const { id } = await connection.create(aCall(), person('ada'))
  const role = [...site.state.groups.values()].find(({ name }) => name.startsWith('COLLECTION_'))
  for (const group of ['Administrator', 'Anonymous', role?.name ?? ''])
    await assert.rejects(connection.writeGrants(aCall(), id, [{ group }], []), Immutable)
  assert.deepEqual(await connection.readGrants(aCall(), id), [])
})

for (const lastWorkflowMemberStatus of [400, 500] as const) {
  test(`the last member of a workflow group stays in it, where the server says ${lastWorkflowMemberStatus}`, async (t) => {
    const { site, connection } = await aRepository(t, { knobs: { lastWorkflowMemberStatus } })
    const { id } = await connection.create(aCall(), person('ada'))
    const reviewers = site.addGroup({ name: 'Reviewers', isWorkflow: true, hasTasks: true })
    await connection.writeGrants(aCall(), id, [{ group: 'Reviewers' }], [])
    await assert.rejects(connection.writeGrants(aCall(), id, [], [{ group: 'Reviewers' }]), Conflict)
    assert.ok(reviewers.members.has(id))
  })
}

test('a 500 to leaving a group in which others are is of unknown outcome', async (t) => {
  const { connection, simulator } = await aRepository(t)
  const [ada, bob] = [await connection.create(aCall(), person('ada')), await connection.create(aCall(), person('bob'))]
  const group = { group: 'Curators' }
  await groupsOf(connection).create(aCall(), group.group)
  for (const { id } of [ada, bob]) await connection.writeGrants(aCall(), id, [group], [])
  simulator.fault({ mode: '500', only: 'writes', times: 1 })
  await assert.rejects(connection.writeGrants(aCall(), ada.id, [], [group]), Unknown)
})

test('a 500 that passes keeps nobody in a group in which nobody else is', async (t) => {
  const { connection, simulator } = await aRepository(t)
  const { id } = await connection.create(aCall(), person('ada'))
  await groupsOf(connection).create(aCall(), 'Curators')
  await connection.writeGrants(aCall(), id, [{ group: 'Curators' }], [])
  simulator.fault({ mode: '500', only: 'writes', times: 1 })
  assert.deepEqual(await connection.writeGrants(aCall(), id, [], [{ group: 'Curators' }]), [])
})

test('an account that may not list groups is Denied by the check', async (t) => {
  const { site, connection } = await aRepository(t)
  const administrators = site.group('Administrator')
  assert.ok(administrators)
  site.leave(administrators, site.administrator)
  await assert.rejects(connection.check(aCall()), Denied)
})

for (const flavour of ['7.0', '7.5', '8.0', '9.3', '10.0'] as const) {
  test(`release ${flavour}: an invitation mails once, carries no groups, and makes no account`, async (t) => {
    const { site, connection } = await aRepository(t, { flavour })
    await connection.invite?.(aCall(), person('eve'), [dspaceWorld.grants.one])
    assert.deepEqual(
      site.mails.map(({ to }) => to),
      ['eve@uni.example'],
    )
    assert.deepEqual(
      [...site.registrations.values()].flatMap(({ groups }) => [...groups]),
      [],
    )
    assert.deepEqual(await connection.find(aCall(), 'email', 'eve@uni.example', person('eve')), [])
  })
}

for (const flavour of ['cris-2021.01', 'cris-2023.01', 'cris-2025.02'] as const) {
  test(`release ${flavour}: an invitation carries the groups to join`, async (t) => {
    const { site, connection } = await aRepository(t, { flavour })
    await connection.invite?.(aCall(), person('eve'), [dspaceWorld.grants.one])
    const groups = [...site.registrations.values()].flatMap((registration) => [...registration.groups])
    assert.deepEqual(groups, [site.group('Researchers')?.uuid])
  })
}

for (const [why, knobs] of [
  ['registration is disabled', { registration: false }],
  ['a CAPTCHA is wanted', { captcha: true }],
] as const) {
  test(`an invitation is Denied, where ${why}`, async (t) => {
    const { site, connection } = await aRepository(t, { knobs })
    const invitation = connection.invite?.(aCall(), person('eve'), [])
    assert.ok(invitation)
    await assert.rejects(invitation, Denied)
    assert.equal(site.mails.length, 0)
  })
}

test('somebody who has an account, switched off or not, is never invited', async (t) => {
  const { site, connection } = await aRepository(t)
  site.addEPerson({ email: 'eve@uni.example', canLogIn: false })
  const invitation = connection.invite?.(aCall(), person('eve'), [])
  assert.ok(invitation)
  await assert.rejects(invitation, Conflict)
  assert.equal(site.mails.length, 0)
})
