import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeclaredExtension } from '../../src/extensions.ts'
import { aFile, figshare, place, problemsOf } from './platforms.ts'

const urn = 'urn:example:params:scim:schemas:staff:1.0:User'
const staff: DeclaredExtension = {
  urn,
  attributes: [
    { name: 'badge', type: 'string', multiValued: false },
    { name: 'level', type: 'integer', multiValued: false },
    { name: 'guest', type: 'boolean', multiValued: false },
    { name: 'desks', type: 'string', multiValued: true },
  ],
}
const prefixes = `prefixes: { staff: '${urn}' }`

function problems(rule: string, extensions: readonly DeclaredExtension[] | undefined): string[] {
  const text = aFile(`    job_title: ${rule}`, prefixes)
  return problemsOf({ file: 'a.yaml', text, facts: figshare, ...(extensions && { extensions }) })
}

describe('a mapping of a connection names what the connection keeps', () => {
  const rule = '{ from: staff:badge, empty: keep }'

  test('an extension that it declares, in any letter case, with the prefix or the URN', () => {
    assert.deepEqual(problems(rule, [staff]), [])
    assert.deepEqual(problems('{ from: STAFF:Badge, empty: keep }', undefined), [
      `a.yaml:${place(aFile('    job_title: { from: x }'), 'from: x')}: user.attributes.job_title.from: no prefix named 'STAFF' (did you mean staff?): declare it under prefixes`,
    ])
    assert.deepEqual(problems(`{ from: '${urn.toUpperCase()}:BADGE', empty: keep }`, [staff]), [])
    assert.deepEqual(problems("{ from: 'staff:desks[0]', empty: keep }", [staff]), [])
  })

  test('one that it does not declare is refused: what a client sends of it is left out', () => {
    const text = aFile(`    job_title: ${rule}`, prefixes)
    assert.deepEqual(problems(rule, []), [
      `a.yaml:${place(text, 'from: staff:badge')}: user.attributes.job_title.from: the connection declares no extension ${urn}: add it to its extensions`,
    ])
  })

  test('without a connection there is no telling, and it is taken', () => {
    assert.deepEqual(problems(rule, undefined), [])
    assert.deepEqual(problems('{ from: staff:anything, empty: keep }', undefined), [])
  })

  const wrong = [
    ['{ from: staff:badgd, empty: keep }', 'from: not a SCIM path (did you mean staff:badge?)'],
    ['{ from: staff:shoeSize, empty: keep }', 'from: not a SCIM path (staff has badge, level, guest, desks)'],
    ['{ from: staff:badge.value, empty: keep }', 'from: not a SCIM path (try userName,'],
    ['{ from: staff:desks, empty: keep }', 'from: not a SCIM path (say which of the desks, as in staff:desks[0])'],
    [
      '{ when: [{ if: { path: staff:level, equals: "3" }, value: x }], read: never, empty: keep }',
      'when.0.if.equals: staff:level is a number, without quotes',
    ],
    [
      '{ when: [{ if: { path: staff:guest, equals: yes }, value: x }], read: never, empty: keep }',
      'when.0.if.equals: staff:guest is true or false, without quotes',
    ],
  ] as const
  for (const [one, says] of wrong) {
    test(one, () => {
      const [first = 'none', ...others] = problems(one, [staff])
      assert.ok(first.includes(` user.attributes.job_title.${says}`), first)
      assert.deepEqual(others, [])
    })
  }
})
