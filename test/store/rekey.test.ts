import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createLog } from '../../src/log.ts'
import { StoreInUse, StoreRefused } from '../../src/store/failures.ts'
import { openStore } from '../../src/store/open.ts'
import type { RekeyOptions } from '../../src/store/rekey.ts'
import { rekeySqlite } from '../../src/store/rekey-sqlite.ts'
import { createSealer, newKey, plainSealer, type Sealer } from '../../src/store/sealing.ts'
import { StoreUnsealable } from '../../src/store/store.ts'
import { aClock, aFile } from './places.ts'
import { assertGoesThroughKeys, fill, keysOf, readable, secrets, told } from './rekey-world.ts'

async function open(t: TestContext, file: string, sealer: Sealer) {
  const store = await openStore({ kind: 'sqlite', file }, { clock: aClock(), log: createLog('silent'), sealer })
  t.after(() => store.close())
  return store
}

/** A closed store with people in it, and what it tells of them. */
async function filled(t: TestContext, sealer: Sealer): Promise<{ file: string; before: unknown }> {
  const file = aFile(t)
  const store = await open(t, file, sealer)
  await fill(store)
  const before = await told(store)
  await store.close()
  return { file, before }
}

function rekey(file: string, to: Sealer, known: readonly Sealer[], more: Partial<RekeyOptions> = {}) {
  return rekeySqlite({ file }, { clock: aClock(), to, known: [plainSealer, ...known], keysOf, ...more })
}

async function assertTells(t: TestContext, file: string, sealer: Sealer, before: unknown): Promise<void> {
  const store = await open(t, file, sealer)
  assert.deepEqual(await told(store), before)
  await store.close()
}

test('a store with a key never has a value of a person in its files, not in the log beside them either', async (t) => {
  const file = aFile(t)
  const store = await open(t, file, createSealer(newKey()))
  await fill(store)
  assert.deepEqual(readable(file), [])
  await store.close()
  assert.deepEqual(readable(file), [])
  // The look itself: without a key all of them are found.
  const { file: plain } = await filled(t, plainSealer)
  assert.deepEqual(readable(plain), secrets)
})

test('a store is encrypted in place, goes over to another key, and is decrypted; it tells the same all the way', async (t) => {
  const { file, before } = await filled(t, plainSealer)
  await assertGoesThroughKeys({
    rekey: (to, known) => rekey(file, to, known),
    readable: (texts) => readable(file, texts),
    open: (sealer) => open(t, file, sealer),
    assertTells: (sealer) => assertTells(t, file, sealer, before),
  })
})

test('what was left in pages that nothing uses any more is gone after encrypting', async (t) => {
  const sealer = createSealer(newKey())
  const { file } = await filled(t, plainSealer)
  const database = new DatabaseSync(file)
  database.exec('pragma secure_delete = off; begin')
  const insert = database.prepare("insert into watch values ('okta', ?, 'left-of-dora', 1, 2)")
  for (let index = 0; index < 2_000; index += 1) insert.run(`w${index}`)
  database.exec("delete from watch where document = 'left-of-dora'; commit")
  database.close()
  assert.deepEqual(readable(file, ['left-of-dora']), ['left-of-dora'])
  await rekey(file, sealer, [sealer])
  assert.deepEqual(readable(file, ['left-of-dora', ...secrets]), [])
})

