import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { BlockList } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Ajv } from 'ajv'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { readConfig } from '../../src/bridge.ts'
import { root } from '../cli/processes.ts'

const folder = join(root, 'deploy', 'compose')
const written: unknown = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8'), { merge: true })

const mount = z.looseObject({ type: z.string(), source: z.string(), target: z.string() })
const service = z.looseObject({
  image: z.string(),
  user: z.string().optional(),
  read_only: z.boolean().optional(),
  privileged: z.literal(false).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  ports: z.array(z.string()).default([]),
  networks: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).optional(),
  volumes: z.array(mount).default([]),
  environment: z.record(z.string(), z.string()).default({}),
})
const { services } = z.looseObject({ services: z.record(z.string(), service) }).parse(written)
const bridges = Object.entries(services).filter(([name]) => name.startsWith('bridge-') || name === 'migrate')

test('compose.yaml is one by the Compose specification, and a mistake would be seen', () => {
  const schema: object = JSON.parse(readFileSync(join(root, 'test/deploy/schemas/compose.schema.json'), 'utf8'))
  const { $schema: _, ...rules } = { $schema: '', ...schema }
  const validate = new Ajv({ strict: false, formats: { duration: true, subnet_ip_address: true } }).compile(rules)
  assert.equal(validate(written), true, JSON.stringify(validate.errors))
  assert.equal(validate({ services: { bridge: { imagee: 'x' } } }), false)
})

describe('the composition', () => {
  test('has two bridges, and the migration before them', () => assert.equal(bridges.length, 3))

  test('runs bridges as an ordinary user, on a read-only root, without rights', () => {
    for (const [name, { user, read_only, cap_drop, security_opt }] of bridges) {
      assert.deepEqual(
        { user, read_only, cap_drop, security_opt },
        { user: 'node', read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] },
        name,
      )
    }
  })

  test('opens the ports of the proxy and no others', () => {
    const open = Object.entries(services).filter(([, { ports }]) => ports.length > 0)
    assert.deepEqual(
      open.map(([name]) => name),
      ['proxy'],
    )
  })

  test('names images by version, and no secret', () => {
    for (const [name, { image, environment }] of Object.entries(services)) {
      assert.match(image, /^\$\{SCIM_BRIDGE_IMAGE|:\d+\.\d+/, name)
      for (const [variable, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|TOKEN|URL/.test(variable)) assert.match(value, /^(\$\{|\/run\/secrets\/)/, variable)
    }
  })

  test('mounts what is there, or what the guide tells to make', () => {
    const made = ['./bridge.yaml', './mappings', './secrets']
    for (const { type, source } of Object.values(services).flatMap(({ volumes }) => volumes)) {
      if (type === 'bind') assert.ok(made.includes(source) || existsSync(join(folder, source)), source)
    }
  })

  test('has a proxy that knows every bridge, and keeps health, metrics and the console inside', () => {
    const text = readFileSync(join(folder, 'Caddyfile'), 'utf8')
    const upstreams = /reverse_proxy (.*) \{/.exec(text)?.[1]?.split(' ')
    assert.deepEqual(
      upstreams,
      bridges.map(([name]) => `${name}:8080`).filter((name) => !name.startsWith('migrate')),
    )
    // Both read such an expression alike.
    const shape =
      /@inside \{\n\s*not path_regexp (\S+)\n\s*not \{\n\s*path (.+)\n\s*remote_ip (\S+)\n\s*\}\n\s*\}\n\s*respond @inside 404\n/
    const [, comesIn = '(never)', pages, operators] = shape.exec(text) ?? []
    assert.deepEqual([pages, operators], ['/console /console/*', '{$CONSOLE_FROM:127.0.0.1/32}'])
    assert.equal(
      services.proxy?.environment.CONSOLE_FROM,
      `\${CONSOLE_FROM:-127.0.0.1/32}`,
      'nobody, unless they are named',
    )
    for (const path of ['/library/scim/v2', '/library/scim/v2/', '/library/scim/v2/Users/1', '/library/oauth2/token'])
      assert.match(path, new RegExp(comesIn))
    for (const inside of ['/livez', '/readyz', '/metrics', '/console', '/console/people', '/admin', '/admin/v1/people'])
      for (const path of [inside, `${inside}/`, inside.toUpperCase(), `/library${inside}`])
        assert.doesNotMatch(path, new RegExp(comesIn))
  })

  test('gives the proxy the address that bridge.yaml trusts', () => {
    const { trustedProxies } = parse(readFileSync(join(folder, 'bridge.example.yaml'), 'utf8'))
    const { proxy } = services
    assert.deepEqual(trustedProxies, [parse(JSON.stringify(proxy?.networks)).outside.ipv4_address])
  })

  test('gives that address to nobody else: the bridges start before the proxy', () => {
    const [{ subnet, ip_range: others = subnet }] = parse(JSON.stringify(written)).networks.outside.ipam.config
    const handedOut = new BlockList()
    const [network, bits] = others.split('/')
    handedOut.addSubnet(network, Number(bits))
    const [, trusted = ''] =
      /trustedProxies: \[(.+)\]/.exec(readFileSync(join(folder, 'bridge.example.yaml'), 'utf8')) ?? []
    assert.equal(handedOut.check(trusted), false)
    assert.equal(handedOut.check('172.30.57.200'), true)
  })
})

describe('the examples of bridge.yaml load', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'scim-bridge-deploy-'))
  after(() => rmSync(scratch, { recursive: true, force: true }))

  for (const kind of ['compose', 'kubernetes']) {
    test(`of ${kind}`, () => {
      const file = join(scratch, kind, 'bridge.yaml')
      const written = readFileSync(join(root, 'deploy', kind, 'bridge.example.yaml'), 'utf8')
      const { store } = parse(written)
      assert.match(store.url, /^postgres:\/\/bridge@/)
      assert.deepEqual(store.password, { file: 'secrets/database-password' })
      // Here a store that needs no server.
      const text = stringify({ ...parse(written), store: `sqlite:${scratch}/bridge.sqlite` })
      mkdirSync(join(dirname(file), 'secrets'), { recursive: true })
      writeFileSync(file, text)
      for (const [, path = ''] of written.matchAll(/\{ file: ([^ }]+) \}/g))
        writeFileSync(join(dirname(file), path), 'a-secret-of-the-example\n')
      const { listen, publicUrl, connections } = readConfig(file, { SCIM_HOST: 'scim.uni.example' })
      assert.deepEqual([listen.host, listen.port, publicUrl], ['0.0.0.0', 8080, 'https://scim.uni.example'])
      assert.equal(connections.length, 1)
    })
  }
})
