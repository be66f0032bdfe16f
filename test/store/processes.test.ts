import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/clock.ts'
import { StoreRefused } from '../../src/store/failures.ts'
import { leaseMs, renewalMs } from '../../src/store/lease.ts'
import { machine } from '../../src/store/machine.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { aUser } from './builders.ts'
import { aClock, aFile, opened } from './places.ts'

/** Starts `holder.ts` and answers the first line that it says. */
async function aHolder(
  t: TestContext,
  file: string,
  ...mode: string[]
): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./holder.ts', import.meta.url)), file, ...mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  return { child, said: String(line).trim() }
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

function setHolder(file: string, change: string): void {
  const database = new DatabaseSync(file)
  database.exec(`update lease set ${change}`)
  database.close()
}

test('a second process is refused and told who has the store; after kill -9 of the holder it starts at once', async (t) => {
  const file = aFile(t)
  const { child, said } = await aHolder(t, file)
  assert.equal(said, 'open')
  await assert.rejects(opened(t, file, { clock: systemClock }), (error) => {
    assert.ok(error instanceof StoreRefused)
    assert.ok(error.message.includes(`is in use by process ${child.pid} on ${machine()}: stop that process first`))
    return true
  })
  await kill(child)
  await opened(t, file, { clock: systemClock })
})

test('kill -9 in the middle of a transaction leaves what was committed, and nothing else', async (t) => {
  const file = aFile(t)
  const { child, said } = await aHolder(t, file, 'halfway')
  assert.equal(said, 'inside')
  await kill(child)
  const store = await opened(t, file, { clock: systemClock })
  assert.equal((await store.getResource('okta', 'User', 'committed'))?.version, 1)
  assert.equal(await store.getResource('okta', 'User', 'halfway'), undefined)
  assert.equal(await store.count('okta', 'User'), 1)
  const stored = await store.transaction((write) => write.insertResource('okta', aUser('halfway')))
  assert.equal(stored.seq, 2)
})

test('ST 14 a migration that is killed half-way is rolled back, and the next start makes it whole', async (t) => {
  const file = aFile(t)
  const database = new DatabaseSync(file)
  const first = new URL('../../src/store/migrations/0001.sql', import.meta.url)
  database.exec('create table migration (number bigint primary key, at bigint not null)')
  database.exec(readFileSync(first, 'utf8'))
  database.exec(`insert into migration (number, at) values (1, 0);
    insert into resource (connection, id, type, seq, version, visible, json, user_name_key, display, created, modified)
    values ('okta', 'ada', 'User', 1, 1, 1, '{"id":"ada","userName":"ada"}', 'ada', 'ada', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')`)
  const { child, said } = await aHolder(t, file, 'migrating')
  assert.equal(said, 'inside')
  await kill(child)
  assert.deepEqual(
    database
      .prepare('select number from migration')
      .all()
      .map(({ number }) => number),
    [1],
  )
  database.close()
  const store = await opened(t, file, { clock: systemClock })
  assert.equal((await store.getResource('okta', 'User', 'ada'))?.version, 1)
  const rows = await store.withDatabase((whole) => whole.prepare('select number from migration').all())
  assert.equal(rows.length, readdirSync(new URL('../../src/store/migrations/', import.meta.url)).length)
})

test('of two processes that start on a new file together, one migrates it and one is refused', async (t) => {
  const file = aFile(t)
  const holders = await Promise.all([aHolder(t, file), aHolder(t, file)])
  assert.deepEqual(holders.map((holder) => holder.said).toSorted(), ['StoreRefused', 'open'])
  for (const { child } of holders) if (child.exitCode === null) await kill(child)
  const store = await opened(t, file)
  const rows = await store.withDatabase((database) => database.prepare('select number from migration').all())
  // Each once: a second migration of the same number would have failed.
  assert.equal(rows.length, readdirSync(new URL('../../src/store/migrations/', import.meta.url)).length)
})

