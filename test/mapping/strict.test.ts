import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MappingProblems } from '../../src/mapping/problems.ts'
import { aFile, aMapping, builtIn, changed, dspace, figshare, place, problemsOf } from './platforms.ts'

const load = (text: string) => problemsOf({ file: 'a.yaml', text, facts: figshare })
describe('what YAML would allow and a mapping does not', () => {
  const cases = [
    ['an anchor', 'describe: &d one', 'describe: anchors are not read: drop it and write the value out'],
    ['a tag', 'describe: !!str one', 'describe: tags are not read: drop it'],
    ['a merge key', 'tables: { <<: { a: 1 } }', 'tables.<<: merge keys are not read: write the keys out'],
    ['a constructor', 'tables: { constructor: 1 }', 'tables.constructor: is no key'],
    ['a prototype', 'prefixes: { prototype: x }', 'prefixes.prototype: is no key'],
    ['a key that is a list', 'tables: { ? [a] : 1 }', 'tables: a key is text'],
    [
      'a number that JavaScript rounds',
      'describe: 12345678901234567890',
      'describe: is not text, a number, true, false or null',
    ],
    ['infinity', 'describe: .inf', 'describe: is not text, a number, true, false or null'],
  ] as const
  for (const [name, line, says] of cases) {
    test(`${name} is refused`, () => {
      const problems = load(aFile('', line))
      assert.ok(
        problems.some((problem) => problem.endsWith(`: ${says}`)),
        problems.join('\n'),
      )
    })
  }

  test('a second document is refused', () => {
    assert.deepEqual(load(`${aFile('')}---\na: 1\n`), [
      `a.yaml:${place(`${aFile('')}---`, '---')}: a file holds one document`,
    ])
  })

  test('a directive is refused', () => {
    assert.deepEqual(load(`%YAML 1.1\n---\n${aFile('')}`), [
      'a.yaml:1:1: directives (%YAML) are not read: drop the line',
    ])
  })

  test('a file of more than 256 kB is refused before it is parsed', () => {
    assert.deepEqual(load(`# ${'x'.repeat(256 * 1024)}`), [
      'a.yaml:1:1: the file has 262146 bytes, at most 262144 are read',
    ])
  })

  test('nesting without end is refused, not followed', () => {
    assert.equal(load('['.repeat(5_000)).length > 0, true)
    assert.deepEqual(
      load(aFile('', `tables: ${'{ a: '.repeat(30)}1${' }'.repeat(30)}`)).filter((line) => line.includes('nested'))
        .length,
      1,
    )
  })

  test('a table of 10,000 values is read quickly, one more is refused', () => {
    const table = (size: number) =>
      `tables: { t: { unknown: omit, values: {${Array.from({ length: size }, (_, index) => `k${index}: ${index}`).join(', ')}} } }`
    const rule = '    group_id: { from: title, table: t, default: 1 }'
    assert.deepEqual(load(aFile(rule, table(10_000))), [])
    assert.match(load(aFile(rule, table(10_001))).join(), /tables\.t\.values: has 10001 values, at most 10000 are read/)
  })

  test('an empty file, a list and a text are not mappings', () => {
    assert.ok(load('').length > 0)
    assert.deepEqual(load('- a'), ['a.yaml:1:1: the file is a map of keys and values'])
  })

  test('the keys of a table are text, as they stand there', () => {
    assert.deepEqual(
      load(
        aFile(
          '    group_id: { from: title, table: t, default: 1 }',
          'tables: { t: { values: { 007: 1, no: 2 }, unknown: omit } }',
        ),
      ),
      [],
    )
  })
})

