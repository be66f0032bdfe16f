import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Immutable, Refused } from '../../src/errors.ts'
import type { AttributeFact, Json, PlatformFacts } from '../../src/facts.ts'
import { refuseUnfit } from '../../src/platforms/fitting.ts'

const facts: PlatformFacts = {
  platform: 'anywhere',
  title: 'Anywhere',
  attributes: new Map<string, AttributeFact>([
    ['name', { type: 'string', write: 'always', required: true, minLength: 2, maxLength: 4 }],
    ['key', { type: 'string', write: 'create' }],
    [
      'note',
      { type: 'string', write: 'always', clearable: true, check: (value) => (value === 'x' ? 'is x' : undefined) },
    ],
    ['state', { type: 'integer', write: 'always', values: [0, 1] }],
    ['size', { type: 'integer', write: 'always' }],
    ['isOn', { type: 'boolean', write: 'always' }],
    ['seen', { type: 'string', write: 'read' }],
  ]),
  openAttributes: [{ prefix: 'field_', fact: { type: 'string', write: 'always', maxLength: 3 } }],
  statusAttributes: ['state'],
  canDelete: false,
  modes: ['direct'],
  grantKeys: new Map(),
  grantForms: [],
  groups: undefined,
  pace: { requestsPerSecond: 1, concurrency: 1 },
  locksOnWrongCredentials: false,
}

for (const [name, value, message] of [
  ['name', 'abcde', 'Anywhere: name has 5 characters, the platform takes 4.'],
  ['name', 'a', 'Anywhere: name needs 2 characters or more.'],
  ['name', null, 'Anywhere: name cannot be taken away.'],
  ['name', 7, 'Anywhere: name must be text.'],
  ['note', 'x', 'Anywhere: note is x.'],
  ['state', true, 'Anywhere: state must be one of 0, 1.'],
  ['size', 1.5, 'Anywhere: size must be a whole number.'],
  ['isOn', 'true', 'Anywhere: isOn must be true or false.'],
  ['field_a', 'abcd', 'Anywhere: field_a has 4 characters, the platform takes 3.'],
  ['field_', 'a', 'Anywhere: field_ is not an attribute of this platform.'],
  ['__proto__', 'a', 'Anywhere: __proto__ is not an attribute of this platform.'],
] as const) {
  test(`${name} ${JSON.stringify(value)} is refused by name`, () => {
    assert.throws(
      () => refuseUnfit(facts, new Map<string, Json>([[name, value]]), 'change'),
      (error) => error instanceof Refused && error.message === message,
    )
  })
}

test('what fits passes, counted in characters and not in their halves', () => {
  const changes = new Map<string, Json>([
    ['name', '🎓🎓🎓🎓'],
    ['note', null],
    ['state', 0],
    ['field_a', 'abc'],
  ])
  refuseUnfit(facts, changes, 'change')
})

test('a new account needs what is required, and may be given what can only be set then', () => {
  refuseUnfit(
    facts,
    new Map([
      ['name', 'ada'],
      ['key', 'k'],
    ]),
    'create',
  )
  assert.throws(() => refuseUnfit(facts, new Map([['key', 'k']]), 'create'), /Anywhere: name is required/)
  assert.throws(() => refuseUnfit(facts, new Map([['name', '']]), 'create'), Refused)
})

test('what cannot be changed is immutable', () => {
  assert.throws(() => refuseUnfit(facts, new Map([['key', 'k']]), 'change'), Immutable)
  assert.throws(() => refuseUnfit(facts, new Map([['seen', 's']]), 'change'), Immutable)
})
