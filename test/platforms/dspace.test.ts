import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adaId, aRepository, bobId, connected, platformWrites, read, serviceId, values } from './scripted-dspace.ts'
import { thrownBy } from './thrown.ts'
import { aCall, groupsOf } from './world.ts'

test('all changes go in one patch, with the path canLogin, a removal, and the e-mail in lower case', async (t) => {
  const repository = aRepository()
  const ada = repository.people[1]
  assert.ok(ada)
  ada.metadata['eperson.phone'] = [{ value: '1' }]
  const { server, connection } = await connected(t, repository)
  const account = await read(connection, adaId)
  const after = await connection.update(
    aCall(),
    account,
    values({ email: 'Ada.L@uni.example', firstname: 'Ada', phone: null, canLogIn: false, lastname: 'Last' }),
  )
  assert.deepEqual(server.bodyOf(`PATCH /api/eperson/epersons/${adaId}`), [
    { op: 'replace', path: '/email', value: 'ada.l@uni.example' },
    { op: 'replace', path: '/metadata/eperson.firstname', value: 'Ada' },
    { op: 'remove', path: '/metadata/eperson.phone' },
    { op: 'replace', path: '/canLogin', value: false },
  ])
  assert.equal(after.attributes.get('canLogIn'), false)
  assert.equal(after.attributes.has('phone'), false)
})

test('an e-mail in other letters is no change, and nothing is called', async (t) => {
  const { server, connection } = await connected(t, aRepository())
  const account = await read(connection, adaId)
  server.forget()
  assert.deepEqual(
    await connection.update(aCall(), account, values({ email: 'ADA@UNI.example', phone: null })),
    account,
  )
  assert.deepEqual(server.lines(), [])
})

test('a netid is replaced by another, but never added to an account that has none', async (t) => {
  const { server, connection } = await connected(t, aRepository())
  const bob = await read(connection, bobId)
  const error = await thrownBy(connection.update(aCall(), bob, values({ netid: 'bob@idp' })))
  assert.equal(error.kind, 'immutable')
  assert.match(error.message, /netid/)
  assert.deepEqual(platformWrites(server), [])
  const ada = await read(connection, adaId)
  const after = await connection.update(aCall(), ada, values({ netid: 'ada2@idp' }))
  assert.equal(after.attributes.get('netid'), 'ada2@idp')
  assert.match(connection.refuseAdoption?.(after, values({ netid: 'other@idp' })) ?? '', /another netid/)
  assert.equal(connection.refuseAdoption?.(bob, values({ netid: 'other@idp' })), undefined)
})

test('an e-mail of another person is Conflict before anything is written', async (t) => {
  const { server, connection } = await connected(t, aRepository())
  const account = await read(connection, adaId)
  const error = await thrownBy(connection.update(aCall(), account, values({ email: 'Bob@uni.example' })))
  assert.equal(error.kind, 'conflict')
  assert.match(error.message, /this email/)
  assert.deepEqual(platformWrites(server), [])
})

for (const status of [409, 422, 500]) {
  test(`a new person whose e-mail is taken is Conflict, when DSpace says ${status}`, async (t) => {
    const repository = aRepository()
    repository.before = ({ method, path }) =>
      method === 'POST' && path.endsWith('/epersons') ? { status, json: { status } } : undefined
    const { connection } = await connected(t, repository)
    const wanted = values({ email: 'ada@uni.example', firstname: 'A', lastname: 'L', canLogIn: true })
    assert.equal((await thrownBy(connection.create(aCall(), wanted))).kind, 'conflict')
  })
}

test('a 500 is Conflict when somebody has the netid, and Unknown when nothing is taken', async (t) => {
  const repository = aRepository()
  repository.before = ({ method, path }) =>
    method === 'POST' && path.endsWith('/epersons') ? { status: 500, json: {} } : undefined
  const { connection } = await connected(t, repository)
  const eve = { email: 'eve@uni.example', firstname: 'E', lastname: 'V', canLogIn: true }
  const error = await thrownBy(connection.create(aCall(), values({ ...eve, netid: 'ada@idp' })))
  assert.equal(error.kind, 'conflict')
  assert.match(error.message, /netid/)
  assert.equal((await thrownBy(connection.create(aCall(), values({ ...eve, netid: 'eve@idp' })))).kind, 'unknown')
})

test('a new person always gets an explicit canLogIn and only properties that version 7 knows', async (t) => {
  const { server, connection } = await connected(t, aRepository())
  const call = aCall()
  const account = await connection.create(
    call,
    values({ email: 'Eve@uni.example', firstname: 'E', lastname: 'V', canLogIn: false }),
  )
  assert.equal(account.attributes.get('canLogIn'), false)
  assert.deepEqual(call.createdIds, [account.id])
  const text = (value: string) => [{ value, language: null, authority: '', confidence: -1 }]
  assert.deepEqual(server.bodyOf('POST /api/eperson/epersons'), {
    email: 'eve@uni.example',
    canLogIn: false,
    requireCertificate: false,
    metadata: { 'eperson.firstname': text('E'), 'eperson.lastname': text('V') },
    type: 'eperson',
  })
})

