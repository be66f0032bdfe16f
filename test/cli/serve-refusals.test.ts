import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { aFolder } from './demo-process.ts'
import { scimBridge } from './processes.ts'

const folder = aFolder()
after(folder.remove)

/** What the bridge says of a place that it cannot listen on. */
async function refusalOf({ host, port }: { readonly host: string; readonly port: number }): Promise<string> {
  const config = join(folder.path, 'bridge.yaml')
  writeFileSync(
    config,
    `publicUrl: https://scim.uni.example
listen: { host: "${host}", port: ${port} }
store: sqlite:bridge.sqlite
allowLiteralSecrets: true
connections:
  library: { platform: figshare, baseUrl: https://figshare.example/v2, tokens: [x], settings: { token: y } }
`,
  )
  const { status, stderr } = await scimBridge(['serve', '--config', config])
  assert.equal(status, 1)
  return stderr
}

test('an address that is not of this machine is named, with what to change', async () => {
  // RFC 5737: nobody has it.
  assert.equal(
    await refusalOf({ host: '203.0.113.9', port: 18_080 }),
    'scim-bridge: 203.0.113.9 is no address of this machine: change listen.host\n',
  )
  assert.equal(
    await refusalOf({ host: 'nobody.invalid', port: 18_080 }),
    'scim-bridge: nobody.invalid is no address of this machine: change listen.host\n',
  )
})

test('a bridge that cannot listen gives its store back, for another machine to take at once', async () => {
  const taken = createServer()
  const port = await new Promise<number>((resolve) => {
    taken.listen(0, '127.0.0.1', () => {
      const address = taken.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
  try {
    assert.match(await refusalOf({ host: '127.0.0.1', port }), /is in use: end the program that has it/)
  } finally {
    taken.close()
  }
  const database = new DatabaseSync(join(folder.path, 'bridge.sqlite'), { readOnly: true })
  assert.equal(database.prepare('select count(*) as n from lease').get()?.n, 0)
  database.close()
})
