/** List 9.3, what `test/store` and `test/bridge` do not ask already: numbers 2, 6, 11 and 12. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { createLog } from '../../src/log.ts'
import { openStore } from '../../src/store/open.ts'
import { aUser, startBridgeWorld } from '../bridge-world.ts'
import { changeStore } from '../change-store.ts'
import { scimBridge } from '../cli/processes.ts'
import { startFigshareBridge } from '../figshare-bridge.ts'
import { ManualClock } from '../manual-clock.ts'

const off = [{ op: 'replace', path: 'active', value: false }]
const hourMs = 3_600_000

test('2 a disk that is full when the outcome is to be stored: 429, and what was done is found later', async (t) => {
  const bridge = await startFigshareBridge(t)
  const user = aUser()
  const { body } = await bridge.scim.post('/Users', user)
  const { directory } = bridge.world
  bridge.fault({ mode: 'hang-after', only: 'writes', times: 1 })
  const answering = bridge.scim.patch(`/Users/${body.id}`, off).then((answer) => answer)
  await bridge.held()
  // A trigger that fails as a full disk does, for everything that the bridge wants to write.
  const change = (statement: string) => {
    const database = new DatabaseSync(join(directory, 'bridge.sqlite'))
    database.exec(statement)
    database.close()
  }
  change("create trigger full before insert on audit begin select raise(abort, 'database or disk is full'); end")
  bridge.heal()
  const { status } = await answering
  assert.ok(status === 429 || status === 503, `the answer is ${status}`)
  assert.equal(bridge.row('select count(*) as n from operation')?.n, 1)
  change('drop trigger full')
  await bridge.finished()
  assert.equal(bridge.account(user)?.active, false)
})

test('6 a store of a newer release ends the process with 57, and its text says what to do', async (t) => {
  const world = await startBridgeWorld()
  t.after(() => world.stop())
  const { directory } = world
  // Nobody holds the store for the process that is started.
  await changeStore(
    join(directory, 'bridge.sqlite'),
    'insert into migration (number, at) values (9999, 0); delete from lease',
  )
  const ended = await scimBridge(['serve', '--config', join(directory, 'bridge.yaml')])
  assert.equal(ended.status, 57, ended.stderr)
  assert.match(ended.stderr, /9999/)
})

for (const [what, ms] of [
  ['back by an hour', -hourMs],
  ['forward by a day', 24 * hourMs],
] as const) {
  test(`11 a clock that is set ${what} loses nothing: what waits is done, and the store stays ours`, async (t) => {
    const bridge = await startFigshareBridge(t)
    const user = aUser()
    const { body } = await bridge.scim.post('/Users', user)
    bridge.fault({ mode: 'down' })
    assert.equal((await bridge.scim.patch(`/Users/${body.id}`, off)).status, 429)
    bridge.world.clock.advance(ms)
    await bridge.world.restart()
    bridge.heal()
    await bridge.finished()
    assert.equal(bridge.account(user)?.active, false)
    assert.equal((await bridge.world.scim('figshare').post('/Users', aUser())).status, 201)
  })
}

const memory = '/dev/shm'
const isTmpfs = (() => {
  try {
    return statfsSync(memory).type === 0x01021994
  } catch {
    return false
  }
})()

test('12 a store in memory is said to be one', { skip: isTmpfs ? false : 'no tmpfs here' }, async (t) => {
  const directory = mkdtempSync(join(memory, 'store-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const lines: string[] = []
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const options = { clock: new ManualClock(), log: createLog('warn', destination) }
  const store = await openStore({ kind: 'sqlite', file: join(directory, 'bridge.sqlite') }, options)
  await store.close()
  assert.match(lines.join(''), /tmpfs.*does not outlive the container or machine: mount a volume/)
})
