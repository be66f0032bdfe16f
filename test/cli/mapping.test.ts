import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { CommanderError } from 'commander'
import { mappingCommand, schemaText } from '../../src/cli/mapping.ts'
import { builtIn, changed, factsOf, mappingsFolder } from '../mapping/platforms.ts'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'mapping-cli-'))
  writeFileSync(join(folder, 'good.yaml'), builtIn('figshare'))
  writeFileSync(join(folder, 'bad.yaml'), changed(builtIn('figshare'), 'version: 1', 'versoin: 1'))
  writeFileSync(
    join(folder, 'failing.yaml'),
    changed(builtIn('figshare'), '      group_id: 101', '      group_id: 102'),
  )
  writeFileSync(
    join(folder, 'ada.json'),
    JSON.stringify({ userName: 'ada', name: { familyName: 'L' }, emails: [{ value: 'a@b.example' }] }),
  )
  writeFileSync(join(folder, 'list.json'), '[]')
  writeFileSync(
    join(folder, 'unclear.yaml'),
    changed(builtIn('figshare'), 'transform: [trim], empty: keep }', 'transform: [trim] }'),
  )
  writeFileSync(join(folder, 'north.yaml'), extending('failing.yaml', '{}'))
  writeFileSync(join(folder, 'south.yaml'), extending('failing.yaml', '{}'))
  writeFileSync(join(folder, 'upon-bad.yaml'), extending('unclear.yaml', '{ attributes: { job_title: null } }'))
  writeFileSync(join(folder, 'nobody.json'), '{"title":"Dr"}')
  writeFileSync(
    join(folder, 'entra.json'),
    JSON.stringify({
      userName: 'ada@uni.example',
      'name.givenName': 'Ada',
      'name.familyName': 'Lovelace',
      emails: { value: 'Ada@uni.example', primary: 'True' },
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department': 'Physics',
      active: 'False',
    }),
  )
})
after(() => rmSync(folder, { recursive: true }))

function extending(base: string, user: string): string {
  return `version: 1
platform: figshare
extends: ${base}
user: ${user}
examples:
  - name: off
    was: { userName: a@uni.example, name: { familyName: L } }
    scim: { userName: a@uni.example, name: { familyName: L }, active: false }
    changes: { is_active: false }
`
}

/** Runs `mapping …`; file names stand in the test's folder. */
async function run(...words: string[]): Promise<{ text: string; exit: number }> {
  let text = ''
  let exit = 0
  const command = mappingCommand({
    factsOf,
    builtInMappings: mappingsFolder,
    environment: { MAPPING_OF_THE_LIBRARY: 'bad' },
    write: (piece) => {
      text += piece
    },
    setExitCode: (code) => {
      exit = code
    },
  })
  for (const one of [command, ...command.commands]) {
    one.exitOverride().configureOutput({
      writeErr: (piece) => {
        text += piece
      },
    })
  }
  try {
    await command.parseAsync(
      words.map((word) => (/^[a-z-]+\.(yaml|json)$/.test(word) ? join(folder, word) : word)),
      { from: 'user' },
    )
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    exit = 2
  }
  return { text: text.replaceAll(`${folder}/`, ''), exit }
}

describe('mapping check', () => {
  test('says that a file is right', async () => {
    assert.deepEqual(await run('check', 'good.yaml'), { text: 'good.yaml: ok\n', exit: 0 })
  })

  test('lists what is wrong, of every file, and ends with 1', async () => {
    const { text, exit } = await run('check', 'bad.yaml', 'good.yaml', 'none.yaml')
    assert.deepEqual(text.trimEnd().split('\n'), [
      'bad.yaml:2:1: version: is missing',
      'bad.yaml:2:1: versoin: unknown key (did you mean version?)',
      'good.yaml: ok',
      'none.yaml:1:1: none.yaml cannot be read (ENOENT)',
    ])
    assert.equal(exit, 1)
  })

  test('tells machines the same', async () => {
    const { text, exit } = await run('check', '--json', 'bad.yaml')
    assert.equal(exit, 1)
    assert.deepEqual(JSON.parse(text).problems[1], {
      file: 'bad.yaml',
      line: 2,
      column: 1,
      path: 'versoin',
      message: 'unknown key (did you mean version?)',
    })
  })

  test('looks at all built-in files when none is named', async () => {
    const { text, exit } = await run('check')
    assert.equal(text.trimEnd().split('\n').length, 10)
    assert.match(text, /connections\/demo-dspace\.yaml: ok/)
    assert.equal(exit, 0)
  })

  test('looks also at those that bridge.yaml names, without its secrets; before an upgrade nobody names them all', async () => {
    const connection = `platform: figshare, tokens: ["\${NOT_SET_HERE}"]`
    writeFileSync(
      join(folder, 'bridge.yaml'),
      `connections:
  library: { ${connection}, mapping: '\${MAPPING_OF_THE_LIBRARY}.yaml' }
  archive: { ${connection}, mapping: good.yaml }
  repository: { ${connection} }
`,
    )
    const checked = await run('check', '--config', 'bridge.yaml')
    assert.equal(checked.exit, 1)
    assert.match(checked.text, /bad\.yaml:2:1: versoin: unknown key/)
    assert.match(checked.text, /good\.yaml: ok$/m)
    assert.match(checked.text, /connections\/demo-dspace\.yaml: ok/)
    const tested = await run('test', '--config', 'bridge.yaml')
    assert.match(tested.text, /good\.yaml: ok: leaving is one change$/m)
    await assert.rejects(run('check', '--config', 'missing.yaml'), /missing\.yaml:1:1: cannot be read/)
  })

  test('ends with 2 on an option that it does not have', async () => {
    assert.equal((await run('check', '--quick')).exit, 2)
  })
})

