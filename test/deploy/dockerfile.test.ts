import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { validate } from 'dockerfile-utils'
import { freePort, type Running, root, start, within } from '../cli/processes.ts'
import { buildImage, dockerfile, type Image, plainEnvironment } from './image.ts'

test('the Dockerfile has no mistake that a linter finds', () => {
  assert.deepEqual(
    validate(dockerfile).map(({ message }) => message),
    [],
  )
  assert.notDeepEqual(validate(dockerfile.replace('WORKDIR /app', 'WORKDRI /app')), [])
})

describe('the image that the Dockerfile makes, without development packages', () => {
  let image: Image
  let port = 0
  let bridge: Running
  let environment: Record<string, string> = {}
  let filesBefore: string[] = []
  before(async () => {
    image = buildImage()
    port = await freePort()
    const [program, ...words] = commandOf(image.command)
    filesBefore = filesIn(image)
    mkdirSync(join(image.folder, 'config'))
    writeFileSync(join(image.folder, 'config', 'bridge.yaml'), configuration(port, join(image.folder, 'data')))
    environment = Object.fromEntries(
      Object.entries(image.environment).map(([name, value]) => [
        name,
        value.replace(/^\/config/, `${image.folder}/config`).replace(':8080', `:${port}`),
      ]),
    )
    bridge = start(program, words, { cwd: image.workingFolder, environment: { ...environment, SCIM_TOKEN: token } })
    await within(15_000, 'an answer of /livez', () => {
      if (bridge.child.exitCode !== null) throw new Error(bridge.stderr())
      return fetch(`http://127.0.0.1:${port}/livez`).then(
        ({ ok }) => ok,
        () => false,
      )
    })
  })
  after(async () => {
    bridge?.child.kill('SIGKILL')
    await bridge?.ended
    image?.remove()
  })

  test('has compiled what is only loaded on demand, too: it can write nothing when it runs', () => {
    const [, ...words] = commandOf(image.command)
    const flags = words.slice(0, words.indexOf('src/main.ts'))
    const onDemand = ['store/open-postgres.ts', 'store/copy-store.ts', 'telemetry/otlp.ts', 'sandbox/sandbox.ts']
    const imports = onDemand.flatMap((file) => ['--import', `./src/${file}`])
    const options = { cwd: image.workingFolder, env: plainEnvironment() }
    execFileSync(process.execPath, [...flags, ...imports, 'src/main.ts', '--version'], options)
    const added = filesIn(image).filter((file) => !filesBefore.includes(file))
    assert.deepEqual(added, [])
  })

  test('runs as an ordinary user on the Node that the packages bring along, and keeps its data in one place', () => {
    assert.equal(image.user, 'node')
    assert.deepEqual(image.volumes, ['/data'])
    const { optionalDependencies } = packageOf(root)
    for (const version of Object.values(optionalDependencies))
      for (const base of image.bases) assert.equal(base, `node:${version}-bookworm-slim`)
  })

  test('has what package.json names and its list of parts, and no package for development', () => {
    const { dependencies, devDependencies } = packageOf(root)
    for (const name of Object.keys(dependencies)) assert.ok(hasPackage(image, name), name)
    for (const name of Object.keys(devDependencies)) assert.ok(!hasPackage(image, name), name)
    const place = image.labels['scim-bridge.sbom'] ?? ''
    const parts: { components: { name: string; version: string }[] } = JSON.parse(
      readFileSync(join(image.folder, place), 'utf8'),
    )
    for (const [name, version] of Object.entries(dependencies))
      assert.ok(
        parts.components.some((part) => part.name === name && part.version === version),
        name,
      )
    assert.ok(readFileSync(join(image.workingFolder, 'LICENSE'), 'utf8').includes('Apache License'))
  })

  test('is ready, and healthy by its own check', async () => {
    assert.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200)
    const [program, ...words] = commandOf(image.healthCheck)
    execFileSync(program, words, { env: { ...plainEnvironment(), ...environment } })
    const elsewhere = { ...plainEnvironment(), HEALTH_URL: `http://127.0.0.1:${await freePort()}/readyz` }
    assert.throws(() => execFileSync(program, words, { env: elsewhere, stdio: 'ignore' }))
  })

  test('serves SCIM to who has the token, and ends by its stop signal with status 0, having written to /data only', async () => {
    const users = `http://127.0.0.1:${port}/library/scim/v2/Users`
    assert.equal((await fetch(users, { headers: { Authorization: `Bearer ${token}` } })).status, 200)
    assert.equal((await fetch(users)).status, 401)
    assert.equal(image.stopSignal, 'SIGTERM')
    bridge.child.kill('SIGTERM')
    const { status, stderr } = await bridge.ended
    assert.equal(status, 0, stderr)
    assert.deepEqual(filesIn(image), filesBefore)
    assert.ok(readdirSync(join(image.folder, 'data')).includes('bridge.sqlite'))
  })
})

const token = 'a-token-of-the-image-test'

function configuration(port: number, data: string): string {
  return `publicUrl: https://scim.uni.example
listen: { port: ${port} }
store: sqlite:${data}/bridge.sqlite
connections:
  library:
    platform: figshare
    baseUrl: https://api.figshare.com/v2
    tokens: ["\${SCIM_TOKEN}"]
    settings: { token: "\${SCIM_TOKEN}" }
`
}

function commandOf([program, ...words]: readonly string[]): [string, ...string[]] {
  assert.equal(program, 'node')
  return [process.execPath, ...words]
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}

function packageOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

function hasPackage(image: Image, name: string): boolean {
  return existsSync(join(image.workingFolder, 'node_modules', name, 'package.json'))
}

/** Of the application: what a read-only root file system would not let it write. */
function filesIn(image: Image): string[] {
  return readdirSync(image.workingFolder, { recursive: true }).map(String).sort()
}