test('a store that is open cannot be opened again, and the message names the process', async (t) => {
  const file = aFile(t)
  await opened(t, file)
  await assert.rejects(opened(t, file), (error) => {
    assert.ok(error instanceof StoreRefused)
    assert.ok(error.message.startsWith(`${file} is in use by process ${process.pid} on ${machine()}: stop`))
    return true
  })
})

test('a store that was closed can be opened at once', async (t) => {
  const file = aFile(t)
  const first = await opened(t, file)
  await first.transaction((write) => write.insertResource('okta', aUser('ada')))
  await first.close()
  const second = await opened(t, file)
  assert.equal((await second.getResource('okta', 'User', 'ada'))?.seq, 1)
})

test('a holder that has not renewed for more than 60 seconds is taken over, and can write no more', async (t) => {
  const file = aFile(t)
  const clock = aClock(0)
  const first = await opened(t, file, { clock })
  await assert.rejects(opened(t, file, { clock: aClock(leaseMs) }), StoreRefused)
  const second = await opened(t, file, { clock: aClock(leaseMs + 1) })
  await assert.rejects(
    first.transaction((write) => write.insertResource('okta', aUser('ada'))),
    (error) => error instanceof StoreUnavailable && /another process has taken it over/.test(error.message),
  )
  await assert.rejects(first.ping(), StoreUnavailable, 'it is not ready for requests either')
  await first.close()
  await assert.rejects(opened(t, file, { clock: aClock(leaseMs + 1) }), StoreRefused)
  await second.transaction((write) => write.insertResource('okta', aUser('ada')))
  assert.equal(await second.count('okta', 'User'), 1)
})

test('a holder that was taken over is told so at its next renewal, once, also when the store is free again', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const file = aFile(t)
  const clock = aClock(0)
  let told = 0
  const store = await opened(t, file, { clock, onTakenOver: () => (told += 1) })
  const renewed = async () => {
    t.mock.timers.tick(renewalMs)
    await store.transaction(async () => undefined).catch(() => undefined)
  }
  await renewed()
  assert.equal(told, 0)
  // A virtual machine that was suspended: a command has the store for a moment before this one goes on.
  const command = await opened(t, file, { clock: aClock(leaseMs + 1) })
  await command.close()
  await renewed()
  await renewed()
  assert.equal(told, 1)
})

test('a holder that renews every 20 seconds keeps the store', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const file = aFile(t)
  const clock = aClock(0)
  const store = await opened(t, file, { clock })
  for (let turn = 0; turn < 4; turn += 1) {
    clock.ms += renewalMs
    t.mock.timers.tick(renewalMs)
    await store.transaction(async () => undefined)
  }
  await assert.rejects(opened(t, file, { clock: aClock(clock.ms + renewalMs) }), StoreRefused)
})

test('a process id that was given to another program since does not keep the store', async (t) => {
  const file = aFile(t)
  const first = await opened(t, file)
  setHolder(file, `pid = ${process.ppid}, process_start = 'long ago'`)
  await opened(t, file)
  await first.close()
})

test('after a restart under the same process id, as in a container, the store opens at once', async (t) => {
  const file = aFile(t)
  const first = await opened(t, file)
  setHolder(file, "token = 'of an earlier life'")
  await opened(t, file)
  await first.close()
})

test('a holder on another host is believed until its lease ends, whatever its process id means here', async (t) => {
  const file = aFile(t)
  await opened(t, file, { clock: aClock(0) })
  setHolder(file, "pid = 4194305, host = 'elsewhere'")
  await assert.rejects(opened(t, file, { clock: aClock(1_000) }), /in use by process 4194305 on elsewhere/)
  await opened(t, file, { clock: aClock(leaseMs + 1) })
})

test('a holder in another container of the same name is believed, though its process id is ours', async (t) => {
  const file = aFile(t)
  await opened(t, file, { clock: aClock(0) })
  setHolder(file, "token = 'of the other one', host = host || ' (container 0123456789ab)'")
  await assert.rejects(opened(t, file, { clock: aClock(1_000) }), /is in use by process/)
  await opened(t, file, { clock: aClock(leaseMs + 1) })
})
