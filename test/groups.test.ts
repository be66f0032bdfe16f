import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { groupsOf, writeGroups } from './groups.ts'

test('every test file is in one group; those that take long begin, and the longest have a process of their own', () => {
  const many = Array.from({ length: 30 }, (_, index) => `test/scim/${index}.test.ts`)
  const long = ['test/cli/demo.test.ts', 'test/bridge/crash.test.ts']
  const files = [...many, ...long, 'test/admin/list.test.ts', 'test/full/memory.test.ts', 'test/full/load.test.ts']
  const groups = groupsOf(files)
  assert.deepEqual(groups.flat().toSorted(), files.toSorted())
  assert.deepEqual(
    groups.map((group) => group.length),
    [1, 1, 2, 11, 11, 9],
  )
  assert.deepEqual(groups.slice(0, 3), [['test/full/memory.test.ts'], ['test/full/load.test.ts'], long.toReversed()])
  assert.deepEqual(groupsOf(['test/log.test.ts']), [['test/log.test.ts']])
})

test('a hook of one file reaches no other, and a file that does not load is a failure of its own', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'test-groups-'))
  t.after(() => rmSync(root, { recursive: true }))
  const write = (name: string, ...lines: string[]) =>
    writeFileSync(join(root, name), ["import { before, beforeEach, test } from 'node:test'", ...lines].join('\n'))
  write('a.mts', "beforeEach(() => { throw new Error('of a') })", "test('red', () => {})")
  write(
    'b.mts',
    'let ready = false',
    'before(() => { ready = true })',
    "test('green', () => { if (!ready) throw ready })",
  )
  write('c.mts', "throw new Error('does not load')")
  const entries = writeGroups(root, [['a.mts', 'b.mts', 'c.mts']])
  t.after(() => entries.remove())
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const run = () =>
    execFileSync(process.execPath, ['--test-reporter=tap', ...entries.files], { env, encoding: 'utf8', stdio: 'pipe' })
  assert.throws(run, ({ stdout }) => {
    const results = [...String(stdout).matchAll(/^ *((?:not )?ok) \d+ - (.*)$/gm)].map(
      ([, ok, name]) => `${name} ${ok}`,
    )
    assert.deepEqual(results, ['red not ok', 'a.mts not ok', 'green ok', 'b.mts ok', 'c.mts not ok'])
    assert.match(String(stdout), /of a[\s\S]*does not load/)
    return true
  })
})
