import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { auditCommand } from '../../src/cli/audit.ts'
import { eraseCommand } from '../../src/cli/erase.ts'
import { NotErased } from '../../src/provision/erase.ts'
import { StoreRefused } from '../../src/store/failures.ts'
import { aUser, type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { eventually } from '../eventually.ts'

let world: BridgeWorld
let config: string
before(async () => {
  world = await startBridgeWorld()
  config = join(world.directory, 'bridge.yaml')
})
after(() => world.stop())

async function erase(user: string): Promise<string> {
  let text = ''
  const write = (piece: string) => {
    text += piece
  }
  const words = ['--connection', 'figshare', '--user', user, '--config', config]
  await eraseCommand({ write, environment: {}, clock: world.clock }).parseAsync(words, { from: 'user' })
  return text
}

async function audit(...words: string[]): Promise<{ text: string; exit: number }> {
  let text = ''
  let exit = 0
  const output = {
    write: (piece: string) => {
      text += piece
    },
    setExitCode: (code: number) => {
      exit = code
    },
    environment: {},
  }
  await auditCommand(output).parseAsync([...words, '--config', config], { from: 'user' })
  return { text, exit }
}

interface Pushed {
  readonly id: string
  readonly userName: string
}
async function pushed(change = {}): Promise<Pushed> {
  const user = aUser(change)
  const answer = await world.scim('figshare').post('/Users', user).expect(201)
  return { id: answer.body.id, userName: String(user.userName) }
}

test('a person who has left is forgotten: user, tombstone, membership, and subject of the audit', async () => {
  const scim = world.scim('figshare')
  const off = await pushed()
  await scim.patch(`/Users/${off.id}`, [{ op: 'replace', path: 'active', value: false }]).expect(200)
  const gone = await pushed()
  await scim.delete(`/Users/${gone.id}`).expect(204)
  const staying = await pushed()
  await world.stopped(async () => {
    assert.match(await erase(off.userName.toUpperCase()), /^erased: 1 user, and the subject of [1-9]\d* audit lines\n$/)
    assert.match(await erase(gone.userName), /^erased: 1 user/)
    await assert.rejects(erase(gone.id), /knows no such user, and no trace of one/)
    const { text } = await audit('export', '--connection', 'figshare')
    for (const { id, userName } of [off, gone]) assert.ok(!text.includes(id) && !text.includes(userName), id)
    assert.ok(text.includes(staying.id))
    assert.deepEqual((await audit('verify', '--connection', 'figshare')).exit, 0)
    assert.match(text, /"caller":"operator".*"action":"erase","users":1,"auditLines":\d+,"lines":\[\[\d+,\d+\]/)
  })
  const again = world.scim('figshare')
  await again.get(`/Users/${off.id}`).expect(404)
  await again.get(`/Users/${staying.id}`).expect(200)
})

test('the audit of somebody else who has the account by now stays', async () => {
  const gone = await pushed()
  await world.scim('figshare').delete(`/Users/${gone.id}`).expect(204)
  const other = await pushed()
  const linesOfOther = async () =>
    (await audit('export', '--connection', 'figshare')).text.split('\n').filter((line) => line.includes(other.id))
  await world.stopped(async (database) => {
    // As where the platform's administrator has renamed the account, or an operator has named it.
    const account = database.prepare('select account_id from link where resource_id = ?').get(other.id)?.account_id
    database.prepare('update link set account_id = ? where resource_id = ?').run(String(account), gone.id)
    const before = await linesOfOther()
    assert.ok(before.some((line) => line.includes(`"accountId":"${account}"`)))
    assert.match(await erase(gone.userName), /^erased: 1 user/)
    assert.deepEqual(await linesOfOther(), before)
    assert.equal((await audit('verify', '--connection', 'figshare')).exit, 0)
  })
})

test('somebody who is active, or on whom work is unfinished, is not erased', async () => {
  const active = await pushed()
  const leaving = await pushed()
  world.sandbox.figshare.fault({ mode: 'down' })
  await world.scim('figshare').delete(`/Users/${leaving.id}`).expect(429)
  await world.stopped(async () => {
    await assert.rejects(erase(active.id), (error) => {
      assert.ok(error instanceof NotErased)
      assert.match(error.message, /is active: have the identity provider deactivate or delete the user first/)
      return true
    })
    await assert.rejects(erase(leaving.id), /work on user .* is unfinished: start the bridge/)
  })
  world.sandbox.figshare.fault({ mode: 'ok' })
  await eventually(
    'the leaver is gone',
    async () => (await world.scim('figshare').get(`/Users/${leaving.id}`)).status === 404,
    () => world.clock.advance(1_000),
  )
  await world.scim('figshare').get(`/Users/${active.id}`).expect(200)
})

test('while the bridge runs nobody is erased, and the message says which process to stop', async () => {
  const person = await pushed()
  await assert.rejects(erase(person.id), (error) => {
    assert.ok(error instanceof StoreRefused)
    assert.match(error.message, /is in use by process \d+ on .*: stop that process first/)
    return true
  })
})

test('the audit is exported and verified while the bridge runs, from any line on', async () => {
  await pushed()
  const all = (await audit('export', '--connection', 'figshare')).text.trim().split('\n')
  const rest = (await audit('export', '--connection', 'figshare', '--after', '2')).text.trim().split('\n')
  assert.deepEqual(rest, all.slice(2))
  const lines = all.map((line) => JSON.parse(line))
  assert.deepEqual(
    lines.map(({ id }) => id),
    all.map((_, index) => index + 1),
  )
  assert.deepEqual(Object.keys(lines.at(-1)), [
    'connection',
    'id',
    'at',
    'event',
    'requestId',
    'caller',
    'resourceId',
    'operationId',
    'accountId',
    'detail',
  ])
  const { text, exit } = await audit('verify')
  assert.match(
    text,
    new RegExp(`^figshare: ${all.length} lines, a person was erased from \\d+ of them; nothing was changed$`, 'm'),
  )
  const json = await audit('verify', '--connection', 'figshare', '--json')
  const { erased, ...verified } = JSON.parse(json.text)
  assert.ok(erased > 0)
  assert.deepEqual(verified, { connection: 'figshare', lines: all.length, brokenAt: null, fault: null })
  assert.equal(exit, 0)
})

test('a changed audit line ends verify with 1 and is named', async () => {
  await pushed()
  const lines = (await audit('export', '--connection', 'figshare')).text.trim().split('\n').length
  await world.stopped(async (database) => {
    database.exec(`update audit set caller = 'eve' where connection = 'figshare' and id = ${lines - 1}`)
  })
  const { text, exit } = await audit('verify', '--connection', 'figshare')
  assert.ok(text.startsWith(`figshare: ${lines - 2} lines`), text)
  assert.ok(text.endsWith(`; CHANGED: line ${lines - 1} is not as it was written, or not where it was written\n`), text)
  assert.equal(exit, 1)
})

test('a connection that is none is told with those that there are', async () => {
  await assert.rejects(
    audit('export', '--connection', 'library'),
    /has no connection 'library' \(have figshare, ethosce/,
  )
})