describe('shapes', () => {
  const cases = [
    ['7', 'is a whole number, but must be text or a list or a map'],
    ['{ from: title, empty: kep }', "empty: 'kep' is not one of clear, keep (did you mean keep?)"],
    ['{ from: title, empty: keep, required: yes }', 'required: is text, but must be true or false'],
    ['{ from: title, empty: keep, transform: trim }', 'transform: is text, but must be a list'],
    [
      '{ from: title, empty: keep, transform: [truncate] }',
      "transform.0: 'truncate' needs an argument: { truncate: … }",
    ],
    ['{ from: title, empty: keep, transform: [{ trim: 1 }] }', "transform.0: 'trim' has no argument: write trim"],
    [
      '{ from: title, empty: keep, transform: [{ truncate: no }] }',
      'transform.0.truncate: is text, but must be a number',
    ],
    ['{ from: title, empty: keep, transform: [{ before: ab }] }', 'transform.0.before: is one character'],
    [
      '{ from: title, empty: keep, transform: [{ keep: z-a }] }',
      'transform.0.keep: has a range that runs backwards (write a-z, and a - itself at the end)',
    ],
    ['{ from: title, empty: keep, transform: [trimm] }', "transform.0: no transform 'trimm' (did you mean trim?)"],
    ['{ empty: keep }', 'say exactly one of from, const, join, when (found none)'],
    ['{ from: [], empty: keep }', 'from: is empty'],
    ['{ from: title, else: x, empty: keep }', 'else: goes only with when'],
    ['{ join: [{ text: x }], read: never, empty: keep }', 'join: has no path: say const'],
    ['{ join: [title, { txt: x }], read: never, empty: keep }', 'join.1.txt: unknown key (did you mean text?)'],
    ['{ join: [title], empty: keep }', "cannot be read back, 'join' loses information: say read: never"],
    [
      '{ when: [{ if: { path: title }, value: x }], read: never, empty: keep }',
      'when.0.if: say exactly one of equals, one_of, present, starts_with, ends_with (found none)',
    ],
    [
      '{ when: [{ if: { path: titel, equals: x }, value: x }], read: never, empty: keep }',
      'when.0.if.path: not a SCIM path (did you mean title?)',
    ],
    [
      '{ when: [{ if: { path: title, equals: x }, value: 7 }], read: never, empty: keep }',
      'when: is a whole number, figshare takes text',
    ],
    ['{ const: 7 }', 'const: is a whole number, figshare takes text'],
    ['{ from: title, default: 7 }', 'default: is a whole number, figshare takes text'],
    [
      '{ from: active, empty: keep }',
      'from: active gives true or false, figshare takes text: put a transform or a table in between',
    ],
    ['{ from: title, transform: [to_string], empty: keep }', "from: 'to_string' does not take text, as title gives it"],
    [
      '{ from: active, transform: [to_string, not], empty: keep }',
      "from: 'not' does not take text, as active gives it",
    ],
    [
      '{ from: title, transform: [to_number], empty: keep }',
      'from: title gives a whole number, figshare takes text: put a transform or a table in between',
    ],
    [
      '{ from: [title, \'emails[type eq "work"].primary\'], empty: keep }',
      'from: emails[type eq "work"].primary gives true or false, figshare takes text: put a transform or a table in between',
    ],
    ["{ const: '' }", 'const: is empty: drop the rule'],
    ["{ from: title, default: '' }", 'default: is empty: drop it'],
    ['{ const: Dr, transform: [to_number, to_string] }', "const: 'to_number' does not take 'Dr'"],
    ['{ const: 7, transform: [{ prefix: A }] }', "const: 'prefix' does not take '7'"],
    ['{ from: title, write: create, on_change: keep }', 'with write: create it is never compared: drop on_change'],
    ['{ from: title, empty: keep, read: [usrName] }', 'read.0: not a SCIM path (did you mean userName?)'],
    [
      '{ from: name.familyName, empty: keep }',
      'is read back into name.familyName, as last_name is: say read: never on one of them',
    ],
    ['[title, usrName]', '1: not a SCIM path (did you mean userName?)'],
  ] as const
  for (const [rule, says] of cases) {
    test(rule, () => {
      const problems = load(aFile(`    job_title: ${rule}`))
      const full = ['.', ': '].map((separator) => ` user.attributes.job_title${separator}${says}`)
      assert.ok(
        problems.some((problem) => full.some((end) => problem.endsWith(end))),
        problems.join('\n'),
      )
    })
  }

  test('what goes through a step that takes it is taken', () => {
    for (const rule of [
      '{ from: active, transform: [not, to_string], empty: keep }',
      '{ from: title, transform: [to_number, to_string], empty: keep }',
      '{ from: title, transform: [{ keep: a-z }], read: never, empty: keep }',
      '{ from: title, transform: [{ before: "1" }, to_number, to_string], read: never, empty: keep }',
      '{ from: title, transform: [{ unique_suffix: { from: id, length: 6 } }], read: never, empty: keep }',
      '{ const: 7, transform: [to_string] }',
      "{ from: 'urn:example:own:level', empty: keep }",
    ]) {
      assert.doesNotThrow(() => aMapping(`    job_title: ${rule}`), rule)
    }
  })

  test('a word that a rule says itself and its table does not have is found before anybody is refused for it', () => {
    const rule = (words: string) =>
      aFile(
        `    group_id: { when: [{ if: { path: title, present: true }, value: ${words} }], table: t, default: 1, read: never }`,
        'tables: { t: { values: { Physics: 7 }, unknown: refuse } }',
      )
    assert.deepEqual(load(rule('Physics')), [])
    assert.deepEqual(load(rule('Physcs')), [
      `a.yaml:${place(rule('Physcs'), 'group_id')}: user.attributes.group_id: when: 'Physcs' is not in table 't'`,
    ])
  })

  test('a table that has all who come is well, whatever it would make of others', () => {
    for (const unknown of ['refuse', 'omit', 'pass']) {
      const text = aFile(
        '    group_id: { from: title, table: t, default: 1 }',
        `tables: { t: { values: { Physics: 7 }, unknown: ${unknown} } }`,
      )
      assert.deepEqual(load(text), [], unknown)
    }
  })

  test('a match attribute has no value that several people share', () => {
    for (const [name, rule] of [
      ['default', "{ from: 'emails[0].value', default: none@uni.example, on_change: keep }"],
      ['const', '{ const: none@uni.example, on_change: keep }'],
    ] as const) {
      const text = changed(builtIn('figshare'), '    email:\n', `    email: ${rule}\n    symplectic_user_id:\n`)
      const [first = 'none'] = problemsOf({ file: 'a.yaml', text, facts: figshare })
      assert.ok(
        first.endsWith(
          `: user.attributes.email: is a match attribute, but ${name} gives several people one account: drop it`,
        ),
        first,
      )
    }
  })

  test('everything that is wrong is listed, in the order of the file', () => {
    const text = aFile('    job_titel: title\n    quota: { const: many, write: create }\n    orcid: { from: x }')
    assert.deepEqual(load(text), [
      `a.yaml:${place(text, 'job_titel')}: user.attributes.job_titel: figshare has no writable attribute 'job_titel' (did you mean job_title?)`,
      `a.yaml:${place(text, 'quota')}: user.attributes.quota: const: is text, figshare takes a whole number`,
      `a.yaml:${place(text, 'orcid')}: user.attributes.orcid: figshare cannot clear it: say empty: keep, required or default`,
      `a.yaml:${place(text, 'from: x')}: user.attributes.orcid.from: not a SCIM path (try userName, name.givenName or emails[type eq "work"].value)`,
    ])
  })

  test('the problems can be read one by one', () => {
    const error = new MappingProblems([
      { file: 'b', line: 1, column: 1, path: 'x', message: 'late' },
      { file: 'a', line: 9, column: 1, path: '', message: 'early' },
    ])
    assert.deepEqual(
      error.problems.map(({ file, message }) => [file, message]),
      [
        ['a', 'early'],
        ['b', 'late'],
      ],
    )
    assert.equal(error.message, 'a:9:1: early\nb:1:1: x: late')
  })

  test('match needs a rule, and distinct is not match again', () => {
    const text = changed(aFile(''), 'match: [email]', 'match: [email, institution_user_id]\n  distinct: [email]')
    assert.deepEqual(load(text), [
      `a.yaml:${place(text, 'institution_user_id')}: user.match.1: 'institution_user_id' has no rule in user.attributes: add one`,
      `a.yaml:${place(text, 'email]', 'distinct')}: user.distinct.0: 'email' is in match too: drop one`,
    ])
  })
})

