import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { endOfPrefix, foldKey } from '../../src/store/keys.ts'

test('spellings that people take for one name are one key', () => {
  for (const [left, right] of [
    ['Ada@Uni.Example', 'ada@uni.example'],
    ['A\u030asa', 'åsa'],
    ['ａｄａ', 'ADA'],
    ['\u212aelvin', 'kelvin'],
    ['ﬁona', 'FIONA'],
  ] as const) {
    assert.equal(foldKey(left), foldKey(right))
  }
})

test('names that differ stay different', () => {
  for (const [left, right] of [
    ['ada', 'adá'],
    ['ada', 'ada '],
    ['ı', 'i'],
  ] as const) {
    assert.notEqual(foldKey(left), foldKey(right))
  }
})

test('the key of a key is the key', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => foldKey(foldKey(text)) === foldKey(text)))
})

test('the end of a prefix is beyond every text that begins with it, and before every other text that is beyond it', () => {
  const rows: readonly [prefix: string, end: string | undefined][] = [
    ['a', 'b'],
    ['user9', 'user:'],
    ['a\u{10ffff}', 'b'],
    ['\u{10ffff}', undefined],
    ['\ud7ff', '\ue000'],
    ['a\uffff', 'a\u{10000}'],
    ['', undefined],
  ]
  for (const [prefix, end] of rows) assert.equal(endOfPrefix(prefix), end, prefix)
})
