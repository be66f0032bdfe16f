import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { createLog } from '../../src/log.ts'
import { StoreRefused } from '../../src/store/failures.ts'
import { NewerSchema } from '../../src/store/newer-schema.ts'
import { openStore } from '../../src/store/open.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { eventually } from '../eventually.ts'
import { aUser } from './builders.ts'
import { aClock, aFile, opened } from './places.ts'

function refusal(text: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof StoreRefused, String(error))
    assert.match(error.message, text)
    return true
  }
}

test('the folder is made, and only its owner may read the store', async (t) => {
  const file = join(dirname(aFile(t)), 'deep', 'er', 'bridge.sqlite')
  const store = await opened(t, file)
  await store.transaction((write) => write.insertResource('okta', aUser('ada')))
  for (const name of [file, `${file}-wal`]) assert.equal(statSync(name).mode & 0o777, 0o600, name)
  assert.equal(statSync(dirname(file)).mode & 0o777, 0o700)
})

test('commits are flushed to the disk, references are checked, and no lock stops the process', async (t) => {
  const store = await opened(t, aFile(t))
  const pragmas = await store.withDatabase((database) =>
    ['synchronous', 'journal_mode', 'foreign_keys', 'busy_timeout'].map(
      (name) => Object.values(database.prepare(`pragma ${name}`).get() ?? {})[0],
    ),
  )
  assert.deepEqual(pragmas, [2, 'wal', 1, 0])
})

const migrations = readdirSync(new URL('../../src/store/migrations/', import.meta.url))
const newest = Math.max(...migrations.map((name) => Number.parseInt(name, 10)))

test('the migrations make the schema of schema.sql', async (t) => {
  const store = await opened(t, aFile(t))
  const rows = await store.withDatabase((database) =>
    database.prepare('select sql from sqlite_schema where sql is not null order by tbl_name, type desc, name').all(),
  )
  const schema = rows.map((row) => `${row.sql};\n`).join('\n')
  assert.equal(schema, readFileSync(new URL('./schema.sql', import.meta.url), 'utf8'))
})

test("the first release's users are found by active, those that it stored oddly are left alone", async (t) => {
  const file = aFile(t)
  const old = new DatabaseSync(file)
  old.exec('create table migration (number bigint primary key, at bigint not null)')
  old.exec(readFileSync(new URL('../../src/store/migrations/0001.sql', import.meta.url), 'utf8'))
  old.exec('insert into migration (number, at) values (1, 0)')
  const insert = old.prepare(
    "insert into resource (connection, id, type, seq, version, visible, json, created, modified) values ('okta', ?, 'User', ?, 1, 1, ?, '', '')",
  )
  const texts = ['{"active":true}', '{"active":false}', '{}', '{"active":"true"}', '{"active":1}', 'no JSON']
  for (const [index, text] of texts.entries()) insert.run(`u${index}`, index, text)
  old.close()
  const store = await opened(t, file)
  const found = async (equals: boolean) =>
    (await store.list('okta', { type: 'User', where: { attribute: 'active', equals }, limit: 9 })).map(({ id }) => id)
  assert.deepEqual([await found(true), await found(false)], [['u0'], ['u1']])
})

test('what the webhook was told before there were other ways stays told', async (t) => {
  const file = aFile(t)
  const old = new DatabaseSync(file)
  old.exec('create table migration (number bigint primary key, at bigint not null)')
  for (const name of migrations.filter((one) => one < '0014').sort()) {
    old.exec(readFileSync(new URL(`../../src/store/migrations/${name}`, import.meta.url), 'utf8'))
    old.prepare('insert into migration (number, at) values (?, 0)').run(Number.parseInt(name, 10))
  }
  old.exec(`insert into alarm values ('okta', 'failed', 5, '{"operations":2}', 0, 3, 1, 99)`)
  old.close()
  const store = await opened(t, file)
  assert.deepEqual(await store.alarms('okta'), [
    {
      ...{ connection: 'okta', kind: 'failed', way: 'webhook', since: 5, detail: { operations: 2 } },
      ...{ isOver: false, told: 3, failures: 1, dueAt: 99 },
    },
  ])
})

