/** Figshare changes state and group by one call, and a leaver must not stay because of the group. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { figshare } from '../../src/platforms/figshare/figshare.ts'
import { noPace, scriptedServer } from './scripted-server.ts'
import { thrownBy } from './thrown.ts'
import { aCall } from './world.ts'

const ada = {
  id: 7,
  user_id: 70,
  email: 'ada@uni.example',
  institution_user_id: 'ada',
  first_name: 'Ada',
  last_name: 'Lovelace',
  group_id: 101,
  active: 1,
}

/** A portal that answers every PUT into the group 666 with this status. */
async function aPortal(t: TestContext, status: number) {
  let stored = ada
  const server = await scriptedServer(({ method, path, text }) => {
    if (path === '/account') return { json: { id: 1 } }
    if (path === '/account/institution/users/7') return { json: { first_name: 'Ada', last_name: 'Lovelace' } }
    if (method !== 'PUT') return { json: stored }
    const { group_id, is_active } = JSON.parse(text)
    if (group_id === 666) return { status, json: { message: 'Internal' } }
    stored = { ...stored, group_id, active: is_active ? 1 : 0 }
    return { status: 205 }
  })
  const connection = figshare.connect(figshare.settings.parse({ token: 'token' }), {
    client: { baseUrl: server.baseUrl, pace: noPace, timeoutMs: 2_000 },
    clock: { now: () => 1_000, sleep: async () => undefined },
  })
  t.after(async () => {
    await connection.close()
    await server.close()
  })
  return { connection, server, stored: () => stored }
}

for (const [status, kind] of [
  [400, 'refused'],
  [403, 'denied'],
  [404, 'denied'],
  [500, 'unknown'],
] as const) {
  test(`a leaver whose new group Figshare answers with ${status} is switched off in the old one`, async (t) => {
    const { connection, stored } = await aPortal(t, status)
    const before = await connection.read(aCall(), '7')
    assert.ok(before)
    const changes = new Map<string, boolean | number>([
      ['is_active', false],
      ['group_id', 666],
    ])
    assert.equal((await thrownBy(connection.update(aCall(), before, changes))).kind, kind)
    assert.deepEqual([stored().active, stored().group_id], [0, 101])
  })
}

test('somebody who comes back is moved and switched on by one call', async (t) => {
  const { connection, server } = await aPortal(t, 500)
  const before = await connection.read(aCall(), '7')
  assert.ok(before)
  await connection.update(aCall(), before, new Map([['is_active', false]]))
  server.forget()
  const off = await connection.read(aCall(), '7')
  assert.ok(off)
  const after = await connection.update(
    aCall(),
    off,
    new Map<string, boolean | number>([
      ['is_active', true],
      ['group_id', 102],
    ]),
  )
  assert.deepEqual([after.attributes.get('is_active'), after.attributes.get('group_id')], [true, 102])
  assert.equal(server.lines().filter((line) => line.startsWith('PUT')).length, 1)
})
