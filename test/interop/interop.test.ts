/** What `run.sh` needs of us; the suites themselves need the network. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readConfig } from '../../src/bridge.ts'
import { demoConfig, demoPlatforms, newDemoToken } from '../../src/cli/demo-config.ts'
import { readMappingFile } from '../../src/mapping/read.ts'
import { platforms } from '../../src/platforms/registry.ts'
import { type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'
import { aFolder } from '../cli/demo-process.ts'

const folder = aFolder()
let world: BridgeWorld
before(async () => {
  world = await startBridgeWorld()
})
after(async () => {
  await world.stop()
  folder.remove()
})

async function run(script: string, words: readonly string[], environment: Record<string, string> = {}) {
  const file = fileURLToPath(new URL(script, import.meta.url))
  const child = spawn(process.execPath, [file, ...words], { env: { ...process.env, ...environment } })
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { status, stdout, stderr }
}

test('every connection of the demonstration gets a second one whose mapping makes do with a userName', async () => {
  const connections = demoPlatforms.map((platform) => ({
    platform,
    token: newDemoToken(),
    baseUrl: 'http://127.0.0.1:9',
    credentials: world.sandbox[platform].credentials,
  }))
  const file = join(folder.path, 'bridge.yaml')
  writeFileSync(file, demoConfig({ port: 1, sharedToken: undefined, mappings: 'mappings', connections }))
  assert.deepEqual(await run('configure.ts', [folder.path]), { status: 0, stdout: '', stderr: '' })
  const lenient = readConfig(file, {}).connections.filter(({ name }) => name.endsWith('-lenient'))
  assert.deepEqual(
    lenient.map(({ name }) => name),
    demoPlatforms.map((platform) => `${platform}-lenient`),
  )
  for (const { mapping = '', platform } of lenient) {
    const { examples } = readMappingFile(mapping, (name) => platforms.get(name)?.facts)
    assert.deepEqual(
      examples.map(({ name }) => name),
      ['a userName is enough'],
      platform,
    )
  }
})

test("the player of Okta's test counts what it asserts and tells what does not hold", async () => {
  const is = (property: string, comparison: string, value: string | null = null) => ({
    source: 'response_json',
    property,
    comparison,
    value,
  })
  const status = (value: string) => ({ source: 'response_status', comparison: 'equal_number', value })
  const get = { step_type: 'request', method: 'GET', headers: { Authorization: ['{{auth}}'] } }
  const steps = [
    {
      ...get,
      note: 'list',
      url: '{{SCIMBaseURL}}/Users?count=1&startIndex=1',
      assertions: [
        status('200'),
        is('Resources[0].name.familyName', 'equal', 'Hopper'),
        is('schemas', 'has_value', 'urn:ietf:params:scim:api:messages:2.0:ListResponse'),
        is('totalResults', 'is_a_number'),
        is('Resources[0].nickName', 'not_empty'),
      ],
      variables: [{ name: 'someone', property: 'Resources[0].id' }],
    },
    { step_type: 'pause', duration: 5 },
    {
      ...get,
      note: 'read',
      url: '{{SCIMBaseURL}}/Users/{{someone}}',
      assertions: [status('404'), is('id', 'equal', '{{someone}}'), is('id', 'is_a_number')],
    },
  ]
  const file = join(folder.path, 'spec.json')
  writeFileSync(file, JSON.stringify({ steps }))
  const token = world.tokens.get('figshare') ?? ''
  const base = `${world.url}/figshare/scim/v2`
  const { status: exit, stdout } = await run('okta-spec.ts', [file, 'figshare', base], { SCIM_TOKEN: token })
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    'Okta SPEC test: figshare: 8 checks, 3 errors',
    '  list: response_json Resources[0].nickName not_empty',
    '  read: response_status equal_number 404',
    '  read: response_json id is_a_number',
  ])
  assert.equal(exit, 1)
})
