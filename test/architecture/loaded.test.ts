import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Of Node, and of packages, when everything is loaded that the bridge and its commands are made of. */
function loaded(): readonly string[] {
  const script = `
    import { registerHooks } from 'node:module'
    const files = []
    registerHooks({ load: (url, context, next) => { files.push(url); return next(url, context) } })
    await import('./src/cli/run.ts')
    console.log(JSON.stringify([...process.moduleLoadList, ...files]))`
  const args = ['--disable-proto=delete', '--input-type=module', '--eval', script]
  return JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }))
}

test("neither Node's fetch nor that of undici is loaded: they take 30 MB that nothing here uses", () => {
  const all = loaded()
  assert.ok(all.some((name) => name.endsWith('/src/bridge.ts')))
  assert.ok(all.some((name) => name.endsWith('/undici/lib/dispatcher/agent.js')))
  const unused =
    /internal\/deps\/undici|\/undici\/lib\/web\/(?:fetch\/index|websocket|eventsource|cache)|\/undici\/index\.js$/
  assert.deepEqual(
    all.filter((name) => unused.test(name)),
    [],
  )
})

test("of Kysely only what writes statements down is loaded, of jose what signs and verifies, and PostgreSQL's driver where it is used", () => {
  const all = loaded()
  for (const used of ['/kysely/dist/raw-builder/sql.js', '/jose/dist/webapi/jwt/verify.js', '/src/store/open.ts'])
    assert.ok(
      all.some((name) => name.endsWith(used)),
      used,
    )
  const unused =
    /\/kysely\/dist\/(?:index|kysely)\.js$|\/jose\/dist\/webapi\/(?:index\.js|jwe\/)|\/node_modules\/pg\/|\/src\/store\/(?:open-)?postgres\.ts$/
  assert.deepEqual(
    all.filter((name) => unused.test(name)),
    [],
  )
})
