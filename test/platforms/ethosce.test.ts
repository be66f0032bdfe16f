import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Broken, Busy, Conflict, Denied, Immutable, Refused, Unknown } from '../../src/errors.ts'
import type { Account, Json } from '../../src/facts.ts'
import { toRid } from '../../src/platforms/ethosce/roles.ts'
import { createPace } from '../../src/platforms/pace.ts'
import type { PlatformConnection } from '../../src/platforms/platform.ts'
import { insertMembership } from '../../src/sandbox/ethosce/groups.ts'
import { aClock, contractSuite } from './contract.ts'
import { type EthosceWorldOptions, ethosceWorld, startEthosce } from './ethosce-world.ts'
import { thrownBy } from './thrown.ts'
import { aCall } from './world.ts'

contractSuite(ethosceWorld)

async function aSite(t: TestContext, options: EthosceWorldOptions = {}) {
  const world = await startEthosce(options)
  t.after(() => world.close())
  const { state } = world.site
  const connection = world.connect()
  return {
    ...world,
    connection,
    calls: () => world.simulator.calls.map((call) => `${call.method} ${call.path}`),
    bodies: (method: string, path: string): unknown[] =>
      world.simulator.calls
        .filter((call) => call.method === method && call.path.startsWith(path))
        .map((call) => JSON.parse(call.requestBody)),
    rows: (name: string) => ({
      users: [...state.users.rows.values()].filter((row) => row.name === name).length,
      authmaps: [...state.authmap.rows.values()].filter((row) => row.authname === `sso-${name}`).length,
      profiles: [...state.profiles.rows.values()].filter((row) => row.fields.get('field_last_name') === 'Lovelace')
        .length,
    }),
  }
}

const person = (key: string, more: [string, Json][] = []) => new Map([...ethosceWorld.person(key), ...more])
const create = (connection: PlatformConnection, key: string, more: [string, Json][] = []) =>
  connection.create(aCall(), person(key, more))
const one = { users: 1, authmaps: 1, profiles: 1 }
const none = { users: 0, authmaps: 0, profiles: 0 }

test('role numbers are those of the documentation', () => {
  assert.deepEqual(['course_author', 'reviewer', 'report_viewer'].map(toRid), [105847459, 175031666, 92961712])
})

test('a create writes user, single sign-on row and profile, in this order, and reads all three', async (t) => {
  const { connection, calls, bodies } = await aSite(t)
  const { id } = await create(connection, 'ada')
  assert.deepEqual(calls(), [
    'POST /user',
    'POST /authmap',
    'POST /profile2',
    `GET /user.json?uid=${id}&limit=100&page=0`,
    `GET /authmap.json?uid=${id}&limit=100&page=0`,
    `GET /profile2.json?user=${id}&type=profile&limit=100&page=0`,
  ])
  assert.deepEqual(bodies('POST', '/user'), [{ name: 'ada', mail: 'ada@uni.example', status: 1 }])
})

test('a person can be created switched off', async (t) => {
  const { connection, site } = await aSite(t)
  const account = await create(connection, 'ada', [['status', 0]])
  assert.equal(account.attributes.get('status'), 0)
  assert.equal(site.userByName('ada')?.status, 0)
})

for (const path of ['/user', '/authmap', '/profile2']) {
  test(`a lost answer of POST ${path} is Unknown, and an update completes the person with one row of each kind`, async (t) => {
    const { connection, simulator, rows } = await aSite(t)
    simulator.fault({ mode: 'reset-after', only: 'writes', path, times: 1 })
    await assert.rejects(create(connection, 'ada'), Unknown)
    assert.equal(simulator.faultCount, 1)
    const [found, ...others] = await connection.find(aCall(), 'name', 'ada', person('ada'))
    assert.ok(found !== undefined && others.length === 0)
    await connection.update(aCall(), found, person('ada'))
    assert.deepEqual(rows('ada'), one)
  })
}

for (const path of ['/authmap', '/profile2']) {
  test(`a 500 after POST ${path} took effect is looked into, not repeated`, async (t) => {
    const { connection, simulator, rows } = await aSite(t)
    simulator.fault({ mode: '500-after', only: 'writes', path, times: 1 })
    await create(connection, 'ada')
    assert.equal(simulator.faultCount, 1)
    assert.deepEqual(rows('ada'), one)
  })
}

for (const path of ['/user', '/authmap', '/profile2']) {
  test(`a 500 before POST ${path} took effect is Unknown, and nothing is taken back`, async (t) => {
    const { connection, simulator, calls } = await aSite(t)
    simulator.fault({ mode: '500', only: 'writes', path, times: 1 })
    await assert.rejects(create(connection, 'ada'), Unknown)
    assert.equal(simulator.faultCount, 1)
    assert.ok(!calls().some((call) => call.startsWith('DELETE')))
  })
}

