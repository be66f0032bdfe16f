import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { createLog } from '../../src/log.ts'
import { openBeside } from '../../src/store/beside.ts'
import { StoreRefused } from '../../src/store/failures.ts'
import { openStore } from '../../src/store/open.ts'
import { indexedColumns, sealedTables } from '../../src/store/sealed-columns.ts'
import { createSealer, isKey, newKey, plainSealer, type Sealer } from '../../src/store/sealing.ts'
import { StoreUnsealable } from '../../src/store/store.ts'
import { aUser } from './builders.ts'
import { aClock, aFile, opened } from './places.ts'

const sealer = createSealer(newKey())
const place = ['resource.json', ['okta', 'ada']] as const

test('a sealed value says nothing of what it is, opens as it was, and looks otherwise each time', () => {
  for (const text of ['{"userName":"ada"}', '', 'Åsa 🎓 \u0000']) {
    const [one, other] = [sealer.seal(...place, text), sealer.seal(...place, text)]
    assert.match(one, new RegExp(`^sealed:1:${sealer.keyId}:[A-Za-z0-9+/]+=*$`))
    assert.notEqual(one, other)
    assert.equal(sealer.open(...place, one), text)
  }
  assert.equal(sealer.seal(...place, null), null)
  assert.equal(sealer.open(...place, null), null)
})

test('a sealed value opens in its own column, connection and row only, with its own key, and unchanged', () => {
  const stored = sealer.seal(...place, 'ada')
  const body = Buffer.from(stored.slice(stored.lastIndexOf(':') + 1), 'base64')
  const prefix = stored.slice(0, stored.lastIndexOf(':') + 1)
  const changed = (index: number) => {
    const bytes = Buffer.from(body)
    bytes.writeUInt8((bytes.at(index) ?? 0) ^ 1, index < 0 ? bytes.length + index : index)
    return prefix + bytes.toString('base64')
  }
  const wrong: readonly (readonly [string, () => unknown])[] = [
    ['another row', () => sealer.open('resource.json', ['okta', 'bob'], stored)],
    ['another connection', () => sealer.open('resource.json', ['entra', 'ada'], stored)],
    ['another column', () => sealer.open('resource.display', ['okta', 'ada'], stored)],
    ['names cut elsewhere', () => sealer.open('resource.json', ['okta ada'], stored)],
    ['another key', () => createSealer(newKey()).open(...place, stored)],
    ['another initialisation vector', () => sealer.open(...place, changed(0))],
    ['another text', () => sealer.open(...place, changed(12))],
    ['another tag', () => sealer.open(...place, changed(-1))],
    ['cut short', () => sealer.open(...place, prefix + body.subarray(0, 20).toString('base64'))],
    ['not sealed', () => sealer.open(...place, '{"userName":"eve"}')],
  ]
  assert.equal(sealer.open(...place, stored), 'ada')
  for (const [what, open] of wrong) assert.throws(open, StoreUnsealable, what)
})

test('what stands for a value is the same for equal values of one column and connection only', () => {
  const index = sealer.index('resource.user_name_key', 'okta', 'ada')
  assert.equal(sealer.index('resource.user_name_key', 'okta', 'ada'), index)
  const others = [
    sealer.index('resource.user_name_key', 'okta', 'bob'),
    sealer.index('resource.user_name_key', 'entra', 'ada'),
    sealer.index('resource.display_key', 'okta', 'ada'),
    createSealer(newKey()).index('resource.user_name_key', 'okta', 'ada'),
  ]
  assert.equal(new Set([index, ...others]).size, 5)
})

test('a key is 32 bytes in base64 and nothing else', () => {
  assert.ok(isKey(newKey()))
  const bytes = Buffer.alloc(32, 255)
  const others = ['', 'secret', bytes.toString('hex'), bytes.toString('base64url'), `${bytes.toString('base64')}\n`]
  for (const text of [...others, Buffer.alloc(31).toString('base64'), Buffer.alloc(33).toString('base64')]) {
    assert.ok(!isKey(text), text)
    assert.throws(() => createSealer(text), /a key is 32 bytes in base64/)
  }
})

