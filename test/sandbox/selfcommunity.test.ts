import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { ada, problemsOf, type Said, selfcommunityWorld } from './selfcommunity-world.ts'

const find = '/account/search/?ext_id=sso-ada&provider=external'
const ids = (said: Said): number[] => said.json.results.map((row: { id: number }) => row.id)
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

test('a path without its last slash is no path of the platform, or leads to the one with it', async () => {
  const { call, community } = await selfcommunityWorld()
  const missing = await call('GET', '/user/me')
  assert.equal(missing.status, 404)
  assert.equal(missing.json, undefined)
  community.knobs.missingSlash = 301
  const moved = await call('GET', '/user?limit=1')
  assert.equal(moved.status, 301)
  assert.equal(moved.headers.get('location'), '/api/v2/user/?limit=1')
  assert.equal((await call('GET', '/nowhere/')).status, 404)
  assert.equal((await call('DELETE', '/user/me/')).status, 405)
})

test('a token made with jose for the administrator works; every other signature, time, type and person is 401', async () => {
  let at = 1_800_000_000_000
  const { call, community } = await selfcommunityWorld({
    credentials: { jwtSecret: 'a community secret that is long enough', userId: 1 },
    now: () => at,
  })
  const { jwtSecret } = community.credentials
  const seconds = at / 1000
  const claims = { user_id: 1, token_type: 'access', jti: 'x', iat: seconds, exp: seconds + 60 }
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(jwtSecret))
  assert.equal((await call('GET', '/user/me/', undefined, token)).json.role, 'admin')

  const unsigned = `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`
  const otherAlgorithm = `${part({ alg: 'HS512', typ: 'JWT' })}.${part(claims)}`
  const hs512 = createHmac('sha512', jwtSecret).update(otherAlgorithm).digest('base64url')
  const labelled = createHmac('sha256', jwtSecret).update(otherAlgorithm).digest('base64url')
  const refused = [
    null,
    'rubbish',
    unsigned,
    `${otherAlgorithm}.${hs512}`,
    `${otherAlgorithm}.${labelled}`,
    `${token.slice(0, -2)}AA`,
    community.tokenFor(1, { exp: seconds - 60 }),
    community.tokenFor(1, { exp: undefined }),
    community.tokenFor(1, { iat: seconds + 60 }),
    community.tokenFor(1, { iat: undefined }),
    // Milliseconds, as the sample of the documentation has them.
    community.tokenFor(1, { iat: at, exp: at + 60_000 }),
    community.tokenFor(1, { token_type: 'refresh' }),
    community.tokenFor(1, { user_id: '1' }),
    community.tokenFor(999),
  ]
  for (const [index, bad] of refused.entries()) {
    const said = await call('GET', '/user/me/', undefined, bad)
    assert.equal(said.status, 401, `token ${index}`)
    assert.deepEqual(problemsOf(said), ['not_authenticated'])
  }
  at += 64_000
  assert.equal((await call('GET', '/user/me/', undefined, token)).status, 200, 'within the skew')
  at += 2_000
  assert.equal((await call('GET', '/user/me/', undefined, token)).status, 401, 'beyond it')
  community.knobs.clockSkewSeconds = 60
  assert.equal((await call('GET', '/user/me/', undefined, token)).status, 200)
})

test('a changed secret ends every token made with the old one', async () => {
  const { call, community } = await selfcommunityWorld()
  const before = community.tokenFor(1)
  community.changeSecret('another')
  assert.equal((await call('GET', '/user/me/', undefined, before)).status, 401)
  assert.equal((await call('GET', '/user/me/')).status, 200)
})

test('verify_token checks the signature alone', async () => {
  const { call, community } = await selfcommunityWorld()
  const verify = async (token: string) => (await call('POST', '/jwt/verify_token/', { token }, null)).status
  assert.equal(await verify(community.tokenFor(999, { token_type: 'refresh', exp: 1 })), 200)
  assert.equal(await verify(`${community.tokenFor(1)}x`), 401)
})

