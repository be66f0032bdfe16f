import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { tokenCommand } from '../../src/cli/token.ts'
import { createLog } from '../../src/log.ts'
import { openCredentials } from '../../src/store/credentials.ts'
import { StoreRefused } from '../../src/store/failures.ts'
import { NewerSchema } from '../../src/store/newer-schema.ts'
import { type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { ManualClock } from '../manual-clock.ts'
import { aFolder } from './demo-process.ts'
import { scimBridge } from './processes.ts'

let world: BridgeWorld
let file = ''
before(async () => {
  world = await startBridgeWorld()
  file = join(world.directory, 'bridge.yaml')
})
after(() => world.stop())

interface Said {
  readonly out: string
  readonly told: string
}

async function say(...words: string[]): Promise<Said> {
  const said = { out: '', told: '' }
  const command = tokenCommand({
    write: (text) => {
      said.out += text
    },
    tell: (text) => {
      said.told += text
    },
    clock: world.clock,
  })
  await command.parseAsync([...words, '--connection', 'figshare', '--config', file], { from: 'user' })
  return said
}

const statusOf = async (token: string) => {
  const answer = await fetch(`${world.url}/figshare/scim/v2/Users?count=1`, {
    headers: { Authorization: `Bearer ${token}` },
  })
  await answer.text()
  return answer.status
}

describe('scim-bridge token, beside a bridge that runs', () => {
  test('create shows the token alone on standard output, and the bridge takes it at once', async () => {
    const { out, told } = await say('create', '--name', 'okta')
    const token = out.trim()
    assert.match(out, /^scimb_[\w-]{43}\n$/)
    assert.match(told, /^'okta' may provision on figshare until 2027-01-15T09:00:00\.000Z\. It is not shown again\.\n$/)
    assert.equal(await statusOf(token), 200)
  })

  test('create makes another token each time, of 256 bits', async () => {
    const tokens = new Set<string>()
    for (let made = 0; made < 5; made += 1) tokens.add((await say('create', '--name', `made-${made}`)).out.trim())
    assert.equal(tokens.size, 5)
    for (const token of tokens) assert.equal(Buffer.from(token.slice('scimb_'.length), 'base64url').length, 32)
  })

  test('create --json says everything once', async () => {
    const { out } = await say('create', '--name', 'json', '--role', 'read', '--expires', '90d', '--json')
    const { token, ...rest } = JSON.parse(out)
    assert.deepEqual(rest, { connection: 'figshare', name: 'json', role: 'read', expires: '2026-04-15T09:00:00.000Z' })
    assert.equal(await statusOf(token), 200)
  })

  test('create without a name gives it one, and takes a name once', async () => {
    await say('create', '--role', 'monitor', '--expires', 'never')
    await assert.rejects(say('create', '--role', 'monitor'), /figshare has a token 'monitor-2026-01-15' already/)
    await say('revoke', '--name', 'monitor-2026-01-15')
  })

  test('list shows names, roles and times, and never a token or its hash', async () => {
    const token = (await say('create', '--name', 'seen', '--expires', '2026-06-30')).out.trim()
    await say('create', '--name', 'gone')
    await say('revoke', '--name', 'gone')
    const { out } = await say('list')
    assert.match(out, /^seen {2}provision {2}valid {2}expires 2026-07-01T00:00:00\.000Z {2}last used never$/m)
    assert.match(out, /^gone {2}provision {2}revoked/m)
    const json = (await say('list', '--json')).out
    for (const text of [out, json]) {
      assert.ok(!text.includes(token) && !text.includes(hash('sha256', token)))
    }
    assert.equal(JSON.parse(json).find(({ name }: { name: string }) => name === 'seen').state, 'valid')
    world.clock.advance(200 * 86_400_000)
    assert.match((await say('list')).out, /^seen {2}provision {2}expired/m)
  })

  test('revoke ends it from the next request on', async () => {
    const token = (await say('create', '--name', 'leaving')).out.trim()
    assert.equal(await statusOf(token), 200)
    assert.equal((await say('revoke', '--name', 'leaving')).out, 'leaving is revoked\n')
    assert.equal(await statusOf(token), 401)
    await assert.rejects(say('revoke', '--name', 'leaving'), /figshare has no token 'leaving' that could be revoked/)
  })

  for (const [when, message] of [
    ['2026-02-30', /is no date \(2027-12-31\), number of days \(90d\) or never/],
    ['soon', /is no date/],
    ['0d', /is in the past/],
    ['2020-01-01', /is in the past/],
  ] as const) {
    test(`--expires ${when} is refused`, async () => {
      await assert.rejects(say('create', '--name', 'x', '--expires', when), message)
    })
  }

  test('a connection that there is not is told, with those that there are', async () => {
    const { status, stderr } = await scimBridge(['token', 'list', '--connection', 'nowhere', '--config', file])
    assert.equal(status, 1)
    assert.match(stderr, /has no connection 'nowhere' \(have figshare, ethosce, /)
  })

  test('rotate-key is for connections with OAuth clients', async () => {
    await assert.rejects(say('rotate-key'), /figshare has no OAuth clients/)
  })

  test('as a process of its own it does the same', async () => {
    const made = await scimBridge([
      'token',
      'create',
      '--connection',
      'figshare',
      '--name',
      'process',
      '--config',
      file,
    ])
    assert.equal(made.status, 0, made.stderr)
    assert.equal(await statusOf(made.stdout.trim()), 200)
    await scimBridge(['token', 'revoke', '--connection', 'figshare', '--name', 'process', '--config', file])
    assert.equal(await statusOf(made.stdout.trim()), 401)
  })
})

describe('the file of credentials', () => {
  const folder = aFolder()
  after(folder.remove)
  const open = (name: string) =>
    openCredentials(join(folder.path, name), { log: createLog('silent'), now: new ManualClock().now() })

  test('is for its owner only', () => {
    const name = join(world.directory, 'bridge-credentials.sqlite')
    assert.ok(existsSync(name))
    assert.equal(statSync(name).mode & 0o077, 0)
  })

  test('that is no database, or a newer one, is refused with what to do', () => {
    writeFileSync(join(folder.path, 'text'), 'x'.repeat(10_000), { mode: 0o600 })
    assert.throws(
      () => open('text'),
      (error) => error instanceof StoreRefused && /restore a backup of it/.test(error.message),
    )
    open('newer').close()
    const database = new DatabaseSync(join(folder.path, 'newer'))
    database.exec('insert into migration (number, at) values (9999, 0)')
    database.close()
    assert.throws(() => open('newer'), NewerSchema)
  })
})
