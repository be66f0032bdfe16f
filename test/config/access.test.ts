import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { z } from 'zod'
import { parseCidr } from '../../src/access.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { FileProblems } from '../../src/yaml/problems.ts'

const tenant = 'ce5f061f-abe6-4e40-9615-301f87bcb7f0'
const secret = 'a-secret-for-the-tests'

/** A file whose only connection has these lines. */
function loaded(t: TestContext, lines: string, bridge = ''): Config {
  const folder = mkdtempSync(join(tmpdir(), 'config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'bridge.yaml')
  writeFileSync(join(folder, 'secret'), `${secret}\n`)
  writeFileSync(
    file,
    `publicUrl: https://scim.uni.example\n${bridge}connections:\n  library:\n    platform: x\n    baseUrl: https://x.example\n${lines
      .split('\n')
      .map((line) => `    ${line}`)
      .join('\n')}\n`,
  )
  return load(file)
}

function load(file: string): Config {
  const environment = { SECRET: secret, SHORT: 'short' }
  return loadConfig(file, { environment, settingsOf: () => z.record(z.string(), z.json()), platforms: ['x'] })
}

function problemsOf(t: TestContext, lines: string, bridge?: string): string[] {
  try {
    loaded(t, lines, bridge)
  } catch (error) {
    assert.ok(error instanceof FileProblems, String(error))
    return error.problems.map(({ path, message }) => `${path}: ${message}`)
  }
  return []
}

const written = `a secret is not written here: write "\${NAME}" and set the variable NAME, or { file: path }`
const short = 'is shorter than 16 characters: a token has to be hard to guess'
const http = 'anybody could put in keys of their own: use https, or say allowHttp: true for a test'
const at = 'connections.library'

describe('a way in is refused at the start when it', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'has its password written out',
      `basic: [{ user: okta, password: ${secret} }]`,
      [`${at}.basic.0.password: ${written}`],
    ],
    [
      'has its client secret written out',
      `oauth: { clients: [{ id: a, secrets: [${secret}] }] }`,
      [`${at}.oauth.clients.0.secrets.0: ${written}`],
    ],
    ['has a short password', `basic: [{ user: okta, password: "\${SHORT}" }]`, [`${at}.basic.0.password: ${short}`]],
    [
      'has a short client secret',
      `oauth: { clients: [{ id: a, secrets: ["\${SECRET}", "\${SHORT}"] }] }`,
      [`${at}.oauth.clients.0.secrets.1: ${short}`],
    ],
    [
      'has a user whom Basic cannot name',
      `basic: [{ user: "a:b", password: "\${SECRET}" }]`,
      [`${at}.basic.0.user: has to be 1 to 128 characters without a colon`],
    ],
    [
      'names a user twice',
      `basic: [{ user: a, password: "\${SECRET}" }, { user: a, password: "\${SECRET}" }]`,
      [`${at}.basic.1.user: is said twice`],
    ],
    [
      'names a client twice',
      `oauth: { clients: [{ id: a, secrets: ["\${SECRET}"] }, { id: a, secrets: ["\${SECRET}"] }] }`,
      [`${at}.oauth.clients.1.id: is said twice`],
    ],
    [
      'is a client without proof',
      'oauth: { clients: [{ id: a }] }',
      [`${at}.oauth.clients.0: needs secrets, or a federation`],
    ],
    [
      'gives tokens of less than an hour',
      `oauth: { lifetimeSeconds: 60, clients: [{ id: a, secrets: ["\${SECRET}"] }] }`,
      [`${at}.oauth.lifetimeSeconds: has to be at least 3600`],
    ],
    [
      'gives tokens of more than six hours',
      `oauth: { lifetimeSeconds: 21601, clients: [{ id: a, secrets: ["\${SECRET}"] }] }`,
      [`${at}.oauth.lifetimeSeconds: has to be at most 21600`],
    ],
    [
      'has an issuer without https',
      'oidc: [{ issuer: http://idp.example, audience: a }]',
      [`${at}.oidc.0.issuer: ${http}`],
    ],
    [
      'has keys without https',
      `entra: { tenant: ${tenant}, jwks: http://idp.example/keys }`,
      [`${at}.entra.jwks: ${http}`],
    ],
    [
      'trusts a federation without https',
      'oauth: { clients: [{ id: a, federation: { issuer: http://i.example, subject: s, audience: a } }] }',
      [`${at}.oauth.clients.0.federation.issuer: ${http}`],
    ],
    [
      'has no tenant',
      'entra: { tenant: common }',
      [`${at}.entra.tenant: has to be the id of the tenant: 8-4-4-4-12 hexadecimal digits`],
    ],
    [
      'takes signatures that both sides can make',
      'oidc: [{ issuer: https://idp.example, audience: a, algorithms: [HS256] }]',
      [
        `${at}.oidc.0.algorithms.0: has to be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA`,
      ],
    ],
    [
      'takes no signature at all',
      'oidc: [{ issuer: https://idp.example, audience: a, algorithms: [none] }]',
      [
        `${at}.oidc.0.algorithms.0: has to be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA`,
      ],
    ],
    ['has no audience', 'oidc: [{ issuer: https://idp.example }]', [`${at}.oidc.0.audience: is missing`]],
    [
      'has a role that there is not',
      `basic: [{ user: a, password: "\${SECRET}", role: admin }]`,
      [`${at}.basic.0.role: has to be one of provision, read, monitor, operate`],
    ],
    [
      'is mistyped',
      'oauth: { client: [] }',
      [`${at}.oauth.client: unknown key (did you mean clients?)`, `${at}.oauth.clients: is missing`],
    ],
    [
      'is mistyped in a list',
      'basic: [{ user: a, pasword: "x" }]',
      [`${at}.basic.0.pasword: unknown key (did you mean password?)`, `${at}.basic.0.password: is missing`],
    ],
    [
      'is from nowhere',
      'allowFrom: [192.0.2.0/33]',
      [`${at}.allowFrom.0: has to be an address or a range, for example 192.0.2.7 or 2001:db8::/32`],
    ],
  ]
  for (const [what, lines, expected] of cases) {
    test(what, (t) => assert.deepEqual(problemsOf(t, lines).sort(), [...expected].sort()))
  }

  test('is a token for metrics that is short or written out, or a proxy without an address', (t) => {
    const bridge = `metrics: { tokens: [${secret}, "\${SHORT}"] }\ntrustedProxies: [proxy.example]\n`
    assert.deepEqual(problemsOf(t, `tokens: ["\${SECRET}"]`, bridge).sort(), [
      `metrics.tokens.0: ${written}`,
      `metrics.tokens.1: ${short}`,
      'trustedProxies.0: has to be an address or a range, for example 192.0.2.7 or 2001:db8::/32',
    ])
  })
})

