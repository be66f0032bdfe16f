import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSameDocument } from '../../src/scim/same-document.ts'
import { sent } from './patch-world.ts'

test('documents are the same whatever the order of their keys, at any depth', () => {
  assert.ok(isSameDocument({ a: 1, b: { c: [{ d: 1, e: null }] } }, { b: { c: [{ e: null, d: 1 }] }, a: 1 }))
  assert.ok(isSameDocument({}, {}))
})

test('the order of values in a list, a missing key, a type and null all make a difference', () => {
  for (const [a, b] of [
    [{ a: [1, 2] }, { a: [2, 1] }],
    [{ a: [1] }, { a: [1, 2] }],
    [{ a: 1 }, {}],
    [{}, { a: 1 }],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: '1' }],
    [{ a: null }, { a: {} }],
    [{ a: [] }, { a: {} }],
    [{ a: { b: 1 } }, { a: { b: 2 } }],
  ] as const) {
    assert.equal(isSameDocument(sent(a), sent(b)), false, JSON.stringify([a, b]))
  }
})

test('inherited names are not keys', () => {
  assert.equal(isSameDocument({ toString: 'x' }, { valueOf: 'x' }), false)
})
