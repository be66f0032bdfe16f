import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Store, StoreWriter } from '../../src/store/store.ts'
import { NameTaken } from '../../src/store/store.ts'
import { aGroup, aUser, later, now } from './builders.ts'
import { claimContract } from './contract-claims.ts'
import { grantContract } from './contract-grants.ts'
import { groupContract } from './contract-groups.ts'
import { linkContract } from './contract-links.ts'
import { listContract } from './contract-lists.ts'
import { operatorContract } from './contract-operators.ts'
import { slotContract } from './contract-slots.ts'
import { walkContract } from './contract-walks.ts'
import { whileOpen } from './while-open.ts'

/** Opens an empty store; whoever opens it closes it after the test. */
export type OpenEmpty = (context: { after(close: () => Promise<void>): void }) => Promise<Store>

/** What every store promises, whatever it is made of. */
export function storeContract(title: string, open: OpenEmpty): void {
  describe(title, () => {
    resourceContract(open)
    tenancyContract(open)
    transactionContract(open)
    listContract(open)
    groupContract(open)
    grantContract(open)
    operatorContract(open)
    slotContract(open)
    linkContract(open)
    walkContract(open)
    claimContract(open)
  })
}

function resourceContract(open: OpenEmpty): void {
  test('a user that was inserted is read back as stored', async (t) => {
    const store = await open(t)
    const stored = await store.transaction((write) => write.insertResource('okta', aUser('ada')))
    assert.deepEqual(await store.getResource('okta', 'User', 'ada'), stored)
    assert.deepEqual(stored, {
      connection: 'okta',
      type: 'User',
      id: 'ada',
      seq: 1,
      version: 1,
      json: aUser('ada').json,
      created: now,
      modified: now,
    })
  })

  test('a user is not found as a group, nor by another spelling of its id', async (t) => {
    const store = await open(t)
    await store.transaction((write) => write.insertResource('okta', aUser('ada')))
    assert.equal(await store.getResource('okta', 'Group', 'ada'), undefined)
    assert.equal(await store.getResource('okta', 'User', 'Ada'), undefined)
    assert.equal(await store.getResource('okta', 'User', 'ada" or "1"="1'), undefined)
  })

  for (const [first, second] of [
    ['ada@uni.example', 'ADA@Uni.Example'],
    ['åsa@uni.example', 'ÅSA@uni.example'],
    ['åsa@uni.example', 'a\u030asa@uni.example'],
    ['ψυχή', 'ΨΥΧΉ'],
    ['adm１', 'ADM1'],
  ] as const) {
    test(`the userName ${second} is taken by ${first}`, async (t) => {
      const store = await open(t)
      await store.transaction((write) => write.insertResource('okta', aUser('1', { keys: { userName: first } })))
      await assert.rejects(
        store.transaction((write) => write.insertResource('okta', aUser('2', { keys: { userName: second } }))),
        NameTaken,
      )
      await store.transaction((write) => write.insertResource('okta', aUser('3')))
      await assert.rejects(
        store.transaction((write) => write.updateResource('okta', { ...change('3', 1), keys: { userName: second } })),
        NameTaken,
      )
      assert.equal(await store.count('okta', 'User'), 2)
    })
  }

  test('a name stays taken while its create is not confirmed', async (t) => {
    const store = await open(t)
    await store.transaction((write) => write.insertResource('okta', aUser('ada', { visible: false })))
    const again = aUser('other', { keys: { userName: 'ada@uni.example' } })
    await assert.rejects(
      store.transaction((write) => write.insertResource('okta', again)),
      NameTaken,
    )
    const found = await store.transaction((write) => write.findByUniqueName('okta', 'User', 'ADA@uni.example'))
    assert.equal(found?.id, 'ada')
    assert.equal(found?.visible, false)
  })

  test('two groups cannot have one displayName, two users can', async (t) => {
    const store = await open(t)
    const keys = { displayName: 'Physics' }
    await store.transaction(async (write) => {
      await write.insertResource('okta', aGroup('g1', { keys }))
      await write.insertResource('okta', aUser('u1', { keys }))
      await write.insertResource('okta', aUser('u2', { keys }))
    })
    await assert.rejects(
      store.transaction((write) => write.insertResource('okta', aGroup('g2', { keys: { displayName: 'PHYSICS' } }))),
      NameTaken,
    )
    const found = await store.transaction((write) => write.findByUniqueName('okta', 'Group', 'physics'))
    assert.equal(found?.id, 'g1')
  })

  test('a name is free again after its resource was deleted or renamed', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.insertResource('okta', aUser('ada'))
      await write.insertResource('okta', aUser('bob'))
      await write.deleteResource('okta', 'User', 'ada')
      await write.updateResource('okta', { ...change('bob', 1), keys: { userName: 'robert@uni.example' } })
      await write.insertResource('okta', aUser('ada2', { keys: { userName: 'ada@uni.example' } }))
      await write.insertResource('okta', aUser('bob2', { keys: { userName: 'bob@uni.example' } }))
    })
    assert.equal(await store.count('okta', 'User'), 3)
  })

  test('an update adds one to the version, keeps seq and created, and is refused for an older version', async (t) => {
    const store = await open(t)
    await store.transaction((write) => write.insertResource('okta', aUser('ada')))
    const updated = await store.transaction((write) => write.updateResource('okta', change('ada', 1)))
    assert.deepEqual(updated, {
      connection: 'okta',
      type: 'User',
      id: 'ada',
      seq: 1,
      version: 2,
      json: '{"new":true}',
      created: now,
      modified: later,
    })
    assert.equal(await store.transaction((write) => write.updateResource('okta', change('ada', 1))), undefined)
    assert.equal(await store.transaction((write) => write.updateResource('okta', change('nobody', 1))), undefined)
    assert.deepEqual(await store.getResource('okta', 'User', 'ada'), updated)
  })

  test('touching resources adds one to each version and nothing else', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      for (const id of ['a', 'b', 'c']) await write.insertResource('okta', aUser(id))
      await write.touchResources('okta', 'User', ['a', 'c', 'nobody'], later)
      await write.touchResources('okta', 'User', [], later)
      await write.touchResources('okta', 'Group', ['b'], later)
    })
    const rows = await store.list('okta', { type: 'User', limit: 10 })
    assert.deepEqual(
      rows.map(({ id, version, modified, json }) => [id, version, modified, json]),
      [
        ['a', 2, later, aUser('a').json],
        ['b', 1, now, aUser('b').json],
        ['c', 2, later, aUser('c').json],
      ],
    )
  })

  test('an unconfirmed user is invisible to reads, lists and counts until it is shown', async (t) => {
    const store = await open(t)
    const keys = { emails: [{ value: 'ada@uni.example' }] }
    await store.transaction((write) => write.insertResource('okta', aUser('ada', { visible: false, keys })))
    const byEmail = { attribute: 'email', equals: 'ada@uni.example' } as const
    assert.equal(await store.getResource('okta', 'User', 'ada'), undefined)
    assert.deepEqual(await store.list('okta', { type: 'User', limit: 10 }), [])
    assert.deepEqual(await store.list('okta', { type: 'User', where: byEmail, limit: 10 }), [])
    assert.equal(await store.count('okta', 'User'), 0)
    assert.equal(await store.count('okta', 'User', byEmail), 0)
    const any = await store.transaction((write) => write.getAnyResource('okta', 'User', 'ada'))
    assert.equal(any?.visible, false)
    await store.transaction((write) => write.showResource('okta', 'User', 'ada'))
    await store.transaction((write) => write.showResource('okta', 'User', 'ada'))
    assert.equal((await store.getResource('okta', 'User', 'ada'))?.version, 1)
    assert.equal(await store.count('okta', 'User'), 1)
  })

  test('the count follows inserts, deletes and what was never visible', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      for (const id of ['a', 'b', 'c']) await write.insertResource('okta', aUser(id))
      await write.insertResource('okta', aUser('hidden', { visible: false }))
      await write.insertResource('okta', aGroup('g'))
      await write.deleteResource('okta', 'User', 'b')
      await write.deleteResource('okta', 'User', 'hidden')
      await write.deleteResource('okta', 'User', 'nobody')
    })
    assert.equal(await store.count('okta', 'User'), 2)
    assert.equal(await store.count('okta', 'Group'), 1)
  })

  test('seq increases and is never given twice, also after deletes', async (t) => {
    const store = await open(t)
    const seqs = await store.transaction(async (write) => {
      const first = await write.insertResource('okta', aUser('a'))
      const group = await write.insertResource('okta', aGroup('g'))
      await write.deleteResource('okta', 'Group', 'g')
      const last = await write.insertResource('okta', aUser('b'))
      return [first.seq, group.seq, last.seq]
    })
    assert.deepEqual(seqs, [1, 2, 3])
  })
}

