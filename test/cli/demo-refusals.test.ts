import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { aFolder, startDemo } from './demo-process.ts'
import { descendantsOf, isAlive, run, scimBridge } from './processes.ts'

const folder = aFolder()
after(folder.remove)

describe('on a port that somebody has', () => {
  let other: Server
  let port = ''
  before(async () => {
    // It answers like a bridge: the demo must not take it for its own.
    other = createServer((_request, response) => response.end('ok'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const address = other.address()
    port = String(typeof address === 'object' ? address?.port : address)
  })
  after(() => other.close())

  test('the demo says so in one line, makes nothing and ends', async () => {
    const state = join(folder.path, 'port-in-use')
    const words = ['run', '--silent', 'demo', '--', '--port', port, '--state', state]
    const { status, stdout, stderr } = await run('npm', words)
    assert.equal(status, 1)
    assert.equal(stdout, '')
    assert.equal(stderr, `scim-bridge: port ${port} is in use by another program: name another one with --port\n`)
    assert.deepEqual(readdirSync(folder.path).includes('port-in-use'), false)
  })

  test('--simulators-only starts all the same, and the bridge says it in one line', async () => {
    const state = join(folder.path, 'bridge-port')
    const demo = await startDemo(['--simulators-only', '--seed-users', '3', '--state', state])
    try {
      const taken = new Promise<Server>((resolve) => {
        const server = createServer()
        server.listen(demo.port, '127.0.0.1', () => resolve(server))
      })
      const { status, stderr } = await scimBridge(['serve', '--config', join(state, 'bridge.yaml')])
      ;(await taken).close()
      assert.equal(status, 1)
      assert.equal(
        stderr,
        `scim-bridge: port ${demo.port} of 127.0.0.1 is in use: end the program that has it, or change listen.port\n`,
      )
    } finally {
      await demo.stop()
    }
  })

  test('a folder with users is not seeded again, and nothing is left running', async () => {
    const words = ['demo', '--simulators-only', '--seed-users', '3', '--state', join(folder.path, 'bridge-port')]
    const { status, stdout, stderr } = await scimBridge(words)
    assert.equal(status, 1)
    assert.equal(stdout, '')
    assert.equal(stderr, 'scim-bridge: --seed-users needs an empty --state folder: this one has users already\n')
  })
})

test('without --state nothing stays on the disk, and a bridge that no longer listens ends all the same', async () => {
  const temporary = aFolder()
  const demo = await startDemo(['--token', 'short'], { TMPDIR: temporary.path })
  assert.equal(readdirSync(temporary.path).filter((name) => name.startsWith('scim-bridge-demo-')).length, 1)
  const [bridge = 0, ...others] = descendantsOf(demo.ready.pid)
  assert.deepEqual(others, [])
  process.kill(bridge, 'SIGSTOP')
  const before = Date.now()
  const { status } = await demo.stop()
  assert.equal(status, 0)
  assert.ok(Date.now() - before < 8_000)
  assert.equal(isAlive(bridge), false)
  assert.deepEqual(
    readdirSync(temporary.path).filter((name) => name.startsWith('scim-bridge')),
    [],
  )
  temporary.remove()
})

test('an option that there is not ends npm run demo with 2, after what is wrong and how it is used', async () => {
  const { status, stdout, stderr } = await run('npm', ['run', '--silent', 'demo', '--', '--prot', '8080'])
  assert.equal(status, 2)
  assert.match(
    stderr,
    /^error: unknown option '--prot'\n\(Did you mean --port\?\)\n\nUsage: scim-bridge demo \[options\]/,
  )
  assert.equal(stdout, '')
})

test('serve without a configuration says what to write', async () => {
  const { status, stderr } = await scimBridge(['serve'], { cwd: folder.path, environment: { BRIDGE_CONFIG: '' } })
  assert.equal(status, 1)
  assert.match(
    stderr,
    /bridge\.yaml.*cannot be read: name a file with --config or BRIDGE_CONFIG, or write bridge\.yaml/,
  )
})