test('each call is for its own circle: administrators, moderators, the person, nobody in particular', async () => {
  const { call, community } = await selfcommunityWorld()
  const person = community.addUser({ username: 'ada', ext_id: 'sso-ada' }).id
  const moderator = community.addUser({ username: 'mod', role: 'moderator' }).id
  const editor = community.addUser({ username: 'ed', role: 'editor' }).id
  const status = async (method: string, path: string, as: number | null, body?: unknown) =>
    (await call(method, path, body, as)).status
  for (const as of [person, moderator, editor]) {
    assert.equal(await status('GET', find, as), 403)
    assert.equal(await status('POST', '/sso/signup/', as, { username: 'new' }), 403)
    assert.equal(await status('POST', '/tag/', as, { name: 'x', type: 'user' }), 403)
    assert.equal(await status('DELETE', `/user/${person}/`, as), 403)
  }
  const block = { status: 'b' }
  assert.equal(await status('PATCH', `/moderation/user/${editor}/`, person, block), 403)
  assert.equal(await status('PATCH', `/moderation/user/${editor}/`, moderator, block), 204)
  assert.equal(await status('GET', '/moderation/user/', editor), 403)
  assert.equal(await status('GET', '/moderation/user/', 1), 200)
  community.knobs.adminModerates = false
  assert.equal(await status('GET', '/moderation/user/', 1), 403)
  // Not even the administrator changes another person's profile.
  assert.equal(await status('PATCH', `/user/${person}/`, 1, { bio: 'x' }), 403)
  assert.equal(await status('PATCH', `/user/${person}/change_email/`, 1, { new_email: 'x@uni.example' }), 403)
  assert.equal(await status('PATCH', `/user/${person}/`, person, { bio: 'x' }), 200)
  assert.equal(await status('GET', `/user/${person}/`, null), 200)
  assert.equal(await status('GET', '/user/', null), 200)
  for (const path of [find, '/user/me/', '/moderation/user/', '/tag/', '/group/']) {
    assert.equal(await status('GET', path, null), 401, path)
  }
})

test('account/search takes exactly one name of one account, and ext_id only with its provider', async () => {
  const { call, signup } = await selfcommunityWorld()
  const { id } = (await signup()).json
  for (const query of ['ext_id=sso-ada&provider=external', 'email=ADA%40uni.example', 'username=ada']) {
    const said = await call('GET', `/account/search/?${query}`)
    assert.equal(said.json.id, id, query)
    assert.equal(said.json.status, 'a')
    assert.equal(said.json.email_isvalid, true)
  }
  const wrong = [
    '',
    'ext_id=sso-ada',
    'provider=external',
    'email=',
    'username=ada&email=ada%40uni.example',
    'username=ada&ext_id=sso-ada&provider=external',
    'username=ada&provider=external',
  ]
  for (const query of wrong) assert.equal((await call('GET', `/account/search/?${query}`)).status, 400, query)
  for (const query of ['ext_id=sso-ada&provider=azure-ad', 'ext_id=SSO-ADA&provider=external', 'username=Ada']) {
    const said = await call('GET', `/account/search/?${query}`)
    assert.equal(said.status, 404, query)
    assert.deepEqual(problemsOf(said), ['not_found'])
  }
})

test('a signup answers 201 without status, and the account has what was sent', async () => {
  const { call, community } = await selfcommunityWorld()
  const tag = community.addTag({ name: 'Staff' })
  const body = {
    ...ada,
    role: 'editor',
    tags: [tag.id],
    password: 'Long enough 1',
    avatar_base64: 'image/png;base64,aGk=',
  }
  const said = await call('POST', '/sso/signup/', body)
  assert.equal(said.status, 201)
  assert.deepEqual(said.json, {
    id: 2,
    ext_id: 'sso-ada',
    username: 'ada',
    email: 'ada@uni.example',
    role: 'editor',
    tags: [tag.id],
    avatar: 'https://media.community.example/avatar/2/1.png',
  })
  assert.equal((await call('GET', find)).json.real_name, 'Ada Lovelace')
  assert.equal((await call('GET', '/user/me/', undefined, 2)).json.role, 'editor')
})