test('killed after each row in turn, it goes on where it was, and loses and repeats nothing', async (t) => {
  const [one, other] = [newKey(), newKey()]
  const { file, before } = await filled(t, createSealer(one))
  const program = fileURLToPath(new URL('./rekeyer.ts', import.meta.url))
  const run = (kill: number) =>
    spawnSync(process.execPath, [program, file, one, other, String(kill)], { encoding: 'utf8' })
  const rows = 10
  let kills = 0
  for (let written = 0; written < rows; kills += 1) {
    // 1, 2 or 3 steps each: within tables, at their ends, and over them.
    const { signal, stderr } = run(1 + (kills % 3))
    assert.equal(signal, 'SIGKILL', stderr)
    await assert.rejects(open(t, file, createSealer(other)), /is being encrypted anew, and that was interrupted/)
    const database = new DatabaseSync(file, { readOnly: true })
    const count = (table: string, column: string) =>
      Number(
        database
          .prepare(`select count(*) as count from ${table} where ${column} like ?`)
          .get(`sealed:1:${createSealer(other).keyId}:%`)?.count,
      )
    written =
      count('resource', 'json') +
      count('link', 'grants') +
      count('group_link', 'name') +
      count('operation', 'before') +
      count('watch', 'document') +
      count('finding', 'done')
    database.close()
    assert.ok(kills < 40, `${written} rows after ${kills} kills`)
  }
  assert.ok(kills > 5, `${kills} kills`)
  // After the last row: verified, then written anew.
  for (const step of [1, 2]) assert.equal(run(step).signal, 'SIGKILL')
  const last = run(0)
  assert.deepEqual(JSON.parse(last.stdout), {
    from: createSealer(one).keyId,
    to: createSealer(other).keyId,
    rows: 0,
    verified: rows,
  })
  await assertTells(t, file, createSealer(other), before)
})

test('what was begun with one key is not gone on with another', async (t) => {
  const [one, other, third] = [createSealer(newKey()), createSealer(newKey()), createSealer(newKey())]
  const { file, before } = await filled(t, one)
  const stop = new Error('stopped')
  const interrupted = rekey(file, other, [one, other], {
    batch: 1,
    progress() {
      throw stop
    },
  })
  await assert.rejects(interrupted, (error) => error === stop)
  await assert.rejects(
    rekey(file, third, [one, other, third]),
    new RegExp(`half-way to another key: finish that first, with the key ${other.keyId} as encryption\\.key`),
  )
  await rekey(file, other, [one, other])
  await assertTells(t, file, other, before)
})

test('without the key of the store, beside a running bridge, or without a store it is refused', async (t) => {
  const [one, other] = [createSealer(newKey()), createSealer(newKey())]
  const { file, before } = await filled(t, one)
  await assert.rejects(rekey(file, other, [other]), (error) => {
    assert.ok(error instanceof StoreRefused)
    assert.match(error.message, /is encrypted with the key \S+: put that key into encryption\.formerKeys/)
    return true
  })
  const store = await open(t, file, one)
  await assert.rejects(rekey(file, other, [one, other]), StoreInUse)
  assert.deepEqual(await told(store), before)
  await store.close()
  await assert.rejects(rekey(aFile(t), one, []), /does not exist: there is no store yet/)
})

test('a row that does not open stops it with the row named, and nothing is lost', async (t) => {
  const [one, other] = [createSealer(newKey()), createSealer(newKey())]
  const { file } = await filled(t, one)
  const database = new DatabaseSync(file)
  database.exec("update link set user_name = external_id where resource_id = 'a'")
  database.close()
  await assert.rejects(rekey(file, other, [one, other]), (error) => {
    assert.ok(error instanceof StoreUnsealable)
    assert.match(error.message, /link\.user_name of okta a cannot be decrypted/)
    return true
  })
})

test('a walk that was under way begins anew, without what it had met; finished ones stay', async (t) => {
  const sealer = createSealer(newKey())
  const { file } = await filled(t, plainSealer)
  await rekey(file, sealer, [sealer])
  const store = await open(t, file, sealer)
  const walk = await store.currentWalk('okta')
  assert.deepEqual([walk?.number, walk?.phase, walk?.place], [2, 'asked', undefined])
  const found = (number: number) => store.findings('okta', number, { afterAccount: '', limit: 9 })
  assert.deepEqual([(await found(1)).length, (await found(2)).length], [1, 0])
  const keys = await store.transaction((write) => write.resourcesByKeys('okta', 2, ['matched-ada']))
  assert.equal(keys.size, 0)
})
