import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { accessShapes, operatorOidc } from '../../src/config/access-format.ts'
import { emailFormat } from '../../src/config/alarms-format.ts'
import { attributeFormat, configFormat, knownKeys } from '../../src/config/format.ts'
import { tracesFormat } from '../../src/config/telemetry-format.ts'
import { platforms } from '../../src/platforms/registry.ts'
import { pageText } from './code-blocks.ts'

const page = pageText('docs/configuration.md')

function section(title: string): string {
  const found = page.split(/^## /m).find((part) => part.startsWith(`${title}\n`))
  assert.ok(found !== undefined, `a section ${title}`)
  return found
}

/** Key → text of the column "default", of the first table in a section. */
function table(title: string): Map<string, string> {
  const rows = [...section(title).matchAll(/^\| `([\w.]+)` \| ([^|]*) \| .*\|$/gm)]
  return new Map(rows.map(([, key = '', text = '']) => [key, text]))
}

/** Key → what the table has to say of its default; keys of inner maps as `listen.port`. */
function defaultsOf(shape: Readonly<Record<string, z.ZodType>>, prefix = ''): [string, unknown][] {
  return Object.entries(shape).flatMap(([key, format]): [string, unknown][] => {
    const inner = format instanceof z.ZodDefault ? format.unwrap() : format
    if (inner instanceof z.ZodObject) return defaultsOf(inner.shape, `${key}.`)
    const parsed = format.safeParse(undefined)
    if (!parsed.success) return [[prefix + key, 'required']]
    return [[prefix + key, parsed.data === undefined ? '—' : parsed.data]]
  })
}

function assertTable(title: string, shape: Readonly<Record<string, z.ZodType>>): void {
  assertRows(title, defaultsOf(shape))
}

function assertRows(title: string, rows: [string, unknown][]): void {
  const written = [...table(title)].map(([key, text]): [string, unknown] => {
    const code = /^`(.*)`$/.exec(text)?.[1]
    return [key, code === undefined ? text : parse(code)]
  })
  const byKey = ([a]: [string, unknown], [b]: [string, unknown]) => a.localeCompare(b)
  assert.deepEqual(written.sort(byKey), rows.sort(byKey))
}

const connection = configFormat.shape.connections.valueType

describe('docs/configuration.md has every key with its default, and no other', () => {
  test('of the bridge', () => assertTable('The bridge', configFormat.shape))
  test('of a connection', () => assertTable('A connection', connection.shape))
  test('of the ways into a connection', () =>
    assertRows(
      'Ways in',
      [...accessShapes].flatMap(([key, shape]) => defaultsOf(shape, `${key}.`)),
    ))
  test('of the sign-in of operators', () => assertTable("Operators' sign-in", operatorOidc.shape))
  test('of traces', () => assertTable('Traces', tracesFormat.shape))
  test('of alarms by e-mail', () => {
    assertTable('E-mail', emailFormat.shape)
    for (const choice of emailFormat.shape.tls.unwrap().options) assert.ok(section('E-mail').includes(`\`${choice}\``))
  })
  for (const [name, { settings }] of platforms) {
    test(`of the settings of ${name}`, () => {
      assert.ok(settings instanceof z.ZodObject)
      assertTable(name, settings.shape)
    })
  }

  test('of an attribute of an extension', () => assertTable('Extensions', attributeFormat.shape))

  test('of a pace', () => {
    for (const key of knownKeys.get('connections.*.pace') ?? [])
      assert.ok(section('A connection').includes(`${key}: …`))
  })
})

describe('docs/configuration.md says', () => {
  test('every choice of every key that has choices', () => {
    const shapes: Readonly<Record<string, unknown>>[] = [
      configFormat.shape,
      connection.shape,
      configFormat.shape.log.unwrap().shape,
      ...accessShapes.values(),
      attributeFormat.shape,
    ]
    for (const { settings } of platforms.values()) if (settings instanceof z.ZodObject) shapes.push(settings.shape)
    let choices = 0
    for (const format of shapes.flatMap((shape) => Object.values(shape))) {
      const inner = format instanceof z.ZodDefault ? format.unwrap() : format
      if (!(inner instanceof z.ZodEnum)) continue
      for (const choice of inner.options) assert.ok(page.includes(`\`${choice}\``), String(choice))
      choices += inner.options.length
    }
    assert.ok(choices > 15)
  })

  test("every platform's own pace", () => {
    for (const [name, { facts }] of platforms) {
      const { requestsPerSecond, concurrency } = facts.pace
      const unit = requestsPerSecond === 1 ? 'request' : 'requests'
      const atATime = concurrency === 1 ? 'one' : String(concurrency)
      assert.ok(section(name).includes(`Pace: ${requestsPerSecond} ${unit} per second, ${atATime} at a time.`), name)
    }
  })

  test('on which platforms wrong log-ins lock the service account', () => {
    const locking = [...platforms].filter(([, { facts }]) => facts.locksOnWrongCredentials).map(([name]) => name)
    const row = section('A connection')
      .split('\n')
      .find((line) => line.includes('`retryAfterDeniedSeconds`'))
    for (const name of platforms.keys()) assert.equal(row?.includes(`\`${name}\``), locking.includes(name), name)
  })
})
