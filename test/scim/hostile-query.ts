/** Run in a process of its own, with and without `--disable-proto=delete`; ends with status 0 when nothing was polluted. */
import assert from 'node:assert/strict'
import { Problem } from '../../src/errors.ts'
import type { JsonObject } from '../../src/json.ts'
import { compileFilter } from '../../src/scim/filter-compile.ts'
import { parseFilter, parseValueFilter } from '../../src/scim/filter-parse.ts'
import { resolveName } from '../../src/scim/names.ts'
import { parseProjection } from '../../src/scim/projection.ts'
import { compileSchemas } from '../../src/scim/schema.ts'
import { parseSort } from '../../src/scim/sort.ts'

const { user } = compileSchemas()
const emails = user.core.get('emails')
assert.ok(emails)
const document: JsonObject = JSON.parse(
  '{"id":"u1","userName":"a","__proto__":{"x":"polluted"},"emails":[{"value":"e","__proto__":{"x":"polluted"}}]}',
)
const names = [
  '__proto__',
  '__proto__.x',
  'constructor',
  'constructor.prototype',
  'prototype.x',
  'toString',
  'hasOwnProperty',
]

for (const name of names) {
  assert.equal(resolveName(user, name), undefined, name)
  for (const written of [
    name,
    `emails.${name}`,
    `${user.urn}:${name}`,
    `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:${name}`,
  ]) {
    assert.throws(() => parseFilter(`${written} eq "x"`, user), Problem, written)
    assert.throws(() => parseFilter(`${written} pr`, user), Problem, written)
    assert.throws(() => parseFilter(`emails[${written} eq "x"]`, user), Problem, written)
    assert.throws(() => parseValueFilter(`${written} eq "x"`, emails), Problem, written)
    assert.throws(() => parseSort(user, written, undefined), Problem, written)
    assert.deepEqual(parseProjection(user, written, undefined).project(document), { id: 'u1' }, written)
    parseProjection(user, undefined, written).project(document)
  }
}
const { test } = compileFilter(parseFilter('userName eq "a" and emails[value eq "e" and not (type pr)]', user), user)
assert.equal(test(document), true)

const probe: { readonly x?: unknown } = {}
assert.equal(probe.x, undefined)
assert.equal(Object.hasOwn(Object.prototype, 'x'), false)
