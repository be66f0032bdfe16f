import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountsPath, ada, figshareWorld } from './figshare-world.ts'

test('only the literal word token is a scheme, and a refusal is 403 or 401 with an InactiveAccount body', async () => {
  const { call, portal } = await figshareWorld()
  const { token } = portal.credentials
  assert.equal((await call('GET', '/account')).status, 200)
  for (const header of [`Bearer ${token}`, 'token wrong', '', `Basic ${token}`]) {
    const refused = await call('GET', '/account', undefined, header)
    assert.equal(refused.status, 403)
    assert.equal(refused.json.code, 'InactiveAccount')
  }
  portal.knobs.badTokenStatus = 401
  assert.equal((await call('GET', '/account', undefined, 'token wrong')).status, 401)
  portal.knobs.acceptsBearer = true
  assert.equal((await call('GET', '/account', undefined, `Bearer ${token}`)).status, 200)
  portal.withdrawToken(token)
  assert.equal((await call('GET', '/account')).status, 401)
})

test('the token of an administrator who was deactivated is refused', async () => {
  const { call, portal } = await figshareWorld()
  portal.administrator.active = false
  assert.equal((await call('GET', '/account')).status, 403)
})

test("a group administrator's token sees only people of that group and below", async () => {
  const { call, portal } = await figshareWorld()
  const physicist = portal.addAccount({ ...ada, group_id: 101 })
  const chemist = portal.addAccount({ ...ada, email: 'c@example.org', institution_user_id: 'c', group_id: 102 })
  portal.addToken('physics', physicist.id, 101)
  const list = await call('GET', accountsPath, undefined, 'token physics')
  assert.deepEqual(
    list.json.map((row: { id: number }) => row.id),
    [physicist.id],
  )
  assert.equal((await call('GET', `${accountsPath}?institution_user_id=c`, undefined, 'token physics')).text, '[]')
  assert.equal((await call('GET', `${accountsPath}/${chemist.id}`, undefined, 'token physics')).status, 404)
  // The false "not found" ends in a conflict.
  const again = await call('POST', accountsPath, { ...ada, email: 'c@example.org' }, 'token physics')
  assert.equal(again.status, 400)
})