test('a name that differs only in accents from a taken one is a conflict', async (t) => {
  const { connection } = await aSite(t)
  await create(connection, 'jose')
  await assert.rejects(create(connection, 'josé'), Conflict)
})

test('an authname that is taken makes the create take its user back', async (t) => {
  for (const duplicateAuthname of [500, 406, 409] as const) {
    const { connection, rows, site } = await aSite(t, { site: { knobs: { duplicateAuthname } } })
    await create(connection, 'ada')
    await assert.rejects(create(connection, 'bob', [['authname', 'sso-ada']]), Conflict)
    assert.equal(site.userByName('bob'), undefined)
    assert.deepEqual(rows('ada'), one)
  }
})

test('a profile value that EthosCE refuses makes the create take everything back', async (t) => {
  const { connection, rows } = await aSite(t)
  await assert.rejects(create(connection, 'ada', [['field_profession', 'no such value']]), Refused)
  assert.deepEqual(rows('ada'), none)
})

test('a field that the site does not have is refused by name', async (t) => {
  const { connection, rows } = await aSite(t)
  await assert.rejects(create(connection, 'ada', [['field_nosuch', 'x']]), /field_nosuch/)
  assert.deepEqual(rows('ada'), none)
})

test('a user that cannot be taken back is left switched off', async (t) => {
  const { connection, simulator, site } = await aSite(t)
  simulator.fault({ mode: '500', only: 'writes', path: '/user/', times: 1 })
  await assert.rejects(create(connection, 'ada', [['field_profession', 'no such value']]), Refused)
  assert.equal(simulator.faultCount, 1)
  assert.equal(site.userByName('ada')?.status, 0)
})

test('a user that can be neither taken back nor switched off is Unknown: it must not be forgotten', async (t) => {
  const { connection, simulator } = await aSite(t)
  simulator.fault({ mode: '500', only: 'writes', path: '/user/' })
  await assert.rejects(create(connection, 'ada', [['field_profession', 'no such value']]), Unknown)
  assert.equal(simulator.faultCount, 2)
})

test('a user that somebody renamed meanwhile is not taken back', async (t) => {
  const { connection, site } = await aSite(t)
  const call = {
    ...aCall(),
    created: async (id: string) => {
      const row = site.state.users.rows.get(Number(id))
      if (row !== undefined) row.name = 'somebody'
    },
  }
  const refused = connection.create(call, person('ada', [['field_profession', 'no such value']]))
  await assert.rejects(refused, Unknown)
  assert.ok([...site.state.users.rows.values()].some((row) => row.name === 'somebody' && row.status === 1))
})

test('an empty value is never asked for: it would match the anonymous user', async (t) => {
  const { connection, calls } = await aSite(t)
  for (const attribute of ['name', 'mail', 'authname']) {
    assert.deepEqual(await connection.find(aCall(), attribute, '', new Map()), [])
  }
  assert.deepEqual(calls(), [])
})

test('a row of another person is never taken for the one asked for', async (t) => {
  const { connection, simulator } = await aSite(t)
  const ada = await create(connection, 'ada')
  const list = [{ uid: '77', name: 'other', mail: 'o@uni.example', status: '1', roles: [2] }]
  simulator.fault({ mode: 'answer', path: '/user', body: JSON.stringify({ list }) })
  assert.equal(await connection.read(aCall(), ada.id), undefined)
  assert.equal(simulator.faultCount, 1)
})

test('an account without single sign-on row and profile is completed by an update', async (t) => {
  const { connection, site, rows } = await aSite(t)
  const { uid } = site.addUser({ name: 'ada', mail: 'ada@uni.example', status: 1, roles: [] })
  const before = await connection.read(aCall(), String(uid))
  assert.ok(before !== undefined)
  assert.equal(connection.refuseAdoption?.(before, person('ada')), undefined)
  await connection.update(aCall(), before, person('ada'))
  assert.deepEqual(rows('ada'), one)
})

test('an account with another single sign-on key of our module is not adopted', async (t) => {
  const { connection } = await aSite(t)
  const ada = await create(connection, 'ada')
  const wanted = (module: string) => person('ada', [['authname', 'other']]).set('module', module)
  assert.match(connection.refuseAdoption?.(ada, wanted('simplesamlphp_auth')) ?? '', /another single sign-on key/)
  assert.equal(connection.refuseAdoption?.(ada, wanted('client_sso')), undefined)
})

