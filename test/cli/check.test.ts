import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { builtInMappings, readConfig } from '../../src/bridge.ts'
import { checkCommand } from '../../src/cli/check.ts'
import { clockFinding, storeFindings } from '../../src/cli/check-findings.ts'
import { demoConfig, demoPlatforms, newDemoToken } from '../../src/cli/demo-config.ts'
import { type Clock, systemClock } from '../../src/clock.ts'
import type { JsonObject } from '../../src/json.ts'
import { createLog } from '../../src/log.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import type { InspectedStore } from '../../src/store/inspect.ts'
import { type OpenedStore, openStore } from '../../src/store/open.ts'
import { smtpServer } from '../platforms/smtp-server.ts'
import { scimBridge } from './processes.ts'

/** In real time, as the platforms' clocks are. */
let sandbox: Sandbox
let store: OpenedStore
const folder = mkdtempSync(join(tmpdir(), 'scim-bridge-check-'))
const file = join(folder, 'demo.yaml')
before(async () => {
  sandbox = await startSandbox()
  const connections = demoPlatforms.map((platform) => ({
    platform,
    token: newDemoToken(),
    baseUrl: sandbox[platform].baseUrl,
    credentials: sandbox[platform].credentials,
  }))
  writeFileSync(file, demoConfig({ port: 0, sharedToken: undefined, mappings: builtInMappings, connections }))
  const location = readConfig(file, {}).store
  assert.ok(location.kind === 'sqlite')
  store = await openStore(location, { clock: systemClock, log: createLog('silent') })
})
after(async () => {
  await store.close()
  await sandbox.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The bridge's own configuration, changed, in a file of its own. */
// biome-ignore lint/suspicious/noExplicitAny: a parsed file that each test changes in its own way.
function changed(change: (config: any) => void): string {
  const config = parse(readFileSync(file, 'utf8'))
  change(config)
  const other = join(folder, 'bridge.yaml')
  writeFileSync(other, stringify(config))
  return other
}

async function check(file: string, words: readonly string[] = [], clock: Clock = systemClock, environment = {}) {
  let text = ''
  let exit = 0
  const output = {
    write: (piece: string) => {
      text += piece
    },
    progress: () => {},
    setExitCode: (code: number) => {
      exit = code
    },
  }
  await checkCommand({ output, environment, clock }).parseAsync(['--config', file, ...words], { from: 'user' })
  return { text, exit }
}

interface Report {
  readonly isOk: boolean
  readonly checks: readonly { area: string; name: string; result: string; seen: string; remedy?: string }[]
}
const report = async (...words: Parameters<typeof check>): Promise<Report & { exit: number }> => {
  const { text, exit } = await check(words[0], [...(words[1] ?? []), '--json'], words[2], words[3])
  return { ...JSON.parse(text), exit }
}

test('beside a bridge that works everything is told as it is, and nothing is written', async () => {
  const platforms = demoPlatforms.map((name) => sandbox[name])
  for (const platform of platforms) platform.forgetCalls()
  const { text, exit } = await check(file)
  assert.match(text, /^ok {7}configuration: bridge\.yaml: .*: 5 connections, secrets present$/m)
  assert.match(text, /^ok {7}store: file: .*, in use by a bridge$/m)
  assert.match(text, /^ok {7}store: version: schema \d+$/m)
  for (const name of ['figshare', 'ethosce', 'openspecimen', 'selfcommunity', 'dspace']) {
    assert.match(text, new RegExp(`^ok {7}${name}: mapping: `, 'm'))
    assert.match(text, new RegExp(`^ok {7}${name}: clock: within \\d+ s of the platform's$`, 'm'))
  }
  assert.match(text, /^ok {7}figshare: token: account \d+$/m)
  assert.match(text, /^ok {7}dspace: version: DSpace /m)
  assert.match(text, /^0 failed, /m)
  assert.notEqual(exit, 1)
  const sent = platforms.flatMap(({ calls }) => calls)
  assert.ok(sent.length > 15)
  // Signing in is a POST.
  assert.deepEqual(
    sent.filter(({ method, path }) => method !== 'GET' && !/\/(sessions|login)$/.test(path)).map(({ path }) => path),
    [],
  )
})

test('wrong credentials of one platform fail, are told with what to mend, and the others are asked all the same', async () => {
  const file = changed(({ connections }) => {
    connections.figshare.settings.token = 'of-somebody-else'
  })
  const { isOk, checks, exit } = await report(file)
  assert.deepEqual([isOk, exit], [false, 1])
  const failed = checks.filter(({ result }) => result === 'failed')
  assert.deepEqual(
    failed.map(({ area, name }) => `${area}: ${name}`),
    ['figshare: token'],
  )
  assert.match(failed[0]?.remedy ?? '', /settings\.token/)
  assert.ok(checks.some(({ area, name, result }) => area === 'dspace' && name === 'administrator' && result === 'ok'))
  assert.ok(!JSON.stringify(checks).includes('of-somebody-else'))
})

test('the mail server for alarms is asked, with TLS and password, and gets no message', async (t) => {
  const login = { user: 'bridge@uni.example', password: 'pass-of-the-bridge' }
  const server = await smtpServer({ tls: 'starttls', login })
  t.after(() => server.close())
  const ca = fileURLToPath(new URL('../tls/authority.pem', import.meta.url))
  const email = { host: '127.0.0.1', port: server.port, ca, ...login, from: login.user, to: [login.user] }
  const found = async (change: JsonObject, words: readonly string[] = []) => {
    const file = changed((config) => {
      config.alarms = { email: { ...email, allowPrivateAddresses: true, ...change } }
    })
    const { checks } = await report(file, ['--connection', 'figshare', ...words])
    return checks.filter(({ area }) => area === 'alarms').map(({ result, seen }) => `${result} ${seen}`)
  }
  const address = `127.0.0.1:${server.port}`
  assert.deepEqual(await found({}), [`ok ${address} answers over TLS, user and password are good`])
  assert.deepEqual(await found({ password: 'of-somebody-else' }), [
    'failed the mail server refused user or password (EAUTH 535)',
  ])
  assert.match(String(await found({ ca: '/none.pem' })), /^failed alarms\.email\.ca: \/none\.pem cannot be read/)
  const asked = server.sessions
  assert.deepEqual(await found({}, ['--offline']), [])
  assert.equal(server.sessions, asked)
  assert.deepEqual(server.mails, [])
})

test('a missing secret, and a mapping that cannot be used, are told with their places', async () => {
  const missing = changed(({ connections }) => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the configuration.
    connections.figshare.settings.token = '${NO_SUCH_SECRET}'
  })
  const { text, exit } = await check(missing)
  assert.equal(exit, 1)
  assert.match(text, /^FAILED {3}configuration: files: .*NO_SUCH_SECRET/ms)
  const file = changed(({ connections }) => {
    connections.figshare.mapping = join(folder, 'none.yaml')
  })
  const mapped = await check(file, ['--offline'])
  assert.equal(mapped.exit, 1)
  assert.match(mapped.text, /^FAILED {3}figshare: mapping and files: .*none\.yaml/m)
  assert.match(mapped.text, /^ok {7}dspace: mapping: /m)
})

test('offline no platform is called, and with a name only that connection is looked at', async () => {
  sandbox.figshare.forgetCalls()
  const offline = await report(file, ['--offline'])
  assert.equal(sandbox.figshare.calls.length, 0)
  assert.ok(offline.checks.every(({ name }) => name !== 'token'))
  const one = await report(file, ['--connection', 'dspace'])
  assert.deepEqual([...new Set(one.checks.map(({ area }) => area))], ['configuration', 'store', 'dspace'])
})

test('a clock that is wrong is seen by what platforms say', async () => {
  const ahead: Clock = { ...systemClock, now: () => Date.now() + 300_000 }
  const { checks, exit } = await report(file, ['--connection', 'figshare'], ahead)
  const clock = checks.find(({ name }) => name === 'clock')
  assert.deepEqual([clock?.result, exit], ['failed', 1])
  assert.match(clock?.seen ?? '', /^(299|300|301) s ahead of the platform's$/)
  assert.deepEqual(
    [40_000, -40_000, 1_000, undefined].map((skew) => clockFinding('x', skew)[0]?.seen),
    ["40 s ahead of the platform's", "40 s behind the platform's", "within 1 s of the platform's", undefined],
  )
})

test('ids that a mapping names and the platform has not are told with what to mend', async () => {
  writeFileSync(
    join(folder, 'north.yaml'),
    `version: 1
platform: figshare
extends: shipped:figshare
tables: { faculty: { values: { Physics: 7 } } }
groups: { grants: [{ group: reviewers, grant: { group_id: 110, role_id: 50 } }] }
examples:
  - { name: nobody, scim: { userName: a@b.example }, error: 'user.attributes.last_name: required value is missing (from name.familyName)' }
`,
  )
  const file = changed(({ connections }) => {
    connections.figshare.mapping = join(folder, 'north.yaml')
  })
  const { text, exit } = await check(file, ['--connection', 'figshare'])
  assert.match(text, /^LOOK {5}figshare: groups of the mapping: missing: 7\n +→ .*correct group_id in groups\.grants/m)
  assert.match(text, /^LOOK {5}figshare: roles of the mapping: missing: 50\n +→ .*correct role_id in groups\.grants/m)
  assert.equal(exit, 3)
})

test('a store that is not there is made by the first start; a file that is none is told', async () => {
  const place = (file: string) =>
    changed((config) => {
      config.store = `sqlite:${file}`
    })
  const seen = async (file: string) => {
    const { checks } = await report(place(file), ['--offline'])
    return checks.filter(({ area, result }) => area === 'store' && result !== 'ok').map(({ name }) => name)
  }
  assert.deepEqual(
    (await seen(join(folder, 'deep', 'new.sqlite'))).filter((name) => name === 'version' || name === 'file'),
    [],
  )
  writeFileSync(join(folder, 'text.sqlite'), 'no database at all, but long enough to be looked at as one')
  assert.ok((await seen(join(folder, 'text.sqlite'))).includes('version'))
})

test('versions, room, rights and passing file systems of a store are judged', () => {
  const fine: InspectedStore = {
    file: '/data/bridge.sqlite',
    isThere: true,
    isWritable: true,
    isReadable: true,
    schema: 5,
    newestSchema: 5,
    isInUse: false,
    freeBytes: 1e10,
    passingFileSystem: undefined,
  }
  const judged = (change: Partial<InspectedStore>) =>
    storeFindings({ ...fine, ...change })
      .filter(({ result }) => result !== 'ok')
      .map(({ name, result }) => `${name} ${result}`)
  assert.deepEqual(judged({}), [])
  assert.deepEqual(judged({ schema: 4 }), ['version warning'])
  assert.deepEqual(judged({ schema: 6 }), ['version failed'])
  assert.deepEqual(judged({ freeBytes: 1e9 }), ['disk warning'])
  assert.deepEqual(judged({ freeBytes: 1e7 }), ['disk failed'])
  assert.deepEqual(judged({ isWritable: false }), ['file failed'])
  assert.deepEqual(judged({ isReadable: false, schema: undefined }), ['version failed'])
  assert.deepEqual(judged({ passingFileSystem: 'tmpfs' }), ['file system warning'])
})

test('the program itself ends with 1 when something failed', async () => {
  const file = changed(({ connections }) => {
    connections.figshare.baseUrl = 'http://127.0.0.1:9'
  })
  const { status, stdout } = await scimBridge(['check', '--config', file, '--connection', 'figshare'])
  assert.match(stdout, /^FAILED {3}figshare: token: unreachable: .*\n +→ look whether baseUrl is right/m)
  assert.equal(status, 1)
})
