import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { checkCommand } from '../../src/cli/check.ts'
import { type InitDependencies, initCommand } from '../../src/cli/init.ts'
import { neededSettings } from '../../src/cli/init-files.ts'
import { systemClock } from '../../src/clock.ts'
import { scimBridge } from './processes.ts'

function aFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'scim-bridge-init-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'bridge.yaml')
}

async function init(file: string, words: readonly string[], ask?: InitDependencies['ask']): Promise<string> {
  let text = ''
  const write = (piece: string) => {
    text += piece
  }
  await initCommand({ write, ask }).parseAsync(['--config', file, ...words], { from: 'user' })
  return text
}

const settings = ['--setting', 'user=restws_scim', '--setting', 'domain=openspecimen', '--setting', 'userId=7']

for (const [platform, needed] of neededSettings) {
  test(`what is written for ${platform} passes the check of configuration and mapping, and has no secret in it`, async (t) => {
    const file = aFile(t)
    const base = needed.baseUrl === undefined ? ['--base-url', 'https://platform.uni.example'] : []
    const words = ['--platform', platform, '--name', 'library-1', '--public-url', 'https://scim.uni.example', ...base]
    const { variables } = JSON.parse(await init(file, [...words, ...settings, '--json']))
    assert.equal(variables[0], 'LIBRARY_1_SCIM_TOKEN')
    const environment = Object.fromEntries(variables.map((name: string) => [name, 'a secret that is long enough']))
    const report: { checks: { area: string; name: string; result: string }[] } = { checks: [] }
    const output = {
      write: (text: string) => void Object.assign(report, JSON.parse(text)),
      progress: () => {},
      setExitCode: () => {},
    }
    const check = checkCommand({ output, environment, clock: systemClock })
    await check.parseAsync(['--config', file, '--offline', '--json'], { from: 'user' })
    const looked = report.checks.filter(({ area }) => area !== 'store')
    assert.deepEqual(
      looked.map(({ area, name, result }) => `${area}: ${name}: ${result}`),
      ['configuration: bridge.yaml: ok', 'library-1: mapping: ok'],
    )
    for (const secret of needed.secrets)
      assert.match(readFileSync(file, 'utf8'), new RegExp(`${secret}: \\$\\{LIBRARY_1_`))
  })
}

test('on a terminal it asks for what the options leave out, with what is usual', async (t) => {
  const file = aFile(t)
  const questions: string[] = []
  const answers = ['figshare', '', 'https://scim.uni.example', '']
  const text = await init(file, [], async (question) => {
    questions.push(question)
    return answers.shift() ?? ''
  })
  assert.deepEqual(questions, [
    'Platform (figshare, ethosce, openspecimen, selfcommunity, dspace): ',
    'Name of the connection, part of its address [figshare]: ',
    'Address at which identity providers reach the bridge: ',
    'Address of figshare [https://api.figshare.com/v2]: ',
  ])
  assert.match(
    text,
    /set FIGSHARE_SCIM_TOKEN and FIGSHARE_TOKEN in the environment of the bridge; then: scim-bridge check/,
  )
})

test('no file is replaced, neither the configuration nor the mapping', async (t) => {
  const file = aFile(t)
  const words = ['--platform', 'figshare', '--public-url', 'https://scim.uni.example']
  await init(file, words)
  const before = readFileSync(file, 'utf8')
  await assert.rejects(init(file, words), /bridge\.yaml is there already: nothing is replaced/)
  rmSync(file)
  await assert.rejects(init(file, words), /figshare\.yaml is there already: nothing is replaced/)
  assert.equal(existsSync(file), false)
  writeFileSync(file, before)
})

test("a platform of one's own network, and a simulated one, are said to be such with an option, and the message names it", async (t) => {
  const file = aFile(t)
  const words = ['--platform', 'dspace', '--public-url', 'https://scim.uni.example', '--setting', 'user=scim']
  const inside = [...words, '--base-url', 'https://127.0.0.1:8081/server']
  const simulated = [...words, '--base-url', 'http://127.0.0.1:8081/server', '--allow-private-addresses']
  const refusals: [readonly string[], RegExp][] = [
    [inside, /^--base-url: .* private network: give --allow-private-addresses if the platform is there$/m],
    [simulated, /^--base-url: .*: use https, or give --allow-http for this host$/m],
    [
      words.with(-1, 'password=in-the-shell').concat('--base-url', 'https://repository.uni.example'),
      /--setting user=…/,
    ],
  ]
  for (const [given, text] of refusals) {
    await assert.rejects(init(file, given), (error) => {
      assert.ok(error instanceof Error)
      assert.match(error.message, text)
      assert.ok(!error.message.includes(file), 'no place in a file that is not there')
      return true
    })
    assert.equal(existsSync(file), false)
  }
  await init(file, [...simulated, '--allow-http'])
  assert.match(readFileSync(file, 'utf8'), /^ {4}allowHttp: true\n {4}allowPrivateAddresses: true$/m)
})

test('an answer that cannot be right leaves nothing behind', async (t) => {
  const file = aFile(t)
  const words = ['--platform', 'figshare', '--public-url', 'scim.uni.example']
  await assert.rejects(init(file, words), /nothing is written\n--public-url: has to be an http or https URL/)
  assert.equal(existsSync(file), false)
  await assert.rejects(init(file, ['--platform', 'figshare']), /--public-url is needed: nobody is at a terminal/)
  await assert.rejects(
    init(file, ['--platform', 'figshare', '--name', 'Two Words']),
    /a connection is named by small letters/,
  )
})

test('bash completes commands and options out of the program itself', async () => {
  const { stdout, status } = await scimBridge(['completion', 'bash'])
  assert.equal(status, 0)
  const { run } = await import('./processes.ts')
  const complete = async (...words: string[]) => {
    const script = `${stdout}\nCOMP_WORDS=(scim-bridge ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _scim_bridge; echo "\${COMPREPLY[@]}"`
    return (await run('bash', ['-c', script])).stdout.trim().split(' ')
  }
  assert.deepEqual(await complete('rec'), ['reconcile'])
  assert.deepEqual(await complete('users', 're'), ['retry', 'release', 'reapply'])
  assert.deepEqual(await complete('users', 'reapply', '--al'), ['--all'])
  assert.deepEqual(await complete('--version', 'token', 'cre'), ['create'])
})

test('zsh and fish get every command and option, too', async () => {
  for (const shell of ['zsh', 'fish']) {
    const { stdout } = await scimBridge(['completion', shell])
    for (const word of ['reconcile', 'users', 'rotate-key']) assert.ok(stdout.includes(word), `${shell} ${word}`)
    assert.match(stdout, shell === 'fish' ? /-l recreate/ : /--recreate/)
  }
  assert.equal((await scimBridge(['completion', 'tcsh'])).status, 2)
})