test('a signup refuses each bad value by its field, all in one answer', async () => {
  const { call, community } = await selfcommunityWorld()
  const tagOfContributions = community.addTag({ name: 'x', type: 'contribution' })
  const cases: [object, string][] = [
    [{ username: undefined }, 'username: required'],
    [{ username: 'ada@uni.example' }, 'username: invalid'],
    [{ username: 'ada.lovelace' }, 'username: invalid'],
    [{ username: '---' }, 'username: invalid'],
    [{ username: '' }, 'username: min_length'],
    [{ username: 'a'.repeat(256) }, 'username: max_length'],
    [{ ext_id: 'e'.repeat(256) }, 'ext_id: max_length'],
    [{ real_name: 'r'.repeat(256) }, 'real_name: max_length'],
    [{ email: 'nobody' }, 'email: invalid'],
    [{ password: 'Short 1' }, 'password: invalid'],
    [{ password: 'only two kinds' }, 'password: invalid'],
    [{ password: `Aa1${'x'.repeat(126)}` }, 'password: invalid'],
    [{ role: 'owner' }, 'role: invalid'],
    [{ tags: [999] }, 'tags: exist'],
    [{ tags: [tagOfContributions.id] }, 'tags: exist'],
    [{ avatar: 'no address' }, 'avatar: invalid'],
  ]
  for (const [change, problem] of cases) {
    const said = await call('POST', '/sso/signup/', { ...ada, ...change })
    assert.equal(said.status, 400, problem)
    assert.deepEqual(problemsOf(said), [problem])
  }
  const many = await call('POST', '/sso/signup/', { username: 'a b', email: 'x' })
  assert.deepEqual(problemsOf(many), ['username: invalid', 'email: invalid'])
  assert.equal((await call('POST', '/sso/signup/', '{"username"')).status, 400)
  assert.equal(community.state.users.size, 1)
  const longest = {
    username: 'a'.repeat(255),
    ext_id: 'e'.repeat(255),
    real_name: 'r'.repeat(255),
    role: null,
    tags: null,
  }
  assert.equal((await call('POST', '/sso/signup/', longest)).status, 201)
})

test('a taken user name, ext_id or e-mail address is 400 in the form that the community chose, never 409', async () => {
  const { call, community, signup } = await selfcommunityWorld()
  await signup()
  const twin = { username: 'other', ext_id: 'other', email: 'other@uni.example' }
  for (const taken of [{ username: 'ada' }, { ext_id: 'sso-ada' }, { email: 'Ada@uni.example' }]) {
    const said = await call('POST', '/sso/signup/', { ...twin, ...taken })
    assert.equal(said.status, 400)
    assert.deepEqual(problemsOf(said), [`${Object.keys(taken)[0]}: unique`])
  }
  const again = async () => signup({ ext_id: 'other', email: 'other@uni.example' })
  community.knobs.duplicateNamesField = false
  assert.deepEqual(problemsOf(await again()), ['unique'])
  community.knobs.duplicateCode = 'none'
  assert.deepEqual((await again()).json, { errors: [{ message: 'This username is already in use.' }] })
  community.knobs.duplicateBody = 'text'
  assert.equal((await again()).json, undefined)
  community.knobs.emailUnique = false
  assert.equal((await call('POST', '/sso/signup/', { ...twin, email: ada.email })).status, 201)
  assert.equal((await call('GET', `/account/search/?email=${encodeURIComponent(ada.email)}`)).json.username, 'ada')
})

