import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assertRuns, readReplay } from '../full/replay.ts'

/** Runs until a number is too large; answers all that were tried, and what was said. */
async function tried(environment: Record<string, string>): Promise<{ values: number[]; said: string }> {
  const values: number[] = []
  const property = fc.asyncProperty(fc.nat({ max: 1_000 }), async (value) => {
    values.push(value)
    assert.ok(value < 900, 'too large')
  })
  const said = await assertRuns(property, readReplay(import.meta.filename, environment), 100).then(
    () => '',
    (error: Error) => error.message,
  )
  return { values, said }
}

/** What the message says to set. */
function environmentOf(said: string): Record<string, string> {
  const command = said.split('\n').at(-1) ?? ''
  return Object.fromEntries(
    [...command.matchAll(/(HISTORY_[A-Z]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  )
}

for (const [what, more] of [
  ['a run that failed', {}],
  ['the shortest run that failed', { HISTORY_SHRINK: '1' }],
] as const) {
  test(`${what} is repeated alone by what its message says`, async () => {
    const first = await tried({ HISTORY_SEED: '7', ...more })
    assert.match(first.said, /too large/)
    assert.match(first.said, /node --disable-proto=delete --test test\/provision\/replay\.test\.ts$/)
    const again = await tried(environmentOf(first.said))
    assert.equal(again.values.length, 1)
    const failed = first.values.filter((value) => value >= 900)
    assert.equal(again.values[0], 'HISTORY_SHRINK' in more ? Math.min(...failed) : failed[0])
    assert.deepEqual(environmentOf(again.said), environmentOf(first.said))
  })
}

test('a path without its seed is refused', () => {
  assert.throws(() => readReplay(import.meta.filename, { HISTORY_PATH: '3' }), /give HISTORY_SEED, too/)
})
