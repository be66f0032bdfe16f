import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { nodeEnvironment, nodeFlags } from '../../src/cli/bridge-process.ts'
import { root } from './processes.ts'

const flags = nodeFlags.map((flag) => (flag.startsWith(root) ? `./${relative(root, flag)}` : flag))

test('npm, the image and the command start Node with the same flags, the image and the command in the same environment', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  assert.equal(scripts.start, `node ${flags.join(' ')} src/main.ts serve`)
  assert.equal(scripts.demo, `node ${flags.join(' ')} src/main.ts demo`)
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
  assert.ok(
    dockerfile.includes(`ENTRYPOINT ${JSON.stringify(['node', ...flags, 'src/main.ts']).replaceAll(',', ', ')}`),
  )
  const environment = Object.entries(nodeEnvironment).map(([name, value]) => ` ${name}=${value}`)
  assert.match(dockerfile, new RegExp(`^ENV .*${environment.join('')}$`, 'm'))
  // What is compiled under other flags is not taken.
  assert.ok(dockerfile.includes(`RUN node ${flags.join(' ')} --import ./src/cli/compile.ts src/main.ts --version`))
})

test('what was compiled is kept in the installation, and where that cannot be written the command does its work all the same', (t) => {
  const installation = mkdtempSync(join(tmpdir(), 'scim-bridge-'))
  t.after(() => rmSync(installation, { recursive: true, force: true }))
  for (const part of ['src', 'package.json']) cpSync(join(root, part), join(installation, part), { recursive: true })
  const packages = join(installation, 'node_modules')
  mkdirSync(packages)
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(packages, name))
  }
  const { NODE_COMPILE_CACHE: _, ...environment } = process.env
  const version = () =>
    execFileSync(process.execPath, [...flags, 'src/main.ts', '--version'], {
      cwd: installation,
      env: environment,
      encoding: 'utf8',
    })
  const folder = join(packages, '.cache')
  writeFileSync(folder, 'in the way')
  assert.match(version(), /^\d+\.\d+\.\d+\n$/)
  rmSync(folder)
  assert.match(version(), /^\d+\.\d+\.\d+\n$/)
  assert.ok(readdirSync(join(folder, 'scim-bridge'), { recursive: true }).length > 100)
})
