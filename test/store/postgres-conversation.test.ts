import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { PostgresLocation } from '../../src/store/location.ts'
import { lockOf } from '../../src/store/postgres-transactions.ts'
import { createSealer, newKey } from '../../src/store/sealing.ts'
import { AccountTaken, StoreUnavailable, type StoreWriter } from '../../src/store/store.ts'
import { eventually } from '../eventually.ts'
import { type PostgresServer, skipPostgres, startPostgres } from '../postgres-server.ts'
import { aGroupLink, aLink, anAuditEntry, anOperation, aUser } from './builders.ts'
import { openedPostgres } from './opened-postgres.ts'

type Context = { after(work: () => unknown): void }

describe('statements that go to PostgreSQL behind each other', { skip: skipPostgres }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.end())

  test('one that fails without being waited for takes the whole transaction with it, also when nothing is asked after it', async (t) => {
    const location = server.location()
    const store = await openedPostgres(t, location)
    await server.execute(location, "alter table audit add constraint no_calls check (event <> 'calling')")
    const refused = store.transaction(async (write) => {
      await write.insertResource('okta', aUser('ada'))
      await write.appendAudit('okta', anAuditEntry({ event: 'calling' }))
      return 'done'
    })
    await assert.rejects(refused, /no_calls/)
    assert.equal(await store.count('okta', 'User'), 0)
    assert.equal((await store.readAudit('okta', 0, 10)).length, 0)
  })

  test('what is asked after it is told the reason, and not that the transaction is over', async (t) => {
    const location = server.location()
    const store = await openedPostgres(t, location)
    await server.execute(location, "alter table audit add constraint no_calls check (event <> 'calling')")
    let told: unknown
    const refused = store.transaction(async (write) => {
      await write.appendAudit('okta', anAuditEntry({ event: 'calling' }))
      told = await write.count('okta', 'User').catch((error: unknown) => error)
    })
    await assert.rejects(refused, /no_calls/)
    assert.match(String(told), /no_calls/)
  })

  test('the connection is used again after such a failure', async (t) => {
    const location = server.location({ connections: 2 })
    const store = await openedPostgres(t, location)
    await server.execute(location, "alter table audit add constraint no_calls check (event <> 'calling')")
    for (let round = 0; round < 5; round += 1) {
      const refused = store.transaction((write) => write.appendAudit('okta', anAuditEntry({ event: 'calling' })))
      await assert.rejects(refused, /no_calls/)
      await store.transaction((write) => write.insertResource('okta', aUser(`u${round}`)))
    }
    assert.equal(await store.count('okta', 'User'), 5)
  })

  test('a name that is taken harms nothing that is asked at the same time', async (t) => {
    const store = await openedPostgres(t, server.location())
    await store.transaction(async (write) => {
      await write.insertResource('okta', aUser('ada'))
      await write.putGroupLink(aGroupLink('staff'))
      const [taken, found, count] = await Promise.allSettled([
        write.putGroupLink(aGroupLink('guests')),
        write.getResource('okta', 'User', 'ada'),
        write.count('okta', 'User'),
      ])
      assert.ok(taken.status === 'rejected' && taken.reason instanceof AccountTaken, String(taken.status))
      assert.equal(found.status === 'fulfilled' && found.value?.id, 'ada')
      assert.equal(count.status === 'fulfilled' && count.value, 1)
      await write.insertResource('okta', aUser('eve'))
    })
    assert.equal(await store.count('okta', 'User'), 2)
  })

  test('who is not let in any more stores nothing, also where no answer is waited for', async (t) => {
    const location = server.location()
    const store = await openedPostgres(t, location, createSealer(newKey()))
    await store.transaction((write) => write.putLink(aLink('okta', 'ada', { wasFlushed: false })))
    await server.execute(location, "update sealing set key_id = 'another'")
    await assert.rejects(
      store.transaction((write) => write.setFlushed('okta', 'ada')),
      (error) => error instanceof StoreUnavailable && /encrypted with another key/.test(error.message),
    )
    const { rows } = await server.execute(location, 'select was_flushed from link')
    assert.deepEqual(rows, [{ was_flushed: 0 }])
  })

  test('a transaction whose beginning was refused stores nothing of what was asked with it', async (t) => {
    const direct = server.location()
    const { location, refuseBegin } = await between(t, direct)
    const store = await openedPostgres(t, location)
    await store.transaction((write) => write.insertResource('okta', aUser('first')))
    const works: ((write: StoreWriter) => Promise<unknown>[])[] = [
      (write) => [write.putDeparture('okta', 'ada', 1), write.putDeparture('okta', 'eve', 1)],
      (write) => [write.count('okta', 'User'), write.insertResource('okta', aUser('ada'))],
      // Its name may be taken: that is asked between savepoints.
      (write) => [write.putGroupLink(aGroupLink('staff')), write.putDeparture('okta', 'ada', 1)],
      (write) => [write.putDeparture('okta', 'ada', 1), write.putDeparture('entra', 'ada', 1)],
    ]
    for (const work of works) {
      const refused = refuseBegin()
      const outcome = store.transaction(async (write) => {
        await Promise.allSettled(work(write))
      })
      await assert.rejects(outcome)
      assert.equal(refused(), true)
    }
    const { rows } = await server.execute(
      direct,
      `select (select count(*) from resource) as users, (select count(*) from departure) as leavers,
        (select count(*) from group_link) as groups, (select value from counter where name = 'resource.seq') as numbers`,
    )
    assert.deepEqual(rows, [{ users: '1', leavers: '0', groups: '0', numbers: '1' }])
  })

  test('a lock that is not had, and a table that is not there, are the reasons that are told', async (t) => {
    const location = server.location({ statementMs: 1_000 })
    const store = await openedPostgres(t, location)
    const holder = await server.connect(location)
    t.after(() => holder.end())
    await holder.query(`begin; select ${lockOf("'okta'")}`)
    const works: ((write: StoreWriter) => Promise<unknown>)[] = [
      (write) => write.insertResource('okta', aUser('ada')),
      (write) => Promise.all([write.putDeparture('okta', 'ada', 1), write.count('okta', 'User')]),
      // Its own lock is there; that of the second connection is not.
      (write) => Promise.all([write.count('entra', 'User'), write.count('okta', 'User'), write.count('okta', 'User')]),
    ]
    for (const work of works)
      await assert.rejects(
        store.transaction(work),
        (error) => error instanceof StoreUnavailable && /lock timeout/.test(String(error.cause)),
      )
    await holder.query('rollback')
    await holder.query(`alter schema ${location.schema} rename to ${location.schema}_elsewhere`)
    for (const work of works)
      await assert.rejects(
        store.transaction(work),
        (error) => !(error instanceof StoreUnavailable) && /relation "\w+" does not exist/.test(String(error)),
      )
  })

  test('more than the driver may keep at once are stored, all of them', async (t) => {
    const store = await openedPostgres(t, server.location())
    await store.transaction(async (write) => {
      for (let index = 0; index < 1_000; index += 1) await write.putDeparture('okta', `u${index}`, index)
    })
    assert.equal(await store.transaction((write) => write.countDepartures('okta', 0)), 1_000)
  })

  test('statements that nobody awaits are stored together with the others, or not at all', async (t) => {
    const location = server.location({ connections: 2 })
    const store = await openedPostgres(t, location)
    const leavers = (write: StoreWriter) => {
      for (let index = 0; index < 400; index += 1) write.putDeparture('okta', `u${index}`, index).catch(() => undefined)
    }
    const stored = 'select count(*)::int as rows, count(distinct xmin::text)::int as transactions from departure'
    const mistake = new Error('a mistake')
    const failed = store.transaction(async (write) => {
      await write.count('okta', 'User')
      leavers(write)
      throw mistake
    })
    await assert.rejects(failed, mistake)
    // The connection has been used again before it is looked at.
    await store.transaction((write) => write.insertResource('okta', aUser('ada')))
    assert.deepEqual((await server.execute(location, stored)).rows, [{ rows: 0, transactions: 0 }])
    await store.transaction(async (write) => leavers(write))
    assert.deepEqual((await server.execute(location, stored)).rows, [{ rows: 400, transactions: 1 }])
  })

  test('no more statements are under way than the driver may keep', async (t) => {
    const direct = server.location()
    const { location, seen, hold, letGo } = await between(t, direct)
    const store = await openedPostgres(t, location)
    await store.transaction(async (write) => {
      await write.count('okta', 'User')
      hold()
      const leavers = Array.from({ length: 450 }, (_, index) => write.putDeparture('okta', `u${index}`, index))
      await eventually('they are under way', () => seen('insert into departure') >= 200)
      // Meanwhile more of them would have come.
      await server.execute(direct, 'select 1')
      const most = seen('insert into departure')
      letGo()
      await Promise.all(leavers)
      assert.equal(most, 200)
    })
    assert.equal(seen('insert into departure'), 450)
    assert.equal((await server.execute(direct, 'select 1 from departure')).rows.length, 450)
  })

  test('what needs no answer travels with what does', async (t) => {
    const { location, messages } = await between(t, server.location())
    const store = await openedPostgres(t, location)
    await store.transaction((write) => write.insertResource('okta', aUser('first')))
    const before = messages()
    await store.transaction(async (write) => {
      await write.insertResource('okta', aUser('ada'))
      await write.putLink(aLink('okta', 'ada'))
      await write.putOperation('okta', anOperation('ada'))
      await write.appendAudit('okta', anAuditEntry())
    })
    // The number of the resource, the resource, the operation's number, the audit's, the commit; the link takes an account: two.
    assert.ok(messages() - before <= 8, `${messages() - before} messages`)
  })

  /** The same server behind a socket that sees what arrives, and can keep answers, or make of a `begin` no word of PostgreSQL's. */
  async function between(t: Context, location: PostgresLocation) {
    let messages = 0
    let said = ''
    let isRefusing = false
    const answers = new Set<Socket>()
    const proxy = createServer((socket) => {
      const onward = connect(location.port, location.host)
      socket.on('data', (bytes) => {
        messages += 1
        const text = bytes.toString('latin1')
        said += text
        const isChanged = isRefusing && text.includes('begin')
        if (isChanged) isRefusing = false
        onward.write(isChanged ? Buffer.from(text.replace('begin', 'bogus'), 'latin1') : bytes)
      })
      onward.on('data', (bytes) => void socket.write(bytes))
      onward.on('end', () => socket.end())
      answers.add(onward)
      socket.on('end', () => onward.end())
      socket.on('error', () => onward.destroy())
      onward.on('error', () => socket.destroy())
    })
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    t.after(() => proxy.close())
    const address = proxy.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    return {
      location: { ...location, host: '127.0.0.1', port },
      messages: () => messages,
      seen: (text: string) => said.split(text).length - 1,
      hold() {
        for (const onward of answers) onward.pause()
      },
      letGo() {
        for (const onward of answers) onward.resume()
      },
      /** The answer tells whether one came by. */
      refuseBegin() {
        isRefusing = true
        return () => !isRefusing
      },
    }
  }
})