function tenancyContract(open: OpenEmpty): void {
  test('the same ids and names in two connections never meet', async (t) => {
    const store = await open(t)
    const fill = async (write: StoreWriter, connection: string) => {
      const keys = { userName: 'ada@uni.example', externalId: 'x', emails: [{ value: 'ada@uni.example' }] }
      await write.insertResource(connection, aUser('ada', { json: `"${connection}"`, keys }))
      await write.insertResource(connection, aGroup('g'))
      await write.addMembers(connection, 'g', ['ada'])
    }
    await store.transaction(async (write) => {
      await fill(write, 'okta')
      await fill(write, 'entra')
      await write.deleteResource('okta', 'Group', 'g')
    })
    for (const attribute of ['id', 'userName', 'externalId', 'email'] as const) {
      const equals = { id: 'ada', userName: 'ada@uni.example', externalId: 'x', email: 'ada@uni.example' }[attribute]
      const found = await store.list('entra', { type: 'User', where: { attribute, equals }, limit: 10 })
      assert.deepEqual(
        found.map((resource) => resource.json),
        ['"entra"'],
        attribute,
      )
    }
    assert.deepEqual(await store.members('okta', 'g'), [])
    assert.equal((await store.members('entra', 'g')).length, 1)
    assert.equal((await store.groupsOf('okta', ['ada'])).size, 0)
    assert.equal((await store.groupsOf('entra', ['ada'])).size, 1)
    assert.equal(await store.count('okta', 'Group'), 0)
    assert.equal(await store.getResource('other', 'User', 'ada'), undefined)
  })

  test("writes under one connection's name leave the other's rows alone", async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.insertResource('okta', aUser('ada'))
      await write.insertResource('okta', aGroup('g'))
      await write.addMembers('okta', 'g', ['ada'])
      await write.touchResources('entra', 'User', ['ada'], later)
      await write.showResource('entra', 'User', 'ada')
      await write.deleteResource('entra', 'User', 'ada')
      await write.removeMembers('entra', 'g', ['ada'])
      await write.removeAllMembers('entra', 'g')
      await write.replaceMembers('entra', 'g', [])
      assert.equal(await write.updateResource('entra', change('ada', 1)), undefined)
      assert.equal(await write.getAnyResource('entra', 'User', 'ada'), undefined)
      assert.equal(await write.findByUniqueName('entra', 'User', 'ada@uni.example'), undefined)
      assert.deepEqual(await write.unknownUsers('entra', ['ada']), ['ada'])
    })
    assert.equal((await store.getResource('okta', 'User', 'ada'))?.version, 1)
    assert.equal((await store.members('okta', 'g')).length, 1)
    assert.equal(await store.count('entra', 'User'), 0)
  })

  test("what is found by e-mail or member is the connection's own, though ids are shared", async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      for (const connection of ['okta', 'entra']) {
        const emails = connection === 'entra' ? [{ value: 'ada@uni.example', type: 'work' }] : []
        await write.insertResource(connection, aUser('ada', { keys: { emails } }))
        await write.insertResource(connection, aGroup('g'))
      }
      await write.addMembers('entra', 'g', ['ada'])
    })
    const byMember = { attribute: 'member', equals: 'ada' } as const
    const byEmail = { attribute: 'email', equals: 'ada@uni.example' } as const
    const byTypedEmail = { ...byEmail, type: 'work' }
    for (const [connection, found] of [
      ['okta', 0],
      ['entra', 1],
    ] as const) {
      assert.equal((await store.list(connection, { type: 'Group', where: byMember, limit: 9 })).length, found)
      assert.equal((await store.list(connection, { type: 'User', where: byEmail, limit: 9 })).length, found)
      assert.equal(await store.count(connection, 'User', byTypedEmail), found)
    }
  })

  test('a user of one connection cannot become a member in another', async (t) => {
    const store = await open(t)
    await store.transaction(async (write) => {
      await write.insertResource('okta', aUser('ada'))
      await write.insertResource('entra', aGroup('g'))
    })
    await assert.rejects(store.transaction((write) => write.addMembers('entra', 'g', ['ada'])))
    assert.deepEqual(await store.members('entra', 'g'), [])
  })
}

