import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Broken, Conflict, Denied, Fault, Immutable, Refused, Unknown } from '../../src/errors.ts'
import type { Json } from '../../src/facts.ts'
import { figshare } from '../../src/platforms/figshare/figshare.ts'
import { createPace } from '../../src/platforms/pace.ts'
import type { PlatformConnection } from '../../src/platforms/platform.ts'
import { aClock, contractSuite } from './contract.ts'
import { type FigshareWorldOptions, figshareWorld, startFigshare } from './figshare-world.ts'
import { aCall } from './world.ts'

contractSuite(figshareWorld)

async function aPortal(t: TestContext, options: FigshareWorldOptions = {}) {
  const world = await startFigshare(options)
  t.after(() => world.close())
  return {
    ...world,
    connection: world.connect(),
    calls: () => world.simulator.calls.map((call) => `${call.method} ${call.path.replace('/v2/account/', '')}`),
    bodies: (method: string): unknown[] =>
      world.simulator.calls.filter((call) => call.method === method).map((call) => JSON.parse(call.requestBody)),
    byKey: (key: string) => world.portal.state.byUserId(`${key}@uni.example`),
  }
}

const person = (key: string, more: [string, Json][] = []) => new Map([...figshareWorld.person(key), ...more])
const create = (connection: PlatformConnection, key: string, more: [string, Json][] = []) =>
  connection.create(aCall(), person(key, more))
const keyOf = (key: string) => `${key}@uni.example`

test('a create is one POST with an explicit state, the profile by author id, and reads', async (t) => {
  const { connection, calls, bodies, byKey, simulator } = await aPortal(t)
  await connection.check(aCall())
  simulator.forgetCalls()
  const { id } = await create(connection, 'ada')
  const author = byKey('ada')[0]?.profile.user_id
  assert.deepEqual(calls(), [
    'POST institution/accounts',
    `GET institution/accounts/${id}`,
    `PUT profile?user_id=${author}`,
    `GET institution/users/${id}`,
  ])
  assert.deepEqual(bodies('POST'), [
    {
      email: 'ada.lovelace@uni.example',
      last_name: 'Lovelace',
      first_name: 'Ada',
      group_id: 101,
      institution_user_id: 'ada@uni.example',
      quota: 5_368_709_120,
      is_active: true,
    },
  ])
  assert.deepEqual(bodies('PUT'), [{ job_title: 'Professor', orcid: '0000-0002-1825-0097' }])
})

test('an exact hit costs a list, the account and its author', async (t) => {
  const { connection, calls, simulator } = await aPortal(t, { portal: { knobs: { filters: 'case' } } })
  const { id } = await create(connection, 'ada')
  simulator.forgetCalls()
  await connection.find(aCall(), 'email', 'ADA.lovelace@uni.example', person('ada'))
  assert.deepEqual(calls(), [
    'GET institution/accounts?email=ADA.lovelace%40uni.example&limit=100',
    `GET institution/accounts/${id}`,
    `GET institution/users/${id}`,
  ])
})

test('an account can be created switched off', async (t) => {
  const { connection, byKey } = await aPortal(t)
  const account = await create(connection, 'ada', [['is_active', false]])
  assert.equal(account.attributes.get('is_active'), false)
  assert.equal(byKey('ada')[0]?.active, false)
})

test('nothing is created without the single sign-on key: Figshare would mail the person', async (t) => {
  const { connection, portal, calls } = await aPortal(t)
  const keyless = person('ada')
  keyless.delete('institution_user_id')
  await assert.rejects(connection.create(aCall(), keyless), Refused)
  assert.deepEqual(calls(), [])
  assert.equal(portal.state.mails.length, 0)
})

test('a 201 without a body leads to the account by its key, also when lists lag', async (t) => {
  for (const listLagMs of [0, 4_000]) {
    const { connection, byKey } = await aPortal(t, { portal: { knobs: { createAnswers: 'empty', listLagMs } } })
    const call = aCall()
    const { id } = await connection.create(call, person('ada'))
    assert.deepEqual(call.createdIds, [id])
    assert.equal(String(byKey('ada')[0]?.id), id)
  }
})

test('after a lost answer to a create, "none" is asked again later, because lists lag', async (t) => {
  const { connection, simulator, byKey } = await aPortal(t, { portal: { knobs: { listLagMs: 4_000 } } })
  simulator.fault({ mode: 'reset-after', only: 'writes', times: 1 })
  await assert.rejects(create(connection, 'ada'), Unknown)
  assert.equal(simulator.faultCount, 1)
  const found = await connection.find(aCall(), 'institution_user_id', keyOf('ada'), person('ada'))
  assert.deepEqual(
    found.map((account) => account.id),
    byKey('ada').map((account) => String(account.id)),
  )
})

