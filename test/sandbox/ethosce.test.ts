/** What the recorded dialogue does not show: knobs, time, sessions and cut connections. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createEthosce, type EthosceOptions, roleId } from '../../src/sandbox/ethosce/ethosce.ts'
import { startSimulator } from '../../src/sandbox/server.ts'

async function siteWorld(options?: EthosceOptions) {
  const site = createEthosce(options)
  const simulator = await startSimulator(site)
  after(() => simulator.close())
  const basic = (password = site.credentials.password) =>
    `Basic ${Buffer.from(`${site.credentials.user}:${password}`).toString('base64')}`
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await fetch(simulator.baseUrl + path, {
      method,
      redirect: 'manual',
      headers: {
        authorization: basic(),
        ...(method === 'POST' || method === 'PUT' ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const isJson = (answer.headers.get('content-type') ?? '').includes('json')
    return { status: answer.status, text, json: isJson ? JSON.parse(text) : undefined, headers: answer.headers }
  }
  const uids = async (query: string): Promise<number[]> => {
    const answer = await call('GET', `/user.json?full=0&${query}`)
    return answer.json.list.map((row: { id: number }) => row.id)
  }
  return { site, simulator, basic, call, uids }
}

const ada = { name: 'ada', mail: 'ada@example.test', status: 1 }

test('uid 0, uid 1 and the service account exist from the start, and the service account’s name begins with restws', async () => {
  const { site, call } = await siteWorld()
  const { json } = await call('GET', '/user.json?sort=uid')
  assert.deepEqual(
    json.list.map((row: { uid: string | null; name: string }) => [row.uid, row.name]),
    [
      [null, 'Anonymous'],
      ['1', 'admin'],
      ['2', 'restws_bridge'],
    ],
  )
  assert.match(site.credentials.user, /^restws/)
})

test('role ids come from the machine names', () => {
  assert.deepEqual(
    ['course_author', 'reviewer', 'report_viewer', 'site_admin', 'course_admin', 'support', 'web_service'].map(roleId),
    [105847459, 175031666, 92961712, 36427370, 96518088, 160159362, 26348183],
  )
})

test('five wrong passwords lock the right one for six hours, not longer, and the right one before clears the count', async () => {
  let now = 1_000_000_000
  const { call, basic } = await siteWorld({ now: () => now })
  const wrong = () => call('GET', '/user.json?uid=1', undefined, { authorization: basic('wrong') })
  const right = () => call('GET', '/user.json?uid=1')
  for (let round = 0; round < 2; round += 1) {
    for (let turn = 0; turn < 4; turn += 1) assert.equal((await wrong()).status, 403)
    assert.equal((await right()).status, 200)
  }
  for (let turn = 0; turn < 5; turn += 1) await wrong()
  assert.deepEqual([(await right()).status, (await right()).text], [403, '403 Forbidden'])
  now += 6 * 3_600_000 - 1
  assert.equal((await right()).status, 403)
  now += 1
  assert.equal((await right()).status, 200)
})

test('fifty wrong passwords within an hour lock the address, whatever the names', async () => {
  const { site, call, basic } = await siteWorld()
  for (let number = 0; number < 10; number += 1) {
    const name = `restws_${number}`
    site.addUser({ name, mail: `${name}@example.test`, status: 1, roles: [], password: 'right', rights: 'full' })
    const authorization = `Basic ${Buffer.from(`${name}:wrong`).toString('base64')}`
    for (let turn = 0; turn < 5; turn += 1) await call('GET', '/user.json', undefined, { authorization })
  }
  assert.equal((await call('GET', '/user.json', undefined, { authorization: basic() })).status, 403)
  site.clearFlood()
  assert.equal((await call('GET', '/user.json')).status, 200)
})

test('a blocked service account is refused', async () => {
  const { site, call } = await siteWorld()
  const account = site.userByName('restws_bridge')
  if (account !== undefined) account.status = 0
  assert.equal((await call('GET', '/user.json')).status, 403)
})

test('a cookie of another session is no session: a write that carries it is refused, a read is not', async () => {
  const { call } = await siteWorld()
  const first = await call('GET', '/user.json?uid=1')
  const cookie = `${(first.headers.get('set-cookie') ?? '').split('=')[0]}=stolen`
  assert.equal((await call('POST', '/user', ada, { cookie })).text, '403 Access Denied: CSRF validation failed')
  assert.equal((await call('GET', '/user.json?uid=1', undefined, { cookie })).status, 200)
  assert.equal((await call('POST', '/user', ada, { cookie: 'theme=dark' })).status, 201)
})

test('the token of a session that has ended is worth nothing', async () => {
  const { site, call } = await siteWorld()
  const uid = (await call('POST', '/user', ada)).json.id
  const name = ((await call('GET', '/user.json?uid=1')).headers.get('set-cookie') ?? '').split('=')[0]
  const cookie = `${name}=${site.openSession(Number(uid))}`
  const token = (await call('GET', '/restws/session/token', undefined, { cookie })).text
  const headers = { cookie, 'x-csrf-token': token }
  assert.equal((await call('PUT', `/user/${uid}`, { status: 0 }, headers)).status, 200)
  assert.equal((await call('PUT', `/user/${uid}`, { status: 1 }, headers)).status, 403)
})

test('a person is mailed when blocked and then unblocked, never at creation nor when nothing changes', async () => {
  const { site, call } = await siteWorld()
  const path = `/user/${(await call('POST', '/user', ada)).json.id}`
  await call('PUT', path, { status: 1 })
  await call('PUT', path, { status: 0 })
  await call('PUT', path, { status: 0 })
  assert.equal(site.state.mails.length, 0)
  await call('PUT', path, { status: 1 })
  await call('PUT', path, { status: 1 })
  assert.deepEqual(
    site.state.mails.map((mail) => mail.to),
    ['ada@example.test'],
  )
})

test('blocking and deleting end the sessions of the person, and of nobody else', async () => {
  const { site, call } = await siteWorld()
  const uid = Number((await call('POST', '/user', ada)).json.id)
  const hers = site.openSession(uid)
  const other = site.openSession(1)
  await call('PUT', `/user/${uid}`, { mail: 'new@example.test' })
  assert.equal(site.hasSession(hers), true)
  await call('PUT', `/user/${uid}`, { status: 0 })
  assert.deepEqual([site.hasSession(hers), site.hasSession(other)], [false, true])
  const again = site.openSession(uid)
  await call('DELETE', `/user/${uid}`)
  assert.equal(site.hasSession(again), false)
})

test('lists that nothing sorts or filters are not in the order of uid', async () => {
  const { call, uids } = await siteWorld()
  await call('POST', '/user', { name: 'z', mail: 'z@example.test' })
  await call('POST', '/user', { name: 'b', mail: 'b@example.test' })
  assert.deepEqual(await uids(''), [0, 1, 4, 2, 3])
  assert.deepEqual(await uids('sort=uid&direction=DESC'), [4, 3, 2, 1, 0])
})

test('JSON is written as PHP writes it', async () => {
  const { call } = await siteWorld()
  await call('POST', '/user', { name: 'a\\"<b>\'é/&', mail: 'q@example.test' })
  const { text, json } = await call('GET', '/user.json?mail=q@example.test&limit=1')
  assert.ok(text.includes('"name":"a\\\\\\u0022\\u003Cb\\u003E\\u0027\\u00e9\\/\\u0026"'), text)
  assert.ok(text.includes('http:\\/\\/'))
  assert.equal(json.list[0].name, 'a\\"<b>\'é/&')
})

test('a duplicate authname is answered 500, 406 or 409, and authmap writes can be missing', async () => {
  for (const status of [500, 406, 409] as const) {
    const { site, call } = await siteWorld({ knobs: { duplicateAuthname: status } })
    const row = { uid: 1, authname: 'EXT', module: 'client_sso' }
    const aid = (await call('POST', '/authmap', row)).json.id
    assert.equal((await call('POST', '/authmap', { ...row, authname: 'ext' })).status, status)
    site.knobs.authmapWrites = false
    assert.equal((await call('PUT', `/authmap/${aid}`, { authname: 'x' })).status, 403)
    assert.equal((await call('DELETE', `/authmap/${aid}`)).status, 500)
    assert.equal((await call('GET', '/authmap.json?authname=EXT')).json.list.length, 1)
  }
})

test('operators are EthosCE’s or, on a stock site, read as a list of values', async () => {
  const { site, uids } = await siteWorld()
  assert.deepEqual(await uids('uid[gt]=1'), [2])
  assert.deepEqual(await uids('uid[ne]=1'), [0, 2])
  assert.deepEqual(await uids("name[sw]='adm'"), [1])
  assert.deepEqual(await uids('uid[ge]=1&uid[le]=1'), [1])
  site.knobs.operators = 'stock'
  assert.deepEqual(await uids('uid[gt]=1'), [1])
})

test('references carry a uuid where the site runs that module', async () => {
  const { call } = await siteWorld({ knobs: { uuid: true } })
  const { json } = await call('POST', '/user', ada)
  assert.match(json.uuid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
})

test('a mail can be unique at a site, for new users and for changes', async () => {
  const { call } = await siteWorld({ knobs: { duplicateMail: 406 } })
  const path = `/user/${(await call('POST', '/user', ada)).json.id}`
  assert.equal((await call('POST', '/user', { ...ada, name: 'other' })).status, 406)
  assert.equal((await call('PUT', path, { mail: 'admin@example.test' })).status, 406)
  assert.equal((await call('PUT', path, { mail: ada.mail })).status, 200)
})

test('the page of a 500 names the database error only where the site displays errors', async () => {
  const { site, call } = await siteWorld()
  await call('POST', '/user', ada)
  assert.doesNotMatch((await call('POST', '/user', ada)).text, /PDOException/)
  site.knobs.showsErrors = true
  assert.match((await call('POST', '/user', ada)).text, /PDOException/)
})

test('names are equal but for case, accents and trailing spaces, or but for case, or only when identical', async () => {
  const looks = ['JOSE', 'josé', 'jose ']
  for (const [collation, taken] of [
    ['case-and-accents', [500, 500, 500]],
    ['case', [500, 201, 500]],
    ['binary', [201, 201, 201]],
  ] as const) {
    const { call } = await siteWorld({ knobs: { collation } })
    await call('POST', '/user', { name: 'jose' })
    const statuses = []
    for (const name of looks) statuses.push((await call('POST', '/user', { name })).status)
    assert.deepEqual(statuses, taken, collation)
  }
})

test('an emoji crashes a site whose database has three bytes a character, wherever it stands', async () => {
  const { site, call } = await siteWorld()
  const pid = (await call('POST', '/profile2', { user: 1, type: 'profile' })).json.id
  const writes = [
    ['POST', '/user', { name: 'a🎓' }],
    ['PUT', '/user/2', { mail: 'a🎓@example.test' }],
    ['POST', '/authmap', { uid: 1, authname: 'a🎓', module: 'client_sso' }],
    ['PUT', `/profile2/${pid}`, { field_last_name: 'a🎓' }],
    ['PUT', `/profile2/${pid}`, { field_profile_location: { city: 'a🎓' } }],
  ] as const
  for (const [method, path, body] of writes) assert.equal((await call(method, path, body)).status, 500, path)
  assert.equal((await call('GET', `/profile2/${pid}.json`)).json.field_last_name, null)
  site.knobs.fourByteText = true
  for (const [method, path, body] of writes) assert.ok((await call(method, path, body)).status < 300, path)
})

test('on PHP 7 a user with two profiles can be deleted', async () => {
  const { site, call } = await siteWorld()
  const uid = (await call('POST', '/user', ada)).json.id
  await call('POST', '/profile2', { user: uid, type: 'profile' })
  await call('POST', '/profile2', { user: uid, type: 'profile' })
  assert.equal((await call('DELETE', `/user/${uid}`)).status, 500)
  site.knobs.twoProfilesDie = false
  assert.equal((await call('DELETE', `/user/${uid}`)).status, 200)
  assert.deepEqual((await call('GET', '/profile2.json')).json.list, [])
})

test('the group trap refuses any change of a member of a foreign group, an empty one too, and can be off', async () => {
  const { site, call } = await siteWorld()
  const uid = (await call('POST', '/user', ada)).json.id
  const membership = {
    group: { id: 1, resource: 'node' },
    entity: { id: Number(uid), resource: 'user' },
    type: 'og_membership_type_default',
    field_name: 'og_user_node',
    state: 1,
  }
  assert.equal((await call('POST', '/og_membership', membership)).status, 201)
  assert.equal((await call('PUT', `/user/${uid}`, {})).text, '422 Unprocessable Entity: Field validation errors')
  assert.equal((await call('PUT', `/user/${uid}`, { status: 0 })).status, 422)
  assert.equal((await call('GET', `/user/${uid}.json`)).json.status, '1')
  site.knobs.groupTrap = false
  assert.equal((await call('PUT', `/user/${uid}`, { status: 0 })).status, 200)
})

test('a user’s groups are replaced as a whole, by groups that the service account is in, and by no others', async () => {
  const { call } = await siteWorld()
  const uid = (await call('POST', '/user', ada)).json.id
  const join = (node: number, user: number) =>
    call('POST', '/og_membership', {
      group: { id: node, resource: 'node' },
      entity: { id: user, resource: 'user' },
      type: 'og_membership_type_default',
      field_name: 'og_user_node',
    })
  await join(1, 2)
  const groups = async () =>
    (await call('GET', `/user/${uid}.json`)).json.og_user_node.map((node: { id: string }) => node.id)
  assert.equal((await call('PUT', `/user/${uid}`, { og_user_node: [{ id: 1 }, { id: 2 }] })).status, 422)
  assert.deepEqual(await groups(), [])
  assert.equal((await call('PUT', `/user/${uid}`, { og_user_node: [{ id: 1 }] })).status, 200)
  assert.deepEqual(await groups(), ['1'])
  await join(2, 2)
  assert.equal((await call('PUT', `/user/${uid}`, { og_user_node: [{ id: 2 }] })).status, 200)
  assert.deepEqual(await groups(), ['2'])
})

test('roles are objects when written and numbers when read, with "authenticated" always among them', async () => {
  const { call } = await siteWorld()
  const uid = (await call('POST', '/user', ada)).json.id
  const roles = async () => (await call('GET', `/user/${uid}.json`)).json.roles
  const write = async (value: unknown) => (await call('PUT', `/user/${uid}`, { roles: value })).status
  assert.equal(await write([{ id: roleId('reviewer') }, { id: String(roleId('course_author')) }]), 200)
  assert.deepEqual(new Set(await roles()), new Set([2, roleId('reviewer'), roleId('course_author')]))
  assert.equal(await write([roleId('reviewer')]), 500)
  // What nobody knows vanishes without a word, and what was not sent with it.
  assert.equal(await write([{ id: 12345 }]), 200)
  assert.deepEqual(await roles(), [2])
})

test('a second membership of the same person in the same group breaks in the database', async () => {
  const { call } = await siteWorld()
  const uid = (await call('POST', '/user', ada)).json.id
  const membership = {
    group: { id: 1, resource: 'node' },
    entity: { id: Number(uid), resource: 'user' },
    type: 'og_membership_type_default',
    field_name: 'og_user_node',
    state: 1,
  }
  assert.equal((await call('POST', '/og_membership', membership)).status, 201)
  assert.equal((await call('POST', '/og_membership', membership)).status, 500)
})

test('a site can cut its pages smaller', async () => {
  const { uids } = await siteWorld({ knobs: { pageLimit: 2 } })
  assert.equal((await uids('limit=50')).length, 2)
})

test('more calls a second than the site likes are turned away', async () => {
  let now = 0
  const { call } = await siteWorld({ now: () => now, knobs: { callsPerSecond: 1, throttleStatus: 503 } })
  assert.equal((await call('GET', '/user.json?uid=1')).status, 200)
  assert.equal((await call('GET', '/user.json?uid=1')).status, 503)
  now += 1_000
  assert.equal((await call('GET', '/user.json?uid=1')).status, 200)
})

test('without suffix and without Accept there is a page, never JSON', async () => {
  const { call } = await siteWorld()
  assert.equal((await call('GET', '/user/1', undefined, { accept: 'text/html' })).status, 500)
  assert.equal((await call('GET', '/user', undefined, { accept: '*/*' })).status, 404)
  assert.equal((await call('GET', '/user', undefined, { accept: 'application/json' })).json.list.length, 3)
})