test('secrets of callers may come from files, whose places are kept', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'bridge.yaml')
  writeFileSync(join(folder, 'secret'), `${secret}\n`)
  writeFileSync(
    file,
    `publicUrl: https://scim.uni.example
metrics: { tokens: [{ file: secret }] }
connections:
  library:
    platform: x
    baseUrl: https://x.example
    tokens: ["\${SECRET}", { file: secret }]
    basic: [{ user: okta, password: { file: secret } }]
    oauth: { clients: [{ id: a, secrets: ["\${SECRET}", { file: secret }] }] }
    settings: { token: { file: secret } }
`,
  )
  const config = load(file)
  assert.deepEqual([...config.secretFiles.keys()].sort(), [
    'connections.library.basic.0.password',
    'connections.library.oauth.clients.0.secrets.1',
    'connections.library.tokens.1',
    'metrics.tokens.0',
  ])
  for (const path of config.secretFiles.values()) assert.equal(path, join(folder, 'secret'))
  assert.deepEqual(config.metrics.tokens, [secret])
  assert.equal(config.connections[0]?.basic[0]?.password, secret)
})

test('addresses and ranges', () => {
  for (const good of ['192.0.2.7', '0.0.0.0/0', '10.0.0.0/8', '::1', '2001:db8::/32', '::/0', '2001:db8::1/128']) {
    assert.ok(parseCidr(good) !== undefined, good)
  }
  for (const bad of [
    '',
    'x',
    '192.0.2.7/33',
    '192.0.2.7/-1',
    '192.0.2.7/',
    '192.0.2.7/8/8',
    '192.0.2',
    '::1/129',
    'fe80::1%eth0',
    '1.2.3.4/8x',
  ]) {
    assert.equal(parseCidr(bad), undefined, bad)
  }
})