test('an ext_id may have to be a number, and a number is taken for its text', async () => {
  const { community, signup } = await selfcommunityWorld()
  community.knobs.extIdIntegerOnly = true
  assert.deepEqual(problemsOf(await signup()), ['ext_id: invalid'])
  assert.equal((await signup({ ext_id: 77 })).json.ext_id, '77')
})

test('a block stops every change by the person and ends after its days; sign-in and reading go on', async () => {
  let at = 1_800_000_000_000
  const { call, community, signup } = await selfcommunityWorld({ now: () => at })
  const { id } = (await signup()).json
  const moderate = async (body: object, query = '') =>
    (await call('PATCH', `/moderation/user/${id}/${query}`, body)).status
  assert.equal(await moderate({ status: 'b' }), 204)
  assert.equal((await call('GET', find)).json.status, 'b')
  assert.equal((await call('PATCH', `/user/${id}/`, { bio: 'x' }, id)).status, 403)
  assert.equal((await call('PATCH', `/user/${id}/change_email/`, { new_email: 'x@uni.example' }, id)).status, 403)
  assert.equal((await call('POST', '/sso/signin/', undefined, id)).json.username, 'ada')
  community.knobs.blockedSignIn = 403
  assert.equal((await call('POST', '/sso/signin/', undefined, id)).status, 403)
  community.knobs.blockedJwt = 401
  assert.equal((await call('GET', '/user/me/', undefined, id)).status, 401)

  assert.equal((await call('GET', '/moderation/user/?status=b')).json.results[0].days_blocked, 'forever')
  at += 10_000 * 86_400_000
  assert.equal((await call('GET', find)).json.status, 'b')
  assert.equal(await moderate({ status: 'a' }), 204)
  assert.equal(await moderate({ status: 'b', days_blocked: '3' }), 204)
  assert.deepEqual(ids(await call('GET', '/moderation/user/?days_blocked=days')), [id])
  assert.deepEqual(ids(await call('GET', '/moderation/user/?days_blocked=forever')), [])
  at += 3 * 86_400_000
  assert.equal((await call('GET', find)).json.status, 'a')
  assert.equal(await moderate({ status: 'b' }, '?days_blocked=1'), 204)
  at += 86_400_000
  assert.equal((await call('GET', find)).json.status, 'a')
  assert.equal(await moderate({ status: 'x' }), 400)
  assert.equal(await moderate({}), 400)
  assert.equal((await call('PATCH', '/moderation/user/999/', { status: 'b' })).status, 404)
})

test('a soft delete hides the person, keeps user name, e-mail and ext_id taken, and may have a way back', async () => {
  const { call, community, signup } = await selfcommunityWorld()
  const { id } = (await signup()).json
  assert.equal((await call('DELETE', `/user/${id}/`)).status, 204)
  for (const list of ['/user/', '/user/search/?user=ada', '/user/autocomplete/?search=ada']) {
    assert.ok(!ids(await call('GET', list)).includes(id), list)
  }
  assert.equal((await call('GET', `/user/${id}/`)).json.deleted, true)
  assert.deepEqual(ids(await call('GET', '/moderation/user/?status=d')), [id])
  for (const kept of [{ username: 'ada' }, { ext_id: ada.ext_id }, { email: ada.email }]) {
    const said = await call('POST', '/sso/signup/', { username: 'new', ...kept })
    assert.equal(said.status, 400, JSON.stringify(kept))
  }
  assert.equal((await call('GET', find)).json.status, 'd')
  community.knobs.searchFindsDeleted = false
  assert.equal((await call('GET', find)).status, 404)
  assert.equal((await call('GET', '/user/me/', undefined, id)).status, 401)
  community.knobs.deletedJwt = 200
  assert.equal((await call('POST', '/sso/signin/', undefined, id)).status, 403)

  const again = await call('DELETE', `/user/${id}/`)
  assert.equal(again.status, 400)
  assert.match(again.text, /already been soft deleted/)
  community.knobs.restoreDeleted = 400
  assert.equal((await call('PATCH', `/moderation/user/${id}/`, { status: 'a' })).status, 400)
  community.knobs.restoreDeleted = 204
  assert.equal((await call('PATCH', `/moderation/user/${id}/`, { status: 'a' })).status, 204)
  assert.equal((await call('GET', `/user/${id}/`)).json.deleted, false)
})

