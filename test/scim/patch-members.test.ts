import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupUrn } from '../../src/scim/attribute.ts'
import { aGroup, patchGroup, refuses } from './patch-world.ts'

const changesOf = (operation: object, strict = false) => patchGroup([operation], { strict }).memberChanges

test('members are added from lists, objects, bare strings and with $ref null, each once', () => {
  for (const value of [
    [{ value: 'a' }, { value: 'b' }],
    ['a', 'b', 'a'],
    [{ $ref: null, value: 'a' }, { Value: 'b', display: 'B', type: 'User' }, { value: 'a' }],
  ]) {
    for (const op of ['add', 'Add']) {
      assert.deepEqual(changesOf({ op, path: 'members', value }), [{ kind: 'add', ids: ['a', 'b'] }])
    }
    assert.deepEqual(changesOf({ op: 'add', value: { members: value } }), [{ kind: 'add', ids: ['a', 'b'] }])
  }
  for (const value of ['a', { value: 'a' }]) {
    assert.deepEqual(changesOf({ op: 'add', path: 'members', value }), [{ kind: 'add', ids: ['a'] }])
  }
})

test('members are not part of the document', () => {
  const result = patchGroup([{ op: 'add', path: 'members', value: ['a'] }])
  assert.deepEqual([result.document, result.changed], [aGroup(), false])
})

test('replacing the members, with and without path, replaces them; with nothing removes all', () => {
  for (const operation of [
    { op: 'replace', path: 'members', value: [{ value: 'a' }] },
    { op: 'replace', value: { members: ['a'] } },
    { op: 'Replace', path: `${groupUrn}:Members`, value: 'a' },
  ]) {
    assert.deepEqual(changesOf(operation), [{ kind: 'replace', ids: ['a'] }])
  }
  for (const value of [[], null, '']) {
    assert.deepEqual(changesOf({ op: 'replace', path: 'members', value }), [{ kind: 'removeAll' }])
  }
})

test('a remove by path filter names exactly those members', () => {
  assert.deepEqual(changesOf({ op: 'remove', path: 'members[value eq "x"]' }), [{ kind: 'remove', ids: ['x'] }])
  assert.deepEqual(changesOf({ op: 'Remove', path: 'MEMBERS[Value EQ "x"].value' }), [{ kind: 'remove', ids: ['x'] }])
  const several = 'members[value eq "x" or value eq "y" or value eq "x"]'
  assert.deepEqual(changesOf({ op: 'remove', path: several }), [{ kind: 'remove', ids: ['x', 'y'] }])
})

test('a member id may contain a quote and a bracket', () => {
  const id = 'a"]b\\'
  assert.deepEqual(changesOf({ op: 'remove', path: `members[value eq ${JSON.stringify(id)}]` }), [
    { kind: 'remove', ids: [id] },
  ])
  assert.deepEqual(changesOf({ op: 'add', path: 'members', value: [{ value: id }] }), [{ kind: 'add', ids: [id] }])
})

test('any other filter on members is a test of the id', () => {
  const [change] = changesOf({ op: 'remove', path: 'members[value sw "a" and type eq "User"]' })
  assert.ok(change?.kind === 'removeWhere')
  assert.deepEqual(
    ['a1', 'b1', 'A1'].map((id) => change.test(id)),
    [true, false, false],
  )
  const [others] = changesOf({ op: 'remove', path: 'members[not (value eq "a")]' })
  assert.ok(others?.kind === 'removeWhere')
  assert.deepEqual(
    ['a', 'b'].map((id) => others.test(id)),
    [false, true],
  )
  refuses(() => changesOf({ op: 'remove', path: 'members[display eq "Ada"]' }), 'invalidFilter', /^members/)
})

test('Entra removes the members that it names in the value, never all', () => {
  for (const value of [
    [{ $ref: null, value: 'a' }, { value: 'b' }],
    ['a', 'b'],
  ]) {
    assert.deepEqual(changesOf({ op: 'Remove', path: 'members', value }), [{ kind: 'remove', ids: ['a', 'b'] }])
  }
  assert.deepEqual(changesOf({ op: 'Remove', path: 'members', value: [] }), [])
  refuses(() => changesOf({ op: 'Remove', path: 'members', value: '' }), 'invalidValue')
  refuses(() => changesOf({ op: 'Remove', path: 'members', value: [{ display: 'Ada' }] }), 'invalidValue')
})