test('other fields of the profile are what the site has made of it', async () => {
  const profileFields = new Map([['field_department', { maxLength: 5 }]])
  const { call } = await siteWorld({ profileFields })
  const profile = { user: 1, type: 'profile', field_department: 'heart' }
  const pid = (await call('POST', '/profile2', profile)).json.id
  assert.equal((await call('PUT', `/profile2/${pid}`, { field_department: 'surgery' })).status, 422)
  assert.equal((await call('PUT', `/profile2/${pid}`, { field_first_name: 'A' })).status, 406)
  assert.equal((await call('GET', `/profile2/${pid}.json`)).json.field_department, 'heart')
})

test('each of the three creates can be cut off before or after its effect', async () => {
  const creates = [
    ['/user', ada],
    ['/authmap', { uid: 1, authname: 'EXT', module: 'client_sso' }],
    ['/profile2', { user: 1, type: 'profile', field_last_name: 'L' }],
  ] as const
  for (const [path, body] of creates) {
    const { call, simulator, site } = await siteWorld()
    const tables = { '/user': site.state.users, '/authmap': site.state.authmap, '/profile2': site.state.profiles }
    const before = tables[path].rows.size
    simulator.fault({ mode: 'reset-before', path, only: 'writes', times: 1 })
    await assert.rejects(call('POST', path, body))
    assert.equal(tables[path].rows.size, before)
    simulator.fault({ mode: 'reset-after', path, only: 'writes', times: 1 })
    await assert.rejects(call('POST', path, body))
    assert.equal(tables[path].rows.size, before + 1)
    assert.equal((await call('GET', '/user.json?uid=1')).status, 200)
  }
})

test('the fault 401 is the site’s own 403: a line of text, a page on the user’s path, and no lock', async () => {
  const { call, simulator } = await siteWorld()
  simulator.fault({ mode: '401' })
  for (let turn = 0; turn < 6; turn += 1) assert.equal((await call('GET', '/user.json?uid=1')).text, '403 Forbidden')
  const page = await call('PUT', '/user/1', { status: 1 })
  assert.deepEqual([page.status, /^<!DOCTYPE html/.test(page.text)], [403, true])
  simulator.fault({ mode: 'ok' })
  assert.equal((await call('GET', '/user.json?uid=1')).status, 200)
})