test('after a lost answer to a create, the search for anybody else is asked once', async (t) => {
  const { connection, simulator, calls } = await aPortal(t)
  simulator.fault({ mode: 'reset-after', only: 'writes', times: 1 })
  await assert.rejects(create(connection, 'ada'), Unknown)
  simulator.forgetCalls()
  assert.deepEqual(await connection.find(aCall(), 'institution_user_id', keyOf('bob'), person('bob')), [])
  assert.equal(calls().length, 1)
})

test('a taken key or e-mail is a conflict, whatever the status and whether a reason is given', async (t) => {
  for (const duplicateStatus of [400, 422] as const) {
    for (const errorBody of ['json', 'empty'] as const) {
      const { connection } = await aPortal(t, { portal: { knobs: { duplicateStatus, errorBody } } })
      await create(connection, 'ada')
      await assert.rejects(create(connection, 'bob', [['institution_user_id', keyOf('ada')]]), Conflict)
      await assert.rejects(create(connection, 'bob', [['email', 'ada.lovelace@uni.example']]), Conflict)
    }
  }
})

test('an e-mail address that somebody outside the institution has is a conflict that says so', async (t) => {
  const { connection, portal } = await aPortal(t)
  portal.state.foreignEmails.add('ada.lovelace@uni.example')
  await assert.rejects(
    create(connection, 'ada'),
    (error) => error instanceof Conflict && /outside the institution/.test(error.message),
  )
})

test('a value that Figshare refuses for another reason is refused in its words', async (t) => {
  for (const invalidStatus of [400, 422] as const) {
    const { connection } = await aPortal(t, { portal: { knobs: { invalidStatus } } })
    await assert.rejects(
      create(connection, 'ada', [['group_id', 9_999]]),
      (error) => error instanceof Refused && error.message === 'Figshare refuses the change: group_id is not a group.',
    )
  }
})

test('a refusal without a body, of values that nobody has, is refused', async (t) => {
  const { connection } = await aPortal(t, { portal: { knobs: { errorBody: 'empty' } } })
  await assert.rejects(create(connection, 'ada', [['group_id', 9_999]]), Refused)
})

test('switching off sends the group as it was read, in two calls', async (t) => {
  const { connection, calls, bodies, simulator, portal } = await aPortal(t)
  const ada = await create(connection, 'ada')
  const account = portal.state.accounts.get(Number(ada.id))
  assert.ok(account !== undefined)
  // Moved by hand: what counts is what was read in this attempt, not what we once sent.
  account.group_id = 110
  const before = await connection.read(aCall(), ada.id)
  assert.ok(before !== undefined)
  simulator.forgetCalls()
  await connection.update(aCall(), before, new Map([['is_active', false]]))
  assert.deepEqual(bodies('PUT'), [{ group_id: 110, is_active: false }])
  assert.deepEqual(calls(), [`PUT institution/accounts/${ada.id}`, `GET institution/accounts/${ada.id}`])
})

test('what no API changes is immutable, and nothing is called', async (t) => {
  const { connection, calls, simulator } = await aPortal(t)
  const ada = await create(connection, 'ada')
  simulator.forgetCalls()
  for (const [name, value] of [
    ['email', 'new@uni.example'],
    ['institution_user_id', 'new'],
    ['symplectic_user_id', 'new'],
    ['quota', 1],
  ] as const) {
    await assert.rejects(connection.update(aCall(), ada, new Map([[name, value]])), Immutable)
  }
  assert.deepEqual(calls(), [])
  // The same address in another case is the same.
  const same = new Map([['email', 'ADA.LOVELACE@uni.example']])
  assert.equal(await connection.update(aCall(), ada, same), ada)
})

test('the profile is never emptied: names, title and iD cannot be taken away', async (t) => {
  const { connection, simulator } = await aPortal(t)
  const ada = await create(connection, 'ada')
  simulator.forgetCalls()
  await assert.rejects(connection.update(aCall(), ada, new Map([['job_title', null]])), Refused)
  assert.equal(simulator.calls.length, 0)
})

test('names are those of the profile, which may never reach the account', async (t) => {
  const { connection, portal } = await aPortal(t)
  const ada = await create(connection, 'ada')
  const king = await connection.update(aCall(), ada, new Map([['last_name', 'King']]))
  assert.equal(king.attributes.get('last_name'), 'King')
  assert.equal(portal.state.accounts.get(Number(ada.id))?.last_name, 'Lovelace')
})