test('a hard delete, by any of its four ways, is final and frees user name and ext_id', async () => {
  const { call, community, signup } = await selfcommunityWorld()
  const ways: ((id: number) => Promise<Said>)[] = [
    (id) => call('DELETE', `/user/${id}/?hard=1`),
    (id) => call('PATCH', `/moderation/user/${id}/`, { status: 'u' }),
    (id) => call('PATCH', `/moderation/user/${id}/`, { status: 'd', hard: 1 }),
    async (id) => {
      await call('DELETE', `/user/${id}/`)
      return call('DELETE', `/user/${id}/?hard=1`)
    },
  ]
  for (const way of ways) {
    const created = await signup()
    assert.equal(created.status, 201)
    const { id } = created.json
    assert.equal((await way(id)).status, 204)
    assert.equal(community.userById(id)?.status, 'u')
    assert.equal((await call('GET', `/user/${id}/`)).status, 404)
    assert.equal((await call('GET', find)).status, 404)
    assert.equal((await call('DELETE', `/user/${id}/`)).status, 404)
    assert.equal((await call('DELETE', `/user/${id}/?hard=1`)).status, 404)
    assert.equal((await call('PATCH', `/moderation/user/${id}/`, { status: 'a' })).status, 400)
    assert.equal((await call('GET', '/user/me/', undefined, id)).status, 401)
  }
  community.knobs.restoreUnregistered = 204
  const { id } = (await signup()).json
  community.setStatus(id, 'u')
  assert.equal((await call('PATCH', `/moderation/user/${id}/`, { status: 'a' })).status, 204)
  assert.equal((await call('GET', find)).status, 404)
})

