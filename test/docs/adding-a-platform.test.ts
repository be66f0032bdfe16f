import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { root } from '../cli/processes.ts'
import { pageText } from './code-blocks.ts'

const page = pageText('docs/adding-a-platform.md')
const quoted = [...page.matchAll(/^.*\]\(\.\.\/([^)]+)\):\n\n```\w+\n([\s\S]*?)^```$/gm)].map((found) => {
  const [, file = '', text = ''] = found
  return { file, text, line: page.slice(0, found.index).split('\n').length + 3 }
})

/** Whole lines, one after the other, with their indentation. */
function stands(text: string, file: string): boolean {
  return text !== '' && `\n${file}`.includes(`\n${text}`)
}

describe('docs/adding-a-platform.md', () => {
  test('names a file above every block', () => {
    assert.equal(quoted.length, page.match(/^```\w+$/gm)?.length)
  })

  for (const { file, text, line } of quoted) {
    test(`line ${line} stands in ${file}`, () => {
      assert.ok(stands(text, readFileSync(join(root, file), 'utf8')), text)
    })
  }

  test('quotes the module, the mapping, the simulator and the tests of the example', () => {
    const files = new Set(quoted.map(({ file }) => file))
    const unquoted = globSync('test/example-platform/**/*.{ts,yaml}', { cwd: root })
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => !files.has(file))
    assert.deepEqual(unquoted, ['test/example-platform/bookroom/settings.ts'])
  })

  test('names only files that there are, for a platform that there is', () => {
    const named = [...page.matchAll(/`((?:src|test|docs|mappings)\/[^`]*)`/g)].map(([, path = '']) => path)
    assert.ok(named.length > 20)
    assert.deepEqual(
      named.filter((path) => !existsSync(join(root, path.replaceAll('<platform>', 'figshare')))),
      [],
    )
  })

  test('a line that was changed, cut or moved would be seen', () => {
    const file = 'one\n  two\nthree\n'
    assert.ok(stands('one\n  two\n', file))
    for (const text of ['one\ntwo\n', '  tw\n', 'wo\n', 'one\nthree\n', '']) assert.ok(!stands(text, file), text)
  })
})
