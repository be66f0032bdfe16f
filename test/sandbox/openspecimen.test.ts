import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createOpenspecimen, type OpenspecimenOptions } from '../../src/sandbox/openspecimen/openspecimen.ts'
import { startSimulator } from '../../src/sandbox/server.ts'
import { validateTraffic } from './openapi.ts'

const ada = {
  firstName: 'Ada',
  lastName: 'Lovelace',
  emailAddress: 'ada@uni.example',
  loginName: 'ada',
  domainName: 'example-saml',
  instituteName: 'Example University',
  type: 'NONE',
  activityStatus: 'Active',
}

interface Said {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever a platform says
  readonly json: any
}

/** A simulator with somebody signed in; all traffic is compared with the contract at the end. */
async function world(options: OpenspecimenOptions = {}) {
  let now = Date.UTC(2026, 0, 15, 9)
  const logic = createOpenspecimen({ now: () => now, ...options })
  const simulator = await startSimulator(logic)
  after(async () => {
    await simulator.close()
    assert.deepEqual(validateTraffic(simulator.calls, 'openspecimen.openapi.yaml'), [])
  })
  const raw = async (method: string, path: string, body: unknown, headers: Record<string, string>): Promise<Said> => {
    const answer = await fetch(simulator.baseUrl + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, text, json: parsed(text) }
  }
  const signIn = (loginName: string, password: string, domainName = 'openspecimen') =>
    raw('POST', '/sessions', { loginName, password, domainName }, {})
  const { user, password } = logic.credentials
  const token: string = (await signIn(user, password)).json.token
  const call = (method: string, path: string, body?: unknown, as = token) =>
    raw(method, path, body, { 'x-os-api-token': as })
  return {
    logic,
    simulator,
    raw,
    signIn,
    call,
    token,
    create: (change: object = {}) => call('POST', '/users', { ...ada, ...change }),
    wait: (ms: number) => {
      now += ms
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const codes = (said: Said): string[] => said.json.map((error: { code: string }) => error.code)
const minute = 60_000

test('an administrator signs in with the credentials, several times side by side, and is told to be one', async () => {
  const { call, signIn, logic } = await world()
  const second = await signIn(logic.credentials.user, logic.credentials.password)
  const own = await call('GET', '/users/current-user')
  assert.deepEqual([own.json.admin, own.json.type, own.json.domain], [true, 'SUPER', 'openspecimen'])
  assert.equal((await call('GET', '/users/current-user', undefined, second.json.token)).status, 200)
  assert.equal(logic.sessionsOf(logic.serviceUser.id), 2)
})

test('without credentials the answer is a 401 page with a challenge, with wrong ones a page without', async () => {
  const { raw } = await world()
  const none = await raw('GET', '/users', undefined, {})
  const wrong = await raw('GET', '/users', undefined, { 'x-os-api-token': 'nonsense' })
  assert.deepEqual([none.status, none.headers.get('content-type')], [401, 'text/html;charset=utf-8'])
  assert.equal(none.headers.get('www-authenticate'), 'Basic realm="OpenSpecimen"')
  assert.deepEqual([wrong.status, wrong.headers.get('www-authenticate')], [401, null])
})

test('an Origin header is answered 405', async () => {
  const { simulator, token } = await world()
  const answer = await fetch(`${simulator.baseUrl}/users`, {
    headers: { origin: 'https://a.example', 'x-os-api-token': token },
  })
  assert.equal(answer.status, 405)
  simulator.forgetCalls()
})

test('a token lives as long as it is used at least once an hour', async () => {
  const { call, wait } = await world()
  wait(59 * minute)
  assert.equal((await call('GET', '/users')).status, 200)
  wait(59 * minute)
  assert.equal((await call('GET', '/users')).status, 200)
  wait(61 * minute)
  assert.equal((await call('GET', '/users')).status, 401)
})

test('five wrong passwords lock the user, and then the right one is refused too', async () => {
  const { logic, signIn } = await world()
  const user = logic.addUser({ loginName: 'eve', password: 'right' })
  for (let attempt = 0; attempt < 4; attempt += 1) await signIn('eve', 'wrong')
  assert.equal(user.activityStatus, 'Active')
  assert.deepEqual(codes(await signIn('eve', 'wrong')), ['AUTH_INVALID_CREDENTIALS'])
  assert.equal(user.activityStatus, 'Locked')
  assert.deepEqual(codes(await signIn('eve', 'right')), ['AUTH_USER_LOCKED'])
  assert.deepEqual(
    logic.mails.map((mail) => mail.to),
    [user.emailAddress, logic.serviceUser.emailAddress],
  )
})

test('a right password in between starts the count anew', async () => {
  const { logic, signIn } = await world()
  const user = logic.addUser({ loginName: 'eve', password: 'right' })
  for (const password of ['a', 'b', 'c', 'd', 'right', 'a', 'b', 'c', 'd']) await signIn('eve', password)
  assert.equal(user.activityStatus, 'Active')
})

test('a user of the built-in domain who was just created signs in to nothing but a reset token', async () => {
  const { create, logic, signIn, call } = await world()
  const { json } = await create({ domainName: 'openspecimen' })
  await call('PUT', '/users/password', { userId: json.id, newPassword: 'First-1' })
  assert.deepEqual(Object.keys((await signIn('ada', 'First-1')).json), ['resetPasswordToken'])
  logic.changeUser(json.id, { forcePasswordReset: false })
  assert.equal((await signIn('ada', 'First-1')).json.loginName, 'ada')
})

test('Basic works for the built-in domain, never with a colon in the password, and not beside a token', async () => {
  const { logic, raw } = await world()
  logic.addUser({ loginName: 'good', password: 'pass', type: 'SUPER' })
  logic.addUser({ loginName: 'colon', password: 'pa:ss', type: 'SUPER' })
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
  assert.equal((await raw('GET', '/users', undefined, basic('good:pass'))).status, 200)
  assert.equal((await raw('GET', '/users', undefined, basic('colon:pa:ss'))).status, 401)
  assert.equal((await raw('GET', '/users', undefined, basic('good:pass:more'))).status, 401)
  assert.equal((await raw('GET', '/users', undefined, { ...basic('good:pass'), 'x-os-api-token': 'dead' })).status, 401)
})

test('a create answers 200 with the user, leaves nulls out, and mails the person and the administrators', async () => {
  const { create, logic } = await world()
  const { status, json } = await create({ phoneNumber: '' })
  assert.equal(status, 200)
  assert.deepEqual([json.loginName, json.domainName, json.activityStatus], ['ada', 'example-saml', 'Active'])
  assert.ok(!('phoneNumber' in json) && !('primarySite' in json) && !('domain' in json))
  assert.deepEqual(logic.mails, [
    { template: 'users_created', to: 'ada@uni.example' },
    { template: 'users_op_notif', to: logic.serviceUser.emailAddress },
  ])
})

test('everything wrong with the values of a create comes in one answer, and what is taken in a second round', async () => {
  const { create, call } = await world()
  await create()
  const bad = await call('POST', '/users', {
    type: 'KING',
    emailAddress: 'no',
    domainName: 'nowhere',
    instituteName: 'None',
  })
  assert.equal(bad.status, 400)
  assert.deepEqual(codes(bad), [
    'USER_INVALID_TYPE',
    'USER_FIRST_NAME_REQUIRED',
    'USER_LAST_NAME_REQUIRED',
    'USER_LOGIN_NAME_REQUIRED',
    'USER_INVALID_EMAIL',
    'INSTITUTE_NOT_FOUND',
    'USER_DOMAIN_NOT_FOUND',
  ])
  assert.deepEqual(codes(await create({ loginName: 'ADA', emailAddress: 'ADA@uni.example' })), [
    'USER_DUP_LOGIN_NAME',
    'USER_DUP_EMAIL',
  ])
  assert.deepEqual(codes(await create({ loginName: '$system' })), ['USER_SYS_LOGIN_NAME', 'USER_DUP_EMAIL'])
})

test('a login name is unique within a domain only, an e-mail address everywhere', async () => {
  const { create } = await world()
  await create()
  assert.equal((await create({ domainName: 'example-ldap', emailAddress: 'other@uni.example' })).status, 200)
  assert.deepEqual(codes(await create({ domainName: 'example-oidc' })), ['USER_DUP_EMAIL'])
})

test('on Oracle letter case makes a difference', async () => {
  const { create } = await world({ knobs: { database: 'oracle' } })
  await create()
  assert.equal((await create({ loginName: 'ADA', emailAddress: 'ADA@uni.example' })).status, 200)
})

test('a site must exist and belong to the institute', async () => {
  const { create } = await world()
  assert.deepEqual(codes(await create({ primarySite: 'Nowhere' })), ['SITE_NOT_FOUND'])
  assert.deepEqual(codes(await create({ primarySite: 'Main Biobank' })), ['SITE_INVALID_SITE_INSTITUTE'])
  const fitting = await create({ primarySite: 'Main Biobank', instituteName: 'Example Hospital' })
  assert.equal(fitting.json.primarySite, 'Main Biobank')
})

test('an API user needs an address range', async () => {
  const { create } = await world()
  assert.deepEqual(codes(await create({ apiUser: true })), ['USER_IP_REQ'])
  assert.deepEqual(codes(await create({ apiUser: true, ipRange: '999.0.0.1' })), ['USER_INVALID_IP'])
  assert.equal((await create({ apiUser: true, ipRange: '10.0.0.0/8' })).status, 200)
})

test('an unknown member is ignored, or refused where the server is strict', async () => {
  const { create, logic } = await world()
  assert.equal((await create({ deptName: 'Immunology' })).status, 200)
  logic.knobs.unknownMembers = 400
  assert.deepEqual(codes(await create({ deptName: 'Immunology' })), ['INVALID_REQUEST'])
})

test('a value longer than the column is a server error, and nobody is created', async () => {
  const { create, logic } = await world()
  const before = logic.users.size
  const answer = await create({ firstName: 'x'.repeat(256) })
  assert.deepEqual([answer.status, codes(answer), logic.users.size], [500, ['internal_error'], before])
  assert.equal((await create({ firstName: 'x'.repeat(255) })).status, 200)
})

test('PATCH changes what is present, blank clears, and the rest stays', async () => {
  const { create, call } = await world()
  const { json } = await create({ phoneNumber: '+1', address: 'Street', manageForms: true })
  const patched = await call('PATCH', `/users/${json.id}`, { phoneNumber: '', lastName: 'King' })
  assert.deepEqual(
    [patched.json.phoneNumber, patched.json.address, patched.json.lastName, patched.json.manageForms],
    [undefined, 'Street', 'King', true],
  )
  assert.deepEqual(codes(await call('PATCH', `/users/${json.id}`, { firstName: ' ' })), ['USER_FIRST_NAME_REQUIRED'])
})

test('a null for a boolean breaks the server, and nothing is changed', async () => {
  const { create, call, logic, simulator } = await world()
  const { json } = await create()
  assert.equal((await call('PATCH', `/users/${json.id}`, { dnd: null, lastName: 'King' })).status, 500)
  // Wrong by the contract, on purpose.
  simulator.forgetCalls()
  assert.equal(logic.users.get(json.id)?.lastName, 'Lovelace')
})

test('a change of letter case alone is refused as a duplicate of oneself', async () => {
  const { create, call } = await world()
  const { json } = await create()
  assert.deepEqual(codes(await call('PATCH', `/users/${json.id}`, { loginName: 'ADA' })), ['USER_DUP_LOGIN_NAME'])
  assert.deepEqual(codes(await call('PATCH', `/users/${json.id}`, { emailAddress: 'Ada@uni.example' })), [
    'USER_DUP_EMAIL',
  ])
  assert.equal(
    (await call('PATCH', `/users/${json.id}`, { loginName: 'ada', emailAddress: 'ada@uni.example' })).status,
    200,
  )
})

test('a change of the domain alone is not checked and makes twins', async () => {
  const { create, call, logic } = await world()
  await create()
  const { json } = await create({ domainName: 'example-ldap', emailAddress: 'b@uni.example' })
  assert.equal((await call('PATCH', `/users/${json.id}`, { domainName: 'example-saml' })).status, 200)
  assert.equal(logic.usersByLogin('ada', 'example-saml').length, 2)
})

test('one cannot change the own e-mail address', async () => {
  const { call, logic } = await world()
  const answer = await call('PATCH', `/users/${logic.serviceUser.id}`, { emailAddress: 'new@uni.example' })
  assert.deepEqual(codes(answer), ['USER_EMAIL_SELF_UPDATE_NA'])
})

test('PUT reactivates, demotes and clears what is absent', async () => {
  const { create, call } = await world()
  const { json } = await create({ type: 'INSTITUTE', phoneNumber: '+1', manageForms: true })
  await call('PUT', `/users/${json.id}/activity-status`, { activityStatus: 'Closed' })
  const { type, activityStatus, ...rest } = ada
  const put = await call('PUT', `/users/${json.id}`, rest)
  assert.deepEqual([put.json.type, put.json.activityStatus], ['NONE', 'Active'])
  assert.deepEqual([put.json.phoneNumber, put.json.manageForms], [undefined, false])
})

test('another institute needs a fitting site, drops its roles, and spoils the groups left behind', async () => {
  const { create, call, logic } = await world()
  const { json } = await create({ instituteName: 'Example Hospital', primarySite: 'Main Biobank' })
  logic.addRole(json.id, { role: 'Technician', site: 'Main Biobank' })
  logic.addRole(json.id, { role: 'Coordinator' })
  const group = logic.addGroup({ name: 'Readers', institute: 'Example Hospital', users: [json.id] })
  const moved = { instituteName: 'Example University' }
  assert.deepEqual(codes(await call('PATCH', `/users/${json.id}`, moved)), ['SITE_INVALID_SITE_INSTITUTE'])
  assert.equal((await call('PATCH', `/users/${json.id}`, { ...moved, primarySite: '' })).status, 200)
  assert.deepEqual(
    logic.users.get(json.id)?.roles.map((role) => role.role),
    ['Coordinator'],
  )
  const renamed = await call('PUT', `/user-groups/${group.id}`, { description: 'New' })
  assert.deepEqual(codes(renamed), ['USER_GROUP_USER_NOT_OF_INST'])
})

test('closing sends no mail, ends tokens at once, and can be undone', async () => {
  const { create, call, logic, signIn } = await world()
  const user = logic.addUser({ loginName: 'eve', password: 'right' })
  const { json } = await signIn('eve', 'right')
  const mails = logic.mails.length
  const closed = await call('PUT', `/users/${user.id}/activity-status`, { activityStatus: 'Archived' })
  assert.equal(closed.json.activityStatus, 'Closed')
  assert.equal((await call('GET', '/users', undefined, json.token)).status, 401)
  assert.equal((await signIn('eve', 'right')).status, 400)
  const open = await call('PUT', `/users/${user.id}/activity-status`, { activityStatus: 'Active' })
  assert.equal(open.json.activityStatus, 'Active')
  assert.equal(logic.mails.length, mails)
  assert.equal((await create({ activityStatus: 'Closed' })).json.activityStatus, 'Closed')
})

test('a lock keeps tokens alive, and from anywhere but Active it is silently not made', async () => {
  const { call, logic, signIn } = await world()
  const user = logic.addUser({ loginName: 'eve', password: 'right' })
  const { json } = await signIn('eve', 'right')
  await call('PUT', `/users/${user.id}/activity-status`, { activityStatus: 'Locked' })
  assert.equal((await call('GET', '/users', undefined, json.token)).status, 200)
  await call('PUT', `/users/${user.id}/activity-status`, { activityStatus: 'Closed' })
  const ignored = await call('PUT', `/users/${user.id}/activity-status`, { activityStatus: 'Locked' })
  assert.deepEqual([ignored.status, ignored.json.activityStatus], [200, 'Closed'])
})

test('no other status can be set', async () => {
  const { create, call } = await world()
  const { json } = await create()
  for (const activityStatus of ['Expired', 'Pending', 'active', '']) {
    const answer = await call('PUT', `/users/${json.id}/activity-status`, { activityStatus })
    assert.deepEqual(codes(answer), ['USER_STATUS_CHANGE_NOT_ALLOWED'])
  }
})

test('a deleted user is renamed and never seen again, and the name is free', async () => {
  const { create, call } = await world()
  const { json } = await create()
  const deleted = await call('DELETE', `/users/${json.id}`)
  assert.match(deleted.json.loginName, /^ada_\d{13}$/)
  assert.match(deleted.json.emailAddress, /^ada@uni\.example_\d{13}$/)
  assert.equal(deleted.json.activityStatus, 'Disabled')
  assert.deepEqual(codes(await call('GET', `/users/${json.id}`)), ['USER_NOT_FOUND'])
  const rows = await call('GET', '/users?activityStatus=all&loginName=ada')
  assert.deepEqual(rows.json, [])
  assert.equal((await create()).status, 200)
})

test('a user that something refers to cannot be deleted, but can be closed', async () => {
  const { create, call, logic } = await world()
  const { json } = await create()
  logic.setDependents(json.id, 'specimen', 3)
  assert.deepEqual((await call('GET', `/users/${json.id}/dependent-entities`)).json, [{ name: 'specimen', count: 3 }])
  assert.deepEqual(codes(await call('DELETE', `/users/${json.id}`)), ['USER_REF_ENTITY_FOUND'])
  assert.deepEqual(codes(await call('DELETE', `/users?id=${json.id}`)), ['USER_REF_ENTITY_FOUND'])
  const closed = await call('PUT', `/users/${json.id}/activity-status`, { activityStatus: 'Closed' })
  assert.equal(closed.json.activityStatus, 'Closed')
})

test('unknown and unreadable ids are 400 with a code, never 404', async () => {
  const { call } = await world()
  assert.deepEqual(codes(await call('GET', '/users/999999')), ['USER_NOT_FOUND'])
  assert.deepEqual(codes(await call('GET', '/users/ada')), ['INVALID_REQUEST'])
  assert.deepEqual(codes(await call('POST', '/users', '{')), ['INVALID_REQUEST'])
})

test('messages are escaped for HTML', async () => {
  const { logic, create } = await world({ knobs: { unknownMembers: 400 } })
  const answer = await create({ '<b>': 1 })
  assert.match(answer.json[0].message, /&lt;b&gt;/)
  assert.equal(logic.usersByLogin('ada', 'example-saml').length, 0)
})

test('the list hides closed users unless told, and its rows say domain', async () => {
  const { create, call } = await world()
  await create({ activityStatus: 'Closed' })
  assert.deepEqual((await call('GET', '/users?loginName=ada')).json, [])
  const { json } = await call('GET', '/users?loginName=ada&activityStatus=ALL')
  assert.deepEqual([json[0].domain, json[0].activityStatus, 'domainName' in json[0]], ['example-saml', 'Closed', false])
  assert.equal((await call('GET', '/users/count?loginName=ada&activityStatus=all')).json.count, 1)
})

test('the search by login name is a substring search with live wildcards', async () => {
  const { logic, call } = await world()
  for (const loginName of ['a_b', 'axb', 'AXB.long', '50%', 'x'] as const) {
    logic.addUser({ loginName, domainName: 'example-saml', emailAddress: `${loginName}@uni.example` })
  }
  const find = async (text: string) => {
    const { json } = await call('GET', `/users?domainName=example-saml&loginName=${encodeURIComponent(text)}`)
    return json.map((row: { loginName: string }) => row.loginName).sort()
  }
  assert.deepEqual(await find('a_b'), ['AXB.long', 'a_b', 'axb'])
  assert.deepEqual(await find('a\\_b'), ['a_b'])
  assert.deepEqual(await find('%'), ['50%', 'AXB.long', 'a_b', 'axb', 'x'])
  assert.deepEqual(await find('XB'), ['AXB.long', 'axb'])
  assert.deepEqual(await find('a%g'), ['AXB.long'])
})

test('searchString switches the other names off, and there is no filter by e-mail', async () => {
  const { create, call } = await world()
  await create()
  const rows = async (query: string) => (await call('GET', `/users?type=NONE&${query}`)).json.length
  assert.equal(await rows('searchString=love&loginName=nobody'), 1)
  assert.equal(await rows('searchString=nobody'), 0)
  assert.equal(await rows('emailAddress=nobody@uni.example'), 1)
})

test('users page by start, and rows of equal names change places between two calls', async () => {
  const { logic, call } = await world()
  for (let number = 0; number < 30; number += 1) {
    logic.addUser({
      firstName: 'Same',
      lastName: 'Name',
      loginName: `u${number}`,
      emailAddress: `u${number}@uni.example`,
    })
  }
  const ids = async (query: string): Promise<number[]> =>
    (await call('GET', `/users?name=same&${query}`)).json.map((row: { id: number }) => row.id)
  const [once, again] = [await ids('maxResults=30'), await ids('maxResults=30')]
  assert.notDeepEqual(once, again)
  assert.deepEqual(once.sort(), again.sort())
  logic.knobs.equalNames = 'by id'
  assert.deepEqual([...(await ids('maxResults=20')), ...(await ids('start=20&maxResults=20'))].length, 30)
  assert.deepEqual(await ids('start=30'), [])
})

test('an institute administrator works in the own institute only, whatever institute is sent', async () => {
  const { logic, signIn, call } = await world()
  logic.addUser({ loginName: 'local', password: 'p', type: 'INSTITUTE', instituteName: 'Example Hospital' })
  const token = (await signIn('local', 'p')).json.token
  const made = await call('POST', '/users', ada, token)
  assert.equal(made.json.instituteName, 'Example Hospital')
  assert.deepEqual(codes(await call('POST', '/users', { ...ada, type: 'SUPER' }, token)), [
    'RBAC_ADMIN_RIGHTS_REQUIRED',
  ])
  const foreign = logic.addUser({ loginName: 'far', emailAddress: 'far@uni.example' })
  const closing = await call('PUT', `/users/${foreign.id}/activity-status`, { activityStatus: 'Closed' }, token)
  assert.deepEqual(codes(closing), ['RBAC_ACCESS_DENIED'])
  const status = `/users/${logic.serviceUser.id}/activity-status`
  assert.deepEqual(codes(await call('PUT', status, { activityStatus: 'Closed' }, token)), [
    'RBAC_ADMIN_RIGHTS_REQUIRED',
  ])
})

test('somebody without rights can read but not write', async () => {
  const { logic, signIn, call } = await world()
  logic.addUser({ loginName: 'plain', password: 'p' })
  const token = (await signIn('plain', 'p')).json.token
  assert.equal((await call('GET', `/users/${logic.serviceUser.id}`, undefined, token)).status, 200)
  assert.deepEqual(codes(await call('POST', '/users', ada, token)), ['RBAC_ACCESS_DENIED'])
})

test('a role is assigned at a site, and twice makes two rows unless the server is kinder', async () => {
  const { create, call, logic } = await world()
  const { json } = await create({ instituteName: 'Example Hospital' })
  const path = `/rbac/subjects/${json.id}/roles`
  const grant = { role: { name: 'Technician' }, site: { name: 'Main Biobank' } }
  const first = await call('POST', path, grant)
  assert.deepEqual(
    [first.json.role.name, first.json.site.name, first.json.collectionProtocol],
    ['Technician', 'Main Biobank', null],
  )
  await call('POST', path, grant)
  assert.equal((await call('GET', path)).json.length, 2)
  logic.knobs.sameRoleTwice = 'one row'
  await call('POST', path, grant)
  assert.equal((await call('GET', path)).json.length, 2)
  await call('DELETE', `${path}/${first.json.id}`)
  assert.equal((await call('GET', path)).json.length, 1)
})

test('a role that cannot be is refused', async () => {
  const { create, call } = await world()
  const { json } = await create()
  const assign = async (grant: object, id = json.id) => codes(await call('POST', `/rbac/subjects/${id}/roles`, grant))
  const role = { name: 'Technician' }
  assert.deepEqual(await assign({ role: {} }), ['RBAC_ROLE_NAME_REQUIRED'])
  assert.deepEqual(await assign({ role: { name: 'King' } }), ['RBAC_ROLE_NOT_FOUND'])
  assert.deepEqual(await assign({ role, site: { name: 'Main Biobank' } }), ['RBAC_INV_SITE_USER'])
  assert.deepEqual(await assign({ role, collectionProtocol: { shortTitle: 'CRC' } }), ['RBAC_INV_CP_USER'])
  const place = { site: { name: 'University Biobank' }, collectionProtocol: { shortTitle: 'CRC' } }
  assert.deepEqual(await assign({ role, ...place }), ['RBAC_INV_CP_SITE'])
  assert.deepEqual(await assign({ role }, 999_999), ['RBAC_SUBJECT_NOT_FOUND'])
})

test('an institute administrator carries the system role', async () => {
  const { create, call } = await world()
  const { json } = await create({ type: 'INSTITUTE' })
  const { json: roles } = await call('GET', `/rbac/subjects/${json.id}/roles`)
  assert.deepEqual([roles.length, roles[0].role.name, roles[0].systemRole], [1, 'Administrator', true])
})

test('a user group needs name, description and institute, and a name that no institute has', async () => {
  const { call, logic } = await world()
  const bad = await call('POST', '/user-groups', {})
  assert.deepEqual(codes(bad), ['USER_GROUP_NAME_REQUIRED', 'USER_GROUP_DESC_REQUIRED', 'USER_GROUP_INST_REQUIRED'])
  logic.addGroup({ name: 'Readers', institute: 'Example Hospital' })
  const twin = { name: 'readers', description: 'd', institute: 'Example University' }
  assert.deepEqual(codes(await call('POST', '/user-groups', twin)), ['USER_GROUP_DUP_NAME'])
  assert.equal((await call('POST', '/user-groups', { ...twin, name: 'Writers' })).status, 200)
  const found = await call('GET', '/user-groups?query=writ&listAll=true')
  assert.equal(found.json[0].name, 'Writers')
})

test('members are added and removed as a set, from the same institute, all or none', async () => {
  const { create, call, logic } = await world()
  const near = (await create()).json.id
  const far = logic.addUser({ loginName: 'far', instituteName: 'Example Hospital', emailAddress: 'far@uni.example' }).id
  const group = logic.addGroup({ name: 'Readers', institute: 'Example University' })
  const change = (op: string, users: object[]) => call('PUT', `/user-groups/${group.id}/users?op=${op}`, users)
  assert.deepEqual(codes(await change('ADD', [{ id: near }, { id: far }])), ['USER_GROUP_USER_NOT_OF_INST'])
  assert.deepEqual(codes(await change('ADD', [{ id: near }, { id: 999_999 }])), ['USER_ONE_OR_MORE_NOT_FOUND'])
  assert.equal(group.users.size, 0)
  await change('ADD', [{ emailAddress: 'ada@uni.example' }])
  assert.ok(!('users' in (await change('ADD', [{ id: near }])).json))
  const shown = await call('GET', `/user-groups/${group.id}?includeUsers=true`)
  assert.deepEqual(
    shown.json.users.map((user: { id: number }) => user.id),
    [near],
  )
  await change('REMOVE', [{ id: near }])
  await change('REMOVE', [{ id: near }])
  assert.equal(group.users.size, 0)
})

test('PUT of a group keeps what is absent and empties the membership for an empty list', async () => {
  const { create, call, logic } = await world()
  const { json } = await create()
  const group = logic.addGroup({ name: 'Readers', institute: 'Example University', users: [json.id] })
  await call('PUT', `/user-groups/${group.id}`, { name: 'Writers' })
  assert.deepEqual([group.name, group.description, group.users.size], ['Writers', 'Readers', 1])
  await call('PUT', `/user-groups/${group.id}`, { users: [] })
  assert.equal(group.users.size, 0)
})

test('a deleted group gives its name back', async () => {
  const { call, logic } = await world()
  const group = logic.addGroup({ name: 'Readers', institute: 'Example University' })
  const deleted = await call('DELETE', `/user-groups/${group.id}`)
  assert.match(deleted.json.name, /^Readers_\d{13}$/)
  assert.deepEqual(codes(await call('GET', `/user-groups/${group.id}`)), ['USER_GROUP_NOT_FOUND'])
  const again = { name: 'Readers', description: 'd', institute: 'Example University' }
  assert.equal((await call('POST', '/user-groups', again)).status, 200)
})

test('what the shipped mapping names is there', async () => {
  const { call } = await world()
  const names = async (path: string) => (await call('GET', path)).json.map((row: { name: string }) => row.name)
  assert.deepEqual(await names('/institutes?name=example%20university&exactMatch=true'), ['Example University'])
  assert.deepEqual(await names('/institutes'), ['Example Hospital', 'Example University'])
  assert.deepEqual(await names('/sites?name=Main%20Biobank&exactMatch=true'), ['Main Biobank'])
  assert.ok((await names('/auth-domains?maxResults=1000')).includes('example-saml'))
  const roles = await names('/rbac/roles')
  assert.ok(roles.includes('Coordinator') && roles.includes('Technician'))
})

test('a create whose connection is cut afterwards is done, and before it is not', async () => {
  const { create, simulator, logic } = await world()
  simulator.fault({ mode: 'reset-before', times: 1 })
  await assert.rejects(create())
  assert.equal(logic.usersByLogin('ada', 'example-saml').length, 0)
  simulator.fault({ mode: 'reset-after', times: 1 })
  await assert.rejects(create())
  assert.equal(logic.usersByLogin('ada', 'example-saml').length, 1)
  simulator.fault({ mode: 'lost' })
  assert.equal((await signInAt(simulator.baseUrl, logic.credentials)).status, 200)
})

function signInAt(baseUrl: string, credentials: { user: string; password: string; domain: string }) {
  return fetch(`${baseUrl}/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      loginName: credentials.user,
      password: credentials.password,
      domainName: credentials.domain,
    }),
  })
}