test('where names are said to reach the account, it is Broken when they do not', async (t) => {
  const change = new Map([['last_name', 'King']])
  for (const profileReachesAccount of [true, false]) {
    const knobs = { profileReachesAccount }
    const { connection } = await aPortal(t, { portal: { knobs }, settings: { profilePropagates: true } })
    const ada = await create(connection, 'ada')
    const update = connection.update(aCall(), ada, change)
    if (profileReachesAccount) assert.equal((await update).attributes.get('last_name'), 'King')
    else await assert.rejects(update, Broken)
  }
})

test('a 205 that changed nothing is Broken, never success', async (t) => {
  const { connection, simulator } = await aPortal(t)
  const ada = await create(connection, 'ada')
  simulator.fault({ mode: 'answer', only: 'writes', status: 205, body: '' })
  await assert.rejects(connection.update(aCall(), ada, new Map([['is_active', false]])), Broken)
  assert.equal(simulator.faultCount, 1)
})

test('an account out of the sight of the token is Denied, not absent, when lists still show it', async (t) => {
  const { connection, simulator } = await aPortal(t)
  const ada = await create(connection, 'ada')
  simulator.fault({
    mode: 'answer',
    path: `/account/institution/accounts/${ada.id}`,
    status: 404,
    body: '{"message":"not found"}',
  })
  await assert.rejects(connection.read(aCall(), ada.id), Denied)
  assert.equal(simulator.faultCount, 1)
})

test('absence is proved by a list and by a token that works', async (t) => {
  const { connection, calls, simulator, removeByHand } = await aPortal(t)
  const ada = await create(connection, 'ada')
  await removeByHand(ada.id)
  simulator.forgetCalls()
  assert.equal(await connection.read(aCall(), ada.id), undefined)
  assert.deepEqual(calls(), [
    `GET institution/accounts/${ada.id}`,
    `GET institution/accounts?id_lte=${ada.id}&id_gte=${ada.id}&limit=1`,
    'GET /v2/account',
  ])
  simulator.fault({ mode: '401', path: '/account', skip: 2 })
  simulator.forgetCalls()
  await assert.rejects(connection.read(aCall(), ada.id), Denied)
  assert.equal(simulator.faultCount, 1)
})

test('an account is adopted only with the wanted key, or without one where the setting allows it', async (t) => {
  const { connection, portal } = await aPortal(t)
  const read = async (institution_user_id?: string) => {
    const key = institution_user_id === undefined ? {} : { institution_user_id }
    const { id } = portal.addAccount({ email: 'ada@uni.example', last_name: 'Lovelace', ...key })
    const account = await connection.read(aCall(), String(id))
    assert.ok(account !== undefined)
    return account
  }
  const [same, other, keyless] = [await read(keyOf('ada')), await read('other'), await read()]
  assert.equal(connection.refuseAdoption?.(same, person('ada')), undefined)
  assert.match(connection.refuseAdoption?.(other, person('ada')) ?? '', /another institution_user_id/)
  assert.match(connection.refuseAdoption?.(keyless, person('ada')) ?? '', /no institution_user_id/)
  const lenient = await aPortal(t, { settings: { adoptWithoutSsoKey: true } })
  assert.equal(lenient.connection.refuseAdoption?.(keyless, person('ada')), undefined)
  assert.match(lenient.connection.refuseAdoption?.(other, person('ada')) ?? '', /another institution_user_id/)
})

test('roles are given by one POST of what is missing and taken one by one', async (t) => {
  const { connection, bodies, calls, simulator } = await aPortal(t)
  const { id } = await create(connection, 'ada')
  await connection.writeGrants(aCall(), id, [{ group_id: 110, role_id: 49 }], [])
  simulator.forgetCalls()
  const wanted = [
    { group_id: 110, role_id: 49 },
    { group_id: 110, role_id: 11 },
    { group_id: 101, role_id: 11 },
  ]
  assert.equal((await connection.writeGrants(aCall(), id, wanted, [])).length, 3)
  assert.deepEqual(bodies('POST'), [{ 101: [11], 110: [11] }])
  simulator.forgetCalls()
  await connection.writeGrants(aCall(), id, [], wanted.slice(1))
  assert.deepEqual(calls(), [
    `GET institution/roles/${id}`,
    `DELETE institution/roles/${id}/110/11`,
    `DELETE institution/roles/${id}/101/11`,
    `GET institution/roles/${id}`,
  ])
})

