import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordedCall } from '../../src/sandbox/simulator.ts'
import { validateTraffic } from './openapi.ts'
import { type As, ada, selfcommunityWorld } from './selfcommunity-world.ts'

const contract = 'selfcommunity.openapi.yaml'

function aCall(change: Partial<RecordedCall> = {}): RecordedCall {
  return {
    method: 'GET',
    path: '/api/v2/user/7/',
    requestBody: '',
    requestHeaders: {},
    status: 200,
    responseHeaders: { 'content-type': 'application/json' },
    responseBody: JSON.stringify({ id: 7, username: 'ada' }),
    ...change,
  }
}

const aSignup = (body: object, change: Partial<RecordedCall> = {}): RecordedCall =>
  aCall({
    method: 'POST',
    path: '/api/v2/sso/signup/',
    requestHeaders: { 'content-type': 'application/json; charset=utf-8' },
    requestBody: JSON.stringify(body),
    status: 201,
    responseBody: JSON.stringify({ id: 7, ext_id: null, username: 'ada' }),
    ...change,
  })

test('a right call has no problems, whatever its query and the charset of its body', () => {
  const calls = [aCall({ path: '/api/v2/user/7/?x=%E4' }), aSignup({ username: 'ada' })]
  assert.deepEqual(validateTraffic(calls, contract), [])
})

test('a planted wrong answer is named by call, status and place, once for all rows and calls', () => {
  const wrong = aCall({ responseBody: JSON.stringify({ id: '7', username: 'ada', gender: 'x' }) })
  assert.deepEqual(validateTraffic([wrong, wrong], contract), [
    'GET /api/v2/user/{id}/ 200 response: /id must be integer',
    'GET /api/v2/user/{id}/ 200 response: /gender must be equal to one of the allowed values (Male, Female, Unspecified, )',
  ])
  const rows = [{ id: 1 }, { id: 2 }]
  const page = aCall({
    path: '/api/v2/user/',
    responseBody: JSON.stringify({ count: 2, next: null, previous: null, results: rows }),
  })
  assert.deepEqual(validateTraffic([page], contract), [
    "GET /api/v2/user/ 200 response: /results/* must have required property 'username'",
  ])
})

test('a shape behind a reference to a shared response is checked too', () => {
  const refused = aCall({ status: 404, responseBody: JSON.stringify({ detail: 'Not found.' }) })
  assert.deepEqual(validateTraffic([refused], contract), [
    "GET /api/v2/user/{id}/ 404 response: must have required property 'errors'",
  ])
})

test('an undocumented status, another media type and a body that is no JSON are problems', () => {
  const calls = [
    aCall({ status: 409 }),
    aCall({ responseHeaders: { 'content-type': 'text/html; charset=utf-8' }, responseBody: '<html>' }),
    aCall({ responseBody: '{' }),
  ]
  assert.deepEqual(validateTraffic(calls, contract), [
    'GET /api/v2/user/{id}/ 409: the status is not documented',
    'GET /api/v2/user/{id}/ 200 response: text/html is not documented',
    'GET /api/v2/user/{id}/ 200 response: the body is no JSON',
  ])
})

test('a path, a method or a base path that the contract does not know is a problem', () => {
  const calls = [
    aCall({ path: '/api/v2/user/7' }),
    aCall({ path: '/api/v2/users/7/' }),
    aCall({ path: '/api/v2/tag/7/', method: 'DELETE', status: 204 }),
    // Not the user whose id is `me`.
    aCall({ path: '/api/v2/user/me/', method: 'PATCH' }),
  ]
  assert.deepEqual(validateTraffic(calls, contract), [
    'GET /api/v2/user/7 is not in the contract',
    'GET /api/v2/users/7/ is not in the contract',
    'DELETE /api/v2/tag/{id}/ is not in the contract',
    'PATCH /api/v2/user/me/ is not in the contract',
  ])
  assert.deepEqual(validateTraffic([aCall({ path: '/account' })], 'figshare.openapi.yaml'), [
    'GET /account is not in the contract',
  ])
})

test('a request is judged by its body and media type, unless the platform itself refused it', () => {
  const bad = { username: 'ada@uni.example' }
  const refusal = { status: 400, responseBody: JSON.stringify({ errors: [{ message: 'x', code: 'invalid' }] }) }
  assert.deepEqual(validateTraffic([aSignup(bad, refusal)], contract), [])
  const calls = [
    aSignup(bad),
    aSignup(bad, { status: 0 }),
    aSignup({ username: 'ada' }, { requestHeaders: { 'content-type': 'text/plain' } }),
    aSignup({}, { requestBody: '' }),
    aCall({ requestBody: '{}', requestHeaders: { 'content-type': 'application/json' } }),
  ]
  assert.deepEqual(validateTraffic(calls, contract), [
    'POST /api/v2/sso/signup/ request: /username must match pattern "^[A-Za-z0-9_-]+$"',
    'POST /api/v2/sso/signup/ request: text/plain is not documented',
    'POST /api/v2/sso/signup/ request: a body is required',
    'GET /api/v2/user/{id}/ request: no body is documented',
  ])
})

