import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { unreadable } from '../../src/config/unreadable.ts'
import { FileProblems } from '../../src/yaml/problems.ts'

const formats = new Map<string, z.ZodType>([
  ['figshare', z.strictObject({ token: z.string().min(1), rolesPost: z.enum(['add', 'replace']).default('add') })],
  ['dspace', z.strictObject({ user: z.string().min(1), password: z.string().min(1), flavour: z.string().optional() })],
])
const environment = { SCIM_TOKEN: 'a-token-for-the-tests', FIGSHARE_TOKEN: 'figshare-secret' }

const noOtherWayIn = { basic: [], oauth: undefined, entra: undefined, oidc: [], allowFrom: undefined }

const smallest = `publicUrl: https://scim.uni.example/
connections:
  figshare:
    platform: figshare
    baseUrl: https://api.figshare.com/v2/
    tokens: ["\${SCIM_TOKEN}"]
    settings: { token: "\${FIGSHARE_TOKEN}" }
`

function aFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

function loaded(t: TestContext, text: string, variables: Record<string, string | undefined> = environment): Config {
  const file = join(aFolder(t), 'bridge.yaml')
  writeFileSync(file, text)
  return load(file, variables)
}

function load(file: string, variables: Record<string, string | undefined> = environment): Config {
  const options = {
    environment: variables,
    settingsOf: (word: string) => formats.get(word),
    platforms: [...formats.keys()],
  }
  return loadConfig(file, options)
}

/** The lines of the error, without the folder. */
function problemsOf(t: TestContext, text: string, variables?: Record<string, string | undefined>): string[] {
  const file = join(aFolder(t), 'bridge.yaml')
  writeFileSync(file, text)
  try {
    load(file, variables)
  } catch (error) {
    assert.ok(error instanceof FileProblems, String(error))
    return error.message.split('\n').map((line) => line.replace(file, 'bridge.yaml'))
  }
  return []
}

/** The smallest file with one line of it written otherwise, or with lines after it. */
function withLine(number: number, line: string): string {
  const lines = smallest.split('\n')
  lines[number - 1] = line
  return lines.join('\n')
}

test('the smallest file gives every default', (t) => {
  const folder = aFolder(t)
  const file = join(folder, 'bridge.yaml')
  writeFileSync(file, smallest)
  assert.deepEqual(load(file), {
    file,
    publicUrl: 'https://scim.uni.example',
    listen: { host: '127.0.0.1', port: 8080 },
    store: { kind: 'sqlite', file: join(folder, 'data/bridge.sqlite') },
    encryption: { key: undefined, formerKeys: [] },
    log: { level: 'info' },
    retry: { maximumSeconds: 3_600 },
    alarms: { webhook: undefined, email: undefined, departureMinutes: 60, repeatHours: 24, repeats: 7 },
    traces: undefined,
    limits: { requestsPerSecond: 100, burst: 1_000, concurrentRequests: 256 },
    retention: { tombstoneDays: 400, auditDays: 400 },
    trustedProxies: [],
    metrics: { tokens: [] },
    console: { tokens: [], oidc: undefined },
    secretFiles: new Map(),
    connections: [
      {
        name: 'figshare',
        platform: 'figshare',
        mapping: undefined,
        mode: 'confirmed',
        baseUrl: 'https://api.figshare.com/v2',
        allowPrivateAddresses: false,
        tls: undefined,
        tokens: ['a-token-for-the-tests'],
        ...noOtherWayIn,
        headerTokenWithoutScheme: false,
        patch: 'lenient',
        busyStatus: 429,
        pace: undefined,
        retryAfterDeniedSeconds: undefined,
        reconcile: undefined,
        groupPatchAnswer: 'none',
        computedAttributes: 'show',
        unknownMembers: 'refuse',
        requests: { keepHours: 72, bodies: 'masked' },
        guardrails: { hold: false },
        extensions: [],
        settings: { token: 'figshare-secret' },
        secretFiles: new Map(),
      },
    ],
  })
})