/** Text that says nothing of a person: names of ours, ids, times, states. */
const clear: Readonly<Record<string, readonly string[]>> = {
  resource: ['connection', 'id', 'type', 'created', 'modified'],
  email_value: ['connection', 'resource_id'],
  member: ['connection', 'group_id', 'user_id'],
  link: [
    ...['connection', 'resource_id', 'state', 'account_id', 'last_applied_at', 'drift', 'deleted_at', 'invited_at'],
    'unlinked_account_id',
  ],
  group_link: ['connection', 'resource_id', 'state', 'group_id', 'deleted_at'],
  operation: [
    ...['connection', 'resource_id', 'kind', 'about', 'state', 'error_kind', 'request_id', 'caller', 'created_at'],
  ],
  watch: ['connection', 'resource_id'],
  departure: ['connection', 'resource_id'],
  finding: [
    ...['connection', 'account_id', 'situation', 'resource_id', 'attributes', 'other_accounts', 'other_resources'],
    'remedy',
  ],
  match_key: ['connection', 'resource_id'],
  walk: ['connection', 'purpose', 'caller', 'phase', 'place', 'error', 'counts'],
  audit: [
    ...['connection', 'at', 'event', 'request_id', 'caller', 'resource_id', 'account_id', 'detail', 'hash'],
    ...['salt', 'subject_hash'],
  ],
  audit_anchor: ['connection', 'hash'],
  audit_erased: ['connection'],
  counter: ['connection', 'name'],
  secret: ['connection', 'name', 'value'],
  pace: ['connection'],
  lease: ['name', 'token', 'process_start', 'host'],
  sealing: ['name', 'key_id', 'proof', 'place'],
  claim: ['connection', 'kind', 'name', 'holder'],
  alarm_telling: ['connection', 'kind', 'way', 'detail'],
  // What operators write stands in the audit, too.
  operator_request: ['connection', 'action', 'operator', 'why', 'resource_id', 'detail', 'phase', 'answer'],
  request_span: ['connection', 'request_id', 'span', 'at'],
  // An operator's name stands in the audit, too.
  console_session: ['digest', 'key'],
  console_sign_in: ['digest'],
  scim_request: ['connection', 'request_id', 'caller', 'method', 'route', 'resource_id'],
}

test('of every column of text somebody has decided whether it is sealed', async (t) => {
  const store = await opened(t, aFile(t))
  const columns = await store.withDatabase((database) =>
    database
      .prepare(
        `select tables.name || '.' || columns.name as name from pragma_table_list as tables
         join pragma_table_info(tables.name) as columns
         where tables.schema = 'main' and tables.name not like 'sqlite_%' and lower(columns.type) = 'text'`,
      )
      .all(),
  )
  const sealed = Object.entries(sealedTables).flatMap(([table, { columns: names }]) =>
    names.map((name) => `${table}.${name}`),
  )
  const said = Object.entries(clear).flatMap(([table, names]) => names.map((name) => `${table}.${name}`))
  assert.deepEqual(columns.map(({ name }) => String(name)).sort(), [...sealed, ...indexedColumns, ...said].sort())
})

async function open(t: Parameters<typeof aFile>[0], file: string, how: Sealer = sealer) {
  const store = await openStore({ kind: 'sqlite', file }, { clock: aClock(), log: createLog('silent'), sealer: how })
  t.after(() => store.close())
  return store
}

test('a value that was moved to another row is told by table and row, and is no answer', async (t) => {
  const file = aFile(t)
  const store = await open(t, file)
  await store.transaction(async (write) => {
    for (const id of ['ada', 'bob']) await write.insertResource('okta', aUser(id))
  })
  await store.withDatabase((database) =>
    database.exec("update resource set json = (select json from resource where id = 'ada') where id = 'bob'"),
  )
  const isTold = (error: unknown) => {
    assert.ok(error instanceof StoreUnsealable)
    assert.equal(error.message, 'the store is damaged: resource.json of okta bob cannot be decrypted; restore a backup')
    return true
  }
  await assert.rejects(store.getUser('okta', 'bob'), isTold)
  await assert.rejects(store.list('okta', { type: 'User', limit: 10 }), isTold)
  assert.equal((await store.getUser('okta', 'ada'))?.resource.json, aUser('ada').json)
})

test('a store opens with its own key only, and says what to do otherwise', async (t) => {
  const file = aFile(t)
  const store = await open(t, file)
  await store.transaction((write) => write.insertResource('okta', aUser('ada')))
  await store.close()
  const before = readFileSync(file)
  const other = createSealer(newKey())
  const told = (text: RegExp) => (error: unknown) => {
    assert.ok(error instanceof StoreRefused)
    assert.ok(error.message.startsWith(`${file} is encrypted with the key ${sealer.keyId}`), error.message)
    assert.match(error.message, text)
    return true
  }
  await assert.rejects(open(t, file, plainSealer), told(/name it as encryption\.key in bridge\.yaml/))
  const rekey = /encryption\.key is \S+: name the right key; or, .*formerKeys, .*scim-bridge store rekey/
  await assert.rejects(open(t, file, other), told(rekey))
  assert.throws(() => openBeside({ kind: 'sqlite', file }, aClock(), other), told(rekey))
  // Same id, another key: the proof tells.
  const forged = { ...other, keyId: sealer.keyId }
  await assert.rejects(open(t, file, forged), told(/name the right key/))
  assert.deepEqual(readFileSync(file), before)
  const again = await open(t, file)
  assert.equal((await again.getResource('okta', 'User', 'ada'))?.json, aUser('ada').json)
})

test('a store with people in it is not half encrypted by naming a key; an empty one is encrypted from the first', async (t) => {
  const file = aFile(t)
  const plain = await opened(t, file)
  await plain.close()
  const first = await open(t, file)
  await first.close()
  await assert.rejects(opened(t, file), /is encrypted with the key/)
  const used = aFile(t)
  const store = await opened(t, used)
  await store.transaction((write) => write.insertResource('okta', aUser('ada')))
  await store.close()
  await assert.rejects(
    open(t, used),
    /is not encrypted, and encryption\.key names a key: .* which encrypts it in place$/,
  )
  const rows = new DatabaseSync(used).prepare('select count(*) as count from sealing').get()
  assert.equal(rows?.count, 0)
})
