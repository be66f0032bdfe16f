import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { bearer, dspaceWorld, groupsPath, minuteMs, nobody, people } from './dspace-world.ts'

test('a write without a matching header and cookie is 403 and carries a new token', async () => {
  const { call, dspace, jwt } = await dspaceWorld()
  const body = { email: 'ann@x.example' }
  for (const ask of [{ cookie: '' }, { header: 'other' }, { header: '', cookie: '' }]) {
    const refused = await call('POST', people, { body, ...ask })
    assert.equal(refused.status, 403)
    assert.match(refused.json.message, /Invalid CSRF token/)
    const token = refused.headers.get('dspace-xsrf-token') ?? ''
    assert.ok(refused.headers.getSetCookie().at(-1)?.startsWith(`DSPACE-XSRF-COOKIE=${token}; Path=/server`))
  }
  // Before the JWT is looked at.
  assert.equal((await call('POST', people, { body, jwt: undefined, header: 'other' })).status, 403)
  assert.equal(dspace.state.byEmail('ann@x.example'), undefined)
  assert.equal((await call('GET', people, { jwt, header: 'other', cookie: '' })).status, 200)
})

test('pairs stay valid beside newer ones, and only the pair is compared', async () => {
  const { call } = await dspaceWorld()
  const pairs = await Promise.all([1, 2].map(() => call('GET', '/api/security/csrf', { cookie: '' })))
  const tokens = pairs.map((pair) => pair.headers.get('dspace-xsrf-token') ?? '')
  assert.equal(new Set(tokens).size, 2)
  assert.deepEqual(
    pairs.map(({ status }) => status),
    [204, 204],
  )
  const answers = await Promise.all(
    tokens.map((token, at) =>
      call('POST', people, { body: { email: `p${at}@x.example` }, header: token, cookie: token }),
    ),
  )
  assert.deepEqual(
    answers.map(({ status, headers }) => [status, headers.has('dspace-xsrf-token')]),
    [
      [201, false],
      [201, false],
    ],
  )
  const asParameter = await call('POST', `${people}?_csrf=pair`, { body: { email: 'p3@x.example' }, header: '' })
  assert.equal(asParameter.status, 201)
  assert.ok(asParameter.headers.has('dspace-xsrf-token'))
})

test('log-in hands out a JWT, an empty body and two cookies of one name, the expired one first', async () => {
  const { dspace, login } = await dspaceWorld()
  const answer = await login(dspace.credentials.user.toUpperCase(), dspace.credentials.password)
  assert.equal(answer.status, 200)
  assert.equal(answer.text, '')
  const [expired, fresh, ...more] = answer.headers.getSetCookie()
  assert.equal(more.length, 0)
  assert.match(expired ?? '', /^DSPACE-XSRF-COOKIE=; Max-Age=0;/)
  assert.ok(fresh?.startsWith(`DSPACE-XSRF-COOKIE=${answer.headers.get('dspace-xsrf-token')};`))
  const [head = '', claims = ''] = bearer(answer).split('.')
  assert.equal(JSON.parse(Buffer.from(head, 'base64url').toString()).alg, 'HS256')
  const { eid, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString())
  assert.equal(eid, dspace.administrator.uuid)
  assert.equal(exp, Date.parse('2026-03-01T12:30:00Z') / 1000)
})

test('nobody signs in with a wrong password, without one, switched off, or where a certificate is required', async () => {
  const { call, dspace, login } = await dspaceWorld()
  const password = 'longenough'
  dspace.addEPerson({ email: 'off@x.example', password })
  dspace.addEPerson({ email: 'cert@x.example', password, canLogIn: true, requireCertificate: true })
  dspace.addEPerson({ email: 'none@x.example', canLogIn: true })
  dspace.addEPerson({ email: 'ann@x.example', password, canLogIn: true })
  assert.equal((await login('ann@x.example', password)).status, 200)
  for (const user of ['off@x.example', 'cert@x.example', 'none@x.example', 'who@x.example']) {
    assert.equal((await login(user, password)).status, 401)
  }
  const wrong = await login('ann@x.example', 'wrong')
  assert.equal(wrong.status, 401)
  assert.match(wrong.headers.get('www-authenticate') ?? '', /^password realm=/)
  assert.equal(wrong.json.path, '/server/api/authn/login')
  assert.equal((await call('POST', '/api/authn/login', { jwt: undefined })).status, 401)
  assert.equal((await call('GET', '/api/authn/login')).status, 405)
})

test('a JWT lives for 30 minutes and a little, is renewed by itself, and then the caller is anonymous', async () => {
  const { call, jwt, wait } = await dspaceWorld()
  wait(29 * minuteMs)
  const renewed = bearer(await call('POST', '/api/authn/login'))
  wait(2 * minuteMs)
  assert.equal((await call('GET', people, { jwt: renewed })).status, 200)
  wait(1)
  const refused = await call('GET', people, { jwt })
  assert.equal(refused.status, 401)
  assert.equal(refused.json.message, 'Authentication is required')
  assert.equal((await call('POST', '/api/authn/login')).status, 401)
  const status = await call('GET', '/api/authn/status', { jwt })
  assert.equal(status.status, 200)
  assert.equal(status.json.authenticated, false)
})

