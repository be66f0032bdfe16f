/** What identity providers were seen to send, word by word, against the whole bridge in front of each platform. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { demoPlatforms } from '../../src/cli/demo-config.ts'
import { type BridgeWorld, startBridgeWorld } from '../bridge-world.ts'

const folder = join(import.meta.dirname, '..', 'traces')

let world: BridgeWorld
before(async () => {
  world = await startBridgeWorld()
})
after(() => world.stop())

for (const platform of demoPlatforms) {
  test(`${platform} takes what Okta, Entra and the others were recorded to send`, { timeout: 120_000 }, async () => {
    // People without a name or an e-mail address have no account on these platforms.
    const args = [
      `${world.url}/${platform}/scim/v2`,
      world.tokens.get(platform) ?? '',
      '--lack=attributes:minimal-user',
      '--have=custom-extension',
    ]
    // Time stands still here: a 429 would only ever be followed by the same one.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(folder, 'run-traces.mjs'), ...args, `--dir=${folder}`, '--slow=5'],
      { maxBuffer: 10_000_000 },
    ).catch((error: { stdout?: string; message: string }) => ({ stdout: error.stdout ?? error.message }))
    const [, passed, failed] = /(\d+) passed, (\d+) failed/.exec(stdout) ?? []
    assert.equal(failed, '0', stdout)
    assert.ok(Number(passed) >= 50, stdout)
  })
}
