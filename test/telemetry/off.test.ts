import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const script = fileURLToPath(new URL('./loaded-packages.ts', import.meta.url))

async function packagesOf(state: 'on' | 'off'): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, state], { timeout: 60_000 })
  const { status, loaded } = JSON.parse(stdout)
  assert.equal(status, 201)
  return loaded
}

test('without traces and e-mail none of their packages is loaded, with traces theirs are', async () => {
  const [off, on] = await Promise.all([packagesOf('off'), packagesOf('on')])
  // The metrics' library brings the interface along and looks at it for its own purposes.
  assert.deepEqual(off, ['@opentelemetry/api'])
  assert.ok(!on.includes('nodemailer'))
  assert.ok(on.includes('@opentelemetry/sdk-trace') && on.includes('@opentelemetry/exporter-trace-otlp-http'))
})