test('log-ins stand side by side until one comes after half an hour of idleness, or somebody logs out', async () => {
  const { call, dspace, jwt, jwtOf, wait } = await dspaceWorld({ knobs: { jwtLifeMs: 60 * minuteMs } })
  const { user, password } = dspace.credentials
  const isAlive = async (token: string) => (await call('GET', people, { jwt: token })).status === 200
  wait(10 * minuteMs)
  const second = await jwtOf(user, password)
  assert.deepEqual([await isAlive(jwt), await isAlive(second)], [true, true])
  wait(60 * minuteMs + 1)
  const third = await jwtOf(user, password)
  assert.deepEqual([await isAlive(second), await isAlive(third)], [false, true])
  const out = await call('POST', '/api/authn/logout', { jwt: third })
  assert.equal(out.status, 204)
  assert.ok(out.headers.has('dspace-xsrf-token'))
  assert.equal(await isAlive(third), false)
  const fourth = await jwtOf(user, password)
  assert.equal(await isAlive(fourth), true)
  dspace.restart()
  assert.equal(await isAlive(fourth), false)
})

test('a forged JWT is nobody: of another key, another algorithm, or another account', async () => {
  const { call, jwt } = await dspaceWorld()
  const [head = '', claims = '', signature = ''] = jwt.split('.')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  const forged = [`${head}.${claims}.${Buffer.alloc(32).toString('base64url')}`, `${none}.${claims}.`, 'x', `${jwt}.x`]
  const other = Buffer.from(JSON.stringify({ eid: nobody, exp: 9e9 })).toString('base64url')
  for (const token of [...forged, `${head}.${other}.${signature}`]) {
    assert.equal((await call('GET', people, { jwt: token })).status, 401)
  }
})

test('a living JWT outlives the deactivation of its account, and can even be renewed', async () => {
  const { call, dspace } = await dspaceWorld()
  dspace.setCanLogIn(dspace.credentials.user, false)
  assert.equal((await call('GET', people)).status, 200)
  assert.equal((await call('POST', '/api/authn/login')).status, 200)
})

test('what is protected is 401 for strangers and 403 for those who are signed in, in the form of Spring', async () => {
  const { call, dspace, jwtOf } = await dspaceWorld()
  const ann = dspace.addEPerson({ email: 'ann@x.example', password: 'longenough', canLogIn: true })
  const jwt = await jwtOf('ann@x.example', 'longenough')
  for (const path of [people, `${people}/search/byEmail?email=a`, `${people}/${nobody}`, groupsPath]) {
    const stranger = await call('GET', path, { jwt: undefined })
    assert.equal(stranger.status, 401)
    assert.deepEqual(Object.keys(stranger.json), ['timestamp', 'status', 'error', 'message', 'path'])
    assert.equal(stranger.json.path, `/server${path.split('?')[0]}`)
    assert.equal((await call('GET', path, { jwt })).status, 403)
  }
  assert.equal((await call('POST', people, { jwt, body: { email: 'b@x.example' } })).status, 403)
  assert.equal((await call('DELETE', `${people}/${ann.uuid}`, { jwt })).status, 403)
  assert.equal((await call('GET', `${people}/${ann.uuid}`, { jwt })).json.email, 'ann@x.example')
  const switching = [{ op: 'replace', path: '/canLogin', value: false }]
  assert.equal((await call('PATCH', `${people}/${ann.uuid}`, { jwt, body: switching })).status, 403)
})

test('the root tells everybody release and flavour', async () => {
  const flavours = [
    ['9.3', 'DSpace 9.3', undefined],
    ['7.0', 'DSpace 7.0', undefined],
    ['cris-2021.03.01', 'DSpace cris-2021.03.01', undefined],
    ['cris-2025.02.01', 'DSpace 9.1', 'cris-2025.02.01'],
  ] as const
  for (const [flavour, dspaceVersion, crisVersion] of flavours) {
    const { call } = await dspaceWorld({ flavour })
    const { json, status } = await call('GET', '/api', { jwt: undefined })
    assert.equal(status, 200)
    assert.equal(json.dspaceVersion, dspaceVersion)
    assert.equal(json.crisVersion, crisVersion)
    assert.equal('crisVersion' in json, crisVersion !== undefined)
  }
  await assert.rejects(dspaceWorld({ flavour: '6.4' }))
  await assert.rejects(dspaceWorld({ flavour: 'nine' }))
})

