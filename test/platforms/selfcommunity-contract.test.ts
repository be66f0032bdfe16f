import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Conflict, Denied, Unknown } from '../../src/errors.ts'
import { contractSuite } from './contract.ts'
import { selfcommunityWorld, startSelfcommunity } from './selfcommunity-world.ts'
import { aCall } from './world.ts'

contractSuite(selfcommunityWorld)

async function aCommunity(t: TestContext, options: Parameters<typeof startSelfcommunity>[0] = {}) {
  const world = await startSelfcommunity(options)
  t.after(() => world.close())
  return { ...world, connection: world.connect() }
}

const person = (key: string) => selfcommunityWorld.person(key)

for (const duplicateCode of ['unique', 'invalid', 'none'] as const) {
  for (const duplicateBody of ['json', 'text'] as const) {
    test(`a taken username is Conflict, where the code is ${duplicateCode} and the body ${duplicateBody}`, async (t) => {
      const knobs = { duplicateCode, duplicateBody, duplicateNamesField: false }
      const { connection } = await aCommunity(t, { knobs })
      await connection.create(aCall(), person('ada'))
      const rival = new Map([...person('bob'), ['username', 'ada-a24a7f']])
      await assert.rejects(
        connection.create(aCall(), rival),
        (error) => error instanceof Conflict && /username/.test(error.message),
      )
    })
  }
}

test('a sign-up whose answer was lost is Unknown, is not repeated, and is found afterwards', async (t) => {
  const { simulator, connection } = await aCommunity(t)
  simulator.fault({ mode: 'reset-after', only: 'writes' })
  await assert.rejects(connection.create(aCall(), person('ada')), Unknown)
  simulator.fault({ mode: 'ok' })
  assert.equal(simulator.calls.filter((call) => call.path.includes('signup')).length, 1)
  assert.equal((await connection.find(aCall(), 'ext_id', 'idp-ada', person('ada'))).length, 1)
})

for (const blockedJwt of [200, 401, 403] as const) {
  test(`somebody blocked is read, found, unblocked and edited, where the own token gets ${blockedJwt}`, async (t) => {
    const { connection } = await aCommunity(t, { knobs: { blockedJwt } })
    const made = await connection.create(aCall(), new Map([...person('ada'), ['status', 'b']]))
    const [found] = await connection.find(aCall(), 'ext_id', 'idp-ada', person('ada'))
    assert.deepEqual(found, made)
    const change = new Map([...selfcommunityWorld.change, ...selfcommunityWorld.on])
    const after = await connection.update(aCall(), made, change)
    assert.equal(after.attributes.get('real_name'), 'Ada King')
  })
}

for (const searchFindsDeleted of [true, false]) {
  test(`a deleted account is read and brought back, where the search ${searchFindsDeleted ? 'shows' : 'hides'} it`, async (t) => {
    const { connection } = await aCommunity(t, { knobs: { searchFindsDeleted } })
    const made = await connection.create(aCall(), person('ada'))
    await connection.remove?.(aCall(), made.id)
    const deleted = await connection.read(aCall(), made.id)
    assert.equal(deleted?.attributes.get('status'), 'd')
    assert.ok(deleted)
    const back = await connection.update(aCall(), deleted, selfcommunityWorld.on)
    assert.deepEqual(back.attributes, made.attributes)
  })
}

test('a deleted account that cannot be brought back is Conflict, and says that its ext_id stays reserved', async (t) => {
  const { connection } = await aCommunity(t, { knobs: { restoreDeleted: 400 } })
  const made = await connection.create(aCall(), person('ada'))
  await connection.remove?.(aCall(), made.id)
  const deleted = await connection.read(aCall(), made.id)
  assert.ok(deleted)
  await assert.rejects(
    connection.update(aCall(), deleted, selfcommunityWorld.on),
    (error) => error instanceof Conflict && /ext_id stays reserved/.test(error.message),
  )
})