test('a store of a newer release is refused and left as it is', async (t) => {
  const file = aFile(t)
  const store = await opened(t, file)
  await store.transaction((write) => write.insertResource('okta', aUser('ada')))
  await store.withDatabase((database) => database.exec('insert into migration (number, at) values (9999, 0)'))
  await store.close()
  const before = readFileSync(file)
  await assert.rejects(opened(t, file), (error) => {
    assert.ok(error instanceof NewerSchema)
    assert.match(error.message, new RegExp(`schema 9999; this release knows ${newest}\\b`))
    return true
  })
  assert.deepEqual(readFileSync(file), before)
})

test('a migration that fails half-way leaves nothing behind', async (t) => {
  const file = aFile(t)
  const other = new DatabaseSync(file)
  other.exec('create table member (name text)')
  other.close()
  await assert.rejects(opened(t, file), refusal(/holds tables that are not the bridge's: name another file/))
  const after = new DatabaseSync(file)
  const tables = after.prepare('select name from sqlite_schema').all()
  after.close()
  assert.deepEqual(
    tables.map((row) => row.name),
    ['member'],
  )
})

test('a file that is marked read-only is refused', async (t) => {
  const file = aFile(t)
  await (await opened(t, file)).close()
  chmodSync(file, 0o400)
  await assert.rejects(
    opened(t, file),
    refusal(/bridge\.sqlite is read-only: give the bridge's user the right to write/),
  )
})

test('a folder, or a path below a file, is refused', async (t) => {
  const file = aFile(t)
  mkdirSync(file)
  await assert.rejects(opened(t, file), refusal(/is not a file/))
  rmSync(file, { recursive: true })
  writeFileSync(file, '')
  await assert.rejects(opened(t, join(file, 'bridge.sqlite')), refusal(/cannot be written \((ENOTDIR|EEXIST)\)/))
})

test('a file that is not a database is refused and left as it is', async (t) => {
  const file = aFile(t)
  const text = 'this is a letter\n'.repeat(500)
  writeFileSync(file, text, { mode: 0o600 })
  await assert.rejects(opened(t, file), refusal(/is not a SQLite database: name another file, or restore a backup/))
  assert.equal(readFileSync(file, 'utf8'), text)
})

test('a damaged store is refused, and the message says to restore a backup', async (t) => {
  const file = aFile(t)
  const store = await opened(t, file)
  await store.transaction(async (write) => {
    for (let index = 0; index < 200; index += 1) await write.insertResource('okta', aUser(`u${index}`))
  })
  await store.close()
  const bytes = readFileSync(file)
  // The last pages hold users: with those of the schema, which come first, the file could not even be opened.
  bytes.fill(0xa5, bytes.length - 3 * 4096)
  writeFileSync(file, bytes)
  await assert.rejects(
    opened(t, file),
    refusal(/is damaged: keep a copy of it and of .*-wal, then restore the last backup/),
  )
})

test('damage of a large store, which is looked for while it is in use, ends all writing and readiness', async (t) => {
  const file = aFile(t)
  const store = await opened(t, file)
  await store.transaction(async (write) => {
    for (let index = 0; index < 200; index += 1) await write.insertResource('okta', aUser(`u${index}`))
  })
  await store.close()
  const bytes = readFileSync(file)
  // The last pages hold users: with those of the schema, which come first, the file could not even be opened.
  bytes.fill(0xa5, bytes.length - 3 * 4096)
  writeFileSync(file, bytes)
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const large = await openStore(
    { kind: 'sqlite', file },
    { clock: aClock(), log: createLog('error', { write }), checkedAtStartBytes: 0 },
  )
  t.after(() => large.close())
  await eventually('it is found', () => lines.some((line) => line.includes('then restore the last backup')))
  assert.ok(lines.some((line) => JSON.parse(line).alarm === true))
  for (const work of [large.ping(), large.transaction(async () => undefined)]) {
    await assert.rejects(
      work,
      (error: unknown) => error instanceof StoreUnavailable && /is damaged/.test(error.message),
    )
  }
})

test('a large store without damage is used as ever', async (t) => {
  const file = aFile(t)
  await (await opened(t, file)).close()
  const store = await opened(t, file, { checkedAtStartBytes: 0 })
  await store.transaction((write) => write.insertResource('okta', aUser('ada')))
  await store.ping()
})

test('a store that another program has locked is not opened', async (t) => {
  const file = aFile(t)
  await (await opened(t, file)).close()
  const other = new DatabaseSync(file)
  other.exec('begin immediate')
  await assert.rejects(opened(t, file, { lockWaitMs: 0 }), refusal(/is locked by another program/))
  other.close()
  await opened(t, file)
})
