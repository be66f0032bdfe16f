/** A connection with more users than a filter may look at: what an index answers is answered, the rest is refused. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { userUrn } from '../../src/scim/attribute.ts'
import { aUser, type BridgeWorld, type ScimClient, startBridgeWorld } from '../bridge-world.ts'
import { changeStore } from '../change-store.ts'

const crowd = 20_500
let world: BridgeWorld
let scim: ScimClient
let last: JsonObject
before(async () => {
  world = await startBridgeWorld()
  scim = world.scim('figshare')
  // Every tenth is switched off; titles repeat.
  await changeStore(
    join(world.directory, 'bridge.sqlite'),
    `
    with recursive n (i) as (select 1 union all select i + 1 from n where i < ${crowd})
    insert into resource (connection, id, type, seq, version, visible, json, user_name_key, external_id, created, modified, active)
    select 'figshare', 'id-' || i, 'User', i, 1, 1,
      json_object('schemas', json_array('${userUrn}'), 'id', 'id-' || i, 'userName', 'user' || i, 'externalId', 'x' || i,
        'title', 'T' || (i % 7), 'active', json(case when i % 10 = 0 then 'false' else 'true' end)),
      'user' || i, 'x' || i, strftime('%Y-%m-%dT%H:%M:%fZ', 1700000000 + i, 'unixepoch'), '2026-01-01T00:00:00.000Z', i % 10 <> 0
    from n;
    insert into counter (connection, name, value) values ('figshare', 'visible.User', ${crowd}), ('figshare', 'resource.seq', ${crowd})`,
  )
  const created = await scim.post('/Users', aUser({ title: 'The last one' }))
  assert.equal(created.status, 201, created.text)
  last = created.body
})
after(() => world.stop())

const howMany = (fits: (number: number) => boolean) =>
  Array.from({ length: crowd }, (_, index) => index + 1).filter(fits).length
const list = (query: Record<string, string>) => scim.get(`/Users?${new URLSearchParams(query)}`)

test('a filter that no index serves is 400 tooMany, and says what to use', async () => {
  for (const filter of [
    'title eq "Nobody"',
    'userName co "user"',
    'nickName sw "user"',
    'title eq "T1" or userName eq "user1"',
    'not (userName eq "user1")',
  ]) {
    const answer = await list({ filter })
    assert.deepEqual([answer.status, answer.body.scimType], [400, 'tooMany'], filter)
    assert.match(answer.body.detail, /use eq on userName/)
  }
  const sorted = await list({ sortBy: 'title' })
  assert.deepEqual([sorted.status, sorted.body.scimType], [400, 'tooMany'])
  const walk = await list({ filter: 'title pr', cursor: '' })
  assert.deepEqual([walk.status, walk.body.scimType], [400, 'tooMany'])
})

test('what an index finds is answered at any size, with the right total', async () => {
  const rows: readonly [filter: string, total: number][] = [
    ['userName sw "USER2050"', 2],
    ['userName sw "user"', crowd],
    [
      'externalId sw "x205" and active eq false',
      howMany((number) => String(number).startsWith('205') && number % 10 === 0),
    ],
    ['active eq false', crowd / 10],
    ['active eq true', crowd - crowd / 10 + 1],
    ['active eq false and title eq "T1"', howMany((number) => number % 10 === 0 && number % 7 === 1)],
    ['userName eq "USER77" or externalId eq "x78" or id eq "id-79" or userName eq "user77"', 3],
    [`(userName eq "user77" or emails eq "${String(last.userName)}") and active eq true`, 2],
    ['meta.created lt "2023-11-14T22:13:21.5Z"', 1],
    ['meta.created ge "2023-11-15T03:55:00Z" and meta.created lt "2023-11-15T03:55:10Z"', 1],
    ['title eq "T3" and externalId eq "x10"', 1],
  ]
  for (const [filter, total] of rows) {
    const answer = await list({ filter, count: '2' })
    assert.equal(answer.status, 200, `${filter}: ${answer.text}`)
    assert.equal(answer.body.totalResults, total, filter)
  }
})

test('a walk by cursor passes all of them once, in any order that an index has', async () => {
  const queries: readonly Record<string, string>[] = [
    {},
    { sortBy: 'userName', sortOrder: 'descending' },
    { filter: 'active eq true' },
  ]
  for (const query of queries) {
    const seen = new Set<string>()
    let rows = 0
    let total = 0
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const { body } = await list({ ...query, cursor, count: '1000', attributes: 'id' })
      for (const user of body.Resources) seen.add(user.id)
      rows += body.itemsPerPage
      total = body.totalResults
      cursor = body.nextCursor
    }
    assert.deepEqual([seen.size, rows], [total, total])
    assert.ok(total > 18_000)
  }
})

test('others are answered while a filter looks at all it may', async () => {
  let isOver = false
  const scanning = list({ filter: 'title co "Nobody" or nickName co "Nobody"' }).then((answer) => {
    isOver = true
    return answer
  })
  let answered = 0
  while (!isOver) {
    assert.equal((await world.scim('dspace').get('/Users?count=1')).status, 200)
    if (!isOver) answered += 1
  }
  assert.equal((await scanning).status, 400)
  assert.ok(answered >= 3, `${answered} answered meanwhile`)
})
