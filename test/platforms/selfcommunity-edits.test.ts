import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { aCommunity, connected, type Person, read, values, writes } from './scripted-selfcommunity.ts'
import { thrownBy } from './thrown.ts'
import { aCall } from './world.ts'

test('the e-mail and the profile are changed with a token of the person', async (t) => {
  const community = aCommunity()
  const { server, connection } = await connected(t, community)
  const account = await read(connection, '7')
  server.forget()
  const changes = values({ real_name: 'Augusta', email: 'new@uni.example', 'metadata.company_role': 'Countess' })
  const after = await connection.update(aCall(), account, changes)
  assert.deepEqual(writes(server), ['PATCH /api/v2/user/7/change_email/', 'PATCH /api/v2/user/7/'])
  const tokens = server.requests
    .filter(({ method }) => method === 'PATCH')
    .map(({ headers }) => decodeJwt(String(headers.authorization).slice('Bearer '.length)).user_id)
  assert.deepEqual(tokens, [7, 7])
  assert.deepEqual(server.bodyOf('PATCH /api/v2/user/7/change_email/'), { new_email: 'new@uni.example', confirm: 0 })
  assert.equal(after.attributes.get('metadata.company_role'), 'Countess')
})

test('a profile field of the community that is a number or a switch is compared as text', async (t) => {
  const community = aCommunity()
  const ada = community.people.find(({ id }) => id === 7)
  assert.ok(ada)
  const { server, connection } = await connected(t, community)
  // The community reads what it is sent by the kind of the field.
  community.before = ({ method, path, text }) => {
    if (method !== 'PATCH' || path !== '/api/v2/user/7/') return undefined
    const sent: { level?: string; is_staff?: string } = JSON.parse(text)
    Object.assign(ada, { level: Number(sent.level), is_staff: sent.is_staff === 'true' })
    return { json: ada }
  }
  const changes = values({ 'metadata.level': '5', 'metadata.is_staff': 'true' })
  const after = await connection.update(aCall(), await read(connection, '7'), changes)
  assert.deepEqual([ada.level, ada.is_staff], [5, true])
  server.forget()
  assert.deepEqual(await connection.update(aCall(), after, changes), after)
  assert.deepEqual(server.lines(), [])
})

test('an e-mail in other letters is no change, and nothing is called', async (t) => {
  const { server, connection } = await connected(t, aCommunity())
  const account = await read(connection, '7')
  server.forget()
  assert.deepEqual(
    await connection.update(aCall(), account, values({ email: 'ADA@uni.example', status: 'a' })),
    account,
  )
  assert.deepEqual(server.lines(), [])
})

test('edits of a blocked account wait: nothing is called, and nobody is unblocked for them', async (t) => {
  const { server, connection } = await connected(t, aCommunity())
  const account = await read(connection, '8')
  server.forget()
  const after = await connection.update(aCall(), account, values({ real_name: 'Robert', status: 'b' }))
  assert.equal(after.attributes.get('real_name'), 'Ada')
  assert.deepEqual(server.lines(), [])
})

test('with editBlocked refuse, edits of a blocked account are Immutable and nothing is called', async (t) => {
  const { server, connection } = await connected(t, aCommunity(), { editBlocked: 'refuse' })
  const account = await read(connection, '8')
  server.forget()
  const error = await thrownBy(connection.update(aCall(), account, values({ real_name: 'Robert' })))
  assert.equal(error.kind, 'immutable')
  assert.match(error.message, /real_name/)
  assert.deepEqual(server.lines(), [])
})

test('a returner is unblocked, then edited', async (t) => {
  const { server, connection } = await connected(t, aCommunity())
  const account = await read(connection, '8')
  server.forget()
  const after = await connection.update(aCall(), account, values({ real_name: 'Robert', status: 'a' }))
  assert.deepEqual(writes(server), ['PATCH /api/v2/moderation/user/8/', 'PATCH /api/v2/user/8/'])
  assert.equal(after.attributes.get('status'), 'a')
  assert.equal(after.attributes.get('real_name'), 'Robert')
})

test('a returner whose edit is refused is blocked again', async (t) => {
  const community = aCommunity()
  const { connection } = await connected(t, community)
  const account = await read(connection, '8')
  const error = await thrownBy(connection.update(aCall(), account, values({ username: 'other', status: 'a' })))
  assert.equal(error.kind, 'immutable')
  assert.equal(community.people.find(({ id }) => id === 8)?.status, 'b')
})

test('a leaver is edited, then blocked', async (t) => {
  const { server, connection } = await connected(t, aCommunity())
  const account = await read(connection, '7')
  server.forget()
  await connection.update(aCall(), account, values({ real_name: 'Augusta', status: 'b' }))
  assert.deepEqual(writes(server), ['PATCH /api/v2/user/7/', 'PATCH /api/v2/moderation/user/7/'])
})

