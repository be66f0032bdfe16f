import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Command, CommanderError } from 'commander'
import { createProgram } from '../../src/cli/program.ts'
import { main, run } from './processes.ts'

interface Told {
  readonly stdout: string
  readonly stderr: string
  /** Undefined: nothing was thrown. */
  readonly exitCode: number | undefined
}

/** Words that never reach a command's work: mistakes and questions. */
async function say(...words: string[]): Promise<Told> {
  let stdout = ''
  let stderr = ''
  const program = createProgram()
  const listen = (command: Command): void => {
    command.configureOutput({
      writeOut: (text) => {
        stdout += text
      },
      writeErr: (text) => {
        stderr += text
      },
    })
    for (const inner of command.commands) listen(inner)
  }
  listen(program)
  try {
    await program.parseAsync(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return { stdout, stderr, exitCode: error.exitCode }
  }
  return { stdout, stderr, exitCode: undefined }
}

describe('wrong usage', () => {
  const mistakes: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an option that there is not', ['serve', '--confg', 'x'], /unknown option '--confg'\n\(Did you mean --config\?\)/],
    ['an option without its value', ['demo', '--port'], /'--port <port>' argument missing/],
    ['a port beyond the last', ['demo', '--port', '70000'], /argument '70000' is invalid\. A port is 1 to 65535/],
    ['port 0, which nobody could be told', ['demo', '--port', '0'], /A port is 1 to 65535/],
    ['a count that is none', ['demo', '--seed-users', '-1'], /argument '-1' is invalid\. A whole number is wanted/],
    ['a count of nothing', ['demo', '--seed-users', ''], /A whole number is wanted/],
    ['a token that cannot be sent', ['demo', '--token', 'two words'], /A bearer token has letters, digits/],
    ['an empty token', ['demo', '--token', ''], /A bearer token has letters, digits/],
    ['a word too many', ['demo', 'now'], /too many arguments for 'demo'/],
    ['a command that there is not', ['demonstrate'], /unknown command 'demonstrate'/],
    ['a mapping command that there is not', ['mapping', 'chek'], /unknown command 'chek'\n\(Did you mean check\?\)/],
    ['a plan of nobody', ['plan', '--connection', 'figshare'], /'--user <file>' not specified/],
    ['an order without a reason', ['users', 'retry', 'ada', '--connection', 'x'], /'--why <reason>' not specified/],
    ['an order about nobody', ['users', 'retry', '--connection', 'x', '--why', 'y'], /name one user, or give --all/],
    [
      'everybody without a cause',
      ['users', 'retry', '--all', '--connection', 'x', '--why', 'y'],
      /--all and --error belong together/,
    ],
    ['no command', [], /^Usage: scim-bridge \[options\] \[command\]/],
    ['no mapping command', ['mapping'], /^Usage: scim-bridge mapping/],
  ]
  for (const [what, words, message] of mistakes) {
    test(`${what} is told, with how it is used`, async () => {
      const { stdout, stderr, exitCode } = await say(...words)
      assert.notEqual(exitCode ?? 0, 0)
      assert.match(stderr, message)
      assert.match(stderr, /^Usage: scim-bridge/m)
      assert.equal(stdout, '')
    })
  }
})

describe('--help', () => {
  const commands: readonly (readonly [readonly string[], readonly RegExp[]])[] = [
    [['serve'], [/--config <file> .*\$BRIDGE_CONFIG, then \.\/bridge\.yaml/]],
    [['demo'], [/--port <port>/, /--token <token>/, /--state <dir>/, /--simulators-only/, /--seed-users <count>/]],
    [
      ['mapping', 'check'],
      [/\[file\.\.\.\]/, /--json/],
    ],
    [
      ['mapping', 'test'],
      [/\[file\.\.\.\]/, /--json/],
    ],
    [
      ['mapping', 'explain'],
      [/<file>/, /--user <file>/, /--groups <names>/, /--json/],
    ],
    [['mapping', 'schema'], [/JSON Schema/]],
    [
      ['token', 'create'],
      [/--connection <name>/, /--name <name>/, /--role <role>/, /--expires <when>/, /--config <file>/, /--json/],
    ],
    [
      ['token', 'list'],
      [/--connection <name>/, /never the secret/],
    ],
    [
      ['token', 'revoke'],
      [/--connection <name>/, /--name <name>/],
    ],
    [['store', 'key'], [/encryption\.key/]],
    [
      ['store', 'rekey'],
      [/--config <file>/, /--json/, /has\s+to\s+be\s+stopped/],
    ],
    [['token', 'rotate-key'], [/--connection <name>/]],
    [['plan'], [/--connection <name>/, /--user <file>/, /--config <file>/, /--json/, /writes\s+nothing/]],
  ]
  for (const [words, texts] of commands) {
    test(`${words.join(' ')} --help goes to standard output`, async () => {
      const { stdout, stderr, exitCode } = await say(...words, '--help')
      assert.equal(exitCode, 0)
      assert.equal(stderr, '')
      assert.match(stdout, new RegExp(`^Usage: scim-bridge ${words.join(' ')} \\[options\\]`))
      for (const text of texts) assert.match(stdout, text)
    })
  }

  test('of the program names the commands that there are, and no other', async () => {
    const { stdout, exitCode } = await say('--help')
    assert.equal(exitCode, 0)
    const [, list = ''] = stdout.split('Commands:\n')
    const named = list.split('\n').flatMap((line) => /^ {2}([a-z]+)/.exec(line)?.[1] ?? [])
    assert.deepEqual(named, [
      'serve',
      'init',
      'check',
      'demo',
      'mapping',
      'plan',
      'token',
      'users',
      'resume',
      'reconcile',
      'import',
      'audit',
      'erase',
      'store',
      'completion',
      'help',
    ])
  })
})

test('a reader that has seen enough ends a command without a word', async () => {
  const { stdout, stderr } = await run('bash', ['-c', `'${process.execPath}' '${main}' mapping check | head -n 1`])
  assert.match(stdout, /^[^\n]*dspace\.yaml: ok\n$/)
  assert.equal(stderr, '')
})
