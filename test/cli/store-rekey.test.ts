import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { createBridge, readConfig } from '../../src/bridge.ts'
import { storeKeyCommand, storeRekeyCommand } from '../../src/cli/store-rekey.ts'
import { createLog } from '../../src/log.ts'
import { StoreInUse, StoreRefused } from '../../src/store/failures.ts'
import { isKey, newKey } from '../../src/store/sealing.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { readable } from '../store/rekey-world.ts'

let world: BridgeWorld
let file: string
before(async () => {
  world = await startBridgeWorld()
  file = join(world.directory, 'bridge.yaml')
})
after(() => world.stop())

async function rekey(encryption: object | undefined, ...words: string[]): Promise<{ text: string; told: string }> {
  writeFileSync(file, stringify({ ...parse(readFileSync(file, 'utf8')), encryption }))
  let [text, told] = ['', '']
  const output = {
    write: (piece: string) => {
      text += piece
    },
    tell: (piece: string) => {
      told += piece
    },
    environment: {},
    clock: world.clock,
  }
  await storeRekeyCommand(output).parseAsync([...words, '--config', file], { from: 'user' })
  return { text, told }
}

test('a key is made for each call, and is one', () => {
  const keys = [1, 2].map(() => {
    let text = ''
    storeKeyCommand({ write: (piece) => (text += piece) }).parse([], { from: 'user' })
    return text
  })
  assert.notEqual(keys[0], keys[1])
  for (const key of keys) assert.ok(key.endsWith('\n') && isKey(key.slice(0, -1)), key)
})

test('a bridge in use is encrypted, gets another key, and is decrypted; it serves the same in between', async () => {
  const scim = () => world.scim('figshare')
  const user = aUser()
  const { body } = await scim().post('/Users', user).expect(201)
  const store = join(world.directory, 'bridge.sqlite')
  const [one, other] = [newKey(), newKey()]
  await assert.rejects(rekey({ key: one }), StoreInUse)

  await world.restart(async () => {
    const bridge = createBridge(readConfig(file, {}), { clock: world.clock, log: createLog('silent') })
    await assert.rejects(bridge, (error) => {
      assert.ok(error instanceof StoreRefused)
      assert.match(error.message, /is not encrypted, and encryption\.key names a key: stop the bridge, then run/)
      return true
    })
    const { text, told } = await rekey({ key: one })
    assert.match(text, /^done: the store is encrypted with the key \S+; \d+ rows were written, \d+ were checked\n$/)
    assert.match(told, /^resource: (\d+) of \1 rows$/m)
    assert.match(told, /^verified: \d+ rows\neverything was written anew\n$/m)
    for (const out of [text, told]) assert.ok(!out.includes(one))
    assert.deepEqual(readable(store, [String(user.userName)]), [])
  })
  assert.equal((await scim().get(`/Users/${body.id}`).expect(200)).body.userName, user.userName)
  await scim().post('/Users', user).expect(409)

  await world.restart(async () => {
    await assert.rejects(rekey({ key: other }), /put that key into encryption\.formerKeys/)
    const { text } = await rekey({ key: other, formerKeys: [one] }, '--json')
    const { from, to, rows, verified } = JSON.parse(text)
    assert.ok(from !== to && rows > 0 && verified === rows, text)
    assert.match(
      (await rekey({ key: other })).text,
      /^nothing to do: the store is encrypted with the key \S+; \d+ rows/,
    )
  })
  await scim().get(`/Users/${body.id}`).expect(200)

  await world.restart(async () => {
    assert.match((await rekey({ formerKeys: [other] })).text, /^done: the store is not encrypted; \d+ rows/)
    assert.deepEqual(readable(store, [String(user.userName)]), [user.userName])
    await rekey(undefined)
  })
  assert.equal((await scim().get(`/Users/${body.id}`).expect(200)).body.userName, user.userName)
})
