import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OpenEmpty } from './contract.ts'

export function slotContract(open: OpenEmpty): void {
  test('slots of a connection are an interval apart, never before the time asked for, and no two are the same', async (t) => {
    const store = await open(t)
    const reserve = (connection: string, intervalMs: number, notBefore: number) =>
      store.transaction((write) => write.reserveSlot(connection, intervalMs, notBefore))
    const [first = 0, second = 0, other] = await Promise.all([
      reserve('okta', 100, 1_000),
      reserve('okta', 100, 1_000),
      reserve('entra', 100, 1_000),
    ])
    assert.deepEqual([first, second].toSorted(), [1_000, 1_100])
    assert.equal(other, 1_000)
    assert.equal(await reserve('okta', 100, 5_000), 5_000)
    assert.equal(await reserve('okta', 250, 1_000), 5_100)
    assert.equal(await reserve('okta', 100, 1_000), 5_350)
  })
}