test('a person changes the own profile; user name, ext_id and e-mail address in it change nothing', async () => {
  const { call, community, signup, simulator } = await selfcommunityWorld()
  const { id } = (await signup()).json
  const body = {
    real_name: 'Ada King',
    location: 'London',
    gender: 'Female',
    date_of_birth: '1815-12-10',
    website: 'https://ada.example/',
    company_role: 'Countess',
    unknown_field: 'x',
    username: 'king',
    ext_id: 'other',
    email: 'other@uni.example',
    avatar_base64: 'data:image/png;base64,aGk=',
  }
  const said = await call('PATCH', `/user/${id}/`, body, id)
  assert.equal(said.status, 200)
  const { real_name, location, gender, company_role, username, ext_id, unknown_field, avatar } = said.json
  assert.deepEqual(
    [real_name, location, gender, company_role, username, ext_id, unknown_field],
    ['Ada King', 'London', 'Female', 'Countess', 'ada', 'sso-ada', undefined],
  )
  assert.match(avatar, /\/avatar\/2\/[1-9]/)
  assert.equal(community.userById(id)?.email, ada.email)
  const bad: [object, string][] = [
    [{ real_name: 'x'.repeat(256) }, 'real_name: max_length'],
    [{ real_name: null }, 'real_name: invalid'],
    [{ location: 'x'.repeat(101) }, 'location: max_length'],
    [{ description: 'x'.repeat(51) }, 'description: max_length'],
    [{ gender: 'other' }, 'gender: invalid'],
    [{ date_of_birth: '1815-02-30' }, 'date_of_birth: invalid'],
    [{ website: 'ada' }, 'website: invalid'],
    [{ avatar_base64: 'aGk=' }, 'avatar_base64: invalid'],
  ]
  for (const [change, problem] of bad) {
    assert.deepEqual(problemsOf(await call('PATCH', `/user/${id}/`, { ...change, bio: 'lost' }, id)), [problem])
  }
  assert.equal(community.userById(id)?.bio, null)
  const form = await fetch(`${simulator.baseUrl}/api/v2/user/${id}/`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${community.tokenFor(id)}` },
    body: new URLSearchParams({ bio: 'from a form' }),
  })
  assert.equal(form.status, 200)
  assert.equal(community.userById(id)?.bio, 'from a form')
})

test('what a PATCH of the user name does is a choice of the community', async () => {
  const { call, community, signup } = await selfcommunityWorld()
  const { id } = (await signup()).json
  const rename = async (username: string) => call('PATCH', `/user/${id}/`, { username }, id)
  community.knobs.usernameInPatch = 400
  assert.equal((await rename('king')).status, 400)
  assert.equal((await rename('ada')).status, 200)
  community.knobs.usernameInPatch = 'accepted'
  assert.equal((await rename('creator')).status, 400)
  assert.equal((await rename('king')).json.username, 'king')
  assert.equal(community.userByUsername('ada'), undefined)
})

test('a PUT needs the user name and empties what it leaves out', async () => {
  const { call, signup } = await selfcommunityWorld()
  const { id } = (await signup()).json
  await call('PATCH', `/user/${id}/`, { bio: 'x', company_role: 'y' }, id)
  assert.deepEqual(problemsOf(await call('PUT', `/user/${id}/`, { real_name: 'A' }, id)), ['username: required'])
  const { bio, company_role, real_name } = (await call('PUT', `/user/${id}/`, { username: 'ada', real_name: 'A' }, id))
    .json
  assert.deepEqual([bio, company_role, real_name], [null, null, 'A'])
})

test('change_email is 204 and done at once; the present, a taken and a bad address are refused', async () => {
  const { call, community, signup } = await selfcommunityWorld()
  const { id } = (await signup()).json
  const change = (new_email: string, more: object = {}) =>
    call('PATCH', `/user/${id}/change_email/`, { new_email, ...more }, id)
  assert.deepEqual(problemsOf(await change(ada.email)), ['invalid'])
  assert.deepEqual(problemsOf(await change('Ada@UNI.example')), ['invalid'])
  assert.deepEqual(problemsOf(await change('creator@community.example')), ['new_email: invalid'])
  assert.deepEqual(problemsOf(await change('nonsense')), ['new_email: invalid'])
  community.knobs.emailValidAfterChange = false
  const said = await change('ada.king@uni.example', { confirm: 0 })
  assert.deepEqual([said.status, said.text], [204, ''])
  const { email, email_isvalid } = (await call('GET', find)).json
  assert.deepEqual([email, email_isvalid], ['ada.king@uni.example', false])
  assert.equal((await call('GET', '/account/search/?email=ada%40uni.example')).status, 404)
})

test('a change of e-mail address with confirm waits for its code, which needs no token', async () => {
  const { call, community, signup } = await selfcommunityWorld()
  const { id } = (await signup()).json
  const new_email = 'ada.king@uni.example'
  const asked = await call('PATCH', `/user/${id}/change_email/`, { new_email, confirm: 1 }, id)
  assert.equal(asked.status, 200)
  assert.equal(community.userById(id)?.email, ada.email)
  const { validation_code } = asked.json
  const confirm = async (body: object) => (await call('POST', `/user/${id}/confirm_email/`, body, null)).status
  assert.equal(await confirm({ new_email, validation_code: 'wrong' }), 400)
  assert.equal(await confirm({ new_email: 'x@uni.example', validation_code }), 400)
  assert.equal(await confirm({ new_email, validation_code }), 204)
  assert.equal(community.userByEmail(new_email)?.id, id)
  assert.equal(await confirm({ new_email, validation_code }), 400)
})

test('a password is changed only by who knows the old one', async () => {
  const { call, signup } = await selfcommunityWorld()
  const { id } = (await signup({ password: 'Long enough 1' })).json
  const change = async (password: string, new_password: string) =>
    (await call('PATCH', `/user/${id}/change_password/`, { password, new_password }, id)).status
  assert.equal(await change('wrong', 'Long enough 2'), 400)
  assert.equal(await change('Long enough 1', 'weak'), 400)
  assert.equal(await change('Long enough 1', 'Long enough 2'), 204)
  assert.equal(await change('Long enough 1', 'Long enough 3'), 400)
})

test('the moderation list finds by name and address, orders, and shows e-mail and status only where it does', async () => {
  let at = 1_800_000_000_000
  const { call, community } = await selfcommunityWorld({ now: () => at })
  for (const name of ['ada', 'bob', 'cyd']) {
    at += 1000
    community.addUser({ username: name, email: `${name}@uni.example`, real_name: `${name} Smith` })
  }
  const list = (query: string) => call('GET', `/moderation/user/?${query}`)
  assert.deepEqual(ids(await list('search=smith')), [4, 3, 2])
  assert.deepEqual(ids(await list('search=smith&order_by=date_joined')), [2, 3, 4])
  const found = await list('search=BOB%40uni')
  assert.deepEqual(
    [found.json.count, found.json.results[0].email, found.json.results[0].status],
    [1, 'bob@uni.example', 'a'],
  )
  assert.equal((await list('status=x')).status, 400)
  community.knobs.moderationRows = 'bare'
  const [bare] = (await list('search=bob')).json.results
  assert.ok(!('email' in bare) && !('status' in bare))
  assert.equal(bare.username, 'bob')
})

test('lists come in pages whose links lead through all rows once', async () => {
  const { call, community, simulator } = await selfcommunityWorld()
  for (let n = 0; n < 24; n += 1) community.addUser({ username: `u${n}` })
  const first = (await call('GET', '/moderation/user/?order_by=date_joined')).json
  assert.deepEqual([first.count, first.results.length, first.previous], [25, 20, null])
  assert.ok(first.next.startsWith(`${simulator.baseUrl}/api/v2/moderation/user/?`))
  const second = (await call('GET', first.next.slice(`${simulator.baseUrl}/api/v2`.length))).json
  assert.deepEqual([second.results.length, second.next], [5, null])
  const seen = new Set([...first.results, ...second.results].map((row: { id: number }) => row.id))
  assert.equal(seen.size, 25)
  community.knobs.maxPageSize = 10
  assert.equal((await call('GET', '/user/?limit=1000')).json.results.length, 10)
  assert.equal((await call('GET', '/user/?limit=nonsense&offset=20')).json.results.length, 5)
  assert.deepEqual((await call('GET', '/user/?offset=99')).json.results, [])
})

test('links to other identities are unique, listed on one of two paths, and removed by the body of a DELETE', async () => {
  const { call, community, signup } = await selfcommunityWorld()
  const { id } = (await signup()).json
  const path = `/user/${id}/provider/`
  const link = { provider: 'azure-ad', ext_id: 'oid-1' }
  const linked = await call('POST', path, link)
  assert.equal(linked.status, 201)
  assert.deepEqual([linked.json.user_id, linked.json.ext_id], [id, 'oid-1'])
  assert.equal((await call('POST', path, link)).status, 400)
  assert.equal((await call('POST', '/user/1/provider/', link)).status, 400)
  assert.equal((await call('GET', '/account/search/?ext_id=oid-1&provider=azure-ad')).json.id, id)
  const providers = async (at: string) => (await call('GET', at)).json.map((row: { provider: string }) => row.provider)
  assert.deepEqual(await providers(path), ['external', 'azure-ad'])
  assert.equal((await call('GET', `/user/provider/?user_id=${id}`)).status, 404)
  community.knobs.providerListPath = 'docs'
  assert.deepEqual(await providers(`/user/provider/?user_id=${id}`), ['external', 'azure-ad'])
  assert.equal((await call('GET', path)).status, 405)
  assert.equal((await call('DELETE', path, link, id)).status, 204)
  assert.equal((await call('DELETE', path, link)).status, 404)
  assert.equal((await call('GET', '/account/search/?ext_id=oid-1&provider=azure-ad')).status, 404)
})

test('linking the provider external gives an account an ext_id, or only makes it findable', async () => {
  const { call, community } = await selfcommunityWorld()
  for (const [username, fills] of [
    ['filled', true],
    ['bare', false],
  ] as const) {
    community.knobs.linkFillsExtId = fills
    const { id } = community.addUser({ username })
    const body = { provider: 'external', ext_id: `sso-${username}` }
    assert.equal((await call('POST', `/user/${id}/provider/`, body)).status, 201)
    const found = await call('GET', `/account/search/?ext_id=sso-${username}&provider=external`)
    assert.deepEqual([found.json.id, found.json.ext_id], [id, fills ? `sso-${username}` : null])
    assert.equal((await call('POST', `/user/${id}/provider/`, { ...body, ext_id: 'second' })).status, 400)
  }
})

test('user 1 may do everything and notices what is done to it', async () => {
  const { call, community, signup } = await selfcommunityWorld()
  const { id } = (await signup()).json
  const tag = community.addTag({ name: 'x' })
  await call('PATCH', `/moderation/user/${id}/`, { status: 'b' })
  await call('POST', `/tag/${tag.id}/add/`, { user: id })
  await call('POST', '/group/', { name: 'G', privacy: 'public' })
  await call('GET', '/user/me/')
  await call('PATCH', '/moderation/user/1/', { status: 'x' })
  assert.deepEqual(community.touched, [])
  await call('PATCH', '/user/1/', { bio: 'x' })
  await call('POST', `/tag/${tag.id}/add/`, { user: 1 })
  await call('DELETE', '/group/1/subscribe/')
  await call('PATCH', '/moderation/user/1/', { status: 'a' })
  assert.deepEqual(community.touched, [
    'PATCH /api/v2/user/1/',
    `POST /api/v2/tag/${tag.id}/add/`,
    'DELETE /api/v2/group/1/subscribe/',
    'PATCH /api/v2/moderation/user/1/',
  ])
})

test('a service user of its own is an administrator beside user 1', async () => {
  const { call } = await selfcommunityWorld({ credentials: { jwtSecret: 'secret', userId: 7 } })
  const me = (await call('GET', '/user/me/')).json
  assert.deepEqual([me.id, me.role], [7, 'admin'])
  assert.equal((await call('GET', '/user/1/')).status, 200)
})

test('more calls than a second takes are 429, with or without Retry-After', async () => {
  let at = 1_800_000_000_000
  const { call, community } = await selfcommunityWorld({ knobs: { callsPerSecond: 1 }, now: () => at })
  assert.equal((await call('GET', '/user/me/')).status, 200)
  const busy = await call('GET', '/user/me/')
  assert.deepEqual([busy.status, busy.headers.get('retry-after')], [429, null])
  community.knobs.retryAfter = '7'
  assert.equal((await call('GET', '/user/me/')).headers.get('retry-after'), '7')
  at += 1000
  assert.equal((await call('GET', '/user/me/')).status, 200)
})

test('a connection cut before a signup leaves nothing, one cut after it leaves an account; verify_token is no write', async () => {
  const { call, community, signup, simulator } = await selfcommunityWorld()
  simulator.fault({ mode: 'down' })
  await assert.rejects(signup())
  assert.equal(community.userByExtId('sso-ada'), undefined)
  simulator.fault({ mode: 'lost' })
  assert.equal((await call('POST', '/jwt/verify_token/', { token: community.tokenFor(1) })).status, 200)
  await assert.rejects(signup())
  assert.equal(community.userByExtId('sso-ada')?.username, 'ada')
  simulator.fault({ mode: '401' })
  assert.deepEqual(problemsOf(await call('GET', find)), ['not_authenticated'])
  simulator.fault({ mode: '500' })
  assert.equal((await call('GET', find)).status, 500)
})
