import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { decodeProtectedHeader } from 'jose'
import { createBridge, readConfig } from '../../../src/bridge.ts'
import { tokenCommand } from '../../../src/cli/token.ts'
import { isJsonObject, type JsonObject } from '../../../src/json.ts'
import { createLog } from '../../../src/log.ts'
import { type AccessWorld, basicPassword, clientForm, connectionOf, seen, startAccessWorld } from './access-world.ts'

async function opened(t: TestContext, change: (config: JsonObject) => void = () => {}): Promise<AccessWorld> {
  const access = await startAccessWorld(change)
  t.after(() => access.close())
  return access
}

/** Secrets of files, which have to be there before the bridge starts. */
function inFile(folder: string, name: string, text: string): JsonObject {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, name)
  writeFileSync(file, `${text}\n`)
  return { file }
}

interface Load {
  /** Every answer that was not a success. */
  readonly failures: string[]
  readonly count: () => number
  stop(): Promise<void>
}

/** Many callers who do not stop; each asks with what it finds at its turn. */
function load(ask: () => Promise<{ status: number; text: string }>, callers = 16): Load {
  const failures: string[] = []
  let isOver = false
  let count = 0
  const work = async () => {
    while (!isOver) {
      const { status, text } = await ask()
      count += 1
      if (status !== 200) failures.push(`${status} ${text}`)
    }
  }
  const all = Promise.all(Array.from({ length: callers }, work))
  return {
    failures,
    count: () => count,
    async stop() {
      isOver = true
      await all
    },
  }
}

async function moreRequests(running: Load, count = 60): Promise<void> {
  const until = running.count() + count
  while (running.count() < until) await new Promise((resolve) => setTimeout(resolve, 5))
}

