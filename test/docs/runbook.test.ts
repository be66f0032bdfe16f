import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { errorRules } from '../../src/errors.ts'
import { root } from '../cli/processes.ts'
import { pageText } from './code-blocks.ts'

const page = pageText('docs/runbook.md')

function section(title: string): string {
  const found = page.split(/^## /m).find((part) => part.startsWith(`${title}\n`))
  assert.ok(found !== undefined, `a section ${title}`)
  return found
}

function headings(title: string): string[] {
  return [...section(title).matchAll(/^### (.+)$/gm)].map(([, heading = '']) => heading)
}

/** Texts of the log lines that have `alarm: true`, as the source has them. */
function alarmTexts(): string[] {
  const files = globSync('src/**/*.ts', { cwd: root })
  return files.flatMap((file) => {
    const source = readFileSync(join(root, file), 'utf8')
    const here = [...source.matchAll(/alarm: true \}[\s\S]{0,80}?'([^'\n]{12,})'/g)].map(([, text = '']) => text)
    // Where the text is in a table beside.
    const table = /const alarms: [^=]* = \[([\s\S]*?)\n\]/.exec(source)?.[1] ?? ''
    return [...here, ...[...table.matchAll(/, '([^']+)'\]/g)].map(([, text = '']) => text)]
  })
}

describe('docs/runbook.md says what to do about', () => {
  test('every alarm of the source, and no other', () => {
    const texts = alarmTexts()
    assert.ok(texts.length >= 14)
    assert.deepEqual(headings('Alarms in the log').sort(), [...new Set(texts)].sort())
  })

  test('every place that raises an alarm: none is overlooked', () => {
    const raised = globSync('src/**/*.ts', { cwd: root })
      .filter((file) => !/errors\.ts|log\.ts$/.test(file))
      .flatMap((file) => readFileSync(join(root, file), 'utf8').match(/alarm: true/g) ?? [])
    // One of them stands for the three of the table.
    assert.equal(alarmTexts().length, raised.length + 2)
  })

  test('every kind of error that an operator is told of', () => {
    const told = Object.entries(errorRules).filter(([, { alarm }]) => alarm)
    const kinds = [...section('Alarms in the log').matchAll(/^\| `(\w+)` \|/gm)].map(([, kind = '']) => kind)
    // A fault is logged with its stack, under a text of its own.
    assert.deepEqual(
      kinds.sort(),
      told
        .map(([kind]) => kind)
        .filter((kind) => kind !== 'fault')
        .sort(),
    )
  })

  test('every alert, and no other', () => {
    const { groups }: { groups: { rules: { alert: string }[] }[] } = parse(
      readFileSync(join(root, 'deploy/prometheus/alerts.yaml'), 'utf8'),
    )
    const names = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))
    assert.deepEqual(
      headings('Alerts'),
      names.filter((name) => name !== 'ScimBridgeAlarm'),
    )
  })

  test('log lines by texts that the source has', () => {
    const source = globSync('src/**/*.ts', { cwd: root })
      .map((file) => readFileSync(join(root, file), 'utf8'))
      .join('\n')
    for (const text of [
      'an operation did not succeed',
      'a request failed',
      'not authenticated',
      'an attribute that no schema of the connection has is ignored',
    ]) {
      assert.ok(page.includes(`\`${text}\``), text)
      assert.ok(source.includes(`'${text}'`), text)
    }
  })
})