test('the csrf endpoint and tokens at ordinary reads come and go with the releases', async () => {
  const releases = [
    ['7.6.1', 404, true],
    ['7.6.2', 204, true],
    ['8.2', 204, false],
    ['8.3', 204, true],
    ['9.1', 204, false],
    ['10.0', 204, true],
    ['cris-2023.02.06', 404, true],
    ['cris-2023.02.07', 204, true],
    ['cris-2024.02.03', 404, true],
    ['cris-2024.02.04', 204, true],
  ] as const
  for (const [flavour, csrf, tokenOnGet] of releases) {
    const { call } = await dspaceWorld({ flavour })
    assert.equal((await call('GET', '/api/security/csrf', { cookie: '' })).status, csrf, flavour)
    const status = await call('GET', '/api/authn/status', { cookie: '' })
    assert.equal(status.headers.has('dspace-xsrf-token'), tokenOnGet, flavour)
    assert.equal((await call('GET', '/api/authn/status')).headers.has('dspace-xsrf-token'), false)
  }
})

test('the status names who is signed in, and an administrator acts for others only where that is allowed', async () => {
  const { call, dspace } = await dspaceWorld()
  const ann = dspace.addEPerson({ email: 'ann@x.example' })
  const { json } = await call('GET', '/api/authn/status?embed=eperson')
  assert.equal(json.authenticationMethod, 'password')
  assert.equal(json._embedded.eperson.uuid, dspace.administrator.uuid)
  const headers = { 'x-on-behalf-of': ann.uuid }
  assert.equal((await call('GET', people, { headers })).status, 400)
  dspace.knobs.assumeLogin = true
  assert.equal((await call('GET', people, { headers })).status, 403)
  assert.equal((await call('GET', people, { headers, jwt: undefined })).status, 401)
})

test('faults look as DSpace does, and a log-in is no write', async () => {
  const { call, create, dspace, login, simulator } = await dspaceWorld()
  simulator.fault({ mode: '401' })
  const refused = await call('GET', people)
  assert.deepEqual([refused.status, refused.json.error], [401, 'Unauthorized'])
  simulator.fault({ mode: '500' })
  const broken = await create()
  assert.deepEqual([broken.status, broken.json.status, broken.json.path], [500, 500, '/server/api/eperson/epersons'])
  assert.equal(dspace.state.byEmail('ann@x.example'), undefined)
  simulator.fault({ mode: 'down' })
  await assert.rejects(create())
  assert.equal(dspace.state.byEmail('ann@x.example'), undefined)
  simulator.fault({ mode: 'lost' })
  assert.equal((await login(dspace.credentials.user, dspace.credentials.password)).status, 200)
  await assert.rejects(create())
  assert.equal(dspace.state.byEmail('ann@x.example')?.canLogIn, true)
  assert.equal((await call('GET', people)).status, 200)
  const body = { email: 'new@x.example', type: 'registration' }
  const path = '/api/eperson/registrations?accountRequestType=register'
  await assert.rejects(call('POST', path, { body }))
  assert.deepEqual(
    dspace.mails.map(({ to }) => to),
    ['new@x.example'],
  )
})

test('what it says has the shape of the documented contract', async () => {
  const contract: object = parse(await readFile(new URL('../contracts/dspace.openapi.yaml', import.meta.url), 'utf8'))
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema(contract, 'dspace')
  const { call, create, dspace } = await dspaceWorld({ flavour: 'cris-2025.02' })
  const { uuid } = (await create({ metadata: { 'eperson.firstname': [{ value: 'Ann' }] } })).json
  const researchers = dspace.group('Researchers')?.uuid
  const registration = { email: 'new@x.example', type: 'registration', groups: [researchers] }
  await call('POST', '/api/eperson/registrations?accountRequestType=register', { body: registration })
  const token = dspace.mails[0]?.token
  const site = (await call('GET', '/api/core/sites')).json._embedded.sites[0]._links.self.href
  const said = [
    ['Root', '/api'],
    ['AuthnStatus', '/api/authn/status?embed=eperson'],
    ['SitePage', '/api/core/sites'],
    ['AuthorizationPage', `/api/authz/authorizations/search/object?uri=${site}&feature=epersonRegistration`],
    ['EPerson', `${people}/${uuid}?embed=groups`],
    ['EPersonPage', people],
    ['EPerson', `${people}/search/byEmail?email=ann@x.example`],
    ['GroupPage', `${people}/${uuid}/groups`],
    ['Group', `${groupsPath}/${researchers}`],
    ['GroupPage', groupsPath],
    ['EPersonPage', `${groupsPath}/${researchers}/epersons`],
    ['SubgroupPage', `${groupsPath}/${researchers}/subgroups`],
    ['Registration', `/api/eperson/registrations/search/findByToken?token=${token}`],
    ['Error', `${people}/${nobody}`],
  ]
  for (const [schema, path = ''] of said) {
    const { json } = await call('GET', path)
    const isValid = ajv.validate({ $ref: `dspace#/components/schemas/${schema}` }, json)
    assert.ok(isValid, `${path}: ${ajv.errorsText()}`)
  }
})
