import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../../src/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../../src/json.ts'
import { enterpriseUrn } from '../../src/scim/attribute.ts'
import { normaliseResource } from '../../src/scim/normalise.ts'
import { applyPatch, type PatchResult, parsePatch } from '../../src/scim/patch.ts'
import { isSameDocument } from '../../src/scim/same-document.ts'
import { validateDocument } from '../../src/scim/validate.ts'
import { aGroup, aUser, customUrn, messageUrn, schemas } from './patch-world.ts'

const runs = { numRuns: 1_500 }

const text = fc.constantFrom(
  '',
  'a',
  'b',
  'Work',
  'True',
  'false',
  ' ',
  '{"value":"25"}',
  '{',
  '\ud800',
  'a\0',
  '__proto__',
)
const simple: fc.Arbitrary<Json> = fc.oneof(text, fc.boolean(), fc.constant(null), fc.integer({ min: -1, max: 2 }))
const key = fc.constantFrom(
  'value',
  'Type',
  'type',
  'primary',
  'display',
  '$ref',
  'givenName',
  'streetAddress',
  'department',
  'manager',
  'x',
  '__proto__',
  'value.x',
)
const element: fc.Arbitrary<JsonObject> = fc.dictionary(key, simple, { maxKeys: 4 })
const value: fc.Arbitrary<Json> = fc.oneof(
  simple,
  element,
  fc.array(fc.oneof(simple, element), { maxLength: 4 }),
  fc.dictionary(key, fc.oneof(simple, element), { maxKeys: 3 }),
)
const name = fc.constantFrom(
  'userName',
  'USERNAME',
  'displayName',
  'active',
  'name',
  'name.givenName',
  'emails',
  'emails.value',
  'roles',
  'addresses',
  'phoneNumbers',
  'manager',
  'manager.value',
  'department',
  `${enterpriseUrn}:manager`,
  enterpriseUrn,
  customUrn,
  `${customUrn}:tags`,
  `${customUrn}:seats`,
  'id',
  'meta',
  'groups',
  'members',
  'schemas',
  'password',
  'x509Certificates',
  'nope',
  '__proto__.x',
  '',
)
const filter = fc.constantFrom(
  'type eq "work"',
  'type eq "a" and primary eq true',
  'primary eq "True"',
  'value pr',
  'not (type eq "a")',
  'value sw "a"',
  'type eq null',
  'bad',
  '__proto__.p eq 1',
  'value eq "a\\"b]"',
)
const path = fc.oneof(
  name,
  fc
    .tuple(
      fc.constantFrom('emails', 'roles', 'addresses', 'members', 'name', `${customUrn}:tags`),
      filter,
      fc.constantFrom('', '.value', '.type', '.primary', '.streetAddress', '.x'),
    )
    .map(([attribute, condition, sub]) => `${attribute}[${condition}]${sub}`),
)
const operation: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ op: fc.constantFrom('add', 'Replace', 'REMOVE', 'move'), path, value }, { requiredKeys: ['op', 'path'] }),
  fc.record({
    op: fc.constantFrom('add', 'replace'),
    value: fc.oneof(value, fc.dictionary(path, value, { maxKeys: 3 })),
  }),
)
const word = fc.constantFrom('a', 'b', 'work', 'home')
const entry = fc.record(
  { value: word, type: word, primary: fc.constantFrom(true, false, 'True') },
  { requiredKeys: ['value'] },
)
const list = fc.constantFrom('emails', 'roles', 'phoneNumbers')
const verb = fc.constantFrom('add', 'Add', 'replace', 'Remove')
const condition = fc.oneof(
  fc.tuple(fc.constantFrom('type', 'value'), word).map(([sub, wanted]) => `${sub} eq "${wanted}"`),
  fc.constant('primary eq true'),
)
/** What a provider could mean; the rest is what only an attacker or a broken client sends. */
const plausible: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({
    op: verb,
    path: fc.constantFrom('title', 'name.givenName', 'department', 'manager', 'displayName'),
    value: word,
  }),
  fc.record({ op: verb, path: list, value: fc.oneof(entry, fc.array(entry, { maxLength: 3 }), word) }),
  fc.record({
    op: verb,
    path: fc.tuple(list, condition).map(([attribute, test]) => `${attribute}[${test}].value`),
    value: fc.oneof(word, fc.constant('')),
  }),
  fc.record({
    op: verb,
    path: fc.tuple(list, condition).map(([attribute, test]) => `${attribute}[${test}]`),
    value: entry,
  }),
  fc.record({ op: verb, path: list.map((attribute) => `${attribute}[type eq "work"].primary`), value: fc.boolean() }),
  fc.record({ op: verb, path: fc.constant(`${customUrn}:tags`), value: fc.array(word, { maxLength: 3 }) }),
  fc.record({
    op: fc.constantFrom('add', 'replace'),
    value: fc.record(
      { emails: fc.array(entry, { maxLength: 2 }), 'name.familyName': word, title: word },
      { requiredKeys: [] },
    ),
  }),
)
const operations = fc.array(fc.oneof({ weight: 6, arbitrary: plausible }, { weight: 1, arbitrary: operation }), {
  minLength: 1,
  maxLength: 5,
})
const strict = fc.boolean()
const user: fc.Arbitrary<JsonObject> = fc
  .record(
    {
      emails: value,
      roles: value,
      addresses: value,
      name: value,
      active: fc.boolean(),
      manager: value,
      [customUrn]: fc.record({ tags: value }),
    },
    { requiredKeys: [] },
  )
  .map((more) => attempt(() => normaliseResource(schemas.user, aUser(more), 'create').document) ?? aUser())