test('every published contract can be loaded', () => {
  const files = ['figshare', 'ethosce', 'openspecimen', 'selfcommunity', 'dspace'].map((name) => `${name}.openapi.yaml`)
  for (const file of files) {
    assert.deepEqual(validateTraffic([aCall({ path: '/nowhere' })], file), ['GET /nowhere is not in the contract'])
  }
})

test('what the imitation of SelfCommunity answers is what its contract promises', async () => {
  const { call, community, simulator } = await selfcommunityWorld()
  const id = 2
  const tour: [method: string, path: string, body?: unknown, as?: As][] = [
    ['POST', '/sso/signup/', { ...ada, role: 'editor', password: 'Long enough 1' }],
    ['POST', '/sso/signup/', ada],
    ['POST', '/sso/signup/', { username: 'nobody' }],
    ['POST', '/sso/signup/', ada, id],
    ['POST', '/sso/signin/', undefined, id],
    ['GET', '/account/search/?ext_id=sso-ada&provider=external'],
    ['GET', '/account/search/?username=none'],
    ['GET', '/account/search/'],
    ['GET', '/account/search/?username=ada', undefined, null],
    ['GET', '/user/'],
    ['GET', '/user/search/?user=ada'],
    ['GET', '/user/autocomplete/'],
    ['GET', '/user/me/'],
    ['GET', `/user/${id}/`, undefined, null],
    ['GET', '/user/999/'],
    ['PATCH', `/user/${id}/`, { real_name: 'Ada King', company_role: 'x' }, id],
    ['PATCH', `/user/${id}/`, { gender: 'x' }, id],
    ['PATCH', `/user/${id}/`, { bio: 'x' }],
    ['PUT', `/user/${id}/`, { username: 'ada' }, id],
    ['PATCH', `/user/${id}/change_email/`, { new_email: 'king@uni.example', confirm: 0 }, id],
    ['PATCH', `/user/${id}/change_email/`, { new_email: 'king@uni.example' }, id],
    ['PATCH', `/user/${id}/change_email/`, { new_email: 'ada@uni.example', confirm: 1 }, id],
    ['POST', `/user/${id}/confirm_email/`, { new_email: 'ada@uni.example', validation_code: 'x' }, null],
    ['PATCH', `/user/${id}/change_password/`, { password: 'Long enough 1', new_password: 'Long enough 2' }, id],
    ['POST', `/user/${id}/provider/`, { provider: 'azure-ad', ext_id: 'oid' }],
    ['GET', `/user/${id}/provider/`],
    ['DELETE', `/user/${id}/provider/`, { provider: 'azure-ad', ext_id: 'oid' }],
    ['POST', '/tag/', { name: 'Staff', type: 'user', color: '#00ff00' }],
    ['POST', '/tag/', { name: 'Staff', type: 'user' }],
    ['POST', '/tag/1/add/', { user: id }],
    ['POST', '/tag/1/add/', {}],
    ['POST', '/tag/1/assign/', { user: id }],
    ['POST', '/tag/1/add/', { user: id }],
    ['GET', `/user/${id}/`],
    ['GET', `/user/${id}/tags/`],
    ['GET', '/tag/user/?tag_id=1'],
    ['POST', '/tag/1/remove/', { user: id }],
    ['PATCH', '/tag/1/', { active: false, deleted: true }],
    ['GET', '/tag/1/'],
    ['GET', '/tag/?type=user&limit=1'],
    ['GET', '/tag/search/?search=st'],
    ['POST', '/group/', { name: 'Readers', privacy: 'public' }],
    ['POST', '/group/1/subscribe/', { users: [id] }],
    ['GET', '/group/1/subscribe/'],
    ['GET', `/user/${id}/groups/`],
    ['GET', '/group/'],
    ['GET', '/group/search/'],
    ['GET', '/group/1/'],
    ['PATCH', '/group/1/', { name: 'Writers' }, id],
    ['DELETE', `/group/1/subscribe/?user=${id}`],
    ['DELETE', '/group/1/'],
    ['PATCH', `/moderation/user/${id}/`, { status: 'b', days_blocked: '3' }],
    ['GET', '/moderation/user/?limit=1'],
    ['PATCH', `/user/${id}/`, { bio: 'x' }, id],
    ['PATCH', `/moderation/user/${id}/`, { status: 'a' }],
    ['DELETE', `/user/${id}/`],
    ['DELETE', `/user/${id}/`],
    ['GET', `/user/${id}/`],
    ['DELETE', `/user/${id}/?hard=1`],
    ['GET', '/moderation/user/'],
    ['POST', '/jwt/verify_token/', { token: community.tokenFor(1) }, null],
    ['POST', '/jwt/verify_token/', { token: 'x' }, null],
  ]
  for (const [method, path, body, as] of tour) await call(method, path, body, as)
  assert.equal(simulator.calls.length, tour.length)
  assert.ok(simulator.calls.every(({ status }) => status < 405))
  assert.deepEqual(validateTraffic(simulator.calls, contract), [])
})
