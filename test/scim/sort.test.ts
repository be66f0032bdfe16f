import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../src/json.ts'
import { enterpriseUrn, provisioningUrn, userUrn } from '../../src/scim/attribute.ts'
import { parseSort } from '../../src/scim/sort.ts'
import { badgesUrn, problemOf, schemas } from './filter-world.ts'

function sorted(sortBy: string, sortOrder: string | undefined, documents: JsonObject[]) {
  const sort = parseSort(schemas.user, sortBy, sortOrder)
  assert.ok(sort)
  const places = documents.map((document, seq) => ({ id: document.id, key: sort.keyOf(document), seq }))
  // Last first, so that ties have to be put in order, too.
  return places
    .toReversed()
    .toSorted(sort.compare)
    .map(({ id }) => id)
}

test('what an index holds is sorted by the index, whichever way it is written', () => {
  const rows = [
    ['userName', 'userName'],
    [`${userUrn}:DISPLAYNAME`, 'displayName'],
    ['externalid', 'externalId'],
    ['id', 'id'],
    ['meta.created', 'created'],
    ['META.lastModified', 'lastModified'],
    ['name.familyName', undefined],
    ['manager.displayName', undefined],
  ] as const
  for (const [sortBy, index] of rows) assert.equal(parseSort(schemas.user, sortBy, undefined)?.index, index, sortBy)
})

test('the order is ascending unless descending is asked for, in any letter case', () => {
  assert.equal(parseSort(schemas.user, 'title', undefined)?.descending, false)
  assert.equal(parseSort(schemas.user, 'title', '')?.descending, false)
  assert.equal(parseSort(schemas.user, 'title', 'Ascending')?.descending, false)
  assert.equal(parseSort(schemas.user, 'title', 'DESCENDING')?.descending, true)
})

test('without sortBy nothing is sorted', () => {
  assert.equal(parseSort(schemas.user, undefined, undefined), undefined)
  assert.equal(parseSort(schemas.user, '', 'descending'), undefined)
})

test('another order, an unknown attribute and one without an order are refused', () => {
  const refused = (sortBy: string | undefined, sortOrder?: string, schema = schemas.user) => {
    const { status, scimType } = problemOf(() => parseSort(schema, sortBy, sortOrder))
    assert.deepEqual([status, scimType], [400, 'invalidValue'], String(sortBy))
  }
  refused('userName', 'upwards')
  refused(undefined, 'upwards')
  for (const sortBy of ['shoeSize', '__proto__', 'password', 'name', enterpriseUrn, `${provisioningUrn}:state`])
    refused(sortBy)
  refused('members', undefined, schemas.group)
})

test('letter case counts only where it counts in the attribute', () => {
  const users = [
    { id: '1', title: 'b', externalId: 'b' },
    { id: '2', title: 'A', externalId: 'a' },
    { id: '3', title: 'C', externalId: 'C' },
  ]
  assert.deepEqual(sorted('title', 'ascending', users), ['2', '1', '3'])
  assert.deepEqual(sorted('title', 'descending', users), ['3', '1', '2'])
  assert.deepEqual(sorted('externalId', undefined, users), ['3', '2', '1'])
})

test('those without a value come last ascending and first descending; ties go by age, in the same direction', () => {
  const users: JsonObject[] = [{ id: '1' }, { id: '2', title: 'a' }, { id: '3', title: null }, { id: '4', title: 'A' }]
  assert.deepEqual(sorted('title', undefined, users), ['2', '4', '1', '3'])
  assert.deepEqual(sorted('title', 'descending', users), ['3', '1', '4', '2'])
})

test('of several values the primary one counts, else the first', () => {
  const users: JsonObject[] = [
    { id: '1', emails: [{ value: 'a' }, { value: 'z', primary: true }] },
    { id: '2', emails: [{ value: 'c' }, { value: 'a' }] },
    { id: '3', emails: [] },
  ]
  assert.deepEqual(sorted('emails', undefined, users), ['2', '1', '3'])
  assert.deepEqual(sorted('emails.value', 'descending', users), ['3', '1', '2'])
})

test('numbers, booleans and times have their own order', () => {
  const users = [
    { id: '1', [badgesUrn]: { level: 10 }, active: true, meta: { created: '2026-01-01T00:00:00+02:00' } },
    { id: '2', [badgesUrn]: { level: 9 }, active: false, meta: { created: '2025-12-31T23:00:00Z' } },
  ]
  assert.deepEqual(sorted(`${badgesUrn}:level`, undefined, users), ['2', '1'])
  assert.deepEqual(sorted('active', undefined, users), ['2', '1'])
  assert.deepEqual(sorted('meta.created', undefined, users), ['1', '2'])
})