test('of several single sign-on rows, the one of the wanted module counts', async (t) => {
  const { connection, site, calls } = await aSite(t)
  const ada = await create(connection, 'ada', [['module', 'client_sso']])
  const both = await connection.update(
    aCall(),
    ada,
    new Map([
      ['module', 'simplesamlphp_auth'],
      ['authname', 'saml-ada'],
    ]),
  )
  assert.equal(both.attributes.get('authname'), 'saml-ada')
  assert.equal(site.state.authmap.rows.size, 2)
  const [again] = await connection.find(aCall(), 'authname', 'saml-ada', new Map([['module', 'simplesamlphp_auth']]))
  assert.deepEqual(again, both)
  const writes = calls().length
  assert.deepEqual(await connection.update(aCall(), both, new Map([['authname', 'saml-ada']])), both)
  assert.equal(calls().length, writes)
})

test('the single sign-on key is changed only where the setting allows it', async (t) => {
  const change = new Map([['authname', 'new-key']])
  const refusing = await aSite(t)
  const ada = await create(refusing.connection, 'ada')
  await assert.rejects(refusing.connection.update(aCall(), ada, change), Immutable)
  assert.deepEqual(refusing.rows('ada'), one)

  for (const ssoKeyChange of ['put', 'recreate']) {
    const { connection, site } = await aSite(t, { settings: { ssoKeyChange } })
    const after = await connection.update(aCall(), await create(connection, 'ada'), change)
    assert.equal(after.attributes.get('authname'), 'new-key')
    assert.equal(site.state.authmap.rows.size, 1)
  }
})

test('a new single sign-on key that somebody else has is a conflict before anything is written', async (t) => {
  const { connection, site } = await aSite(t, { settings: { ssoKeyChange: 'recreate' } })
  await create(connection, 'ada')
  const bob = await create(connection, 'bob')
  await assert.rejects(connection.update(aCall(), bob, new Map([['authname', 'sso-ada']])), Conflict)
  assert.equal(site.state.authmap.rows.size, 2)
})

test('a new name or mail that somebody else has is a conflict before anything is written', async (t) => {
  const { connection, site } = await aSite(t)
  await create(connection, 'ada')
  const bob = await create(connection, 'bob')
  await assert.rejects(connection.update(aCall(), bob, new Map([['name', 'ÀDA']])), Conflict)
  await assert.rejects(connection.update(aCall(), bob, new Map([['mail', 'Ada@uni.example']])), Conflict)
  assert.equal(site.userByName('bob')?.mail, 'bob@uni.example')
})

test('a leaver is switched off although another change of the same update is refused', async (t) => {
  const { connection, site } = await aSite(t)
  await create(connection, 'ada')
  const bob = await create(connection, 'bob')
  await assert.rejects(
    connection.update(
      aCall(),
      bob,
      new Map<string, Json>([
        ['name', 'ada'],
        ['status', 0],
      ]),
    ),
    Conflict,
  )
  assert.equal(site.userByName('bob')?.status, 0)
})

test('switching on mails the person once, and no other change does', async (t) => {
  const { connection, site } = await aSite(t)
  let ada = await create(connection, 'ada')
  ada = await connection.update(aCall(), ada, new Map([['status', 0]]))
  ada = await connection.update(aCall(), ada, new Map([['field_last_name', 'King']]))
  ada = await connection.update(aCall(), ada, new Map([['mail', 'new@uni.example']]))
  assert.equal(site.state.mails.length, 0)
  ada = await connection.update(aCall(), ada, new Map([['status', 1]]))
  await connection.update(
    aCall(),
    ada,
    new Map<string, Json>([
      ['status', 1],
      ['field_last_name', 'Byron'],
    ]),
  )
  assert.equal(site.state.mails.length, 1)
})

test('somebody who comes back and whose other change is refused is neither switched on nor mailed', async (t) => {
  const { connection, site } = await aSite(t)
  const ada = await create(connection, 'ada')
  const off = await connection.update(aCall(), ada, new Map([['status', 0]]))
  const changes = new Map<string, Json>([
    ['status', 1],
    ['field_profession', 'no such value'],
  ])
  await assert.rejects(connection.update(aCall(), off, changes), Refused)
  assert.deepEqual([site.userByName('ada')?.status, site.state.mails.length], [0, 0])
})