test('a full file is read as written, paths counted from the file', (t) => {
  const folder = aFolder(t)
  mkdirSync(join(folder, 'secrets'))
  writeFileSync(join(folder, 'secrets', 'token'), 'from-a-file-0123456789\n')
  writeFileSync(join(folder, 'secrets', 'former-key'), `${Buffer.alloc(32).toString('base64')}\n`)
  writeFileSync(join(folder, 'secrets', 'user'), 'root@uni.example\n\n')
  const file = join(folder, 'bridge.yaml')
  writeFileSync(
    file,
    `publicUrl: http://127.0.0.1:9/base
listen: { host: "::1", port: 0, tls: { certificate: tls/bridge.pem, key: /etc/bridge.key } }
store: sqlite:/var/lib/bridge.sqlite
encryption: { key: "\${STORE_KEY}", formerKeys: [{ file: secrets/former-key }] }
log: { level: silent }
retry: { maximumSeconds: 5 }
alarms: { webhook: { url: 'https://alerts.uni.example/h?k=1', secret: "\${SCIM_TOKEN}" }, repeats: 0 }
limits: { requestsPerSecond: 25, burst: 50 }
retention: { tombstoneDays: 30 }
connections:
  figshare: { platform: figshare, baseUrl: https://a.example, tokens: ["\${SCIM_TOKEN}"], settings: { token: "\${FIGSHARE_TOKEN}" } }
  repository-2:
    platform: dspace
    mapping: mappings/dspace.yaml
    mode: deferred
    baseUrl: http://127.0.0.1:5/server
    allowHttp: true
    allowPrivateAddresses: true
    tls: { ca: tls/authority.pem }
    tokens: [{ file: "\${PLACE}/token" }, "x-\${SCIM_TOKEN}"]
    headerTokenWithoutScheme: true
    patch: strict
    busyStatus: 503
    groupPatchAnswer: group
    unknownMembers: ignore
    guardrails: { hold: true }
    pace: { requestsPerSecond: 0.5, concurrency: 2 }
    retryAfterDeniedSeconds: 60
    reconcile: { everyHours: 24 }
    extensions:
      urn:example:campus:2.0:User:
        attributes: { cardNumber: { caseExact: true, description: Card }, since: { type: dateTime, multiValued: true } }
      urn:example:other: { attributes: {} }
    settings: { user: { file: secrets/user }, password: "\${FIGSHARE_TOKEN}", flavour: "$\${not one} and $5" }
`,
  )
  const STORE_KEY = Buffer.alloc(32, 1).toString('base64')
  const config = load(file, { ...environment, STORE_KEY, PLACE: 'secrets' })
  const { alarms, ...others } = config
  assert.equal(alarms.webhook?.secret(), environment.SCIM_TOKEN)
  assert.equal(alarms.webhook?.url, 'https://alerts.uni.example/h?k=1')
  assert.deepEqual([alarms.repeatHours, alarms.repeats], [24, 0])
  assert.deepEqual(
    { ...others, connections: config.connections.slice(1) },
    {
      file,
      publicUrl: 'http://127.0.0.1:9/base',
      listen: {
        host: '::1',
        port: 0,
        tls: { certificate: join(folder, 'tls/bridge.pem'), key: '/etc/bridge.key' },
      },
      limits: { requestsPerSecond: 25, burst: 50, concurrentRequests: 256 },
      retention: { tombstoneDays: 30, auditDays: 400 },
      store: { kind: 'sqlite', file: '/var/lib/bridge.sqlite' },
      encryption: { key: Buffer.alloc(32, 1).toString('base64'), formerKeys: [Buffer.alloc(32).toString('base64')] },
      log: { level: 'silent' },
      retry: { maximumSeconds: 5 },
      traces: undefined,
      trustedProxies: [],
      metrics: { tokens: [] },
      console: { tokens: [], oidc: undefined },
      secretFiles: new Map([['connections.repository-2.tokens.0', join(folder, 'secrets/token')]]),
      connections: [
        {
          name: 'repository-2',
          platform: 'dspace',
          mapping: join(folder, 'mappings/dspace.yaml'),
          mode: 'deferred',
          baseUrl: 'http://127.0.0.1:5/server',
          allowPrivateAddresses: true,
          tls: { ca: join(folder, 'tls/authority.pem') },
          tokens: ['from-a-file-0123456789', 'x-a-token-for-the-tests'],
          ...noOtherWayIn,
          headerTokenWithoutScheme: true,
          patch: 'strict',
          busyStatus: 503,
          groupPatchAnswer: 'group',
          computedAttributes: 'show',
          unknownMembers: 'ignore',
          requests: { keepHours: 72, bodies: 'masked' },
          guardrails: { hold: true },
          pace: { requestsPerSecond: 0.5, concurrency: 2 },
          retryAfterDeniedSeconds: 60,
          reconcile: { everyHours: 24 },
          extensions: [
            {
              urn: 'urn:example:campus:2.0:User',
              attributes: [
                { name: 'cardNumber', type: 'string', multiValued: false, caseExact: true, description: 'Card' },
                { name: 'since', type: 'dateTime', multiValued: true, description: '' },
              ],
            },
            { urn: 'urn:example:other', attributes: [] },
          ],
          settings: { user: 'root@uni.example\n', password: 'figshare-secret', flavour: `\${not one} and $5` },
          secretFiles: new Map(),
        },
      ],
    },
  )
})

