import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OpenEmpty } from './contract.ts'

const now = Date.UTC(2026, 10, 23)
const minute = 60_000

/** The store's own time goes on between two statements. */
function assertAbout(actual: number | undefined, expected: number): void {
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < minute / 4, `${actual} instead of ${expected}`)
}

export function slotContract(open: OpenEmpty): void {
  test('slots of a connection are an interval apart, never before the time asked for, and no two are the same', async (t) => {
    const store = await open(t)
    const reserve = (connection: string, intervalMs: number, delayMs: number) =>
      store.transaction((write) => write.reserveSlot(connection, { intervalMs, delayMs, now, setBackMs: 0 }))
    const [first = 0, second = 0, other] = await Promise.all([
      reserve('okta', minute, minute),
      reserve('okta', minute, minute),
      reserve('entra', minute, minute),
    ])
    for (const [index, slot] of [first, second].sort((one, two) => one - two).entries())
      assertAbout(slot, minute * (1 + index))
    assertAbout(other, minute)
    assertAbout(await reserve('okta', minute, 5 * minute), 5 * minute)
    assertAbout(await reserve('okta', 2 * minute, 0), 6 * minute)
    assertAbout(await reserve('okta', minute, minute), 8 * minute)
  })

  test('a slot that a wrong clock has planned long before the start keeps nobody waiting, and a long line of them does', async (t) => {
    const store = await open(t)
    const reserve = (intervalMs: number, delayMs: number) =>
      store.transaction((write) => write.reserveSlot('okta', { intervalMs, delayMs, now, setBackMs: 0 }))
    await reserve(minute, 90 * minute)
    assertAbout(await reserve(minute, 0), 91 * minute)
    await reserve(minute, 2 * 24 * 60 * minute)
    assertAbout(await reserve(minute, 0), 0)
    assertAbout(await reserve(minute, 0), minute)
  })

  test('a slot is given at once when nobody had one before, or all have passed', async (t) => {
    const store = await open(t)
    const reserve = () =>
      store.transaction((write) => write.reserveSlot('okta', { intervalMs: 1, delayMs: 0, now, setBackMs: 0 }))
    assertAbout(await reserve(), 0)
    assertAbout(await reserve(), 0)
  })
}