test('a strict connection refuses a remove with a value instead of removing everybody', () => {
  refuses(() => changesOf({ op: 'remove', path: 'members', value: [{ value: 'a' }] }, true), 'invalidValue', /^members/)
})

test('a remove of members without filter and value removes all', () => {
  assert.deepEqual(changesOf({ op: 'remove', path: 'members' }), [{ kind: 'removeAll' }])
  assert.deepEqual(changesOf({ op: 'remove', path: 'members', value: null }), [{ kind: 'removeAll' }])
})

test('changes of members keep the order of the operations', () => {
  const { memberChanges, document, changed } = patchGroup([
    { op: 'remove', path: 'members[value eq "a"]' },
    { op: 'add', path: 'members', value: [{ value: 'b', display: 'B' }] },
    { op: 'replace', path: 'displayName', value: 'Writers' },
    { op: 'remove', path: 'members' },
    { op: 'add', path: 'members', value: ['c'] },
  ])
  assert.deepEqual(memberChanges, [
    { kind: 'remove', ids: ['a'] },
    { kind: 'add', ids: ['b'] },
    { kind: 'removeAll' },
    { kind: 'add', ids: ['c'] },
  ])
  assert.deepEqual([document, changed], [aGroup({ displayName: 'Writers' }), true])
})

test('an add through a filter adds the one that it names, a strict connection answers noTarget', () => {
  const operation = { op: 'Add', path: 'members[value eq "a"]', value: { display: 'Ada' } }
  assert.deepEqual(changesOf(operation), [{ kind: 'add', ids: ['a'] }])
  refuses(() => changesOf(operation, true), 'noTarget')
  refuses(() => changesOf({ ...operation, path: 'members[value sw "a"]' }), 'noTarget')
})

test('an add through a filter that says somebody else in its value is refused, for one of the two would be lost', () => {
  const path = 'members[value eq "a"]'
  for (const value of [{ value: 'a' }, { Value: 'a', display: 'Ada' }, [{ value: 'a' }], 'a']) {
    assert.deepEqual(changesOf({ op: 'add', path, value }), [{ kind: 'add', ids: ['a'] }])
  }
  for (const value of [{ value: 'b' }, { VALUE: 'b' }, [{ value: 'a' }, { value: 'b' }], 'b', ['a', 'b']]) {
    refuses(() => changesOf({ op: 'add', path, value }), 'mutability', /^members/)
  }
  assert.deepEqual(changesOf({ op: 'add', path: `${path}.value`, value: 'a' }), [{ kind: 'add', ids: ['a'] }])
  refuses(() => changesOf({ op: 'add', path: `${path}.value`, value: 'b' }), 'mutability', /^members/)
})

test('a member itself cannot be changed', () => {
  refuses(() => changesOf({ op: 'replace', path: 'members[value eq "a"]', value: { value: 'b' } }), 'mutability')
  refuses(() => changesOf({ op: 'replace', path: 'members[value eq "a"].value', value: 'b' }), 'mutability')
  refuses(() => changesOf({ op: 'remove', path: 'members.value' }), 'mutability')
  refuses(() => changesOf({ op: 'remove', path: 'members[value eq "a"].type' }), 'mutability')
  refuses(() => changesOf({ op: 'remove', path: 'members[value eq "a"].display' }), 'mutability')
})

test('what is no user id is invalidValue', () => {
  for (const value of [
    7,
    [7],
    [null],
    [{}],
    [{ value: 7 }],
    [{ value: '' }],
    [''],
    [[]],
    ['a\0'],
    ['\ud800'],
    ['x'.repeat(300)],
    true,
  ]) {
    refuses(() => changesOf({ op: 'add', path: 'members', value }), 'invalidValue', /^members/)
  }
  refuses(
    () => changesOf({ op: 'add', path: 'members', value: [{ value: 'g', type: 'Group' }] }),
    'invalidValue',
    /groups in groups/,
  )
  refuses(() => changesOf({ op: 'add', path: 'members' }), 'invalidValue', /^members needs a value/)
})

test('a patch carries up to 50,000 members', () => {
  const ids = Array.from({ length: 50_000 }, (_, index) => `u${index}`)
  const [change] = changesOf({ op: 'add', path: 'members', value: ids })
  assert.ok(change?.kind === 'add' && change.ids.length === 50_000)
  refuses(
    () =>
      patchGroup([
        { op: 'add', path: 'members', value: ids },
        { op: 'remove', path: 'members[value eq "x"]' },
      ]),
    'tooMany',
    /50000/,
  )
})
