import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import * as errors from '../../src/errors.ts'
import { errorRules, PlatformError } from '../../src/errors.ts'
import { root } from '../cli/processes.ts'
import { pageText } from './code-blocks.ts'

const page = pageText('docs/errors.md')
/** Quotes of texts that are written in pieces, or with values in between, do not matter. */
const flat = (text: string) => text.replaceAll(/'\s*\+\s*'|`\s*\+\s*`|`\s*\+\s*'|'\s*\+\s*`/g, '').replaceAll('\\', '')
const source = globSync('src/**/*.ts', { cwd: root })
  .map((file) => flat(readFileSync(join(root, file), 'utf8')))
  .join('\n')

/** The texts of the page: what stands in italics in its tables. */
const quoted = [...page.matchAll(/^\| (?:\d+ \| )?\*([^*]+)\* \|/gm)].map(([, text = '']) => text)

describe('docs/errors.md', () => {
  test('quotes texts', () => assert.ok(quoted.length >= 35))

  for (const text of quoted) {
    test(`quotes a text of the source: ${text}`, () => {
      // Between the dots each piece has to be there as it is.
      const pieces = text.split('…').map((piece) => piece.trim())
      for (const piece of pieces.filter((piece) => /\w{3}/.test(piece)))
        assert.ok(source.includes(piece), `no source has: ${piece}`)
    })
  }

  test('has the text of every error that has one text', () => {
    let texts = 0
    for (const candidate of Object.values(errors)) {
      if (!isDetailError(candidate)) continue
      const { message } = new candidate('detail')
      assert.ok(quoted.includes(message), message)
      texts += 1
    }
    // `Refused`, `Immutable`, `Conflict` and `Disputed` say something else each time.
    assert.equal(texts, Object.keys(errorRules).length - 4 + 1, 'one of each kind, and the invitation')
  })

  test('a text that nobody says would be seen', () => assert.ok(!source.includes('The platform is on holiday')))
})

type DetailError = new (detail: string) => PlatformError

/** Those whose constructor takes no text for people: there is one. */
function isDetailError(candidate: unknown): candidate is DetailError {
  if (typeof candidate !== 'function' || !(candidate.prototype instanceof PlatformError)) return false
  return !/constructor\(\s*message\b/.test(String(candidate))
}
