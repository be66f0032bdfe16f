import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { systemClock } from '../../src/clock.ts'
import { createLog } from '../../src/log.ts'
import { StoreInUse, StoreRefused } from '../../src/store/failures.ts'
import type { PostgresLocation } from '../../src/store/location.ts'
import { openPostgres } from '../../src/store/open-postgres.ts'
import { writersLock } from '../../src/store/postgres-transactions.ts'
import type { RekeyOptions, RekeyStep } from '../../src/store/rekey.ts'
import { rekeyPostgres } from '../../src/store/rekey-postgres.ts'
import { indexedColumns, sealedTables } from '../../src/store/sealed-columns.ts'
import { createSealer, newKey, plainSealer, type Sealer } from '../../src/store/sealing.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { eventually } from '../eventually.ts'
import { isLockAwaited, type PostgresServer, skipPostgres, startPostgres } from '../postgres-server.ts'
import { aUser } from '../store/builders.ts'
import { assertGoesThroughKeys, fill, keysOf, secrets, told } from '../store/rekey-world.ts'
import { whileOpen } from '../store/while-open.ts'

const log = createLog('silent')

describe('store rekey on PostgreSQL', { skip: skipPostgres }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.end())

  async function open(t: TestContext, location: PostgresLocation, sealer: Sealer, isBridge = false) {
    const store = await openPostgres(location, { clock: systemClock, log, sealer, isBridge })
    t.after(() => store.close())
    return store
  }

  /** A store with people in it that nobody has open, and what it tells of them. */
  async function filled(t: TestContext, sealer: Sealer) {
    const location = server.location()
    const store = await open(t, location, sealer)
    await fill(store)
    const before = await told(store)
    await store.close()
    return { location, before }
  }

  function rekey(location: PostgresLocation, to: Sealer, known: readonly Sealer[], more: Partial<RekeyOptions> = {}) {
    return rekeyPostgres(location, { clock: systemClock, log, to, known: [plainSealer, ...known], keysOf, ...more })
  }

  async function assertTells(t: TestContext, location: PostgresLocation, sealer: Sealer, before: unknown) {
    const store = await open(t, location, sealer)
    assert.deepEqual(await told(store), before)
    await store.close()
  }

  /** Those of the texts that are in the files of the tables. */
  async function readable(location: PostgresLocation, texts: readonly string[] = secrets): Promise<string[]> {
    await server.execute(location, 'checkpoint')
    const tables = new Set([...Object.keys(sealedTables), ...indexedColumns.map((column) => column.split('.')[0])])
    const found = new Set<string>()
    for (const table of tables) {
      const files = [table, ...(await toasts(location, table))].map(
        (name) => `pg_read_binary_file(pg_relation_filepath('${name}'))`,
      )
      const { rows } = await server.execute(location, `select ${files.join(' || ')} as bytes`)
      const content = Buffer.from(rows[0]?.bytes).toString('latin1').toLowerCase()
      for (const text of texts) if (content.includes(text.toLowerCase())) found.add(text)
    }
    return texts.filter((text) => found.has(text))
  }
  async function toasts(location: PostgresLocation, table = ''): Promise<string[]> {
    const { rows } = await server.execute(
      location,
      `select indexrelid::regclass::text as name from pg_index where indrelid = '${table}'::regclass`,
    )
    return rows.map(({ name }) => String(name))
  }

  test('a store is encrypted in place, goes over to another key, and is decrypted; it tells the same all the way', async (t) => {
    const { location, before } = await filled(t, plainSealer)
    await assertGoesThroughKeys({
      rekey: (to, known) => rekey(location, to, known),
      readable: (texts) => readable(location, texts),
      open: (sealer) => open(t, location, sealer),
      assertTells: (sealer) => assertTells(t, location, sealer, before),
    })
  })

  test('killed after any batch, or in the middle of one, it goes on where it was, and loses and repeats nothing', async (t) => {
    const [one, other] = [newKey(), newKey()]
    const [from, to] = [createSealer(one), createSealer(other)]
    const { location, before } = await filled(t, from)
    const program = fileURLToPath(new URL('../store/rekeyer.ts', import.meta.url))
    const place = JSON.stringify({ ...location, password: location.password?.() })
    const killed = async (when: number) => {
      const child = spawn(process.execPath, [program, place, one, other, String(when)], { stdio: 'ignore' })
      const [, signal] = await once(child, 'exit')
      assert.equal(signal, 'SIGKILL')
    }
    const written = async () => {
      const columns = ['resource.json', 'link.grants', 'group_link.name', 'operation.before', 'watch.document']
      const counts = [...columns, 'finding.done'].map((column) => {
        const [table, name] = column.split('.')
        return `(select count(*) from ${table} where ${name} like 'sealed:1:${to.keyId}:%')`
      })
      return Number((await server.execute(location, `select ${counts.join(' + ')} as count`)).rows[0]?.count)
    }
    const rows = 10
    await killed(-1)
    assert.equal(await written(), 0)
    await assert.rejects(open(t, location, to), /is being encrypted anew, and that was interrupted/)
    await killed(2)
    assert.equal(await written(), 2)
    await killed(-2)
    assert.equal(await written(), 3)
    const stop = new Error('stopped')
    let [stops, passed] = [0, 0]
    const stopping = (step: RekeyStep) => {
      assert.ok(step.step !== 'rows' || (step.done ?? 0) <= (step.of ?? 0), 'rows are counted on')
      throw stop
    }
    for (; passed < rows; stops += 1) {
      await assert.rejects(rekey(location, to, [from, to], { batch: 1, progress: stopping }), stop)
      const now = await written()
      assert.ok(now - passed <= 4 && stops < 40, `${now} rows after ${stops} stops`)
      passed = now
    }
    assert.ok(stops > 10, `${stops} stops`)
    // What is left are the ends of tables; then it is verified, and written anew.
    for (const step of ['rows', 'verified', 'rewritten']) {
      const progress = (told: RekeyStep) => {
        if (told.step === step) throw stop
      }
      const outcome = await rekey(location, to, [from, to], { progress }).catch((error: unknown) => error)
      assert.ok(outcome === stop || step === 'rows', String(outcome))
    }
    const last = await rekey(location, to, [from, to])
    assert.deepEqual(last, { from: from.keyId, to: to.keyId, rows: 0, verified: rows })
    await assertTells(t, location, to, before)
  })

  test('while a bridge runs it is refused and nothing has changed; while it runs no bridge starts', async (t) => {
    const sealer = createSealer(newKey())
    const { location, before } = await filled(t, plainSealer)
    const bridge = await open(t, location, plainSealer, true)
    await assert.rejects(rekey(location, sealer, [sealer]), (error) => {
      assert.ok(error instanceof StoreInUse)
      assert.match(error.message, /^a bridge is running on the store: stop it first, every replica/)
      return true
    })
    assert.deepEqual(await told(bridge), before)
    await bridge.close()

    const stop = new Error('stopped')
    const progress = () => {
      throw stop
    }
    await assert.rejects(rekey(location, sealer, [sealer], { batch: 1, progress }), stop)
    for (const how of [plainSealer, sealer])
      await assert.rejects(open(t, location, how, true), (error) => {
        assert.ok(error instanceof StoreRefused)
        assert.match(error.message, /is being encrypted anew, and that was interrupted: stop the bridge, then run/)
        return true
      })
    await rekey(location, sealer, [sealer])
    await assertTells(t, location, sealer, before)
  })

  test('a bridge that was starting when it began leaves it the store, and refuses to start', async (t) => {
    const [one, other] = [createSealer(newKey()), createSealer(newKey())]
    const { location, before } = await filled(t, one)
    const { host, port, user, database, password, schema } = location
    const holder = new pg.Client({
      host,
      port,
      user,
      database,
      password: password?.(),
      options: `-c search_path=${schema}`,
    })
    await holder.connect()
    t.after(() => holder.end())
    // It has seen that its key is the right one, and has not said yet that it runs.
    await holder.query('begin; lock table claim in exclusive mode')
    const starting = openPostgres(location, { clock: systemClock, log, sealer: one, isBridge: true })
    const refused = assert.rejects(starting, (error) => {
      assert.ok(error instanceof StoreRefused)
      assert.match(error.message, /is encrypted with the key/)
      return true
    })
    await eventually('it is about to say so', async () => {
      const { rows } = await server.execute(
        location,
        "select 1 from pg_locks where locktype = 'relation' and not granted",
      )
      return rows.length > 0
    })
    await rekey(location, other, [one, other])
    await holder.query('commit')
    await refused
    assert.equal((await server.execute(location, "select 1 from claim where kind = 'bridge'")).rows.length, 0)
    await assertTells(t, location, other, before)
  })

  test('what a bridge that slept through it would write is not stored: it has the key of before', async (t) => {
    const [one, other] = [createSealer(newKey()), createSealer(newKey())]
    const { location, before } = await filled(t, one)
    const sleeper = await open(t, location, one, true)
    // As if it had been stopped for more than a minute.
    await server.execute(location, 'delete from claim')
    await rekey(location, other, [one, other])
    await assert.rejects(
      sleeper.transaction((write) => write.insertResource('okta', aUser('late'))),
      (error) => {
        assert.ok(error instanceof StoreUnavailable)
        assert.match(error.message, /it is encrypted with another key now; start the bridge anew/)
        return true
      },
    )
    await sleeper.close()
    await assertTells(t, location, other, before)
  })

  for (const connection of ['okta', 'one-that-has-written-nothing-yet'])
    test(`who was writing of ${connection} when it began is waited for, and encrypted as well`, async (t) => {
      const sealer = createSealer(newKey())
      const { location } = await filled(t, plainSealer)
      const writer = await open(t, location, plainSealer)
      // Who comes later is refused instead.
      await whileOpen(
        writer,
        (write) => write.insertResource(connection, aUser('late')),
        async (end) => {
          const rekeying = rekey(location, sealer, [sealer])
          await eventually('it waits for the writer', () => isLockAwaited(server, location))
          await end()
          assert.equal((await rekeying).verified, 11)
        },
      )
      await writer.close()
      const store = await open(t, location, sealer)
      assert.equal((await store.getUser(connection, 'late'))?.resource.json, aUser('late').json)
    })

  test('who began to write while it waited for others, and is let in afterwards, finds the store encrypted', async (t) => {
    const { location } = await filled(t, plainSealer)
    const writer = await open(t, location, plainSealer)
    const holder = await server.connect(location)
    t.after(() => holder.end())
    await holder.query(`begin; select ${writersLock('alone')}`)
    const refused = assert.rejects(
      writer.transaction((write) => write.insertResource('okta', aUser('late'))),
      /it is encrypted with another key now/,
    )
    await eventually('it waits to be let in', () => isLockAwaited(server, location))
    await server.execute(location, "insert into sealing (name, key_id, proof) values ('next', 'another', '')")
    await holder.query('commit')
    await refused
    assert.equal((await server.execute(location, "select 1 from resource where id = 'late'")).rows.length, 0)
  })

  test('of two at once one comes to its end, and the other one says so', async (t) => {
    const sealer = createSealer(newKey())
    const { location, before } = await filled(t, plainSealer)
    let second: Promise<unknown> | undefined
    const first = rekey(location, sealer, [sealer], {
      batch: 1,
      progress: () => {
        second ??= rekey(location, sealer, [sealer], { batch: 1 }).catch((error: unknown) => error)
      },
    }).catch((error: unknown) => error)
    const outcomes = [await first, await second]
    const refused = outcomes.filter((outcome) => outcome instanceof Error)
    assert.ok(refused.length < 2)
    for (const error of refused) assert.match(String(error), /is being encrypted anew by another process/)
    await assertTells(t, location, sealer, before)
  })

  test('without the key of the store, or without a store, it is refused', async (t) => {
    const [one, other] = [createSealer(newKey()), createSealer(newKey())]
    const { location, before } = await filled(t, one)
    await assert.rejects(rekey(location, other, [other]), /is encrypted with the key \S+: put that key into/)
    await assertTells(t, location, one, before)
    await assert.rejects(rekey(server.location(), one, []), /has no store yet: start the bridge once/)
  })
})
