import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatInstant, parseInstant } from '../../src/scim/instant.ts'

test('seven digits of a second are kept, zones are counted in', () => {
  const whole = parseInstant('2026-01-31T12:00:00Z')
  assert.ok(whole !== undefined)
  assert.equal(parseInstant('2026-01-31T12:00:00.0000001Z'), whole + 100n)
  assert.equal(parseInstant('2026-01-31T13:30:00+01:30'), whole)
  assert.equal(parseInstant('2026-01-31T11:00:00.000-01:00'), whole)
  assert.equal(parseInstant('2026-01-31t12:00:00'), whole)
  assert.equal(parseInstant(`2026-01-31T12:00:00.${'1'.repeat(40)}Z`), whole + 111_111_111n)
})

test('what is no time is none', () => {
  const texts = [
    '',
    '2026',
    '2026-01-31',
    '2026-13-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T00:60:00Z',
  ]
  const more = [
    '2026-01-31T00:00:00.Z',
    '2026-01-31T00:00:00+1:00',
    '2026-01-31T00:00:00+15:00',
    '2026-01-31T00:00:00Zx',
    '2026/01/31T00:00:00Z',
  ]
  for (const text of [
    ...texts,
    ...more,
    '2026-01-31X00:00:00Z',
    ' 026-01-31T00:00:00Z',
    '2026-01-31T00:00:0',
    '0'.repeat(5_000),
  ]) {
    assert.equal(parseInstant(text), undefined, text)
  }
  assert.notEqual(parseInstant('2024-02-29T00:00:00Z'), undefined)
  assert.equal(parseInstant('2025-02-29T00:00:00Z'), undefined)
})

test('a time between two milliseconds is written as the one before or after', () => {
  const between = parseInstant('2026-01-31T12:00:00.0019999Z')
  assert.ok(between !== undefined)
  assert.equal(formatInstant(between, 'down'), '2026-01-31T12:00:00.001Z')
  assert.equal(formatInstant(between, 'up'), '2026-01-31T12:00:00.002Z')
  const early = parseInstant('1969-12-31T23:59:59.9999Z')
  assert.ok(early !== undefined)
  assert.equal(formatInstant(early, 'down'), '1969-12-31T23:59:59.999Z')
  assert.equal(formatInstant(early, 'up'), '1970-01-01T00:00:00.000Z')
})

test('what a Date writes is read as the same instant', () => {
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') }), (date) => {
      const instant = parseInstant(date.toISOString())
      assert.equal(instant, BigInt(date.getTime()) * 1_000_000n)
      assert.equal(instant === undefined ? undefined : formatInstant(instant, 'up'), date.toISOString())
    }),
  )
})