test('a create answers only the id and defaults to on, no quota and the top group', async () => {
  const { call, create } = await figshareWorld()
  const created = await create()
  assert.equal(created.status, 201)
  assert.deepEqual(Object.keys(created.json), ['account_id'])
  const { json: account } = await call('GET', `${accountsPath}/${created.json.account_id}`)
  assert.equal(account.active, 1)
  assert.equal(account.quota, 0)
  assert.equal(account.group_id, 100)
  assert.match(account.created_date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
  assert.notEqual(account.user_id, account.id)
})

test('list and search show no group and an integer state; the user shows a boolean', async () => {
  const { call, create } = await figshareWorld()
  const id = (await create({ is_active: false })).json.account_id
  const [listed] = (await call('GET', `${accountsPath}?institution_user_id=ada`)).json
  const [searched] = (await call('POST', `${accountsPath}/search`, { email: ada.email })).json
  assert.deepEqual(listed, searched)
  assert.equal(listed.active, 0)
  assert.equal('group_id' in listed, false)
  const { json: user } = await call('GET', `/account/institution/users/${id}`)
  assert.equal(user.is_active, false)
  assert.equal(user.name, 'Ada Lovelace')
  assert.equal(user.id, listed.user_id)
})

test('values beyond the limits, of the wrong type or missing are refused and nothing is made', async () => {
  const { call, create, portal } = await figshareWorld()
  const bad: readonly object[] = [
    { email: undefined },
    { email: 'nonsense' },
    { email: `${'e'.repeat(150)}@x.example` },
    { last_name: undefined },
    { last_name: 'x'.repeat(256) },
    { first_name: 'x'.repeat(150), last_name: 'y'.repeat(106) },
    { institution_user_id: 'x'.repeat(51) },
    { symplectic_user_id: 'x'.repeat(51) },
    { is_active: 1 },
    { is_active: 'true' },
    { group_id: 999 },
    { group_id: '101' },
    { quota: 1.5 },
    { institution_user_id: 7 },
  ]
  for (const status of [400, 422] as const) {
    portal.knobs.invalidStatus = status
    for (const change of bad) assert.equal((await create(change)).status, status, JSON.stringify(change).slice(0, 60))
  }
  assert.equal((await call('POST', accountsPath, '{')).status, 400)
  assert.equal(portal.state.accounts.size, 1)
  assert.equal((await create({ institution_user_id: 'x'.repeat(50), last_name: 'y'.repeat(252) })).status, 201)
})

test('a taken e-mail (also in other case, also outside the institution) or SSO key is refused, with or without a text', async () => {
  const { create, portal } = await figshareWorld()
  await create()
  portal.state.foreignEmails.add('private@figshare.example')
  for (const change of [
    { institution_user_id: 'other' },
    { institution_user_id: 'other', email: ada.email.toUpperCase() },
    { email: 'other@sandbox.example.org' },
    { email: 'private@figshare.example', institution_user_id: 'other' },
  ]) {
    const refused = await create(change)
    assert.equal(refused.status, 400)
    assert.ok(refused.json.message)
  }
  portal.knobs.duplicateStatus = 422
  portal.knobs.errorBody = 'empty'
  const refused = await create()
  assert.deepEqual([refused.status, refused.text], [422, ''])
})

test('without an SSO key a verification mail goes out, with one none', async () => {
  const { create, portal } = await figshareWorld()
  await create()
  assert.deepEqual(portal.state.mails, [])
  await create({ email: 'b@sandbox.example.org', institution_user_id: undefined })
  assert.deepEqual(portal.state.mails, [{ kind: 'verification', to: 'b@sandbox.example.org' }])
})

test('PUT wants both fields, answers 205 with an empty body and its length, and changes nothing else', async () => {
  const { call, create, portal } = await figshareWorld()
  const path = `${accountsPath}/${(await create()).json.account_id}`
  const before = (await call('GET', path)).json
  for (const part of [{ is_active: false }, { group_id: 101 }, { group_id: 101, is_active: 0 }, {}]) {
    assert.equal((await call('PUT', path, part)).status, 400)
  }
  const put = await call('PUT', path, { group_id: 101, is_active: false, email: 'new@example.org' })
  assert.deepEqual([put.status, put.text, put.headers.get('content-length')], [205, '', '0'])
  const account = (await call('GET', path)).json
  assert.deepEqual({ ...account, modified_date: '' }, { ...before, active: 0, group_id: 101, modified_date: '' })
  portal.knobs.unchangedPut = 400
  assert.equal((await call('PUT', path, { group_id: 101, is_active: false })).status, 400)
  portal.knobs.extraFieldsInPut = 400
  assert.equal((await call('PUT', path, { group_id: 102, is_active: false, email: 'x@y.example' })).status, 400)
})

test('there is no way to delete an account, to change its e-mail or key, or to write groups', async () => {
  const { call, create } = await figshareWorld()
  const path = `${accountsPath}/${(await create()).json.account_id}`
  for (const [method, target] of [
    ['DELETE', path],
    ['PATCH', path],
    ['POST', path],
    ['POST', '/account/institution/groups'],
    ['DELETE', '/account/institution/groups/101'],
    ['GET', '/account/institution/groups/101/members'],
  ] as const) {
    const body = method === 'DELETE' || method === 'GET' ? undefined : {}
    assert.equal((await call(method, target, body)).status, 404, `${method} ${target}`)
  }
})

test('lists ascend by id, end with an empty page, and can be walked by id past the ceiling of pages', async () => {
  const { call, portal } = await figshareWorld()
  const people = Array.from({ length: 9_100 }, (_, index) => aPerson(index))
  const ids = [portal.administrator.id, ...portal.seed(people)]
  const page = async (query: string) =>
    (await call('GET', `${accountsPath}?${query}`)).json.map((row: { id: number }) => row.id)
  assert.deepEqual(await page(''), ids.slice(0, 10))
  assert.deepEqual(await page('page=2&page_size=1000'), ids.slice(1000, 2000))
  assert.deepEqual(await page('page=9&page_size=1000'), ids.slice(8000, 9000))
  assert.deepEqual(await page('page=10&page_size=1000'), [])
  const walked: number[] = []
  let rows: number[] = []
  do {
    rows = await page(`limit=1000&id_gte=${(walked.at(-1) ?? 0) + 1}`)
    walked.push(...rows)
  } while (rows.length > 0)
  assert.deepEqual(walked, ids)
  assert.deepEqual(await page(`id_gte=${ids[5]}&id_lte=${ids[7]}`), ids.slice(5, 8))
})

test('mixed or excessive paging is 422, and filters take integers only', async () => {
  const { call, portal } = await figshareWorld()
  for (const query of [
    'page=1&limit=5',
    'page_size=10&offset=0',
    'page=0',
    'page_size=1001',
    'limit=0',
    'offset=5001',
  ]) {
    assert.equal((await call('GET', `${accountsPath}?${query}`)).status, 422, query)
  }
  for (const query of ['is_active=true', 'is_active=2', 'id_gte=x']) {
    assert.equal((await call('GET', `${accountsPath}?${query}`)).status, 400, query)
  }
  assert.equal((await call('POST', `${accountsPath}/search`, { is_active: true })).status, 400)
  portal.administrator.active = true
  assert.equal((await call('GET', `${accountsPath}?is_active=1`)).json.length, 1)
  assert.equal((await call('GET', `${accountsPath}?is_active=0`)).json.length, 0)
})

test('filters are exact, fold case or match beginnings, as the knob says', async () => {
  const { call, create, portal } = await figshareWorld()
  await create()
  const found = async (query: string) => (await call('GET', `${accountsPath}?${query}`)).json.length
  assert.deepEqual([await found('institution_user_id=ada'), await found('institution_user_id=ADA')], [1, 0])
  portal.knobs.filters = 'case'
  assert.deepEqual([await found('institution_user_id=ADA'), await found('institution_user_id=ad')], [1, 0])
  portal.knobs.filters = 'prefix'
  assert.deepEqual([await found('institution_user_id=ad'), await found('email=ada')], [1, 1])
  const text = await call('POST', `${accountsPath}/search`, { search_for: 'lovel' })
  assert.equal(text.json.length, 1)
})

test('a new account is seen late by list and search, and at once by its id', async () => {
  let now = 1_000_000
  const { call, create } = await figshareWorld({ now: () => now, knobs: { listLagMs: 5_000 } })
  const id = (await create()).json.account_id
  assert.equal((await call('GET', `${accountsPath}?institution_user_id=ada`)).text, '[]')
  assert.equal((await call('POST', `${accountsPath}/search`, { email: ada.email })).text, '[]')
  assert.equal((await call('GET', `${accountsPath}/${id}`)).status, 200)
  now += 5_000
  assert.equal((await call('GET', `${accountsPath}?institution_user_id=ada`)).json.length, 1)
})

test('pages can repeat a row or miss one', async () => {
  const { call, portal } = await figshareWorld()
  const ids = [portal.administrator.id, ...portal.seed(Array.from({ length: 9 }, (_, index) => aPerson(index)))]
  const page = async () =>
    (await call('GET', `${accountsPath}?page=2&page_size=5`)).json.map((row: { id: number }) => row.id)
  portal.knobs.pages = 'repeat'
  assert.deepEqual(await page(), ids.slice(4, 9))
  portal.knobs.pages = 'miss'
  assert.deepEqual(await page(), ids.slice(6, 10))
})

test('roles are an object with group ids as text; adding keeps what is there, unless the portal replaces', async () => {
  const { call, create, portal } = await figshareWorld()
  const path = `/account/institution/roles/${(await create()).json.account_id}`
  assert.equal((await call('GET', path)).text, '{}')
  const added = await call('POST', path, { '110': [49] })
  assert.deepEqual([added.status, added.text], [201, ''])
  await call('POST', path, { '110': [11], '101': [11] })
  assert.deepEqual((await call('GET', path)).json, {
    '101': [{ id: 11, name: 'Group member', category: 'group' }],
    '110': [
      { id: 49, name: 'Reviewer', category: 'group' },
      { id: 11, name: 'Group member', category: 'group' },
    ],
  })
  for (const bad of [{ '999': [49] }, { '110': [999] }, { '110': 49 }]) {
    assert.equal((await call('POST', path, bad)).status, 400)
  }
  assert.equal((await call('DELETE', `${path}/110/49`)).status, 204)
  assert.equal((await call('DELETE', `${path}/110/49`)).status, 404)
  portal.knobs.rolesPost = 'replace'
  await call('POST', path, { '110': [49] })
  assert.deepEqual(Object.keys((await call('GET', path)).json), ['101', '110'])
  assert.equal((await call('GET', path)).json['110'].length, 1)
})

test('deactivation keeps the roles or drops them, as the knob says', async () => {
  for (const [knob, left] of [
    ['kept', 1],
    ['dropped', 0],
  ] as const) {
    const { call, create } = await figshareWorld({ knobs: { rolesOnDeactivation: knob } })
    const id = (await create()).json.account_id
    await call('POST', `/account/institution/roles/${id}`, { '110': [49] })
    await call('PUT', `${accountsPath}/${id}`, { group_id: 100, is_active: false })
    assert.equal(Object.keys((await call('GET', `/account/institution/roles/${id}`)).json).length, left)
  }
})

test('the profile is changed by author id or SSO key, and reaches the account only where the portal says so', async () => {
  const { call, create, portal } = await figshareWorld()
  const id = (await create()).json.account_id
  const { user_id } = (await call('GET', `${accountsPath}/${id}`)).json
  const changed = await call('PUT', `/account/profile?user_id=${user_id}`, { last_name: 'King', job_title: 'Countess' })
  assert.deepEqual([changed.status, changed.json], [200, { code: 200, message: 'OK' }])
  const user = (await call('GET', `/account/institution/users/${id}`)).json
  assert.deepEqual([user.last_name, user.job_title], ['King', 'Countess'])
  assert.equal((await call('GET', `${accountsPath}/${id}`)).json.last_name, 'Lovelace')
  portal.knobs.profileReachesAccount = true
  await call('PUT', '/account/profile?institution_user_id=ada', { orcid: '0000-0001-2345-6789' })
  const account = (await call('GET', `${accountsPath}/${id}`)).json
  assert.deepEqual([account.last_name, account.orcid_id], ['King', '0000-0001-2345-6789'])
  // An account id is no author id.
  assert.equal((await call('PUT', `/account/profile?user_id=${id}`, { last_name: 'X' })).status, 404)
  assert.equal((await call('PUT', `/account/profile?user_id=${user_id}`, { last_name: 7 })).status, 400)
})

test('the institution, its groups and roles can be read, and an account by impersonation', async () => {
  const { call, create } = await figshareWorld()
  const id = (await create()).json.account_id
  assert.equal((await call('GET', '/account/institution')).json.id, 1)
  const groups = (await call('GET', '/account/institution/groups')).json
  assert.deepEqual(
    groups.map((group: { id: number; parent_id: number; name: string }) => [group.id, group.parent_id, group.name]),
    [
      [100, 0, 'Sandbox University'],
      [101, 100, 'Physics'],
      [102, 100, 'Chemistry'],
      [110, 100, 'Library'],
    ],
  )
  const roles = (await call('GET', '/account/institution/roles')).json
  assert.deepEqual(
    roles.map((role: { id: number }) => role.id),
    [2, 7, 11, 49],
  )
  assert.equal((await call('GET', `/account?impersonate=${id}`)).json.id, id)
  const { user_id } = (await call('GET', `${accountsPath}/${id}`)).json
  assert.deepEqual((await call('GET', `/symplectic/users/${user_id}`)).json, { institutionUserId: 'ada' })
})

test('errors carry a code as text or number, or no body at all, and absence looks like a missing right', async () => {
  const { call, portal } = await figshareWorld()
  const path = `${accountsPath}/1`
  const missing = await call('GET', path)
  assert.deepEqual([missing.status, missing.json.code], [404, 'EntityNotFound'])
  portal.knobs.errorCode = 'number'
  assert.equal((await call('GET', path)).json.code, 404)
  portal.knobs.errorBody = 'empty'
  assert.deepEqual([(await call('GET', path)).status, (await call('GET', path)).text], [404, ''])
})

test('a 201 without a body still made the account', async () => {
  const { call, create } = await figshareWorld({ knobs: { createAnswers: 'empty' } })
  const created = await create()
  assert.deepEqual([created.status, created.text], [201, ''])
  assert.equal((await call('GET', `${accountsPath}?institution_user_id=ada`)).json.length, 1)
})

test('a create whose connection is cut before is not done, one cut after is', async () => {
  const { create, portal, simulator } = await figshareWorld()
  simulator.fault({ mode: 'reset-before' })
  await assert.rejects(create())
  assert.equal(portal.state.byUserId('ada').length, 0)
  simulator.fault({ mode: 'reset-after' })
  await assert.rejects(create())
  assert.equal(portal.state.byUserId('ada').length, 1)
})

test('more calls a second than the portal likes are turned away', async () => {
  let now = 0
  const { call, portal } = await figshareWorld({ now: () => now, knobs: { callsPerSecond: 2 } })
  const statuses = async () => [(await call('GET', '/account')).status, (await call('GET', '/account')).status]
  assert.deepEqual(await statuses(), [200, 200])
  assert.deepEqual(await statuses(), [429, 429])
  portal.knobs.throttleStatus = 403
  assert.deepEqual(await statuses(), [403, 403])
  now += 1_001
  assert.deepEqual(await statuses(), [200, 200])
})

test('100,000 people are seeded within seconds and found at once, by key, e-mail and id', async () => {
  const { call, portal } = await figshareWorld()
  const startedAt = performance.now()
  const ids = portal.seed(Array.from({ length: 100_000 }, (_, index) => aPerson(index)))
  assert.ok(performance.now() - startedAt < 5_000)
  const last = ids.at(-1)
  const searchedAt = performance.now()
  const [byKey] = (await call('GET', `${accountsPath}?institution_user_id=seed99999@example.org`)).json
  const [byEmail] = (await call('GET', `${accountsPath}?email=seed99999%40example.org`)).json
  assert.deepEqual([byKey.id, byEmail.id], [last, last])
  assert.equal((await call('GET', `${accountsPath}/${last}`)).json.group_id, 101)
  assert.equal((await call('GET', `/account/institution/users/${last}`)).json.job_title, 'Professor')
  assert.ok(performance.now() - searchedAt < 1_000)
})

function aPerson(index: number) {
  const email = `seed${index}@example.org`
  return {
    userName: email,
    email,
    givenName: 'Seed',
    familyName: `Person ${index}`,
    title: 'Professor',
    department: 'Physics',
  }
}
