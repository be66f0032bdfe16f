import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createAttributes, toPlatform } from '../../src/mapping/evaluate.ts'
import { loadMapping } from '../../src/mapping/load.ts'
import { MappingProblems } from '../../src/mapping/problems.ts'
import { type FactsOf, readMappingFile } from '../../src/mapping/read.ts'
import { builtIn, changed, dspace, factsOf, figshare, place, problemsOf } from './platforms.ts'

const base = { file: 'mappings/figshare.yaml', text: builtIn('figshare') }
const file = 'mappings/connections/north.yaml'
const north = `version: 1
platform: figshare
extends: ../figshare.yaml
tables: { faculty: { values: { Library: 210, Medicine: 240 } } }
user:
  attributes:
    institution_user_id: { from: 'ent:employeeNumber', transform: [trim], required: true, on_change: refuse }
    job_title: null
examples:
  - name: the employee number is the log-in key here
    scim: { userName: ada@uni.example, name: { familyName: Lovelace }, urn:ietf:params:scim:schemas:extension:enterprise:2.0:User: { employeeNumber: '4711', department: Medicine } }
    account: { institution_user_id: '4711', email: ada@uni.example, last_name: Lovelace, group_id: 240, quota: 5368709120, is_active: true }
`
const load = (text: string) => loadMapping({ file, text, base, facts: figshare })
const problems = (text: string, under = base) => problemsOf({ file, text, base: under, facts: figshare })

describe('a per-connection file over a platform file', () => {
  test('changes what it says and keeps the rest', () => {
    const { mapping, examples } = load(north)
    assert.deepEqual(examples.length, 1)
    assert.equal(mapping.rules.has('job_title'), false)
    assert.equal(mapping.rules.has('first_name'), true)
    const scim = {
      userName: 'ada@uni.example',
      name: { familyName: 'Lovelace' },
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { employeeNumber: '1', department: 'Physics' },
    }
    const account = createAttributes(mapping, toPlatform(mapping, figshare, scim, { activeDefault: true }))
    // Physics is the base's, Library is overridden.
    assert.equal(account.get('group_id'), 101)
    assert.equal(mapping.rules.get('group_id')?.table?.values.get('Library'), 210)
  })

  test('lists are replaced whole', () => {
    const { mapping } = load(changed(north, 'user:', 'user:\n  match: [email]\n  protect: []'))
    assert.deepEqual(mapping.match, ['email'])
    assert.deepEqual(mapping.protect, [])
  })

  test('a rule in short form replaces the whole rule', () => {
    const text = changed(north, '    job_title: null', '    job_title: displayName')
    assert.deepEqual(problems(text), [
      `${file}:${place(text, 'job_title')}: user.attributes.job_title: figshare cannot clear it: say empty: keep, required or default`,
    ])
  })

  test('a policy can be added to a rule that the base has in short form', () => {
    const text = `version: 1
platform: dspace
extends: ../dspace.yaml
user: { attributes: { phone: { required: true } } }
examples:
  - name: a telephone number is needed here
    scim: { userName: m@uni.example, name: { givenName: M, familyName: C } }
    error: 'user.attributes.phone: required value is missing (from phoneNumbers[type eq "work"].value)'
`
    assert.deepEqual(
      problemsOf({ file, text, base: { file: 'dspace.yaml', text: builtIn('dspace') }, facts: dspace }),
      [],
    )
  })

  test('a problem points into the file that said it', () => {
    const text = changed(north, 'Medicine: 240', 'Medicine: many')
    const lines = problems(text)
    assert.deepEqual(lines, [
      `mappings/figshare.yaml:${place(base.text, 'group_id:', 'attributes:')}: user.attributes.group_id: table 'faculty' gives text, figshare takes a whole number`,
    ])
    const mistyped = changed(north, 'transform: [trim]', 'transform: [trimm]')
    assert.deepEqual(problems(mistyped), [
      `${file}:${place(mistyped, 'trimm')}: user.attributes.institution_user_id.transform.0: no transform 'trimm' (did you mean trim?)`,
    ])
  })

  test('the examples of the base run against the base, and a failing one refuses both', () => {
    const wrong = { ...base, text: changed(base.text, '      group_id: 101', '      group_id: 102') }
    assert.deepEqual(problems(north, wrong), [
      `mappings/figshare.yaml:${place(base.text, 'name: a new physicist')}: examples.0: a new physicist: account.group_id is 101, not 102`,
    ])
  })

  test('a file needs examples of its own', () => {
    assert.deepEqual(problems(north.slice(0, north.indexOf('examples:'))), [`${file}:1:1: examples: is missing`])
  })

  test('only one level is extended, of the same platform and version', () => {
    const text = changed(north, 'platform: figshare', 'platform: dspace')
    assert.deepEqual(problems(text), [
      `${file}:2:1: platform: is not figshare, as in the file that it extends`,
      `${file}:2:1: platform: is not figshare`,
    ])
    const twice = { ...base, text: changed(base.text, 'version: 1', 'version: 1\nextends: other.yaml') }
    assert.ok(
      problems(north, twice).some((line) => line.endsWith('extends: is extended itself: only one level is read')),
    )
  })
})