describe('connections', () => {
  const invitation = changed(builtIn('dspace'), 'mode: direct', 'mode: invitation')

  test('invitations are refused on a connection that confirms', () => {
    const input = { file: 'd.yaml', text: invitation, facts: dspace }
    assert.deepEqual(problemsOf({ ...input, writeMode: 'confirmed' }), [
      `d.yaml:${place(invitation, 'mode:')}: user.mode: an invitation is answered before there is an account: the connection needs mode: deferred`,
    ])
    assert.deepEqual(problemsOf({ ...input, writeMode: 'deferred' }), [])
  })

  test('another mode than the platform has is refused', () => {
    const text = changed(builtIn('dspace'), 'mode: direct', 'mode: invite')
    assert.match(
      problemsOf({ file: 'd.yaml', text, facts: dspace }).join(),
      /user\.mode: no mode 'invite' \(have direct, invitation\)/,
    )
  })

  test('a mapping of another platform is refused', () => {
    assert.match(
      problemsOf({ file: 'd.yaml', text: builtIn('dspace'), facts: figshare }).join(),
      /platform: is not figshare/,
    )
  })
})

describe('examples are tests', () => {
  test('an example that does not hold refuses the file, and says what came out', () => {
    const text = changed(
      aFile('    job_title: { from: title, empty: keep }'),
      'changes: { is_active: false }',
      'changes: { is_active: true }',
    )
    assert.deepEqual(load(text), [
      `a.yaml:${place(text, 'name: off')}: examples.0: off is off: changes.is_active is false, not true`,
    ])
  })

  const expecting = (expectation: string) => changed(aFile(''), 'changes: { is_active: false }', expectation)
  const cases = [
    ['changes: {}', 'changes.is_active is false, not absent'],
    ['error: no', 'error is none'],
  ] as const
  for (const [expectation, says] of cases) {
    test(`${expectation} where it is not so`, () => {
      assert.match(load(expecting(expectation)).join(), new RegExp(`examples\\.0: off is off: ${says}`))
    })
  }

  test('an unexpected refusal is told', () => {
    const text = changed(aFile(''), 'scim: { emails', 'scim: { mails')
    assert.match(load(text).join(), /off is off: user\.attributes\.email: required value is missing/)
  })

  test('account, grants and read are compared whole', () => {
    const groups = 'groups: { as: grants, grants: [{ group: g, grant: { group_id: 1, role_id: 2 } }] }'
    const text = `${aFile('', groups)}  - name: whole
    scim: { emails: [{ primary: true, value: a@b.example }], name: { familyName: B } }
    groups: [g]
    account: { email: a@b.example, last_name: B }
    grants: [{ group_id: 1, role_id: 3 }]
    read: { active: true }
`
    const [line = ''] = load(text)
    assert.match(line, /account\.is_active is true, not absent/)
    assert.match(line, /grants has not \{"group_id":1,"role_id":3\}; grants has \{"group_id":1,"role_id":2\} too/)
    assert.match(line, /read\.emails is .*, not absent; read\.name is/)
  })

  test('groups that no line names are an error where the mapping says so', () => {
    const groups =
      'groups: { as: grants, unmatched: refuse, grants: [{ group: g, grant: { group_id: 1, role_id: 2 } }] }'
    const text = `${aFile('', groups)}  - { name: unknown, groups: [h], error: "groups.grants: no line for group 'h'" }\n`
    assert.deepEqual(load(text), [])
  })
})
