import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { systemClock } from '../../src/clock.ts'
import { createLog } from '../../src/log.ts'
import { claimTask, whileClaimed } from '../../src/store/claim-store.ts'
import { StoreRefused } from '../../src/store/failures.ts'
import { NewerSchema } from '../../src/store/newer-schema.ts'
import { openPostgres } from '../../src/store/open-postgres.ts'
import { createPostgresPool } from '../../src/store/postgres.ts'
import { migratePostgres } from '../../src/store/postgres-migrate.ts'
import { lockOf } from '../../src/store/postgres-transactions.ts'
import { createSealer, newKey, plainSealer } from '../../src/store/sealing.ts'
import { NameTaken, StoreUnavailable } from '../../src/store/store.ts'
import { eventually } from '../eventually.ts'
import { isLockAwaited, type PostgresServer, skipPostgres, startPostgres } from '../postgres-server.ts'
import { anAuditEntry, aUser } from './builders.ts'
import { type OpenEmpty, storeContract } from './contract.ts'
import { auditContract } from './contract-audit.ts'
import { consoleContract } from './contract-console.ts'
import { erasureContract } from './contract-erasure.ts'
import { openedPostgres } from './opened-postgres.ts'
import { describeSchema } from './postgres-schema.ts'
import { schemasInTurns } from './postgres-turns.ts'
import { whileOpen } from './while-open.ts'

type Context = Parameters<OpenEmpty>[0]

