/** List 9.4, number 22. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectGarbage, startProvisionLoad } from '../provision-load.ts'

const readings = 11
/** Five operations each. */
const peopleBetween = 2_000
/** An entry of a map that nobody takes out again is more. */
const mostBytesPerOperation = 16

interface Reading {
  readonly operations: number
  readonly heapBytes: number
  readonly externalBytes: number
}

/** The middle of the slopes between any two: one reading at a bad moment does not count. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points.flatMap(([x, y], index) =>
    points.slice(index + 1).map(([laterX, laterY]) => (laterY - y) / (laterX - x)),
  )
  return slopes.sort((one, other) => one - other)[Math.floor(slopes.length / 2)] ?? Number.NaN
}

test('22 the memory does not grow over 100,000 operations', async (t) => {
  const load = await startProvisionLoad(16)
  t.after(() => load.stop())
  const seen: Reading[] = []
  for (let count = 0; count < readings; count += 1) {
    await load.people(peopleBetween)
    await collectGarbage()
    const { heapUsed, external } = process.memoryUsage()
    seen.push({ operations: load.operations, heapBytes: heapUsed, externalBytes: external })
    t.diagnostic(`${load.operations} operations: ${(heapUsed / 1e6).toFixed(2)} MB, ${(external / 1e6).toFixed(2)} MB`)
  }
  // Until then the compiler and the caches fill.
  const compared = seen.slice(1)
  const [first, last] = [compared[0], compared.at(-1)]
  assert.ok(first !== undefined && last !== undefined && last.operations - first.operations >= 90_000)
  for (const what of ['heapBytes', 'externalBytes'] as const) {
    const growth = slope(compared.map((reading) => [reading.operations, reading[what]]))
    t.diagnostic(`${what}: ${growth.toFixed(1)} bytes an operation`)
    assert.ok(growth < mostBytesPerOperation, `${what}: ${growth.toFixed(1)} bytes more with each operation`)
  }
})