/** Anything but a `Problem` fails the property. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof Problem && error.status === 400 && error.scimType !== undefined) return undefined
    throw error
  }
}

function patched(document: JsonObject, sent: readonly JsonObject[], isStrict = false): PatchResult | undefined {
  return attempt(() => {
    const body = { schemas: [messageUrn], Operations: [...sent] }
    const patch = parsePatch(schemas.user, body, { strict: isStrict })
    return applyPatch(schemas.user, document, patch, { strict: isStrict, id: 'u1' })
  })
}

function freeze<T extends Json>(json: T): T {
  if (Array.isArray(json)) json.forEach(freeze)
  else if (isJsonObject(json)) Object.values(json).forEach(freeze)
  return Object.freeze(json)
}

test('a patch throws nothing but a Problem, leaves document and body as they are, and its result is valid', () => {
  let accepted = 0
  let changes = 0
  fc.assert(
    fc.property(user, operations, strict, (document, sent, isStrict) => {
      const result = patched(freeze(document), freeze(sent), isStrict)
      if (result === undefined) return
      accepted += 1
      if (result.changed) changes += 1
      validateDocument(schemas.user, result.document)
      assert.equal(result.changed, !isSameDocument(document, result.document))
      const again = normaliseResource(schemas.user, result.document, 'replace')
      assert.deepEqual(again.document, result.document)
      assert.deepEqual(again.ignored, [])
    }),
    runs,
  )
  assert.ok(accepted > 400 && changes > 300, `only ${accepted} accepted, ${changes} changed`)
})

test('the same replace twice is as good as once', () => {
  let accepted = 0
  // Not through a filter on the very sub-attribute that is replaced: after it, the filter means another value.
  const steady = fc.oneof(
    { weight: 3, arbitrary: name },
    fc.constantFrom(
      'emails[type eq "work"].value',
      'addresses[type eq "work"].streetAddress',
      'roles[primary eq "True"].display',
    ),
  )
  fc.assert(
    fc.property(user, steady, value, (document, where, what) => {
      const replace = [{ op: 'replace', path: where, value: what }]
      const once = patched(document, replace)
      if (once === undefined) return
      accepted += 1
      const twice = patched(once.document, replace)
      assert.deepEqual(twice?.document, once.document)
      assert.equal(twice?.changed, false)
    }),
    runs,
  )
  assert.ok(accepted > 100, `only ${accepted} accepted`)
})

test('adding what is there changes nothing', () => {
  fc.assert(
    fc.property(user, (document) => {
      // An empty text, which a create may leave, clears in a patch.
      fc.pre(!JSON.stringify(document).includes('""'))
      for (const [attribute, there] of Object.entries(document)) {
        if (attribute === 'schemas') continue
        const result = patched(document, [{ op: 'add', path: attribute, value: there }])
        assert.deepEqual([result?.changed, result?.document], [false, document], attribute)
      }
    }),
    runs,
  )
})

test('no patch without an explicit active: true switches a user on', () => {
  fc.assert(
    fc.property(user, operations, strict, (document, sent, isStrict) => {
      const result = patched({ ...document, active: false }, sent, isStrict)
      if (result === undefined || result.active === true) return
      assert.equal(result.document.active, false)
    }),
    runs,
  )
})

test('a body throws nothing but a Problem, is left as it is, and normalising its result changes nothing', () => {
  let accepted = 0
  fc.assert(
    fc.property(fc.dictionary(path, value, { maxKeys: 4 }), (more) => {
      const body = freeze(aUser(more))
      const result = attempt(() => normaliseResource(schemas.user, body, 'create'))
      if (result === undefined) return
      accepted += 1
      assert.deepEqual(normaliseResource(schemas.user, result.document, 'replace').document, result.document)
    }),
    runs,
  )
  assert.ok(accepted > 150, `only ${accepted} accepted`)
})

test('patches of groups throw nothing but a Problem, and name only members that were sent', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          op: fc.constantFrom('add', 'replace', 'remove'),
          path: fc.oneof(fc.constant('members'), path),
          value,
        }),
        { minLength: 1, maxLength: 3 },
      ),
      strict,
      (sent, isStrict) => {
        const result = attempt(() => {
          const patch = parsePatch(schemas.group, { Operations: freeze(sent) }, { strict: isStrict })
          return applyPatch(schemas.group, freeze(aGroup()), patch, { strict: isStrict, id: 'g1' })
        })
        const said = JSON.stringify(sent)
        for (const change of result?.memberChanges ?? []) {
          if ('ids' in change)
            for (const id of change.ids)
              assert.ok(
                said.includes(JSON.stringify(JSON.stringify(id).slice(1, -1)).slice(1, -1)) ||
                  said.includes(JSON.stringify(id).slice(1, -1)),
              )
        }
      },
    ),
    runs,
  )
})
