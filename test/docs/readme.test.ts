import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { aFolder, type ReadyLine } from '../cli/demo-process.ts'
import { type Ended, freePort, isAlive, type Running, root, run, start, within } from '../cli/processes.ts'
import { codeBlocks, pages, pageText } from './code-blocks.ts'

/** The README's commands in order, each in one piece; comments left out. */
const commands = codeBlocks('README.md', 'sh').flatMap(({ text }) =>
  text
    .trim()
    .replaceAll(/ +#.*$/gm, '')
    .split(/\n(?=npm|npx|curl)/),
)
const folder = aFolder()
let port = 0
let demo: Running
let ready: ReadyLine
before(async () => {
  port = await freePort()
  demo = start('sh', ['-c', asOn(commandWith('npm run demo'))])
  await within(20_000, 'the ready line', () => /^\{.*\}\n/m.test(demo.stdout()))
  ready = JSON.parse(/^\{.*\}$/m.exec(demo.stdout())?.[0] ?? '')
})
after(async () => {
  if (isAlive(ready.pid)) process.kill(ready.pid, 'SIGTERM')
  await demo.ended
  folder.remove()
})

function commandWith(part: string): string {
  const [command, ...others] = commands.filter((one) => one.includes(part))
  assert.ok(command !== undefined && others.length === 0, `one command with ${part}`)
  return command
}

/** The same on the port of this test, with its files. */
function asOn(command: string): string {
  return command.replaceAll('8080', String(port)).replaceAll('user.json', join(folder.path, 'user.json'))
}

function shell(part: string, environment: Record<string, string> = {}): Promise<Ended> {
  return run('sh', ['-c', asOn(commandWith(part))], { environment })
}

describe("the README's commands, as they are written", () => {
  test('are these', () => {
    assert.deepEqual(
      commands.map((command) => command.split(/ (?=-|http|mappings)/, 1)[0]),
      [
        'npm ci',
        'npm run demo',
        'curl',
        'curl',
        'npx scim-bridge mapping check',
        'npx scim-bridge mapping test',
        'npx scim-bridge mapping explain',
        'npx scim-bridge plan',
      ],
    )
  })

  test('the first request answers the user, whose account was made', async () => {
    const { status, stdout } = await shell("-H 'Content-Type: application/scim+json'")
    assert.equal(status, 0)
    assert.ok(stdout.includes('"state":"applied"'), stdout)
    assert.equal(JSON.parse(stdout).userName, 'ada@uni.example')
  })

  test('the second request finds her', async () => {
    const { status, stdout } = await shell('--data-urlencode')
    assert.equal(status, 0)
    assert.ok(stdout.includes('"totalResults":1'), stdout)
  })

  test('mapping check and mapping test find everything right', async () => {
    const checked = await shell('mapping check')
    assert.equal(checked.status, 0)
    assert.match(checked.stdout, /^(mappings\/\S+: ok\n){10}$/)
    const tested = await shell('mapping test')
    assert.equal(tested.status, 0)
    assert.match(tested.stdout, /\d+ examples passed, 0 failed\n$/)
  })

  test('mapping explain and plan say what becomes of a user, here the one of the first request', async () => {
    const user = /-d '(.*)'/s.exec(commandWith("-H 'Content-Type: application/scim+json'"))?.[1] ?? ''
    writeFileSync(join(folder.path, 'user.json'), user)
    const explained = await shell('mapping explain')
    assert.equal(explained.status, 0)
    assert.match(explained.stdout, /^email = "ada@uni\.example"/m)
    const written = /configuration in (.*);/.exec(demo.stderr())?.[1] ?? ''
    const config = parse(readFileSync(written, 'utf8'))
    const { figshare } = config.connections
    const file = join(folder.path, 'bridge.yaml')
    writeFileSync(file, stringify({ ...config, connections: { library: figshare } }))
    const planned = await shell('scim-bridge plan', { BRIDGE_CONFIG: file })
    assert.equal(planned.status, 0, planned.stderr)
    assert.match(planned.stdout, /^the account is as wanted/)
  })
})

test('the commands of docs/scim.md work as they are written', async () => {
  const answers: string[] = []
  for (const { text } of codeBlocks('docs/scim.md', 'sh')) {
    const { status, stdout } = await run('sh', ['-c', asOn(text)])
    assert.equal(status, 0, text)
    answers.push(stdout)
  }
  const [config = '', page = '', bulk = '', ...others] = answers
  assert.deepEqual(others, [])
  assert.equal(JSON.parse(config).pagination.cursor, true)
  assert.equal(typeof JSON.parse(page).totalResults, 'number')
  assert.equal('startIndex' in JSON.parse(page), false)
  const { Operations } = JSON.parse(bulk)
  assert.deepEqual(
    Operations.map((operation: { bulkId: string; status: string }) => [operation.bulkId, operation.status]),
    [
      ['readers', '201'],
      ['grace', '201'],
    ],
    bulk,
  )
})

for (const page of ['docs/metrics.md', 'docs/runbook.md', 'docs/upgrade.md']) {
  test(`the commands of ${page} work as they are written, and say something`, async () => {
    const blocks = codeBlocks(page, 'sh')
    assert.equal(blocks.length, 1)
    for (const { text, place } of blocks) {
      const { status, stdout, stderr } = await run('sh', ['-ec', asOn(text)])
      assert.equal(status, 0, `${place}: ${stderr}`)
      assert.match(stdout, /scim_bridge_operations_unfinished\{connection="dspace"\}|examples passed, 0 failed/, place)
    }
  })
}

test("the commands of docs/demo.md work with the ready line's values", async () => {
  const [look = '', fault = '', ...others] = [...pageText('docs/demo.md').matchAll(/^```\n(.*)\n```$/gm)].map(
    ([, command]) => command,
  )
  assert.deepEqual(others, [])
  const { platform, control, credentials } = ready.connections.figshare
  const filled = (command: string) =>
    command
      .replace('<credentials.token>', String(credentials.token))
      .replace('<platform>', platform)
      .replace('<control>', control)
  const looked = await run('sh', ['-c', filled(look)])
  assert.deepEqual(
    JSON.parse(looked.stdout).map(({ email }: { email: string }) => email),
    ['ada@uni.example'],
  )
  const down = await run('sh', ['-c', filled(fault)])
  assert.equal(JSON.parse(down.stdout).mode, 'down')
})

test('every link of the docs to a file finds it', () => {
  let links = 0
  for (const page of pages) {
    for (const [, target = ''] of pageText(page).matchAll(/\]\(([^)#]+)\)/g)) {
      if (/^https?:/.test(target)) continue
      assert.ok(existsSync(join(root, dirname(page), target)), `${page}: ${target}`)
      links += 1
    }
  }
  assert.ok(links >= 10)
})

test('the README fits on two screens', () => {
  assert.ok(pageText('README.md').split('\n').length <= 110)
})
