import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { parse } from 'yaml'
import { createProgram } from '../../src/cli/program.ts'
import { aFolder } from './demo-process.ts'
import { main, root, scimBridge, start, within } from './processes.ts'

const folder = aFolder()
after(folder.remove)
const file = join(folder.path, 'bridge.yaml')
const store = join(folder.path, 'bridge.sqlite')
const environment = { SCIM_TOKEN: 'a-token-of-the-store-test' }
const migrate = () => scimBridge(['store', 'migrate', '--config', file], { environment })

function write(mode = 'confirmed'): void {
  writeFileSync(
    file,
    `publicUrl: https://scim.uni.example
listen: { port: 0 }
store: sqlite:bridge.sqlite
connections:
  library:
    platform: figshare
    baseUrl: https://api.figshare.com/v2
    mode: ${mode}
    tokens: ["\${SCIM_TOKEN}"]
    settings: { token: "\${SCIM_TOKEN}" }
`,
  )
}

describe('scim-bridge store migrate', () => {
  test('makes the store with the schema of this version, says so and ends', async () => {
    write()
    const { status, stdout, stderr } = await migrate()
    assert.deepEqual([status, stdout, stderr], [0, 'the store is up to date\n', ''])
    assert.ok(tables().includes('operation'))
    assert.equal(statSync(store).mode & 0o077, 0)
  })

  test('does nothing to one that is up to date, and leaves it free', async () => {
    const before = tables()
    assert.equal((await migrate()).status, 0)
    assert.deepEqual(tables(), before)
    const database = new DatabaseSync(store)
    assert.equal(database.prepare("select count(*) as n from lease where name = 'writer'").get()?.n, 0)
    database.close()
  })

  test('refuses a configuration that a start would refuse, before the store is touched', async () => {
    const before = statSync(store).mtimeMs
    write('sometimes')
    const { status, stderr } = await migrate()
    assert.equal(status, 1)
    assert.match(stderr, /bridge\.yaml:\d+:\d+: .*mode/)
    assert.equal(statSync(store).mtimeMs, before)
    write()
  })

  test('does not take the store away from a bridge that runs', async () => {
    const bridge = start(process.execPath, [main, 'serve', '--config', file], { environment })
    try {
      await within(15_000, 'a bridge that serves', () => bridge.stderr().includes('"serving"'))
      const { status, stderr } = await migrate()
      assert.equal(status, 1)
      assert.match(stderr, /is in use by process \d+/)
    } finally {
      bridge.child.kill('SIGTERM')
    }
    assert.equal((await bridge.ended).status, 0)
  })

  test('is what the migration of Compose and Kubernetes runs', () => {
    const job = parse(readFileSync(join(root, 'deploy/kubernetes/migrate.yaml'), 'utf8'))
    const { services } = parse(readFileSync(join(root, 'deploy/compose/compose.yaml'), 'utf8'), { merge: true })
    for (const words of [job.spec.template.spec.containers[0].args, services.migrate.command]) {
      const [outer, inner] = words
      const command = createProgram().commands.find((one) => one.name() === outer)
      assert.ok(command?.commands.some((one) => one.name() === inner))
    }
  })
})

function tables(): unknown[] {
  const database = new DatabaseSync(store, { readOnly: true })
  const rows = database.prepare("select name from sqlite_schema where type = 'table' order by name").all()
  database.close()
  return rows.map(({ name }) => name)
}