const secretText = `a secret is not written here: write "\${NAME}" and set the variable NAME, or { file: path }`
const urlText = 'has to be an http or https URL without user, query and fragment, for example https://scim.uni.example'
const mistakes: readonly [what: string, text: string, problems: readonly string[]][] = [
  [
    'an unknown key',
    withLine(1, 'publicUrl: https://a.example\npublicURL: x'),
    ['2:1: publicURL: unknown key (did you mean publicUrl?)'],
  ],
  [
    'an unknown key of a connection',
    withLine(4, '    platform: figshare\n    token: x'),
    ['5:5: connections.figshare.token: unknown key (did you mean tokens?)'],
  ],
  [
    'an unknown setting',
    withLine(7, `    settings: { token: "\${FIGSHARE_TOKEN}", rolePost: add }`),
    ['7:45: connections.figshare.settings.rolePost: unknown key (did you mean rolesPost?)'],
  ],
  [
    'a wrong setting',
    withLine(7, `    settings: { token: "\${FIGSHARE_TOKEN}", rolesPost: both }`),
    ['7:45: connections.figshare.settings.rolesPost: has to be one of add, replace'],
  ],
  ['a missing setting', withLine(7, '    settings: {}'), ['7:5: connections.figshare.settings.token: is missing']],
  ['no settings at all', withLine(7, ''), ['3:3: connections.figshare.settings.token: is missing']],
  [
    'an unknown platform',
    withLine(4, '    platform: figshar'),
    ["4:5: connections.figshare.platform: no platform 'figshar' (did you mean figshare?)"],
  ],
  ['no public URL', withLine(1, ''), ['2:1: publicUrl: is missing']],
  ['a public URL with a query', withLine(1, 'publicUrl: https://a.example?x=1'), [`1:1: publicUrl: ${urlText}`]],
  ['a public URL with credentials', withLine(1, 'publicUrl: https://a:b@a.example'), [`1:1: publicUrl: ${urlText}`]],
  ['a public URL of another kind', withLine(1, 'publicUrl: ftp://a.example'), [`1:1: publicUrl: ${urlText}`]],
  [
    'plain http to a platform',
    withLine(5, '    baseUrl: HTTP://api.figshare.com/v2'),
    [
      '5:5: connections.figshare.baseUrl: credentials would go out in clear text: use https, or say allowHttp: true for this host',
    ],
  ],
  [
    'a literal token',
    withLine(6, '    tokens: [0123456789abcdef]'),
    [`6:14: connections.figshare.tokens.0: ${secretText}`],
  ],
  [
    'a literal secret in the settings',
    withLine(7, '    settings: { token: figshare-secret }'),
    [`7:17: connections.figshare.settings.token: ${secretText}`],
  ],
  [
    'an extension with a mistyped key, an unknown type and names that are none',
    withLine(
      6,
      `    tokens: ["\${SCIM_TOKEN}"]
    extensions:
      urn:example:campus:2.0:User:
        attributes:
          card: { typ: string }
          seats: { type: number }
          "two words": {}
          CARD: {}
      campus: { attributes: {} }
      urn:ietf:params:scim:schemas:extension:enterprise:2.0:User: { attributes: {} }
      urn:example:other: { atributes: {} }`,
    ),
    [
      '10:19: connections.figshare.extensions.urn:example:campus:2.0:User.attributes.card.typ: unknown key (did you mean type?)',
      '11:20: connections.figshare.extensions.urn:example:campus:2.0:User.attributes.seats.type: has to be one of string, boolean, decimal, integer, dateTime, reference, binary',
      "12:11: connections.figshare.extensions.urn:example:campus:2.0:User.attributes.two words: needs a letter, then letters, digits, '-' or '_', at most 50 in all",
      "14:7: connections.figshare.extensions.campus: needs a name that starts with 'urn:', without blanks, brackets and quotes, of at most 200 characters",
      '15:7: connections.figshare.extensions.urn:ietf:params:scim:schemas:extension:enterprise:2.0:User: is built in: it needs no declaration',
      '16:7: connections.figshare.extensions.urn:example:other.attributes: is missing',
      '16:28: connections.figshare.extensions.urn:example:other.atributes: unknown key (did you mean attributes?)',
    ],
  ],
  [
    'an attribute that is declared twice',
    withLine(
      6,
      `    tokens: ["\${SCIM_TOKEN}"]
    extensions: { urn:example:a: { attributes: { card: {}, CARD: {} } } }`,
    ),
    [
      '7:60: connections.figshare.extensions.urn:example:a.attributes.CARD: is declared twice, in different letter case',
    ],
  ],
  [
    'too many attributes',
    withLine(
      6,
      `    tokens: ["\${SCIM_TOKEN}"]
    extensions: { urn:example:a: { attributes: { ${Array.from({ length: 201 }, (_, index) => `a${index}: {}`).join(', ')} } } }`,
    ),
    ['7:36: connections.figshare.extensions.urn:example:a.attributes: has more than 200 entries'],
  ],
  ['no token', withLine(6, '    tokens: []'), ['6:5: connections.figshare.tokens: has to have at least one entry']],
  [
    'twenty-one tokens',
    withLine(6, `    tokens: [${Array.from({ length: 21 }, () => `"\${SCIM_TOKEN}"`).join(', ')}]`),
    ['6:5: connections.figshare.tokens: has to have at most 20 entries'],
  ],
  [
    'a variable that is not set',
    withLine(6, `    tokens: ["\${SCIM_TOKENS}"]`),
    ['6:14: connections.figshare.tokens.0: the environment variable SCIM_TOKENS is not set'],
  ],
  [
    'a variable that is a name of every object',
    withLine(6, `    tokens: ["\${constructor}"]`),
    ['6:14: connections.figshare.tokens.0: the environment variable constructor is not set'],
  ],
  [
    'a secret file that is not there',
    withLine(6, '    tokens: [{ file: nowhere }]'),
    [
      '6:14: connections.figshare.tokens.0: this file cannot be read: it is not there; relative names begin at the folder of bridge.yaml',
    ],
  ],
  [
    'another store',
    withLine(1, 'publicUrl: https://a.example\nstore: postgres://db/bridge'),
    ['2:1: store: names no user: write postgres://user@host/database'],
  ],
  [
    'a key of the store that is none, and one that is written out',
    withLine(
      1,
      `publicUrl: https://a.example\nencryption: { key: "\${SCIM_TOKEN}", formerKeys: [${Buffer.alloc(32).toString('base64')}] }`,
    ),
    [
      '2:15: encryption.key: has to be a key of 32 bytes in base64: make one with `scim-bridge store key`, and keep a copy of it',
      `2:50: encryption.formerKeys.0: a secret is not written here: write "\${NAME}" and set the variable NAME, or { file: path }`,
    ],
  ],
  [
    'a mistyped mode',
    withLine(4, '    platform: figshare\n    mode: defered'),
    ['5:5: connections.figshare.mode: has to be one of confirmed, deferred'],
  ],
  [
    'another busy status',
    withLine(4, '    platform: figshare\n    busyStatus: 500'),
    ['5:5: connections.figshare.busyStatus: has to be one of 429, 503'],
  ],
  [
    'a pace that is neither off nor a map',
    withLine(4, '    platform: figshare\n    pace: slow'),
    ['5:5: connections.figshare.pace: has to be off, or { requestsPerSecond: …, concurrency: … }'],
  ],
  [
    'a pace of nothing',
    withLine(4, '    platform: figshare\n    pace: { requestsPerSecond: 0, concurency: 1 }'),
    [
      '5:13: connections.figshare.pace.requestsPerSecond: has to be more than 0',
      '5:5: connections.figshare.pace.concurrency: is missing',
      '5:35: connections.figshare.pace.concurency: unknown key (did you mean concurrency?)',
    ],
  ],
  [
    'a port that is none',
    withLine(1, 'publicUrl: https://a.example\nlisten: { port: 65536 }'),
    ['2:11: listen.port: has to be at most 65535'],
  ],
  [
    'a port in quotes',
    withLine(1, 'publicUrl: https://a.example\nlisten: { port: "80" }'),
    ['2:11: listen.port: has to be a number'],
  ],
  [
    'a connection named like a page of the bridge',
    withLine(3, '  console:'),
    ['3:3: connections.console: this name belongs to the bridge itself'],
  ],
  [
    'a connection with a capital letter',
    withLine(3, '  Figshare:'),
    ['3:3: connections.Figshare: a connection is named by small letters, digits and hyphens'],
  ],
  [
    'no connection',
    'publicUrl: https://a.example\nconnections: {}\n',
    ['2:1: connections: there is no connection: name at least one'],
  ],
  [
    'connections that are a list',
    'publicUrl: https://a.example\nconnections: []\n',
    ['2:1: connections: has to be a map'],
  ],
  ['a key said twice', `${smallest}publicUrl: https://b.example\n`, ['8:1: publicUrl: is said twice: drop one']],
]
for (const [what, text, problems] of mistakes) {
  test(`${what} is told with its place and what to write`, (t) => {
    assert.deepEqual(problemsOf(t, text).toSorted(), problems.map((problem) => `bridge.yaml:${problem}`).toSorted())
  })
}

