import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { watchFile } from '../src/watched-file.ts'

function aFile(t: TestContext, text = 'one\n'): string {
  const folder = mkdtempSync(join(tmpdir(), 'watched-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'secret')
  writeFileSync(file, text)
  return file
}

test('the content is the present one, without its last line break', (t) => {
  const path = aFile(t, 'one\r\n')
  const file = watchFile(path)
  assert.equal(file.text(), 'one')
  writeFileSync(path, 'two\n\n')
  assert.equal(file.text(), 'two\n')
})

test('a file that is renamed over it counts, and so does a link that leads elsewhere', (t) => {
  const path = aFile(t)
  const file = watchFile(path)
  writeFileSync(`${path}.new`, 'two')
  renameSync(`${path}.new`, path)
  assert.equal(file.text(), 'two')
  writeFileSync(`${path}.target`, 'three')
  symlinkSync(`${path}.target`, `${path}.link`)
  renameSync(`${path}.link`, path)
  assert.equal(file.text(), 'three')
})

test('while the file is missing, empty or too large the last good content stays', (t) => {
  const path = aFile(t)
  const file = watchFile(path)
  writeFileSync(path, '')
  assert.equal(file.text(), 'one')
  writeFileSync(path, 'x'.repeat(300_000))
  assert.equal(file.text(), 'one')
  unlinkSync(path)
  assert.equal(file.text(), 'one')
  writeFileSync(path, 'two')
  assert.equal(file.text(), 'two')
})

test('a file that cannot be read from the start is refused', (t) => {
  assert.throws(() => watchFile(`${aFile(t)}.no`))
  assert.throws(() => watchFile(aFile(t, '\n')), /is empty/)
})
