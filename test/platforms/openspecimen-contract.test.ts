import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Conflict, Denied, Immutable, Refused, Unknown } from '../../src/errors.ts'
import { contractSuite } from './contract.ts'
import { openspecimenWorld, startOpenspecimen } from './openspecimen-world.ts'
import { aCall } from './world.ts'

contractSuite(openspecimenWorld)

async function aServer(t: TestContext, options: Parameters<typeof startOpenspecimen>[0] = {}) {
  const world = await startOpenspecimen(options)
  t.after(() => world.close())
  return { ...world, connection: world.connect() }
}

const person = (key: string) => openspecimenWorld.person(key)

test('a wrong password does not lock the service account, however often it is called', async (t) => {
  const { site, connect } = await aServer(t)
  const connection = connect({ credentials: 'wrong' })
  for (let attempt = 0; attempt < 8; attempt += 1) await assert.rejects(connection.read(aCall(), '1'), Denied)
  assert.equal(site.serviceUser.activityStatus, 'Active')
  assert.equal(site.serviceUser.failedLogins, 1)
})

test('a service account whose password was never set is Denied', async (t) => {
  const { site, connection } = await aServer(t)
  site.changeUser(site.serviceUser.id, { forcePasswordReset: true })
  await assert.rejects(
    connection.check(aCall()),
    (error) => error instanceof Denied && /new password/.test(error.detail),
  )
})

test('a create whose answer was lost is Unknown, is not repeated, and is found afterwards', async (t) => {
  const { simulator, connection } = await aServer(t)
  await connection.check(aCall())
  simulator.fault({ mode: 'reset-after', only: 'writes' })
  await assert.rejects(connection.create(aCall(), person('ada')), Unknown)
  simulator.fault({ mode: 'ok' })
  assert.equal(simulator.calls.filter((call) => call.method === 'POST' && call.path.endsWith('/users')).length, 1)
  assert.equal((await connection.find(aCall(), 'loginName', 'ada', person('ada'))).length, 1)
})

test('a person who starts inactive is made closed and mailed to nobody again when closed or opened', async (t) => {
  const { site, connection } = await aServer(t)
  const account = await connection.create(aCall(), new Map([...person('ada'), ['activityStatus', 'Closed']]))
  assert.equal(account.attributes.get('activityStatus'), 'Closed')
  const mails = site.mails.length
  await connection.update(aCall(), account, openspecimenWorld.on)
  assert.equal(site.mails.length, mails)
})

test('a service account that is not SUPER gets its own institute, which is noticed', async (t) => {
  const { site, connection } = await aServer(t)
  site.changeUser(site.serviceUser.id, { type: 'INSTITUTE', apiUser: false, instituteName: 'Example University' })
  const wanted = new Map([...person('ada')].filter(([name]) => name !== 'primarySite'))
  await assert.rejects(connection.create(aCall(), wanted), /unexpected way/)
})

test('an institute and a site in other letters are those of the server, which keeps its own spelling', async (t) => {
  const { connection } = await aServer(t)
  const wanted = new Map(person('ada'))
  for (const name of ['instituteName', 'primarySite']) wanted.set(name, String(wanted.get(name)).toUpperCase())
  const ada = await connection.create(aCall(), wanted)
  assert.equal(ada.attributes.get('instituteName'), 'Example Hospital')
  assert.deepEqual(await connection.update(aCall(), ada, wanted), ada)
})

test('an e-mail address of somebody in another domain is Conflict', async (t) => {
  const { site, connection } = await aServer(t)
  site.addUser({
    loginName: 'other',
    domainName: 'example-ldap',
    emailAddress: 'ADA@uni.example',
    activityStatus: 'Closed',
  })
  await assert.rejects(connection.create(aCall(), person('ada')), Conflict)
})

test('a move to another institute with a site of the old one is refused and names primarySite', async (t) => {
  const { connection } = await aServer(t)
  const before = await connection.create(aCall(), person('ada'))
  const move = new Map([['instituteName', 'Example University']])
  await assert.rejects(
    connection.update(aCall(), before, move),
    (error) => error instanceof Refused && /primarySite/.test(error.message),
  )
  const after = await connection.update(aCall(), before, new Map([...move, ['primarySite', 'University Biobank']]))
  assert.equal(after.attributes.get('primarySite'), 'University Biobank')
})

for (const sameRoleTwice of ['one row', 'two rows'] as const) {
  test(`roles held twice are taken whole, where the server keeps ${sameRoleTwice}`, async (t) => {
    const { site, connection } = await aServer(t, { knobs: { sameRoleTwice } })
    const { id } = await connection.create(aCall(), person('ada'))
    const { one, two } = openspecimenWorld.grants
    await connection.writeGrants(aCall(), id, [one], [])
    site.addRole(Number(id), { role: 'Technician', site: 'Main Biobank' })
    assert.deepEqual(await connection.readGrants(aCall(), id), [one])
    assert.deepEqual(await connection.writeGrants(aCall(), id, [two], [one]), [two])
  })
}

test('a walk over people with equal names lists everybody once', async (t) => {
  const { site, connection } = await aServer(t)
  for (let number = 0; number < 130; number += 1)
    site.addUser({ loginName: `p${number}`, firstName: 'A', lastName: 'B' })
  const listed: string[] = []
  let cursor: string | undefined
  do {
    const page = await connection.list(aCall(), cursor)
    listed.push(...page.accounts.map(({ id }) => id))
    cursor = page.next
  } while (cursor !== undefined)
  assert.equal(new Set(listed).size, listed.length)
  // Everybody but the system user, whom OpenSpecimen lists to nobody.
  assert.equal(listed.length, site.users.size - 1)
})

for (const who of ['the same process', 'another process'])
  test(`a walk that ${who} continues misses nobody when somebody was deleted meanwhile`, async (t) => {
    const { site, connection, connect } = await aServer(t)
    const later = who === 'another process' ? connect() : connection
    const names = Array.from({ length: 60 }, (_, number) => `p${String(number).padStart(2, '0')}`)
    for (const name of names) site.addUser({ loginName: name, firstName: name, lastName: name })
    const listed = new Set<unknown>()
    let cursor: string | undefined
    do {
      const page = await (cursor === undefined ? connection : later).list(aCall(), cursor)
      if (cursor === undefined) await connection.remove?.(aCall(), page.accounts.at(5)?.id ?? '')
      for (const { attributes } of page.accounts) listed.add(attributes.get('loginName'))
      cursor = page.next
    } while (cursor !== undefined)
    for (const name of names) assert.ok(listed.has(name), name)
  })

test('an account that specimens refer to is closed by a delete', async (t) => {
  const { site, connection } = await aServer(t)
  const { id } = await connection.create(aCall(), person('ada'))
  site.setDependents(Number(id), 'specimen', 3)
  await connection.remove?.(aCall(), id)
  assert.equal(site.users.get(Number(id))?.activityStatus, 'Closed')
})

test('the service account itself is protected', async (t) => {
  const { site, connection } = await aServer(t)
  site.changeUser(site.serviceUser.id, { apiUser: false })
  const own = await connection.read(aCall(), String(site.serviceUser.id))
  assert.match(own?.protectedBecause ?? '', /service account/)
  assert.ok(own)
  await assert.rejects(connection.update(aCall(), own, openspecimenWorld.off), Immutable)
  await assert.rejects(connection.writeGrants(aCall(), own.id, [openspecimenWorld.grants.one], []), Immutable)
})