test('all mistakes are told at once, in the order of the file', (t) => {
  const text = `publicUrl: nonsense
lisen: {}
connections:
  figshare:
    platform: figshare
    baseUrl: http://api.figshare.com
    tokens: ["\${NOT_SET}"]
    settings: { tocken: x }
  livez:
    platform: moodle
    baseUrl: https://moodle.example
    tokens: [short]
`
  const places = problemsOf(t, text).map((line) => line.split(':').slice(1, 4).join(':'))
  assert.deepEqual(places, [
    '1:1: publicUrl',
    '2:1: lisen',
    '6:5: connections.figshare.baseUrl',
    '7:14: connections.figshare.tokens.0',
    '8:5: connections.figshare.settings.token',
    '8:17: connections.figshare.settings.tocken',
    '9:3: connections.livez',
    '10:5: connections.livez.platform',
    '12:14: connections.livez.tokens.0',
  ])
})

test('a token that is too short is refused, also from the environment, and is not repeated in the message', (t) => {
  const [problem, ...others] = problemsOf(t, smallest, { ...environment, SCIM_TOKEN: 'hunter2hunter2' })
  assert.deepEqual(others, [])
  assert.match(problem ?? '', /6:14: connections\.figshare\.tokens\.0: is shorter than 16 characters/)
  assert.doesNotMatch(problem ?? '', /hunter2/)
})