describe('mapping check of a file that extends another one', () => {
  test('what is wrong with the other one refuses the start, and is told', async () => {
    const { text, exit } = await run('check', 'upon-bad.yaml')
    assert.match(text, /^unclear\.yaml:\d+:\d+: user\.attributes\.job_title: figshare cannot clear it/m)
    assert.equal(exit, 1)
  })
})

describe('mapping test', () => {
  test('runs the examples, tells which fails and why, and ends with 1', async () => {
    const { text, exit } = await run('test', 'failing.yaml')
    assert.match(text, /^failing\.yaml: FAILED: a new physicist: account\.group_id is 101, not 102$/m)
    assert.match(text, /^failing\.yaml: ok: leaving is one change$/m)
    assert.match(text, /^4 examples passed, 1 failed$/m)
    assert.equal(exit, 1)
  })

  test('a file that is wrong fails', async () => {
    const { text, exit } = await run('test', 'bad.yaml')
    assert.match(text, /versoin: unknown key/)
    assert.equal(exit, 1)
  })

  test('of a file that extends another one the examples of both are run, each once', async () => {
    const { text, exit } = await run('test', 'north.yaml', 'south.yaml')
    assert.match(text, /^north\.yaml: ok: off$/m)
    assert.match(text, /^south\.yaml: ok: off$/m)
    assert.equal(text.match(/^failing\.yaml: FAILED: a new physicist/gm)?.length, 1)
    assert.equal(exit, 1)
  })

  test('tells machines the same', async () => {
    const { text, exit } = await run('test', '--json', 'good.yaml')
    const [{ examples }] = JSON.parse(text)
    assert.deepEqual(examples[0], { name: 'a new physicist', ok: true })
    assert.equal(exit, 0)
  })
})

describe('mapping explain', () => {
  test('says every step of every rule, and why there is nothing', async () => {
    const { text, exit } = await run(
      'explain',
      'good.yaml',
      '--user',
      'ada.json',
      '--groups',
      'figshare-admins, others',
    )
    assert.equal(exit, 0)
    assert.match(text, /^figshare, active: \{"is_active":true\}$/m)
    assert.match(text, /^institution_user_id = "ada" {3}\(required, on_change: refuse\)$/m)
    assert.match(
      text,
      /^group_id = 100\n {2}ent:department: nothing\n {2}after from: nothing\n {2}after default: 100$/m,
    )
    assert.match(text, /^job_title = nothing.*\n.*\n.*\n {2}nothing, because: no value in title, and no default$/m)
    assert.match(text, /nothing, because: user\.attributes\.email: is not an e-mail address \(from userName\)/)
    assert.match(
      text,
      /^grants\n {2}\{"group_id":110,"role_id":49\}\n {2}\{"group_id":100,"role_id":2\}\n {2}none for group others$/m,
    )
  })

  test('finds a connection by its name, and a person who has no id yet gets one', async () => {
    const { text, exit } = await run('explain', 'demo-selfcommunity', '--user', 'ada.json', '--json')
    assert.equal(exit, 0)
    const username = JSON.parse(text).attributes.find((one: { attribute: string }) => one.attribute === 'username')
    assert.match(username.value, /^ada-[0-9a-f]{6}$/)
  })

  test('a person in the dialects of identity providers is what the bridge makes of them', async () => {
    const { text, exit } = await run('explain', 'good.yaml', '--user', 'entra.json', '--groups', 'figshare-admins')
    assert.equal(exit, 0)
    assert.match(text, /^figshare, not active: \{"is_active":false\}$/m)
    assert.match(text, /^first_name = "Ada"/m)
    assert.match(text, /^email = "ada@uni\.example"/m)
    assert.match(text, /^group_id = 101$/m)
    assert.doesNotMatch(text, /role_id/, 'somebody who is off is given nothing')
  })

  test('a person whom the bridge would refuse is refused with the same words', async () => {
    const { text, exit } = await run('explain', 'good.yaml', '--user', 'nobody.json')
    assert.match(text, /--user: nobody\.json would be refused: userName is required/)
    assert.equal(exit, 2)
  })

  test('ends with 2 without a person, or with something else', async () => {
    assert.equal((await run('explain', 'good.yaml')).exit, 2)
    assert.equal((await run('explain', 'good.yaml', '--user', 'none.json')).exit, 2)
    const { text, exit } = await run('explain', 'good.yaml', '--user', 'list.json')
    assert.match(text, /--user: list\.json is not a SCIM User in JSON/)
    assert.equal(exit, 2)
  })
})

test('mapping schema prints the schema for editors', async () => {
  assert.deepEqual(await run('schema'), { text: schemaText(), exit: 0 })
})
