import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dspaceWorld, first, namesOf, nobody, people, registrationsPath } from './dspace-world.ts'

const find = (email: string) => `${people}/search/byEmail?email=${encodeURIComponent(email)}`
const search = (query: string) => `${people}/search/byMetadata?query=${encodeURIComponent(query)}`

test('a new account has a lower-case e-mail, is off unless told, and its name falls back to the e-mail', async () => {
  const { create, call, dspace } = await dspaceWorld()
  const ann = await create({ canLogIn: undefined, name: 'Ignored', selfRegistered: true })
  assert.equal(ann.status, 201)
  const { email, canLogIn, name, netid, selfRegistered, lastActive } = ann.json
  assert.deepEqual([email, canLogIn, name], ['ann@x.example', false, 'ann@x.example'])
  assert.deepEqual([netid, selfRegistered, lastActive], [null, false, null])
  const metadata = { ...first('Bo'), 'eperson.lastname': [{ value: 'Lee' }] }
  const bo = await create({ email: 'bo@x.example', netid: 'Bo@Idp', metadata })
  assert.deepEqual([bo.json.name, bo.json.netid, bo.json.canLogIn], ['Bo Lee', 'Bo@Idp', true])
  const value = { value: 'Bo', language: null, authority: null, confidence: -1, place: 0 }
  assert.deepEqual(bo.json.metadata['eperson.firstname'], [value])
  assert.deepEqual((await call('GET', `${people}/${bo.json.uuid}`)).json, bo.json)
  assert.equal(dspace.mails.length, 0)
})

test('byEmail answers one account or 204, whatever the case, and needs its parameter', async () => {
  const { create, call } = await dspaceWorld()
  const { uuid } = (await create({ email: 'a+b@x.example' })).json
  assert.equal((await call('GET', find('A+B@x.EXAMPLE'))).json.uuid, uuid)
  const none = await call('GET', `${people}/search/byEmail?email=a+b@x.example`)
  assert.deepEqual([none.status, none.text], [204, ''])
  assert.equal((await call('GET', `${people}/search/byEmail`)).status, 400)
})

test('only 7.x tells strangers who has an account', async () => {
  for (const [flavour, status] of [
    ['7.6.2', 200],
    ['8.0', 401],
  ] as const) {
    const { create, call } = await dspaceWorld({ flavour })
    await create()
    assert.equal((await call('GET', find('ann@x.example'), { jwt: undefined })).status, status)
  }
})

test('people are listed by e-mail in pages of at most the cap, and an empty page has no _embedded', async () => {
  const { create, call, dspace } = await dspaceWorld({ knobs: { pageCap: 2 } })
  for (const email of ['c@x.example', 'a@x.example', 'b@x.example']) await create({ email })
  const start = await call('GET', `${people}?size=100&sort=name`)
  assert.deepEqual(namesOf(start, 'epersons'), ['a@x.example', 'b@x.example'])
  assert.deepEqual(start.json.page, { size: 2, totalElements: 4, totalPages: 2, number: 0 })
  const next = start.json._links.next.href.replace(/^.*\/server/, '')
  assert.deepEqual(namesOf(await call('GET', next), 'epersons'), ['Repository Bridge', 'c@x.example'])
  const beyond = await call('GET', `${people}?page=9&size=2`)
  assert.equal('_embedded' in beyond.json, false)
  assert.equal(beyond.json.page.totalElements, 4)
  dspace.knobs.pageCap = 2_000
  assert.equal((await call('GET', people)).json.page.size, 20)
  assert.equal((await call('GET', `${people}?size=9999`)).json.page.size, 2_000)
})

test('search looks into first name, last name and e-mail one by one, with live wildcards, and never into netid', async () => {
  const { create, call } = await dspaceWorld()
  const metadata = { ...first('Jane'), 'eperson.lastname': [{ value: 'Doe' }] }
  const { uuid } = (await create({ email: 'j.d@x.example', netid: 'secret-id', metadata })).json
  const found = async (query: string) => namesOf(await call('GET', search(query)), 'epersons')
  for (const query of ['jan', 'DOE', 'j.d@', 'j%e', '_ane', uuid]) assert.deepEqual(await found(query), ['Jane Doe'])
  for (const query of ['Doe, John', 'Jane Doe', 'secret', 'jaxe', '_____ane', nobody]) {
    assert.deepEqual(await found(query), [], query)
  }
  assert.equal((await found('')).length, 2)
  assert.equal((await call('GET', `${people}/search/byMetadata`)).status, 400)
})