test('a short token is taken where literal secrets are allowed, as in a demonstration, but never an empty one', (t) => {
  const demonstration = (token: string) => `allowLiteralSecrets: true\n${withLine(6, `    tokens: ["${token}"]`)}`
  assert.deepEqual(loaded(t, demonstration('x')).connections[0]?.tokens, ['x'])
  assert.match(problemsOf(t, demonstration(''))[0] ?? '', /tokens\.0: is empty/)
})

test('no message repeats a value of the settings or a token', (t) => {
  const text = `${smallest.replace('FIGSHARE_TOKEN}"', `FIGSHARE_TOKEN}", rolesPost: "\${SCIM_TOKEN}"`)}mode: 1\n`
  const problems = problemsOf(t, text)
  assert.equal(problems.length, 2)
  assert.doesNotMatch(problems.join(), /a-token-for-the-tests|figshare-secret/)
})

test('literal secrets are allowed where the file says so, and only by a true', (t) => {
  const literal = withLine(6, '    tokens: [0123456789abcdef]')
  assert.deepEqual(loaded(t, `${literal}allowLiteralSecrets: true\n`).connections[0]?.tokens, ['0123456789abcdef'])
  assert.equal(problemsOf(t, `${literal}allowLiteralSecrets: false\n`).length, 1)
  assert.equal(problemsOf(t, `${literal}allowLiteralSecrets: "true"\n`).length, 2)
})

test('an empty variable is as good as none', (t) => {
  const problems = problemsOf(t, smallest, { ...environment, FIGSHARE_TOKEN: '' })
  assert.deepEqual(problems, [
    'bridge.yaml:7:17: connections.figshare.settings.token: the environment variable FIGSHARE_TOKEN is not set',
  ])
})

test('a file that is not there is told with what to do', () => {
  assert.throws(
    () => load('/nowhere/bridge.yaml'),
    (error) =>
      error instanceof FileProblems && /cannot be read: name a file with --config or BRIDGE_CONFIG/.test(error.message),
  )
})

test('a file that is there, and cannot be read, is told with why', () => {
  const problem = (code: string) => unreadable(Object.assign(new Error('of the system'), { code }), 'write one')
  assert.equal(problem('ENOENT'), 'cannot be read: write one')
  assert.match(problem('EACCES'), /give the bridge's user the right to read it/)
  assert.throws(() => load(tmpdir()), /cannot be read: it is a folder, as containers get/)
})

test('broken YAML is told with its line', (t) => {
  const [problem] = problemsOf(t, 'publicUrl: "https://a.example\nconnections: {}\n')
  assert.match(problem ?? '', /^bridge\.yaml:\d+:\d+: /)
})
