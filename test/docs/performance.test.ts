import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Figures, judge, regressions } from '../../bench/figures.ts'
import { tables } from '../../bench/table.ts'
import { root } from '../cli/processes.ts'
import { pageText } from './code-blocks.ts'

const figures: Figures = JSON.parse(readFileSync(join(root, 'bench/figures.json'), 'utf8'))

/** As on another machine, or after a change: everything so many times dearer, or only its ratio. */
function changed(change: { readonly cpuMs?: number; readonly timesEcho?: number }): Figures {
  const { cpuMs = 1, timesEcho = 1 } = change
  const times = (one: Figures['figures'][number]) => ({
    ...one,
    cpuMs: one.cpuMs * cpuMs,
    timesEcho: one.timesEcho * timesEcho,
  })
  return { ...figures, figures: figures.figures.map(times) }
}

test('docs/performance.md shows the figures of bench/figures.json', () => {
  assert.ok(pageText('docs/performance.md').includes(tables(figures)))
})

test('a slower machine is no regression, a dearer request is one', () => {
  assert.deepEqual(regressions(figures, changed({ cpuMs: 3 })), [])
  assert.deepEqual(regressions(figures, changed({ timesEcho: 1.2 })), [])
  assert.equal(regressions(figures, changed({ timesEcho: 1.5 })).length, figures.figures.length)
})

test('what was not measured before is not compared, and what was not measured now is not judged', () => {
  assert.deepEqual(regressions({ ...figures, figures: [] }, changed({ timesEcho: 9 })), [])
  assert.deepEqual(judge({ ...figures, figures: [], sizes: [] }), [])
})