test('people outside a group can be searched since 7.6.1', async () => {
  for (const [flavour, status] of [
    ['7.6', 404],
    ['7.6.1', 200],
  ] as const) {
    const { call, dspace } = await dspaceWorld({ flavour })
    const ann = dspace.addEPerson({ email: 'ann@x.example' })
    dspace.addEPerson({ email: 'bo@x.example' })
    const group = dspace.addGroup({ name: 'G' })
    dspace.join(group, ann)
    const answer = await call('GET', `${people}/search/isNotMemberOf?group=${group.uuid}&query=@x.example`)
    assert.equal(answer.status, status)
    if (status === 200) assert.deepEqual(namesOf(answer, 'epersons'), ['bo@x.example'])
  }
})

test('what is too long or taken breaks in the database: 500, and nothing is made', async () => {
  const { create, dspace } = await dspaceWorld()
  assert.equal((await create({ netid: 'ann' })).status, 201)
  const count = dspace.state.epersons.size
  const bad = [
    { email: 'ANN@x.example' },
    { email: 'bo@x.example', netid: 'ann' },
    { email: `${'b'.repeat(55)}@x.example` },
    { email: 'bo@x.example', netid: 'n'.repeat(65) },
  ]
  for (const change of bad) assert.equal((await create(change)).status, 500)
  assert.equal(dspace.state.epersons.size, count)
  assert.equal((await create({ email: `${'b'.repeat(54)}@x.example`, netid: 'n'.repeat(64) })).status, 201)
  // Unlike the e-mail, the netid minds case.
  assert.equal((await create({ email: 'cy@x.example', netid: 'ANN' })).status, 201)
  dspace.knobs.duplicateStatus = 409
  assert.equal((await create()).status, 409)
})

test('a body without e-mail, with an unknown metadata field, a short password or the wrong type is refused', async () => {
  const { create, call, dspace } = await dspaceWorld()
  const bad = [
    { email: undefined },
    { email: 7 },
    { metadata: { 'eperson.shoesize': [{ value: '42' }] } },
    { metadata: { 'eperson.phone': 'plain' } },
    { password: 'short' },
    { canLogIn: 'perhaps' },
  ]
  for (const change of bad) assert.equal((await create(change)).status, 422, JSON.stringify(change))
  assert.equal((await call('POST', people, { body: '{' })).status, 422)
  assert.equal((await call('POST', people, { body: '{}', type: 'text/plain' })).status, 415)
  assert.equal(dspace.state.epersons.size, 1)
})

test('unknown properties are refused by 7 and 8 and ignored by 9 and later', async () => {
  for (const [flavour, status] of [
    ['7.6.2', 422],
    ['8.1', 422],
    ['9.0', 201],
    ['10.0', 201],
  ] as const) {
    const { create } = await dspaceWorld({ flavour })
    assert.equal((await create({ department: 'Physics' })).status, status, flavour)
  }
})

test('a patch changes e-mail, state, certificate and names, and only as a whole', async () => {
  const { create, patch, call } = await dspaceWorld()
  const { uuid } = (await create({ netid: 'ann' })).json
  const good = [
    { op: 'replace', path: '/email', value: 'Ann.Lee@X.example' },
    { op: 'replace', path: '/netid', value: 'ann2' },
    { op: 'replace', path: '/canLogin', value: 'false' },
    { op: 'replace', path: '/certificate', value: true },
    { op: 'replace', path: '/metadata/eperson.firstname', value: 'Ann' },
  ]
  const { status, json } = await patch(uuid, ...good)
  assert.equal(status, 200)
  assert.deepEqual([json.email, json.netid, json.name], ['ann.lee@x.example', 'ann2', 'Ann'])
  assert.deepEqual([json.canLogIn, json.requireCertificate], [false, true])
  assert.equal((await call('GET', find('ann@x.example'))).status, 204)
  const changing = { op: 'replace', path: '/metadata/eperson.firstname', value: 'Changed' }
  const bad = [
    [400, { op: 'replace', path: '/canLogIn', value: true }],
    [400, { op: 'replace', path: '/canLogin', value: 'perhaps' }],
    [400, { op: 'add', path: '/email', value: 'b@x.example' }],
    [400, { op: 'remove', path: '/netid' }],
    [400, { op: 'replace', path: '/netid', value: ' ' }],
    [400, { op: 'replace', path: '/email', value: '' }],
    [400, { op: 'test', path: '/metadata/eperson.firstname', value: 'x' }],
    [400, { op: 'replace', path: '/name', value: 'x' }],
    [422, { op: 'add', path: '/metadata/eperson.shoesize', value: '42' }],
    [422, { op: 'replace', path: '/metadata/eperson.phone/0', value: '1' }],
    [500, { op: 'replace', path: '/email', value: 'bridge@sandbox.example.org' }],
    [500, { op: 'replace', path: '/netid', value: 'n'.repeat(65) }],
  ] as const
  for (const [expected, operation] of bad) {
    assert.equal((await patch(uuid, changing, operation)).status, expected, JSON.stringify(operation))
  }
  assert.deepEqual((await call('GET', `${people}/${uuid}`)).json, json)
  assert.equal((await patch(nobody, changing)).status, 404)
  assert.equal((await call('PATCH', `${people}/${uuid}`, { body: '{}' })).status, 400)
  assert.equal((await call('PATCH', `${people}/${uuid}`, { body: '[]', type: 'text/plain' })).status, 415)
})

