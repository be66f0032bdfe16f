import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { afterEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JsonObject } from '../../src/json.ts'
import { enterpriseUrn } from '../../src/scim/attribute.ts'
import { normaliseResource } from '../../src/scim/normalise.ts'
import { aGroup, aUser, patchGroup, patchUser, refuses, schemas } from './patch-world.ts'

const internals = ['__proto__', 'constructor', 'prototype']
/** As the parser makes it: an own key, whatever its name. */
const parsed = (text: string): JsonObject => JSON.parse(text)
const withKey = (key: string, value = '"x"') => parsed(`{${JSON.stringify(key)}:${value}}`)

afterEach(() => {
  assert.equal(Reflect.get({}, 'p'), undefined)
  assert.equal(Reflect.get({}, 'polluted'), undefined)
  assert.equal(Reflect.get(Object, 'p'), undefined)
})

for (const name of internals) {
  test(`a body key with ${name} in it is invalidSyntax, at the top, in an extension and in a complex value`, () => {
    for (const key of [
      name,
      `${name}.p`,
      `urn:x:${name}.p`,
      `${enterpriseUrn}:${name}`,
      `${enterpriseUrn}:${name}.p`,
      `name.${name}`,
      `emails[${name}.p eq "x"].value`,
    ]) {
      for (const value of ['"x"', '{"p":"polluted"}', 'null']) {
        refuses(
          () => normaliseResource(schemas.user, { ...aUser(), ...withKey(key, value) }, 'create'),
          'invalidSyntax',
        )
        refuses(
          () => normaliseResource(schemas.group, { ...aGroup(), ...withKey(key, value) }, 'replace'),
          'invalidSyntax',
        )
        refuses(() => patchUser([{ op: 'add', value: withKey(key, value) }]), 'invalidSyntax')
        refuses(() => patchGroup([{ op: 'replace', value: withKey(key, value) }]), 'invalidSyntax')
      }
    }
    const inner = withKey(name, '{"p":"polluted"}')
    for (const more of [
      { [enterpriseUrn]: inner },
      { name: inner },
      { emails: [inner] },
      { [enterpriseUrn]: { manager: inner } },
    ]) {
      refuses(() => normaliseResource(schemas.user, aUser(more), 'create'), 'invalidSyntax')
      refuses(() => patchUser([{ op: 'replace', value: more }]), 'invalidSyntax')
    }
  })

  test(`a PATCH path with ${name} in it is invalidPath, and in its filter invalidFilter`, () => {
    for (const op of ['add', 'replace', 'remove']) {
      for (const path of [
        name,
        `${name}.p`,
        `emails.${name}`,
        `name.${name}`,
        `${enterpriseUrn}:${name}.p`,
        `urn:${name}:p`,
        `${name}[type eq "x"].p`,
        `emails[type eq "x"].${name}`,
      ]) {
        refuses(() => patchUser([{ op, path, value: 'polluted' }]), 'invalidPath')
      }
      for (const path of [`emails[${name}.p eq "x"]`, `emails[${name} eq "x"].value`, `emails[type.${name} eq "x"]`]) {
        refuses(() => patchUser([{ op, path, value: { p: 'polluted' } }]), 'invalidFilter')
      }
      refuses(() => patchGroup([{ op, path: `members[${name}.p eq "x"]`, value: 'x' }]), 'invalidFilter')
    }
  })

  test(`${name} as a value is only a text`, () => {
    const result = patchUser([
      { op: 'add', path: 'title', value: name },
      { op: 'add', path: `emails[type eq "${name}"].value`, value: name },
      { op: 'add', path: 'roles', value: [{ value: `{"value":"${name}","${name}":{"p":"polluted"}}` }] },
    ])
    assert.deepEqual(
      [result.document.title, result.document.emails, result.document.roles],
      [name, [{ value: name, type: name }], [{ value: name }]],
    )
    const [change] = patchGroup([{ op: 'add', path: 'members', value: [name] }]).memberChanges
    assert.deepEqual(change, { kind: 'add', ids: [name] })
  })
}

test('names that objects inherit are unknown names', () => {
  for (const name of ['toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']) {
    assert.deepEqual(normaliseResource(schemas.user, aUser({ [name]: 'x' }), 'create').ignored, [name])
    refuses(() => patchUser([{ op: 'add', path: name, value: 'x' }]), 'invalidPath')
    refuses(() => patchUser([{ op: 'add', path: `name.${name}`, value: 'x' }]), 'invalidPath')
  }
})

test('all of this holds whether or not node keeps __proto__', { timeout: 60_000 }, (context) => {
  if (process.env.HOSTILE_NAMES_INNER === '1') return
  const wasDeleted = !Object.hasOwn(Object.prototype, '__proto__')
  const flags = wasDeleted ? [] : ['--disable-proto=delete']
  context.diagnostic(`again with ${flags.join(' ') || 'no flag'}`)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const output = execFileSync(process.execPath, [...flags, '--test-reporter=tap', fileURLToPath(import.meta.url)], {
    env: { ...env, HOSTILE_NAMES_INNER: '1' },
    encoding: 'utf8',
  })
  assert.match(output, /^# fail 0$/m)
  assert.match(output, /^# pass [1-9]\d$/m)
})
