import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { builtInMappings } from '../../src/bridge.ts'
import { demoConfig, demoPlatforms, newDemoToken } from '../../src/cli/demo-config.ts'
import { planCommand } from '../../src/cli/plan.ts'
import { seedPeople } from '../../src/cli/seed.ts'
import type { JsonObject } from '../../src/json.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { FileProblems } from '../../src/yaml/problems.ts'
import { aUser } from '../bridge-world.ts'
import { viewAt } from '../platform-view.ts'
import { aFolder } from './demo-process.ts'

const folder = aFolder()
const config = join(folder.path, 'bridge.yaml')
let sandbox: Sandbox
before(async () => {
  sandbox = await startSandbox({ seedUsers: seedPeople(2) })
  const connections = demoPlatforms.map((platform) => ({
    platform,
    token: newDemoToken(),
    baseUrl: sandbox[platform].baseUrl,
    credentials: sandbox[platform].credentials,
  }))
  writeFileSync(config, demoConfig({ port: 1, sharedToken: undefined, mappings: builtInMappings, connections }))
})
after(async () => {
  await sandbox.close()
  folder.remove()
})
afterEach(() => {
  for (const platform of demoPlatforms) {
    sandbox[platform].fault({ mode: 'ok' })
    sandbox[platform].forgetCalls()
  }
})

const userFile = join(folder.path, 'user.json')
async function plan(connection: string, user: JsonObject | string, ...words: string[]) {
  writeFileSync(userFile, typeof user === 'string' ? user : JSON.stringify(user))
  return await run('--connection', connection, '--user', userFile, '--config', config, ...words)
}

async function run(...words: string[]): Promise<{ text: string; exit: number }> {
  let text = ''
  let exit = 0
  const command = planCommand({
    write: (piece) => {
      text += piece
    },
    setExitCode: (code) => {
      exit = code
    },
  })
  await command.parseAsync(words, { from: 'user' })
  return { text, exit }
}

/** What the figshare connection has of `seed0`. */
const seed: JsonObject = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName: 'seed0@example.org',
  name: { givenName: 'Given0', familyName: 'Family0' },
  title: 'Researcher',
  emails: [{ value: 'seed0@example.org', type: 'work', primary: true }],
  active: true,
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: 'Physics' },
}

describe('a plan for a person', () => {
  for (const platform of demoPlatforms) {
    test(`who is new on ${platform} names a new account, and makes none`, async () => {
      const user = aUser()
      const { text, exit } = await plan(platform, user)
      assert.equal(exit, 0)
      assert.match(text, /^a new account would be made\n {2}/)
      assert.ok(text.includes(String(user.userName)), text)
      const { baseUrl, credentials } = sandbox[platform]
      assert.deepEqual(await viewAt(platform, baseUrl, credentials).byEmail(String(user.userName)), [])
    })
  }

  test('whose account differs names what would change, and changes nothing', async () => {
    const { text, exit } = await plan('figshare', { ...seed, name: { givenName: 'Given0', familyName: 'King' } })
    assert.equal(exit, 0)
    assert.equal(
      text,
      `the account would be changed\n  account ${sandbox.figshareAccountIds[0]}\n  last_name: "King"\n`,
    )
    assert.deepEqual(
      sandbox.figshare.calls.filter(({ method }) => method !== 'GET'),
      [],
    )
  })

  test('who leaves names the switch', async () => {
    const { text } = await plan('figshare', { ...seed, active: false }, '--json')
    const { action, accountId, changes } = JSON.parse(text)
    assert.deepEqual(
      { action, accountId, changes },
      { action: 'update', accountId: String(sandbox.figshareAccountIds[0]), changes: { is_active: false } },
    )
  })

  test('whose account is as wanted says so', async () => {
    const { text, exit } = await plan('figshare', seed)
    assert.equal(exit, 0)
    assert.match(text, /^the account is as wanted; nothing would be written\n {2}account \d+\n$/)
  })

  test('whom the platform cannot take says why, and ends with 1', async () => {
    const { text, exit } = await plan('figshare', aUser({ name: { givenName: 'Ada' } }))
    assert.equal(exit, 1)
    assert.match(text, /^this would be refused; nothing would be written\n {2}.*name\.familyName/)
    const json = await plan('figshare', aUser({ emails: [] }), '--json')
    assert.equal(json.exit, 1)
    assert.equal(JSON.parse(json.text).action, 'refuse')
    assert.match(JSON.parse(json.text).reason, /emails/)
  })
})

describe('no plan can be made', () => {
  test('for a connection that there is not, and the message names those that there are', async () => {
    await assert.rejects(
      plan('moodle', seed),
      new Error(`${config} has no connection 'moodle' (have figshare, ethosce, openspecimen, selfcommunity, dspace)`),
    )
  })

  for (const [what, text] of [
    ['broken JSON', '{"userName": "ada"'],
    ['a list', '[]'],
    ['nothing', ''],
  ] as const) {
    test(`of a file with ${what}, and the message names the file`, async () => {
      await assert.rejects(plan('figshare', text), new Error(`${userFile} is not a SCIM user: a JSON object is wanted`))
    })
  }

  test('of a file that is not there', async () => {
    const missing = join(folder.path, 'none.json')
    await assert.rejects(
      run('--connection', 'figshare', '--user', missing, '--config', config),
      new Error(`${missing} cannot be read`),
    )
  })

  test('of a user that SCIM does not allow', async () => {
    await assert.rejects(plan('figshare', { ...seed, userName: 7 }), /userName/)
    await assert.rejects(plan('figshare', { userName: 'ada' }), /schemas is missing/)
  })

  test('with a configuration that is wrong, and the message names the place', async () => {
    const wrong = join(folder.path, 'wrong.yaml')
    writeFileSync(wrong, 'publicUrl: http://127.0.0.1\nconections: {}\n')
    writeFileSync(userFile, JSON.stringify(seed))
    const refusal = run('--connection', 'figshare', '--user', userFile, '--config', wrong)
    await assert.rejects(refusal, (error) => {
      assert.ok(error instanceof FileProblems)
      assert.match(error.message, /wrong\.yaml:2:1: conections: unknown key \(did you mean connections\?\)/)
      return true
    })
  })

  for (const mode of ['down', '500', 'html', '401'] as const) {
    test(`while the platform is in fault mode ${mode}, and the message says so`, async () => {
      sandbox.figshare.fault({ mode })
      await assert.rejects(plan('figshare', seed), (error) => {
        assert.ok(error instanceof Error)
        assert.match(error.message, /Figshare|platform/i)
        assert.ok(sandbox.figshare.faultCount > 0)
        return true
      })
    })
  }
})
