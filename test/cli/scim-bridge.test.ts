import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { aFolder } from './demo-process.ts'
import { isAlive, root, run, start, within } from './processes.ts'

const folder = aFolder()
after(folder.remove)

/** The machine's own Node where it is an old one, as it is for whom the launcher is made; else the present one. */
const node = oldNode() ?? process.execPath
const launcher = join(root, 'src', 'cli', 'scim-bridge.cjs')

function oldNode(): string | undefined {
  const candidates = (process.env.PATH ?? '').split(delimiter).map((place) => join(place, 'node'))
  return candidates.filter(existsSync).find((file) => {
    const version = execFileSync(file, ['--version'], { encoding: 'utf8' })
    return Number(/^v(\d+)/.exec(version)?.[1]) < 24
  })
}

const launch = (...words: string[]) => run(node, [launcher, ...words])

describe('the command scim-bridge, under the Node of the machine', () => {
  test('knows its version', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const { status, stdout, stderr } = await launch('--version')
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: `${version}\n`, stderr: '' })
  })

  test('checks and tests the mappings that come with it', async () => {
    const checked = await launch('mapping', 'check')
    assert.equal(checked.status, 0, checked.stderr)
    assert.match(checked.stdout, /^mappings\/figshare\.yaml: ok$/m)
    const tested = await launch('mapping', 'test')
    assert.equal(tested.status, 0, tested.stderr)
    assert.match(tested.stdout, /^\d{2,} examples passed, 0 failed$/m)
  })

  test('hands on the exit status: 1 for a file that is wrong, 2 for wrong usage', async () => {
    const wrong = join(folder.path, 'wrong.yaml')
    writeFileSync(wrong, 'versoin: 1\n')
    assert.equal((await launch('mapping', 'check', wrong)).status, 1)
    const { status, stderr } = await launch('plan', '--connection', 'figshare')
    assert.equal(status, 2)
    assert.match(stderr, /^Usage: scim-bridge plan/m)
  })

  test('says in one line what is wrong with the file of a plan', async () => {
    const user = join(folder.path, 'broken.json')
    const config = join(folder.path, 'bridge.yaml')
    writeFileSync(user, '{')
    writeFileSync(
      config,
      `publicUrl: https://scim.uni.example
allowLiteralSecrets: true
connections:
  library: { platform: figshare, baseUrl: https://figshare.example/v2, tokens: [x], settings: { token: y } }
`,
    )
    const { status, stderr } = await launch('plan', '--connection', 'library', '--user', user, '--config', config)
    assert.equal(status, 1)
    assert.equal(stderr, `scim-bridge: ${user} is not a SCIM user: a JSON object is wanted\n`)
  })

  test('hands on SIGTERM, and nothing of it stays', async () => {
    const running = start(node, [launcher, 'demo', '--simulators-only', '--port', '9', '--state', folder.path])
    await within(20_000, 'the ready line', () => running.stdout().includes('\n'))
    const { pid } = JSON.parse(running.stdout())
    running.child.kill('SIGTERM')
    assert.equal((await running.ended).status, 0)
    assert.equal(isAlive(pid), false)
  })
})

test('npx scim-bridge finds the command in this folder', async () => {
  const { status, stdout } = await run('npx', ['scim-bridge', 'mapping', 'check', 'mappings/figshare.yaml'])
  assert.equal(status, 0)
  assert.equal(stdout, 'mappings/figshare.yaml: ok\n')
})