test('a netid that was never there cannot be set later', async () => {
  const { create, patch } = await dspaceWorld()
  const { uuid } = (await create()).json
  assert.equal((await patch(uuid, { op: 'replace', path: '/netid', value: 'ann' })).status, 400)
  assert.equal((await patch(uuid, { op: 'add', path: '/netid', value: 'ann' })).status, 400)
})

test('metadata values are added, replaced, moved, copied and removed at their places', async () => {
  const { create, patch } = await dspaceWorld()
  const { uuid } = (await create()).json
  const phone = '/metadata/eperson.phone'
  const steps = [
    [{ op: 'add', path: phone, value: [{ value: 'b' }, { value: 'c' }] }, ['b', 'c']],
    [{ op: 'add', path: `${phone}/0`, value: 'a' }, ['a', 'b', 'c']],
    [{ op: 'add', path: `${phone}/-`, value: { value: 'd', language: 'en' } }, ['a', 'b', 'c', 'd']],
    [{ op: 'replace', path: `${phone}/1`, value: [{ value: 'B' }, { value: 'unread' }] }, ['a', 'B', 'c', 'd']],
    [{ op: 'replace', path: `${phone}/2/value`, value: 'C' }, ['a', 'B', 'C', 'd']],
    [{ op: 'move', from: `${phone}/3`, path: `${phone}/0` }, ['d', 'a', 'B', 'C']],
    [{ op: 'remove', path: `${phone}/1` }, ['d', 'B', 'C']],
    [{ op: 'copy', from: `${phone}/0`, path: '/metadata/eperson.language' }, ['d', 'B', 'C']],
    [{ op: 'replace', path: phone, value: 'only' }, ['only']],
    [{ op: 'remove', path: phone }, undefined],
  ] as const
  for (const [operation, expected] of steps) {
    const { status, json } = await patch(uuid, operation)
    assert.equal(status, 200, JSON.stringify(operation))
    const values = json.metadata['eperson.phone']
    assert.deepEqual(
      values?.map(({ value }: { value: string }) => value),
      expected,
    )
    if (operation.op === 'copy') assert.equal(json.metadata['eperson.language'][0].language, 'en')
  }
  const all = await patch(uuid, { op: 'replace', path: '/metadata', value: first('New') })
  assert.deepEqual(Object.keys(all.json.metadata), ['eperson.firstname'])
  assert.equal((await patch(uuid, { op: 'remove', path: `${phone}/0` })).status, 422)
})

test('an existing password is changed only by who knows it, and the account must be on', async () => {
  const { create, patch, login } = await dspaceWorld()
  const { uuid } = (await create({ password: 'firstlong' })).json
  const set = (new_password: string, current_password?: string) =>
    patch(uuid, { op: 'add', path: '/password', value: { new_password, current_password } })
  assert.equal((await set('secondlong')).status, 403)
  assert.equal((await set('short', 'firstlong')).status, 422)
  assert.equal((await set('secondlong', 'firstlong')).status, 200)
  assert.equal((await login('ann@x.example', 'firstlong')).status, 401)
  assert.equal((await login('ann@x.example', 'secondlong')).status, 200)
  await patch(uuid, { op: 'replace', path: '/canLogin', value: false })
  assert.equal((await set('thirdlong', 'secondlong')).status, 403)
})