for (const linkFillsExtId of [true, false]) {
  test(`an account made by hand is linked by an ext_id that ${linkFillsExtId ? 'shows' : 'does not show'}`, async (t) => {
    const { site, connection } = await aCommunity(t, { knobs: { linkFillsExtId } })
    const { id } = site.addUser({ username: 'by-hand', email: 'ada@uni.example' })
    const [account] = await connection.find(aCall(), 'email', 'ada@uni.example', person('ada'))
    assert.equal(account?.id, String(id))
    assert.ok(account)
    assert.equal(connection.refuseAdoption?.(account, person('ada')), undefined)
    const after = await connection.update(aCall(), account, new Map([['ext_id', 'idp-ada']]))
    assert.equal(after.attributes.get('ext_id'), 'idp-ada')
    assert.equal(site.userByExtId('idp-ada')?.id, id)
  })
}

for (const moderationRows of ['full', 'bare'] as const) {
  test(`a walk gives whole accounts in pages, where rows are ${moderationRows}`, async (t) => {
    const { connection } = await aCommunity(t, { knobs: { moderationRows, maxPageSize: 2 } })
    const made = []
    for (const key of ['ada', 'bob', 'cyd', 'dee', 'eve']) made.push(await connection.create(aCall(), person(key)))
    const listed = []
    let cursor: string | undefined
    do {
      const page = await connection.list(aCall(), cursor)
      listed.push(...page.accounts)
      cursor = page.next
    } while (cursor !== undefined)
    for (const account of made)
      assert.deepEqual(
        listed.find(({ id }) => id === account.id),
        account,
      )
    // The creator and the service user.
    assert.equal(listed.length, made.length + 2)
  })
}

test('a walk misses nobody when people before its page are blocked meanwhile', async (t) => {
  const { site, connection } = await aCommunity(t, { knobs: { maxPageSize: 3 } })
  const ids = ['ada', 'bob', 'cyd', 'dee', 'eve', 'fay', 'gus'].map((username) => site.addUser({ username }).id)
  const listed: string[] = []
  let cursor: string | undefined
  do {
    const page = await connection.list(aCall(), cursor)
    if (cursor === undefined) site.setStatus(ids[0] ?? 0, 'b')
    listed.push(...page.accounts.map(({ id }) => id))
    cursor = page.next
  } while (cursor !== undefined)
  assert.deepEqual(
    listed.map(Number).sort((a, b) => a - b),
    [1, 2, ...ids],
  )
})

test('somebody with more tags than a page has is seen with all of them', async (t) => {
  const { site, connection } = await aCommunity(t, { knobs: { maxPageSize: 2 } })
  const { id } = await connection.create(aCall(), person('ada'))
  const tags = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ tag: site.addTag({ name }).name }))
  assert.equal((await connection.writeGrants(aCall(), id, tags, [])).length, 5)
})

test('an administrator without the right to moderate is Denied by the check', async (t) => {
  const { connection } = await aCommunity(t, { knobs: { adminModerates: false } })
  await assert.rejects(connection.check(aCall()), Denied)
})

test('the creator is never touched, whatever is asked', async (t) => {
  const { site, connection } = await aCommunity(t)
  await connection.check(aCall())
  for (const key of ['ada', 'bob']) await connection.create(aCall(), person(key))
  const creator = await connection.read(aCall(), '1')
  assert.ok(creator)
  await connection.update(aCall(), creator, selfcommunityWorld.off).catch(() => undefined)
  await connection.remove?.(aCall(), '1').catch(() => undefined)
  await connection.writeGrants(aCall(), '1', [{ tag: 'staff' }], []).catch(() => undefined)
  assert.deepEqual(site.touched, [])
})

test('a secret that was changed is Denied', async (t) => {
  const { site, connection } = await aCommunity(t)
  await connection.check(aCall())
  site.changeSecret('the next one')
  await assert.rejects(connection.read(aCall(), '2'), Denied)
})