test('one changed line of an address sends all of it, and what is cleared is gone but for the country', async (t) => {
  const { connection, bodies } = await aSite(t)
  const ada = await create(connection, 'ada')
  const moved = await connection.update(aCall(), ada, new Map([['location.street', '1 Main St']]))
  assert.deepEqual(bodies('PUT', '/profile2'), [
    {
      field_profile_location: {
        street: '1 Main St',
        additional: null,
        city: 'Philadelphia',
        province: 'PA',
        postal_code: null,
        country: 'us',
      },
    },
  ])
  const linesOf = ({ attributes }: Account) => [...attributes.keys()].filter((name) => name.startsWith('location.'))
  const lines = linesOf(moved).filter((name) => name !== 'location.country')
  const cleared = await connection.update(aCall(), moved, new Map(lines.map((name) => [name, null])))
  assert.deepEqual(linesOf(cleared), ['location.country'])
})

test('the country of an address, which EthosCE gives to one without, cannot be taken away', async (t) => {
  const { connection } = await aSite(t)
  const attributes = new Map([...person('ada')].filter(([name]) => name !== 'location.country'))
  const ada = await connection.create(aCall(), attributes)
  assert.equal(ada.attributes.get('location.country'), 'us')
  const error = await thrownBy(connection.update(aCall(), ada, new Map([['location.country', null]])))
  assert.equal(error.kind, 'refused')
  assert.match(error.message, /location.country cannot be taken away/)
})

test('the code of a province is the same in small letters', async (t) => {
  const { connection, calls } = await aSite(t)
  const ada = await create(connection, 'ada', [['location.province', 'pa']])
  assert.equal(ada.attributes.get('location.province'), 'PA')
  const before = calls().length
  await connection.update(aCall(), ada, new Map([['location.province', 'pa']]))
  assert.equal(calls().length, before)
})

test('the name of a province is refused, because EthosCE would keep its code', async (t) => {
  const { connection, rows } = await aSite(t)
  await assert.rejects(create(connection, 'ada', [['location.province', 'Pennsylvania']]), /PA, not Pennsylvania/)
  assert.deepEqual(rows('ada'), none)
})

test('of two profiles the newest counts, and a delete removes the older one first', async (t) => {
  const { connection, site, simulator, rows } = await aSite(t)
  const ada = await create(connection, 'ada')
  const { user, password } = site.credentials
  await fetch(`${simulator.baseUrl}/profile2`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ user: Number(ada.id), type: 'profile', label: 'Profile', field_last_name: 'Newer' }),
  })
  const shown = await connection.read(aCall(), ada.id)
  assert.equal(shown?.attributes.get('field_last_name'), 'Newer')
  await connection.remove?.(aCall(), ada.id)
  assert.deepEqual(rows('ada'), none)
})

test('nobody deletes the administrator, the service account or an account named like one', async (t) => {
  const { connection, site, calls } = await aSite(t)
  const { uid } = site.addUser({ name: 'restws_other', mail: 'o@uni.example', status: 1, roles: [] })
  for (const id of ['1', '2', String(uid)]) {
    await assert.rejects(async () => connection.remove?.(aCall(), id), Immutable)
    await assert.rejects(connection.writeGrants(aCall(), id, [{ role: 'reviewer' }], []), Immutable)
  }
  assert.ok(calls().every((call) => call.startsWith('GET')))
})

test('a walk asks for the rows of a whole page at once, skips the anonymous user, and ends on sites with small pages', async (t) => {
  const { connection, calls, simulator } = await aSite(t, { site: { knobs: { pageLimit: 2 } } })
  for (const key of ['ada', 'bob', 'cyd']) await create(connection, key)
  simulator.forgetCalls()
  const names = []
  let cursor: string | undefined
  do {
    const page = await connection.list(aCall(), cursor)
    names.push(...page.accounts.map((account) => account.attributes.get('name')))
    cursor = page.next
  } while (cursor !== undefined)
  assert.deepEqual(names, ['admin', 'restws_bridge', 'ada', 'bob', 'cyd'])
  assert.ok(calls().some((call) => call.startsWith('GET /authmap.json?uid%5B0%5D=2&uid%5B1%5D=3')))
})

for (const who of ['this process', 'another process']) {
  test(`a walk that ${who} continues misses nobody when somebody was deleted meanwhile`, async (t) => {
    const { connection, connect, site, removeByHand } = await aSite(t)
    for (let number = 0; number < 130; number += 1)
      site.addUser({ name: `p${number}`, mail: `p${number}@uni.example`, status: 1, roles: [] })
    const first = await connection.list(aCall(), undefined)
    removeByHand(String(first.accounts[5]?.id))
    const listed = first.accounts.map(({ id }) => id)
    const later = who === 'this process' ? connection : connect()
    for (let cursor = first.next; cursor !== undefined; ) {
      const page = await later.list(aCall(), cursor)
      listed.push(...page.accounts.map(({ id }) => id))
      cursor = page.next
    }
    const there = [...site.state.users.rows.keys()].filter((uid) => uid > 0)
    assert.deepEqual(
      there.filter((uid) => !listed.includes(String(uid))),
      [],
    )
    if (who === 'this process') assert.equal(new Set(listed).size, listed.length, 'nobody twice')
  })
}

