import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Json, JsonObject } from '../../src/json.ts'
import { enterpriseUrn } from '../../src/scim/attribute.ts'
import type { BulkOperation } from '../../src/scim/bulk-message.ts'
import { orderOf, referencesIn, resolveReferences } from '../../src/scim/bulk-references.ts'

function anOperation(bulkId: string, data: JsonObject, more: Partial<BulkOperation> = {}): BulkOperation {
  return { method: 'POST', path: '/Groups', bulkId, version: undefined, data, ...more }
}
const withMembers = (bulkId: string, others: readonly string[]) =>
  anOperation(bulkId, { members: others.map((other) => ({ value: `bulkId:${other}` })) })

test('references are found where they can stand, and nowhere else', () => {
  const rows: readonly [data: JsonObject, found: readonly string[]][] = [
    [{ members: [{ value: 'bulkId:a' }, 'bulkId:b', { VALUE: 'bulkId:c', display: 'bulkId:x' }] }, ['a', 'b', 'c']],
    [{ manager: 'bulkId:a' }, ['a']],
    [{ MANAGER: { value: 'bulkId:a', displayName: 'bulkId:x' } }, ['a']],
    [{ [enterpriseUrn]: { manager: { value: 'bulkId:a' } } }, ['a']],
    [{ [`${enterpriseUrn}:manager`]: 'bulkId:a', [`${enterpriseUrn}.manager`]: 'bulkId:b' }, ['a', 'b']],
    [{ Operations: [{ op: 'add', path: 'members', value: ['bulkId:a'] }] }, ['a']],
    [{ Operations: [{ op: 'add', PATH: 'manager.value', VALUE: 'bulkId:a' }] }, ['a']],
    [{ Operations: [{ op: 'add', value: { members: [{ value: 'bulkId:a' }] } }] }, ['a']],
    [{ Operations: [{ op: 'remove', path: 'members[value eq "bulkId:a" or value eq "bulkId:b"]' }] }, ['a', 'b']],
    [{ userName: 'bulkId:x', title: 'bulkId:x', externalId: 'bulkId:x', emails: [{ value: 'bulkId:x' }] }, []],
    [{ Operations: [{ op: 'add', path: 'title', value: 'bulkId:x' }] }, []],
    [{ Operations: [{ op: 'add', path: 'emails[value eq "bulkId:x"].type', value: 'bulkId:x' }] }, []],
    [{ members: [{ value: 'x bulkId:x' }, { value: 'BULKID:x' }, { value: 7 }, null] }, []],
  ]
  for (const [data, found] of rows) {
    assert.deepEqual([...referencesIn(anOperation('own', data))], found, JSON.stringify(data))
  }
  assert.deepEqual([...referencesIn(anOperation('own', {}, { path: '/Users/bulkId:a' }))], ['a'])
})

test('what is no reference stays as it was sent', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (sent) => {
      const data: Json = JSON.parse(JSON.stringify({ data: sent }))
      const resolved = resolveReferences({ ...anOperation('own', {}), data }, () => 'replaced')
      if (JSON.stringify(data).includes('bulkId:')) return
      assert.deepEqual(resolved.data, data)
    }),
  )
})

/** Everything that is reached from an operation by references, the slow and plain way. */
function reached(needs: readonly (readonly number[])[], from: number): Set<number> {
  const seen = new Set<number>()
  const visit = (index: number): void => {
    for (const next of needs[index] ?? []) {
      if (seen.has(next)) continue
      seen.add(next)
      visit(next)
    }
  }
  visit(from)
  return seen
}

test('every operation has its turn once, after all that it refers to, unless it leads into a circle', () => {
  const graphs = fc
    .integer({ min: 1, max: 9 })
    .chain((size) =>
      fc.array(fc.array(fc.nat({ max: size - 1 }), { maxLength: 2 }), { minLength: size, maxLength: size }),
    )
  let circles = 0
  fc.assert(
    fc.property(graphs, (needs) => {
      const { order, circular } = orderOf(needs.map((others, index) => withMembers(`${index}`, others.map(String))))
      assert.deepEqual(
        order.toSorted((one, other) => one - other),
        [...needs.keys()],
      )
      for (const index of needs.keys()) {
        const ahead = reached(needs, index)
        const isInCircle = (one: number) => reached(needs, one).has(one)
        assert.equal(circular.has(index), isInCircle(index) || [...ahead].some(isInCircle))
        if (circular.has(index)) circles += 1
        else for (const other of ahead) assert.ok(order.indexOf(other) < order.indexOf(index))
      }
    }),
    { numRuns: 1_000 },
  )
  assert.ok(circles > 500)
})

test('without references the order is the one sent', () => {
  const operations = ['a', 'b', 'c'].map((bulkId) => anOperation(bulkId, {}))
  assert.deepEqual(orderOf(operations), { order: [0, 1, 2], circular: new Set() })
})