function transactionContract(open: OpenEmpty): void {
  test('work that throws leaves nothing, and its error is thrown on', async (t) => {
    const store = await open(t)
    const mistake = new Error('mistake')
    const work = store.transaction(async (write) => {
      await write.insertResource('okta', aUser('ada'))
      throw mistake
    })
    await assert.rejects(work, mistake)
    assert.equal(await store.getResource('okta', 'User', 'ada'), undefined)
    assert.equal(await store.count('okta', 'User'), 0)
    const stored = await store.transaction((write) => write.insertResource('okta', aUser('ada')))
    assert.equal(stored.seq, 1)
  })

  test('reads see a transaction only after it has ended, and do not wait for it', async (t) => {
    const store = await open(t)
    const work = async (write: StoreWriter) => {
      await write.insertResource('okta', aUser('ada'))
      assert.equal((await write.getResource('okta', 'User', 'ada'))?.id, 'ada')
    }
    await whileOpen(store, work, async () => {
      assert.equal(await store.getResource('okta', 'User', 'ada'), undefined)
    })
    assert.equal((await store.getResource('okta', 'User', 'ada'))?.id, 'ada')
  })

  test('fifty writers at once are served one after the other, and none is lost', async (t) => {
    const store = await open(t)
    await store.transaction((write) => write.insertResource('okta', aUser('ada', { json: '0' })))
    const addOne = async (write: StoreWriter) => {
      const current = await write.getAnyResource('okta', 'User', 'ada')
      await new Promise((resolve) => setImmediate(resolve))
      const json = String(Number(current?.json) + 1)
      await write.updateResource('okta', { ...change('ada', current?.version ?? 0), json })
    }
    await Promise.all(Array.from({ length: 50 }, () => store.transaction(addOne)))
    assert.equal((await store.getResource('okta', 'User', 'ada'))?.json, '50')
  })

  test('a writer cannot be used after its transaction', async (t) => {
    const store = await open(t)
    const writer = await store.transaction(async (write) => write)
    await assert.rejects(writer.insertResource('okta', aUser('ada')), /used after its end/)
    assert.equal(await store.count('okta', 'User'), 0)
  })

  test('a statement that was not awaited is part of its transaction or fails, never on its own', async (t) => {
    const store = await open(t)
    const mistake = new Error('mistake')
    const work = store.transaction(async (write) => {
      write.insertResource('okta', aUser('ada')).catch(() => undefined)
      throw mistake
    })
    await assert.rejects(work, mistake)
    assert.equal(await store.count('okta', 'User'), 0)
    assert.equal(await store.getResource('okta', 'User', 'ada'), undefined)
  })

  test('a transaction inside a transaction is refused, because it would wait for itself', async (t) => {
    const store = await open(t)
    const work = store.transaction(() => store.transaction(async () => 1))
    await assert.rejects(work, /inside a transaction/)
    assert.equal(await store.transaction(async () => 2), 2)
  })
}

function change(id: string, expectedVersion: number) {
  const keys = { userName: `${id}@uni.example` }
  return { type: 'User' as const, id, expectedVersion, json: '{"new":true}', keys, now: later }
}