function folderOf(t: TestContext): string {
  const folder = join(tmpdir(), `scim-bridge-secrets-${crypto.randomUUID()}`)
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function rotateKey(access: AccessWorld, ...words: string[]): Promise<string> {
  let written = ''
  const output = { write: (text: string) => (written += text), tell: () => {}, clock: access.world.clock }
  const file = join(access.world.directory, 'bridge.yaml')
  await tokenCommand(output).parseAsync(['rotate-key', '--connection', 'figshare', '--config', file, ...words], {
    from: 'user',
  })
  return written.trim()
}

describe('under load no request fails while', () => {
  test('a token of the store is replaced', async (t) => {
    const access = await opened(t)
    let token = await access.token('first')
    const running = load(() => access.bearer(token))
    await moreRequests(running)
    token = await access.token('second')
    await moreRequests(running)
    await access.credentials.revokeToken('figshare', 'first', access.world.clock.now())
    await moreRequests(running)
    await running.stop()
    assert.deepEqual(running.failures, [])
  })

  test('the file of a token is replaced', async (t) => {
    const folder = folderOf(t)
    const access = await opened(t, (config) => {
      connectionOf(config, 'figshare').tokens = [
        inFile(folder, 'a', 'the-first-token-of-all'),
        inFile(folder, 'b', 'not-in-use-at-the-start'),
      ]
    })
    let token = 'the-first-token-of-all'
    const running = load(() => access.bearer(token))
    await moreRequests(running)
    writeFileSync(join(folder, 'b'), 'the-second-token-of-all\n')
    access.world.clock.advance(1_000)
    token = 'the-second-token-of-all'
    await moreRequests(running)
    writeFileSync(join(folder, 'a'), 'the-first-is-another-now\n')
    access.world.clock.advance(1_000)
    await moreRequests(running)
    await running.stop()
    assert.deepEqual(running.failures, [])
    assert.equal((await access.bearer('the-first-token-of-all')).status, 401)
    assert.equal((await access.bearer('the-first-is-another-now')).status, 200)
  })

  test("a client's secret is replaced", async (t) => {
    const folder = folderOf(t)
    const access = await opened(t, (config) => {
      const { oauth } = connectionOf(config, 'figshare')
      assert.ok(isJsonObject(oauth) && Array.isArray(oauth.clients) && isJsonObject(oauth.clients[0]))
      oauth.clients[0].secrets = [
        inFile(folder, 'a', 'the-first-secret-of-all'),
        inFile(folder, 'b', 'not-in-use-at-the-start'),
      ]
    })
    let secret = 'the-first-secret-of-all'
    // Each of them asks for a token, and uses it.
    const running = load(async () => {
      const answer = await access.ask({ ...clientForm, client_secret: secret })
      return answer.status === 200 ? access.bearer(String(answer.json.access_token)) : answer
    }, 8)
    await moreRequests(running)
    writeFileSync(join(folder, 'b'), 'the-second-secret-of-all\n')
    access.world.clock.advance(1_000)
    secret = 'the-second-secret-of-all'
    await moreRequests(running)
    writeFileSync(join(folder, 'a'), 'the-first-is-another-now\n')
    access.world.clock.advance(1_000)
    await moreRequests(running)
    await running.stop()
    assert.deepEqual(running.failures, [])
    assert.equal((await access.ask({ ...clientForm, client_secret: 'the-first-secret-of-all' })).status, 401)
  })

  test('the signing key is replaced', async (t) => {
    const access = await opened(t)
    const first = String((await access.ask(clientForm)).json.access_token)
    let turn = 0
    const running = load(async () => {
      turn += 1
      if (turn % 2 === 0) return access.bearer(first)
      const answer = await access.ask(clientForm)
      return access.bearer(String(answer.json.access_token))
    }, 8)
    await moreRequests(running)
    const kid = await rotateKey(access)
    await moreRequests(running)
    await running.stop()
    assert.deepEqual(running.failures, [])
    const next = String((await access.ask(clientForm)).json.access_token)
    assert.equal(decodeProtectedHeader(next).kid, kid)
    assert.notEqual(decodeProtectedHeader(first).kid, kid)
  })
})

describe('a signing key', () => {
  const published = async (access: AccessWorld): Promise<string[]> => {
    const answer = await fetch(`${access.world.url}/figshare/oauth2/jwks`)
    return JSON.parse(await answer.text()).keys.map((key: { kid: string; d?: string }) => {
      assert.equal(key.d, undefined)
      return key.kid
    })
  }

  test('stays published while a token of it can be valid, and goes after that', async (t) => {
    const access = await opened(t)
    const [first, ...none] = await published(access)
    assert.deepEqual(none, [])
    access.world.clock.advance(86_400_000)
    const second = await rotateKey(access)
    assert.deepEqual(await published(access), [second, first])
    access.world.clock.advance(6 * 3_600_000)
    assert.deepEqual(await published(access), [second, first])
    access.world.clock.advance(300_000)
    assert.deepEqual(await published(access), [second])
  })

  test('is forgotten with all that it has signed, when it has leaked', async (t) => {
    const access = await opened(t)
    const token = String((await access.ask(clientForm)).json.access_token)
    assert.equal((await access.bearer(token)).status, 200)
    const next = await rotateKey(access, '--at-once')
    assert.deepEqual(await published(access), [next])
    assert.equal((await access.bearer(token)).status, 401)
    assert.equal((await access.bearer(String((await access.ask(clientForm)).json.access_token))).status, 200)
  })

  test('is replaced by itself after 90 days, and outlives a restart', async (t) => {
    const access = await opened(t)
    const token = String((await access.ask(clientForm)).json.access_token)
    await access.world.restart()
    assert.equal((await access.bearer(token)).status, 200)
    const { kid } = decodeProtectedHeader(token)
    access.world.clock.advance(90 * 86_400_000)
    const next = String((await access.ask(clientForm)).json.access_token)
    assert.notEqual(decodeProtectedHeader(next).kid, kid)
    assert.deepEqual(await published(access), [decodeProtectedHeader(next).kid, kid])
  })
})

test('a secret whose file is emptied, too short or gone stays as it was, and the log says so', async (t) => {
  const folder = folderOf(t)
  const access = await opened(t, (config) => {
    connectionOf(config, 'figshare').tokens = [inFile(folder, 'a', 'the-first-token-of-all')]
    connectionOf(config, 'figshare').basic = [{ user: 'okta', password: inFile(folder, 'b', basicPassword) }]
  })
  const status = async () => {
    access.world.clock.advance(1_000)
    return (await access.bearer('the-first-token-of-all')).status
  }
  for (const text of ['', 'short']) {
    writeFileSync(join(folder, 'a'), text)
    assert.equal(await status(), 200)
  }
  rmSync(join(folder, 'a'))
  assert.equal(await status(), 200)
  assert.equal(access.world.logLines.filter((line) => line.includes('was not read anew')).length, 3)
  writeFileSync(join(folder, 'a'), 'another-token-of-figshare')
  assert.equal(await status(), 401)
  writeFileSync(join(folder, 'b'), 'another-password-of-okta')
  access.world.clock.advance(1_000)
  assert.equal((await access.basic('okta', basicPassword)).status, 401)
  assert.equal((await access.basic('okta', 'another-password-of-okta')).status, 200)
})

test('a secret that is replaced while the bridge is starting is the one that counts', async (t) => {
  const folder = folderOf(t)
  const access = await opened(t, (config) => {
    connectionOf(config, 'figshare').tokens = [inFile(folder, 'a', 'the-first-token-of-all')]
  })
  const { clock, directory } = access.world
  let statuses: number[] = []
  await access.world.restart(async () => {
    const config = readConfig(join(directory, 'bridge.yaml'), {})
    // Opening the store can take as long as another bridge holds it.
    writeFileSync(join(folder, 'a'), 'the-second-token-of-all')
    const bridge = await createBridge(config, { clock, log: createLog('silent') })
    const { host, port } = await bridge.listen()
    clock.advance(1_000)
    const statusOf = async (token: string) => {
      const headers = { Authorization: `Bearer ${token}` }
      return (await seen(`http://${host}:${port}/figshare/scim/v2/Users?count=1`, { headers })).status
    }
    statuses = [await statusOf('the-first-token-of-all'), await statusOf('the-second-token-of-all')]
    await bridge.stop()
  })
  assert.deepEqual(statuses, [401, 200])
})
