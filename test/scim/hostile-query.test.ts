import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('./hostile-query.ts', import.meta.url))

for (const [how, flags] of [
  ['with', ['--disable-proto=delete']],
  ['without', []],
] as const) {
  test(`names that every object has are unknown names in a query, ${how} node's own protection`, () => {
    const { status, stderr } = spawnSync(process.execPath, [...flags, script], { encoding: 'utf8', timeout: 60_000 })
    assert.equal(status, 0, stderr)
  })
}