for (const [how, answer] of [
  ['is refused', { status: 400, json: { errors: [] } }],
  ['breaks', { status: 500 }],
] as const) {
  test(`a leaver whose edit ${how} is blocked all the same`, async (t) => {
    const community = aCommunity()
    const { connection } = await connected(t, community)
    const account = await read(connection, '7')
    community.before = ({ method, path }) => (method === 'PATCH' && path === '/api/v2/user/7/' ? answer : undefined)
    const update = connection.update(aCall(), account, values({ real_name: 'Augusta', status: 'b' }))
    if (answer.status === 500) assert.equal((await thrownBy(update)).kind, 'unknown')
    else assert.equal((await update).attributes.get('status'), 'b')
    assert.equal(community.people.find(({ id }) => id === 7)?.status, 'b')
  })
}

test('the creator and the service user are protected, and no token is ever made for them to be written', async (t) => {
  const { server, connection } = await connected(t, aCommunity())
  for (const id of ['1', '2']) {
    const account = await read(connection, id)
    assert.ok(account.protectedBecause)
    assert.equal((await thrownBy(connection.update(aCall(), account, values({ status: 'b' })))).kind, 'immutable')
    assert.equal((await thrownBy(connection.writeGrants(aCall(), id, [{ tag: 'staff' }], []))).kind, 'immutable')
  }
  assert.deepEqual(writes(server), [])
  const users = server.requests.map(({ headers }) => decodeJwt(String(headers.authorization).slice(7)).user_id)
  assert.ok(!users.includes(1))
})

for (const role of ['admin', 'moderator']) {
  test(`somebody with the role ${role} is never edited, blocked or adopted`, async (t) => {
    const community = aCommunity()
    community.roles.set(7, role)
    const { server, connection } = await connected(t, community)
    const account = await read(connection, '7')
    assert.equal((await thrownBy(connection.update(aCall(), account, values({ real_name: 'A' })))).kind, 'immutable')
    assert.equal((await thrownBy(connection.update(aCall(), account, values({ status: 'b' })))).kind, 'immutable')
    const [found] = await connection.find(aCall(), 'email', 'ada@uni.example', new Map())
    assert.match(found?.protectedBecause ?? '', new RegExp(role))
    assert.deepEqual(writes(server), [])
  })
}

for (const status of ['b', 'd']) {
  for (const token of ['taken', 'refused']) {
    test(`an administrator whose status is ${status} and whose token is ${token} is not switched on, nor deleted`, async (t) => {
      const community = aCommunity()
      community.roles.set(8, 'admin')
      const bob = community.people.find(({ id }) => id === 8)
      assert.ok(bob)
      const { server, connection } = await connected(t, community)
      const account = await read(connection, '8')
      bob.status = status
      const before = { ...account, attributes: new Map([...account.attributes, ['status', status]]) }
      community.before = ({ path, headers }) => {
        const isBob = decodeJwt(String(headers.authorization).slice(7)).user_id === 8
        const isOff = token === 'refused' && bob.status !== 'a'
        return isBob && isOff && path.endsWith('/me/') ? { status: 401, json: { errors: [] } } : undefined
      }
      assert.equal((await thrownBy(connection.update(aCall(), before, values({ status: 'a' })))).kind, 'immutable')
      assert.equal(bob.status, status)
      if (token === 'refused' || status === 'd') return
      server.forget()
      assert.equal((await thrownBy(connection.remove?.(aCall(), '8') ?? Promise.resolve())).kind, 'immutable')
      assert.deepEqual(writes(server), [])
    })
  }
}

test('a walk lists active, blocked and deleted people once, with their e-mail', async (t) => {
  const community = aCommunity()
  community.people.push({ ...(community.people[2] as Person), id: 9, username: 'gone', status: 'd' })
  const { connection } = await connected(t, community)
  const listed: string[] = []
  let cursor: string | undefined
  do {
    const { accounts, next } = await connection.list(aCall(), cursor)
    for (const { id, attributes } of accounts)
      listed.push(`${id} ${attributes.get('status')} ${attributes.get('email')}`)
    // Ada is blocked by hand while the walk goes on: she would come again among the blocked.
    for (const person of community.people) if (person.id === 7) person.status = 'b'
    cursor = next
  } while (cursor !== undefined)
  assert.deepEqual(listed, [
    '1 a c@uni.example',
    '2 a s@uni.example',
    '7 a ada@uni.example',
    '8 b bob@uni.example',
    '9 d ada@uni.example',
  ])
})

test('an account that vanished between the read and the edit is Absent', async (t) => {
  const community = aCommunity()
  const { connection } = await connected(t, community)
  const account = await read(connection, '7')
  community.people.splice(2, 1)
  for (const status of [401, 403, 404]) {
    community.before = ({ path, method }) =>
      path.endsWith('/me/') || method === 'PATCH' ? { status, json: { errors: [] } } : undefined
    const error = await thrownBy(connection.update(aCall(), account, values({ real_name: 'A' })))
    assert.equal(error.kind, 'absent', String(status))
  }
})