test('a forgotten password is set with the mailed token, once, and by nobody else', async () => {
  const { create, call, dspace, login } = await dspaceWorld()
  const { uuid } = (await create({ password: 'firstlong' })).json
  const other = (await create({ email: 'bo@x.example' })).json.uuid
  const body = { email: 'ann@x.example', type: 'registration' }
  await call('POST', `${registrationsPath}?accountRequestType=forgot`, { jwt: undefined, body })
  const token = dspace.mails[0]?.token ?? ''
  const operations = [{ op: 'add', path: '/password', value: { new_password: 'secondlong' } }]
  const reset = (id: string) => call('PATCH', `${people}/${id}?token=${token}`, { jwt: undefined, body: operations })
  assert.equal((await reset(other)).status, 401)
  assert.equal((await reset(uuid)).status, 200)
  assert.equal((await login('ann@x.example', 'secondlong')).status, 200)
  assert.equal((await reset(uuid)).status, 401)
})

test('deleting a person deletes drafts and memberships, and leaves archived items without submitter', async () => {
  const { call, dspace } = await dspaceWorld()
  const ann = dspace.addEPerson({ email: 'ann@x.example' })
  const group = dspace.addGroup({ name: 'G' })
  dspace.join(group, ann)
  const draft = dspace.state.addItem('draft', ann.uuid)
  const archived = dspace.state.addItem('archived', ann.uuid)
  const answer = await call('DELETE', `${people}/${ann.uuid}`)
  assert.deepEqual([answer.status, answer.text], [204, ''])
  assert.equal((await call('GET', `${people}/${ann.uuid}`)).status, 404)
  assert.equal((await call('GET', find('ann@x.example'))).status, 204)
  assert.equal(dspace.state.items.has(draft.uuid), false)
  assert.equal(archived.submitter, null)
  assert.deepEqual(dspace.memberEmails('G'), [])
  // No check stands before the database.
  assert.equal((await call('DELETE', `${people}/${ann.uuid}`)).status, 500)
  dspace.knobs.deleteUnknownStatus = 404
  assert.equal((await call('DELETE', `${people}/${ann.uuid}`)).status, 404)
})

test('the last member of a workflow group is not deleted', async () => {
  const { call, dspace } = await dspaceWorld()
  const [ann, bo] = ['ann', 'bo'].map((name) => dspace.addEPerson({ email: `${name}@x.example` }))
  assert.ok(ann !== undefined && bo !== undefined)
  const reviewers = dspace.addGroup({ name: 'Reviewers', isWorkflow: true })
  dspace.join(reviewers, ann)
  dspace.join(reviewers, bo)
  assert.equal((await call('DELETE', `${people}/${ann.uuid}`)).status, 204)
  assert.equal((await call('DELETE', `${people}/${bo.uuid}`)).status, 422)
  assert.ok(dspace.state.epersons.has(bo.uuid))
})

test('single sign-on finds by netid with case, takes an e-mail without netid, and locks out a wrong one', async () => {
  const { dspace } = await dspaceWorld()
  const ann = dspace.addEPerson({ email: 'ann@x.example', netid: 'Ann@Idp', canLogIn: true })
  const bo = dspace.addEPerson({ email: 'bo@x.example', canLogIn: true })
  dspace.addEPerson({ email: 'off@x.example' })
  const come = (email: string, netid: string) => dspace.signIn({ method: 'shibboleth', email, netid })
  assert.deepEqual(come('other@x.example', 'Ann@Idp'), { kind: 'signed in', person: ann })
  assert.deepEqual(come('ann@x.example', 'ann@idp'), { kind: 'refused', reason: 'locked to another netid' })
  assert.equal(come('bo@x.example', 'bo').kind, 'signed in')
  assert.equal(bo.netid, 'bo')
  assert.deepEqual(come('off@x.example', 'off'), { kind: 'refused', reason: 'cannot log in' })
  assert.deepEqual(come('who@x.example', 'who'), { kind: 'refused', reason: 'unknown' })
  assert.equal(dspace.signIn({ method: 'oidc', email: 'ann@x.example', netid: 'ann@idp' }).kind, 'signed in')
})