test('a role given by hand survives where POST replaces, as the setting says or not', async (t) => {
  const hand = { group_id: 110, role_id: 11 }
  const given = { group_id: 110, role_id: 49 }
  for (const rolesPost of ['replace', 'add']) {
    const { connection, portal } = await aPortal(t, {
      portal: { knobs: { rolesPost: 'replace' } },
      settings: { rolesPost },
    })
    const { id } = await create(connection, 'ada')
    portal.state.accounts.get(Number(id))?.roles.set(110, new Set([11]))
    const write = connection.writeGrants(aCall(), id, [given], [])
    // A wrong setting is told, after what was lost has been put back.
    if (rolesPost === 'add') await assert.rejects(write, Broken)
    else await write
    assert.deepEqual(await connection.readGrants(aCall(), id), [hand, given])
  }
})

test('a walk is complete where later pages miss their first row', async (t) => {
  const { connection, portal } = await aPortal(t, { portal: { knobs: { pages: 'miss' } } })
  for (let number = 0; number < 25; number += 1) {
    portal.addAccount({ email: `p${number}@uni.example`, last_name: 'P', institution_user_id: `p${number}` })
  }
  const ids = []
  let cursor: string | undefined
  do {
    const page = await connection.list(aCall(), cursor)
    ids.push(...page.accounts.map((account) => Number(account.id)))
    cursor = page.next
  } while (cursor !== undefined)
  assert.deepEqual(ids, portal.state.ids)
})

test('an account is found wherever it is among those that a loose filter lets through, where later pages miss their first row', async (t) => {
  const { connection, portal } = await aPortal(t, { portal: { knobs: { pages: 'miss', filters: 'prefix' } } })
  const ids: number[] = []
  for (let number = 0; number < 320; number += 1) {
    const key = [100, 200, 310].includes(number) ? keyOf('ada') : keyOf('ada') + number
    const email = `p${number}@uni.example`
    const { id } = portal.addAccount({ email, last_name: 'P', institution_user_id: key })
    if (key === keyOf('ada')) ids.push(id)
  }
  const found = await connection.find(aCall(), 'institution_user_id', keyOf('ada'), new Map())
  assert.deepEqual(
    found.map(({ id }) => Number(id)),
    ids,
  )
})

test('the token goes as "token …", never in a URL', async (t) => {
  const { connection, simulator, portal } = await aPortal(t)
  await create(connection, 'ada')
  for (const call of simulator.calls) {
    assert.equal(call.requestHeaders.authorization, `token ${portal.credentials.token}`)
    assert.ok(!call.path.includes(portal.credentials.token))
  }
})

test('a bad token is Denied by 401 as by 403', async (t) => {
  for (const badTokenStatus of [401, 403] as const) {
    const { connect } = await aPortal(t, { portal: { knobs: { badTokenStatus } } })
    await assert.rejects(connect({ credentials: 'wrong' }).check(aCall()), Denied)
  }
})

for (const mode of ['500-after', 'reset-after', 'html', 'redirect', 'truncated'] as const) {
  test(`a create whose answer is ${mode} is never sent again and never a success`, async (t) => {
    const { connection, simulator } = await aPortal(t)
    simulator.fault({ mode, only: 'writes' })
    await assert.rejects(create(connection, 'ada'), (error) => error instanceof Unknown || error instanceof Broken)
    assert.equal(simulator.faultCount, 1)
  })
}

test('an id that is no number is our mistake, and nothing is called', async (t) => {
  const { connection, simulator } = await aPortal(t)
  await assert.rejects(connection.read(aCall(), '../1'), Fault)
  assert.equal(simulator.calls.length, 0)
})

test('the account of a token that was replaced while the bridge runs is protected, too', async (t) => {
  const { portal, simulator } = await aPortal(t)
  let token = portal.credentials.token
  const settings = Object.defineProperty(figshare.settings.parse({ token }), 'token', { get: () => token })
  const clock = aClock()
  const client = { baseUrl: simulator.baseUrl, pace: createPace('off', clock), timeoutMs: 10_000 }
  const connection = figshare.connect(settings, { client, clock })
  t.after(() => connection.close())
  const { id } = portal.addAccount({ email: 'new-service@uni.example', last_name: 'Service' })
  assert.equal((await connection.read(aCall(), String(id)))?.protectedBecause, undefined)
  token = 'token-of-the-new-service-account'
  portal.addToken(token, id)
  const own = await connection.read(aCall(), String(id))
  assert.match(own?.protectedBecause ?? '', /own account/)
  await assert.rejects(connection.writeGrants(aCall(), String(id), [{ group_id: 110, role_id: 49 }], []), Immutable)
})
