import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Files below all layers: anything may import them, they import each other only. */
const ground = new Set([
  'access',
  'errors',
  'clock',
  'deadline',
  'log',
  'log-lines',
  'limits',
  'json',
  'facts',
  'extensions',
  'yaml',
  'watched-file',
  'tracing',
  'version',
  'node-http',
])
/** Layer → the layers that it may import. */
const arrows: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['mapping', new Set<string>()],
  ['platforms', new Set<string>()],
  ['store', new Set<string>()],
  ['config', new Set<string>()],
  ['sandbox', new Set<string>()],
  ['provision', new Set(['mapping', 'platforms', 'store'])],
  ['scim', new Set(['provision', 'store'])],
  ['operator', new Set(['provision', 'store'])],
  ['console', new Set(['operator', 'provision', 'store'])],
  ['admin', new Set(['alarms', 'operator', 'provision', 'store'])],
  ['http', new Set(['scim', 'provision', 'store'])],
  ['alarms', new Set(['platforms', 'store'])],
  ['certificates', new Set(['config', 'http', 'platforms'])],
  ['telemetry', new Set(['platforms', 'store'])],
  ['scim-connection', new Set(['config', 'provision', 'scim'])],
  ['alarm-ways', new Set(['alarms', 'certificates', 'config', 'platforms'])],
  ['operator-pages', new Set(['admin', 'config', 'console', 'http', 'operator', 'scim', 'provision', 'store'])],
  [
    'bridge',
    new Set([
      'alarm-ways',
      'alarms',
      'certificates',
      'config',
      'http',
      'operator-pages',
      'scim-connection',
      'telemetry',
      'scim',
      'provision',
      'mapping',
      'platforms',
      'store',
    ]),
  ],
  [
    'cli',
    new Set([
      'alarm-ways',
      'bridge',
      'config',
      'http',
      'scim',
      'provision',
      'mapping',
      'platforms',
      'store',
      'sandbox',
    ]),
  ],
  ['main', new Set(['cli', 'bridge', 'config', 'mapping', 'store'])],
])

function layerOf(file: string): string {
  const [, first = ''] = file.split('/')
  return first.replace(/\.(ts|cjs)$/, '')
}

interface Import {
  readonly file: string
  readonly target: string
  readonly isType: boolean
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [
    ...text.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gm),
  ].map((match) => ({ file, isType: match[1] !== undefined, target: match[2] ?? match[3] ?? match[4] ?? '' }))
}

export function wrongArrow({ file, target }: Pick<Import, 'file' | 'target'>): string | undefined {
  if (!target.startsWith('.')) return undefined
  const from = layerOf(file)
  const to = layerOf(relative(root, join(root, dirname(file), target)))
  if (from === to || ground.has(to)) return undefined
  if (ground.has(from)) return `${file} is below all layers and imports ${to}`
  return arrows.get(from)?.has(to) === true ? undefined : `${file} (${from}) may not import ${to}`
}

const files = globSync('src/**/*.ts', { cwd: root })

test('every import goes along the arrows between the layers', () => {
  const wrong = files
    .flatMap(importsOf)
    .map(wrongArrow)
    .filter((text) => text !== undefined)
  assert.deepEqual(wrong, [])
})

test('a wrong arrow would be seen', () => {
  assert.match(
    String(wrongArrow({ file: 'src/mapping/load.ts', target: '../store/store.ts' })),
    /mapping.*may not import store/,
  )
  assert.match(String(wrongArrow({ file: 'src/errors.ts', target: './scim/users.ts' })), /below all layers/)
  assert.equal(wrongArrow({ file: 'src/scim/users.ts', target: '../store/store.ts' }), undefined)
})

test('every folder of src is a layer that this test knows', () => {
  const unknown = new Set(files.map(layerOf).filter((layer) => !ground.has(layer) && !arrows.has(layer)))
  assert.deepEqual([...unknown], [])
})

test('only the SCIM layer imports the SCIM library and its routers', () => {
  const wrong = files
    .flatMap(importsOf)
    .filter(({ file, target }) => /^scimmy/.test(target) && layerOf(file) !== 'scim')
    .map(({ file }) => file)
  assert.deepEqual(wrong, [])
})

test('only the platform layer speaks HTTP to the outside', () => {
  const wrong = files
    .flatMap(importsOf)
    .filter(({ file, target }) => target === 'undici' && layerOf(file) !== 'platforms')
    .map(({ file }) => file)
  assert.deepEqual(wrong, [])
})

test('only the platform layer speaks SMTP, in one file', () => {
  const speaking = files.flatMap(importsOf).filter(({ target }) => /^nodemailer/.test(target))
  assert.deepEqual([...new Set(speaking.map(({ file }) => file))], ['src/platforms/mail.ts'])
})

test('only one file knows the packages for traces, and nothing loads it at start', () => {
  const tracing = files.flatMap(importsOf).filter(({ target }) => /^@opentelemetry\//.test(target))
  assert.deepEqual([...new Set(tracing.map(({ file }) => file))], ['src/telemetry/otlp.ts'])
  const loading = files.flatMap(importsOf).filter(({ target, isType }) => /\/otlp\.ts$/.test(target) && !isType)
  assert.deepEqual(
    loading.map(({ file }) => file),
    ['src/telemetry/open.ts'],
  )
  const opening = readFileSync(join(root, 'src/telemetry/open.ts'), 'utf8')
  assert.match(opening, /await import\('\.\/otlp\.ts'\)/)
})

test('the simulators share no code with anything but themselves', () => {
  const wrong = files
    .flatMap(importsOf)
    .filter(({ file, target }) => layerOf(file) === 'sandbox' && target.startsWith('.'))
    .filter(({ file, target }) => layerOf(relative(root, join(root, dirname(file), target))) !== 'sandbox')
    .map(({ file, target }) => `${file} → ${target}`)
  assert.deepEqual(wrong, [])
})