describe('on the disk', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'mappings-'))
    mkdirSync(join(folder, 'mappings', 'connections'), { recursive: true })
    writeFileSync(join(folder, 'mappings', 'figshare.yaml'), base.text)
    writeFileSync(join(folder, 'outside.yaml'), base.text)
    symlinkSync(join(folder, 'outside.yaml'), join(folder, 'mappings', 'link.yaml'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const refusal = (text: string, facts: FactsOf = factsOf) => {
    const path = join(folder, 'mappings', 'connections', 'north.yaml')
    writeFileSync(path, text)
    try {
      readMappingFile(path, facts)
      return 'loaded'
    } catch (error) {
      if (error instanceof MappingProblems) return error.message.replaceAll(`${folder}/`, '')
      throw error
    }
  }

  test('a file and the one that it extends are read together', () => {
    assert.equal(refusal(north), 'loaded')
  })

  const outside = `${file}:3:1: extends: must name a file inside the mappings folder, as in ../figshare.yaml, or a shipped one, as in shipped:figshare`
  for (const target of ['../../outside.yaml', '/etc/passwd', '../../../x.yaml', '..', "'..\\figshare.yaml'"]) {
    test(`extends: ${target} is refused`, () => {
      assert.equal(refusal(changed(north, 'extends: ../figshare.yaml', `extends: ${target}`)), outside)
    })
  }

  test('a link out of the folder is refused', () => {
    assert.equal(
      refusal(changed(north, '../figshare.yaml', '../link.yaml')),
      `${file}:3:1: extends: is a link to a file outside the mappings folder`,
    )
  })

  test('a base that is not there is told at the line that names it', () => {
    assert.equal(
      refusal(changed(north, '../figshare.yaml', '../figshar.yaml')),
      `${file}:3:1: extends: mappings/figshar.yaml cannot be read (ENOENT)`,
    )
  })

  test('a platform that the bridge does not know is refused', () => {
    assert.equal(
      refusal(changed(north, 'platform: figshare', 'platform: moodle')),
      `${file}:2:1: platform: no platform 'moodle'`,
    )
  })

  test('a folder, a large file and a missing one are refused', () => {
    const large = join(folder, 'mappings', 'large.yaml')
    writeFileSync(large, '#'.repeat(256 * 1024 + 1))
    const missing = join(folder, 'mappings', 'missing.yaml')
    assert.throws(() => readMappingFile(folder, factsOf), /is not a file/)
    assert.throws(() => readMappingFile(large, factsOf), /the file has 262145 bytes, at most 262144 are read/)
    assert.throws(() => readMappingFile(missing, factsOf), /cannot be read \(ENOENT\)/)
  })
})

test('a file anywhere may extend a mapping that comes with the bridge, by its platform and nothing else', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mapping-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'mine.yaml')
  const read = (base: string) => {
    writeFileSync(path, changed(north, 'extends: ../figshare.yaml', `extends: ${base}`))
    return readMappingFile(path, factsOf)
  }
  assert.equal(read('shipped:figshare').mapping.platform, 'figshare')
  assert.throws(() => read('shipped:nothing'), /extends: .*nothing\.yaml cannot be read/)
  assert.throws(() => read('shipped:../package'), /extends: .*shipped:\.\.\/package cannot be read/)
})

test('a file is loaded once for all who share it, and anew when it or the one that it extends has changed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mapping-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [basePath, path] = [join(folder, 'figshare.yaml'), join(folder, 'north.yaml')]
  const write = (at: string, text: string) => writeFileSync(at, text)
  write(basePath, base.text)
  write(path, changed(north, '../figshare.yaml', 'figshare.yaml'))
  const read = () => readMappingFile(path, factsOf)
  const first = read()
  assert.equal(read(), first)
  assert.notEqual(
    readMappingFile(path, () => ({ ...figshare })),
    first,
  )
  assert.throws(() => readMappingFile(path, () => undefined), /no platform 'figshare'/)
  assert.throws(() => readMappingFile(path, factsOf, { mappingsRoot: join(folder, 'inner') }), /extends: must name/)

  const again = read()
  write(basePath, changed(base.text, 'describe:', 'describe: Otherwise #'))
  assert.notEqual(read(), again)
  rmSync(basePath)
  assert.throws(read, /extends: .*figshare\.yaml cannot be read \(ENOENT\)/)
  write(basePath, base.text)
  write(path, changed(north, '../figshare.yaml', 'figshar.yaml'))
  assert.throws(read, /extends: .*figshar\.yaml cannot be read/)
})