describe('PostgreSQL', { skip: skipPostgres }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.end())

  const emptySchema = schemasInTurns(() => server)
  const openedEmpty = async (t: Context, sealer = plainSealer) => openedPostgres(t, await emptySchema(t), sealer)

  storeContract('the PostgreSQL store', (t) => openedEmpty(t))
  storeContract('the PostgreSQL store, sealed', (t) => openedEmpty(t, createSealer(newKey())))
  auditContract('the audit in PostgreSQL', async (t) => {
    // A schema of its own: tests change it.
    const location = server.location()
    const store = await openedPostgres(t, location)
    const client = await server.connect(location)
    t.after(() => client.end())
    return { store, change: (text) => client.query(text) }
  })
  erasureContract('the PostgreSQL store, forgetting', (t) => openedEmpty(t, createSealer(newKey())))
  consoleContract("the PostgreSQL store, for the operator's pages", (t) => openedEmpty(t))

  test('a sealed store is opened with its own key only, and holds no value of a person in clear', async (t) => {
    const location = server.location()
    const surroundings = { clock: systemClock, log: createLog('silent') }
    const key = newKey()
    const store = await openPostgres(location, { ...surroundings, sealer: createSealer(key) })
    await store.transaction((write) =>
      write.insertResource('okta', aUser('ada', { json: '{"userName":"ada@uni.example"}' })),
    )
    await store.close()
    const { rows } = await server.execute(location, "select json || coalesce(user_name_key, '') as text from resource")
    assert.equal(rows.length, 1)
    assert.ok(!String(rows[0]?.text).includes('ada@'), String(rows[0]?.text))
    for (const sealer of [plainSealer, createSealer(newKey())])
      await assert.rejects(openPostgres(location, { ...surroundings, sealer }), /is encrypted with the key/)
    const again = await openPostgres(location, { ...surroundings, sealer: createSealer(key) })
    t.after(() => again.close())
    assert.equal((await again.getUser('okta', 'ada'))?.resource.json, '{"userName":"ada@uni.example"}')
  })

  test('the migrations make the schema of postgres-schema.txt', async (t) => {
    const location = server.location()
    await openedPostgres(t, location)
    const golden = readFileSync(new URL('./postgres-schema.txt', import.meta.url), 'utf8')
    assert.equal(await describeSchema(server, location), golden)
  })

  test('PG 10 of several processes that start on an empty database one migrates it, and all can use it', async (t) => {
    const location = server.location()
    const stores = await Promise.all(Array.from({ length: 4 }, () => openedPostgres(t, location)))
    for (const [index, store] of stores.entries()) {
      await store.transaction((write) => write.insertResource('okta', aUser(`u${index}`)))
    }
    for (const store of stores) assert.equal(await store.count('okta', 'User'), 4)
    const { rows } = await server.execute(location, 'select count(*) = count(distinct number) as once from migration')
    assert.deepEqual(rows, [{ once: true }])
  })

  test('PG 11 a store of a newer release is refused, and who has it open goes on', async (t) => {
    const location = server.location()
    const store = await openedPostgres(t, location)
    await server.execute(location, 'insert into migration (number, at) values (9999, 0)')
    await assert.rejects(
      openedPostgres(t, location),
      (error) => error instanceof NewerSchema && /schema 9999; this release knows/.test(error.message),
    )
    await store.transaction((write) => write.insertResource('okta', aUser('ada')))
  })

  test('ST 14 a migration that fails half-way leaves nothing behind', async (t) => {
    const location = server.location()
    const schema = location.schema ?? ''
    await server.execute(location, `create schema ${schema}; create table ${schema}.member (name text)`)
    await assert.rejects(openedPostgres(t, location), StoreRefused)
    const { rows } = await server.execute(location, `select tablename from pg_tables where schemaname = '${schema}'`)
    assert.deepEqual(rows, [{ tablename: 'member' }])
  })

  test('a migration may take longer than a statement of a request, and who starts meanwhile waits for its end', async (t) => {
    const location = server.location({ statementMs: 1_000 })
    await (await openPostgres(location, { clock: systemClock, log: createLog('silent') })).close()
    const folder = mkdtempSync(join(tmpdir(), 'scim-bridge-migrations-'))
    t.after(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, '0001.sql'), 'create table slow_one (name text);\nselect pg_sleep(2.5);\n')
    const migrations = pathToFileURL(`${folder}/`)
    const list = { table: 'slow_migration', folder: migrations, own: migrations }
    const pool = createPostgresPool(location, createLog('silent'))
    t.after(() => pool.end())
    const start = async () => {
      const session = await pool.session()
      try {
        await migratePostgres(session, 0, list)
        const { rows } = await session.query<{ statement_timeout: string }>('show statement_timeout')
        assert.equal(rows[0]?.statement_timeout, '1s')
      } finally {
        session.release(true)
      }
    }
    await Promise.all([start(), start()])
    const { rows } = await server.execute(location, 'select count(*)::int as made from slow_migration')
    assert.deepEqual(rows, [{ made: 1 }])
  })

  test('a migration waits for tables that a dump reads as long as a request would, and says whom it has waited for', async (t) => {
    const location = server.location({ statementMs: 1_000 })
    await (await openPostgres(location, { clock: systemClock, log: createLog('silent') })).close()
    await server.execute(location, 'delete from migration where number >= 18')
    const dump = await server.connect(location)
    t.after(() => dump.end())
    await dump.query('begin')
    await dump.query('lock table claim in access share mode')
    await assert.rejects(openedPostgres(t, location), /another program holds its tables, a dump or .*: let it end/)
    await dump.query('commit')
    await (await openedPostgres(t, location)).ping()
  })

  test('a server that cannot be reached, and a wrong password, are told with the place and without the secret', async (t) => {
    const secret = 'not-the-right-password'
    for (const change of [{ port: 1 }, { password: () => secret }]) {
      await assert.rejects(openedPostgres(t, server.location(change)), (error) => {
        assert.ok(error instanceof StoreRefused)
        assert.match(error.message, /the database postgres on 127\.0\.0\.1:\d+ cannot be used as the store/)
        assert.doesNotMatch(error.message, new RegExp(secret))
        return true
      })
    }
  })

  test('no connection is no store, whatever the reason: nothing that the bridge has done wrong', async (t) => {
    const reasons = [
      { host: '/dev/null' },
      {
        password: () => {
          throw new Error('no file descriptors left')
        },
      },
    ]
    for (const change of reasons) {
      const pool = createPostgresPool(server.location(change), createLog('silent'))
      t.after(() => pool.end())
      await assert.rejects(pool.session(), (error) => {
        assert.ok(error instanceof StoreUnavailable, String(error))
        assert.match(error.message, /no connection$/)
        assert.match(String(error.cause), /ENOTDIR|no file descriptors left/)
        return true
      })
    }
  })

  test('a transaction goes on after a name that was taken, with all that it did before', async (t) => {
    const store = await openedPostgres(t, server.location())
    await store.transaction(async (write) => {
      await write.insertResource('okta', aUser('ada'))
      const same = aUser('eve', { keys: { userName: 'ADA@uni.example' } })
      await assert.rejects(write.insertResource('okta', same), NameTaken)
      await write.insertResource('okta', aUser('bob'))
    })
    assert.equal(await store.count('okta', 'User'), 2)
  })

  test('texts are ordered by code points, whatever the language of the database', async (t) => {
    const store = await openedPostgres(t, server.location())
    const ids = ['Zoe', 'adam', '_x', 'a-b', 'ab', 'éva', '\u{1f600}', '\uff21']
    await store.transaction(async (write) => {
      for (const id of ids) await write.insertResource('okta', aUser(id))
    })
    const order = { by: 'id', descending: false } as const
    const rows = await store.list('okta', { type: 'User', order, limit: 99 })
    const byBytes = ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    assert.deepEqual(
      rows.map(({ id }) => id),
      byBytes,
    )
  })

  test('texts that PostgreSQL cannot hold are found nowhere, and break nothing', async (t) => {
    const store = await openedPostgres(t, server.location())
    await store.transaction((write) => write.insertResource('okta', aUser('ada')))
    for (const odd of ['\0', 'ada\0', '\ud800', 'ada\udfff']) {
      assert.equal(await store.getResource('okta', 'User', odd), undefined)
      assert.deepEqual(
        await store.transaction((write) => write.unknownUsers('okta', ['ada', odd])).then((x) => x.length),
        1,
      )
    }
  })

  test('one connection does not wait for the transaction of another', async (t) => {
    const store = await openedPostgres(t, server.location())
    await whileOpen(
      store,
      (write) => write.insertResource('okta', aUser('ada')),
      async () => {
        await store.transaction((write) => write.insertResource('entra', aUser('ada')))
        assert.equal(await store.count('entra', 'User'), 1)
      },
    )
  })

  test('who waited for its turn goes by what the others have stored meanwhile, whatever isolation the role asks for', async (t) => {
    const location = server.location()
    const change = (text: string) => server.execute(location, `alter role bridge ${text}`)
    t.after(() => change('reset default_transaction_isolation'))
    await change("set default_transaction_isolation = 'repeatable read'")
    const stores = await Promise.all([openedPostgres(t, location), openedPostgres(t, location)])
    await stores[0].transaction((write) => write.insertResource('okta', aUser('ada')))
    const holder = await server.connect(location)
    t.after(() => holder.end())
    await holder.query(
      `begin; select ${lockOf("'okta'")}; update counter set value = value + 1 where name = 'resource.seq'`,
    )
    const waiting = stores[1].transaction((write) => write.insertResource('okta', aUser('eve')))
    await eventually('it waits for its turn', () => isLockAwaited(server, location))
    await holder.query('commit')
    await waiting
    assert.equal(await stores[0].count('okta', 'User'), 2)
  })

  test('two processes write one audit, and its chain holds', async (t) => {
    const location = server.location()
    const stores = [await openedPostgres(t, location), await openedPostgres(t, location)]
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        stores[index % 2]?.transaction((write) => write.appendAudit('okta', anAuditEntry())),
      ),
    )
    assert.deepEqual(await stores[0]?.verifyAudit('okta'), {
      rows: 40,
      erased: 0,
      brokenAt: undefined,
      fault: undefined,
    })
  })

  test('PG 8 of two processes one does a shared task, then the other one, also when the first has died over it', async (t) => {
    const location = server.location()
    const [first, second] = [await openedPostgres(t, location), await openedPostgres(t, location)]
    const task = { connection: 'okta', kind: 'requests', name: '' } as const
    const other = { ...task, connection: 'entra' }
    await whileClaimed(first, task, async () => {
      assert.equal(await whileClaimed(second, task, () => Promise.resolve('both')), undefined)
      assert.equal(await whileClaimed(second, other, () => Promise.resolve('another')), 'another')
    })
    assert.equal(await whileClaimed(second, task, () => Promise.resolve('after it')), 'after it')
    assert.equal(await claimTask(first, task), true)
    assert.equal(await claimTask(second, task), false)
    await server.execute(location, 'update claim set claimed_until = 0')
    assert.equal(await whileClaimed(second, task, () => Promise.resolve('after its death')), 'after its death')
  })

  test('a replica whose clock is ahead keeps the others waiting for no slot', async (t) => {
    const location = server.location()
    const ahead = await openedPostgres(t, location)
    const store = await openedPostgres(t, location)
    const slot = { intervalMs: 100, delayMs: 0, setBackMs: 0 }
    const now = Date.now()
    await ahead.transaction((write) => write.reserveSlot('okta', { ...slot, now: now + 120_000 }))
    const wait = await store.transaction((write) => write.reserveSlot('okta', { ...slot, now }))
    assert.ok(wait <= 100, `${wait} ms`)
  })

  test('claims that are held while the store is brought up to date stay held', async (t) => {
    const location = server.location()
    const store = await openedPostgres(t, location)
    assert.equal(await store.claim('okta', 'link', 'ada', 'ada'), true)
    await server.execute(location, 'delete from migration where number >= 18')
    const newer = await openedPostgres(t, location)
    assert.equal(await newer.claim('okta', 'link', 'ada', 'ada'), false)
    assert.equal(await store.claim('okta', 'link', 'ada', 'ada'), true)
  })

  test('PG 3 a server that goes away and comes back is used again, and what was committed is there', async (t) => {
    const store = await openedPostgres(t, server.location())
    await store.transaction((write) => write.insertResource('okta', aUser('ada')))
    const inside = store.transaction(async (write) => {
      await write.insertResource('okta', aUser('halfway'))
      await server.stop()
      await write.insertResource('okta', aUser('later'))
    })
    await assert.rejects(inside, StoreUnavailable)
    await assert.rejects(store.ping(), StoreUnavailable)
    await assert.rejects(
      store.transaction((write) => write.insertResource('okta', aUser('bob'))),
      StoreUnavailable,
    )
    await server.start()
    await eventually('the store answers', () =>
      store.ping().then(
        () => true,
        () => false,
      ),
    )
    assert.equal(await store.count('okta', 'User'), 1)
    await store.transaction((write) => write.insertResource('okta', aUser('bob')))
  })

  test('PG 4 a server that hangs is given up in time, and used again when it goes on', async (t) => {
    const store = await openedPostgres(t, server.location({ statementMs: 500 }))
    await store.transaction((write) => write.insertResource('okta', aUser('ada')))
    server.freeze()
    try {
      await assert.rejects(store.ping(), StoreUnavailable)
      await assert.rejects(
        store.transaction((write) => write.insertResource('okta', aUser('bob'))),
        StoreUnavailable,
      )
    } finally {
      server.thaw()
    }
    await eventually('the store answers', () =>
      store.ping().then(
        () => true,
        () => false,
      ),
    )
    assert.equal(await store.count('okta', 'User'), 1)
  })

  test('PG 13 when every writer waits, readers are still served', async (t) => {
    const location = server.location({ connections: 2 })
    const store = await openedPostgres(t, location)
    await whileOpen(
      store,
      (write) => write.insertResource('okta', aUser('ada')),
      async (end) => {
        const others = Array.from({ length: 10 }, (_, index) =>
          store.transaction((write) => write.insertResource('okta', aUser(`u${index}`))),
        )
        assert.equal(await store.count('okta', 'User'), 0)
        await Promise.all([end(), ...others])
      },
    )
    assert.equal(await store.count('okta', 'User'), 11)
  })

  test('while the writers of one connection wait for another process, those of another connection are served', async (t) => {
    const location = server.location({ connections: 6, statementMs: 3_000 })
    const store = await openedPostgres(t, location)
    const holder = await server.connect(location)
    t.after(() => holder.end())
    await holder.query(`begin; select ${lockOf("'okta'")}`)
    let ended = 0
    const waiting = Array.from({ length: 12 }, (_, index) =>
      store
        .transaction((write) => write.insertResource('okta', aUser(`u${index}`)))
        .finally(() => {
          ended += 1
        }),
    )
    const all = Promise.allSettled(waiting)
    await store.transaction((write) => write.insertResource('entra', aUser('ada')))
    assert.equal(ended, 0)
    await holder.query('commit')
    assert.ok((await all).every(({ status }) => status === 'fulfilled'))
    assert.equal(await store.count('okta', 'User'), 12)
  })

  test('a writer whose turn does not come in time is told so, and the next one is served', async (t) => {
    const store = await openedPostgres(t, server.location({ connections: 2, statementMs: 300 }))
    await whileOpen(
      store,
      (write) => write.insertResource('okta', aUser('ada')),
      async () => {
        for (const connection of ['okta', 'entra'])
          await assert.rejects(
            store.transaction((write) => write.insertResource(connection, aUser('eve'))),
            (error) => error instanceof StoreUnavailable && /too many writers wait for it$/.test(error.message),
          )
      },
    )
    await store.transaction((write) => write.insertResource('entra', aUser('eve')))
    assert.equal(await store.count('entra', 'User'), 1)
  })
})