test('a walk during which somebody is made meets them, and is not repeated', async (t) => {
  const { connection, site, calls } = await aSite(t)
  const add = (name: string) => site.addUser({ name, mail: `${name}@uni.example`, status: 1, roles: [] })
  for (let number = 0; number < 130; number += 1) add(`p${number}`)
  const first = await connection.list(aCall(), undefined)
  const late = add('late')
  const second = await connection.list(aCall(), first.next)
  assert.equal(second.accounts.at(-1)?.id, String(late.uid))
  assert.equal(second.next, undefined)
  assert.equal(calls().filter((call) => call.includes('full=0')).length, 2, 'counted at the begin and at the end')
})

test('hand-given roles survive, and are shown by name where the name is known', async (t) => {
  const { connection, site } = await aSite(t, {
    site: { roles: ['site_special'] },
    settings: { roleNames: ['site_special'] },
  })
  const ada = await create(connection, 'ada')
  const row = site.userByName('ada')
  assert.ok(row !== undefined)
  row.roles = [toRid('support'), toRid('site_special')]
  await connection.writeGrants(aCall(), ada.id, [{ role: 'reviewer' }], [])
  await connection.writeGrants(aCall(), ada.id, [], [{ rid: toRid('reviewer') }])
  const after = await connection.read(aCall(), ada.id)
  assert.deepEqual(after?.attributes.get('roles'), ['support', 'site_special'])
})

test('a first 403 is the last request until somebody checks', async (t) => {
  const { connection, simulator, calls } = await aSite(t)
  simulator.fault({ mode: '401', times: 1 })
  await assert.rejects(connection.read(aCall(), '2'), Denied)
  await assert.rejects(connection.read(aCall(), '2'), Denied)
  await assert.rejects(create(connection, 'ada'), Denied)
  assert.equal(calls().length, 1)
  await connection.check(aCall())
  assert.equal((await connection.read(aCall(), '2'))?.id, '2')
})

test('check finds that the right "administer users" is missing', async (t) => {
  const { connection, site } = await aSite(t)
  const service = site.userByName(site.credentials.user)
  assert.ok(service !== undefined)
  service.rights = 'limited'
  await assert.rejects(connection.check(aCall()), Denied)
})

test('a site in maintenance is left alone: Busy for a read, Unknown for a write', async (t) => {
  const clock = aClock()
  const pace = createPace({ requestsPerSecond: 1000, concurrency: 1 }, clock)
  const { connect, site } = await aSite(t)
  const connection = connect({ pace })
  const ada = await create(connection, 'ada')
  site.knobs.maintenance = true
  const before = clock.now()
  await assert.rejects(connection.read(aCall(), ada.id), Busy)
  await assert.rejects(create(connection, 'bob'), Unknown)
  assert.ok(clock.now() - before >= 60_000)
})

test('a page with 200 is Broken, for a read as for a write', async (t) => {
  const { connection, simulator } = await aSite(t)
  simulator.fault({ mode: 'html' })
  await assert.rejects(connection.read(aCall(), '2'), Broken)
  await assert.rejects(create(connection, 'ada'), Broken)
  assert.equal(simulator.faultCount, 2)
})

test('a person in a group that the service account is not in cannot be switched off, and the log says why', async (t) => {
  const { connection, site } = await aSite(t)
  const ada = await create(connection, 'ada')
  const [group] = site.state.nodes.rows.keys()
  assert.ok(group !== undefined)
  insertMembership(site.state, group, Number(ada.id))
  await assert.rejects(
    connection.update(aCall(), ada, new Map([['status', 0]])),
    (error) => error instanceof Broken && /join the groups/.test(error.detail),
  )
})

test('a write that EthosCE ignores is Broken', async (t) => {
  const { connection, simulator } = await aSite(t)
  const ada = await create(connection, 'ada')
  simulator.fault({ mode: 'answer', only: 'writes', body: '[]' })
  await assert.rejects(connection.update(aCall(), ada, new Map([['status', 0]])), Broken)
  await assert.rejects(
    connection
      .writeGrants(aCall(), ada.id, [], [{ role: 'reviewer' }])
      .then(() => connection.remove?.(aCall(), ada.id)),
    Broken,
  )
  assert.ok(simulator.faultCount >= 2)
})