for (const [how, answer] of [
  ['is refused', { status: 422, json: {} }],
  ['breaks', { status: 500, json: {} }],
] as const) {
  test(`a leaver whose other change ${how} is switched off all the same`, async (t) => {
    const repository = aRepository()
    const { connection } = await connected(t, repository)
    const account = await read(connection, adaId)
    repository.before = ({ method, text }) => (method === 'PATCH' && text.includes('firstname') ? answer : undefined)
    const update = connection.update(aCall(), account, values({ firstname: 'Ada', canLogIn: false }))
    if (answer.status === 500) assert.equal((await thrownBy(update)).kind, 'unknown')
    else assert.equal((await update).attributes.get('canLogIn'), false)
    assert.equal(repository.people[1]?.canLogIn, false)
  })
}

test('administrators and the service account are protected, and no write reaches them', async (t) => {
  const repository = aRepository()
  repository.members.set(adaId, new Set([repository.groups[0]?.uuid ?? '']))
  const { server, connection } = await connected(t, repository)
  for (const id of [adaId, serviceId]) {
    const account = await read(connection, id)
    assert.ok(account.protectedBecause)
    assert.equal((await thrownBy(connection.update(aCall(), account, values({ canLogIn: false })))).kind, 'immutable')
    assert.ok(connection.remove)
    assert.equal((await thrownBy(connection.remove(aCall(), id))).kind, 'immutable')
  }
  assert.deepEqual(platformWrites(server), [])
})

test('the last member of a workflow group is switched off instead of deleted', async (t) => {
  const repository = aRepository()
  repository.before = ({ method }) => (method === 'DELETE' ? { status: 422, json: {} } : undefined)
  const { connection } = await connected(t, repository)
  await connection.remove?.(aCall(), adaId)
  assert.equal(repository.people[1]?.canLogIn, false)
})

test('groups are joined by exact name with a uri-list, left singly, and protected ones are never touched', async (t) => {
  const { server, connection } = await connected(t, aRepository())
  assert.deepEqual(await connection.writeGrants(aCall(), adaId, [{ group: 'Staff' }], []), [{ group: 'Staff' }])
  const added = server.requests.find(({ method, path }) => method === 'POST' && path.endsWith('/epersons'))
  assert.equal(added?.headers['content-type'], 'text/uri-list')
  assert.equal(added?.text, `${server.baseUrl}/api/eperson/epersons/${adaId}`)
  server.forget()
  for (const group of ['Administrator', 'Anonymous', 'COLLECTION_1_SUBMIT'])
    assert.equal(
      (await thrownBy(connection.writeGrants(aCall(), adaId, [{ group }], [{ group: 'Staff' }]))).kind,
      'immutable',
    )
  for (const group of ['staff', 'Sta', ''])
    assert.equal(
      (await thrownBy(connection.writeGrants(aCall(), adaId, [{ group }], [{ group: 'Staff' }]))).kind,
      'refused',
    )
  await connection.writeGrants(aCall(), adaId, [{ group: 'Staff' }], [{ group: 'Staff (old)' }])
  assert.deepEqual(platformWrites(server), [])
  assert.deepEqual(await connection.writeGrants(aCall(), adaId, [], [{ group: 'Staff' }]), [])
})

test('a group is made only when none has its name', async (t) => {
  const { server, connection } = await connected(t, aRepository())
  assert.equal((await thrownBy(groupsOf(connection).create(aCall(), 'Staff'))).kind, 'conflict')
  assert.deepEqual(platformWrites(server), [])
  assert.equal((await groupsOf(connection).create(aCall(), 'Sta')).name, 'Sta')
  assert.deepEqual(server.bodyOf('POST /api/eperson/groups'), { name: 'Sta' })
})

test('an EPerson that is gone is undefined; a page of HTML with 404 proves nothing', async (t) => {
  const repository = aRepository()
  const { connection } = await connected(t, repository)
  assert.equal(await connection.read(aCall(), '00000000-0000-4000-8000-00000000dead'), undefined)
  assert.equal(await connection.read(aCall(), 'not-a-uuid'), undefined)
  repository.before = ({ path }) => (path.includes('epersons') ? { status: 404, html: '<html>' } : undefined)
  assert.equal((await thrownBy(connection.read(aCall(), adaId))).kind, 'broken')
})

test('a member of more groups than one answer embeds is still seen as an administrator', async (t) => {
  const repository = aRepository()
  repository.members.set(adaId, new Set([repository.groups[0]?.uuid ?? '']))
  repository.before = ({ method, path }) => {
    if (method !== 'GET' || path !== `/api/eperson/epersons/${adaId}`) return undefined
    const embedded = { page: { number: 0, totalPages: 2, totalElements: 101, size: 100 }, _embedded: { groups: [] } }
    return { json: { ...repository.people[1], _embedded: { groups: embedded } } }
  }
  const { connection } = await connected(t, repository)
  assert.match((await read(connection, adaId)).protectedBecause ?? '', /Administrator/)
})
